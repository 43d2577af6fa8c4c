// A topic in memory: records of several partitions that become visible as time goes on.

import Columns
import Connectors
import Contracts
import Formats
import Planning
import Progress

/// A record's bytes; no value is a tombstone.
struct SimulatedRecord: Sendable {
    let value: [UInt8]?

    init(_ value: [UInt8]?) { self.value = value }
}

/// because: a simulation runs on one thread.
final class SimulatedTopic: @unchecked Sendable {
    let partitions: [[SimulatedRecord]]
    /// How many records of each partition have been produced.
    var visible: [Int]

    init(_ partitions: [[SimulatedRecord]]) {
        self.partitions = partitions
        visible = Array(repeating: 0, count: partitions.count)
    }
}

/// because: a simulation runs on one thread.
final class SimulatedSource: Source, @unchecked Sendable {
    let plan: SourcePlan
    private let topic: SimulatedTopic
    private let world: SimulatedWorld

    init(_ plan: SourcePlan, _ topic: SimulatedTopic, world: SimulatedWorld) {
        self.plan = plan
        self.topic = topic
        self.world = world
    }

    var lag: Int64? { nil }

    func discover() throws(Failure) -> [String] {
        try world.requireUp()
        return topic.partitions.indices.map(String.init)
    }

    func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        let visible = Int64(topic.visible[Int(partition) ?? 0])
        let end: Int64? =
            switch mode {
            case .live: nil
            case .bounded: stored?.end ?? visible
            case .availableNow: visible
            }
        return PartitionOffset(
            source: plan.name, partition: partition, next: stored?.next ?? 0, fingerprint: nil,
            highestTime: stored?.highestTime ?? EventTime.never, end: end)
    }

    func makeReader(
        worker: Int, workers: Int, partitions: [PartitionOffset]
    ) throws(Failure) -> any SourceReader {
        SimulatedReader(
            try MessageDecoder(plan, topic: plan.name), plan, topic, world, partitions)
    }

    func checkpointed(_ offsets: [PartitionOffset]) {}
}

private final class SimulatedReader: SourceReader {
    private let decoder: MessageDecoder
    private let scan: Scan
    private let plan: SourcePlan
    private let topic: SimulatedTopic
    private let world: SimulatedWorld
    private(set) var positions: [PartitionOffset]
    private var announcedEnd: Set<Int> = []

    init(
        _ decoder: MessageDecoder, _ plan: SourcePlan, _ topic: SimulatedTopic,
        _ world: SimulatedWorld, _ partitions: [PartitionOffset]
    ) {
        self.decoder = decoder
        scan = Scan(plan)
        self.plan = plan
        self.topic = topic
        self.world = world
        positions = partitions
    }

    func add(_ partition: PartitionOffset) throws(Failure) {
        bug("a simulated topic has its partitions from the start")
    }

    func poll(maximumRows: Int) throws(Failure) -> SourceChunk? {
        try world.requireUp()
        guard !positions.isEmpty else { return nil }
        let partition = world.random.below(positions.count)
        let number = Int(positions[partition].partition) ?? 0
        let end = positions[partition].end.map(Int.init) ?? topic.visible[number]
        let next = Int(positions[partition].next)
        if next >= end {
            guard announcedEnd.insert(partition).inserted else { return nil }
            return try chunk(partition, number, next..<next, end)
        }
        let count = min(end - next, 1 + world.random.below(maximumRows))
        return try chunk(partition, number, next..<(next + count), end)
    }

    private func chunk(
        _ partition: Int, _ number: Int, _ range: Range<Int>, _ end: Int
    ) throws(Failure) -> SourceChunk {
        var messages = MessageBatch()
        for offset in range {
            messages.append(
                partition: Int32(number), offset: Int64(offset), timestamp: 0,
                key: [UInt8]?.none, value: topic.partitions[number][offset].value)
        }
        let decoded = try decoder.decode(messages, extractedAt: world.now)
        let checked = scan.check(
            decoded.batch, timestamps: decoded.messages.map { messages.timestamps[Int($0)] })
        let broken = checked.errors.map { (row: Int(decoded.messages[$0.row]), error: $0) }
        let refused = (decoded.errors.map { (row: $0.row, error: $0) } + broken).map { broken in
            let offset = range.lowerBound + broken.row
            return RefusedRecord(
                source: plan.name, topic: plan.name, partition: String(number),
                offset: Int64(offset), timestamp: 0, key: nil,
                value: topic.partitions[number][offset].value, error: broken.error)
        }
        let old = positions[partition]
        positions[partition] = PartitionOffset(
            source: old.source, partition: old.partition, next: Int64(range.upperBound),
            fingerprint: nil, highestTime: old.highestTime, end: old.end)
        if range.upperBound >= end { announcedEnd.insert(partition) }
        return SourceChunk(
            partition: partition, batch: checked.batch, refused: refused,
            recordCount: range.count, skippedCount: decoded.skipped,
            isAtEnd: range.upperBound >= end)
    }
}
