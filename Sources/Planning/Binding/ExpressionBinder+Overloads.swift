// Chooses the overload of a function or operator, as PostgreSQL does (its chapter 10).
//
// 1. Only overloads whose parameters all arguments reach implicitly. 2. Of these, those with the
// most exact matches; for a binary operator an untyped literal first counts as the other side's
// type. 3. The shortest way of conversion in total: smallint → integer → bigint → numeric → double;
// date → timestamptz for functions (PostgreSQL's preferred type), → timestamp for operators.
// 4. Untyped literals prefer text. 5. The order of the table. Nothing converts to real implicitly,
// so real beside any other number is double (dialect.md §3.1).

import Contracts
import Kernels
import Types

extension ExpressionBinder {
    /// A call of `name` with its arguments converted. `shown` names it in messages.
    func call(
        _ name: String, _ arguments: [Operand], shown: String, _ place: SourcePlace
    ) throws(Failure) -> Operand {
        let overloads = FunctionTable.overloads(of: name)
        let isOperator = !(name.utf8.first.map { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a } ?? false)
        let candidates = overloads.compactMap {
            Candidate($0, arguments, isOperator: isOperator)
        }
        guard let best = Candidate.best(candidates, arguments, isOperator: isOperator) else {
            throw unknownFunction(name, overloads, arguments, shown, isOperator, place)
        }
        return try resolved(best, arguments, shown, place)
    }

    private func resolved(
        _ candidate: Candidate, _ arguments: [Operand], _ shown: String, _ place: SourcePlace
    ) throws(Failure) -> Operand {
        var sameType = LogicalType.unknown
        let sharing = zip(candidate.parameters, arguments).filter { $0.0 == .same }.map(\.1)
        if !sharing.isEmpty { sameType = try commonType(sharing, in: shown) }
        var values: [Expression] = []
        var types: [ArgumentType] = []
        for (parameter, argument) in zip(candidate.parameters, arguments) {
            let value = try converted(argument, for: parameter, sameType, shown)
            values.append(value)
            types.append(ArgumentType(value.type, constant: constant(value)))
        }
        let type: LogicalType
        do {
            type = try candidate.function.resultType(types)
        } catch {
            throw Failure(
                error.kind, error.code, error.message, hint: error.hint,
                place: error.place ?? place)
        }
        return Operand(
            .call(Expression.Call(candidate.function, values, type: type, place: place)), place)
    }

    private func converted(
        _ argument: Operand, for parameter: Parameter, _ sameType: LogicalType, _ shown: String
    ) throws(Failure) -> Expression {
        switch parameter {
        case .exactly(let type): return try coerce(argument, to: type)
        case .same: return try coerce(argument, to: sameType)
        case .anyNumeric:
            guard let type = argument.asNumeric else {
                throw Failure(
                    .invalid, "sql.invalid_literal", "\(shown) needs a number here",
                    place: argument.place)
            }
            return try coerce(argument, to: type)
        case .any, .anyArray:
            return argument.isUntyped ? try coerce(argument, to: .text) : argument.expression
        }
    }

    private func constant(_ value: Expression) -> Scalar? {
        guard value.isColumnFree, case .value(let scalar) = value.constantValue() else {
            return nil
        }
        return scalar
    }

    private func unknownFunction(
        _ name: String, _ overloads: [Function], _ arguments: [Operand], _ shown: String,
        _ isOperator: Bool, _ place: SourcePlace
    ) -> Failure {
        let types = arguments.map(\.type.description)
        if isOperator, arguments.count == 2, !overloads.isEmpty || shown == name {
            return Failure(
                .invalid, "sql.operator_unknown",
                "there is no operator \(types[0]) \(shown) \(types[1])",
                hint: shown == "+" && arguments.contains { $0.type == .text }
                    ? "texts are joined by ||" : overloads.isEmpty ? nil : "cast one side",
                place: place)
        }
        var hint: String?
        if overloads.isEmpty {
            let known = FunctionTable.names + Array(catalog.functions.keys)
            hint =
                RivalFunctions.hints[name]
                ?? nearestName(to: name, among: known).map { "did you mean \($0)?" }
        } else if name == "round" || name == "trunc", arguments.count == 2 {
            hint = "cast to numeric(p,s) first"
        } else {
            hint = "there is " + overloads.prefix(3).map(\.signature).joined(separator: ", ")
        }
        return Failure(
            .invalid, "sql.function_unknown",
            "there is no function \(shown)(\(types.joined(separator: ", ")))", hint: hint,
            place: place)
    }
}

/// An overload that the arguments reach, with the cost of the way.
private struct Candidate {
    let function: Function
    /// One an argument: the variadic one repeated.
    let parameters: [Parameter]
    var exactCount = 0
    var distance = 0
    var textCount = 0

    /// nil: an argument does not reach its parameter.
    init?(_ function: Function, _ arguments: [Operand], isOperator: Bool) {
        self.function = function
        var parameters = function.parameters
        if function.isVariadic, let last = parameters.last, arguments.count > parameters.count {
            parameters += Array(repeating: last, count: arguments.count - parameters.count)
        }
        guard parameters.count == arguments.count else { return nil }
        self.parameters = parameters
        for (parameter, argument) in zip(parameters, arguments) {
            guard let cost = Self.cost(argument, parameter, isOperator) else { return nil }
            if cost == 0, !argument.isUntyped { exactCount += 1 }
            distance += cost
            if argument.isUntyped, parameter == .exactly(.text) { textCount += 1 }
        }
        guard sharesOneType(arguments) else { return nil }
    }

    /// Whether the arguments of all `same` parameters have a common type.
    private func sharesOneType(_ arguments: [Operand]) -> Bool {
        let sharing = zip(parameters, arguments).filter { $0.0 == .same }.map(\.1.type)
        return sharing.isEmpty || TypeRules.commonType(sharing) != nil
    }

    /// 0: as it is; nil: not implicitly.
    private static func cost(
        _ argument: Operand, _ parameter: Parameter, _ isOperator: Bool
    ) -> Int? {
        switch parameter {
        case .any, .same: return 0
        case .anyArray:
            if case .array = argument.type { return 0 }
            return nil
        case .anyNumeric:
            if argument.isUntyped { return argument.asNumeric == nil ? nil : 0 }
            if argument.type.isNumeric { return 0 }
            return argument.type.isInteger ? 3 - TypeRules.rank(argument.type) : nil
        case .exactly(let type): return cost(argument, type, isOperator)
        }
    }

    private static func cost(
        _ argument: Operand, _ wanted: LogicalType, _ isOperator: Bool
    ) -> Int? {
        if argument.isUntyped || argument.type == wanted { return 0 }
        guard wanted != .real, TypeRules.cast(from: argument.type, to: wanted) == .implicit else {
            return nil
        }
        if argument.type.isNumber, wanted.isNumber {
            return TypeRules.rank(wanted) - TypeRules.rank(argument.type)
        }
        switch (argument.type, wanted) {
        case (.date, .timestamp): return isOperator ? 1 : 2
        case (.date, .timestamptz): return isOperator ? 2 : 1
        default: return 1
        }
    }

    static func best(
        _ candidates: [Candidate], _ arguments: [Operand], isOperator: Bool
    ) -> Candidate? {
        if isOperator, let own = bestWithOtherSide(candidates, arguments) { return own }
        return candidates.enumerated().min { left, right in
            let (first, second) = (left.element, right.element)
            if first.exactCount != second.exactCount {
                return first.exactCount > second.exactCount
            }
            if first.distance != second.distance { return first.distance < second.distance }
            if first.textCount != second.textCount { return first.textCount > second.textCount }
            return left.offset < right.offset
        }?.element
    }

    /// A binary operator with one untyped literal: the overload for two of the other side's type.
    private static func bestWithOtherSide(
        _ candidates: [Candidate], _ arguments: [Operand]
    ) -> Candidate? {
        guard arguments.count == 2, let typed = arguments.first(where: { !$0.isUntyped }),
            arguments.contains(where: \.isUntyped)
        else { return nil }
        return candidates.first { candidate in
            candidate.parameters.allSatisfy { parameter in
                switch parameter {
                case .exactly(let type): type == typed.type
                case .anyNumeric: typed.type.isNumeric
                case .same: true
                case .any, .anyArray: false
                }
            }
        }
    }
}
