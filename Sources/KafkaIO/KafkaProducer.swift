// Writing: one producer, idempotent, with transactions where it has a transactional id.
//
// Of a row that `produce` refuses a transaction knows nothing and commits all the same; so every
// answer and every delivery report is counted here, and `commit` commits only when each row that
// was asked for has been delivered.

import CRdKafka
public import Contracts

/// A record to write.
public struct KafkaRecord: Sendable, Hashable {
    public var topic: String
    /// nil: by the key's murmur2 hash, as Kafka's Java clients do; without a key at random.
    public var partition: Int32?
    public var key: [UInt8]?
    /// nil: a tombstone.
    public var value: [UInt8]?
    public var headers: [KafkaHeader]
    /// ms since 1970; nil: now.
    public var timestamp: Int64?

    public init(
        topic: String, partition: Int32? = nil, key: [UInt8]?, value: [UInt8]?,
        headers: [KafkaHeader] = [], timestamp: Int64? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }
}

public struct KafkaHeader: Sendable, Hashable {
    public var name: String
    public var value: [UInt8]?

    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }
}

/// How a step of a transaction went.
public enum KafkaTransactionOutcome: Sendable {
    case done
    /// Try the same call again: it is safe, and its outcome is not known yet.
    case retry(Failure)
    /// Abort; then the epoch can be sent again in a new transaction.
    case mustAbort(Failure)
    /// This producer has ended, or another one of its transactional id has taken over (a
    /// transaction time-out looks the same): destroy it, read the progress record, decide
    /// (design.md §3.6).
    case fatal(Failure)
}

/// A producer. Use from one thread at a time.
@safe
public final class KafkaProducer {
    /// Rows since the transaction began (without transactions: since the producer was made).
    public struct Counts: Sendable, Hashable {
        /// Asked for.
        public var requested = 0
        /// Refused at once: in no transaction.
        public var refused = 0
        public var delivered = 0
        public var failed = 0

        public init(requested: Int = 0, refused: Int = 0, delivered: Int = 0, failed: Int = 0) {
            self.requested = requested
            self.refused = refused
            self.delivered = delivered
            self.failed = failed
        }

        public var isComplete: Bool { delivered == requested }
        public var isOpen: Bool { refused + delivered + failed < requested }
    }

    public private(set) var counts = Counts()
    /// The first refusal or failed delivery since the transaction began.
    public private(set) var firstFailure: Failure?
    private let handle: KafkaHandle
    private let isTransactional: Bool
    private var topics: [String: OpaquePointer] = unsafe [:]
    private var pending: [KafkaEvent] = []

    /// `transactionalID`: `millrace-<pipeline id>`, where exactly-once is wanted.
    public init(
        _ configuration: KafkaClientConfiguration, transactionalID: String? = nil
    ) throws(Failure) {
        isTransactional = transactionalID != nil
        handle = try KafkaHandle(
            RD_KAFKA_PRODUCER, configuration, KafkaClientConfiguration.producerDefaults,
            extra: transactionalID.map { [("transactional.id", $0)] } ?? [],
            events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
    }

    deinit {
        for unsafe topic in unsafe topics.values { unsafe rd_kafka_topic_destroy(topic) }
    }

    private func topic(_ name: String) throws(Failure) -> OpaquePointer {
        if let known = unsafe topics[name] { return unsafe known }
        let made = unsafe rd_kafka_topic_new(handle.client, name, nil)
        guard let made = unsafe made else {
            throw .kafka(rd_kafka_last_error(), "topic \"\(name)\"")
        }
        unsafe topics[name] = made
        return unsafe made
    }

    /// Hands a record over; its bytes are copied. Waits up to `timeout` while the queue is full. A
    /// refusal is counted and answered, not thrown.
    @discardableResult
    public func produce(
        _ record: KafkaRecord, timeout: Duration = .seconds(30)
    ) throws(Failure) -> Failure? {
        counts.requested += 1
        let topic = unsafe try topic(record.topic)
        let deadline = ContinuousClock.now + timeout
        while true {
            guard let error = unsafe send(record, topic) else { return nil }
            if error.code == RD_KAFKA_RESP_ERR__QUEUE_FULL, ContinuousClock.now < deadline {
                serve(milliseconds: 10)
                continue
            }
            let failure = error.failure("producing to \"\(record.topic)\"")
            counts.refused += 1
            firstFailure = firstFailure ?? failure
            return failure
        }
    }

    private func send(_ record: KafkaRecord, _ topic: OpaquePointer) -> KafkaErrorObject? {
        var arguments: [rd_kafka_vu_t] = unsafe []
        func add(_ type: rd_kafka_vtype_t, _ fill: (inout rd_kafka_vu_t) -> Void) {
            var argument = unsafe rd_kafka_vu_t()
            unsafe argument.vtype = type
            unsafe fill(&argument)
            unsafe arguments.append(argument)
        }
        unsafe add(RD_KAFKA_VTYPE_RKT) { unsafe $0.u.rkt = topic }
        unsafe add(RD_KAFKA_VTYPE_PARTITION) { unsafe $0.u.i32 = record.partition ?? -1 }
        unsafe add(RD_KAFKA_VTYPE_MSGFLAGS) { unsafe $0.u.i = RD_KAFKA_MSG_F_COPY }
        if let timestamp = record.timestamp {
            unsafe add(RD_KAFKA_VTYPE_TIMESTAMP) { unsafe $0.u.i64 = timestamp }
        }
        // SAFETY: the buffers live until produceva has copied them (MSG_F_COPY; keys always).
        return unsafe Self.withBytes(record.key) { key in
            unsafe Self.withBytes(record.value) { value in
                if let key = unsafe key {
                    unsafe add(RD_KAFKA_VTYPE_KEY) {
                        unsafe $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: key.baseAddress)
                        unsafe $0.u.mem.size = key.count
                    }
                }
                if let value = unsafe value {
                    unsafe add(RD_KAFKA_VTYPE_VALUE) {
                        unsafe $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: value.baseAddress)
                        unsafe $0.u.mem.size = value.count
                    }
                }
                return unsafe Self.withHeaders(record.headers) { headers in
                    if let headers = unsafe headers {
                        unsafe add(RD_KAFKA_VTYPE_HEADERS) { unsafe $0.u.headers = headers }
                    }
                    let error = unsafe KafkaErrorObject(
                        consuming: rd_kafka_produceva(handle.client, arguments, arguments.count))
                    // A record that was taken owns its headers from then on.
                    if error != nil, let headers = unsafe headers {
                        unsafe rd_kafka_headers_destroy(headers)
                    }
                    return error
                }
            }
        }
    }

    /// The bytes; also of an empty array a pointer that is not NULL, which would mean "none".
    private static func withBytes<Result>(
        _ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        guard let bytes else { return body(nil) }
        guard bytes.isEmpty else { return unsafe bytes.withUnsafeBytes { unsafe body($0) } }
        return unsafe [UInt8(0)].withUnsafeBytes {
            unsafe body(UnsafeRawBufferPointer(rebasing: $0[..<0]))
        }
    }

    private static func withHeaders<Result>(
        _ headers: [KafkaHeader], _ body: (OpaquePointer?) -> Result
    ) -> Result {
        guard !headers.isEmpty else { return body(nil) }
        let list = unsafe rd_kafka_headers_new(headers.count)
        for header in headers {
            unsafe withBytes(header.value) { value in
                // SAFETY: name and value are copied.
                _ = unsafe rd_kafka_header_add(
                    list, header.name, -1, value?.baseAddress, value?.count ?? 0)
            }
        }
        return unsafe body(list)
    }

    /// Takes delivery reports and errors; waits up to so long for the first.
    private func serve(milliseconds: Int32) {
        var wait = milliseconds
        while let event = unsafe rd_kafka_queue_poll(handle.mainQueue, wait) {
            wait = 0
            // SAFETY: the event is ours until destroyed; its messages live as long.
            if unsafe rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR {
                while let message = unsafe rd_kafka_event_message_next(event) {
                    unsafe note(message)
                }
            } else {
                unsafe handle.append(event, &pending)
            }
            unsafe rd_kafka_event_destroy(event)
        }
    }

    private func note(_ message: UnsafePointer<rd_kafka_message_t>) {
        // SAFETY: see `serve`.
        let error = unsafe message.pointee.err
        guard error != RD_KAFKA_RESP_ERR_NO_ERROR else {
            counts.delivered += 1
            return
        }
        counts.failed += 1
        if firstFailure == nil {
            let name = unsafe message.pointee.rkt.map {
                unsafe String(cString: rd_kafka_topic_name($0))
            }
            firstFailure = .kafka(error, "delivering to \"\(name ?? "?")\"")
        }
    }

    /// Waits until each accepted row is delivered or failed; false: not within `timeout`.
    public func flush(timeout: Duration) -> Bool {
        let deadline = ContinuousClock.now + timeout
        serve(milliseconds: 0)
        while counts.isOpen {
            guard ContinuousClock.now < deadline, handle.fatalFailure() == nil else { return false }
            serve(milliseconds: 20)
        }
        return true
    }

    /// Errors that came up since the last call.
    public func takeEvents() -> [KafkaEvent] {
        serve(milliseconds: 0)
        defer { pending = [] }
        return pending
    }

    /// The topic's partitions. Throws `kafka.topic_missing`. Asking makes no topic where the broker
    /// doesn't create topics by itself.
    public func partitions(
        _ topic: String, timeout: Duration = .seconds(10)
    ) throws(Failure) -> [Int32] {
        try handle.partitions(topic, timeout: timeout)
    }
}

extension KafkaProducer {
    private func outcome(_ error: KafkaErrorObject?, _ what: String) -> KafkaTransactionOutcome {
        guard let error else { return .done }
        let failure = error.failure(what)
        if error.isFatal || error.isFenced { return .fatal(handle.fatalFailure() ?? failure) }
        if error.requiresAbort { return .mustAbort(failure) }
        if error.isRetriable { return .retry(failure) }
        return .fatal(failure)
    }

    /// Fences off every other producer of the transactional id and ends what it left open.
    public func initializeTransactions(timeout: Duration) -> KafkaTransactionOutcome {
        require(isTransactional, "the producer has no transactional id")
        return outcome(
            unsafe KafkaErrorObject(
                consuming: rd_kafka_init_transactions(handle.client, timeout.milliseconds)),
            "taking over the transactional id")
    }

    /// Begins a transaction and the counting of its rows.
    public func begin() -> KafkaTransactionOutcome {
        require(!counts.isOpen, "rows of the transaction before are still on their way")
        counts = Counts()
        firstFailure = nil
        return outcome(
            unsafe KafkaErrorObject(consuming: rd_kafka_begin_transaction(handle.client)),
            "beginning a transaction")
    }

    /// Commits, if `rows` were asked for and every one of them has been delivered; any difference
    /// answers `mustAbort`.
    public func commit(rows: Int, timeout: Duration) -> KafkaTransactionOutcome {
        let deadline = ContinuousClock.now + timeout
        let isFlushed = flush(timeout: timeout)
        if let fatal = handle.fatalFailure() { return .fatal(fatal) }
        guard isFlushed else {
            return .mustAbort(
                Failure(.failed, "kafka.flush", "\(counts) rows are not delivered in time"))
        }
        guard counts.isComplete, counts.requested == rows else {
            let failure = firstFailure
                ?? Failure(
                    .failed, "kafka.rows_missing",
                    "the transaction holds \(counts.delivered) of \(rows) rows")
            return .mustAbort(failure)
        }
        let left = max(.milliseconds(1), ContinuousClock.now.duration(to: deadline))
        return outcome(
            unsafe KafkaErrorObject(
                consuming: rd_kafka_commit_transaction(handle.client, left.milliseconds)),
            "committing a transaction")
    }

    /// Takes the transaction back.
    public func abort(timeout: Duration) -> KafkaTransactionOutcome {
        // What is not sent yet fails at once instead of being sent to be thrown away.
        unsafe _ = rd_kafka_purge(
            handle.client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        guard flush(timeout: timeout) else {
            let failure = Failure(.failed, "kafka.flush", "\(counts) rows are neither sent nor not")
            return .fatal(handle.fatalFailure() ?? failure)
        }
        return outcome(
            unsafe KafkaErrorObject(
                consuming: rd_kafka_abort_transaction(handle.client, timeout.milliseconds)),
            "aborting a transaction")
    }

    /// Why the producer can't go on, if it can't.
    public var fatalFailure: Failure? { handle.fatalFailure() }
}
