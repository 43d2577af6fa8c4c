// A source as it runs: what is decoded, what is checked, what is computed.

public import Contracts
public import Kernels
public import Types

/// One `CREATE TABLE` that is read: one scan and one watermark (dialect.md §4.1).
public struct SourcePlan: Sendable {
    public let name: String
    public let connector: SourceConnector
    public let format: SourceFormat
    /// What the decoder delivers, in this order: fields of the message, then metadata columns.
    /// Only what the plan reads (dialect.md §3.3).
    public let decoded: [DecodedColumn]
    /// The scan's columns over the decoded ones: fields as they are, generated columns computed.
    public let computed: [Expression]
    /// The computed columns.
    public let schema: Schema
    /// NOT NULL and CHECK over `schema`; a row that breaks one is dead-lettered with its name.
    public let constraints: [SourceConstraint]
    /// Over `schema`; nil for `json` without key.
    public let primaryKey: [Int]
    /// A column of `schema`.
    public let eventTime: Int?
    public let watermarkDelay: Int64
    /// µs; nil = never idle.
    public let idleTimeout: Int64?
    public let maxAhead: Int64?
    public let onError: OnError
    public let deadLetterTopic: String?
    /// The table of this file that takes dead letters, or late rows: index into `Plan.outputs`.
    public let deadLetterOutput: Int?
    public let lateOutput: Int?
    public let place: SourcePlace?

    public init(
        name: String, connector: SourceConnector, format: SourceFormat, decoded: [DecodedColumn],
        computed: [Expression], schema: Schema, constraints: [SourceConstraint],
        primaryKey: [Int], eventTime: Int?, watermarkDelay: Int64, idleTimeout: Int64?,
        maxAhead: Int64?, onError: OnError, deadLetterTopic: String?, deadLetterOutput: Int?,
        lateOutput: Int?, place: SourcePlace?
    ) {
        self.name = name
        self.connector = connector
        self.format = format
        self.decoded = decoded
        self.computed = computed
        self.schema = schema
        self.constraints = constraints
        self.primaryKey = primaryKey
        self.eventTime = eventTime
        self.watermarkDelay = watermarkDelay
        self.idleTimeout = idleTimeout
        self.maxAhead = maxAhead
        self.onError = onError
        self.deadLetterTopic = deadLetterTopic
        self.deadLetterOutput = deadLetterOutput
        self.lateOutput = lateOutput
        self.place = place
    }
}

public enum OnError: String, Sendable { case deadLetter = "dead_letter", skip, fail }

public struct SourceConstraint: Sendable {
    /// The name of the column (NOT NULL) or of the CHECK.
    public let name: String
    public let reason: DataErrorReason
    /// Broken where this is false (a NULL check holds, as in PostgreSQL).
    public let condition: Expression
    /// What is said of a row that breaks it; nil: that the column is NULL, or that the check fails.
    public let detail: String?
    public let place: SourcePlace?

    public init(
        name: String, reason: DataErrorReason, condition: Expression, detail: String? = nil,
        place: SourcePlace?
    ) {
        self.name = name
        self.reason = reason
        self.condition = condition
        self.detail = detail
        self.place = place
    }

    /// What a row that breaks it is told.
    public func error(row: Int) -> RowError {
        RowError(
            row: row, reason: reason, constraint: name,
            detail: detail ?? (reason == .notNull ? "\(name) is NULL" : "check \(name) fails"),
            place: place)
    }
}

/// A column that the decoder delivers.
public struct DecodedColumn: Sendable, Hashable {
    public let origin: Origin
    public let type: LogicalType

    public enum Origin: Sendable, Hashable {
        /// The message's field of this name; for csv also its position in the declared table.
        case field(name: String, position: Int)
        case metadata(MetadataColumn)
        /// The whole value: `format = 'raw'`.
        case wholeValue
        /// The bytes of an `IncompleteRow`, NULL for a whole row; last. Only sources whose records
        /// may leave values out have it (`debezium_json`).
        case incomplete
    }

    public init(_ origin: Origin, _ type: LogicalType) {
        self.origin = origin
        self.type = type
    }
}

public enum MetadataColumn: String, Sendable, CaseIterable {
    case topic = "_topic"
    case partition = "_partition"
    case offset = "_offset"
    case timestamp = "_timestamp"
    case key = "_key"
    case value = "_value"
    case headers = "_headers"
    case extractedAt = "_extracted_at"
    case source = "_source"
}

public enum SourceConnector: Sendable {
    case kafka(KafkaSourceOptions)
    case files(FilesSourceOptions)
    case nexmark(NexmarkOptions)
    /// Rows given in the text itself: tests and `VALUES`.
    case values(rows: [[Scalar]])
}

public struct SourceFormat: Sendable {
    public enum Kind: String, Sendable {
        case json, csv, raw, parquet
        case debeziumJSON = "debezium_json"
        /// Columns come ready-made: nexmark, values.
        case columns
    }

    public let kind: Kind
    public let timestampFormat: TimestampFormat
    public let isStrictJSON: Bool
    public let keyFormat: KeyFormat?
    public let delimiter: UInt8
    public let hasHeader: Bool
    public let nullText: [UInt8]
    /// All declared columns in order, for csv and keys.
    public let declared: [Field]
    /// What Debezium writes for a value that it does not have (`unavailable.value.placeholder`).
    public let unavailableValue: String

    public static let unavailableValue = "__debezium_unavailable_value"

    public init(
        kind: Kind, timestampFormat: TimestampFormat = .iso8601, isStrictJSON: Bool = false,
        keyFormat: KeyFormat? = nil, delimiter: UInt8 = 0x2c, hasHeader: Bool = false,
        nullText: [UInt8] = [], declared: [Field] = [],
        unavailableValue: String = SourceFormat.unavailableValue
    ) {
        self.kind = kind
        self.timestampFormat = timestampFormat
        self.isStrictJSON = isStrictJSON
        self.keyFormat = keyFormat
        self.delimiter = delimiter
        self.hasHeader = hasHeader
        self.nullText = nullText
        self.declared = declared
        self.unavailableValue = unavailableValue
    }
}

public enum TimestampFormat: String, Sendable {
    case iso8601
    case unixSeconds = "unix_s"
    case unixMilliseconds = "unix_ms"
    case unixMicroseconds = "unix_us"
    case unixNanoseconds = "unix_ns"
}

public enum KeyFormat: String, Sendable { case json, raw }

public struct KafkaSourceOptions: Sendable {
    public let topic: String
    public let bootstrapServers: String
    /// nil = all.
    public let partitions: [ClosedRange<Int32>]?
    public let start: Start
    public let onOffsetLost: OnOffsetLost
    /// `"kafka.<name>"` without the prefix; may hold secrets: never printed.
    public let properties: [String: String]

    /// Where a partition without a stored offset begins; time in µs.
    public enum Start: Sendable, Hashable { case earliest, latest, time(Int64) }

    public init(
        topic: String, bootstrapServers: String, partitions: [ClosedRange<Int32>]?, start: Start,
        onOffsetLost: OnOffsetLost, properties: [String: String]
    ) {
        self.topic = topic
        self.bootstrapServers = bootstrapServers
        self.partitions = partitions
        self.start = start
        self.onOffsetLost = onOffsetLost
        self.properties = properties
    }
}

public enum OnOffsetLost: String, Sendable { case fail, earliest, latest }

public struct FilesSourceOptions: Sendable {
    public let path: String
    /// nil: a partition a file when bounded, one partition when live (dialect.md §4.2).
    public let parallelFiles: Bool?
    public let onOffsetLost: OnOffsetLost

    public init(path: String, parallelFiles: Bool?, onOffsetLost: OnOffsetLost) {
        self.path = path
        self.parallelFiles = parallelFiles
        self.onOffsetLost = onOffsetLost
    }
}

public struct NexmarkOptions: Sendable, Hashable {
    /// nil = endless.
    public let events: Int64?
    /// Events per second of event time.
    public let rate: Int64
    public let seed: Int64
    /// µs.
    public let startTime: Int64
    public let partitions: Int
    public let outOfOrder: Int
    /// By the clock instead of as fast as possible.
    public let isPaced: Bool

    public init(
        events: Int64?, rate: Int64, seed: Int64, startTime: Int64, partitions: Int,
        outOfOrder: Int, isPaced: Bool
    ) {
        self.events = events
        self.rate = rate
        self.seed = seed
        self.startTime = startTime
        self.partitions = partitions
        self.outOfOrder = outOfOrder
        self.isPaced = isPaced
    }
}
