// The records of one worker's partitions, a batch a call.

import CRdKafka
public import Columns
import Contracts
import Synchronization

/// Where a partition stands after a poll.
public struct KafkaPosition: Sendable, Hashable {
    public let partition: Int32
    /// The next offset to read; it has moved over control records and gaps.
    public let next: Int64
    /// Whether this is the partition's end, as of the last answer of the broker.
    public let isEnd: Bool
}

/// What a poll brought.
public struct KafkaPoll: Sendable {
    /// Each partition's messages lie together and in offset order.
    public var messages: MessageBatch
    /// Partitions that moved or ended, each once, as of after `messages`.
    public var positions: [KafkaPosition]
    public var events: [KafkaEvent]

    public var isEmpty: Bool { messages.isEmpty && positions.isEmpty && events.isEmpty }

    /// What concerns some partitions; disturbances go along with all.
    func only(_ isWanted: (Int32) -> Bool) -> KafkaPoll {
        var kept = MessageBatch(capacity: messages.count)
        for message in 0..<messages.count where isWanted(messages.partitions[message]) {
            kept.append(
                partition: messages.partitions[message], offset: messages.offsets[message],
                timestamp: messages.timestamps[message], key: messages.key(message),
                value: messages.value(message))
            for header in messages.headers(message) {
                let name = messages.keys[header.name.lowerBound..<header.name.upperBound]
                let value = header.value.map { messages.keys[$0.lowerBound..<$0.upperBound] }
                kept.appendHeader(name: name, value: value)
            }
        }
        let events = events.filter { event in
            switch event {
            case .offsetLost(let partition, _), .partitionFailed(let partition, _):
                isWanted(partition)
            default: true
            }
        }
        return KafkaPoll(
            messages: kept, positions: positions.filter { isWanted($0.partition) },
            events: events)
    }
}

/// One worker's queue of a consumer. Poll it from one thread at a time.
@safe
public final class KafkaQueue: @unchecked Sendable {
    // because the pointers never change, `scratch` is only used by the polling thread, and `kept`
    // is behind a lock.
    let queue: OpaquePointer
    private let handle: KafkaHandle
    private let topic: String
    private let readsHeaders: Bool
    let kept: Mutex<[KafkaPoll]> = Mutex([])
    /// Whose records come here.
    let partitions: Mutex<Set<Int32>> = Mutex([])
    /// Of the polling thread.
    let refill: Mutex<KafkaRefill>
    let scratch: UnsafeMutableBufferPointer<UnsafeMutablePointer<rd_kafka_message_t>?>

    /// At most so many messages a call.
    public static let maximumMessages = 8192
    /// Messages of a call whose sizes say how many more it takes.
    static let firstMessages = 64
    /// Bytes a call takes, about: messages of megabytes come a few at a time.
    static let pollBytes = 16 << 20
    /// What a call may wait for its first message.
    public static let longestWait = Duration.milliseconds(20)

    init(
        _ handle: KafkaHandle, topic: String, readsHeaders: Bool, refill: KafkaRefill
    ) {
        self.refill = Mutex(refill)
        self.handle = handle
        self.topic = topic
        self.readsHeaders = readsHeaders
        unsafe queue = rd_kafka_queue_new(handle.client).required("out of memory")
        unsafe scratch = .allocate(capacity: Self.maximumMessages)
    }

    init(_ handle: KafkaHandle, owning queue: OpaquePointer, topic: String, like other: KafkaQueue)
    {
        refill = Mutex(KafkaRefill.never)
        self.handle = handle
        self.topic = topic
        readsHeaders = other.readsHeaders
        unsafe self.queue = queue
        unsafe scratch = .allocate(capacity: Self.maximumMessages)
    }

    deinit {
        unsafe rd_kafka_queue_destroy(queue)
        unsafe scratch.deallocate()
    }

    /// Goes before everything that is still in the queue.
    func keep(_ poll: KafkaPoll) {
        guard !poll.isEmpty else { return }
        kept.withLock { $0.append(poll) }
    }

    /// Waits for messages up to `timeout`, at most `longestWait`. Throws nothing: what goes wrong
    /// is an event. Complexity: one copy of the bytes, no allocation a message.
    public func poll(maximumMessages: Int, timeout: Duration) -> KafkaPoll {
        let first = kept.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if let first { return first }
        let count = fill(maximumMessages, min(timeout, Self.longestWait))
        var result = KafkaPoll(
            messages: MessageBatch(capacity: max(0, count)), positions: [], events: [])
        guard count != 0 else { return result }
        guard count > 0 else {
            let error = rd_kafka_last_error()
            result.events.append(.disturbance(.kafka(error, "reading \(topic)")))
            return result
        }
        take(count, &result)
        for index in 0..<count {
            // SAFETY: the call above handed over `count` messages; each is destroyed once, and
            // nothing of it is kept: a kept message would pin its whole fetch buffer.
            unsafe rd_kafka_message_destroy(scratch[index])
        }
        refillIfDue(messages: count, bytes: result.messages.byteCount)
        return result
    }

    /// Takes what is there into `scratch`, about `pollBytes` at most; only where that is nothing
    /// it waits, for the first: librdkafka would wait the whole time-out for a full batch. The
    /// sizes of messages show when they are taken, so it takes a few, then more of what is alike.
    /// Negative: an error.
    func fill(_ maximumMessages: Int, _ timeout: Duration) -> Int {
        let limit = min(max(maximumMessages, 1), Self.maximumMessages)
        var count = consume(min(limit, Self.firstMessages), at: 0, timeout: .zero)
        if count == 0, timeout > .zero { count = consume(1, at: 0, timeout: timeout) }
        guard count > 0 else { return count }
        var bytes = byteCount(0..<count)
        while count < limit {
            let alike = (Self.pollBytes - bytes) / max(1, bytes / count)
            let wanted = min(limit - count, 4 * count, alike)
            guard wanted > 0 else { break }
            let more = consume(wanted, at: count, timeout: .zero)
            guard more > 0 else { break }
            bytes += byteCount(count..<(count + more))
            count += more
        }
        return count
    }

    private func consume(_ count: Int, at place: Int, timeout: Duration) -> Int {
        guard let start = unsafe scratch.baseAddress else { return 0 }
        // SAFETY: `scratch` has room for `maximumMessages`, `place + count` at most.
        return unsafe rd_kafka_consume_batch_queue(
            queue, timeout.milliseconds, start + place, count)
    }

    private func byteCount(_ range: Range<Int>) -> Int {
        // SAFETY: messages that were handed over and are not destroyed yet.
        range.reduce(0) { bytes, index in
            guard let message = unsafe scratch[index] else { return bytes }
            return unsafe bytes + message.pointee.len + message.pointee.key_len
        }
    }

    /// Wakes the fetching that a full queue has stopped (see `KafkaRefill`).
    func refillIfDue(messages: Int, bytes: Int) {
        let queued = unsafe rd_kafka_queue_length(queue)
        let isDue = refill.withLock { refill in
            refill.isDue(queued: queued, bytesAMessage: bytes / max(messages, 1))
        }
        guard isDue else { return }
        let list = KafkaPartitionList(
            topic, partitions.withLock { $0.sorted() }.map { ($0, Int64(RD_KAFKA_OFFSET_END)) })
        // SAFETY: client and list live as long as the call. It waits for no answer, and the answer
        // does not matter: that the leaders are asked wakes their threads.
        _ = unsafe rd_kafka_offsets_for_times(handle.client, list.list, 0)
    }

    /// Copies the first `count` messages of `scratch`, partition by partition.
    private func take(_ count: Int, _ result: inout KafkaPoll) {
        var order: [Int32] = []
        for index in 0..<count {
            // SAFETY: see `poll`.
            let partition = unsafe scratch[index].required("a message").pointee.partition
            if order.last != partition, !order.contains(partition) { order.append(partition) }
        }
        for partition in order {
            var next: Int64?
            var isEnd = false
            for index in 0..<count {
                guard let message = unsafe scratch[index] else { continue }
                // SAFETY: see `poll`.
                guard unsafe message.pointee.partition == partition else { continue }
                unsafe take(message, &result, &next, &isEnd)
            }
            if let next {
                result.positions.append(
                    KafkaPosition(partition: partition, next: next, isEnd: isEnd))
            }
        }
    }

    private func take(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ result: inout KafkaPoll,
        _ next: inout Int64?, _ isEnd: inout Bool
    ) {
        // SAFETY: the message is ours until `poll` destroys it; its bytes are copied.
        let record = unsafe message.pointee
        switch unsafe record.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            let value = unsafe Self.bytes(record.payload, record.len)
            let key = unsafe Self.bytes(record.key, record.key_len)
            unsafe result.messages.append(
                partition: record.partition, offset: record.offset,
                timestamp: rd_kafka_message_timestamp(message, nil), unsafeKey: key,
                unsafeValue: value)
            if readsHeaders { unsafe takeHeaders(message, &result.messages) }
            next = unsafe record.offset + 1
            isEnd = false
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            next = unsafe max(next ?? record.offset, record.offset)
            isEnd = true
        default: unsafe result.events.append(event(message))
        }
    }

    private static func bytes(
        _ start: UnsafeMutableRawPointer?, _ count: Int
    ) -> UnsafeBufferPointer<UInt8>? {
        guard let start = unsafe start else { return nil }
        // SAFETY: `start` has `count` bytes, as librdkafka says.
        return unsafe UnsafeBufferPointer(
            start: start.assumingMemoryBound(to: UInt8.self), count: count)
    }

    private func takeHeaders(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ messages: inout MessageBatch
    ) {
        var headers: OpaquePointer?
        guard unsafe rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR
        else { return }
        var index = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        // SAFETY: name and value live as long as the message.
        while unsafe rd_kafka_header_get_all(headers, index, &name, &value, &size)
            == RD_KAFKA_RESP_ERR_NO_ERROR
        {
            let text = unsafe name.map { unsafe Array(String(cString: $0).utf8) } ?? []
            let bytes = unsafe value.map {
                unsafe Array(UnsafeRawBufferPointer(start: $0, count: size))
            }
            messages.appendHeader(name: text, value: bytes)
            index += 1
        }
    }

    private func event(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> KafkaEvent {
        // SAFETY: see `take`.
        let error = unsafe message.pointee.err
        let partition = unsafe message.pointee.partition
        let text = unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) }
        let failure = Failure.kafka(error, "\(topic)/\(partition)", text)
        switch error {
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            return .offsetLost(partition: partition, failure)
        case RD_KAFKA_RESP_ERR__FATAL: return .fatal(handle.fatalFailure() ?? failure)
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR__BAD_MSG,
            RD_KAFKA_RESP_ERR__BAD_COMPRESSION, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
            return .partitionFailed(partition: partition, failure)
        default: return .disturbance(failure)
        }
    }
}
