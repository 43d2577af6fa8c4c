// Statements.

import Contracts

extension TreeBuilder {
    /// Every statement of libpg_query's ParseResult.
    func statements(_ tree: GrammarNode) throws(Failure) -> [Statement] {
        var statements: [Statement] = []
        for node in tree.children(Field.Parse.statements) {
            let from = node.integer(Field.Statement.location)
            let length = node.integer(Field.Statement.length)
            let end = length == 0 ? bytes.count : from + length
            let start = tokens.offset(tokens.index(at: from)) ?? from
            let kind = try statement(node.child(Field.Statement.node), at: start)
            let last = tokens.index(at: end) - 1
            let upper = last >= 0 ? tokens.tokens[last].range.upperBound : end
            statements.append(
                Statement(
                    kind: kind, place: place(start), range: start..<max(start, min(upper, end))))
        }
        return statements
    }

    private func statement(_ node: GrammarNode?, at start: Int) throws(Failure) -> StatementKind {
        guard let (kind, body) = node?.wrapped else { throw refusedStatement(at: start) }
        switch kind {
        case NodeKind.variableSet: return .set(try setStatement(body, at: start))
        case NodeKind.createTable: return .createTable(try createTable(body, at: start))
        case NodeKind.view: return .createView(try createView(body, at: start))
        case NodeKind.createTableAs:
            return .createMaterializedView(try createMaterializedView(body, at: start))
        case NodeKind.compositeType: return .createType(try createType(body))
        case NodeKind.createFunction: return .createFunction(try createFunction(body, at: start))
        case NodeKind.insert: return .insert(try insert(body, at: start))
        case NodeKind.select: return .select(try query(body, at: start))
        case NodeKind.checkpoint: return .checkpoint
        default: throw refusedStatement(at: start)
        }
    }

    private func refusedStatement(at start: Int) -> Failure {
        let index = tokens.index(at: start)
        var words = tokens.text(index).uppercased()
        if ["CREATE", "ALTER", "DROP"].contains(words) {
            words += " " + tokens.text(index + 1).uppercased()
        }
        return unsupported(
            words, at: start,
            hint: "a topology has SET, CREATE TABLE, CREATE VIEW, CREATE MATERIALIZED VIEW, "
                + "CREATE TYPE, CREATE FUNCTION, INSERT INTO … SELECT, and SELECT in a query")
    }

    /// `SET name = value`; the tree keeps no places but the value's.
    private func setStatement(
        _ node: GrammarNode, at start: Int
    ) throws(Failure) -> SetStatement {
        let written = node.string(Field.VariableSet.name)
        let arguments = node.children(Field.VariableSet.arguments)
        guard node.integer(Field.VariableSet.kind) == GrammarValue.VariableSet.value,
            !node.flag(Field.VariableSet.isLocal)
        else { throw unsupported("this form of SET", at: start, hint: "write SET name = 'value'") }
        guard arguments.count == 1, let argument = arguments.first else {
            throw unsupported(
                "a list of values in SET", at: start, hint: "put the list into one string")
        }
        var constant = argument
        if let cast = argument.unwrapped(NodeKind.typeCast) {
            constant = cast.child(Field.Cast.argument) ?? argument
        }
        guard let (value, offset) = constantText(constant) else {
            throw unsupported(
                "this value of SET", at: start, hint: "write a string, a number or a word")
        }
        let name = self.name(
            written == "timezone" ? "time_zone" : written,
            at: tokens.offset(tokens.index(at: start) + 1) ?? start)
        return SetStatement(
            option: OptionSyntax(name: name, value: value, valuePlace: place(offset)))
    }

    /// The text of a constant and its offset.
    private func constantText(_ node: GrammarNode) -> (text: String, offset: Int)? {
        guard let constant = node.unwrapped(NodeKind.constant) else { return nil }
        let offset = constant.integer(Field.Constant.location)
        if let value = constant.child(Field.Constant.string) {
            return (value.string(Field.Value.value), offset)
        }
        if let value = constant.child(Field.Constant.integer) {
            return (String(value.integer(Field.Value.value)), offset)
        }
        if let value = constant.child(Field.Constant.float) {
            return (value.string(Field.Value.value), offset)
        }
        return nil
    }

    private func createView(_ node: GrammarNode, at start: Int) throws(Failure) -> CreateView {
        let relation = try relationName(node.child(Field.View.relation), at: start)
        guard node.children(Field.View.options).isEmpty else {
            throw unsupported(
                "WITH on a plain view", at: relation.place.offset - origin.base,
                hint: "options belong to CREATE MATERIALIZED VIEW … USING … WITH (…)")
        }
        guard node.integer(Field.View.checkOption) <= GrammarValue.ViewCheck.none else {
            throw unsupported("WITH CHECK OPTION", at: start)
        }
        let columns = columnNames(node.children(Field.View.columns), after: relation)
        return CreateView(
            name: relation, columnNames: columns,
            query: try query(wrapped: node.child(Field.View.query), at: start))
    }

    private func createMaterializedView(
        _ node: GrammarNode, at start: Int
    ) throws(Failure) -> CreateMaterializedView {
        let isView =
            node.integer(Field.CreateTableAs.objectType)
            == GrammarValue.ObjectType.materializedView
        guard isView, let into = node.child(Field.CreateTableAs.into) else {
            throw unsupported(
                "CREATE TABLE … AS", at: start,
                hint: "write CREATE MATERIALIZED VIEW name USING … WITH (…) AS SELECT …")
        }
        let relation = try relationName(into.child(Field.Into.relation), at: start)
        guard !into.flag(Field.Into.skipsData) else { throw unsupported("WITH NO DATA", at: start) }
        guard into.text(Field.Into.tablespace) == nil else {
            throw unsupported("TABLESPACE", at: start)
        }
        return CreateMaterializedView(
            name: relation,
            columnNames: columnNames(into.children(Field.Into.columns), after: relation),
            connector: connector(into.text(Field.Into.accessMethod), after: relation),
            options: try options(into.children(Field.Into.options)),
            query: try query(wrapped: node.child(Field.CreateTableAs.query), at: start))
    }

    private func createType(_ node: GrammarNode) throws(Failure) -> CreateType {
        let name = try relationName(node.child(Field.CompositeType.relation), at: 0)
        var fields: [(name: Name, type: TypeName)] = []
        for item in node.children(Field.CompositeType.columns) {
            guard let column = item.unwrapped(NodeKind.columnDefinition) else { continue }
            let offset = column.integer(Field.Column.location)
            if column.child(Field.Column.collation) != nil {
                throw unsupported("COLLATE in a type", at: offset)
            }
            fields.append(
                (
                    self.name(column.string(Field.Column.name), at: offset),
                    try typeName(column.child(Field.Column.type), at: offset)
                ))
        }
        return CreateType(name: name, fields: fields)
    }

    private func insert(_ node: GrammarNode, at start: Int) throws(Failure) -> Insert {
        let table = try relationName(node.child(Field.Insert.relation), at: start)
        let offset = table.place.offset - origin.base
        if node.child(Field.Insert.onConflict) != nil {
            throw unsupported(
                "ON CONFLICT", at: offset,
                hint: "declare a PRIMARY KEY on the table: rows are then upserted by it")
        }
        if !node.children(Field.Insert.returning).isEmpty {
            throw unsupported("RETURNING", at: offset)
        }
        if node.integer(Field.Insert.override) > GrammarValue.Override.none {
            throw unsupported("OVERRIDING", at: offset)
        }
        guard let source = node.child(Field.Insert.query) else {
            throw unsupported("DEFAULT VALUES", at: offset)
        }
        var columns: [Name] = []
        for item in node.children(Field.Insert.columns) {
            guard let target = item.unwrapped(NodeKind.resultTarget) else { continue }
            let place = target.integer(Field.Target.location)
            guard target.children(Field.Target.indirection).isEmpty else {
                throw unsupported("a part of a column as INSERT's target", at: place)
            }
            columns.append(name(target.string(Field.Target.name), at: place))
        }
        let outer = try commonTables(node.child(Field.Insert.with))
        let inner = try query(wrapped: source, at: offset)
        let whole = Query(
            commonTables: outer + inner.commonTables, body: inner.body, orderBy: inner.orderBy,
            limit: inner.limit, offset: inner.offset, place: inner.place)
        return Insert(table: table, columns: columns, query: whole)
    }
}
