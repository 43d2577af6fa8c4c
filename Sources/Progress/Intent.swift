// What an epoch will do to one sink, made durable before the sink sees any of it.

import Contracts

/// A commit target: one table, or all Kafka outputs of one cluster (design.md §3.6). Stable over
/// restarts: a hash of the output's name, or of the cluster's address.
public typealias TargetID = UInt64

/// One epoch's intent for one target. What it holds is the sink's own business: `parts`, in order,
/// as the workers handed them over.
public struct Intent: Sendable {
    public let target: TargetID
    /// The generation and incarnation under which it was made: it is resolved under these, whatever
    /// process or generation runs then.
    public let marker: Marker
    /// Where the sources stood at the epoch's barrier.
    public let offsets: [PartitionOffset]
    public let parts: [[UInt8]]
    /// Set for what a rewind leaves: the sink is to be brought back to this epoch (design.md §3.9),
    /// and `parts` are empty.
    public let restores: Marker?

    public init(
        target: TargetID, marker: Marker, offsets: [PartitionOffset], parts: [[UInt8]],
        restores: Marker? = nil
    ) {
        self.target = target
        self.marker = marker
        self.offsets = offsets
        self.parts = parts
        self.restores = restores
    }

    public var byteCount: Int { parts.reduce(0) { $0 + $1.count } }
}

/// An open intent as a queue remembers it: what it holds stays in the state directory until its
/// commit, so that a sink that is away costs disk and not memory (design.md §3.11).
public struct OpenIntent: Sendable, Hashable {
    public let marker: Marker
    public let byteCount: Int
    /// What a rewind left (`Intent.restores`).
    public let isRestore: Bool

    public init(marker: Marker, byteCount: Int, isRestore: Bool = false) {
        self.marker = marker
        self.byteCount = byteCount
        self.isRestore = isRestore
    }
}

/// What a directory knows of one target: everything its marker may be.
public struct TargetHistory: Sendable {
    public let target: TargetID
    /// The newest epoch known to be in the sink; `.none` before the first.
    public var trimmed: Marker
    /// Intents made since, not known to be taken, in order.
    public var open: [Marker]
    /// Markers above the checkpoint that a rewind went back to; the sink may still hold one until
    /// it has taken the restore, which stands in `open`.
    public var dropped: [Marker]
    /// The marker that was taken over with the target, if it was (`--adopt`).
    public var adopted: Marker?

    public init(
        target: TargetID, trimmed: Marker = .none, open: [Marker] = [], dropped: [Marker] = [],
        adopted: Marker? = nil
    ) {
        self.target = target
        self.trimmed = trimmed
        self.open = open
        self.dropped = dropped
        self.adopted = adopted
    }
}

extension TargetHistory {
    /// What a sink's newest marker says about this directory (design.md §3.7).
    public enum Verdict: Sendable, Hashable {
        /// The first `landed` of `open` are in the sink; the others are to be committed in order.
        case known(landed: Int)
        /// The sink holds an epoch that this directory does not know: stale or rolled back.
        case stale
    }

    /// Judges the newest marker of this pipeline that was read from the sink; nil: it has none.
    /// `mayBeOld`: the read before `init_transactions`, which can lie below the trim mark.
    public func judge(_ marker: Marker?, mayBeOld: Bool = false) -> Verdict {
        let found = marker ?? .none
        if found == trimmed { return .known(landed: 0) }
        if let position = open.firstIndex(of: found) { return .known(landed: position + 1) }
        if dropped.contains(found) {
            return .known(landed: open.prefix { $0 <= found }.count)
        }
        if mayBeOld, found < trimmed { return .known(landed: 0) }
        return .stale
    }
}
