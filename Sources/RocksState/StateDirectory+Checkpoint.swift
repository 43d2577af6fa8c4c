// The one write of an epoch (design.md §3): everything that makes it up, in one synced WriteBatch.

public import Contracts
import Environment
public import Progress
public import State

/// An epoch as the runtime hands it over.
public struct EpochWrite: Sendable {
    public var record: EpochRecord
    public var offsets: [PartitionOffset]
    /// Where partitions that were not known before begin.
    public var beginnings: [PartitionOffset] = []
    public var deltas: [StateDelta]
    public var intents: [Intent]
    /// What sinks have taken since the last write: their intents go.
    public var trims: [TargetID: Marker]
    /// Epoch summaries to keep.
    public var historyLimit: Int

    public init(
        record: EpochRecord, offsets: [PartitionOffset], deltas: [StateDelta],
        intents: [Intent], trims: [TargetID: Marker], historyLimit: Int
    ) {
        self.record = record
        self.offsets = offsets
        self.deltas = deltas
        self.intents = intents
        self.trims = trims
        self.historyLimit = historyLimit
    }
}

extension StateDirectory {
    /// Makes an epoch durable. Returns the bytes written. After a failure nothing is known: the
    /// process must end and the next start learns from disk.
    public func write(_ epoch: EpochWrite) throws(Failure) -> Int64 {
        var batch = RocksBatch()
        for delta in epoch.deltas { StateDirectory.add(delta, to: &batch) }
        for offset in epoch.offsets {
            var writer = RecordWriter()
            offset.write(to: &writer)
            let key = StateKeys.offset(source: offset.source, partition: offset.partition)
            batch.put(key, writer.bytes)
        }
        for offset in epoch.beginnings {
            var writer = RecordWriter()
            offset.write(to: &writer)
            let key = StateKeys.beginning(source: offset.source, partition: offset.partition)
            batch.put(key, writer.bytes)
        }
        if !Mutant.skipIntent.isActive {
            for intent in epoch.intents { StateDirectory.add(intent, to: &batch) }
        }
        for (target, marker) in epoch.trims { trim(target, upTo: marker, in: &batch) }
        var record = epoch.record
        record.byteCount = Int64(batch.byteCount)
        let encoded = record.encoded()
        batch.put(StateKeys.current, encoded)
        batch.put(StateKeys.history(record.marker), encoded)
        try forgetHistory(keeping: epoch.historyLimit, in: &batch)
        Failpoint.pass("checkpoint.before_write")
        try Failpoint.passOrFail("checkpoint.write")
        try store.write(batch)
        Failpoint.pass("checkpoint.written")
        return record.byteCount
    }

    /// Notes what sinks have taken when no epoch follows: the end of a run.
    public func write(trims: [TargetID: Marker]) throws(Failure) {
        var batch = RocksBatch()
        for (target, marker) in trims { trim(target, upTo: marker, in: &batch) }
        try Failpoint.passOrFail("state.trim")
        try store.write(batch)
    }

    /// Keys ascend within a group, and groups within an operator: RocksDB takes sorted keys several
    /// times faster (traps.md).
    private static func add(_ delta: StateDelta, to batch: inout RocksBatch) {
        for removed in delta.removedPrefixes {
            let prefix = StateKeys.state(delta.operatorID, group: Int(removed.group))
            batch.delete(prefix: prefix + removed.prefix)
        }
        let order = delta.entries.indices.sorted { left, right in
            let (left, right) = (delta.entries[left], delta.entries[right])
            if left.group != right.group { return left.group < right.group }
            return left.key.lexicographicallyPrecedes(right.key)
        }
        for index in order {
            let entry = delta.entries[index]
            let key = StateKeys.state(delta.operatorID, group: Int(entry.group)) + entry.key
            if let value = entry.value { batch.put(key, value) } else { batch.delete(key) }
        }
    }

    private static func add(_ intent: Intent, to batch: inout RocksBatch) {
        batch.put(
            StateKeys.intentPart(intent.target, intent.marker, 0), encodeHeader(intent))
        for (index, part) in intent.parts.enumerated() {
            batch.put(StateKeys.intentPart(intent.target, intent.marker, index + 1), part)
        }
    }

    /// Removes a target's intents up to a marker and notes the marker as known to be taken.
    private func trim(
        _ target: TargetID, upTo marker: Marker, in batch: inout RocksBatch
    ) {
        batch.delete(
            from: StateKeys.target(StateKeys.intents, target),
            through: StateKeys.intent(target, marker))
        var writer = RecordWriter()
        marker.write(to: &writer)
        batch.put(StateKeys.target(StateKeys.trims, target), writer.bytes)
        // The sink has the restore: what a rewind dropped can't come back but by a rollback.
        if marker.generation == identity.generation {
            batch.delete(prefix: StateKeys.target(StateKeys.dropped, target))
        }
    }

    private func forgetHistory(
        keeping limit: Int, in batch: inout RocksBatch
    ) throws(Failure) {
        var keys: [[UInt8]] = []
        try store.forEach(prefix: StateKeys.history) { (key, _) throws(Failure) in
            keys.append(key)
            return true
        }
        for key in keys.dropLast(max(0, limit - 1)) { batch.delete(key) }
    }
}

extension StateDirectory {
    /// Reads stored operator state.
    public func stateReader() -> any StateReader { DirectoryStateReader(store) }
}

private final class DirectoryStateReader: StateReader {
    private let store: RocksStore

    init(_ store: RocksStore) { self.store = store }

    func value(operatorID: UInt64, group: Int, key: [UInt8]) throws -> [UInt8]? {
        try store.get(StateKeys.state(operatorID, group: group) + key)
    }

    func values(operatorID: UInt64, keys: [StateKey]) throws -> [[UInt8]?] {
        try store.get(keys.map { StateKeys.state(operatorID, group: $0.group) + $0.key })
    }

    func forEach(
        operatorID: UInt64, group: Int, _ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Void
    ) throws {
        try forEach(operatorID: operatorID, group: group, prefix: [], body)
    }

    func forEach(
        operatorID: UInt64, group: Int, prefix: [UInt8],
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Void
    ) throws {
        let place = StateKeys.state(operatorID, group: group)
        var thrown: (any Error)?
        try store.forEach(prefix: place + prefix) { (key, value) throws(Failure) in
            do {
                try body(Array(key[place.count...]), value)
                return true
            } catch {
                thrown = error
                return false
            }
        }
        if let thrown { throw thrown }
    }
}
