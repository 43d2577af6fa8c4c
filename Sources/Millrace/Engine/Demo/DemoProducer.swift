// Sends the demo's bids, paced by the clock, on a thread of its own, and keeps what must come of
// them.

import Contracts
import Foundation
import KafkaIO
import Runtime
import Synchronization

/// A live stream into the topic.
final class DemoProducer: Sendable {
    private struct State {
        var sent = 0
        var isDone = false
        var failure: Failure?
        var expectation = DemoExpectation()
    }

    private let state = Mutex(State())
    private let broker: DemoBroker
    private let stop: StopRequest
    let count: Int
    /// Bids a second.
    let rate: Int

    /// Long enough to see progress, checkpoints and a kill; short enough to wait for.
    private static let seconds = 24
    /// Few bids take less long.
    private static let lowestRate = 1_000
    /// Bids a second that leave two cores room for everything else.
    private static let highestRate = 20_000

    init(_ broker: DemoBroker, count: Int, stop: StopRequest) {
        self.broker = broker
        self.count = count
        self.stop = stop
        rate = min(Self.highestRate, max(Self.lowestRate, count / Self.seconds))
    }

    /// Bids sent so far. Throws if sending has failed.
    func sent() throws(Failure) -> Int {
        let (sent, failure) = state.withLock { ($0.sent, $0.failure) }
        if let failure { throw failure }
        return sent
    }

    var isDone: Bool { state.withLock { $0.isDone } }

    /// Complete once `isDone`.
    var expectation: DemoExpectation { state.withLock { $0.expectation } }

    func start() {
        let thread = Thread { [self] in
            do throws(Failure) {
                try send()
            } catch {
                state.withLock { $0.failure = error }
            }
        }
        thread.name = "bids"
        thread.start()
    }

    private func send() throws(Failure) {
        let producer = try KafkaProducer(broker.configuration)
        var stream = try DemoStream(count: count, partitions: broker.partitions)
        var records = stream.next()[...]
        var sent = 0
        let begun = ContinuousClock.now
        while !records.isEmpty, !stop.isRequested {
            let elapsed = begun.duration(to: .now) / Duration.seconds(1)
            let due = Int(elapsed * Double(rate)) - sent
            guard due > 0 else {
                Thread.sleep(forTimeInterval: 0.01)
                continue
            }
            let batch = records.prefix(due)
            records = records.dropFirst(batch.count)
            try send(batch, producer)
            sent += batch.count
            if records.isEmpty { records = stream.next()[...] }
        }
        guard producer.flush(timeout: .seconds(30)), producer.counts.isComplete else {
            throw producer.firstFailure
                ?? Failure(.failed, "demo.undelivered", "the broker did not take all bids in time")
        }
        state.withLock { $0.isDone = true }
    }

    private func send(
        _ records: ArraySlice<DemoRecord>, _ producer: KafkaProducer
    ) throws(Failure) {
        for record in records {
            let refusal = try producer.produce(
                KafkaRecord(
                    topic: broker.topic, partition: record.partition, key: record.key,
                    value: record.value))
            if let refusal { throw refusal }
        }
        state.withLock { state in
            for record in records { state.expectation.add(record) }
            state.sent += records.count
        }
    }
}
