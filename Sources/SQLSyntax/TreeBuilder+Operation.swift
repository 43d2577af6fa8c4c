// Operators and function calls.

import Contracts

extension TreeBuilder {
    func operation(_ node: GrammarNode, at offset: Int) throws(Failure) -> ExpressionKind {
        let symbol = try operatorSymbol(node, at: offset)
        let right = node.child(Field.Operation.right)
        let left = try node.child(Field.Operation.left).map { (node) throws(Failure) in
            try expression(node, at: offset)
        }
        let kind = node.integer(Field.Operation.kind)
        switch kind {
        case GrammarValue.Operation.plain, GrammarValue.Operation.like,
            GrammarValue.Operation.ilike:
            return .infix(symbol, left: left, right: try expression(right, at: offset))
        case GrammarValue.Operation.similar: return .refused("SIMILAR TO")
        default: break
        }
        let operand = left.required("an operator that has a left side")
        switch kind {
        case GrammarValue.Operation.any, GrammarValue.Operation.all:
            return .quantified(
                operand, symbol, try expression(right, at: offset),
                isAll: kind == GrammarValue.Operation.all)
        case GrammarValue.Operation.distinct, GrammarValue.Operation.notDistinct:
            return .isDistinct(
                operand, try expression(right, at: offset),
                isNegated: kind == GrammarValue.Operation.notDistinct)
        case GrammarValue.Operation.nullIf:
            return .nullIf(operand, try expression(right, at: offset))
        case GrammarValue.Operation.inList:
            return .inList(operand, try list(right, at: offset), isNegated: symbol == "<>")
        default:
            let bounds = try list(right, at: offset)
            require(bounds.count == 2, "BETWEEN has \(bounds.count) bounds")
            return .between(
                operand, bounds[0], bounds[1],
                isNegated: kind == GrammarValue.Operation.notBetween
                    || kind == GrammarValue.Operation.notBetweenSymmetric,
                isSymmetric: kind >= GrammarValue.Operation.betweenSymmetric)
        }
    }

    private func operatorSymbol(_ node: GrammarNode, at offset: Int) throws(Failure) -> String {
        let parts = nameParts(node.children(Field.Operation.name))
        guard parts.count == 1, let symbol = parts.first else {
            throw unsupported("an operator's schema", at: offset)
        }
        guard symbol != "==" else {
            throw Failure(
                .invalid, "sql.syntax", "there is no operator ==", hint: "equality is =",
                place: place(offset))
        }
        return symbol
    }

    private func list(
        _ node: GrammarNode?, at offset: Int
    ) throws(Failure) -> [ExpressionSyntax] {
        let items = node?.unwrapped(NodeKind.list)?.children(Field.List.items) ?? []
        return try expressions(items, at: offset)
    }

    func call(_ node: GrammarNode, at offset: Int) throws(Failure) -> ExpressionKind {
        let call = try functionCall(node)
        // `x AT TIME ZONE z` comes as the call `timezone(z, x)`.
        if call.name.text == "timezone", call.arguments.count == 2,
            node.integer(Field.Call.format) == GrammarValue.CallFormat.sqlSyntax
        {
            return .atTimeZone(call.arguments[1].value, zone: call.arguments[0].value)
        }
        return .call(call)
    }

    func functionCall(_ node: GrammarNode) throws(Failure) -> FunctionCall {
        let offset = node.integer(Field.Call.location)
        let parts = nameParts(node.children(Field.Call.name))
        guard parts.count == 1, let text = parts.first else {
            throw unsupported(
                "a function's schema", at: offset,
                hint: "a topology has no schemas: write the name alone")
        }
        if node.flag(Field.Call.isVariadic) { throw unsupported("VARIADIC", at: offset) }
        if node.flag(Field.Call.isWithinGroup) { throw unsupported("WITHIN GROUP", at: offset) }
        var arguments: [FunctionCall.Argument] = []
        for item in node.children(Field.Call.arguments) {
            arguments.append(try argument(item, at: offset))
        }
        let over = node.child(Field.Call.over)?.integer(Field.WindowDefinition.location)
        let filter = node.child(Field.Call.filter)
        return FunctionCall(
            name: name(text, at: offset), arguments: arguments,
            isStar: node.flag(Field.Call.isStar), isDistinct: node.flag(Field.Call.isDistinct),
            orderBy: try sortKeys(node.children(Field.Call.orderBy)),
            filter: try filter.map { (node) throws(Failure) in try expression(node, at: offset) },
            over: over.map { place($0 >= 0 ? $0 : offset) })
    }

    private func argument(
        _ node: GrammarNode, at offset: Int
    ) throws(Failure) -> FunctionCall.Argument {
        guard let named = node.unwrapped(NodeKind.namedArgument) else {
            return FunctionCall.Argument(label: nil, value: try expression(node, at: offset))
        }
        let place = named.integer(Field.NamedArgument.location)
        return FunctionCall.Argument(
            label: name(named.string(Field.NamedArgument.name), at: place),
            value: try expression(named.child(Field.NamedArgument.value), at: place))
    }
}
