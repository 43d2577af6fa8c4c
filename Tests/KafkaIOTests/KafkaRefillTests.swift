// When a full queue's fetching is woken: once a fill, and never for a trickle.

import Columns
import KafkaIO
import Testing

struct KafkaRefillTests {
    /// Reads a queue down in steps and says at which lengths it was woken.
    private func wakes(
        _ lengths: [Int], bytes: Int = 100, _ properties: [String: String] = [:]
    ) -> [Int] {
        var refill = KafkaRefill(properties)
        return lengths.filter { refill.isDue(queued: $0, bytesAMessage: bytes) }
    }

    private let emptied = stride(from: 100_000, through: 0, by: -10_000).map { $0 }

    @Test func aFullQueueIsWokenOnceWhenItIsHalfEmpty() {
        #expect(wakes(emptied) == [50_000])
        #expect(wakes(emptied + emptied) == [50_000, 50_000])
    }

    @Test func aTrickleIsLeftAlone() {
        #expect(wakes([0, 3, 0, 5, 1, 0, 20_000, 9_000, 0]) == [])
    }

    @Test func fewLargeMessagesFillAQueueToo() {
        #expect(wakes([40, 30, 20, 10, 0], bytes: 1_000_000) == [20])
        #expect(wakes([40, 30, 20, 10, 0], bytes: 1_000) == [])
    }

    @Test func theTopologysLimitsCount() {
        #expect(wakes([2_000, 1_000, 0], ["queued.min.messages": "2000"]) == [1_000])
        #expect(wakes([400, 200, 0], bytes: 1_000, ["queued.max.messages.kbytes": "300"]) == [200])
    }

    /// `queued.min.messages = 1` is how somebody asks for slow fetching.
    @Test func aTinyLimitIsMeant() {
        #expect(wakes([5_000, 2_000, 0], ["queued.min.messages": "1"]) == [])
    }
}

extension RealBrokerTests {
    /// Without waking, each fill of this queue is followed by a second of nothing.
    @Test func aReaderFasterThanItsQueueDoesNotStandStill() throws {
        let topic = try Broker.topic()
        let producer = try KafkaProducer(Broker.configuration())
        let pad = String(repeating: "x", count: 400)
        try producer.send(topic, (0..<30_000).map { "\($0)\(pad)" })
        #expect(producer.flush(timeout: .seconds(60)))
        let consumer = try KafkaConsumer(
            Broker.configuration([
                "queued.min.messages": "1000", "fetch.message.max.bytes": "500000",
            ]), topic: topic)
        try consumer.assign([KafkaAssignment(partition: 0, offset: 0, queue: 0)])
        var read = 0
        var longestSilence = Duration.zero
        var last = ContinuousClock.now
        while read < 30_000, ContinuousClock.now - last < .seconds(20) {
            let poll = consumer.queues[0].poll(maximumMessages: 500, timeout: .milliseconds(5))
            guard !poll.messages.isEmpty else { continue }
            if read > 0 { longestSilence = max(longestSilence, ContinuousClock.now - last) }
            last = ContinuousClock.now
            read += poll.messages.count
        }
        #expect(read == 30_000)
        #expect(longestSilence < .milliseconds(600), "\(longestSilence)")
    }
}
