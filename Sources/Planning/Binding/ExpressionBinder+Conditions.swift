// IS, BETWEEN, IN, ANY, CASE and NULLIF, rewritten to what the evaluator has.

import Contracts
import Kernels
import SQLSyntax
import Types

extension ExpressionBinder {
    func isNull(_ part: ExpressionSyntax, _ isNegated: Bool) throws(Failure) -> Expression {
        let value = try operand(part).expression
        guard isNegated else { return .isNull(value) }
        guard case .row(let row) = value.type else { return .not(.isNull(value)) }
        // PostgreSQL: a row IS NOT NULL when none of its fields is NULL.
        return .and(
            row.fields.enumerated().map { index, field in
                .not(.isNull(.field(value, index, field.type)))
            })
    }

    /// `IS TRUE` and its kin never give NULL.
    func isTruth(
        _ part: ExpressionSyntax, _ value: Bool?, _ isNegated: Bool
    ) throws(Failure) -> Expression {
        let condition = try boolean(part, of: "IS")
        guard let value else {
            return isNegated ? .not(.isNull(condition)) : .isNull(condition)
        }
        let known = Expression.coalesce([condition, .constant(.bool(!value), .boolean)], .boolean)
        return value != isNegated ? known : .not(known)
    }

    func isDistinct(
        _ left: ExpressionSyntax, _ right: ExpressionSyntax, _ isNegated: Bool,
        _ place: SourcePlace
    ) throws(Failure) -> Expression {
        try refuseRows([left, right])
        let operands = [try operand(left), try operand(right)]
        let distinct: Expression
        if case .null = operands[1].literal {
            distinct = .not(.isNull(operands[0].expression))
        } else if case .null = operands[0].literal {
            distinct = .not(.isNull(operands[1].expression))
        } else {
            distinct =
                try call("is_distinct", operands, shown: "IS DISTINCT FROM", place).expression
        }
        return isNegated ? .not(distinct) : distinct
    }

    func between(
        _ value: ExpressionSyntax, _ low: ExpressionSyntax, _ high: ExpressionSyntax,
        _ isNegated: Bool, _ isSymmetric: Bool, _ place: SourcePlace
    ) throws(Failure) -> Expression {
        let (value, low, high) = (try operand(value), try operand(low), try operand(high))
        func inside(_ low: Operand, _ high: Operand) throws(Failure) -> Expression {
            .and([
                try call(">=", [value, low], shown: "BETWEEN", place).expression,
                try call("<=", [value, high], shown: "BETWEEN", place).expression,
            ])
        }
        var condition = try inside(low, high)
        if isSymmetric { condition = .or([condition, try inside(high, low)]) }
        return isNegated ? .not(condition) : condition
    }

    func inList(
        _ value: ExpressionSyntax, _ list: [ExpressionSyntax], _ isNegated: Bool,
        _ place: SourcePlace
    ) throws(Failure) -> Expression {
        try refuseRows([value] + list)
        let value = try operand(value)
        var equalities: [Expression] = []
        for element in list {
            let pair = [value, try operand(element)]
            equalities.append(try call("=", pair, shown: "IN", place).expression)
        }
        let condition = equalities.count == 1 ? equalities[0] : Expression.or(equalities)
        return isNegated ? .not(condition) : condition
    }

    /// `x = ANY (array)` and `x <> ALL (array)`.
    func quantified(
        _ value: ExpressionSyntax, _ symbol: String, _ array: ExpressionSyntax, _ isAll: Bool,
        _ place: SourcePlace
    ) throws(Failure) -> Expression {
        let isEqual = symbol == "=" && !isAll
        let isUnequal = (symbol == "<>" || symbol == "!=") && isAll
        guard isEqual || isUnequal else {
            throw notYet("\(symbol) \(isAll ? "ALL" : "ANY") (…)", place)
        }
        var element = try operand(value)
        var list = try operand(array)
        if list.isUntyped {
            let type: LogicalType = element.isUntyped ? .text : element.type
            list = Operand(try coerce(list, to: .array(type)), list.place)
        }
        guard case .array(let type) = list.type else {
            throw Failure(
                .invalid, "sql.not_an_array", "ANY and ALL need an array, this is \(list.type)",
                place: list.place)
        }
        let wanted = element.isUntyped ? type : TypeRules.commonType([element.type, type])
        guard let wanted else {
            throw Failure(
                .invalid, "sql.type_mismatch",
                "\(element.type) cannot be compared with elements of \(list.type)", place: place)
        }
        element = Operand(try coerce(element, to: wanted), element.place)
        list = Operand(try coerce(list, to: .array(wanted)), list.place)
        let found = try call("contains_element", [list, element], shown: "ANY", place).expression
        return isUnequal ? .not(found) : found
    }

    func caseWhen(
        _ subject: ExpressionSyntax?, _ branches: [(ExpressionSyntax, ExpressionSyntax)],
        _ otherwise: ExpressionSyntax?, _ place: SourcePlace
    ) throws(Failure) -> Expression {
        var subjectOperand: Operand?
        if let subject { subjectOperand = try operand(subject) }
        var conditions: [Expression] = []
        var results: [Operand] = []
        for (condition, result) in branches {
            if let subjectOperand {
                let pair = [subjectOperand, try operand(condition)]
                conditions.append(try call("=", pair, shown: "CASE", condition.place).expression)
            } else {
                conditions.append(try boolean(condition, of: "CASE WHEN"))
            }
            results.append(try operand(result))
        }
        let last: Operand
        if let otherwise {
            last = try operand(otherwise)
        } else {
            last = Operand(.constant(.null, .unknown), place, literal: .null)
        }
        let (values, type) = try unified(results + [last], in: "CASE")
        return .cases(
            Expression.Cases(
                branches: zip(conditions, values).map { Expression.Branch($0, $1) },
                otherwise: values[values.count - 1], type: type))
    }

    /// `NULLIF(a, b)`: a's type, whatever the comparison needed.
    func nullIf(
        _ left: ExpressionSyntax, _ right: ExpressionSyntax, _ place: SourcePlace
    ) throws(Failure) -> Expression {
        let value = try operand(left)
        let equal = try call("=", [value, try operand(right)], shown: "NULLIF", place).expression
        let result = value.isUntyped ? try coerce(value, to: .text) : value.expression
        return .cases(
            Expression.Cases(
                branches: [Expression.Branch(equal, .constant(.null, result.type))],
                otherwise: result, type: result.type))
    }

    /// `(a, b) = (c, d)` and its kin.
    func refuseRows(_ parts: [ExpressionSyntax?]) throws(Failure) {
        for case let part? in parts {
            if case .row = part.kind { throw notYet("comparing rows", part.place) }
        }
    }
}
