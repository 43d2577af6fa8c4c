// The one table of options (dialect.md §4): validation, "did you mean" and documentation come from
// it.

/// What USING can name.
package enum ConnectorKind: String, Sendable, CaseIterable {
    case kafka, files, delta, nexmark, blackhole, print

    package var isSource: Bool { [.kafka, .files, .nexmark].contains(self) }
    package var isSink: Bool { self != .nexmark }
}

/// What a value has to look like.
package enum OptionType: Sendable, Hashable {
    case text, boolean, interval, size, column, columnList, table, time, ranges
    case integer(ClosedRange<Int64>)
    case choice([String])

    var description: String {
        switch self {
        case .text: "text"
        case .boolean: "boolean"
        case .interval: "interval"
        case .size: "size"
        case .column: "column"
        case .columnList: "column list"
        case .table: "table of this file"
        case .time: "time"
        case .ranges: "ranges"
        case .integer: "integer"
        case .choice(let words): words.joined(separator: ", ")
        }
    }
}

/// Where an option may stand.
package enum OptionPlace: String, Sendable, CaseIterable {
    case anySource = "any source"
    case kafka = "kafka, both"
    case kafkaSource = "kafka source"
    case kafkaSink = "kafka sink"
    case files = "files, both"
    case filesSource = "files source"
    case filesSink = "files sink"
    case nexmark = "nexmark"
    case delta = "delta"
    case anyOutput = "any output"
    case wholeFile = "SET, whole file"
    case statements = "SET, statements after it"

    /// Whether the option applies to a table of `connector` used as a source or as a sink.
    func applies(to connector: ConnectorKind, asSource: Bool) -> Bool {
        switch self {
        case .anySource: asSource && connector.isSource && connector != .nexmark
        case .kafka: connector == .kafka
        case .kafkaSource: connector == .kafka && asSource
        case .kafkaSink: connector == .kafka && !asSource
        case .files: connector == .files
        case .filesSource: connector == .files && asSource
        case .filesSink: connector == .files && !asSource
        case .nexmark: connector == .nexmark && asSource
        case .delta: connector == .delta && !asSource
        case .anyOutput: connector.isSink && !asSource
        case .wholeFile, .statements: false
        }
    }
}

/// One option.
package struct OptionDefinition: Sendable {
    package let name: String
    package let place: OptionPlace
    package let type: OptionType
    /// As documented; the code that reads the option applies it.
    package let defaultText: String
    /// One sentence for the reference.
    package let summary: String

    init(
        _ place: OptionPlace, _ name: String, _ type: OptionType, default defaultText: String,
        _ summary: String
    ) {
        self.name = name
        self.place = place
        self.type = type
        self.defaultText = defaultText
        self.summary = summary
    }
}

package enum OptionTable {
    /// Every option, in the order of the reference.
    package static let all: [OptionDefinition] =
        sources + timing + kafka + files + outputs + nexmark + settings

    /// The options of one use of a connector.
    package static func options(
        of connector: ConnectorKind, asSource: Bool
    ) -> [OptionDefinition] {
        all.filter { $0.place.applies(to: connector, asSource: asSource) }
    }

    private static let count: OptionType = .integer(1...Int64.max)
    private static let word: OptionType = .choice(["dead_letter", "skip", "fail"])
    private static let lost: OptionType = .choice(["fail", "earliest", "latest"])

    private static let sources: [OptionDefinition] = [
        .init(
            .anySource, "format", .choice(["json", "csv", "raw", "debezium_json", "parquet"]),
            default: "required; files: by suffix", "How a message becomes columns."),
        .init(
            .anySource, "timestamp_format",
            .choice(["iso8601", "unix_s", "unix_ms", "unix_us", "unix_ns"]),
            default: "iso8601; debezium_json: unix_us",
            "How JSON writes times. Of debezium_json it is about numbers of messages without a "
                + "schema, for timestamps and times of day alike; ISO texts are always read."),
        .init(
            .anySource, "unavailable_value", .text, default: "__debezium_unavailable_value",
            "What Debezium sends for a large value that an update did not touch "
                + "(`unavailable.value.placeholder`): the last row's value stays."),
        .init(
            .anySource, "strict_json", .boolean, default: "false",
            "Checks what stands behind the last wanted field too."),
        .init(
            .anySource, "key_format", .choice(["json", "raw"]), default: "none",
            "How the record key carries the key's columns."),
        .init(
            .anySource, "delimiter", .text, default: ",", "The byte between the fields of csv."),
        .init(
            .anySource, "header", .boolean, default: "true (files), false (kafka)",
            "Whether the first line of csv names the fields."),
        .init(
            .anySource, "null_text", .text, default: "empty unquoted",
            "The csv field that means NULL."),
        .init(
            .anySource, "lookup", .boolean, default: "false",
            "Reads the table whole before streams start; joins look up."),
        .init(
            .anySource, "refresh_interval", .interval, default: "none",
            "How often a lookup table is read again."),
    ]

    private static let timing: [OptionDefinition] = [.anySource, .nexmark].flatMap { place in
        [
            OptionDefinition(
                place, "event_time", .column, default: "none", "The column that time goes by."),
            OptionDefinition(
                place, "watermark_delay", .interval, default: "0 s",
                "How far a row may be behind its partition's highest event time."),
            OptionDefinition(
                place, "idle_timeout", .interval, default: "none",
                "After how long a partition without rows stops holding time back."),
            OptionDefinition(
                place, "max_ahead", .interval, default: "none",
                "How far event time may be ahead of the record's own; kafka only."),
            OptionDefinition(
                place, "late", .table, default: "none",
                "Takes the rows that came too late, one for each operator that refused it, also "
                    + "for some of its windows only (_late_kind part_late)."),
            OptionDefinition(
                place, "dead_letter", .table, default: "none",
                "Takes the rows that break the contract."),
            OptionDefinition(
                place, "dead_letter_topic", .text, default: "none",
                "A Kafka topic that takes the rows that break the contract."),
            OptionDefinition(
                place, "on_error", word, default: "dead_letter where it has a place, else fail",
                "What happens to a row that breaks the contract."),
        ]
    }

    private static let kafka: [OptionDefinition] = [
        .init(.kafka, "topic", .text, default: "required", "The topic."),
        .init(
            .kafka, "bootstrap_servers", .text, default: "required",
            "Brokers to ask first: host:port, …"),
        .init(
            .kafka, "kafka.*", .text, default: "–",
            "Passed to librdkafka without the prefix: \"kafka.sasl.username\"."),
        .init(
            .kafkaSource, "partitions", .ranges, default: "all", "Which partitions: 0-3,7."),
        .init(
            .kafkaSource, "start", .time, default: "earliest",
            "Where a partition without a stored offset begins: earliest, latest or a time."),
        .init(
            .kafkaSource, "on_offset_lost", lost, default: "fail",
            "What happens when the stored offset is gone."),
        .init(
            .kafkaSink, "format", .choice(["json", "debezium_json"]), default: "json",
            "How a row becomes a message."),
        .init(
            .kafkaSink, "columns_as_key", .columnList,
            default: "the output's key; append-only: none", "The columns of the record key."),
        .init(
            .kafkaSink, "create_topic", .boolean, default: "true",
            "Whether a missing topic is created."),
        .init(
            .kafkaSink, "topic_partitions", .integer(1...100_000), default: "the broker's",
            "The partitions of a created topic."),
    ]

    private static let files: [OptionDefinition] = [
        .init(.files, "path", .text, default: "required", "A file, a folder or a glob."),
        .init(
            .filesSource, "parallel_files", .boolean, default: "bounded: true, live: false",
            "Whether each file is a partition of its own."),
        .init(
            .filesSource, "on_offset_lost", lost, default: "fail",
            "What happens when a read file shrank or changed."),
        .init(
            .filesSink, "format", .choice(["json", "csv", "parquet", "debezium_json"]),
            default: "by suffix", "How rows are written."),
    ]

    private static let outputs: [OptionDefinition] = [
        .init(
            .delta, "location", .text, default: "required", "The table's path or URI."),
        .init(
            .delta, "partition_by", .columnList, default: "none", "The partition columns."),
        .init(
            .delta, "primary_key", .columnList, default: "none",
            "The upsert key of a materialized view."),
        .init(
            .delta, "target_file_size", .size, default: "128MB",
            "The size at which a data file is closed."),
        .init(
            .delta, "compression", .choice(["zstd", "snappy", "none"]), default: "zstd",
            "The codec of data files."),
        .init(
            .delta, "commit_interval", .interval, default: "checkpoint_interval",
            "The least time between two commits."),
        .init(
            .anyOutput, "emit", .choice(["on_close", "on_change"]), default: "on_close",
            "Whether windows speak once, or as they change."),
        .init(
            .anyOutput, "dead_letter", .table, default: "none",
            "Takes the rows that the output refuses."),
        .init(
            .anyOutput, "dead_letter_topic", .text, default: "none",
            "A Kafka topic that takes the rows that the output refuses."),
        .init(
            .anyOutput, "on_error", word, default: "dead_letter where it has a place, else fail",
            "What happens to a row that the output refuses."),
    ]

    private static let nexmark: [OptionDefinition] = [
        .init(.nexmark, "events", count, default: "endless", "How many events to make."),
        .init(
            .nexmark, "rate", count, default: "10000", "Events per second of event time."),
        .init(
            .nexmark, "seed", .integer(Int64.min...Int64.max), default: "1",
            "The same seed makes the same events."),
        .init(
            .nexmark, "start_time", .time, default: "2026-01-01", "The first event's time."),
        .init(
            .nexmark, "partitions", .integer(1...10_000), default: "1",
            "Into how many partitions events go."),
        .init(
            .nexmark, "out_of_order", .integer(1...1_000_000_000), default: "1",
            "Events are shuffled within groups of so many."),
        .init(
            .nexmark, "pace", .boolean, default: "false",
            "Whether events come at the rate by the clock, from the run's start on, instead of as "
                + "fast as possible."),
    ]

    private static let settings: [OptionDefinition] = [
        .init(
            .wholeFile, "checkpoint_interval", .interval, default: "10 s",
            "The time between two checkpoints."),
        .init(
            .wholeFile, "checkpoint_history", .integer(1...1000), default: "3",
            "How many checkpoints are kept."),
        .init(
            .wholeFile, "state_memory", .size, default: "a quarter of memory",
            "Memory for keyed state that has not changed since the last checkpoint."),
        .init(
            .wholeFile, "epoch_bytes", .size, default: "min(state_memory/4, 256MB)",
            "What an epoch changes in memory before a checkpoint comes early."),
        .init(
            .wholeFile, "pending_limit", .size, default: "10GB",
            "Uncommitted output of a sink on disk."),
        .init(
            .wholeFile, "batch_rows", .integer(1...1_048_576), default: "2048",
            "Rows of a batch at most."),
        .init(
            .wholeFile, "collect_limit", .integer(1...1_000_000_000), default: "10000",
            "Values of a group that array_agg and string_agg keep."),
        .init(
            .wholeFile, "application_name", .text, default: "the file's name",
            "The pipeline's name."),
        .init(
            .statements, "emit", .choice(["on_close", "on_change"]), default: "on_close",
            "The option of outputs that follow."),
        .init(
            .statements, "commit_interval", .interval, default: "checkpoint_interval",
            "The option of outputs that follow."),
        .init(
            .statements, "time_zone", .text, default: "UTC",
                "By whose clock expressions read, write and cut times."),
    ]
}

/// The reference of all options, as Markdown tables: docs/ is generated from it.
public func optionsMarkdown() -> String {
    OptionPlace.allCases.map { place in
        let rows = OptionTable.all.filter { $0.place == place }.map { option in
            "| `\(option.name)` | \(option.type.description) | \(option.defaultText)"
                + " | \(option.summary) |"
        }
        return
            (["## \(place.rawValue)", "", "| option | type | default | |", "|---|---|---|---|"]
            + rows).joined(separator: "\n")
    }.joined(separator: "\n\n") + "\n"
}
