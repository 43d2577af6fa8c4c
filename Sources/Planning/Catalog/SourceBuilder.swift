// DeclaredTable → SourcePlan: what is decoded, computed and checked.

import Columns
package import Contracts
import Kernels
import SQLSyntax
import Types

extension DeclaredTable {
    /// The source that delivers `readColumns` (of `readColumns(using:)`), in that order.
    /// `outputIndex` gives the position of an output table by name, for `late` and `dead_letter`.
    /// Throws for what a source needs and lacks: format, topic, a key under debezium_json …
    package func makeSourcePlan(
        readColumns: [Int], outputIndex: (String) -> Int?
    ) throws(Failure) -> SourcePlan {
        try checkSource()
        let format = try sourceFormat()
        let base = baseColumns(readColumns)
        func decodedPosition(_ column: Int) -> Int {
            base.firstIndex(of: column).required("column \(column) is decoded")
        }
        func schemaPosition(_ column: Int) -> Int {
            readColumns.firstIndex(of: column).required("column \(column) is read")
        }
        var decoded = try base.map { position throws(Failure) in
            try decodedColumn(position, format.kind)
        }
        var computed = readColumns.map { position in
            columns[position].generated?.remapped(decodedPosition)
                ?? .column(decodedPosition(position), columns[position].type)
        }
        if mayBeIncomplete {
            computed.append(.column(decoded.count, .bytea))
            decoded.append(DecodedColumn(.incomplete, .bytea))
        }
        return SourcePlan(
            name: name.text, connector: try sourceConnector(), format: format, decoded: decoded,
            computed: computed, schema: scanSchema(readColumns),
            constraints: constraints(schemaPosition), primaryKey: primaryKey.map(schemaPosition),
            eventTime: eventTime.map(schemaPosition),
            watermarkDelay: options.number("watermark_delay") ?? 0,
            idleTimeout: options.number("idle_timeout"), maxAhead: options.number("max_ahead"),
            onError: options.onError, deadLetterTopic: options.text("dead_letter_topic"),
            deadLetterOutput: try output("dead_letter", outputIndex),
            lateOutput: try output("late", outputIndex), place: name.place)
    }

    /// The columns of a scan: those read and, last, what tells incomplete rows.
    func scanSchema(_ readColumns: [Int]) -> Schema {
        Schema(
            readColumns.map { columns[$0].field }
                + (mayBeIncomplete ? [Field(IncompleteRow.columnName, .bytea)] : []))
    }

    /// What the decoder must deliver for the columns read: fields by position, then metadata.
    private func baseColumns(_ readColumns: [Int]) -> [Int] {
        var base: Set<Int> = []
        for position in readColumns {
            if let generated = columns[position].generated {
                base.formUnion(generated.columnsRead)
            } else {
                base.insert(position)
            }
        }
        return base.sorted()
    }

    private func decodedColumn(
        _ position: Int, _ format: SourceFormat.Kind
    ) throws(Failure) -> DecodedColumn {
        let column = columns[position]
        if let metadata = column.metadata { return DecodedColumn(.metadata(metadata), column.type) }
        if format == .raw { return DecodedColumn(.wholeValue, column.type) }
        let field = connector == .nexmark ? try nexmarkField(column.name.text) : column.name.text
        return DecodedColumn(.field(name: field, position: position), column.type)
    }

    private func output(
        _ option: String, _ outputIndex: (String) -> Int?
    ) throws(Failure) -> Int? {
        guard let table = options.text(option) else { return nil }
        if let index = outputIndex(table) { return index }
        throw invalid(
            option, "option.table_unknown", "\(option) names no output table \"\(table)\"",
            hint: "declare it: CREATE TABLE \(table) (…) USING …")
    }

    func invalid(
        _ option: String, _ code: String, _ message: String, hint: String? = nil
    ) -> Failure {
        Failure(
            .invalid, code, message, hint: hint,
            place: options.given[option]?.place ?? name.place)
    }

    // MARK: Rules

    private func checkSource() throws(Failure) {
        guard connector.isSource else {
            throw Failure(
                .invalid, "option.connector_role", "\(connector) is an output, not a source",
                place: options.place)
        }
        try options.require(asSource: true)
        try options.checkDeadLetter()
        if options.boolean("lookup") == true || options.given["refresh_interval"] != nil {
            throw invalid("lookup", "sql.not_yet", "a lookup table is not supported yet")
        }
        for (position, column) in columns.prefix(declaredCount).enumerated() {
            let isMetadata = MetadataColumn(rawValue: column.name.text) != nil
            guard !isMetadata || connector == .nexmark else {
                throw Failure(
                    .invalid, "sql.metadata_declared",
                    "\"\(column.name.text)\" is a metadata column",
                    hint: "it needs no declaration: name it in the query", place: column.name.place)
            }
            guard column.defaultValue == nil else {
                throw Failure(
                    .invalid, "sql.default_in_source",
                    "column \"\(columns[position].name.text)\" of a source has a DEFAULT",
                    hint: "a missing field is NULL; use coalesce in the query",
                    place: column.name.place)
            }
        }
        try checkTime()
    }

    private func checkTime() throws(Failure) {
        for option in ["watermark_delay", "idle_timeout", "max_ahead", "late"]
        where options.given[option] != nil && eventTime == nil {
            throw invalid(
                option, "option.needs_event_time", "\(option) needs event_time",
                hint: "event_time = '<column>'")
        }
        guard options.given["max_ahead"] == nil || connector == .kafka else {
            throw invalid(
                "max_ahead", "option.needs_timestamp",
                "max_ahead needs the record's own time, which \(connector) does not have")
        }
    }

    // MARK: Format

    private func sourceFormat() throws(Failure) -> SourceFormat {
        if connector == .nexmark {
            guard primaryKey.isEmpty else {
                throw Failure(
                    .invalid, "sql.key_refused", "nexmark events have no PRIMARY KEY",
                    place: name.place)
            }
            try checkNexmark()
            return SourceFormat(kind: .columns, declared: schema.fields)
        }
        let bySuffix = options.text("path").flatMap(OptionValues.formatBySuffix)
        guard let word = options.text("format") ?? (connector == .files ? bySuffix : nil),
            let kind = SourceFormat.Kind(rawValue: word)
        else {
            throw invalid(
                "format", "option.required", "the source \"\(name.text)\" needs a format",
                hint: "format = 'json', 'csv', 'raw', 'debezium_json'"
                    + (connector == .files ? " or 'parquet'" : ""))
        }
        try checkFormat(kind)
        return SourceFormat(
            kind: kind,
            timestampFormat: options.text("timestamp_format").flatMap(TimestampFormat.init)
                ?? (kind == .debeziumJSON ? .unixMicroseconds : .iso8601),
            isStrictJSON: options.boolean("strict_json") ?? false,
            keyFormat: options.text("key_format").flatMap(KeyFormat.init),
            delimiter: try delimiter(),
            hasHeader: options.boolean("header") ?? (connector == .files),
            nullText: Array((options.text("null_text") ?? "").utf8), declared: schema.fields,
            unavailableValue: options.text("unavailable_value") ?? SourceFormat.unavailableValue)
    }

    private func checkFormat(_ kind: SourceFormat.Kind) throws(Failure) {
        if kind == .parquet, connector != .files {
            throw invalid("format", "option.invalid", "parquet is a format of files only")
        }
        if kind == .debeziumJSON, primaryKey.isEmpty {
            throw invalid(
                "format", "sql.key_required", "debezium_json needs a PRIMARY KEY",
                hint: "declare it: PRIMARY KEY (…)")
        }
        if options.given["unavailable_value"] != nil, kind != .debeziumJSON {
            throw invalid(
                "unavailable_value", "option.needs_debezium",
                "unavailable_value is an option of format = 'debezium_json'")
        }
        if options.text("unavailable_value")?.isEmpty == true {
            throw invalid(
                "unavailable_value", "option.invalid", "unavailable_value is empty",
                hint: "as the connector's unavailable.value.placeholder says it")
        }
        if !primaryKey.isEmpty, kind != .debeziumJSON, kind != .json {
            throw invalid(
                "format", "sql.key_refused", "a PRIMARY KEY needs format json or debezium_json")
        }
        if kind == .raw { try checkRaw() }
        guard let key = options.text("key_format") else { return }
        guard connector == .kafka, !primaryKey.isEmpty else {
            throw invalid(
                "key_format", "option.needs_key", "key_format needs a PRIMARY KEY of a kafka source"
            )
        }
        guard key == "json" || primaryKey.count == 1 else {
            throw invalid(
                "key_format", "option.invalid", "key_format = 'raw' takes a key of one column",
                hint: "key_format = 'json'")
        }
    }

    /// One column of bytes, text or json takes the whole message (dialect.md §3.3).
    private func checkRaw() throws(Failure) {
        let plain = columns.prefix(declaredCount).filter { $0.generated == nil }
        guard plain.count == 1, [.bytea, .text, .json].contains(plain[0].type) else {
            throw invalid(
                "format", "sql.raw_columns",
                "format = 'raw' takes one column of type bytea, text or json")
        }
    }

    private func delimiter() throws(Failure) -> UInt8 {
        guard let text = options.text("delimiter") else { return UInt8(ascii: ",") }
        let bytes = Array((text == "\\t" ? "\t" : text).utf8)
        guard bytes.count == 1, ![0x0a, 0x0d, 0x22].contains(bytes[0]) else {
            throw invalid(
                "delimiter", "option.invalid", "'\(text)' is no value of delimiter",
                hint: "one byte, not a quote or line end")
        }
        return bytes[0]
    }

    // MARK: Connector

    private func sourceConnector() throws(Failure) -> SourceConnector {
        switch connector {
        case .kafka:
            return .kafka(
                KafkaSourceOptions(
                    topic: try options.required("topic"),
                    bootstrapServers: try options.required("bootstrap_servers"),
                    partitions: partitions, start: start, onOffsetLost: onOffsetLost,
                    properties: options.passedThrough))
        case .files:
            return .files(
                FilesSourceOptions(
                    path: try options.required("path"),
                    parallelFiles: options.boolean("parallel_files"), onOffsetLost: onOffsetLost))
        case .nexmark: return .nexmark(nexmarkOptions)
        case .delta, .blackhole, .print: bug("\(connector) is no source")
        }
    }

    private var partitions: [ClosedRange<Int32>]? {
        if case .ranges(let ranges)? = options.given["partitions"]?.value { return ranges }
        return nil
    }

    private var start: KafkaSourceOptions.Start {
        if let time = options.number("start") { return .time(time) }
        return options.text("start") == "latest" ? .latest : .earliest
    }

    private var onOffsetLost: OnOffsetLost {
        options.text("on_offset_lost").flatMap(OnOffsetLost.init) ?? .fail
    }
}
