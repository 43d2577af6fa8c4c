// All files of a path as one partition, in the order of their names.

import Columns
import Contracts
import Environment
import Kernels
import Planning
import Progress
import Types

final class FilesSeries: FilesPartition {
    private var offset: PartitionOffset
    private let cursors: FilesCursorPlan
    private let listing: FilesListing
    private let source: FilesSource
    private let log: @Sendable (LogLine) -> Void
    /// The file that is being read; nil: none has been found yet.
    private var current: String?
    private var cursor: (any FilesCursor)?
    /// ms: no file before `current` was newer at this time.
    private var lookedAt: Int64
    private var nextCheck: UInt64 = 0
    /// Bounded: the files that there were at epoch 0 and their sizes.
    private let fixed: [(path: String, size: Int64)]?
    private var highestTime: Int64
    private var isFirstOfFile = false

    /// Files that were read are looked at again so often, ns.
    static let checkInterval: UInt64 = 10_000_000_000

    init(
        _ offset: PartitionOffset, _ cursors: FilesCursorPlan, _ listing: FilesListing,
        source: FilesSource, context: ConnectorContext
    ) throws(Failure) {
        self.offset = offset
        self.cursors = cursors
        self.listing = listing
        self.source = source
        log = context.log
        current = offset.detail
        highestTime = offset.highestTime
        lookedAt = offset.fingerprint?.timestamp ?? (cursors.clock.now() / 1_000)
        if let end = offset.end {
            fixed = try FilesSeries.files(listing.files(), cursors, total: end)
        } else {
            fixed = nil
        }
    }

    var path: String { current ?? offset.partition }
    var hasEnded: Bool { offset.end != nil }

    /// Sizes of all files together: where a bounded series ends.
    static func total(_ files: [String], _ cursors: FilesCursorPlan) throws(Failure) -> Int64 {
        var total: Int64 = 0
        for path in files { total += try cursors.measure(path) }
        return total
    }

    /// The first files, which together have `total`: the set of epoch 0.
    private static func files(
        _ files: [String], _ cursors: FilesCursorPlan, total: Int64
    ) throws(Failure) -> [(path: String, size: Int64)] {
        var found: [(path: String, size: Int64)] = []
        var sum: Int64 = 0
        for path in files where sum < total {
            let size = try cursors.measure(path)
            found.append((path, size))
            sum += size
        }
        guard sum == total else {
            throw Failure(
                .dataLost, "files.lost",
                "the files have \(sum) bytes or rows, not the \(total) they had at the start",
                hint: "a file was removed, shrank or grew: begin again with a new --state")
        }
        return found
    }

    // MARK: Reading

    func next(maximumRows: Int) throws(Failure) -> FilesRows? {
        try checkNowAndThen()
        while true {
            if cursor == nil, !(try open()) {
                guard try goOn() else { return nil }
                continue
            }
            if let rows = try cursor?.next(maximumRows: maximumRows) {
                note(rows)
                return rows
            }
            if following() == nil { return nil }
            // Whoever wrote this file has gone on to another: its last line is whole.
            cursor?.finish()
            if let rows = try cursor?.next(maximumRows: maximumRows) {
                note(rows)
                return rows
            }
            guard try goOn() else { return nil }
        }
    }

    /// Opens the current file where it was left. False: there is none.
    private func open() throws(Failure) -> Bool {
        guard let current, LocalFiles.facts(current) != nil else { return false }
        let size = fixed?.first { $0.path == current }?.size
        if fixed != nil, size == nil { return false }
        cursor = try cursors.open(current, at: offset.next, end: size)
        isFirstOfFile = offset.next == 0
        return true
    }

    /// To the next file. False: there is none yet.
    private func goOn() throws(Failure) -> Bool {
        guard let next = following() else { return false }
        if let current, let changed = LocalFiles.facts(current)?.changed {
            lookedAt = max(lookedAt, changed)
        }
        cursor = nil
        current = next
        offset = PartitionOffset(
            source: offset.source, partition: offset.partition, next: 0,
            fingerprint: .init(offset: 0, timestamp: lookedAt, hash: 0),
            highestTime: offset.highestTime, end: offset.end, detail: next)
        return true
    }

    private func following() -> String? {
        let files = fixed?.map(\.path) ?? listing.files()
        guard let current else { return files.first }
        return files.first { current.utf8.lexicographicallyPrecedes($0.utf8) }
    }

    private func checkNowAndThen() throws(Failure) {
        guard fixed == nil, let current else { return }
        let now = cursors.clock.monotonicNanoseconds()
        guard now >= nextCheck else { return }
        nextCheck = now + FilesSeries.checkInterval
        let time = cursors.clock.now() / 1_000
        try source.checkBefore(current, since: lookedAt)
        lookedAt = max(lookedAt, time)
    }

    /// A file whose first row is behind the watermark was meant to be read beside the one before
    /// it.
    private func note(_ rows: FilesRows) {
        guard let column = cursors.plan.eventTime, let time = decodedTimes(rows, column) else {
            return
        }
        if isFirstOfFile, let first = time.first {
            isFirstOfFile = false
            let delay = cursors.plan.watermarkDelay
            if highestTime != EventTime.never, first < highestTime &- delay {
                log(
                    LogLine(
                        .warning, "\(path) begins behind the watermark of the files before it",
                        [
                            ("source", cursors.plan.name),
                            ("hint", "parallel_files = 'true' gives each file its own"),
                        ]))
            }
        }
        for value in time { highestTime = max(highestTime, value) }
    }

    /// The event times, where they are a field as it stands in the file.
    private func decodedTimes(_ rows: FilesRows, _ column: Int) -> [Int64]? {
        guard case .column(let decoded, _) = cursors.plan.computed[column],
            case .int64(let times) = rows.batch.columns[decoded].values
        else { return nil }
        return times
    }

    // MARK: Position

    var position: PartitionOffset {
        guard let cursor else { return offset }
        let print = cursor.previous.map { ($0.offset, $0.hash) }
        let kept = offset.fingerprint.map { ($0.offset, $0.hash) }
        let (start, hash) = print ?? kept ?? (0, 0)
        return PartitionOffset(
            source: offset.source, partition: offset.partition, next: cursor.position,
            fingerprint: .init(offset: start, timestamp: lookedAt, hash: hash),
            highestTime: offset.highestTime, end: offset.end, detail: current)
    }

    /// The file stays open: more will come to it, or another will follow.
    func rest() {}
}
