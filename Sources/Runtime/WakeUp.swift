// Parking a thread until somebody has work for it.

import Dispatch
import Synchronization

/// A flag with a wait: signals while awake cost one atomic exchange.
final class WakeUp: Sendable {
    private let isSignalled = Atomic<Bool>(false)
    private let semaphore = DispatchSemaphore(value: 0)

    /// Wakes the waiter, or lets its next wait return at once.
    func signal() {
        if !isSignalled.exchange(true, ordering: .acquiringAndReleasing) { semaphore.signal() }
    }

    /// Waits for a signal, or so long.
    func wait(milliseconds: Int) {
        _ = semaphore.wait(timeout: .now() + .milliseconds(milliseconds))
        isSignalled.store(false, ordering: .releasing)
    }
}
