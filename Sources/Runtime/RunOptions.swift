// How a pipeline is run, and what it says when it is done.

public import Connectors
public import Contracts
public import Environment
public import Progress

/// Everything about a run that is not in the plan.
public struct RunOptions: Sendable {
    public var mode: RunMode
    public var workers: Int
    public var failFast = false
    public var foreignTable = ConnectorContext.ForeignTable.refuse
    public var clock = Clock.system
    /// Places as `file:line:column`.
    public var describe: @Sendable (SourcePlace) -> String = { "\($0.file):\($0.offset)" }
    public var log: @Sendable (LogLine) -> Void = { _ in }
    /// Called about once a second.
    public var onProgress: @Sendable (ProgressReport) -> Void = { _ in }
    /// µs between looks for new partitions.
    public var discoveryInterval: Int64 = 10_000_000

    /// A simulation's: everything then runs on the calling thread, turn by turn. Nil: a thread for
    /// each worker and committer.
    public var turnOrder: (any TurnOrder)?

    public init(mode: RunMode, workers: Int) {
        self.mode = mode
        self.workers = workers
    }
}

/// One progress line.
public struct ProgressReport: Sendable {
    public var recordsPerSecond: Double
    public var records: Int64
    public var lag: Int64?
    /// µs; `EventTime.never` before the first row.
    public var watermark: Int64
    public var epoch: UInt64
    public var stateBytes: Int64
    /// Bytes of the last checkpoint.
    public var checkpointBytes: Int64
    /// Sources and sinks that are away, with what they said.
    public var waiting: [String]
}

/// What a run did, counted since the pipeline began.
public struct RunSummary: Sendable {
    public var epoch: UInt64
    public var sources: [SourceSummary]
    public var outputs: [OutputSummary]
    /// Rows that were late, refused, or failed: what `--strict` looks at.
    public var lateRows: Int64
    public var deadRows: Int64
    /// Targets that hold open epochs, by name: a sink that was away at the end.
    public var openEpochs: [(name: String, epochs: [UInt64])]
    /// In the order of the plan.
    public var operators: [OperatorSummary]
    /// Conservation, of the first epoch where it did not hold: the difference between what came in
    /// and what became of it.
    public var imbalances: [(place: String, difference: Int64)]

    public struct SourceSummary: Sendable {
        public var name: String
        public var counters: [String: Int64]
        /// What became of its rows in operators that read no other source.
        public var late: Int64
        /// Refused records, and rows that failed later.
        public var dead: Int64
        public var filtered: Int64
        public var offsets: [PartitionOffset]
    }

    public struct OutputSummary: Sendable {
        public var name: String
        public var rows: Int64
        public var commits: Int64
        public var version: Int64?
        /// Order-independent, of the rows that stand (OutputTally); nil where none is kept.
        public var digest: UInt64?
    }
}
