// State larger than memory (design.md §3.11): a worker lets go of clean state when its operators
// take more than its share of `state_memory`.
//
// Nothing is dropped while a delta that was handed over is not durable, so that what is not in
// memory can be read back from the store. Eviction goes down to three quarters of the share: the
// next one then has something to do, and its walk over the tables is paid for by what it frees.

import Operators
import Synchronization

/// A worker's bound and how far it has come.
struct EvictionState {
    /// Bytes.
    let share: Int
    /// The epoch of the last barrier that passed this worker.
    var handedOver: UInt64 = 0
    /// The durable epoch when state was evicted last, and what was in memory after that.
    var lastEpoch: UInt64 = 0
    var lastBytes = 0

    init(share: Int) { self.share = share }
}

extension Worker {
    /// Looks at how much state is in memory, and evicts if it is too much. `hasWorked`: whether
    /// that may have changed.
    func evictIfOver(hasWorked: Bool) {
        // While a barrier is on its way some operators have handed over what is not even written.
        if epoch != nil { return }
        let durable = shared.durableEpoch.load(ordering: .acquiring)
        guard durable >= eviction.handedOver, hasWorked || durable != eviction.lastEpoch else {
            return
        }
        let resident = residentBytes
        guard resident > eviction.share else { return }
        // Only what has come since can be clean, unless another epoch is durable.
        guard durable != eviction.lastEpoch
            || resident - eviction.lastBytes > eviction.share / 8
        else { return }
        let portion = Double(eviction.share) * 0.75 / Double(resident)
        for instance in nodes {
            guard case .transform(let transform) = instance.work else { continue }
            let own = transform.residentBytes
            if own > 0 { transform.evict(to: Int(Double(own) * portion)) }
        }
        eviction.lastEpoch = durable
        eviction.lastBytes = residentBytes
    }

    private var residentBytes: Int {
        nodes.reduce(0) { bytes, instance in
            guard case .transform(let transform) = instance.work else { return bytes }
            return bytes + transform.residentBytes
        }
    }

    /// Lets go of everything, the state reader with it, on the thread that used it: the directory
    /// may be opened again as soon as the run has ended.
    func dissolve() { nodes = [] }
}
