// Reading one topic: partitions by assignment (no group balancing), each partition's records to the
// queue of one worker. Positions are the caller's: nothing is stored or committed by itself.

import CRdKafka
import Columns
public import Contracts
import Synchronization

public enum KafkaIsolation: String, Sendable {
    case readCommitted = "read_committed"
    case readUncommitted = "read_uncommitted"
}

/// A partition, where to read on, and which queue gets it.
public struct KafkaAssignment: Sendable, Hashable {
    public let partition: Int32
    /// The next offset to read.
    public let offset: Int64
    /// Index into `KafkaConsumer.queues`.
    public let queue: Int

    public init(partition: Int32, offset: Int64, queue: Int) {
        self.partition = partition
        self.offset = offset
        self.queue = queue
    }
}

/// A consumer of one topic. Thread-safe; each of its queues belongs to one thread.
public final class KafkaConsumer: Sendable {
    public let topic: String
    /// One a worker.
    public let queues: [KafkaQueue]
    private let handle: KafkaHandle
    private let assigned: Mutex<[Int32: Int]> = Mutex([:])

    /// `isolation` is read_committed unless the topology passes another; here it says which.
    public init(
        _ configuration: KafkaClientConfiguration, topic: String, queues count: Int = 1,
        isolation: KafkaIsolation? = nil, readsHeaders: Bool = false
    ) throws(Failure) {
        require(count > 0, "a consumer needs a queue")
        var extra = [("group.id", configuration.groupID)]
        let passed = configuration.properties["isolation.level"]
        if let level = isolation?.rawValue ?? (passed == nil ? "read_committed" : nil) {
            extra.append(("isolation.level", level))
        }
        self.topic = topic
        let handle = try KafkaHandle(
            RD_KAFKA_CONSUMER, configuration, KafkaClientConfiguration.consumerDefaults,
            extra: extra, events: RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_OFFSET_COMMIT)
        self.handle = handle
        let refill = KafkaRefill(configuration.properties)
        queues = (0..<count).map { _ in
            KafkaQueue(handle, topic: topic, readsHeaders: readsHeaders, refill: refill)
        }
    }

    /// The topic's partitions, ascending. Throws `kafka.topic_missing`.
    public func partitions(timeout: Duration = .seconds(10)) throws(Failure) -> [Int32] {
        try handle.partitions(topic, timeout: timeout)
    }

    /// The first offset in the log and the one behind the last record that this consumer may read:
    /// with read_committed the last stable offset, else the high watermark.
    public func watermarks(
        partition: Int32, timeout: Duration = .seconds(10)
    ) throws(Failure) -> (low: Int64, end: Int64) {
        var low: Int64 = 0
        var high: Int64 = 0
        // SAFETY: here and below: client and list live as long as the call, which keeps neither.
        let error = unsafe rd_kafka_query_watermark_offsets(
            handle.client, topic, partition, &low, &high, timeout.milliseconds)
        try Failure.check(error, "offsets of \(topic)/\(partition)")
        return (low, high)
    }

    /// The end of a partition as the last fetch saw it; nil before the first. Never waits and asks
    /// nobody: for progress lines, not for decisions.
    public func knownEnd(partition: Int32) -> Int64? {
        var low: Int64 = -1
        var high: Int64 = -1
        // SAFETY: both pointers are to locals that outlive the call.
        let error = unsafe rd_kafka_get_watermark_offsets(
            handle.client, topic, partition, &low, &high)
        return error == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : nil
    }

    /// The first offset whose record's time is ≥ `milliseconds` since 1970; a partition without
    /// such a record is not in the answer.
    public func offsets(
        atOrAfter milliseconds: Int64, partitions: [Int32], timeout: Duration = .seconds(10)
    ) throws(Failure) -> [Int32: Int64] {
        let list = KafkaPartitionList(topic, partitions.map { ($0, milliseconds) })
        let error = unsafe rd_kafka_offsets_for_times(
            handle.client, list.list, timeout.milliseconds)
        try Failure.check(error, "offsets of \(topic) by time")
        var result: [Int32: Int64] = [:]
        for entry in list.entries {
            try Failure.check(entry.error, "offset of \(topic)/\(entry.partition) by time")
            if entry.offset >= 0 { result[entry.partition] = entry.offset }
        }
        return result
    }

    /// Adds partitions; their records come out of their queues from the given offsets on.
    ///
    /// A partition is forwarded to its queue after it was assigned; what it brought before that
    /// lies in the consumer's common queue, and goes first. Trap: a partition that is assigned
    /// already.
    public func assign(_ assignments: [KafkaAssignment]) throws(Failure) {
        guard !assignments.isEmpty else { return }
        let isFirst = assigned.withLock { assigned in
            let isFirst = assigned.isEmpty
            for one in assignments {
                require(
                    assigned.updateValue(one.queue, forKey: one.partition) == nil,
                    "\(topic)/\(one.partition) is assigned already")
            }
            return isFirst
        }
        let list = KafkaPartitionList(topic, assignments.map { ($0.partition, $0.offset) })
        if isFirst {
            try unsafe Failure.check(
                rd_kafka_assign(handle.client, list.list), "assigning \(topic)")
        } else if let error = unsafe KafkaErrorObject(
            consuming: rd_kafka_incremental_assign(handle.client, list.list))
        {
            throw error.failure("assigning \(topic)")
        }
        for one in assignments {
            try forward(one.partition, to: queues[one.queue])
            _ = queues[one.queue].partitions.withLock { $0.insert(one.partition) }
        }
        drainCommonQueue()
    }

    private func forward(_ partition: Int32, to queue: KafkaQueue) throws(Failure) {
        let own = unsafe rd_kafka_queue_get_partition(handle.client, topic, partition)
        guard let own = unsafe own else {
            throw Failure(
                .failed, "kafka.no_queue", "\(topic)/\(partition) has no queue after assignment")
        }
        unsafe rd_kafka_queue_forward(own, queue.queue)
        unsafe rd_kafka_queue_destroy(own)
    }

    private func drainCommonQueue() {
        let common = unsafe rd_kafka_queue_get_consumer(handle.client)
        guard let common = unsafe common else { return }
        let reader = unsafe KafkaQueue(handle, owning: common, topic: topic, like: queues[0])
        while true {
            let polled = reader.poll(maximumMessages: 1000, timeout: .zero)
            guard !polled.isEmpty else { return }
            let owners = assigned.withLock { $0 }
            for (index, queue) in queues.enumerated() {
                queue.keep(polled.only { owners[$0] ?? 0 == index })
            }
        }
    }

    /// Gives partitions back; nothing more comes from them.
    public func unassign(_ partitions: [Int32]) throws(Failure) {
        let list = KafkaPartitionList(topic, partitions.map { ($0, -1001) })
        if let error = unsafe KafkaErrorObject(
            consuming: rd_kafka_incremental_unassign(handle.client, list.list))
        {
            throw error.failure("unassigning \(topic)")
        }
        assigned.withLock { assigned in
            for partition in partitions {
                if let queue = assigned.removeValue(forKey: partition) {
                    _ = queues[queue].partitions.withLock { $0.remove(partition) }
                }
            }
        }
    }

    /// Stops fetching; what is fetched already stays and comes after `resume`. For long stalls
    /// only: a queue that is not polled holds its partitions back by itself.
    public func pause(_ partitions: [Int32]) throws(Failure) {
        let list = KafkaPartitionList(topic, partitions.map { ($0, -1001) })
        try unsafe Failure.check(
            rd_kafka_pause_partitions(handle.client, list.list), "pausing \(topic)")
    }

    public func resume(_ partitions: [Int32]) throws(Failure) {
        let list = KafkaPartitionList(topic, partitions.map { ($0, -1001) })
        try unsafe Failure.check(
            rd_kafka_resume_partitions(handle.client, list.list), "resuming \(topic)")
    }

    /// Commits the group's offsets for tools that watch lag; Millrace never reads them back.
    /// Doesn't wait: a failure shows as an event.
    public func commitForLag(_ offsets: [Int32: Int64]) throws(Failure) {
        let sorted = offsets.sorted { $0.key < $1.key }
        let list = KafkaPartitionList(topic, sorted.map { ($0.key, $0.value) })
        try unsafe Failure.check(
            rd_kafka_commit(handle.client, list.list, 1), "committing offsets of \(topic)")
    }

    /// The group's committed offsets.
    public func committed(
        partitions: [Int32], timeout: Duration = .seconds(10)
    ) throws(Failure) -> [Int32: Int64] {
        let list = KafkaPartitionList(topic, partitions.map { ($0, -1001) })
        try unsafe Failure.check(
            rd_kafka_committed(handle.client, list.list, timeout.milliseconds),
            "committed offsets of \(topic)")
        var result: [Int32: Int64] = [:]
        for entry in list.entries where entry.offset >= 0 { result[entry.partition] = entry.offset }
        return result
    }

    /// Errors that came up since the last call; never waits. Ask now and then, as nobody else does.
    public func takeEvents() -> [KafkaEvent] { handle.takeEvents() }
}
