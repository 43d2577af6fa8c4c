// Expressions: one case of the grammar's node kinds each.

import Contracts

extension TreeBuilder {
    func expressions(
        _ nodes: [GrammarNode], at fallback: Int
    ) throws(Failure) -> [ExpressionSyntax] {
        var expressions: [ExpressionSyntax] = []
        expressions.reserveCapacity(nodes.count)
        for node in nodes { expressions.append(try expression(node, at: fallback)) }
        return expressions
    }

    func expression(_ node: GrammarNode?, at fallback: Int) throws(Failure) -> ExpressionSyntax {
        guard let node, let (kind, body) = node.wrapped else {
            bug("an expression that the grammar demands is not there")
        }
        let offset = offset(of: node) ?? fallback
        return try nested(at: offset) { () throws(Failure) -> ExpressionSyntax in
            ExpressionSyntax(
                try expressionKind(kind, body, at: offset), place: place(offset))
        }
    }

    private func expressionKind(
        _ kind: Int, _ node: GrammarNode, at offset: Int
    ) throws(Failure) -> ExpressionKind {
        switch kind {
        case NodeKind.constant: try constant(node)
        case NodeKind.columnReference: try column(node, at: offset)
        case NodeKind.parameter: try parameter(node, at: offset)
        case NodeKind.typeCast: try cast(node, at: offset)
        case NodeKind.operation: try operation(node, at: offset)
        case NodeKind.boolean: try boolean(node, at: offset)
        case NodeKind.functionCall: try call(node, at: offset)
        case NodeKind.caseExpression: try caseWhen(node, at: offset)
        case NodeKind.indirection: try indirection(node, at: offset)
        case NodeKind.nullTest, NodeKind.booleanTest: try test(kind, node, at: offset)
        case NodeKind.coalesce:
            .coalesce(try expressions(node.children(Field.Coalesce.arguments), at: offset))
        case NodeKind.minMax: try minMax(node, at: offset)
        case NodeKind.row:
            .row(try expressions(node.children(Field.Row.arguments), at: offset))
        case NodeKind.array:
            .array(try expressions(node.children(Field.Array.elements), at: offset))
        case NodeKind.valueFunction: try valueFunction(node, at: offset)
        case NodeKind.subLink: try subLink(node, at: offset)
        case NodeKind.collate: try collate(node, at: offset)
        default: .refused(refusedExpressions[kind] ?? "this expression")
        }
    }

    private func constant(_ node: GrammarNode) throws(Failure) -> ExpressionKind {
        if node.flag(Field.Constant.isNull) { return .null }
        if let value = node.child(Field.Constant.integer) {
            return .integer(Int64(value.integer(Field.Value.value)))
        }
        if let value = node.child(Field.Constant.float) {
            let text = value.string(Field.Value.value)
            return Int64(text).map { .integer($0) } ?? .decimal(text)
        }
        if let value = node.child(Field.Constant.boolean) {
            return .boolean(value.flag(Field.Value.value))
        }
        if let value = node.child(Field.Constant.string) {
            return .string(value.string(Field.Value.value))
        }
        return .refused("a bit string")
    }

    private func column(_ node: GrammarNode, at offset: Int) throws(Failure) -> ExpressionKind {
        let fields = node.children(Field.ColumnReference.fields)
        let first = tokens.index(at: offset)
        var names: [Name] = []
        for (number, field) in fields.enumerated() {
            let start = tokens.offset(first + 2 * number) ?? offset
            if field.unwrapped(NodeKind.star) != nil {
                guard names.count < 2 else {
                    throw unsupported("a schema before .*", at: offset, hint: "write t.*")
                }
                return .star(qualifier: names.first)
            }
            let text = field.unwrapped(NodeKind.string)?.string(Field.Value.value) ?? ""
            names.append(name(text, at: start))
        }
        if names.count == 1 { columnsMet.append(names[0].text) }
        return .column(names)
    }

    private func parameter(
        _ node: GrammarNode, at offset: Int
    ) throws(Failure) -> ExpressionKind {
        let number = node.integer(Field.Parameter.number)
        guard number > 0 else { throw unsupported("the parameter ?", at: offset) }
        return .parameter(number)
    }

    private func cast(_ node: GrammarNode, at offset: Int) throws(Failure) -> ExpressionKind {
        let value = try expression(node.child(Field.Cast.argument), at: offset)
        // TRUE and FALSE come as a constant and a cast without a place around it.
        if case .boolean = value.kind, node.integer(Field.Cast.location) < 0 { return value.kind }
        return .cast(value, try typeName(node.child(Field.Cast.type), at: offset))
    }

    private func boolean(_ node: GrammarNode, at offset: Int) throws(Failure) -> ExpressionKind {
        let arguments = try expressions(node.children(Field.Boolean.arguments), at: offset)
        return switch node.integer(Field.Boolean.kind) {
        case GrammarValue.Boolean.and: .and(arguments)
        case GrammarValue.Boolean.or: .or(arguments)
        default: .not(arguments[0])
        }
    }

    private func test(
        _ kind: Int, _ node: GrammarNode, at offset: Int
    ) throws(Failure) -> ExpressionKind {
        if kind == NodeKind.nullTest {
            let isNegated =
                node.integer(Field.NullTest.kind) == GrammarValue.NullTest.isNotNull
            return .isNull(
                try expression(node.child(Field.NullTest.argument), at: offset),
                isNegated: isNegated)
        }
        // 1 … 6: TRUE, NOT TRUE, FALSE, NOT FALSE, UNKNOWN, NOT UNKNOWN.
        let number = node.integer(Field.BooleanTest.kind) - 1
        return .isTruth(
            try expression(node.child(Field.BooleanTest.argument), at: offset),
            [true, false, nil][number / 2], isNegated: number % 2 == 1)
    }

    private func minMax(_ node: GrammarNode, at offset: Int) throws(Failure) -> ExpressionKind {
        let arguments = try expressions(node.children(Field.MinMax.arguments), at: offset)
        let isGreatest = node.integer(Field.MinMax.kind) == GrammarValue.MinMax.greatest
        return isGreatest ? .greatest(arguments) : .least(arguments)
    }

    private func caseWhen(_ node: GrammarNode, at offset: Int) throws(Failure) -> ExpressionKind {
        var branches: [(ExpressionSyntax, ExpressionSyntax)] = []
        for item in node.children(Field.Case.branches) {
            guard let when = item.unwrapped(NodeKind.caseWhen) else { continue }
            branches.append(
                (
                    try expression(when.child(Field.When.condition), at: offset),
                    try expression(when.child(Field.When.result), at: offset)
                ))
        }
        return .caseWhen(
            operand: try optional(node.child(Field.Case.operand), at: offset),
            branches: branches,
            otherwise: try optional(node.child(Field.Case.otherwise), at: offset))
    }

    private func optional(
        _ node: GrammarNode?, at offset: Int
    ) throws(Failure) -> ExpressionSyntax? {
        guard let node, node.wrapped != nil else { return nil }
        return try expression(node, at: offset)
    }

    /// `(row).field`, `(row).*`, `array[1]`, `array[1:2]`, in any order.
    private func indirection(
        _ node: GrammarNode, at offset: Int
    ) throws(Failure) -> ExpressionKind {
        var value = try expression(node.child(Field.Indirection.argument), at: offset)
        for step in node.children(Field.Indirection.steps) {
            guard let (kind, body) = step.wrapped else { continue }
            let next: ExpressionKind
            switch kind {
            case NodeKind.string:
                let text = body.string(Field.Value.value)
                next = .field(value, firstName(text, from: offset))
            case NodeKind.star: next = .allFields(value)
            default:
                next = .element(
                    value, lower: try optional(body.child(Field.Indices.lower), at: offset),
                    upper: try optional(body.child(Field.Indices.upper), at: offset),
                    isSlice: body.flag(Field.Indices.isSlice))
            }
            value = ExpressionSyntax(next, place: place(offset))
        }
        return value.kind
    }

    private func subLink(_ node: GrammarNode, at offset: Int) throws(Failure) -> ExpressionKind {
        switch node.integer(Field.SubLink.kind) {
        case GrammarValue.SubLink.expression:
            return .subquery(try query(wrapped: node.child(Field.SubLink.query), at: offset))
        case GrammarValue.SubLink.exists: return .refused("EXISTS (SELECT …)")
        case GrammarValue.SubLink.array: return .refused("ARRAY (SELECT …)")
        default:
            let isIn = node.children(Field.SubLink.operators).isEmpty
            return .refused(isIn ? "IN (SELECT …)" : "ANY or ALL (SELECT …)")
        }
    }

    private func collate(_ node: GrammarNode, at offset: Int) throws(Failure) -> ExpressionKind {
        let parts = nameParts(node.children(Field.Collate.name))
        return .collate(
            try expression(node.child(Field.Collate.argument), at: offset),
            firstName(parts.joined(separator: "."), from: offset))
    }

    /// `current_timestamp(3)` is a cast to `timestamptz(3)` around it.
    private func valueFunction(
        _ node: GrammarNode, at offset: Int
    ) throws(Failure) -> ExpressionKind {
        let number = node.integer(Field.ValueFunction.kind)
        let (name, type): (String, String?) =
            switch number {
            case 1: ("current_date", nil)
            case 2, 3: ("current_time", "timetz")
            case 4, 5: ("current_timestamp", "timestamptz")
            case 6, 7: ("localtime", "time")
            case 8, 9: ("localtimestamp", "timestamp")
            default: ("", nil)
            }
        if name.isEmpty {
            return .refused(tokens.text(tokens.index(at: offset)).uppercased())
        }
        let precision = node.integer(Field.ValueFunction.modifier)
        guard let type, [3, 5, 7, 9].contains(number) else { return .currentTime(name) }
        return .cast(
            ExpressionSyntax(.currentTime(name), place: place(offset)),
            TypeName(
                name: type, modifiers: [precision], arrayDimensions: 0, place: place(offset)))
    }

    /// Where an expression stands: an operator's own place, a call's name. nil where nothing says
    /// it.
    func offset(of node: GrammarNode) -> Int? {
        guard let (kind, body) = node.wrapped else { return nil }
        if kind == NodeKind.indirection {
            return body.child(Field.Indirection.argument).flatMap(offset(of:))
        }
        guard let field = locationFields[kind] else { return nil }
        let own = body.integer(field)
        if own >= 0 { return own }
        // `INTERVAL '…'`: the cast has no place of its own, its type has.
        guard kind == NodeKind.typeCast else { return nil }
        let type = body.child(Field.Cast.type)?.integer(Field.TypeName.location) ?? -1
        if type >= 0 { return type }
        return body.child(Field.Cast.argument).flatMap(offset(of:))
    }
}

private let locationFields: [Int: Int] = [
    NodeKind.constant: Field.Constant.location,
    NodeKind.columnReference: Field.ColumnReference.location,
    NodeKind.parameter: Field.Parameter.location,
    NodeKind.typeCast: Field.Cast.location,
    NodeKind.operation: Field.Operation.location,
    NodeKind.boolean: Field.Boolean.location,
    NodeKind.functionCall: Field.Call.location,
    NodeKind.caseExpression: Field.Case.location,
    NodeKind.nullTest: Field.NullTest.location,
    NodeKind.booleanTest: Field.BooleanTest.location,
    NodeKind.coalesce: Field.Coalesce.location,
    NodeKind.minMax: Field.MinMax.location,
    NodeKind.row: Field.Row.location,
    NodeKind.array: Field.Array.location,
    NodeKind.valueFunction: Field.ValueFunction.location,
    NodeKind.subLink: Field.SubLink.location,
    NodeKind.collate: Field.Collate.location,
    NodeKind.groupingFunction: Field.Grouping.location,
    NodeKind.setToDefault: Field.SetToDefault.location,
    NodeKind.namedArgument: Field.NamedArgument.location,
]

private let refusedExpressions: [Int: String] = [
    NodeKind.groupingFunction: "GROUPING", NodeKind.xml: "XML",
    NodeKind.setToDefault: "DEFAULT", NodeKind.groupingSet: "GROUPING SETS",
    NodeKind.namedArgument: "a named argument",
]
