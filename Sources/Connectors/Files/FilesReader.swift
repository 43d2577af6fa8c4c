// The reading side of a files source on one worker: takes its partitions in turn, few at a time.

import Columns
import Contracts
import Environment
import Planning
import Progress
import Types

/// One partition that is being read.
protocol FilesPartition: AnyObject {
    /// The next records; nil: there are none now.
    func next(maximumRows: Int) throws(Failure) -> FilesRows?
    /// Where it stands.
    var position: PartitionOffset { get }
    /// Whether nothing can follow: of a bounded run.
    var hasEnded: Bool { get }
    /// Gives back what an idle partition need not hold.
    func rest()
    /// `_topic` of its dead letters: the file.
    var path: String { get }
}

final class FilesReader: SourceReader {
    private let source: FilesSource
    private let scan: Scan
    private let clock: Clock
    private let wantsRowOffsets: Bool
    private var slots: [Slot] = []
    private var turn = 0

    /// Files that are open at once: each holds a descriptor and a chunk. The others wait their
    /// turn, so memory does not grow with the number of files.
    static let openLimit = 16
    /// A file that was read to its end is looked at again so often, ns.
    static let lookInterval: UInt64 = 100_000_000

    private struct Slot {
        var offset: PartitionOffset
        var partition: (any FilesPartition)?
        var state = State.waiting
        /// Whether the end has been reported since the last record.
        var hasReported = false
    }

    private enum State: Equatable {
        case waiting, open
        /// At its present end; looked at again at this time, ns.
        case asleep(until: UInt64)
        case ended
    }

    init(_ source: FilesSource, _ context: ConnectorContext, _ partitions: [PartitionOffset]) {
        self.source = source
        scan = Scan(source.plan)
        clock = context.clock
        wantsRowOffsets = context.wantsRowOffsets
        slots = partitions.map { Slot(offset: $0) }
    }

    func add(_ partition: PartitionOffset) throws(Failure) {
        slots.append(Slot(offset: partition))
    }

    var positions: [PartitionOffset] { slots.map { $0.partition?.position ?? $0.offset } }

    func poll(maximumRows: Int) throws(Failure) -> SourceChunk? {
        var open = slots.count { $0.state == .open }
        let now = clock.monotonicNanoseconds()
        for step in slots.indices {
            let index = (turn + step) % slots.count
            switch slots[index].state {
            case .ended: continue
            case .waiting where open >= FilesReader.openLimit: continue
            case .asleep(let until) where now < until || open >= FilesReader.openLimit: continue
            case .waiting, .asleep, .open: break
            }
            if slots[index].state != .open { open += 1 }
            if let chunk = try poll(index, maximumRows, now) {
                turn = (index + 1) % slots.count
                return chunk
            }
            open -= 1
        }
        return nil
    }

    /// nil: there is nothing now, and that has been said.
    private func poll(
        _ index: Int, _ maximumRows: Int, _ now: UInt64
    ) throws(Failure) -> SourceChunk? {
        slots[index].state = .open
        let partition = try partition(index)
        if let rows = try partition.next(maximumRows: maximumRows) {
            slots[index].hasReported = false
            return chunk(rows, index, partition)
        }
        slots[index].offset = partition.position
        if partition.hasEnded {
            slots[index].state = .ended
            slots[index].partition = nil
        } else {
            slots[index].state = .asleep(until: now + FilesReader.lookInterval)
            partition.rest()
        }
        guard !slots[index].hasReported else { return nil }
        slots[index].hasReported = true
        let empty = Batch(
            rowCount: 0, columns: source.plan.schema.types.map { Column.nulls($0, count: 0) })
        return SourceChunk(
            partition: index, batch: empty, refused: [], recordCount: 0, skippedCount: 0,
            isAtEnd: true)
    }

    private func partition(_ index: Int) throws(Failure) -> any FilesPartition {
        if let partition = slots[index].partition { return partition }
        let made = try source.makePartition(slots[index].offset)
        slots[index].partition = made
        return made
    }

    private func chunk(
        _ rows: FilesRows, _ index: Int, _ partition: any FilesPartition
    ) -> SourceChunk {
        let unknown = [Int64](repeating: -1, count: rows.batch.rowCount)
        let result = scan.check(rows.batch, timestamps: unknown)
        var refused: [RefusedRecord] = []
        for bad in rows.errors {
            refused.append(letter(bad.offset, bad.value, bad.error, index, partition.path))
        }
        for error in result.errors {
            refused.append(
                letter(
                    rows.offsets[error.row], rows.bytes(error.row), error, index, partition.path))
        }
        refused.sort { $0.offset < $1.offset }
        return SourceChunk(
            partition: index, batch: result.batch, refused: refused,
            recordCount: rows.recordCount, skippedCount: rows.skippedCount, isAtEnd: false,
            rowOffsets: wantsRowOffsets ? result.kept(of: rows.offsets) : [])
    }

    private func letter(
        _ offset: Int64, _ value: [UInt8]?, _ error: RowError, _ index: Int, _ path: String
    ) -> RefusedRecord {
        RefusedRecord(
            source: source.plan.name, topic: path, partition: slots[index].offset.partition,
            offset: offset, timestamp: -1, key: nil, value: value, error: error)
    }
}

/// A partition that is one file.
final class SingleFile: FilesPartition {
    private var offset: PartitionOffset
    private let cursors: FilesCursorPlan
    private let isLive: Bool
    private var cursor: (any FilesCursor)?
    /// Live: the file's size before it was last read; at rest it is opened again when that changes.
    private var seenSize: Int64?

    init(_ offset: PartitionOffset, _ cursors: FilesCursorPlan, isLive: Bool) {
        self.offset = offset
        self.cursors = cursors
        self.isLive = isLive
    }

    var path: String { offset.partition }
    var hasEnded: Bool { !isLive }

    func next(maximumRows: Int) throws(Failure) -> FilesRows? {
        if let end = offset.end, position.next >= end { return nil }
        if isLive {
            guard let size = LocalFiles.facts(path)?.byteCount else { return nil }
            if cursor == nil, size == seenSize { return nil }
            seenSize = size
        }
        if cursor == nil {
            cursor = try cursors.open(path, at: offset.next, end: offset.end)
        }
        return try cursor?.next(maximumRows: maximumRows)
    }

    var position: PartitionOffset {
        guard let cursor else { return offset }
        return PartitionOffset(
            source: offset.source, partition: offset.partition, next: cursor.position,
            fingerprint: cursor.previous.map {
                .init(
                    offset: $0.offset, timestamp: LocalFiles.facts(path)?.modified ?? -1,
                    hash: $0.hash)
            } ?? offset.fingerprint,
            highestTime: offset.highestTime, end: offset.end)
    }

    func rest() {
        offset = position
        cursor = nil
    }
}
