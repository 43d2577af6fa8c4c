// Files as a source (dialect.md §4.2): each file a partition, or all of them one after the other as
// one.
//
// A bounded run takes each file as a partition, and the set is what there was at epoch 0. A live
// run,
// and `available-now`, whose next run goes on where it ended, take the path as one partition: a
// series of files in the order of their names, whose position is (file, byte).
//
// What was read must stay as it was. For the file that is being read the hash of the record before
// the position tells; for those before it in a series, the time of their last change: one that is
// newer than the last look has appeared or changed since, and its rows are missing from the result.

import Columns
import Contracts
import Environment
import Parquet
import Planning
import Progress
import Synchronization
import Types

final class FilesSource: Source {
    let plan: SourcePlan
    private let options: FilesSourceOptions
    private let listing: FilesListing
    private let context: ConnectorContext
    /// Whether each file is a partition.
    private let isParallel: Bool
    private let known: Mutex<Known>

    private struct Known {
        /// The partitions of a bounded run that began earlier.
        var fixed: [String]?
        /// `_partition` of each partition.
        var numbers: [String: Int32] = [:]
    }

    init(
        _ plan: SourcePlan, _ options: FilesSourceOptions, _ context: ConnectorContext
    ) throws(Failure) {
        self.plan = plan
        self.options = options
        self.context = context
        listing = FilesListing(path: options.path)
        isParallel = options.parallelFiles ?? (context.mode == .bounded)
        known = Mutex(Known())
        if plan.format.kind == .parquet, FileCompression(ofFile: options.path) != nil {
            throw Failure(
                .invalid, "files.compressed_parquet",
                "\(options.path): a Parquet file is compressed inside, not as a whole",
                place: plan.place)
        }
    }

    var lag: Int64? { nil }
    func checkpointed(_ offsets: [PartitionOffset]) {}

    // MARK: Partitions

    /// A directory that was written with the other layout would be read again from the start.
    func begin(stored: [PartitionOffset]) throws(Failure) {
        guard !stored.isEmpty else { return }
        let isOneFile = LocalFiles.facts(options.path) != nil
        let wasSeries = stored.contains { $0.partition == options.path }
        guard isOneFile || wasSeries != isParallel else {
            throw Failure(
                .invalid, "files.layout_changed",
                "the state directory has read \(options.path) as "
                    + (wasSeries ? "one partition" : "a partition a file")
                    + ", this run would read it as "
                    + (wasSeries ? "a partition a file" : "one partition"),
                hint: "say it in the source: parallel_files = '\(wasSeries ? "false" : "true")'",
                place: plan.place)
        }
        if context.mode == .bounded, isParallel {
            known.withLock { $0.fixed = stored.map(\.partition) }
        }
    }

    func discover() throws(Failure) -> [String] {
        let partitions: [String]
        if let fixed = known.withLock({ $0.fixed }) {
            partitions = fixed
        } else if isParallel {
            partitions = listing.files()
            try refuseNothing(partitions)
        } else {
            partitions = [options.path]
            if context.mode == .bounded { try refuseNothing(listing.files()) }
        }
        known.withLock { known in
            for partition in partitions where known.numbers[partition] == nil {
                known.numbers[partition] = Int32(known.numbers.count)
            }
        }
        return partitions
    }

    /// A bounded run over a path that stands for nothing is a slip of the pen; an empty folder is
    /// not.
    private func refuseNothing(_ files: [String]) throws(Failure) {
        guard context.mode == .bounded, files.isEmpty, !LocalFiles.isFolder(options.path) else {
            return
        }
        throw Failure(
            .failed, "files.missing",
            listing.isPattern
                ? "no file fits \(options.path)" : "there is no file or folder \(options.path)",
            hint: "the path is taken from the folder in which millrace was started",
            place: plan.place)
    }

    // MARK: Offsets

    func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        if isParallel { return try resolveFile(partition, stored, mode) }
        return try resolveSeries(partition, stored, mode)
    }

    private var cursors: FilesCursorPlan {
        FilesCursorPlan(plan: plan, clock: context.clock, number: 0)
    }

    private func resolveFile(
        _ path: String, _ stored: PartitionOffset?, _ mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        let start = stored ?? offset(path, next: 0)
        guard LocalFiles.facts(path) != nil else {
            try lost("\(path) is gone; it had been read to \(start.next)")
            return start.moved(to: start.next, end: mode == .live ? nil : start.next)
        }
        let size = mode == .live ? nil : try cursors.measure(path)
        guard let stored else { return start.moved(to: 0, end: size) }
        guard try isChanged(path, stored) || (stored.end ?? 0) > (size ?? Int64.max) else {
            return start.moved(to: start.next, end: mode == .bounded ? stored.end ?? size : size)
        }
        try lost("\(path) is not what had been read to \(stored.next): it shrank or changed")
        if options.onOffsetLost == .earliest { return start.restarted(at: 0, end: size) }
        var present = size ?? 0
        if size == nil { present = try cursors.measure(path) }
        return start.restarted(at: present, end: size)
    }

    private func resolveSeries(
        _ partition: String, _ stored: PartitionOffset?, _ mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        var total: Int64?
        if mode == .bounded {
            if let end = stored?.end {
                total = end
            } else {
                total = try FilesSeries.total(listing.files(), cursors)
            }
        }
        guard let stored, let current = stored.detail else {
            return (stored ?? offset(partition, next: 0)).moved(to: 0, end: total)
        }
        try checkBefore(current, since: stored.fingerprint?.timestamp ?? Int64.max)
        guard LocalFiles.facts(current) != nil else {
            try lost("\(current) is gone; it had been read to \(stored.next)")
            return stored.restarted(at: 0, end: total)
        }
        guard try isChanged(current, stored) else {
            return stored.moved(to: stored.next, end: total)
        }
        try lost("\(current) is not what had been read to \(stored.next): it shrank or changed")
        let next = options.onOffsetLost == .earliest ? 0 : try cursors.measure(current)
        return stored.restarted(at: next, end: total)
    }

    private func offset(_ partition: String, next: Int64) -> PartitionOffset {
        PartitionOffset(
            source: plan.name, partition: partition, next: next, fingerprint: nil,
            highestTime: EventTime.never, end: nil)
    }

    private func isChanged(_ path: String, _ stored: PartitionOffset) throws(Failure) -> Bool {
        guard let print = stored.fingerprint, print.hash != 0 else { return false }
        return try cursors.hash(path, print.offset, stored.next) != print.hash
    }

    /// Reports what is lost: under `fail` as a failure, else in the log.
    func lost(_ what: String) throws(Failure) {
        guard options.onOffsetLost != .fail else {
            throw Failure(
                .dataLost, "files.lost", "\(plan.name): \(what)",
                hint: "on_offset_lost = 'earliest' or 'latest' goes on without it",
                place: plan.place)
        }
        context.log(LogLine(.warning, what, [("source", plan.name)]))
    }

    /// Files before `current` that are newer than the last look, `since` ms: nobody has read them
    /// as they are now.
    func checkBefore(_ current: String, since: Int64) throws(Failure) {
        for path in listing.files() where path.utf8.lexicographicallyPrecedes(current.utf8) {
            guard let facts = LocalFiles.facts(path), facts.changed > since else { continue }
            try lost(
                "\(path) sorts before \(current), which is being read, and appeared or changed "
                    + "since it was its turn: its new rows are not read")
        }
    }

    // MARK: Readers

    func makeReader(
        worker: Int, workers: Int, partitions: [PartitionOffset]
    ) throws(Failure) -> any SourceReader {
        FilesReader(self, context, partitions)
    }

    fileprivate func number(_ partition: String) -> Int32 {
        known.withLock { $0.numbers[partition] ?? 0 }
    }

    /// What reads one partition.
    func makePartition(_ offset: PartitionOffset) throws(Failure) -> any FilesPartition {
        let cursors = FilesCursorPlan(
            plan: plan, clock: context.clock, number: number(offset.partition))
        if isParallel {
            return SingleFile(offset, cursors, isLive: context.mode == .live)
        }
        return try FilesSeries(offset, cursors, listing, source: self, context: context)
    }
}

extension PartitionOffset {
    /// Elsewhere in the same records.
    func moved(to next: Int64, end: Int64?) -> PartitionOffset {
        PartitionOffset(
            source: source, partition: partition, next: next, fingerprint: fingerprint,
            highestTime: highestTime, end: end, detail: detail)
    }

    /// In other records than before: what was known of the last one no longer counts.
    func restarted(at next: Int64, end: Int64?) -> PartitionOffset {
        let look = fingerprint.map { Fingerprint(offset: 0, timestamp: $0.timestamp, hash: 0) }
        return PartitionOffset(
            source: source, partition: partition, next: next, fingerprint: look,
            highestTime: highestTime, end: end, detail: detail)
    }
}
