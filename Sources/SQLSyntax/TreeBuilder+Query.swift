// SELECT, VALUES, set operations, WITH.

import Contracts

extension TreeBuilder {
    /// `node` is a wrapper with a SELECT in it.
    func query(wrapped node: GrammarNode?, at fallback: Int) throws(Failure) -> Query {
        guard let select = node?.unwrapped(NodeKind.select) else {
            throw unsupported("a statement in the place of a query", at: fallback)
        }
        return try query(select, at: fallback)
    }

    func query(_ node: GrammarNode, at fallback: Int) throws(Failure) -> Query {
        try nested(at: fallback) { () throws(Failure) -> Query in
            let start = offset(ofQuery: node) ?? fallback
            if node.integer(Field.Select.limitOption) == GrammarValue.LimitOption.withTies {
                throw unsupported("WITH TIES", at: start)
            }
            if node.child(Field.Select.into) != nil {
                throw unsupported(
                    "SELECT INTO", at: start,
                    hint: "write CREATE MATERIALIZED VIEW … USING … AS SELECT …")
            }
            return Query(
                commonTables: try commonTables(node.child(Field.Select.with)),
                body: try body(node, at: start),
                orderBy: try sortKeys(node.children(Field.Select.orderBy)),
                limit: try limit(node.child(Field.Select.limit), at: start),
                offset: try limit(node.child(Field.Select.offset), at: start),
                place: place(start))
        }
    }

    /// nil for LIMIT ALL too.
    private func limit(_ node: GrammarNode?, at start: Int) throws(Failure) -> ExpressionSyntax? {
        guard let node, node.wrapped != nil else { return nil }
        let value = try expression(node, at: start)
        if case .null = value.kind { return nil }
        return value
    }

    private func body(_ node: GrammarNode, at start: Int) throws(Failure) -> QueryBody {
        let operation = node.integer(Field.Select.operation)
        if operation > GrammarValue.SetOperation.none {
            return try setOperation(node, operation, at: start)
        }
        let rows = node.children(Field.Select.values)
        guard rows.isEmpty else {
            var values: [[ExpressionSyntax]] = []
            for row in rows {
                let items = row.unwrapped(NodeKind.list)?.children(Field.List.items) ?? []
                values.append(try expressions(items, at: start))
            }
            return .values(values)
        }
        return .select(try select(node, at: start))
    }

    private func setOperation(
        _ node: GrammarNode, _ operation: Int, at start: Int
    ) throws(Failure) -> QueryBody {
        guard let left = node.child(Field.Select.left), let right = node.child(Field.Select.right)
        else { bug("a set operation without two sides") }
        let kind: SetOperation =
            switch operation {
            case GrammarValue.SetOperation.union: .union
            case GrammarValue.SetOperation.intersect: .intersect
            default: .except
            }
        let second = try query(right, at: start)
        let index = tokens.index(at: second.place.offset - origin.base)
        let word = tokens.lastIndex(of: [kind.rawValue], before: index)
        return .setOperation(
            kind, isAll: node.flag(Field.Select.isAll), try query(left, at: start), second,
            place: place(word.flatMap(tokens.offset) ?? start))
    }

    private func select(_ node: GrammarNode, at start: Int) throws(Failure) -> Select {
        var items: [SelectItem] = []
        for target in node.children(Field.Select.targets) {
            guard let body = target.unwrapped(NodeKind.resultTarget) else { continue }
            let offset = body.integer(Field.Target.location)
            items.append(
                SelectItem(
                    expression: try expression(body.child(Field.Target.value), at: offset),
                    alias: body.text(Field.Target.name).map { name($0, from: offset) }))
        }
        var from: [FromItem] = []
        for item in node.children(Field.Select.from) {
            from.append(try fromItem(item, at: start))
        }
        var refused = refusedClauses(node, at: start)
        let condition = node.child(Field.Select.whereCondition)
        let having = node.child(Field.Select.having)
        return Select(
            distinct: try distinct(node, at: start), items: items, from: from,
            whereCondition: try condition.map { (node) throws(Failure) in
                try expression(node, at: start)
            },
            groupBy: try groupBy(node, at: start, &refused),
            having: try having.map { (node) throws(Failure) in try expression(node, at: start) },
            refused: refused)
    }

    private func refusedClauses(
        _ node: GrammarNode, at start: Int
    ) -> [(construct: String, place: SourcePlace)] {
        var refused: [(construct: String, place: SourcePlace)] = []
        if let window = node.children(Field.Select.windows).first?
            .unwrapped(NodeKind.windowDefinition)
        {
            let offset = window.integer(Field.WindowDefinition.location)
            refused.append(("a WINDOW clause", place(offset)))
        }
        if !node.children(Field.Select.locking).isEmpty {
            refused.append(("FOR UPDATE or FOR SHARE", place(start)))
        }
        if node.flag(Field.Select.groupDistinct) {
            refused.append(("GROUP BY DISTINCT", place(start)))
        }
        return refused
    }

    private func distinct(_ node: GrammarNode, at start: Int) throws(Failure) -> Distinct {
        let items = node.children(Field.Select.distinct)
        if items.isEmpty { return .none }
        // A plain DISTINCT is a list with one null in it.
        if items.count == 1, items[0].wrapped == nil { return .all }
        return .on(try expressions(items, at: start))
    }

    private func groupBy(
        _ node: GrammarNode, at start: Int,
        _ refused: inout [(construct: String, place: SourcePlace)]
    ) throws(Failure) -> [ExpressionSyntax] {
        var keys: [ExpressionSyntax] = []
        for item in node.children(Field.Select.groupBy) {
            if let set = item.unwrapped(NodeKind.groupingSet) {
                let offset = set.integer(Field.GroupingSet.location)
                refused.append(("GROUPING SETS, ROLLUP or CUBE", place(offset)))
                continue
            }
            let key = try expression(item, at: start)
            if case .call(let call) = key.kind, windowFunctions.contains(call.name.text) {
                throw Failure(
                    .invalid, "sql.window_in_group_by",
                    "\(call.name.text) is a function in FROM, not in GROUP BY",
                    hint: windowHint, place: key.place)
            }
            keys.append(key)
        }
        return keys
    }

    func sortKeys(_ nodes: [GrammarNode]) throws(Failure) -> [SortKey] {
        var keys: [SortKey] = []
        for node in nodes {
            guard let sort = node.unwrapped(NodeKind.sortBy) else { continue }
            let direction = sort.integer(Field.Sort.direction)
            let offset = max(0, sort.integer(Field.Sort.location))
            guard direction != GrammarValue.SortDirection.using else {
                throw unsupported("ORDER BY … USING", at: offset, hint: "write ASC or DESC")
            }
            let nullsFirst: Bool? =
                switch sort.integer(Field.Sort.nulls) {
                case GrammarValue.SortNulls.first: true
                case GrammarValue.SortNulls.last: false
                default: nil
                }
            keys.append(
                SortKey(
                    expression: try expression(sort.child(Field.Sort.node), at: offset),
                    isDescending: direction == GrammarValue.SortDirection.descending,
                    nullsFirst: nullsFirst))
        }
        return keys
    }

    func commonTables(_ node: GrammarNode?) throws(Failure) -> [CommonTable] {
        guard let node else { return [] }
        let isRecursive = node.flag(Field.With.isRecursive)
        var tables: [CommonTable] = []
        for item in node.children(Field.With.tables) {
            guard let table = item.unwrapped(NodeKind.commonTable) else { continue }
            let offset = table.integer(Field.CommonTable.location)
            for clause in [Field.CommonTable.search, Field.CommonTable.cycle] {
                if table.child(clause) != nil {
                    throw unsupported("SEARCH or CYCLE of a common table", at: offset)
                }
            }
            let name = self.name(table.string(Field.CommonTable.name), at: offset)
            tables.append(
                CommonTable(
                    name: name,
                    columnNames: columnNames(
                        table.children(Field.CommonTable.columns), after: name),
                    query: try query(wrapped: table.child(Field.CommonTable.query), at: offset),
                    isRecursive: isRecursive))
        }
        return tables
    }

    /// The offset of a query's first word, which the tree doesn't keep: found from its parts.
    private func offset(ofQuery node: GrammarNode) -> Int? {
        if let with = node.child(Field.Select.with) { return with.integer(Field.With.location) }
        if let left = node.child(Field.Select.left) { return offset(ofQuery: left) }
        if let row = node.children(Field.Select.values).first?.unwrapped(NodeKind.list),
            let value = row.children(Field.List.items).first, let offset = offset(of: value)
        {
            return tokens.lastIndex(of: ["values"], before: tokens.index(at: offset))
                .flatMap(tokens.offset)
        }
        guard
            let target = node.children(Field.Select.targets).first?
                .unwrapped(NodeKind.resultTarget)
        else { return nil }
        let index = tokens.index(at: target.integer(Field.Target.location))
        return tokens.lastIndex(of: ["select"], before: index).flatMap(tokens.offset)
    }
}

let windowFunctions: Set<String> = ["tumble", "hop", "session", "cumulate"]
let windowHint =
    "a window is a function in FROM: SELECT window_start, count(*) "
    + "FROM tumble(bids, ts, INTERVAL '10 seconds') GROUP BY window_start"
