// Keys with their accumulators, and which of them changed since the last snapshot.
//
// One for each pane of a windowed aggregate, one for an aggregate without a window. Stored as one
// entry a key:
//
//     prefix · key                            → version · hash · rows · accumulators
//     prefix · key · call · value             → version · count     (values kept one by one)
//
// Key codes are self-delimiting, so an entry's end is known, and a removed key takes the entries of
// its values along by its prefix.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class KeyedAggregates: Evictable {
    let prefix: [UInt8]
    private(set) var table: GroupTable
    let accumulators: AccumulatorSet
    /// Rows folded into each group, less those taken back.
    private(set) var rowCounts: [Int64] = []
    /// Sum of `rowCounts`, those of evicted keys included.
    private(set) var rows: Int64 = 0
    /// The key groups with stored entries.
    private(set) var storedGroups = KeyGroupSet()
    private(set) var residency = Residency()
    private var removed: [(group: Int, key: [UInt8])] = []

    init(
        prefix: [UInt8], keyTypes: [LogicalType], calls: [AggregateCall],
        settings: AccumulatorSettings
    ) {
        self.prefix = prefix
        table = GroupTable(keyTypes)
        accumulators = AccumulatorSet(calls, settings)
    }

    /// The groups of rows of a batch; keys not met before get one, those that were evicted are read
    /// back. `loaded`: the latter.
    func groups(
        _ keys: [Column], rowCount: Int, hashes: [UInt64], rows: [Int32], from stored: StoredState?
    ) throws -> (groups: [Int32], loaded: [Int32]) {
        let groups = table.groups(keys, rowCount: rowCount, hashes: hashes, rows: rows)
        grow()
        guard residency.evictedCount > 0, let stored else { return (groups, []) }
        return (groups, try load(table.fresh, from: stored))
    }

    private func grow() {
        let capacity = table.capacity
        guard rowCounts.count < capacity else { return }
        accumulators.grow(to: capacity)
        rowCounts.grow(to: capacity, 0)
        residency.grow(to: capacity)
    }

    /// Folds rows of a batch into their groups.
    func fold(_ batch: Batch, groups: [Int32], rows: [Int32]) {
        accumulators.update(batch, groups: groups, rows: rows)
        if let changes = batch.changes {
            for index in groups.indices {
                rowCounts[Int(groups[index])] += Int64(changes[Int(rows[index])])
                self.rows += Int64(changes[Int(rows[index])])
            }
        } else {
            KeyedAggregates.count(groups, in: &rowCounts)
            self.rows += Int64(groups.count)
        }
        residency.mark(groups)
    }

    // Arrays are passed inout: one exclusivity check a batch, not one a row.

    private static func count(_ groups: [Int32], in rowCounts: inout [Int64]) {
        for group in groups { rowCounts[Int(group)] &+= 1 }
    }

    /// Notes that a group is to be stored at the next snapshot.
    func mark(_ group: Int32) { residency.mark(group) }

    /// Adds groups of another of the same calls.
    func merge(_ other: KeyedAggregates, groups: [Int32]) {
        let into = table.groups(of: other.table, groups)
        grow()
        accumulators.merge(other.accumulators, groups: groups, into: into)
        for index in groups.indices {
            rowCounts[Int(into[index])] += other.rowCounts[Int(groups[index])]
        }
    }

    func remove(_ group: Int32) {
        let index = Int(group)
        if residency.noteRemoved(group) {
            let key = prefix + table.keyBytes(of: group)
            removed.append((keyGroup(group), key))
            residency.noteGone(key)
        }
        rows -= rowCounts[index]
        rowCounts[index] = 0
        accumulators.clear(group)
        table.remove(group)
    }

    func keyGroup(_ group: Int32) -> Int { KeyGroups.group(ofHash: table.hash(of: group)) }

    var byteCount: Int {
        table.byteCount + accumulators.byteCount
            + rowCounts.count * (8 + Residency.bytesPerGroup)
    }

    /// Keys in memory and in the store.
    var keyCount: Int { table.count + residency.evictedCount }
}

// Eviction.
extension KeyedAggregates {
    func evict(_ group: Int32) {
        residency.noteEvicted(group, hash: table.hash(of: group))
        rowCounts[Int(group)] = 0
        accumulators.clear(group)
        table.remove(group)
    }

    func release() {
        table = GroupTable(table.keyTypes)
        accumulators.release()
        rowCounts = []
        residency.release()
    }

    func noteDurable() { residency.noteDurable() }

    /// Reads back those of new groups that are in the store.
    private func load(_ fresh: [Int32], from stored: StoredState) throws -> [Int32] {
        var wanted: [(group: Int32, key: StateKey)] = []
        for group in fresh where residency.mayBeEvicted(table.hash(of: group)) {
            let key = prefix + table.keyBytes(of: group)
            if residency.isGone(key) { continue }
            wanted.append((group, StateKey(group: keyGroup(group), key: key)))
        }
        var loaded: [Int32] = []
        try stored.forEachFound(wanted) { group, key, value in
            var reader = try stateValue(value)
            _ = try reader.word(width: 8)
            try decode(group, &reader)
            residency.noteLoaded(group)
            loaded.append(group)
            guard accumulators.hasValues else { return }
            try stored.forEach(key) { entry, value in
                guard entry.count > key.key.count else { return }
                var reader = try stateValue(value)
                try restoreValue(entry[key.key.count...], &reader, of: group)
            }
        }
        return loaded
    }

    private func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        rowCounts[Int(group)] = try reader.signed()
        try accumulators.decode(group, &reader)
    }

    /// Takes back an entry of one value; `suffix` is its key behind the group's.
    private func restoreValue(
        _ suffix: ArraySlice<UInt8>, _ reader: inout ByteReader, of group: Int32
    ) throws(Failure) {
        guard let call = suffix.first.map(Int.init),
            accumulators.columns.indices.contains(call),
            let column = accumulators.columns[call] as? any ValueAccumulators
        else { throw ByteReader.damaged("belongs to no key") }
        column.restore(suffix.dropFirst(), to: group, count: try reader.signed())
    }
}

extension KeyedAggregates {
    /// What `snapshot` will put, about: a changed key counts as much as keys do on the average.
    var dirtyBytes: Int {
        let entry = byteCount / max(1, table.capacity)
        return residency.dirtyCount * entry + removed.count * KeyedAggregates.removedBytes
            + accumulators.dirtyBytes
    }

    private static let removedBytes = 32

    /// Puts what changed since the last call.
    func snapshot(into delta: inout StateDelta) {
        for (group, key) in removed { delta.remove(group: group, prefix: key) }
        removed = []
        for group in residency.takeDirty() {
            guard table.isLive(group) else { continue }
            var value: [UInt8] = [RowCodec.version]
            value.appendWord(table.hash(of: group))
            value.appendSigned(rowCounts[Int(group)])
            accumulators.encode(group, into: &value)
            delta.put(
                group: keyGroup(group), key: prefix + table.keyBytes(of: group), value: value)
            residency.noteStored(group)
            storedGroups.insert(keyGroup(group))
        }
        for (call, column) in accumulators.columns.enumerated() {
            (column as? any ValueAccumulators)?.takeChanges { group, bytes, count in
                let key = prefix + table.keyBytes(of: group) + [UInt8(call)] + bytes
                guard let count else { return delta.delete(group: keyGroup(group), key: key) }
                var value: [UInt8] = [RowCodec.version]
                value.appendSigned(count)
                delta.put(group: keyGroup(group), key: key, value: value)
            }
        }
    }

    /// Where the last entry that a restore saw belongs.
    enum Restored: Equatable {
        case group(Int32)
        /// To a key that is left in the store.
        case left
        case none
    }

    /// Takes back a stored entry; `suffix` is its key behind the prefix. Entries come in key order,
    /// so a key comes before its values. `isFull`: a key is only counted, and stays in the store.
    @discardableResult
    func restore(
        suffix: ArraySlice<UInt8>, value: [UInt8], last: Restored, isFull: Bool = false
    ) throws(Failure) -> Restored {
        var key = ByteReader(suffix)
        try table.codec.skip(&key)
        var reader = try stateValue(value)
        guard key.isAtEnd else {
            switch last {
            case .none: throw ByteReader.damaged("belongs to no key")
            case .left: break
            case .group(let group): try restoreValue(key.rest, &reader, of: group)
            }
            return last
        }
        let hash = try reader.word(width: 8)
        storedGroups.insert(KeyGroups.group(ofHash: hash))
        if isFull {
            rows += try reader.signed()
            residency.noteLeftInStore(hash)
            return .left
        }
        let group = try table.group(hash: hash, key: suffix)
        grow()
        try decode(group, &reader)
        rows += rowCounts[Int(group)]
        residency.noteRestored(group)
        return .group(group)
    }
}

/// A reader of a stored value, behind its version.
func stateValue(_ value: [UInt8]) throws(Failure) -> ByteReader {
    var reader = ByteReader(value)
    let version = try reader.byte()
    guard version == RowCodec.version else {
        throw Failure(
            .failed, "state.version",
            "a stored state entry has version \(version), this build reads \(RowCodec.version)",
            hint: "run the version of millrace that wrote the state directory")
    }
    return reader
}
