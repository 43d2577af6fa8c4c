// CREATE TABLE, and the parts that other statements share with it: names of relations, connectors,
// options, types.

import Contracts

extension TreeBuilder {
    func createTable(_ node: GrammarNode, at start: Int) throws(Failure) -> CreateTable {
        let name = try relationName(node.child(Field.CreateTable.relation), at: start)
        try refuseTableClauses(node, at: start)
        var columns: [ColumnDefinition] = []
        var constraints: [TableConstraint] = []
        var checkNames = CheckNames(table: name.text)
        for element in node.children(Field.CreateTable.elements) {
            guard let (kind, body) = element.wrapped else { continue }
            switch kind {
            case NodeKind.columnDefinition:
                columns.append(try columnDefinition(body, &checkNames))
            case NodeKind.constraint:
                constraints.append(try tableConstraint(body, &checkNames))
            default:
                throw unsupported(
                    "LIKE in CREATE TABLE", at: start, hint: "write the columns out")
            }
        }
        return CreateTable(
            name: name, columns: columns, constraints: constraints,
            connector: connector(node.text(Field.CreateTable.accessMethod), after: name),
            options: try options(node.children(Field.CreateTable.options)))
    }

    private func refuseTableClauses(_ node: GrammarNode, at start: Int) throws(Failure) {
        if !node.children(Field.CreateTable.inherits).isEmpty {
            throw unsupported("INHERITS and PARTITION OF", at: start)
        }
        if node.child(Field.CreateTable.partition) != nil {
            throw unsupported(
                "PARTITION BY on a table", at: start,
                hint: "write the option: WITH (partition_by = 'day')")
        }
        if node.child(Field.CreateTable.ofType) != nil {
            throw unsupported("CREATE TABLE … OF", at: start, hint: "write the columns out")
        }
        if node.integer(Field.CreateTable.onCommit) > GrammarValue.OnCommit.none {
            throw unsupported("ON COMMIT", at: start)
        }
        if node.text(Field.CreateTable.tablespace) != nil {
            throw unsupported("TABLESPACE", at: start)
        }
    }

    private func columnDefinition(
        _ node: GrammarNode, _ checkNames: inout CheckNames
    ) throws(Failure) -> ColumnDefinition {
        let offset = node.integer(Field.Column.location)
        let name = self.name(node.string(Field.Column.name), at: offset)
        if node.child(Field.Column.collation) != nil {
            throw unsupported("COLLATE on a column", at: offset, hint: "text compares by bytes")
        }
        if node.text(Field.Column.compression) != nil {
            throw unsupported("COMPRESSION on a column", at: offset)
        }
        var isNotNull = false, isPrimaryKey = false
        var checks: [Check] = []
        var generated: ExpressionSyntax?, defaultValue: ExpressionSyntax?
        for item in node.children(Field.Column.constraints) {
            guard let constraint = item.unwrapped(NodeKind.constraint) else { continue }
            let place = constraint.integer(Field.Constraint.location)
            let value = constraint.child(Field.Constraint.expression)
            switch constraint.integer(Field.Constraint.kind) {
            case GrammarValue.Constraint.null: break
            case GrammarValue.Constraint.notNull: isNotNull = true
            case GrammarValue.Constraint.standard: defaultValue = try expression(value, at: place)
            case GrammarValue.Constraint.generated: generated = try expression(value, at: place)
            case GrammarValue.Constraint.primaryKey: isPrimaryKey = true
            case GrammarValue.Constraint.check:
                checks.append(try check(constraint, column: name.text, &checkNames))
            default: throw refusedConstraint(constraint)
            }
        }
        return ColumnDefinition(
            name: name, type: try typeName(node.child(Field.Column.type), at: offset),
            isNotNull: isNotNull, isPrimaryKey: isPrimaryKey, checks: checks,
            generated: generated, defaultValue: defaultValue)
    }

    private func tableConstraint(
        _ node: GrammarNode, _ checkNames: inout CheckNames
    ) throws(Failure) -> TableConstraint {
        let place = node.integer(Field.Constraint.location)
        switch node.integer(Field.Constraint.kind) {
        case GrammarValue.Constraint.primaryKey:
            guard node.children(Field.Constraint.including).isEmpty,
                node.text(Field.Constraint.indexName) == nil
            else { throw unsupported("this form of PRIMARY KEY", at: place) }
            return .primaryKey(
                nameParts(node.children(Field.Constraint.keys)).map {
                    firstName($0, from: bracket(after: place))
                })
        case GrammarValue.Constraint.check:
            return .check(try check(node, column: nil, &checkNames))
        default: throw refusedConstraint(node)
        }
    }

    /// The offset of the first opening bracket from `offset` on.
    private func bracket(after offset: Int) -> Int {
        var index = tokens.index(at: offset)
        while index < tokens.count, tokens.text(index) != "(" { index += 1 }
        return tokens.offset(index) ?? offset
    }

    private func check(
        _ node: GrammarNode, column: String?, _ names: inout CheckNames
    ) throws(Failure) -> Check {
        columnsMet = []
        let condition = try expression(
            node.child(Field.Constraint.expression), at: node.integer(Field.Constraint.location))
        let met = Set(columnsMet)
        let subject = column ?? (met.count == 1 ? met.first : nil)
        return Check(
            name: names.next(written: node.text(Field.Constraint.name), column: subject),
            condition: condition)
    }

    private func refusedConstraint(_ node: GrammarNode) -> Failure {
        let place = node.integer(Field.Constraint.location)
        switch node.integer(Field.Constraint.kind) {
        case GrammarValue.Constraint.identity: return unsupported("IDENTITY", at: place)
        case GrammarValue.Constraint.unique:
            return unsupported(
                "UNIQUE", at: place, hint: "PRIMARY KEY makes an upsert stream of the table")
        case GrammarValue.Constraint.exclusion: return unsupported("EXCLUDE", at: place)
        case GrammarValue.Constraint.foreignKey:
            return unsupported("REFERENCES (a foreign key)", at: place)
        default: return unsupported("DEFERRABLE", at: place)
        }
    }

    /// The name of a relation that a statement makes or fills.
    func relationName(_ node: GrammarNode?, at start: Int) throws(Failure) -> Name {
        guard let node else { throw unsupported("a statement without a name", at: start) }
        let offset = node.integer(Field.Relation.location)
        if let schema = node.text(Field.Relation.schema) {
            throw unsupported(
                "the schema \"\(schema)\"", at: offset,
                hint: "a topology has no schemas: write the name alone")
        }
        guard ["", "p"].contains(node.string(Field.Relation.persistence)) else {
            throw unsupported("TEMPORARY or UNLOGGED", at: offset)
        }
        return name(node.string(Field.Relation.name), at: offset)
    }

    /// The names of a bracketed list right behind a relation's name.
    func columnNames(_ nodes: [GrammarNode], after relation: Name) -> [Name] {
        var from = relation.place.offset - origin.base
        if nodes.isEmpty { return [] }
        from = tokens.offset(tokens.index(at: from) + 1) ?? from
        return nameParts(nodes).map { firstName($0, from: from) }
    }

    func connector(_ text: String?, after relation: Name) -> Name? {
        guard let text else { return nil }
        var index = tokens.index(at: relation.place.offset - origin.base)
        while index < tokens.count, tokens.word(index) != "using" {
            index = tokens.text(index) == "(" ? tokens.indexAfterClosing(index) : index + 1
        }
        let fallback = relation.place.offset - origin.base
        return name(text, at: tokens.offset(index + 1) ?? fallback)
    }

    /// `WITH (name = value, …)`.
    func options(_ nodes: [GrammarNode]) throws(Failure) -> [OptionSyntax] {
        var options: [OptionSyntax] = []
        for node in nodes {
            guard let definition = node.unwrapped(NodeKind.definition) else { continue }
            options.append(try option(definition))
        }
        return options
    }

    private func option(_ node: GrammarNode) throws(Failure) -> OptionSyntax {
        let offset = node.integer(Field.Definition.location)
        let prefix = node.text(Field.Definition.namespace).map { $0 + "." } ?? ""
        let name = self.name(prefix + node.string(Field.Definition.name), at: offset)
        guard let (kind, body) = node.child(Field.Definition.argument)?.wrapped else {
            return OptionSyntax(name: name, value: "true", valuePlace: name.place)
        }
        var index = tokens.index(at: offset)
        while index < tokens.count, tokens.text(index) != "=" { index += 1 }
        let place = self.place(tokens.offset(index + 1) ?? offset)
        let value: String
        switch kind {
        case NodeKind.string, NodeKind.float: value = body.string(Field.Value.value)
        case NodeKind.integer: value = String(body.integer(Field.Value.value))
        case NodeKind.booleanValue: value = body.flag(Field.Value.value) ? "true" : "false"
        case NodeKind.typeName: value = bareWords(from: index + 1)
        default:
            throw unsupported(
                "this value of \"\(name.text)\"", at: offset, hint: "put the value into quotes")
        }
        return OptionSyntax(name: name, value: value, valuePlace: place)
    }

    /// The words up to the option's end: `earliest`, `double precision`, `a.b`.
    private func bareWords(from index: Int) -> String {
        var text = ""
        var current = index
        while current < tokens.count, ![",", ")"].contains(tokens.text(current)) {
            let joins = text.isEmpty || tokens.text(current) == "." || text.hasSuffix(".")
            text += (joins ? "" : " ") + tokens.word(current)
            current += 1
        }
        return text
    }

    func typeName(_ node: GrammarNode?, at fallback: Int) throws(Failure) -> TypeName {
        guard let node else { throw unsupported("a column without a type", at: fallback) }
        let location = node.integer(Field.TypeName.location)
        let offset = location >= 0 ? location : fallback
        guard !node.flag(Field.TypeName.isSet) else { throw unsupported("SETOF", at: offset) }
        guard !node.flag(Field.TypeName.isPercentType) else {
            throw unsupported("%TYPE", at: offset)
        }
        let parts = nameParts(node.children(Field.TypeName.names))
        guard parts.count == 1, let name = parts.first else {
            throw unsupported(
                "a type's schema", at: offset,
                hint: "a topology has no schemas: write the name alone")
        }
        var modifiers: [Int] = []
        for item in node.children(Field.TypeName.modifiers) {
            guard
                let value = item.unwrapped(NodeKind.constant)?.child(Field.Constant.integer)
            else {
                throw Failure(
                    .invalid, "sql.type_modifier",
                    "a modifier of type \"\(name)\" must be a whole number",
                    place: place(offset))
            }
            modifiers.append(value.integer(Field.Value.value))
        }
        return TypeName(
            name: name, modifiers: modifiers,
            arrayDimensions: node.children(Field.TypeName.arrayBounds).count,
            place: place(offset))
    }
}

/// Names for CHECKs that have none, as PostgreSQL makes them: `<table>_<column>_check`, then with a
/// number from 1.
struct CheckNames {
    private let table: String
    private var used: Set<String> = []

    init(table: String) { self.table = table }

    mutating func next(written: String?, column: String?) -> String {
        let base = written ?? [table, column, "check"].compactMap { $0 }.joined(separator: "_")
        var name = base
        var number = 0
        while written == nil, used.contains(name) {
            number += 1
            name = base + String(number)
        }
        used.insert(name)
        return name
    }
}
