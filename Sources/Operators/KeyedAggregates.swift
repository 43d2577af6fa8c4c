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

final class KeyedAggregates {
    let prefix: [UInt8]
    private(set) var table: GroupTable
    let accumulators: AccumulatorSet
    /// Rows folded into each group, less those taken back.
    private(set) var rowCounts: [Int64] = []
    /// Sum of `rowCounts`.
    private(set) var rows: Int64 = 0
    /// The key groups with stored entries.
    private(set) var storedGroups = KeyGroupSet()
    private var isDirty: [Bool] = []
    private var dirty: [Int32] = []
    private var isPersisted: [Bool] = []
    private var removed: [(group: Int, key: [UInt8])] = []

    init(
        prefix: [UInt8], keyTypes: [LogicalType], calls: [AggregateCall],
        settings: AccumulatorSettings
    ) {
        self.prefix = prefix
        table = GroupTable(keyTypes)
        accumulators = AccumulatorSet(calls, settings)
    }

    /// The groups of rows of a batch; keys not met before get one.
    func groups(
        _ keys: [Column], rowCount: Int, hashes: [UInt64], rows: [Int32]
    ) -> [Int32] {
        let groups = table.groups(keys, rowCount: rowCount, hashes: hashes, rows: rows)
        grow()
        return groups
    }

    private func grow() {
        let capacity = table.capacity
        guard rowCounts.count < capacity else { return }
        accumulators.grow(to: capacity)
        rowCounts.grow(to: capacity, 0)
        isDirty.grow(to: capacity, false)
        isPersisted.grow(to: capacity, false)
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
        KeyedAggregates.mark(groups, &isDirty, &dirty)
    }

    // Arrays are passed inout: one exclusivity check a batch, not one a row.

    private static func count(_ groups: [Int32], in rowCounts: inout [Int64]) {
        for group in groups { rowCounts[Int(group)] &+= 1 }
    }

    private static func mark(
        _ groups: [Int32], _ isDirty: inout [Bool], _ dirty: inout [Int32]
    ) {
        for group in groups where !isDirty[Int(group)] {
            isDirty[Int(group)] = true
            dirty.append(group)
        }
    }

    /// Notes that a group is to be stored at the next snapshot.
    func mark(_ group: Int32) {
        guard !isDirty[Int(group)] else { return }
        isDirty[Int(group)] = true
        dirty.append(group)
    }

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
        if isPersisted[index] {
            removed.append((keyGroup(group), prefix + table.keyBytes(of: group)))
            isPersisted[index] = false
        }
        rows -= rowCounts[index]
        rowCounts[index] = 0
        accumulators.clear(group)
        table.remove(group)
    }

    func keyGroup(_ group: Int32) -> Int { KeyGroups.group(ofHash: table.hash(of: group)) }

    var byteCount: Int {
        table.byteCount + accumulators.byteCount + rowCounts.count * 10
    }
}

extension KeyedAggregates {
    /// What `snapshot` will put, about: a changed key counts as much as keys do on the average.
    var dirtyBytes: Int {
        let entry = byteCount / max(1, table.capacity)
        return dirty.count * entry + removed.count * KeyedAggregates.removedBytes
            + accumulators.dirtyBytes
    }

    private static let removedBytes = 32

    /// Puts what changed since the last call.
    func snapshot(into delta: inout StateDelta) {
        for (group, key) in removed { delta.remove(group: group, prefix: key) }
        removed = []
        for group in dirty {
            isDirty[Int(group)] = false
            guard table.isLive(group) else { continue }
            var value: [UInt8] = [RowCodec.version]
            value.appendWord(table.hash(of: group))
            value.appendSigned(rowCounts[Int(group)])
            accumulators.encode(group, into: &value)
            delta.put(
                group: keyGroup(group), key: prefix + table.keyBytes(of: group), value: value)
            isPersisted[Int(group)] = true
            storedGroups.insert(keyGroup(group))
        }
        dirty = []
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

    /// Takes back a stored entry; `suffix` is its key behind the prefix. Entries come in key order,
    /// so a key comes before its values. Returns the key's group.
    @discardableResult
    func restore(
        suffix: ArraySlice<UInt8>, value: [UInt8], lastGroup: Int32?
    ) throws(Failure) -> Int32 {
        var key = ByteReader(suffix)
        try table.codec.skip(&key)
        var reader = try stateValue(value)
        guard key.isAtEnd else {
            let call = Int(try key.byte())
            guard let lastGroup, accumulators.columns.indices.contains(call),
                let column = accumulators.columns[call] as? any ValueAccumulators
            else { throw ByteReader.damaged("belongs to no key") }
            column.restore(key.rest, to: lastGroup, count: try reader.signed())
            return lastGroup
        }
        let hash = try reader.word(width: 8)
        let group = try table.group(hash: hash, key: suffix)
        grow()
        rowCounts[Int(group)] = try reader.signed()
        rows += rowCounts[Int(group)]
        try accumulators.decode(group, &reader)
        isPersisted[Int(group)] = true
        storedGroups.insert(keyGroup(group))
        return group
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
