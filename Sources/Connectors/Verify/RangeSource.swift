// A source that gives exactly what a pipeline has read: from where it began to where it stands.

import Columns
import Contracts
import Planning
import Progress

final class RangeSource: Source {
    var plan: SourcePlan { inner.plan }
    private let inner: any Source
    private let ranges: [ReadRange]
    /// Whether the source knows no end but its own: chunks are then cut here.
    private let cutsChunks: Bool

    init(_ inner: any Source, _ ranges: [ReadRange], cutsChunks: Bool) {
        self.inner = inner
        self.ranges = ranges
        self.cutsChunks = cutsChunks
    }

    func begin(stored: [PartitionOffset]) throws(Failure) {
        // The layout of files follows from it.
        try inner.begin(stored: ranges.filter { !$0.isSeries }.map { start(of: $0) })
    }

    func discover() throws(Failure) -> [String] {
        _ = try inner.discover()
        return ranges.map(\.position.partition)
    }

    private func start(of range: ReadRange) -> PartitionOffset {
        PartitionOffset(
            source: plan.name, partition: range.position.partition, next: range.begin,
            fingerprint: nil, highestTime: EventTime.never, end: range.position.next)
    }

    /// What was read must still be there: the position by its fingerprint, then the beginning.
    func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        guard let range = ranges.first(where: { $0.position.partition == partition }) else {
            bug("a partition that was not discovered")
        }
        if range.isSeries {
            return try inner.resolve(partition: partition, stored: nil, mode: .availableNow)
        }
        let position = range.position
        _ = try inner.resolve(partition: partition, stored: position, mode: .live)
        let begun = try inner.resolve(
            partition: partition, stored: start(of: range), mode: .bounded)
        guard begun.next == range.begin else {
            throw Failure(
                .dataLost, "verify.source_gone",
                "\(plan.name)/\(partition): \(range.begin) to \(begun.next - 1) are gone")
        }
        return PartitionOffset(
            source: plan.name, partition: partition, next: range.begin, fingerprint: nil,
            highestTime: EventTime.never, end: position.next)
    }

    func makeReader(
        worker: Int, workers: Int, partitions: [PartitionOffset]
    ) throws(Failure) -> any SourceReader {
        guard cutsChunks else {
            return try inner.makeReader(worker: worker, workers: workers, partitions: partitions)
        }
        var readers: [any SourceReader] = []
        for partition in partitions {
            readers.append(
                try inner.makeReader(worker: worker, workers: workers, partitions: [partition]))
        }
        return CutReader(readers, partitions)
    }

    func checkpointed(_ offsets: [PartitionOffset]) {}
    var lag: Int64? { nil }
}

/// A reader a partition, each cut off at the partition's end.
private final class CutReader: SourceReader {
    private let readers: [any SourceReader]
    private(set) var positions: [PartitionOffset]
    private var hasEnded: [Bool]
    private var turn = 0

    init(_ readers: [any SourceReader], _ partitions: [PartitionOffset]) {
        self.readers = readers
        positions = partitions
        hasEnded = partitions.map { _ in false }
    }

    func add(_ partition: PartitionOffset) throws(Failure) {
        bug("a recomputation's partitions are known")
    }

    func poll(maximumRows: Int) throws(Failure) -> SourceChunk? {
        for _ in positions.indices {
            let index = turn
            turn = (turn + 1) % positions.count
            if hasEnded[index] { continue }
            return try next(index, maximumRows)
        }
        return nil
    }

    private func next(_ index: Int, _ maximumRows: Int) throws(Failure) -> SourceChunk? {
        let position = positions[index]
        let end = position.end.required("a range without an end")
        if position.next >= end {
            hasEnded[index] = true
            return empty(index)
        }
        guard let chunk = try readers[index].poll(maximumRows: maximumRows) else { return nil }
        let reached = min(readers[index].positions[0].next, end)
        hasEnded[index] = reached == end || chunk.isAtEnd
        positions[index] = PartitionOffset(
            source: position.source, partition: position.partition, next: reached,
            fingerprint: nil, highestTime: position.highestTime, end: end)
        let kept = (0..<Int32(chunk.batch.rowCount)).filter { chunk.rowOffsets[Int($0)] < end }
        let batch = kept.count == chunk.batch.rowCount ? chunk.batch : chunk.batch.gather(kept)
        let refused = chunk.refused.filter { $0.offset < end }
        let records = Int(reached - position.next)
        return SourceChunk(
            partition: index, batch: batch, refused: refused, recordCount: records,
            skippedCount: records - batch.rowCount - refused.count, isAtEnd: hasEnded[index],
            rowOffsets: kept.map { chunk.rowOffsets[Int($0)] })
    }

    /// Nothing was read of the partition.
    private func empty(_ index: Int) -> SourceChunk? {
        guard let chunk = try? readers[index].poll(maximumRows: 1) else { return nil }
        return SourceChunk(
            partition: index, batch: chunk.batch.gather([]), refused: [], recordCount: 0,
            skippedCount: 0, isAtEnd: true)
    }
}
