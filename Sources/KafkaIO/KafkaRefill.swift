// When a full queue's fetching must be woken.
//
// Where a queue holds as much as its limits allow, librdkafka stops fetching, and its thread then
// sleeps for up to a second (2.0.2 always, later versions for `fetch.queue.backoff.ms`), however
// soon the queue is emptied: a reader that is faster than a queue a second stands still for the
// rest of it. Any request to the partitions' leader wakes the thread, which looks at the queue
// again. So once a queue that was as good as full has been read down to half, the leaders are asked
// something cheap, once; what comes in meanwhile is the other half's business.

/// One queue's fill, as its reader sees it; a pure state machine.
package struct KafkaRefill: Sendable {
    /// Messages, or bytes, from which on fetching may have stopped.
    private let messageLimit: Int
    private let byteLimit: Int
    /// The most messages that were queued since it was last woken.
    private var peak = 0

    /// Below so many messages a limit is meant to slow fetching down.
    private static let smallestLimit = 1_000

    /// Half of the client's own limits, as the topology passes them or by default.
    package init(_ properties: [String: String]) {
        let messages = properties["queued.min.messages"].flatMap { Int($0) }
        let kilobytes = properties["queued.max.messages.kbytes"].flatMap { Int($0) }
        let most = messages ?? KafkaClientConfiguration.queuedMessages
        messageLimit = most < KafkaRefill.smallestLimit ? Int.max : most / 2
        byteLimit = (kilobytes ?? KafkaClientConfiguration.queuedKilobytes) * 512
    }

    private init() {
        messageLimit = .max
        byteLimit = .max
    }

    /// Of a queue that is read once.
    static let never = KafkaRefill()

    /// After a read that left `queued` messages of about `bytesAMessage` each: whether to wake the
    /// fetching now. True once a fill.
    package mutating func isDue(queued: Int, bytesAMessage: Int) -> Bool {
        peak = max(peak, queued)
        guard queued <= peak / 2 else { return false }
        let (bytes, isHuge) = peak.multipliedReportingOverflow(by: bytesAMessage)
        let wasFull = peak >= messageLimit || isHuge || bytes >= byteLimit
        if wasFull { peak = 0 }
        return wasFull
    }
}
