// The structs that sinks are made from.

package import Contracts
package import Types

/// What an output's options say beside its connector (dialect.md §4).
package struct OutputOptions: Sendable {
    package let emit: EmitMode
    /// µs; nil: the checkpoint interval.
    package let commitInterval: Int64?
    package let onError: OnError
    package let deadLetterTopic: String?
    /// A table of this file.
    package let deadLetterTable: String?
    /// `primary_key` of a materialized view: names. A table's own PRIMARY KEY is the table's.
    package let primaryKey: [String]?
}

extension OptionValues {
    /// The output options; the settings are those in force at the statement. An output's option
    /// beats SET.
    package func outputOptions(_ settings: StatementSettings) -> OutputOptions {
        OutputOptions(
            emit: text("emit").flatMap(EmitMode.init) ?? settings.emit,
            commitInterval: number("commit_interval") ?? settings.commitInterval,
            onError: onError, deadLetterTopic: text("dead_letter_topic"),
            deadLetterTable: text("dead_letter"), primaryKey: names("primary_key"))
    }

    /// 'dead_letter' where there is a place for dead letters, else 'fail' (dialect.md §4.5).
    var onError: OnError {
        if let word = text("on_error").flatMap(OnError.init) { return word }
        return text("dead_letter_topic") ?? text("dead_letter") == nil ? .fail : .deadLetter
    }

    /// `on_error = 'dead_letter'` needs somewhere to put them.
    func checkDeadLetter() throws(Failure) {
        guard text("on_error") == "dead_letter", text("dead_letter_topic") == nil,
            text("dead_letter") == nil
        else { return }
        throw Failure(
            .invalid, "option.required", "on_error = 'dead_letter' needs a place for dead letters",
            hint: "dead_letter_topic = '…' or dead_letter = '<table>'",
            place: given["on_error"]?.place ?? place)
    }

    /// The sink that these options describe, for rows of `schema` whose key (upsert or changelog)
    /// is `key`; nil: append-only. Throws for what a sink needs and lacks and for columns that
    /// don't exist.
    package func makeSink(schema: Schema, key: [Int]?) throws(Failure) -> SinkConnector {
        try require(asSource: false)
        try checkDeadLetter()
        switch connector {
        case .kafka: return .kafka(try kafkaSink(schema, key))
        case .delta: return .delta(try deltaSink(schema, key))
        case .files:
            let path = try required("path")
            return .files(FilesSinkOptions(path: path, format: try filesFormat(path, key)))
        case .blackhole: return .blackhole
        case .print: return .print
        case .nexmark:
            throw Failure(
                .invalid, "option.connector_role", "nexmark is a source, not an output",
                place: place)
        }
    }

    private func kafkaSink(_ schema: Schema, _ key: [Int]?) throws(Failure) -> KafkaSinkOptions {
        try checkColumnTypes(schema)
        return KafkaSinkOptions(
            topic: try required("topic"), bootstrapServers: try required("bootstrap_servers"),
            format: text("format").flatMap(KafkaSinkOptions.Format.init) ?? .json,
            keyColumns: try columns("columns_as_key", schema) ?? key,
            createsTopic: boolean("create_topic") ?? true,
            topicPartitions: number("topic_partitions").map { Int($0) },
            properties: passedThrough)
    }

    private func filesFormat(
        _ path: String, _ key: [Int]?
    ) throws(Failure) -> FilesSinkOptions.Format {
        guard let word = text("format") ?? Self.formatBySuffix(path),
            let format = FilesSinkOptions.Format(rawValue: word)
        else {
            throw Failure(
                .invalid, "option.required", "\"\(path)\" does not tell the format",
                hint: "format = 'json', 'csv', 'parquet' or 'debezium_json'", place: place)
        }
        guard key == nil || format == .debeziumJSON else {
            throw Failure(
                .invalid, "option.format_cannot_update",
                "an updating result in files needs format = 'debezium_json'",
                place: given["format"]?.place ?? place)
        }
        return format
    }

    /// json, csv or parquet by the name of a file, `.gz` and `.zst` aside.
    static func formatBySuffix(_ path: String) -> String? {
        var parts = path.split(separator: ".").map { $0.lowercased() }
        if let last = parts.last, last == "gz" || last == "zst" { parts.removeLast() }
        switch parts.last {
        case "json", "ndjson", "jsonl": return "json"
        case "csv": return "csv"
        case "parquet": return "parquet"
        default: return nil
        }
    }

    /// The positions of a column list's columns.
    func columns(_ name: String, _ schema: Schema) throws(Failure) -> [Int]? {
        guard let names = names(name) else { return nil }
        var positions: [Int] = []
        for column in names {
            guard let position = schema.index(of: column) else {
                let nearest = nearestName(to: column, among: schema.fields.map(\.name))
                throw Failure(
                    .invalid, "option.column_unknown", "\(name) names no column \"\(column)\"",
                    hint: nearest.map { "did you mean \"\($0)\"?" }, place: given[name]?.place)
            }
            positions.append(position)
        }
        return positions
    }

    private func checkColumnTypes(_ schema: Schema) throws(Failure) {
        for field in schema.fields where Self.containsInterval(field.type) {
            throw Failure(
                .invalid, "sql.type_refused",
                "an interval cannot be sent: column \"\(field.name)\"",
                hint: "cast it to text", place: place)
        }
    }

    static func containsInterval(_ type: LogicalType) -> Bool {
        switch type {
        case .interval: true
        case .array(let element): containsInterval(element)
        case .row(let row): row.fields.contains { containsInterval($0.type) }
        default: false
        }
    }
}
