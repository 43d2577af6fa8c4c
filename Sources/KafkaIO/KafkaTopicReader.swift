// Short reads from the control plane: one record at an offset, or all of a compacted topic.

import CRdKafka
public import Columns
public import Contracts

/// What lies at an offset.
public enum KafkaLookup: Sendable {
    /// A batch with the record.
    case found(MessageBatch)
    /// Nothing at this offset, but something behind it or the log goes on: compacted away, or a
    /// control record.
    case compactedAway
    /// The log begins behind the offset.
    case belowStart(low: Int64)
    /// The log ends at or before the offset.
    case beyondEnd(end: Int64)
}

/// How far a read of a whole topic goes.
public enum KafkaReadEnd: Sendable {
    /// What is committed now; an open transaction may hide newer records.
    case lastStableOffset
    /// Everything written until now: waits until no open transaction hides part of it.
    case highWatermark
}

/// Reads parts of one topic to their end. Each call makes a client of its own.
public struct KafkaTopicReader: Sendable {
    private let configuration: KafkaClientConfiguration
    private let topic: String

    /// How a source is to fetch its topic says nothing about these reads: tuned for a slow stream
    /// of large batches it would make each start slow.
    public init(_ configuration: KafkaClientConfiguration, topic: String) {
        self.configuration = KafkaClientConfiguration(
            bootstrapServers: configuration.bootstrapServers,
            properties: configuration.properties.filter { property in
                !property.key.hasPrefix("fetch.") && !property.key.hasPrefix("queued.")
            }, groupID: configuration.groupID)
        self.topic = topic
    }

    /// The record at `offset`: for the fingerprint of what was read last (design.md §3.10).
    public func record(
        partition: Int32, at offset: Int64, timeout: Duration = .seconds(15)
    ) throws(Failure) -> KafkaLookup {
        let consumer = try KafkaConsumer(configuration, topic: topic)
        let (low, end) = try consumer.watermarks(partition: partition, timeout: timeout)
        if offset < low { return .belowStart(low: low) }
        if offset >= end { return .beyondEnd(end: end) }
        var result = MessageBatch()
        try read(consumer, partition, from: offset, to: offset + 1, maximum: 1, timeout: timeout) {
            for message in 0..<$0.count where $0.offsets[message] == offset && result.isEmpty {
                result.append(
                    partition: partition, offset: offset, timestamp: $0.timestamps[message],
                    key: $0.key(message), value: $0.value(message))
            }
        }
        return result.isEmpty ? .compactedAway : .found(result)
    }

    /// The newest committed record of each key of all partitions, up to `end` as it is at the
    /// beginning. Tombstones delete. Throws `kafka.timed_out` when that lasts longer than
    /// `timeout`.
    public func newestByKey(
        upTo end: KafkaReadEnd = .highWatermark, timeout: Duration
    ) throws(Failure) -> [[UInt8]: [UInt8]] {
        let deadline = ContinuousClock.now + timeout
        let asking = try KafkaConsumer(
            configuration, topic: topic,
            isolation: end == .highWatermark ? .readUncommitted : .readCommitted)
        var newest: [[UInt8]: [UInt8]] = [:]
        for partition in try asking.partitions(timeout: timeout) {
            let (low, high) = try asking.watermarks(partition: partition, timeout: timeout)
            let consumer = try KafkaConsumer(
                configuration, topic: topic, isolation: .readCommitted)
            let left = ContinuousClock.now.duration(to: deadline)
            try read(consumer, partition, from: low, to: high, maximum: 1000, timeout: left) {
                for message in 0..<$0.count {
                    guard $0.offsets[message] < high, let key = $0.key(message) else { continue }
                    newest[Array(key)] = $0.value(message).map { Array($0) }
                }
            }
        }
        return newest
    }

    /// Hands over every committed record of all partitions, in each partition's order, up to what
    /// is committed at the beginning; gives whether a partition no longer has its first record.
    public func forEachCommitted(
        timeout: Duration, _ body: (MessageBatch) -> Void
    ) throws(Failure) -> Bool {
        let deadline = ContinuousClock.now + timeout
        let asking = try KafkaConsumer(configuration, topic: topic, isolation: .readCommitted)
        var isCut = false
        for partition in try asking.partitions() {
            let (low, end) = try asking.watermarks(partition: partition)
            isCut = isCut || low > 0
            let consumer = try KafkaConsumer(
                configuration, topic: topic, isolation: .readCommitted)
            let left = ContinuousClock.now.duration(to: deadline)
            try read(consumer, partition, from: low, to: end, maximum: 10_000, timeout: left, body)
        }
        return isCut
    }

    /// Hands over what lies in [from, to), and whatever comes along behind it.
    private func read(
        _ consumer: KafkaConsumer, _ partition: Int32, from: Int64, to: Int64, maximum: Int,
        timeout: Duration, _ body: (MessageBatch) -> Void
    ) throws(Failure) {
        guard from < to else { return }
        let deadline = ContinuousClock.now + timeout
        try consumer.assign([KafkaAssignment(partition: partition, offset: from, queue: 0)])
        var next = from
        var lastEvent: Failure?
        while next < to {
            let poll = consumer.queues[0].poll(
                maximumMessages: maximum, timeout: KafkaQueue.longestWait)
            body(poll.messages)
            next = poll.positions.last?.next ?? next
            for event in poll.events + consumer.takeEvents() {
                switch event {
                case .disturbance(let failure): lastEvent = failure
                default: throw event.failure
                }
            }
            guard next < to, ContinuousClock.now >= deadline else { continue }
            throw Failure(
                .failed, "kafka.timed_out",
                "\(topic)/\(partition) could be read only up to \(next) of \(to) in time"
                    + (lastEvent.map { ": \($0.message)" } ?? ""),
                hint: "an open transaction may hide the rest; or the broker is away")
        }
    }
}
