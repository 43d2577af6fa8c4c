// A topic in memory: records of several partitions that become visible as time goes on. Its log may
// be cut at its beginning, or made anew with other records.

import Columns
import Connectors
import Contracts
import Formats
import KafkaIO
import Planning
import Progress

/// because: only the thread that holds the world's baton touches it.
final class SimulatedTopic: @unchecked Sendable {
    struct Partition {
        /// By offset. Those below `low` are gone.
        var records: [InputRecord]
        var low = 0
        /// How many have been produced.
        var visible = 0
        /// ms since 1970, of the log's first record: another log has other times.
        var time: Int64 = 1_000
        /// What was read of records that are gone, and where the present log counts from.
        var past: [CountedRecord] = []
        var start = 0
    }

    let name: String
    let columns: RandomColumns
    let isKeyed: Bool
    var partitions: [Partition]

    init(_ name: String, _ source: RandomSource, _ columns: RandomColumns) {
        self.name = name
        self.columns = columns
        isKeyed = source.isKeyed
        partitions = source.partitions.map { Partition(records: $0) }
    }

    /// All that has been or will be read, up to a position in each partition.
    func counted(upTo next: (Int) -> Int64?) -> [[CountedRecord]] {
        partitions.enumerated().map { number, partition in
            let end = min(Int(next(number) ?? .max), partition.records.count)
            let rest = (partition.start..<max(end, partition.start)).map {
                CountedRecord(offset: Int64($0), record: partition.records[$0])
            }
            return partition.past + rest
        }
    }

    /// Retention takes records up to `low`, of which a pipeline had read those below `next`.
    func cut(_ partition: Int, to low: Int, readTo next: Int, goesOnAtEnd: Bool) {
        partitions[partition].low = max(low, partitions[partition].low)
        guard low > next else { return }
        note(partition, readTo: next)
        partitions[partition].start = goesOnAtEnd ? partitions[partition].visible : low
    }

    /// The log is made anew.
    func replace(_ partition: Int, with records: [InputRecord], readTo next: Int, goesOnAtEnd: Bool) {
        note(partition, readTo: next)
        partitions[partition].records = records
        partitions[partition].low = 0
        partitions[partition].visible = records.count
        partitions[partition].time += 1_000_000
        partitions[partition].start = goesOnAtEnd ? records.count : 0
    }

    private func note(_ partition: Int, readTo next: Int) {
        let start = partitions[partition].start
        guard next > start else { return }
        partitions[partition].past += (start..<next).map {
            CountedRecord(offset: Int64($0), record: partitions[partition].records[$0])
        }
    }

    func messages(_ partition: Int, _ range: Range<Int>) -> MessageBatch {
        var messages = MessageBatch()
        for offset in range {
            let (key, value) = bytes(partitions[partition].records[offset])
            messages.append(
                partition: Int32(partition), offset: Int64(offset),
                timestamp: partitions[partition].time + Int64(offset), key: key, value: value)
        }
        return messages
    }

    private func bytes(_ record: InputRecord) -> (key: [UInt8]?, value: [UInt8]?) {
        func key(_ number: Int) -> [UInt8]? {
            isKeyed ? Array(columns.recordKey(number).utf8) : nil
        }
        switch record {
        case .event(let event): return (key(event.k), Array(columns.message(event).utf8))
        case .refused(let text, let number): return (key(number), Array(text.utf8))
        case .tombstone(let number): return (key(number), nil)
        }
    }
}

/// One process's look at a topic's log.
private struct SimulatedLog: KafkaLog {
    let topic: SimulatedTopic
    let process: SimulatedProcess

    func watermarks(partition: Int32) throws(Failure) -> (low: Int64, end: Int64) {
        try process.requireUp()
        let partition = topic.partitions[Int(partition)]
        return (Int64(partition.low), Int64(partition.visible))
    }

    func record(partition: Int32, at offset: Int64) throws(Failure) -> KafkaLookup {
        let (low, end) = try watermarks(partition: partition)
        if offset < low { return .belowStart(low: low) }
        if offset >= end { return .beyondEnd(end: end) }
        return .found(topic.messages(Int(partition), Int(offset)..<(Int(offset) + 1)))
    }

    func offset(atOrAfter time: Int64, partition: Int32) throws(Failure) -> Int64? {
        let (low, end) = try watermarks(partition: partition)
        let found = max(low, time - topic.partitions[Int(partition)].time)
        return found < end ? found : nil
    }
}

/// because: only the thread that holds the world's baton touches it.
final class SimulatedSource: Source, @unchecked Sendable {
    let plan: SourcePlan
    private let topic: SimulatedTopic
    private let process: SimulatedProcess
    private let positions: KafkaPositions

    init(
        _ plan: SourcePlan, _ options: KafkaSourceOptions, _ topic: SimulatedTopic,
        _ process: SimulatedProcess, _ context: ConnectorContext
    ) {
        self.plan = plan
        self.topic = topic
        self.process = process
        positions = KafkaPositions(
            plan, options, log: SimulatedLog(topic: topic, process: process), context)
    }

    var lag: Int64? { nil }

    func discover() throws(Failure) -> [String] {
        try process.requireUp()
        return topic.partitions.indices.map(String.init)
    }

    func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        try positions.resolve(
            partition: Int32(partition).required("a partition's number"), stored: stored,
            mode: mode, hasBegun: false)
    }

    func makeReader(
        worker: Int, workers: Int, partitions: [PartitionOffset]
    ) throws(Failure) -> any SourceReader {
        SimulatedReader(
            try MessageDecoder(plan, topic: plan.name), plan, topic, process, partitions)
    }

    func checkpointed(_ offsets: [PartitionOffset]) {}
}

private final class SimulatedReader: SourceReader {
    private let decoder: MessageDecoder
    private let scan: Scan
    private let plan: SourcePlan
    private let topic: SimulatedTopic
    private let process: SimulatedProcess
    private(set) var positions: [PartitionOffset]
    private var announcedEnd: Set<Int> = []

    init(
        _ decoder: MessageDecoder, _ plan: SourcePlan, _ topic: SimulatedTopic,
        _ process: SimulatedProcess, _ partitions: [PartitionOffset]
    ) {
        self.decoder = decoder
        scan = Scan(plan)
        self.plan = plan
        self.topic = topic
        self.process = process
        positions = partitions
    }

    func add(_ partition: PartitionOffset) throws(Failure) {
        bug("a simulated topic has its partitions from the start")
    }

    func poll(maximumRows: Int) throws(Failure) -> SourceChunk? {
        try process.requireUp()
        guard !positions.isEmpty else { return nil }
        let partition = process.world.random.below(positions.count)
        let number = Int(positions[partition].partition) ?? 0
        let end = positions[partition].end.map(Int.init) ?? topic.partitions[number].visible
        let next = Int(positions[partition].next)
        if next >= end {
            guard announcedEnd.insert(partition).inserted else { return nil }
            return try chunk(partition, number, next..<next, end)
        }
        let count = min(end - next, 1 + process.world.random.below(maximumRows))
        return try chunk(partition, number, next..<(next + count), end)
    }

    private func chunk(
        _ partition: Int, _ number: Int, _ range: Range<Int>, _ end: Int
    ) throws(Failure) -> SourceChunk {
        let messages = topic.messages(number, range)
        let decoded = try decoder.decode(messages, extractedAt: process.world.now)
        let checked = scan.check(
            decoded.batch, timestamps: decoded.messages.map { messages.timestamps[Int($0)] })
        let broken = checked.errors.map { (row: Int(decoded.messages[$0.row]), error: $0) }
        let refused = (decoded.errors.map { (row: $0.row, error: $0) } + broken).map { broken in
            RefusedRecord(
                source: plan.name, topic: plan.name, partition: String(number),
                offset: messages.offsets[broken.row], timestamp: messages.timestamps[broken.row],
                key: messages.key(broken.row).map(Array.init),
                value: messages.value(broken.row).map(Array.init), error: broken.error)
        }
        let old = positions[partition]
        positions[partition] = PartitionOffset(
            source: old.source, partition: old.partition,
            next: max(old.next, Int64(range.upperBound)),
            fingerprint: messages.isEmpty
                ? old.fingerprint
                : KafkaPositions.fingerprint(messages, message: messages.count - 1),
            highestTime: old.highestTime, end: old.end)
        if range.upperBound >= end { announcedEnd.insert(partition) }
        return SourceChunk(
            partition: partition, batch: checked.batch, refused: refused,
            recordCount: range.count, skippedCount: decoded.skipped,
            isAtEnd: range.upperBound >= end)
    }
}
