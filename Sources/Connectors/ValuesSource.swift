// Rows given in advance: tests, and bounded reads that are in memory already.

public import Columns
public import Contracts
public import Planning
public import Progress
import Synchronization
import Types

/// A source of one or more partitions of rows that the caller feeds, in the columns of the source's
/// `decoded`. They pass the same scan as everybody's.
public final class ValuesSource: Source {
    public let plan: SourcePlan
    private let partitionNames: [String]
    private let rows: Mutex<[[Rows]]>
    private let consumed: Mutex<[Int]>

    fileprivate struct Rows {
        let batch: Batch
        /// The records' own times, ms; −1: none. nil: none has one.
        let timestamps: [Int64]?
    }

    /// `partitions` names them: "0", "1" ….
    public init(_ plan: SourcePlan, partitions: [String] = ["0"]) {
        self.plan = plan
        partitionNames = partitions
        rows = Mutex(Array(repeating: [], count: partitions.count))
        consumed = Mutex(Array(repeating: 0, count: partitions.count))
    }

    /// Appends rows to a partition; readers see them at their next poll. `timestamps`: the
    /// records' own times in ms, for `max_ahead`; −1: none.
    public func append(_ batch: Batch, partition: Int, timestamps: [Int64]? = nil) {
        rows.withLock { $0[partition].append(Rows(batch: batch, timestamps: timestamps)) }
    }

    /// Whether readers have polled all rows.
    public var isConsumed: Bool {
        let given = rows.withLock { $0.map(\.count) }
        return consumed.withLock { $0 } == given
    }

    fileprivate func given(partition: Int, at index: Int) -> Rows? {
        rows.withLock { index < $0[partition].count ? $0[partition][index] : nil }
    }

    fileprivate func note(partition: Int, consumed count: Int) {
        consumed.withLock { $0[partition] = count }
    }

    public func discover() throws(Failure) -> [String] { partitionNames }
    public func checkpointed(_ offsets: [PartitionOffset]) {}
    public var lag: Int64? { nil }

    public func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        stored
            ?? PartitionOffset(
                source: plan.name, partition: partition, next: 0, fingerprint: nil,
                highestTime: EventTime.never, end: nil)
    }

    public func makeReader(
        worker: Int, workers: Int, partitions: [PartitionOffset]
    ) throws(Failure) -> any SourceReader {
        ValuesReader(self, partitions, partitionNames)
    }
}

extension ValuesSource {
    fileprivate var tellsIncomplete: Bool { plan.decoded.last?.origin == .incomplete }
}

/// Offsets count batches: each fed batch is read whole, in pieces of `maximumRows`.
private final class ValuesReader: SourceReader {
    private let source: ValuesSource
    private let scan: Scan
    private let names: [String]
    private var rowOffsets: [Int]
    private(set) var positions: [PartitionOffset]
    private var turn = 0

    init(_ source: ValuesSource, _ partitions: [PartitionOffset], _ names: [String]) {
        self.source = source
        self.names = names
        scan = Scan(source.plan)
        positions = partitions
        rowOffsets = Array(repeating: 0, count: partitions.count)
    }

    func add(_ partition: PartitionOffset) throws(Failure) {
        positions.append(partition)
        rowOffsets.append(0)
    }

    func poll(maximumRows: Int) throws(Failure) -> SourceChunk? {
        for step in positions.indices {
            let partition = (turn + step) % positions.count
            if let chunk = next(partition, maximumRows) {
                turn = (partition + 1) % positions.count
                return chunk
            }
        }
        return nil
    }

    private func next(_ partition: Int, _ maximumRows: Int) -> SourceChunk? {
        let name = positions[partition].partition
        let number = names.firstIndex(of: name).required("a partition of another source")
        let index = Int(positions[partition].next)
        guard let given = source.given(partition: number, at: index) else {
            return endOnce(partition)
        }
        let batch = given.batch
        let first = rowOffsets[partition]
        var end = min(first + maximumRows, batch.rowCount)
        // What takes an old key away goes with the row behind it.
        if let column = batch.columns.last, end < batch.rowCount,
            IncompleteRow.isMarker(column, end - 1), source.tellsIncomplete
        {
            end += 1
        }
        let piece =
            first == 0 && end == batch.rowCount
            ? batch : batch.gather((first..<end).map { Int32($0) })
        let isWhole = end == batch.rowCount
        rowOffsets[partition] = isWhole ? 0 : end
        if isWhole {
            positions[partition] = moved(positions[partition], to: Int64(index + 1))
            source.note(partition: number, consumed: index + 1)
        }
        ended.remove(partition)
        let timestamps = given.timestamps.map { Array($0[first..<end]) }
        return chunk(piece, timestamps, partition: partition, record: index)
    }

    private var ended: Set<Int> = []

    /// Says once that the partition stands at its end.
    private func endOnce(_ partition: Int) -> SourceChunk? {
        guard ended.insert(partition).inserted else { return nil }
        let empty = Batch(
            rowCount: 0, columns: source.plan.schema.types.map { Column.nulls($0, count: 0) })
        return SourceChunk(
            partition: partition, batch: empty, refused: [], recordCount: 0, skippedCount: 0,
            isAtEnd: true)
    }

    private func chunk(
        _ piece: Batch, _ timestamps: [Int64]?, partition: Int, record: Int
    ) -> SourceChunk {
        let times = timestamps ?? Array(repeating: -1, count: piece.rowCount)
        let result = scan.check(piece, timestamps: times)
        let refused = result.errors.map { error in
            RefusedRecord(
                source: source.plan.name, topic: source.plan.name,
                partition: positions[partition].partition, offset: Int64(record),
                timestamp: times[error.row], key: nil, value: nil, error: error)
        }
        return SourceChunk(
            partition: partition, batch: result.batch, refused: refused,
            recordCount: piece.rowCount, skippedCount: 0, isAtEnd: false)
    }

    private func moved(_ offset: PartitionOffset, to next: Int64) -> PartitionOffset {
        PartitionOffset(
            source: offset.source, partition: offset.partition, next: next, fingerprint: nil,
            highestTime: offset.highestTime, end: offset.end)
    }
}
