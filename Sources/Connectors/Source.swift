// What the runtime needs of a source connector: find partitions, resolve offsets, read chunks.

public import Columns
public import Contracts
public import Planning
public import Progress

/// How far a run goes (dialect.md §6).
public enum RunMode: Sendable, Hashable {
    /// Until it is told to stop.
    case live
    /// To the ends at start, resolved once and stored; then all windows close.
    case bounded
    /// To the present ends; windows stay open and the next run goes on.
    case availableNow
}

/// One scan of the plan, for all workers. Thread-safe: the control thread discovers and resolves
/// while workers read.
public protocol Source: AnyObject, Sendable {
    var plan: SourcePlan { get }

    /// Told once, before the first `discover`, what the last checkpoint holds of this source; empty
    /// when there is none.
    func begin(stored: [PartitionOffset]) throws(Failure)

    /// The partitions that exist now, in order. Retries while the outside is away, unless
    /// `failFast`.
    func discover() throws(Failure) -> [String]

    /// Where a partition begins and, unless the run is live, ends: `stored` from the last
    /// checkpoint or nil. A bounded run keeps a stored end; `availableNow` asks anew. Checks that a
    /// stored position still means the same records (design.md §3.10).
    func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset

    /// The reader of one worker for these partitions; called once a worker.
    func makeReader(worker: Int, workers: Int, partitions: [PartitionOffset]) throws(Failure)
        -> any SourceReader

    /// Told after each checkpoint, for lag tools; nothing is read back from it.
    func checkpointed(_ offsets: [PartitionOffset])

    /// Records behind the end of all partitions, if the source knows; for the progress line.
    var lag: Int64? { get }

    /// Why nothing comes, while the outside is away; for the progress line.
    var trouble: String? { get }
}

extension Source {
    /// A source that finds out all it needs for itself.
    public func begin(stored: [PartitionOffset]) throws(Failure) {}

    public var trouble: String? { nil }
}

/// One worker's reading side of a source. Used on the worker's thread only.
public protocol SourceReader: AnyObject {
    /// A partition that was noticed while running; its chunks carry the next number.
    func add(_ partition: PartitionOffset) throws(Failure)

    /// The next records of one partition, at most `maximumRows`; nil if there are none right now.
    /// Never waits: the worker does, when none of its sources has anything. `positions` moves with
    /// it.
    func poll(maximumRows: Int) throws(Failure) -> SourceChunk?

    /// Where each of the reader's partitions stands, in their order: all that was polled is behind.
    /// `highestTime` is the runtime's business.
    var positions: [PartitionOffset] { get }
}

/// Records of one partition, decoded and checked against the source's contract.
public struct SourceChunk: Sendable {
    /// Position in the reader's partitions.
    public let partition: Int
    /// Rows that keep the contract: columns of `SourcePlan.schema`, in offset order. The change
    /// column is set for sources with a PRIMARY KEY.
    public let batch: Batch
    /// Rows that break it.
    public let refused: [RefusedRecord]
    /// Records read: rows + refused + skipped.
    public let recordCount: Int
    /// Tombstones and what else is no row.
    public let skippedCount: Int
    /// Whether the partition stands at its end: of a bounded run, or of what is there now.
    public let isAtEnd: Bool
    /// The offset of each row of `batch`, ascending; empty unless the context asks for them.
    public let rowOffsets: [Int64]

    public init(
        partition: Int, batch: Batch, refused: [RefusedRecord], recordCount: Int,
        skippedCount: Int, isAtEnd: Bool, rowOffsets: [Int64] = []
    ) {
        self.partition = partition
        self.batch = batch
        self.refused = refused
        self.recordCount = recordCount
        self.skippedCount = skippedCount
        self.isAtEnd = isAtEnd
        self.rowOffsets = rowOffsets
    }
}

/// A record that broke a contract, with all that a dead letter tells (dialect.md §5.3).
public struct RefusedRecord: Sendable {
    public let source: String
    public let topic: String
    public let partition: String
    public let offset: Int64
    /// ms since 1970, as Kafka has it.
    public let timestamp: Int64
    public let key: [UInt8]?
    public let value: [UInt8]?
    public let error: RowError

    public init(
        source: String, topic: String, partition: String, offset: Int64, timestamp: Int64,
        key: [UInt8]?, value: [UInt8]?, error: RowError
    ) {
        self.source = source
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.error = error
    }
}
