// The owner of one librdkafka client.

import CRdKafka
import Contracts
import Dispatch

@safe
final class KafkaHandle: @unchecked Sendable {
    // because librdkafka's clients are thread-safe and the pointer never changes.
    let client: OpaquePointer
    /// Errors, delivery reports and results of commits.
    let mainQueue: OpaquePointer

    init(
        _ kind: rd_kafka_type_t, _ configuration: KafkaClientConfiguration,
        _ defaults: [(String, String)], extra: [(String, String)], events: Int32
    ) throws(Failure) {
        let conf = unsafe try configuration.make(defaults, extra: extra)
        unsafe rd_kafka_conf_set_events(conf, events)
        var text = [CChar](repeating: 0, count: 512)
        // SAFETY: the client takes `conf` over when it is made; else it stays ours.
        let made = unsafe text.withUnsafeMutableBufferPointer {
            unsafe rd_kafka_new(kind, conf, $0.baseAddress, $0.count)
        }
        guard let made = unsafe made else {
            unsafe rd_kafka_conf_destroy(conf)
            throw Failure(
                .invalid, "kafka.client",
                "no Kafka client for \(configuration.bootstrapServers): \(String(clean: text))")
        }
        unsafe client = made
        unsafe mainQueue = rd_kafka_queue_get_main(made).required("a client has a main queue")
    }

    /// A client whose broker is away may take for ever to end: closing waits for the group's
    /// coordinator although we are no member, and for commits of offsets. So it ends on a thread of
    /// its own, and nobody waits longer than this.
    private static let closeTimeout = DispatchTimeInterval.seconds(2)

    deinit {
        unsafe rd_kafka_queue_destroy(mainQueue)
        // SAFETY: nobody has the client any more but the closure, which runs once.
        nonisolated(unsafe) let client = unsafe client
        let closed = DispatchSemaphore(value: 0)
        DispatchQueue(label: "millrace.kafka.close").async {
            unsafe rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            closed.signal()
        }
        _ = closed.wait(timeout: .now() + KafkaHandle.closeTimeout)
    }

    /// The topic's partitions, ascending. Throws `kafka.topic_missing`.
    func partitions(_ topic: String, timeout: Duration) throws(Failure) -> [Int32] {
        let handle = unsafe rd_kafka_topic_new(client, topic, nil)
        guard let handle = unsafe handle else {
            throw .kafka(rd_kafka_last_error(), "topic \"\(topic)\"")
        }
        defer { unsafe rd_kafka_topic_destroy(handle) }
        let found = unsafe try metadata(handle, "asking for topic \"\(topic)\"", timeout)
        defer { unsafe rd_kafka_metadata_destroy(found) }
        // SAFETY: the counts are those of the arrays; all live until the metadata is destroyed.
        guard unsafe found.pointee.topic_cnt == 1 else {
            throw Failure(.failed, "kafka.topic_missing", "no answer about topic \"\(topic)\"")
        }
        let described = unsafe found.pointee.topics[0]
        if unsafe described.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART {
            throw Failure(
                .failed, "kafka.topic_missing", "topic \"\(topic)\" does not exist",
                hint: "create it, or check the name and bootstrap_servers")
        }
        try unsafe Failure.check(described.err, "asking for topic \"\(topic)\"")
        return unsafe (0..<Int(described.partition_cnt)).map {
            unsafe described.partitions[$0].id
        }.sorted()
    }

    /// Asks in slices, each twice as long as the one before: why nobody answers (the address, the
    /// password) is known long before the time is up. The answer is the caller's to destroy.
    private func metadata(
        _ topic: OpaquePointer, _ what: String, _ timeout: Duration
    ) throws(Failure) -> UnsafePointer<rd_kafka_metadata> {
        var left = timeout.milliseconds
        var slice: Int32 = 500
        while true {
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let wait = min(slice, left)
            let error = unsafe rd_kafka_metadata(client, 0, topic, &metadata, wait)
            if error == RD_KAFKA_RESP_ERR_NO_ERROR, let found = unsafe metadata {
                return unsafe found
            }
            if let told = takeEvents().map(\.failure).min(by: { $0.vagueness < $1.vagueness }) {
                throw told
            }
            left -= wait
            slice *= 2
            guard left > 0 else { throw .kafka(error, what) }
        }
    }

    /// Errors that came up since the last call. Never waits.
    func takeEvents() -> [KafkaEvent] {
        var events: [KafkaEvent] = []
        while let event = unsafe rd_kafka_queue_poll(mainQueue, 0) {
            // SAFETY: the event is ours until destroyed.
            unsafe append(event, &events)
            unsafe rd_kafka_event_destroy(event)
        }
        return events
    }

    func append(_ event: OpaquePointer, _ events: inout [KafkaEvent]) {
        let error = unsafe rd_kafka_event_error(event)
        guard unsafe rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR else { return }
        let text = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
        if unsafe error == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event) != 0 {
            events.append(.fatal(fatalFailure() ?? .kafka(error, "kafka", text)))
        } else {
            events.append(.disturbance(.kafka(error, "kafka", text)))
        }
    }

    /// The error that ended this client, if one has.
    func fatalFailure() -> Failure? {
        var text = [CChar](repeating: 0, count: 512)
        let error = unsafe text.withUnsafeMutableBufferPointer {
            // SAFETY: the buffer has the size that is passed.
            unsafe rd_kafka_fatal_error(client, $0.baseAddress, $0.count)
        }
        guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        let isFenced =
            error == RD_KAFKA_RESP_ERR__FENCED || error == RD_KAFKA_RESP_ERR_PRODUCER_FENCED
            || error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH
        return .kafka(
            error, "the Kafka client ended", String(clean: text),
            kind: isFenced ? .fenced : .failed)
    }
}

extension Duration {
    /// For C: at least 0, at most Int32.max.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        let value = seconds.multipliedReportingOverflow(by: 1000)
        let sum = value.partialValue &+ attoseconds / 1_000_000_000_000_000
        return value.overflow ? .max : Int32(clamping: max(0, sum))
    }
}

extension String {
    /// Up to the terminating zero.
    init(clean text: [CChar]) {
        self.init(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Owns a list of partitions, made for one call of one client.
@safe
struct KafkaPartitionList: ~Copyable {
    let list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ topic: String, _ offsets: [(partition: Int32, offset: Int64)]) {
        unsafe list = rd_kafka_topic_partition_list_new(Int32(offsets.count))
            .required("out of memory")
        for entry in offsets {
            // SAFETY: the list has room; the answer points into it.
            unsafe rd_kafka_topic_partition_list_add(list, topic, entry.partition)
                .pointee.offset = entry.offset
        }
    }

    deinit { unsafe rd_kafka_topic_partition_list_destroy(list) }

    /// What a call has written into the list.
    var entries: [(partition: Int32, offset: Int64, error: rd_kafka_resp_err_t)] {
        // SAFETY: `cnt` entries lie at `elems`.
        unsafe (0..<Int(list.pointee.cnt)).map {
            let entry = unsafe list.pointee.elems[$0]
            return unsafe (entry.partition, entry.offset, entry.err)
        }
    }
}
