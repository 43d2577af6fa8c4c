// Where epochs become durable: the state directory, or memory for `query` and `test`.

public import Contracts
public import Progress
public import RocksState
public import State
import Synchronization

/// The durable side of a run; called from the control thread only, but for readers.
public protocol EpochStore: AnyObject, Sendable {
    var identity: Identity { get }
    func currentEpoch() throws(Failure) -> EpochRecord?
    func offsets() throws(Failure) -> [PartitionOffset]
    func history(of target: TargetID) throws(Failure) -> TargetHistory
    /// The intents of a target that are not trimmed, in epoch order.
    func openIntents(of target: TargetID) throws(Failure) -> [OpenIntent]
    /// One of them, whole.
    func intent(of target: TargetID, marker: Marker) throws(Failure) -> Intent
    /// Makes an epoch durable in one write; bytes written.
    func write(_ epoch: EpochWrite) throws(Failure) -> Int64
    /// Notes what sinks have taken, when no epoch follows.
    func write(trims: [TargetID: Marker]) throws(Failure)
    func stateReader() -> any StateReader
    /// What processes before this one may have left behind, and that it is gone.
    var leftovers: [Leftover] { get }
    func forget(_ leftovers: [Leftover]) throws(Failure)
    /// By target, the offsets below which it had everything when it was adopted.
    func adoptedOffsets() throws(Failure) -> [TargetID: [PartitionOffset]]
    /// Keeps the newest epoch as a checkpoint, with so many in all. Called before the next write.
    func retain(keeping limit: Int) throws(Failure)
}

extension EpochStore {
    /// A store that goes with the process keeps nothing.
    public func retain(keeping limit: Int) throws(Failure) {}
}

extension StateDirectory: EpochStore {}

/// A store that goes with the process: for bounded queries, which begin from nothing, and for tests
/// and simulations, which may begin a run with what another left.
public final class MemoryEpochStore: EpochStore {
    public let identity: Identity
    private let stored = Mutex(Stored())

    fileprivate struct Stored {
        var record: EpochRecord?
        var offsets: [PartitionOffset] = []
        var entries: [Place: [[UInt8]: [UInt8]]] = [:]
        var intents: [Intent] = []
        var trims: [TargetID: Marker] = [:]
        /// By incarnation; without epochs: the process may still run.
        var names: [UInt64: Leftover?] = [:]
    }

    fileprivate struct Place: Hashable {
        let operatorID: UInt64
        let group: Int
    }

    public init(identity: Identity) { self.identity = identity }

    public func currentEpoch() throws(Failure) -> EpochRecord? { stored.withLock { $0.record } }
    public func offsets() throws(Failure) -> [PartitionOffset] { stored.withLock { $0.offsets } }

    public func history(of target: TargetID) throws(Failure) -> TargetHistory {
        stored.withLock { stored in
            TargetHistory(
                target: target, trimmed: stored.trims[target] ?? .none,
                open: stored.intents.filter { $0.target == target }.map(\.marker))
        }
    }

    public func openIntents(of target: TargetID) throws(Failure) -> [OpenIntent] {
        stored.withLock { stored in
            stored.intents.filter { $0.target == target }
                .map { OpenIntent(marker: $0.marker, byteCount: $0.byteCount) }
        }
    }

    public func adoptedOffsets() throws(Failure) -> [TargetID: [PartitionOffset]] { [:] }
    public var leftovers: [Leftover] { [] }

    public func forget(_ leftovers: [Leftover]) throws(Failure) {
        stored.withLock { stored in
            for leftover in leftovers { stored.names[leftover.incarnation] = nil }
        }
    }

    public func intent(of target: TargetID, marker: Marker) throws(Failure) -> Intent {
        let intent = stored.withLock { stored in
            stored.intents.first { $0.target == target && $0.marker == marker }
        }
        guard let intent else {
            throw Failure(
                .failed, "state.intent_missing", "the intent of epoch \(marker.epoch) is not there")
        }
        return intent
    }

    public func write(trims: [TargetID: Marker]) throws(Failure) {
        stored.withLock { $0.trim(trims) }
    }

    public func write(_ epoch: EpochWrite) throws(Failure) -> Int64 {
        stored.withLock { stored in
            stored.record = epoch.record
            stored.offsets = epoch.offsets
            stored.intents += epoch.intents
            for delta in epoch.deltas { stored.apply(delta) }
            stored.trim(epoch.trims)
        }
        return epoch.deltas.reduce(0) { $0 + Int64($1.byteCount) }
    }

    public func stateReader() -> any StateReader { MemoryStateReader(self) }

    /// Reads what is stored now: as a directory's reader does.
    private final class MemoryStateReader: StateReader {
        private let store: MemoryEpochStore

        init(_ store: MemoryEpochStore) { self.store = store }

        func value(operatorID: UInt64, group: Int, key: [UInt8]) throws -> [UInt8]? {
            let place = Place(operatorID: operatorID, group: group)
            return store.stored.withLock { $0.entries[place]?[key] }
        }

        func forEach(
            operatorID: UInt64, group: Int, _ body: ([UInt8], [UInt8]) throws -> Void
        ) throws {
            try forEach(operatorID: operatorID, group: group, prefix: [], body)
        }

        func forEach(
            operatorID: UInt64, group: Int, prefix: [UInt8],
            _ body: ([UInt8], [UInt8]) throws -> Void
        ) throws {
            let place = Place(operatorID: operatorID, group: group)
            let entries = store.stored.withLock { $0.entries[place] ?? [:] }
            let own = entries.filter { $0.key.starts(with: prefix) }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for (key, value) in own { try body(key, value) }
        }
    }
}

extension MemoryEpochStore.Stored {
    fileprivate mutating func trim(_ taken: [TargetID: Marker]) {
        trims.merge(taken) { $1 }
        intents.removeAll { intent in taken[intent.target].map { intent.marker <= $0 } ?? false }
    }

    fileprivate mutating func apply(_ delta: StateDelta) {
        for removed in delta.removedPrefixes {
            let place = MemoryEpochStore.Place(
                operatorID: delta.operatorID, group: Int(removed.group))
            for key in (entries[place] ?? [:]).keys where key.starts(with: removed.prefix) {
                entries[place]?[key] = nil
            }
        }
        for entry in delta.entries {
            let place = MemoryEpochStore.Place(
                operatorID: delta.operatorID, group: Int(entry.group))
            entries[place, default: [:]][entry.key] = entry.value
        }
    }
}

extension MemoryEpochStore {
    /// A simulated process begins: what the ones before it may have left behind, as a state
    /// directory finds it (`StateDirectory.open`).
    package func noteStart(incarnation: UInt64) -> [Leftover] {
        stored.withLock { stored in
            let next = (stored.record?.marker.epoch ?? 0) + 1
            let first = stored.intents.map(\.marker.epoch).min() ?? next
            for (name, known) in stored.names where known == nil {
                stored.names[name] = Leftover(
                    generation: identity.generation, incarnation: name,
                    epochs: min(first, next)...next)
            }
            let leftovers = stored.names.sorted { $0.key < $1.key }.compactMap(\.value)
            stored.names.updateValue(nil, forKey: incarnation)
            return leftovers
        }
    }

    /// What a copy of a state directory is.
    package func copy() -> MemoryEpochStore {
        let copy = MemoryEpochStore(identity: identity)
        let own = stored.withLock { $0 }
        copy.stored.withLock { $0 = own }
        return copy
    }

    /// Whether a sink has not taken all that is written.
    package var hasOpenIntents: Bool { stored.withLock { !$0.intents.isEmpty } }
}
