// Where reading a Kafka topic begins, and what a position that was stored still means (design.md
// §3.10). The decisions; who is asked is a real log here, or a simulated one in tests.

package import Columns
package import Contracts
import Environment
package import KafkaIO
package import Planning
package import Progress
import State
import Types

/// What is asked of one topic's log.
package protocol KafkaLog: Sendable {
    /// The first offset that is there and the one behind the last stable record.
    func watermarks(partition: Int32) throws(Failure) -> (low: Int64, end: Int64)
    /// See `KafkaTopicReader.record`.
    func record(partition: Int32, at offset: Int64) throws(Failure) -> KafkaLookup
    /// The first offset at or after a time in ms since 1970; nil: none is.
    func offset(atOrAfter time: Int64, partition: Int32) throws(Failure) -> Int64?
}

/// The log of a real topic.
struct LiveKafkaLog: KafkaLog {
    let consumer: KafkaConsumer
    let reader: KafkaTopicReader

    func watermarks(partition: Int32) throws(Failure) -> (low: Int64, end: Int64) {
        try consumer.watermarks(partition: partition)
    }

    func record(partition: Int32, at offset: Int64) throws(Failure) -> KafkaLookup {
        try reader.record(partition: partition, at: offset)
    }

    func offset(atOrAfter time: Int64, partition: Int32) throws(Failure) -> Int64? {
        try consumer.offsets(atOrAfter: time, partitions: [partition])[partition]
    }
}

/// The rules for one source's positions.
package struct KafkaPositions: Sendable {
    private let plan: SourcePlan
    private let options: KafkaSourceOptions
    private let log: any KafkaLog
    private let context: ConnectorContext
    private let patience: Patience

    package init(
        _ plan: SourcePlan, _ options: KafkaSourceOptions, log: any KafkaLog,
        _ context: ConnectorContext
    ) {
        self.plan = plan
        self.options = options
        self.log = log
        self.context = context
        patience = Patience(context: context)
    }

    private var topic: String { options.topic }

    /// See `Source.resolve`. `hasBegun`: a partition without a stored position is a new one, read
    /// from its beginning.
    package func resolve(
        partition number: Int32, stored: PartitionOffset?, mode: RunMode, hasBegun: Bool
    ) throws(Failure) -> PartitionOffset {
        let (low, end) = try patience.wait { () throws(Failure) in
            try log.watermarks(partition: number)
        }
        var next = stored?.next ?? 0
        if stored == nil { next = try firstOffset(number, low: low, end: end, hasBegun: hasBegun) }
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
            source: plan.name, partition: String(number), next: next, fingerprint: fingerprint,
            highestTime: stored?.highestTime ?? EventTime.never, end: boundedEnd)
    }

    private func firstOffset(
        _ partition: Int32, low: Int64, end: Int64, hasBegun: Bool
    ) throws(Failure) -> Int64 {
        switch hasBegun ? .earliest : options.start {
        case .earliest: return low
        case .latest: return end
        case .time(let microseconds):
            let found = try patience.wait { () throws(Failure) in
                try log.offset(atOrAfter: (microseconds + 999) / 1_000, partition: partition)
            }
            return found ?? end
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
        guard let fingerprint = stored.fingerprint, !Mutant.skipFingerprint.isActive else {
            return nil
        }
        let found = try patience.wait { () throws(Failure) in
            try log.record(partition: partition, at: fingerprint.offset)
        }
        guard case .found(let record) = found else { return nil }
        if KafkaPositions.fingerprint(record, message: 0) == fingerprint { return nil }
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

    /// Where a running reader goes on whose position left the log.
    package func afterLoss(
        of partition: Int32, at next: Int64, low: Int64, end: Int64
    ) throws(Failure) -> Int64 {
        let lost =
            goneRange(partition, from: next, low: low)
            ?? "\(topic)/\(partition): offset \(next) is not in the log (\(low) to \(end))"
        return try afterLoss(lost, partition, low: low, end: end)
    }

    /// What the record before a position looks like (design.md §3.10): its key and value hashed as
    /// keys are.
    package static func fingerprint(
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
