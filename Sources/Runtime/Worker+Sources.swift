// The source side of one worker: chunks in, watermarks counted row by row, batches out.

import Columns
import Connectors
import Contracts
import Environment
import Operators
import Planning
import Progress

/// One source's partitions on one worker.
struct SourceFeed {
    let source: Int
    let node: Int
    let plan: SourcePlan
    let reader: any SourceReader
    /// One a partition of the reader.
    var partitions: [PartitionProgress]
    var counters = SourceCounters()

    struct PartitionProgress {
        var watermark: PartitionWatermark
        var isAtEnd = false
        var isIdle = false
        /// ns: since when nothing came although it was read to its end.
        var quietSince: UInt64?
    }

    var isAtEnd: Bool { partitions.allSatisfy(\.isAtEnd) }

    /// `restored`: the reader's partitions with their stored event times.
    init(
        source: Int, node: Int, plan: SourcePlan, reader: any SourceReader,
        restored: [PartitionOffset]
    ) {
        self.source = source
        self.node = node
        self.plan = plan
        self.reader = reader
        partitions = restored.map { SourceFeed.progress($0, plan) }
    }

    private static func progress(_ at: PartitionOffset, _ plan: SourcePlan) -> PartitionProgress {
        PartitionProgress(
            watermark: PartitionWatermark(highestTime: at.highestTime, delay: plan.watermarkDelay))
    }

    mutating func add(_ partition: PartitionOffset) throws(Failure) {
        try reader.add(partition)
        partitions.append(SourceFeed.progress(partition, plan))
    }

    /// What a checkpoint stores.
    var offsets: [PartitionOffset] {
        zip(reader.positions, partitions).map { position, partition in
            PartitionOffset(
                source: position.source, partition: position.partition, next: position.next,
                fingerprint: position.fingerprint, highestTime: partition.watermark.highestTime,
                end: position.end, detail: position.detail)
        }
    }

    /// What the scan announces: the minimum over its live partitions; ended ones are at +∞ when the
    /// run is bounded.
    func watermark(isBounded: Bool) -> Watermark {
        var least: Int64?
        for partition in partitions where !partition.isIdle {
            let ended = isBounded && partition.isAtEnd
            let time = ended ? EventTime.end : partition.watermark.watermark
            least = min(least ?? time, time)
        }
        return least.map(Watermark.at) ?? (isBounded ? .at(EventTime.end) : .idle)
    }
}

extension Worker {
    /// One chunk of one source. False: nothing was there.
    func poll(_ feed: Int) throws(Failure) -> Bool {
        let before = floors == nil ? [] : feeds[feed].reader.positions
        // Before the reader stamps its rows.
        if usesClock { try announceClock(feed, at: clock.now()) }
        let chunk = try feeds[feed].reader.poll(maximumRows: plan.settings.batchRows)
        guard let chunk else {
            try noteQuiet(feed)
            return false
        }
        feeds[feed].counters.records += Int64(chunk.recordCount)
        feeds[feed].counters.rows += Int64(chunk.batch.rowCount)
        feeds[feed].counters.refused += Int64(chunk.refused.count)
        feeds[feed].counters.skipped += Int64(chunk.skippedCount)
        try awaken(chunk.partition, of: feed)
        for refused in chunk.refused {
            let partition = PartitionKey(
                source: feeds[feed].plan.name, partition: refused.partition)
            try refuse(refused, of: feed, partition)
        }
        if chunk.batch.rowCount > 0 {
            let batch = timed(chunk.batch, partition: chunk.partition, of: feed)
            let instance = nodes[feeds[feed].node]
            instance.counters.out += Int64(batch.rowCount)
            if let floors {
                try sendPieces(batch, chunk, at: before[chunk.partition], from: feed, floors)
            } else {
                try send(.batch(batch), from: feeds[feed].node)
            }
        }
        feeds[feed].partitions[chunk.partition].isAtEnd = chunk.isAtEnd
        try announceSource(feed)
        return chunk.recordCount > 0
    }

    /// The batch with its rows' own watermarks, where some row is behind.
    private func timed(_ batch: Batch, partition: Int, of feed: Int) -> Batch {
        guard let column = feeds[feed].plan.eventTime,
            case .int64(let times) = batch.columns[column].values
        else { return batch }
        let watermarks = feeds[feed].partitions[partition].watermark.advance(over: times)
        return Batch(
            rowCount: batch.rowCount, columns: batch.columns, changes: batch.changes,
            watermarks: watermarks)
    }

    /// A partition that was idle is back in the minimum before its rows (dialect.md §1.4).
    private func awaken(_ partition: Int, of feed: Int) throws(Failure) {
        feeds[feed].partitions[partition].quietSince = nil
        guard feeds[feed].partitions[partition].isIdle else { return }
        feeds[feed].partitions[partition].isIdle = false
        try announceSource(feed)
    }

    /// Live only: a partition read to its end for `idle_timeout` steps out of the minimum. A
    /// partition that is merely held back is never here: its reader was not asked (F28).
    private func noteQuiet(_ feed: Int) throws(Failure) {
        guard mode == .live, let timeout = feeds[feed].plan.idleTimeout else { return }
        let now = clock.monotonicNanoseconds()
        var changed = false
        for partition in feeds[feed].partitions.indices {
            let state = feeds[feed].partitions[partition]
            guard state.isAtEnd, !state.isIdle else { continue }
            guard let since = state.quietSince else {
                feeds[feed].partitions[partition].quietSince = now
                continue
            }
            if now - since >= UInt64(timeout) * 1_000 {
                feeds[feed].partitions[partition].isIdle = true
                changed = true
            }
        }
        if changed { try announceSource(feed) }
    }

    /// Tells the scan's consumers what time it is, at most every `clockStep`; a clock that was set
    /// back is not told.
    private func announceClock(_ feed: Int, at time: Int64) throws(Failure) {
        let instance = nodes[feeds[feed].node]
        let (next, overflow) = instance.announcedClock.addingReportingOverflow(Worker.clockStep)
        guard !overflow, time >= next else { return }
        instance.announcedClock = time
        try send(.clock(time), from: feeds[feed].node)
    }

    /// µs. Fine enough for a person who looks, and no burden beside rows.
    private static let clockStep: Int64 = 100_000

    /// Tells the scan's consumers its watermark, if it is news. Without an event time a scan has
    /// none:
    /// only its end counts.
    func announceSource(_ feed: Int) throws(Failure) {
        let instance = nodes[feeds[feed].node]
        let watermark = feeds[feed].watermark(isBounded: mode == .bounded)
        if watermark == .at(EventTime.end), usesClock, instance.announcedClock < EventTime.end {
            instance.announcedClock = EventTime.end
            try send(.clock(EventTime.end), from: feeds[feed].node)
        }
        guard watermark != instance.announced else { return }
        instance.announced = watermark
        try send(.watermark(watermark), from: feeds[feed].node)
    }
}
