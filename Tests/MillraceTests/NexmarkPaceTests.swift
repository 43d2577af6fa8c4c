// `pace = true`: the rate holds from the run's start, over partitions, workers and restarts.

import Connectors
import Contracts
import Environment
import Synchronization
import Testing

@Suite struct NexmarkPaceTests {
    /// A clock that stands until it is moved.
    private final class Hands: Sendable {
        private let nanoseconds = Mutex<UInt64>(77_000_000_000)

        func move(milliseconds: UInt64) {
            nanoseconds.withLock { $0 += milliseconds * 1_000_000 }
        }

        var clock: Clock {
            Clock(
                now: { 0 }, monotonicNanoseconds: { self.nanoseconds.withLock { $0 } })
        }
    }

    private func ends(_ pace: NexmarkPace, _ partitions: Int) -> [Int64] {
        (0..<partitions).map { pace.end(ofPartition: $0) }
    }

    @Test func theFirstEventIsNow() {
        let hands = Hands()
        let pace = NexmarkPace(rate: 100, partitions: 1, clock: hands.clock)
        pace.begins(partition: 0, at: 0)
        hands.move(milliseconds: 5_000)
        #expect(pace.end(ofPartition: 0) == 1)
        hands.move(milliseconds: 9)
        #expect(pace.end(ofPartition: 0) == 1)
        hands.move(milliseconds: 1)
        #expect(pace.end(ofPartition: 0) == 2)
        hands.move(milliseconds: 990)
        #expect(pace.end(ofPartition: 0) == 101)
    }

    /// Events go round the partitions: after n of them each has its share.
    @Test func partitionsShareTheRate() {
        let hands = Hands()
        let pace = NexmarkPace(rate: 1_000, partitions: 3, clock: hands.clock)
        for partition in 0..<3 { pace.begins(partition: partition, at: 0) }
        #expect(ends(pace, 3) == [1, 0, 0])
        hands.move(milliseconds: 1)
        #expect(ends(pace, 3) == [1, 1, 0])
        hands.move(milliseconds: 9)
        #expect(ends(pace, 3) == [4, 4, 3])
        hands.move(milliseconds: 3_000_000_000)
        #expect(ends(pace, 3).reduce(0, +) == 3_000_000_011)
    }

    /// What would have come while the process was down is not made up for: one event is due at
    /// once, and a partition that was ahead waits for the others.
    @Test func aRestartGoesOnAtTheRate() {
        let hands = Hands()
        let pace = NexmarkPace(rate: 1_000, partitions: 2, clock: hands.clock)
        pace.begins(partition: 0, at: 500)
        pace.begins(partition: 1, at: 520)
        #expect(ends(pace, 2) == [501, 500])
        hands.move(milliseconds: 20)
        #expect(ends(pace, 2) == [511, 510])
        hands.move(milliseconds: 60)
        #expect(ends(pace, 2) == [541, 540])
    }
}
