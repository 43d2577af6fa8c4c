// What each output writes, by which key, and whether its sink can take it (dialect.md §2.3, §2.10,
// §4.5).

import Contracts
import Kernels
import SQLSyntax
import Types

/// An output before it is lowered: its rows are those of `root`, column for column.
struct OutputDraft {
    let name: Name
    var root: LogicalNode
    let schema: Schema
    let options: OptionValues
    let settings: StatementSettings
    /// The declared key's columns, `PRIMARY KEY` or `primary_key`.
    let declaredKey: [Int]?
    let constraints: [SourceConstraint]
    /// Written by several INSERTs.
    let hasBranches: Bool

    var chosen: OutputOptions { options.outputOptions(settings) }
}

extension QueryBuilder {
    func materializedView(
        _ view: CreateMaterializedView, _ settings: StatementSettings
    ) throws(Failure) -> OutputDraft {
        guard let connector = view.connector else {
            throw Failure(
                .invalid, "sql.no_connector",
                "materialized view \"\(view.name.text)\" has no USING",
                hint: "USING delta WITH (location = '…'); a query that is only read is a VIEW",
                place: view.name.place)
        }
        let values = try OptionValues(
            connector: connector, options: view.options, isSource: false, isSink: true,
            environment: options.environment)
        var root = try self.view(view.name, view.query, view.columnNames, settings)
        let chosen = values.outputOptions(settings)
        if chosen.emit == .onChange { root = try root.emittingChanges() }
        var key: [Int]?
        if let names = chosen.primaryKey {
            key = try columns(names, of: root.schema, option: "primary_key", values)
        }
        return OutputDraft(
            name: view.name, root: root, schema: root.schema, options: values, settings: settings,
            declaredKey: key, constraints: notNull(key ?? [], root.schema, place: values.place),
            hasBranches: false)
    }

    private func columns(
        _ names: [String], of schema: Schema, option: String, _ values: OptionValues
    ) throws(Failure) -> [Int] {
        var columns: [Int] = []
        for name in names {
            guard let column = schema.index(of: name) else {
                let nearest = nearestName(to: name, among: schema.fields.map(\.name))
                throw Failure(
                    .invalid, "option.column_unknown",
                    "\(option) names \"\(name)\", which is no column of the output",
                    hint: nearest.map { "did you mean \"\($0)\"?" },
                    place: values.given[option]?.place ?? values.place)
            }
            columns.append(column)
        }
        return columns
    }

    /// NULL in a declared key is a violation (dialect.md §2.5).
    private func notNull(
        _ columns: [Int], _ schema: Schema, place: SourcePlace
    ) -> [SourceConstraint] {
        columns.filter { schema[$0].isNullable }.map { column in
            SourceConstraint(
                name: schema[column].name, reason: .notNull,
                condition: .not(.isNull(.column(column, schema[column].type))), place: place)
        }
    }

    /// All INSERTs into one table: UNION ALL of them (dialect.md §2.6).
    func inserts(
        _ inserts: [(insert: Insert, settings: StatementSettings)], into table: DeclaredTable
    ) throws(Failure) -> OutputDraft {
        let chosen = table.options.outputOptions(inserts[0].settings)
        var branches: [LogicalNode] = []
        for (insert, settings) in inserts {
            var branch = try self.branch(insert, settings, table)
            if chosen.emit == .onChange { branch = try branch.emittingChanges() }
            branches.append(branch)
        }
        let key = table.primaryKey.isEmpty ? nil : table.primaryKey
        let root = try union(branches, key: key, table)
        let settings = inserts[0].settings
        return OutputDraft(
            name: table.name, root: root, schema: table.schema, options: table.options,
            settings: settings, declaredKey: key, constraints: table.outputConstraints(),
            hasBranches: branches.count > 1)
    }

    private func union(
        _ branches: [LogicalNode], key: [Int]?, _ table: DeclaredTable
    ) throws(Failure) -> LogicalNode {
        guard branches.count > 1 else { return branches[0] }
        guard branches.contains(where: \.change.isUpdating) else {
            return .unionAll(branches, change: .appendOnly, place: table.name.place)
        }
        guard let key else {
            throw Failure(
                .invalid, "sql.insert_key",
                "several INSERTs into \"\(table.name.text)\", of which some update, need its key",
                hint: "declare a PRIMARY KEY on the table", place: table.name.place)
        }
        for branch in branches {
            if case .updating(let own) = branch.change, Set(own).isSubset(of: key) { continue }
            if branch.change == .appendOnly { continue }
            throw keyMissing(branch, name: table.name, declared: true)
        }
        return .unionAll(branches, change: .updating(key: key), place: table.name.place)
    }

    private func branch(
        _ insert: Insert, _ settings: StatementSettings, _ table: DeclaredTable
    ) throws(Failure) -> LogicalNode {
        let node = try query(insert.query, Environment(settings: settings))
        let targets = try targets(insert, table)
        guard node.count == targets.count else {
            throw Failure(
                .invalid, "sql.insert_width",
                "INSERT INTO \"\(table.name.text)\" gives \(node.count) columns for "
                    + "\(targets.count)", place: insert.table.place)
        }
        var expressions: [Expression] = []
        for (position, column) in table.columns.prefix(table.declaredCount).enumerated() {
            guard let source = targets.firstIndex(of: position) else {
                expressions.append(column.defaultValue ?? .constant(.null, column.type))
                continue
            }
            expressions.append(
                try TypeRules.assignmentCast(
                    node.column(source), to: column.type, column: column.name.text,
                    place: insert.query.place
                ).inZone(of: settings))
        }
        for (position, column) in table.columns.prefix(table.declaredCount).enumerated() {
            guard let generated = column.generated else { continue }
            expressions[position] = generated.substituting(expressions)
        }
        return .project(
            node, expressions, names: table.schema.fields.map(\.name), place: insert.query.place)
    }

    /// The table's column for each column of the query.
    private func targets(_ insert: Insert, _ table: DeclaredTable) throws(Failure) -> [Int] {
        let columns = table.columns.prefix(table.declaredCount)
        if insert.columns.isEmpty {
            return columns.indices.filter { columns[$0].generated == nil }
        }
        var targets: [Int] = []
        for name in insert.columns {
            guard let position = columns.firstIndex(where: { $0.name.text == name.text }) else {
                let nearest = nearestName(to: name.text, among: columns.map(\.name.text))
                throw Failure(
                    .invalid, "sql.column_unknown",
                    "table \"\(table.name.text)\" has no column \"\(name.text)\"",
                    hint: nearest.map { "did you mean \"\($0)\"?" }, place: name.place)
            }
            guard columns[position].generated == nil, !targets.contains(position) else {
                throw Failure(
                    .invalid, "sql.insert_column",
                    "column \"\(name.text)\" is given twice or is generated", place: name.place)
            }
            targets.append(position)
        }
        return targets
    }
}

// MARK: Mode

extension OutputDraft {
    /// What the sink is told of change; throws where it can't take the query's.
    func mode() throws(Failure) -> OutputMode {
        var key: [Int]?
        switch root.change {
        case .appendOnly: key = declaredKey
        case .changes: throw keyMissing(root, name: name, declared: false)
        case .updating(let own):
            if let declaredKey, !Set(own).isSubset(of: declaredKey) {
                throw keyMissing(root, name: name, declared: true)
            }
            key = declaredKey ?? own
        }
        let isUpdating = root.change.isUpdating
        let format = options.text("format")
        switch options.connector {
        case .print, .blackhole:
            guard let key else { return .append }
            return isUpdating ? .changelog(key: key) : .append
        case .files:
            if format == "debezium_json" { return .changelog(key: key ?? []) }
            if isUpdating {
                throw Failure(
                    .invalid, "sql.sink_updates",
                    "files can't update: the result of \"\(name.text)\" changes",
                    hint: "format = 'debezium_json' writes every change, or use delta",
                    place: name.place)
            }
            return .append
        case .kafka:
            if format == "debezium_json" { return .changelog(key: key ?? []) }
            return try kafkaMode(key, isUpdating: isUpdating)
        case .delta:
            return key.map { .upsert(key: $0) } ?? .append
        case .nexmark:
            throw Failure(
                .invalid, "sql.sink_connector", "nexmark is a generator: it can't be written",
                place: name.place)
        }
    }

    private func kafkaMode(_ key: [Int]?, isUpdating: Bool) throws(Failure) -> OutputMode {
        guard let key else { return .append }
        if isUpdating, case .names(let names)? = options.given["columns_as_key"]?.value {
            let columns = names.compactMap(schema.index(of:))
            guard Set(columns) == Set(key) else {
                let wanted = key.map { schema[$0].name }.joined(separator: ", ")
                throw Failure(
                    .invalid, "sql.kafka_key",
                    "the record key of an updating result is its key: (\(wanted))",
                    hint: "leave columns_as_key out, or use format = 'debezium_json'",
                    place: options.given["columns_as_key"]?.place)
            }
        }
        return .upsert(key: key)
    }

    /// How rows reach the sink's writers.
    func exchange(_ mode: OutputMode, _ connector: SinkConnector) -> Exchange {
        switch connector {
        case .blackhole: return .none
        case .print, .files, .collect: return .hash([])
        case .kafka(let kafka):
            if case .append = mode { return kafka.keyColumns.map { .hash($0) } ?? .none }
        case .delta(let delta):
            if case .append = mode { return .hash(delta.partitionColumns) }
        }
        switch mode {
        case .append: return .hash([])
        case .upsert(let key), .changelog(let key): return .hash(key)
        }
    }

    /// One place in the world that only one output may write.
    var location: String? {
        switch options.connector {
        case .delta: options.text("location").map { "delta \(Self.plain($0))" }
        case .files: options.text("path").map { "files \(Self.plain($0))" }
        case .kafka, .nexmark, .blackhole, .print: nil
        }
    }

    /// `a//b/./c/` and `a/b/c` are one place.
    private static func plain(_ path: String) -> String {
        var path = path
        if path.hasPrefix("file://") { path.removeFirst(7) }
        let parts = path.split(separator: "/").filter { $0 != "." }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}

/// dialect.md §2.3: names what to select, or what to declare.
func keyMissing(_ root: LogicalNode, name: Name, declared: Bool) -> Failure {
    let key = root.lostKey
    let shown = key.isEmpty ? "its key" : key.joined(separator: ", ")
    if declared {
        return Failure(
            .invalid, "sql.key_declared",
            "the declared key of \"\(name.text)\" must contain the query's key (\(shown))",
            hint: "add \(shown) to the key, or leave the key out", place: name.place)
    }
    return Failure(
        .invalid, "sql.key_not_selected",
        "the result of \"\(name.text)\" updates by (\(shown)), which is not in the output",
        hint: "select \(shown) too", place: root.place ?? name.place)
}

extension LogicalNode {
    /// The names of the key where the tree last had one.
    fileprivate var lostKey: [String] {
        if case .updating(let key) = change { return key.map { fields[$0].name } }
        return inputs.first { $0.change.isUpdating }?.lostKey ?? []
    }
}
