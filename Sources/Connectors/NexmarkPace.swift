// Nexmark's events by the clock: the first event of a run is due when it is first asked for, and
// each later one at the rate after it. After a restart the run goes on at the rate: what would have
// come meanwhile is not made up for. Event times stay what they are: they are the event's number's.

import Contracts
package import Environment
import Synchronization

/// When the events of one run are due; shared by its readers.
package final class NexmarkPace: Sendable {
    private let rate: Int64
    private let partitions: Int64
    private let clock: Clock
    private let state = Mutex(State())

    private struct State {
        /// The least event position that any partition begins at.
        var first: Int64?
        /// ns: when that event was due.
        var begun: UInt64?
    }

    /// `rate`: events a second, of all partitions together.
    package init(rate: Int64, partitions: Int, clock: Clock) {
        self.rate = rate
        self.partitions = Int64(partitions)
        self.clock = clock
    }

    /// Told for every partition before the first row is asked for.
    package func begins(partition: Int, at offset: Int64) {
        let position = offset * partitions + Int64(partition)
        state.withLock { $0.first = min($0.first ?? position, position) }
    }

    /// The offset behind the partition's last event that is due.
    package func end(ofPartition partition: Int) -> Int64 {
        let now = clock.monotonicNanoseconds()
        let (first, begun) = state.withLock { state in
            state.begun = state.begun ?? now
            return (state.first ?? 0, state.begun ?? now)
        }
        let elapsed = Int128(now - min(now, begun))
        let passed = elapsed * Int128(rate) / 1_000_000_000
        let last = first + Int64(clamping: min(passed, Int128(Int64.max / 2)))
        guard last >= Int64(partition) else { return 0 }
        return (last - Int64(partition)) / partitions + 1
    }
}
