// Reading without keeping: what the client alone costs, the ceiling that `bench` measures against.

import CRdKafka
import Columns
public import Contracts
import Synchronization

/// What was read and dropped.
public struct KafkaCount: Sendable, Hashable {
    public var messages = 0
    /// Bytes of their values.
    public var valueBytes = 0
    /// Partitions that stood at their end.
    public var ended: Set<Int32> = []

    public init() {}
}

extension KafkaQueue {
    /// As `poll`, but counts the messages where `poll` copies them.
    public func count(
        maximumMessages: Int, timeout: Duration, into result: inout KafkaCount
    ) throws(Failure) {
        let kept = kept.withLock { kept in
            defer { kept = [] }
            return kept
        }
        for poll in kept { result.add(poll) }
        let before = result.valueBytes
        let count = fill(maximumMessages, min(timeout, Self.longestWait))
        guard count >= 0 else { throw .kafka(rd_kafka_last_error(), "reading") }
        for index in 0..<count {
            // SAFETY: the call above handed over `count` messages; each is destroyed once.
            guard let message = unsafe scratch[index] else { continue }
            let error = unsafe message.pointee.err
            if error == RD_KAFKA_RESP_ERR_NO_ERROR {
                result.messages += 1
                result.valueBytes += unsafe message.pointee.len
            } else if error == RD_KAFKA_RESP_ERR__PARTITION_EOF {
                result.ended.insert(unsafe message.pointee.partition)
            }
            unsafe rd_kafka_message_destroy(message)
        }
        refillIfDue(messages: count, bytes: result.valueBytes - before)
    }
}

extension KafkaCount {
    fileprivate mutating func add(_ poll: KafkaPoll) {
        messages += poll.messages.count
        for range in poll.messages.valueRanges { valueBytes += range.count }
        for position in poll.positions where position.isEnd { ended.insert(position.partition) }
    }
}
