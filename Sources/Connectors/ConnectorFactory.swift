// From a plan to running connectors: the one place that knows them all.

public import Columns
public import Contracts
public import Environment
public import Planning
public import Progress
public import Types

/// What every connector is given.
public struct ConnectorContext: Sendable {
    public let identity: Identity
    public let mode: RunMode
    public let clock: Clock
    public let workers: Int
    /// A broker that is away ends the run instead of being waited for.
    public let failFast: Bool
    /// `--adopt`, `--beside`: what to do about a table that another pipeline has filled.
    public let foreignTable: ForeignTable
    public let log: @Sendable (LogLine) -> Void
    /// Whether the run was asked to stop: nobody waits for the outside any longer.
    public var isStopping: @Sendable () -> Bool = { false }
    /// The epoch that the first rows will belong to; set before writers are made.
    public var nextEpoch: UInt64 = 1
    /// Whether chunks must tell their rows' offsets: outputs of an adopted pipeline stand apart.
    public var wantsRowOffsets = false

    public enum ForeignTable: Sendable, Hashable { case refuse, adopt, beside }

    public init(
        identity: Identity, mode: RunMode, clock: Clock, workers: Int, failFast: Bool,
        foreignTable: ForeignTable, log: @escaping @Sendable (LogLine) -> Void
    ) {
        self.identity = identity
        self.mode = mode
        self.clock = clock
        self.workers = workers
        self.failFast = failFast
        self.foreignTable = foreignTable
        self.log = log
    }
}

/// A line of the structured log.
public struct LogLine: Sendable {
    public enum Level: Int, Sendable, Comparable {
        case debug, info, warning, error

        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    public let level: Level
    public let message: String
    public let fields: [(name: String, value: String)]

    public init(_ level: Level, _ message: String, _ fields: [(name: String, value: String)] = []) {
        self.level = level
        self.message = message
        self.fields = fields
    }
}

/// Makes sources, writers and committers. The runtime takes it as a value, so that `test` and
/// `query` can put their own beside the real ones.
public protocol ConnectorFactory: Sendable {
    func makeSource(_ plan: SourcePlan, _ context: ConnectorContext) throws(Failure) -> any Source
    func makeWriter(
        output: Int, of plan: Plan, worker: Int, _ context: ConnectorContext
    ) throws(Failure) -> any SinkWriter
    /// Rows as JSON objects, for dead letters.
    func encodeAsJSON(_ rows: Batch, schema: Schema) -> [[UInt8]]
    /// One a target: tables of their own, Kafka by cluster (dead-letter topics included).
    func makeCommitters(of plan: Plan, _ context: ConnectorContext) throws(Failure)
        -> [any SinkCommitter]
}
