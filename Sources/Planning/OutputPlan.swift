// An output as it runs.

public import Contracts
public import Types

/// One table that rows are written to: a materialized view, or a table with its INSERTs.
public struct OutputPlan: Sendable {
    public let name: String
    public let connector: SinkConnector
    /// What the sink writes; the `sink` node's input has these columns, cast already.
    public let schema: Schema
    public let mode: OutputMode
    /// NOT NULL and CHECK of a declared table; broken: dead-lettered.
    public let constraints: [SourceConstraint]
    public let onError: OnError
    public let deadLetterTopic: String?
    public let deadLetterOutput: Int?
    public let commitIntervalMicroseconds: Int64
    /// A stable name of the output in markers and state: hash of name and query.
    public let outputID: UInt64
    public let place: SourcePlace?

    public init(
        name: String, connector: SinkConnector, schema: Schema, mode: OutputMode,
        constraints: [SourceConstraint], onError: OnError, deadLetterTopic: String?,
        deadLetterOutput: Int?, commitIntervalMicroseconds: Int64, outputID: UInt64,
        place: SourcePlace?
    ) {
        self.name = name
        self.connector = connector
        self.schema = schema
        self.mode = mode
        self.constraints = constraints
        self.onError = onError
        self.deadLetterTopic = deadLetterTopic
        self.deadLetterOutput = deadLetterOutput
        self.commitIntervalMicroseconds = commitIntervalMicroseconds
        self.outputID = outputID
        self.place = place
    }
}

/// How the rows of a sink are meant.
public enum OutputMode: Sendable, Hashable {
    case append
    /// Last row of each key wins, −1 deletes; columns of the output's schema (none: one row).
    case upsert(key: [Int])
    /// Every change as a record (`format = 'debezium_json'`, `print`).
    case changelog(key: [Int])
}

public enum SinkConnector: Sendable {
    case kafka(KafkaSinkOptions)
    case delta(DeltaSinkOptions)
    case files(FilesSinkOptions)
    case blackhole
    case print
    /// Rows are handed to the caller: `query`, `test`, dead-letter routing.
    case collect
}

public struct KafkaSinkOptions: Sendable {
    public enum Format: String, Sendable { case json, debeziumJSON = "debezium_json" }

    public let topic: String
    public let bootstrapServers: String
    public let format: Format
    /// Columns of the output's schema; nil: records without a key.
    public let keyColumns: [Int]?
    public let createsTopic: Bool
    public let topicPartitions: Int?
    public let properties: [String: String]

    public init(
        topic: String, bootstrapServers: String, format: Format, keyColumns: [Int]?,
        createsTopic: Bool, topicPartitions: Int?, properties: [String: String]
    ) {
        self.topic = topic
        self.bootstrapServers = bootstrapServers
        self.format = format
        self.keyColumns = keyColumns
        self.createsTopic = createsTopic
        self.topicPartitions = topicPartitions
        self.properties = properties
    }
}

public struct DeltaSinkOptions: Sendable, Hashable {
    public enum Compression: String, Sendable { case zstd, snappy, none }

    public let location: String
    /// Columns of the output's schema.
    public let partitionColumns: [Int]
    public let targetFileSize: Int64
    public let compression: Compression

    public init(
        location: String, partitionColumns: [Int], targetFileSize: Int64, compression: Compression
    ) {
        self.location = location
        self.partitionColumns = partitionColumns
        self.targetFileSize = targetFileSize
        self.compression = compression
    }
}

public struct FilesSinkOptions: Sendable, Hashable {
    public enum Format: String, Sendable { case json, csv, parquet, debeziumJSON = "debezium_json" }

    public let path: String
    public let format: Format

    public init(path: String, format: Format) {
        self.path = path
        self.format = format
    }
}
