// Operators, casts and function calls.

import Contracts
import Kernels
package import SQLSyntax
import Types

extension ExpressionBinder {
    // MARK: Operators

    func infix(
        _ symbol: String, _ left: ExpressionSyntax?, _ right: ExpressionSyntax,
        _ place: SourcePlace
    ) throws(Failure) -> Operand {
        let isComparison = Self.comparisons.contains(symbol)
        if isComparison { try refuseRows([left, right]) }
        guard let left else { return try prefix(symbol, right, place) }
        let operands = [try operand(left), try operand(right)]
        if let positive = Self.negations[symbol] {
            let match = try call(positive, operands, shown: symbol, place)
            return Operand(.not(match.expression), place)
        }
        switch symbol {
        case "!=": return try call("<>", operands, shown: symbol, place)
        case "==":
            throw Failure(
                .invalid, "sql.operator_unknown", "there is no operator ==",
                hint: "equality is written =", place: place)
        case "||": return try concatenation(operands, place)
        default: return try call(symbol, operands, shown: symbol, place)
        }
    }

    private static let comparisons: Set<String> = ["=", "<>", "!=", "<", "<=", ">", ">="]

    /// Operators that are the negation of another.
    private static let negations = ["!~~": "~~", "!~~*": "~~*", "!~": "~", "!~*": "~*"]

    private func prefix(
        _ symbol: String, _ part: ExpressionSyntax, _ place: SourcePlace
    ) throws(Failure) -> Operand {
        let operand = try operand(part)
        guard case .number = operand.literal, symbol == "-" || symbol == "+" else {
            return try call(symbol, [operand], shown: symbol, place)
        }
        var negated = operand
        if symbol == "-" {
            switch operand.expression {
            case .constant(.int64(let value), let type) where value != .min:
                negated.expression = .constant(.int64(-value), type)
            case .constant(.int128(let value), let type):
                negated.expression = .constant(.int128(-value), type)
            default: return try call(symbol, [operand], shown: symbol, place)
            }
        }
        return negated
    }

    /// `text || anything` is text (PostgreSQL's textanycat); arrays and bytea have their own.
    private func concatenation(
        _ operands: [Operand], _ place: SourcePlace
    ) throws(Failure) -> Operand {
        func isOwn(_ type: LogicalType) -> Bool {
            if case .array = type { return true }
            return type == .bytea
        }
        let hasText = operands.contains { $0.type == .text }
        let isText = hasText || operands.allSatisfy(\.isUntyped)
        let isMixed = operands.contains { $0.isUntyped }
        guard isText || isMixed, !operands.contains(where: { isOwn($0.type) }) else {
            return try call("||", operands, shown: "||", place)
        }
        var texts: [Operand] = []
        for operand in operands {
            texts.append(Operand(try coerce(operand, to: .text), operand.place))
        }
        return try call("||", texts, shown: "||", place)
    }

    // MARK: Casts

    func cast(
        _ inner: ExpressionSyntax, _ name: TypeName, _ place: SourcePlace
    ) throws(Failure) -> Operand {
        if case .array(let parts) = inner.kind, name.arrayDimensions > 0 {
            return Operand(try arrayCast(parts, try catalog.type(name), place), place)
        }
        if name.name == "interval", case .string(let text) = inner.kind,
            let mask = name.modifiers.first, let unit = Self.intervalUnits[mask]
        {
            let value = try substitutingVariables(
                in: text, environment: context.options.environment, place: inner.place)
            let isNumber = NumberLiteral(value) != nil
            let whole = isNumber ? "\(value) \(unit)" : value
            return Operand(try literal(whole, .interval, inner.place), place)
        }
        let operand = try operand(inner)
        let type = try castTarget(name, operand)
        return Operand(try explicitly(operand, type, place), place)
    }

    /// `INTERVAL '10' MINUTE` by PostgreSQL's mask of fields.
    private static let intervalUnits = [
        1 << 1: "months", 1 << 2: "years", 1 << 3: "days", 1 << 10: "hours", 1 << 11: "minutes",
        1 << 12: "seconds",
    ]

    /// The type of a cast; bare `numeric` keeps an exact operand's type and a constant's digits.
    private func castTarget(
        _ name: TypeName, _ operand: Operand
    ) throws(Failure) -> LogicalType {
        let isBare = ["numeric", "decimal"].contains(name.name) && name.modifiers.isEmpty
        guard isBare, name.arrayDimensions == 0, let type = operand.asNumeric else {
            return try catalog.type(name)
        }
        if case .null = operand.literal { return try catalog.type(name) }
        return type
    }

    /// An explicit cast, where one exists.
    func explicitly(
        _ operand: Operand, _ type: LogicalType, _ place: SourcePlace
    ) throws(Failure) -> Expression {
        guard operand.isUntyped || TypeRules.cast(from: operand.type, to: type) != nil else {
            throw Failure(
                .invalid, "sql.no_cast", "\(operand.type) cannot be cast to \(type)",
                place: place)
        }
        if operand.isUntyped { return try coerce(operand, to: type) }
        return TypeRules.converted(operand.expression, to: type, place: place)
    }

    /// `ARRAY[…]::type[]` casts each element, so that `ARRAY[]::text[]` has a type.
    private func arrayCast(
        _ parts: [ExpressionSyntax], _ type: LogicalType, _ place: SourcePlace
    ) throws(Failure) -> Expression {
        guard case .array(let element) = type else { bug("\(type) is no array") }
        var values: [Expression] = []
        for part in parts {
            if case .array(let inner) = part.kind {
                values.append(try arrayCast(inner, element, part.place))
            } else {
                values.append(try explicitly(try operand(part), element, part.place))
            }
        }
        return .makeArray(values, element: element)
    }

    // MARK: Functions

    func function(_ call: FunctionCall, _ place: SourcePlace) throws(Failure) -> Operand {
        let name = call.name.text
        if let over = call.over { throw notYet("OVER (a window function)", over) }
        if Self.aggregate(named: call) != nil {
            guard let hooks else {
                throw Failure(
                    .invalid, "sql.aggregate_misplaced",
                    "aggregate functions are not allowed in \(context.clause)", place: place)
            }
            return Operand(try hooks.aggregate(call, place), place)
        }
        try refuseByName(call, place)
        if let constant = try commandConstant(name, call, place) {
            return constant
        }
        var arguments: [Operand] = []
        for argument in call.arguments { arguments.append(try operand(argument.value)) }
        if let inline = catalog.functions[name] {
            return Operand(try inlined(inline, arguments, call, place), place)
        }
        if arguments.count == 1, FunctionTable.overloads(of: name).isEmpty,
            let type = Catalog.builtinType(name)
        {
            return Operand(try explicitly(arguments[0], type, place), place)
        }
        return try self.call(name, arguments, shown: name, place)
    }

    private func refuseByName(_ call: FunctionCall, _ place: SourcePlace) throws(Failure) {
        let name = call.name.text
        if Self.windowFunctions.contains(name) {
            throw notYet("the window function \(name)", place)
        }
        if Self.setReturning.contains(name) {
            throw notYet("the set-returning function \(name)", place)
        }
        if let windowed = ["tumble", "hop", "cumulate", "session"].first(where: { $0 == name }) {
            throw Failure(
                .invalid, "sql.window_misplaced", "\(windowed) stands in FROM only",
                hint: "FROM \(windowed)(table, time, …) GROUP BY window_start, window_end",
                place: place)
        }
        guard !call.isStar, !call.isDistinct, call.orderBy.isEmpty, call.filter == nil else {
            throw Failure(
                .invalid, "sql.not_an_aggregate",
                "*, DISTINCT, ORDER BY and FILTER need an aggregate; \(name) is none",
                place: place)
        }
        if let label = call.arguments.lazy.compactMap(\.label).first {
            throw Failure(
                .invalid, "sql.named_argument", "\(name) takes no named arguments",
                place: label.place)
        }
    }

    private static let windowFunctions: Set<String> = [
        "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead",
        "first_value", "last_value", "nth_value",
    ]

    private static let setReturning: Set<String> = [
        "generate_series", "unnest", "regexp_matches", "regexp_split_to_table", "string_to_table",
        "json_array_elements", "json_array_elements_text", "json_each", "json_each_text",
        "json_object_keys", "generate_subscripts",
    ]

    /// `CREATE FUNCTION`: the body over the arguments.
    private func inlined(
        _ overloads: [Catalog.InlineFunction], _ arguments: [Operand], _ call: FunctionCall,
        _ place: SourcePlace
    ) throws(Failure) -> Expression {
        let fitting = overloads.filter { function in
            function.parameters.count == arguments.count
                && zip(function.parameters, arguments).allSatisfy { parameter, argument in
                    argument.isUntyped
                        || TypeRules.cast(from: argument.type, to: parameter.type) == .implicit
                }
        }
        let exact = fitting.filter { function in
            zip(function.parameters, arguments).allSatisfy { $0.type == $1.type }
        }
        guard let chosen = exact.first ?? fitting.first else {
            let shown = arguments.map(\.type.description).joined(separator: ", ")
            throw Failure(
                .invalid, "sql.function_unknown", "no function \(call.name.text)(\(shown)) exists",
                hint: "there is "
                    + overloads.map(\.signature).joined(separator: " and "), place: place)
        }
        var values: [Expression] = []
        for (argument, parameter) in zip(arguments, chosen.parameters) {
            values.append(try coerce(argument, to: parameter.type))
        }
        return chosen.body.rewritten { part in
            if case .column(let position, _) = part { return values[position] }
            return part
        }
    }

    // MARK: Aggregates by name

    /// The aggregate that a call names (`stddev` and other aliases included), or nil. Calls with
    /// OVER count as well: the caller refuses them.
    package static func aggregate(named call: FunctionCall) -> AggregateFunction? {
        let name = call.name.text
        if name == "count" { return call.isStar ? .countStar : .count }
        if let alias = aggregateAliases[name] { return alias }
        return AggregateFunction(rawValue: name)
    }

    private static let aggregateAliases: [String: AggregateFunction] = [
        "stddev": .stddevSample, "variance": .varianceSample, "every": .boolAnd,
        "any_value": .first,
        "approx_distinct": .approximateCountDistinct,
    ]

    /// Whether an expression calls an aggregate anywhere outside subqueries.
    package static func containsAggregate(_ syntax: ExpressionSyntax) -> Bool {
        if case .call(let call) = syntax.kind, aggregate(named: call) != nil { return true }
        return syntax.parts.contains(where: containsAggregate)
    }
}

extension ExpressionSyntax {
    /// The expressions directly under this one; subqueries are none.
    package var parts: [ExpressionSyntax] {
        switch kind {
        case .cast(let part, _), .field(let part, _), .allFields(let part), .not(let part),
            .isNull(let part, _), .isTruth(let part, _, _), .collate(let part, _):
            [part]
        case .element(let base, let lower, let upper, _): [base, lower, upper].compactMap(\.self)
        case .call(let call):
            call.arguments.map(\.value) + call.orderBy.map(\.expression)
                + [call.filter].compactMap(\.self)
        case .infix(_, let left, let right): [left, right].compactMap(\.self)
        case .and(let parts), .or(let parts), .coalesce(let parts), .greatest(let parts),
            .least(let parts), .row(let parts), .array(let parts):
            parts
        case .isDistinct(let left, let right, _), .nullIf(let left, let right),
            .quantified(let left, _, let right, _), .atTimeZone(let left, let right):
            [left, right]
        case .between(let value, let low, let high, _, _): [value, low, high]
        case .inList(let value, let list, _): [value] + list
        case .caseWhen(let operand, let branches, let otherwise):
            [operand].compactMap(\.self) + branches.flatMap { [$0.0, $0.1] }
                + [otherwise].compactMap(\.self)
        default: []
        }
    }
}
