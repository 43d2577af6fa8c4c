// One case of the syntax tree after the other.

import Contracts
import Kernels
import SQLSyntax
import Types

extension ExpressionBinder {
    /// Binds one part. In an aggregate query a part without aggregate calls is first offered as a
    /// key.
    func operand(_ syntax: ExpressionSyntax) throws(Failure) -> Operand {
        if let hooks, Self.canBeKey(syntax), !Self.containsAggregate(syntax) {
            let plain = ExpressionBinder(catalog: catalog, scope: scope, context: context)
            let bound = try plain.operand(syntax)
            let folded = try folding(at: syntax.place)
                .fold(bound.expression.inZone(of: context.settings), isConditional: true)
            if let key = hooks.groupKey(folded) { return Operand(key, syntax.place) }
            if bound.expression.isColumnFree { return bound }
        }
        return try structure(syntax)
    }

    /// Whether a part can be a GROUP BY expression at all: constants cannot.
    private static func canBeKey(_ syntax: ExpressionSyntax) -> Bool {
        switch syntax.kind {
        case .null, .boolean, .integer, .decimal, .string: false
        default: true
        }
    }

    private func structure(_ syntax: ExpressionSyntax) throws(Failure) -> Operand {
        let place = syntax.place
        switch syntax.kind {
        case .null: return Operand(.constant(.null, .unknown), place, literal: .null)
        case .boolean(let value): return Operand(.constant(.bool(value), .boolean), place)
        case .integer(let value): return integer(value, place)
        case .decimal(let digits): return try decimal(digits, place)
        case .string(let text): return try string(text, place)
        case .column(let path):
            return Operand(try reference(try scope.resolve(path), place), place)
        case .parameter(let number):
            guard context.hasParameters, scope.columns.indices.contains(number - 1) else {
                throw Failure(
                    .invalid, "sql.parameter_unknown", "there is no parameter $\(number)",
                    place: place)
            }
            return Operand(scope.columns[number - 1].expression, place)
        case .field(let base, let name): return Operand(try field(base, name), place)
        case .element(let base, let lower, let upper, let isSlice):
            guard !isSlice, let index = upper ?? lower else {
                throw notYet("array slices", place)
            }
            return try call(
                "element", [try operand(base), try operand(index)], shown: "[]", place)
        case .call(let call): return try function(call, place)
        case .cast(let inner, let type): return try cast(inner, type, place)
        case .infix(let symbol, let left, let right):
            return try infix(symbol, left, right, place)
        case .atTimeZone(let value, let zone):
            return try call(
                "timezone", [try operand(zone), try operand(value)], shown: "AT TIME ZONE", place)
        case .currentTime(let name): return try currentTime(name, place)
        case .collate(let base, let name):
            guard ["C", "POSIX", "ucs_basic"].contains(name.text) else {
                throw Failure(
                    .invalid, "sql.collation", "collation \"\(name.text)\" is not supported",
                    hint: "text compares by bytes, collation \"C\"", place: name.place)
            }
            return try operand(base)
        case .star, .allFields:
            throw Failure(
                .invalid, "sql.star_in_expression", "* stands in a select list or count(*) only",
                place: place)
        case .subquery: throw notYet("a subquery in an expression", place)
        case .refused(let construct): throw notYet(construct, place)
        default: return Operand(try compound(syntax), place)
        }
    }

    /// Constructs with their own evaluation.
    private func compound(_ syntax: ExpressionSyntax) throws(Failure) -> Expression {
        let place = syntax.place
        switch syntax.kind {
        case .and(let parts): return .and(try booleans(parts, of: "AND"))
        case .or(let parts): return .or(try booleans(parts, of: "OR"))
        case .not(let part): return .not(try boolean(part, of: "NOT"))
        case .isNull(let part, let isNegated): return try isNull(part, isNegated)
        case .isTruth(let part, let value, let isNegated):
            return try isTruth(part, value, isNegated)
        case .isDistinct(let left, let right, let isNegated):
            return try isDistinct(left, right, isNegated, place)
        case .between(let value, let low, let high, let isNegated, let isSymmetric):
            return try between(value, low, high, isNegated, isSymmetric, place)
        case .inList(let value, let list, let isNegated):
            return try inList(value, list, isNegated, place)
        case .quantified(let value, let symbol, let array, let isAll):
            return try quantified(value, symbol, array, isAll, place)
        case .caseWhen(let operand, let branches, let otherwise):
            return try caseWhen(operand, branches, otherwise, place)
        case .coalesce(let parts):
            let (values, type) = try unified(try operands(parts), in: "COALESCE")
            return values.count == 1 ? values[0] : .coalesce(values, type)
        case .nullIf(let left, let right): return try nullIf(left, right, place)
        case .greatest(let parts):
            return try call("greatest", try operands(parts), shown: "GREATEST", place).expression
        case .least(let parts):
            return try call("least", try operands(parts), shown: "LEAST", place).expression
        case .row(let parts): return try row(parts)
        case .array(let parts): return try array(parts, place)
        default: bug("the binder does not know \(syntax.kind)")
        }
    }

    func operands(_ parts: [ExpressionSyntax]) throws(Failure) -> [Operand] {
        var bound: [Operand] = []
        for part in parts { bound.append(try operand(part)) }
        return bound
    }

    private func booleans(
        _ parts: [ExpressionSyntax], of what: String
    ) throws(Failure) -> [Expression] {
        var bound: [Expression] = []
        for part in parts { bound.append(try boolean(part, of: what)) }
        return bound
    }

    /// A column, through the hooks in an aggregate query.
    func reference(_ column: ScopeColumn, _ place: SourcePlace) throws(Failure) -> Expression {
        guard let hooks else { return column.expression }
        if let key = hooks.groupKey(column.expression) { return key }
        throw hooks.ungrouped(column, place)
    }

    func notYet(_ construct: String, _ place: SourcePlace) -> Failure {
        Failure(.invalid, "sql.not_yet", "\(construct) is not supported yet", place: place)
    }

    // MARK: Constants

    private func integer(_ value: Int64, _ place: SourcePlace) -> Operand {
        let type: LogicalType = Int32(exactly: value) == nil ? .bigint : .integer
        let digits = String(value.magnitude).utf8.count
        return Operand(
            .constant(.int64(value), type), place, literal: .number(precision: digits, scale: 0))
    }

    private func decimal(_ text: String, _ place: SourcePlace) throws(Failure) -> Operand {
        guard let number = NumberLiteral(text) else {
            throw Failure(
                .invalid, "sql.number_too_long", "\(text) has more than 38 digits",
                hint: "write '\(text)'::double precision", place: place)
        }
        let type = LogicalType.numeric(precision: number.precision, scale: number.scale)
        return Operand(
            .constant(.int128(number.unscaled), type), place,
            literal: .number(precision: number.precision, scale: number.scale))
    }

    private func string(_ text: String, _ place: SourcePlace) throws(Failure) -> Operand {
        let value = try substitutingVariables(
            in: text, environment: context.options.environment, place: place)
        return Operand(.constant(.text(value), .text), place, literal: .string(value))
    }

    // MARK: Rows and arrays

    private func field(_ base: ExpressionSyntax, _ name: Name) throws(Failure) -> Expression {
        let row = try operand(base).expression
        guard case .row(let type) = row.type else {
            throw Failure(
                .invalid, "sql.not_a_row", "\(row.type) has no fields", place: name.place)
        }
        guard let index = type.index(of: name.text) else {
            let nearest = nearestName(to: name.text, among: type.fields.map(\.name))
            throw Failure(
                .invalid, "sql.field_unknown", "\(row.type) has no field \"\(name.text)\"",
                hint: nearest.map { "did you mean \"\($0)\"?" }, place: name.place)
        }
        return .field(row, index, type.fields[index].type)
    }

    private func row(_ parts: [ExpressionSyntax]) throws(Failure) -> Expression {
        var values: [Expression] = []
        for part in parts {
            let operand = try operand(part)
            values.append(operand.isUntyped ? try coerce(operand, to: .text) : operand.expression)
        }
        let fields = values.enumerated().map { Field("f\($0.offset + 1)", $0.element.type) }
        return .makeRow(values, RowType(name: nil, fields: fields))
    }

    private func array(
        _ parts: [ExpressionSyntax], _ place: SourcePlace
    ) throws(Failure) -> Expression {
        guard !parts.isEmpty else {
            throw Failure(
                .invalid, "sql.array_untyped", "an empty ARRAY[] has no type",
                hint: "write ARRAY[]::text[]", place: place)
        }
        let (values, type) = try unified(try operands(parts), in: "ARRAY")
        return .makeArray(values, element: type)
    }
}
