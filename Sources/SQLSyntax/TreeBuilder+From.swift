// What stands in FROM.

import Contracts

extension TreeBuilder {
    func fromItem(_ node: GrammarNode, at fallback: Int) throws(Failure) -> FromItem {
        try nested(at: fallback) { () throws(Failure) -> FromItem in
            guard let (kind, body) = node.wrapped else { bug("an empty item in FROM") }
            switch kind {
            case NodeKind.rangeVariable: return try tableItem(body, at: fallback)
            case NodeKind.rangeSubselect: return try subqueryItem(body, at: fallback)
            case NodeKind.rangeFunction: return try functionItem(body, at: fallback)
            case NodeKind.join: return .join(try join(body, at: fallback))
            case NodeKind.rangeTableSample: throw unsupported("TABLESAMPLE", at: fallback)
            case NodeKind.rangeTableFunction: throw unsupported("XMLTABLE", at: fallback)
            default: throw unsupported("this item of FROM", at: fallback)
            }
        }
    }

    private func tableItem(_ node: GrammarNode, at fallback: Int) throws(Failure) -> FromItem {
        let table = try relationName(node, at: fallback)
        let after = tokens.index(at: node.integer(Field.Relation.location)) + 1
        guard node.flag(Field.Relation.inherits) else {
            throw unsupported("ONLY", at: node.integer(Field.Relation.location))
        }
        return .table(table, alias: alias(node.child(Field.Relation.alias), from: after))
    }

    /// `index`: the token behind what is named.
    private func alias(_ node: GrammarNode?, from index: Int) -> Alias? {
        guard let node else { return nil }
        let text = node.string(Field.Alias.name)
        let start = tokens.word(index) == "as" ? index + 1 : index
        let name = self.name(text, at: tokens.offset(start) ?? 0)
        return Alias(
            name: name, columnNames: columnNames(node.children(Field.Alias.columns), after: name))
    }

    private func subqueryItem(_ node: GrammarNode, at fallback: Int) throws(Failure) -> FromItem {
        let query = try query(wrapped: node.child(Field.Subselect.query), at: fallback)
        let start = tokens.index(at: query.place.offset - origin.base)
        let open = tokens.lastIndex(of: ["("], before: start) ?? start
        return .subquery(
            query,
            alias: alias(
                node.child(Field.Subselect.alias), from: tokens.indexAfterClosing(open)),
            isLateral: node.flag(Field.Subselect.isLateral), place: query.place)
    }

    private func functionItem(_ node: GrammarNode, at fallback: Int) throws(Failure) -> FromItem {
        let functions = node.children(Field.RangeFunction.functions)
        guard !node.flag(Field.RangeFunction.isRowsFrom), functions.count == 1,
            let pair = functions[0].unwrapped(NodeKind.list),
            let first = pair.children(Field.List.items).first
        else { throw unsupported("ROWS FROM", at: fallback) }
        guard let body = first.unwrapped(NodeKind.functionCall) else {
            throw unsupported("this function in FROM", at: fallback)
        }
        let offset = body.integer(Field.Call.location)
        guard !node.flag(Field.RangeFunction.hasOrdinality) else {
            throw unsupported("WITH ORDINALITY", at: offset)
        }
        guard node.children(Field.RangeFunction.columns).isEmpty else {
            throw unsupported("a column definition list in FROM", at: offset)
        }
        let call = try functionCall(body)
        var open = tokens.index(at: offset)
        while open < tokens.count, tokens.text(open) != "(" { open += 1 }
        return .function(
            call,
            alias: alias(
                node.child(Field.RangeFunction.alias), from: tokens.indexAfterClosing(open)))
    }

    private func join(_ node: GrammarNode, at fallback: Int) throws(Failure) -> Join {
        guard let leftNode = node.child(Field.Join.left),
            let rightNode = node.child(Field.Join.right)
        else { bug("a join without two sides") }
        let left = try fromItem(leftNode, at: fallback)
        let right = try fromItem(rightNode, at: fallback)
        let word = tokens.lastIndex(of: ["join"], before: tokens.index(at: start(of: right)))
        let offset = word.flatMap(tokens.offset) ?? fallback
        guard node.child(Field.Join.alias) == nil, node.child(Field.Join.usingAlias) == nil else {
            throw unsupported("an alias of a join", at: offset, hint: "name its two sides")
        }
        let using = nameParts(node.children(Field.Join.using))
        let condition = node.child(Field.Join.condition)
        let isNatural = node.flag(Field.Join.isNatural)
        let isCross = condition == nil && using.isEmpty && !isNatural
        var kind =
            switch node.integer(Field.Join.kind) {
            case GrammarValue.Join.left: "LEFT JOIN"
            case GrammarValue.Join.full: "FULL JOIN"
            case GrammarValue.Join.right: "RIGHT JOIN"
            default: isCross ? "CROSS JOIN" : "INNER JOIN"
            }
        if isNatural { kind = "NATURAL " + kind }
        return Join(
            kind: kind, left: left, right: right,
            condition: try condition.map { (node) throws(Failure) in
                try expression(node, at: offset)
            },
            usingColumns: using.map { firstName($0, from: start(of: right)) },
            place: place(offset))
    }

    private func start(of item: FromItem) -> Int {
        let place =
            switch item {
            case .table(let name, _): name.place
            case .subquery(_, _, _, let place): place
            case .function(let call, _): call.name.place
            case .join(let join): join.place
            }
        return place.offset - origin.base
    }
}
