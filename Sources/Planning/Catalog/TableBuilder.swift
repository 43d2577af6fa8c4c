// CREATE TABLE → DeclaredTable: columns, generated columns, constraints, options.

import Contracts
import Kernels
import SQLSyntax
import Types

extension Catalog {
    /// Declares a table. Throws at the first thing that is wrong in it.
    mutating func declare(
        _ statement: CreateTable, _ current: StatementSettings
    ) throws(Failure) {
        try checkFree(statement.name)
        relations.append(.table(try TableBuilder(self, statement, current).build()))
    }
}

private struct TableBuilder {
    let catalog: Catalog
    let statement: CreateTable
    let current: StatementSettings

    init(_ catalog: Catalog, _ statement: CreateTable, _ current: StatementSettings) {
        self.catalog = catalog
        self.statement = statement
        self.current = current
    }

    func build() throws(Failure) -> DeclaredTable {
        guard let connector = statement.connector else {
            throw Failure(
                .invalid, "sql.table_without_using",
                "table \"\(statement.name.text)\" has no USING",
                hint: "name a connector: USING kafka, delta, …; a name for a query is CREATE VIEW",
                place: statement.name.place)
        }
        let options = try OptionValues(
            connector: connector, options: statement.options, isSource: true, isSink: true,
            environment: catalog.options.environment)
        let fields = try declaredFields()
        let metadata = metadataColumns(options, fields)
        let key = try primaryKey(fields)
        let eventTime = try eventTime(options, fields, metadata)
        let columns = try columns(fields, metadata, key, eventTime)
        return DeclaredTable(
            name: statement.name, connector: options.connector, columns: columns,
            declaredCount: fields.count, primaryKey: key,
            checks: try checks(columns), eventTime: eventTime, options: options, settings: current)
    }

    private func declaredFields() throws(Failure) -> [Field] {
        guard !statement.columns.isEmpty else {
            throw Failure(
                .invalid, "sql.no_columns", "table \"\(statement.name.text)\" has no columns",
                place: statement.name.place)
        }
        var fields: [Field] = []
        for column in statement.columns {
            guard !fields.contains(where: { $0.name == column.name.text }) else {
                throw Failure(
                    .invalid, "sql.duplicate_column",
                    "column \"\(column.name.text)\" stands twice", place: column.name.place)
            }
            fields.append(Field(column.name.text, try catalog.type(column.type)))
        }
        return fields
    }

    /// A declared column hides the metadata column of its name (as in a `late` table).
    private func metadataColumns(
        _ options: OptionValues, _ fields: [Field]
    ) -> [MetadataColumn] {
        MetadataColumn.columns(of: options.connector, format: options.text("format"))
            .filter { column in !fields.contains { $0.name == column.rawValue } }
    }

    private func primaryKey(_ fields: [Field]) throws(Failure) -> [Int] {
        var keys: [[Name]] = statement.columns.filter(\.isPrimaryKey).map { [$0.name] }
        for case .primaryKey(let names) in statement.constraints { keys.append(names) }
        guard keys.count <= 1 else {
            throw Failure(
                .invalid, "sql.two_keys", "a table has one PRIMARY KEY",
                hint: "several columns: PRIMARY KEY (a, b)", place: keys[1].first?.place)
        }
        var key: [Int] = []
        for name in keys.first ?? [] {
            let position = try self.position(name, fields)
            guard !key.contains(position) else {
                throw Failure(
                    .invalid, "sql.duplicate_column",
                    "column \"\(name.text)\" stands twice in PRIMARY KEY", place: name.place)
            }
            key.append(position)
        }
        return key
    }

    private func position(_ name: Name, _ fields: [Field]) throws(Failure) -> Int {
        if let index = fields.firstIndex(where: { $0.name == name.text }) { return index }
        let nearest = nearestName(to: name.text, among: fields.map(\.name))
        throw Failure(
            .invalid, "sql.column_unknown", "column \"\(name.text)\" does not exist",
            hint: nearest.map { "did you mean \"\($0)\"?" }, place: name.place)
    }

    private func eventTime(
        _ options: OptionValues, _ fields: [Field], _ metadata: [MetadataColumn]
    ) throws(Failure) -> Int? {
        guard let name = options.text("event_time") else { return nil }
        let place = options.given["event_time"]?.place ?? statement.name.place
        let all = fields + metadata.map { Field($0.rawValue, $0.type) }
        let position = try self.position(Name(name, place: place), all)
        guard [.timestamptz, .timestamp].contains(all[position].type) else {
            throw Failure(
                .invalid, "option.event_time_type",
                "event_time \"\(name)\" is \(all[position].type), not timestamptz",
                hint: "declare a generated column: ts timestamptz GENERATED ALWAYS AS (…) STORED",
                place: place)
        }
        return position
    }

    private func columns(
        _ fields: [Field], _ metadata: [MetadataColumn], _ key: [Int], _ eventTime: Int?
    ) throws(Failure) -> [DeclaredColumn] {
        let plain = statement.columns.enumerated().filter { $0.element.generated == nil }
        let base = Scope(
            plain.map { position, column in
                ScopeColumn(
                    qualifier: statement.name.text, name: column.name.text,
                    type: fields[position].type, position: position)
            }
                + metadata.enumerated().map { index, column in
                    ScopeColumn(
                        qualifier: statement.name.text, name: column.rawValue, type: column.type,
                        isMetadata: true, position: fields.count + index)
                })
        var columns: [DeclaredColumn] = []
        for (position, column) in statement.columns.enumerated() {
            let type = fields[position].type
            columns.append(
                DeclaredColumn(
                    name: column.name, type: type,
                    isNotNull: column.isNotNull || key.contains(position) || eventTime == position,
                    generated: try bound(column.generated, base, type, column, "generated column"),
                    defaultValue: try bound(column.defaultValue, Scope(), type, column, "DEFAULT"),
                    metadata: nil))
        }
        for (index, column) in metadata.enumerated() {
            columns.append(
                DeclaredColumn(
                    name: Name(column.rawValue, place: statement.name.place), type: column.type,
                    isNotNull: eventTime == fields.count + index, generated: nil,
                    defaultValue: nil, metadata: column))
        }
        return columns
    }

    private func bound(
        _ syntax: ExpressionSyntax?, _ scope: Scope, _ type: LogicalType,
        _ column: ColumnDefinition, _ clause: String
    ) throws(Failure) -> Expression? {
        guard let syntax else { return nil }
        let binder = ExpressionBinder(catalog: catalog, scope: scope, context: context(clause))
        return try TypeRules.assignmentCast(
            try binder.bind(syntax, expected: type), to: type, column: column.name.text,
            place: syntax.place
        ).inZone(of: current)
    }

    private func context(_ clause: String) -> BindingContext {
        BindingContext(options: catalog.options, settings: current, clause: clause)
    }

    private func checks(_ columns: [DeclaredColumn]) throws(Failure) -> [DeclaredCheck] {
        var written = statement.columns.flatMap(\.checks)
        for case .check(let check) in statement.constraints { written.append(check) }
        let scope = Scope(
            columns.enumerated().map { position, column in
                ScopeColumn(
                    qualifier: statement.name.text, name: column.name.text, type: column.type,
                    isMetadata: column.metadata != nil, position: position)
            })
        let binder = ExpressionBinder(catalog: catalog, scope: scope, context: context("CHECK"))
        var checks: [DeclaredCheck] = []
        for check in written {
            checks.append(
                DeclaredCheck(
                    name: check.name, condition: try binder.bindCondition(check.condition),
                    place: check.condition.place))
        }
        return checks
    }
}

extension MetadataColumn {
    /// The type (dialect.md §5.1).
    var type: LogicalType {
        switch self {
        case .topic, .source: .text
        case .partition: .integer
        case .offset: .bigint
        case .timestamp, .extractedAt: .timestamptz
        case .key, .value: .bytea
        case .headers:
            .array(
                .row(RowType(name: nil, fields: [Field("key", .text), Field("value", .bytea)])))
        }
    }

    /// What a connector knows beside the message.
    static func columns(of connector: ConnectorKind, format: String?) -> [MetadataColumn] {
        switch connector {
        case .kafka: allCases
        case .files:
            format == "parquet"
                ? [.partition, .offset, .extractedAt, .source]
                : [.partition, .offset, .value, .extractedAt, .source]
        case .delta, .nexmark, .blackhole, .print: []
        }
    }
}
