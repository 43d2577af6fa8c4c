// A Kafka topic as a source: offsets resolved and checked here, records read in KafkaReader.

import Columns
import Contracts
import KafkaIO
import Planning
import Progress
import State
import Synchronization
import Types

final class KafkaSource: Source {
    let plan: SourcePlan
    let consumer: KafkaConsumer
    let context: ConnectorContext
    let readPositions = KafkaLag()
    /// The newest disturbance since records last came.
    private let disturbance = Mutex<String?>(nil)
    /// Offsets that were committed last for tools that watch lag.
    private let reported = Mutex<[Int32: Int64]>([:])
    /// Whether positions are known from an earlier checkpoint or readers run: a partition that
    /// appears from then on is read from its beginning, whatever `start` says.
    private let hasBegun = Atomic<Bool>(false)
    private let options: KafkaSourceOptions
    private let configuration: KafkaClientConfiguration
    private let patience: Patience

    init(
        _ plan: SourcePlan, _ options: KafkaSourceOptions, _ context: ConnectorContext
    ) throws(Failure) {
        self.plan = plan
        self.options = options
        self.context = context
        patience = Patience(context: context)
        configuration = KafkaClientConfiguration(
            bootstrapServers: options.bootstrapServers, properties: options.properties,
            groupID: "millrace-" + context.identity.pipelineID)
        let readsHeaders = plan.decoded.contains { $0.origin == .metadata(.headers) }
        consumer = try KafkaConsumer(
            configuration, topic: options.topic, queues: context.workers,
            readsHeaders: readsHeaders)
    }

    var topic: String { options.topic }

    func begin(stored: [PartitionOffset]) throws(Failure) {
        if !stored.isEmpty { hasBegun.store(true, ordering: .relaxed) }
    }

    func discover() throws(Failure) -> [String] {
        let all = try patience.wait { () throws(Failure) in try consumer.partitions() }
        note(trouble: nil)
        let wanted = all.filter { partition in
            options.partitions?.contains { $0.contains(partition) } ?? true
        }
        if wanted.isEmpty {
            throw Failure(
                .invalid, "kafka.no_partition",
                "topic \"\(topic)\" has none of the partitions that are asked for",
                place: plan.place)
        }
        return wanted.map(String.init)
    }

    func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        let number = try self.number(partition)
        let (low, end) = try patience.wait { () throws(Failure) in
            try consumer.watermarks(partition: number)
        }
        var next = stored?.next ?? 0
        if stored == nil { next = try firstOffset(number, low: low, end: end) }
        var fingerprint = stored?.fingerprint
        var boundedEnd: Int64?
        if mode == .bounded { boundedEnd = stored?.end ?? end }
        if let stored, let lost = try whatIsLost(stored, number, low: low, end: end) {
            next = try afterLoss(lost, number, low: low, end: end)
            fingerprint = nil
            // A log that was made anew may never reach the end that the old one had.
            boundedEnd = boundedEnd.map { min($0, end) }
        }
        if mode == .availableNow { boundedEnd = end }
        return PartitionOffset(
            source: plan.name, partition: partition, next: next, fingerprint: fingerprint,
            highestTime: stored?.highestTime ?? EventTime.never, end: boundedEnd)
    }

    func number(_ partition: String) throws(Failure) -> Int32 {
        guard let number = Int32(partition) else {
            throw Failure(
                .failed, "kafka.partition", "\"\(partition)\" is no partition of a Kafka topic",
                hint: "was this state directory made for another kind of source?")
        }
        return number
    }

    private func firstOffset(
        _ partition: Int32, low: Int64, end: Int64
    ) throws(Failure) -> Int64 {
        switch hasBegun.load(ordering: .relaxed) ? .earliest : options.start {
        case .earliest: return low
        case .latest: return end
        case .time(let microseconds):
            let found = try patience.wait { () throws(Failure) in
                try consumer.offsets(
                    atOrAfter: (microseconds + 999) / 1_000, partitions: [partition])
            }
            return found[partition] ?? end
        }
    }

    /// Why the stored position no longer means what it meant, or nil.
    private func whatIsLost(
        _ stored: PartitionOffset, _ partition: Int32, low: Int64, end: Int64
    ) throws(Failure) -> String? {
        let place = "\(topic)/\(partition)"
        let needed = max(stored.next, stored.end ?? stored.next)
        if let gone = goneRange(partition, from: stored.next, low: low) { return gone }
        if needed > end {
            return "\(place): the log ends at \(end), before the stored offset \(needed): "
                + "the topic was truncated or made anew"
        }
        guard let fingerprint = stored.fingerprint else { return nil }
        let reader = KafkaTopicReader(configuration, topic: topic)
        let found = try patience.wait { () throws(Failure) in
            try reader.record(partition: partition, at: fingerprint.offset)
        }
        guard case .found(let record) = found else { return nil }
        if KafkaSource.fingerprint(record, message: 0) == fingerprint { return nil }
        return "\(place): offset \(fingerprint.offset) holds another record than the one that was "
            + "read: the topic was made anew"
    }

    /// Names the records that retention or a deletion took.
    private func goneRange(_ partition: Int32, from next: Int64, low: Int64) -> String? {
        guard next < low else { return nil }
        return "\(topic)/\(partition): offsets \(next) to \(low - 1) are gone (the log begins at "
            + "\(low))"
    }

    private func afterLoss(
        _ lost: String, _ partition: Int32, low: Int64, end: Int64
    ) throws(Failure) -> Int64 {
        guard options.onOffsetLost != .fail else {
            throw Failure(
                .dataLost, "kafka.offset_lost", lost,
                hint: "on_offset_lost = 'earliest' or 'latest' goes on behind the gap")
        }
        let next = options.onOffsetLost == .earliest ? low : end
        context.log(
            LogLine(
                .warning, "offsets lost: \(lost)",
                [
                    ("source", plan.name), ("partition", String(partition)),
                    ("next", String(next)),
                ]))
        return next
    }

    /// What a running reader does about a position that left the log: where it goes on, and where
    /// the log ends.
    func recover(
        _ partition: Int32, at next: Int64, queue: Int
    ) throws(Failure) -> (next: Int64, end: Int64) {
        let (low, end) = try patience.wait { () throws(Failure) in
            try consumer.watermarks(partition: partition)
        }
        let lost =
            goneRange(partition, from: next, low: low)
            ?? "\(topic)/\(partition): offset \(next) is not in the log (\(low) to \(end))"
        let new = try afterLoss(lost, partition, low: low, end: end)
        try consumer.unassign([partition])
        try consumer.assign([KafkaAssignment(partition: partition, offset: new, queue: queue)])
        return (new, end)
    }

    /// For the progress line: what disturbs reading, or nil when it goes on.
    func note(trouble: String?) {
        disturbance.withLock { $0 = trouble }
    }

    var trouble: String? { disturbance.withLock { $0 } }

    func makeReader(
        worker: Int, workers: Int, partitions: [PartitionOffset]
    ) throws(Failure) -> any SourceReader {
        hasBegun.store(true, ordering: .relaxed)
        return try KafkaReader(self, queue: worker, partitions)
    }

    func checkpointed(_ offsets: [PartitionOffset]) {
        var next: [Int32: Int64] = [:]
        for offset in offsets {
            if let partition = Int32(offset.partition) { next[partition] = offset.next }
        }
        // What waits for a coordinator that is away would pile up.
        let isNews = reported.withLock { reported in
            defer { reported = next }
            return reported != next
        }
        // Only tools that watch lag read it: a failure costs nothing.
        if isNews { try? consumer.commitForLag(next) }
    }

    var lag: Int64? { readPositions.total(consumer) }

    /// What the record before a position looks like (design.md §3.10): its key and value hashed as
    /// keys are.
    static func fingerprint(
        _ messages: MessageBatch, message: Int
    ) -> PartitionOffset.Fingerprint {
        func column(_ bytes: ArraySlice<UInt8>?) -> Column {
            Column(.bytea, scalars: [bytes.map { Scalar.bytes(Array($0)) } ?? .null])
        }
        let columns = [column(messages.key(message)), column(messages.value(message))]
        return PartitionOffset.Fingerprint(
            offset: messages.offsets[message], timestamp: messages.timestamps[message],
            hash: KeyHash.hashes(columns, rowCount: 1)[0])
    }
}
