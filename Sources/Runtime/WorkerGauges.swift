// Numbers that a worker shows while it runs; read by the control thread without stopping it.

import Progress
import Synchronization

final class WorkerGauges: Sendable {
    /// What the next barrier will hand over, bytes.
    let pendingBytes = Atomic<Int>(0)
    /// Records read since the process began.
    let records = Atomic<Int>(0)
    /// The lowest watermark of its sources, µs.
    let watermark = Atomic<Int>(Int(EventTime.never))
    /// Bytes held by its operators, as of the last barrier.
    let stateBytes = Atomic<Int>(0)
    /// The newest epoch that is durable; written by the control thread.
    let durableEpoch = Atomic<UInt64>(0)
    private let held = Atomic<Bool>(false)

    /// Whether sources must not be polled: a sink is too far behind (`pending_limit`).
    var isHeld: Bool { held.load(ordering: .relaxed) }

    func hold(_ isHeld: Bool) { held.store(isHeld, ordering: .relaxed) }
}
