// Keys to group numbers, a batch at a time: the hash table under every keyed operator.
//
// Open addressing with linear probing over a power of two of slots; a slot holds a group number,
// the group its hash and key. A removed group's slot is closed by moving later entries of its run
// back (Knuth 6.4, algorithm R), so there are no tombstones and a lookup ends at the first empty
// slot. One int64-like key column is kept as plain numbers; any other key as its canonical bytes
// (RowCodec).

public import Columns
public import Contracts
public import Types

/// Distinct keys, numbered from 0; numbers of removed groups are given out again.
public struct GroupTable {
    public let keyTypes: [LogicalType]
    public let codec: RowCodec
    /// Groups ever alive at once: arrays indexed by group have this length.
    public private(set) var capacity = 0
    public private(set) var count = 0
    /// The groups that the last call which looked up keys made, in the order of their first rows.
    public private(set) var fresh: [Int32] = []

    private var slots: [Int32]
    private var hashes: [UInt64] = []
    private var isLive: [Bool] = []
    private var free: [Int32] = []
    private let keepsIntegers: Bool
    private var integers: [Int64] = []
    private var isNull: [Bool] = []
    private var keys = ByteSlots()

    public init(_ keyTypes: [LogicalType]) {
        self.keyTypes = keyTypes
        codec = RowCodec(keyTypes, form: .canonical)
        keepsIntegers = keyTypes.count == 1 && keyTypes[0].physical == .int64
        slots = Array(repeating: -1, count: 16)
    }

    /// Bytes kept for keys and table.
    public var byteCount: Int {
        slots.count * 4 + capacity * (keepsIntegers ? 18 : 21) + keys.byteCount
    }

    public func hash(of group: Int32) -> UInt64 { hashes[Int(group)] }
    public func isLive(_ group: Int32) -> Bool { isLive[Int(group)] }

    /// The groups in use, ascending. Complexity: O(capacity).
    public var liveGroups: [Int32] {
        [Int32](capacity: count) { output in
            for group in 0..<capacity where isLive[group] { output.append(Int32(group)) }
        }
    }

    /// The group of each of `rows`; unknown keys get one. `columns`: the key columns of a batch of
    /// `rowCount` rows; `hashes`: KeyHash of all its rows.
    public mutating func groups(
        _ columns: [Column], rowCount: Int, hashes rowHashes: [UInt64], rows: [Int32]
    ) -> [Int32] {
        reserve(rows.count)
        fresh.removeAll(keepingCapacity: true)
        if keepsIntegers, case .int64(let values) = columns[0].values {
            let validity = columns[0].validity
            return [Int32](capacity: rows.count) { output in
                for row in rows {
                    let row = Int(row)
                    let null = validity.map { !$0[row] } ?? false
                    output.append(
                        group(hash: rowHashes[row], integer: null ? 0 : values[row], isNull: null))
                }
            }
        }
        let encoded = codec.encode(columns, rowCount: rowCount, rows: rows)
        return [Int32](capacity: rows.count) { output in
            for (index, row) in rows.enumerated() {
                let start = encoded.offsets[index]
                output.append(
                    group(
                        hash: rowHashes[Int(row)], bytes: encoded.bytes, start: start,
                        count: encoded.offsets[index + 1] - start))
            }
        }
    }

    /// The group of a key given by its canonical bytes.
    public mutating func group(hash: UInt64, key: ArraySlice<UInt8>) throws(Failure) -> Int32 {
        reserve(1)
        fresh.removeAll(keepingCapacity: true)
        if keepsIntegers {
            var reader = ByteReader(key)
            guard case .int64(let value) = try decodeScalar(keyTypes[0], &reader) else {
                return group(hash: hash, integer: 0, isNull: true)
            }
            return group(hash: hash, integer: value, isNull: false)
        }
        return group(hash: hash, bytes: Array(key), start: 0, count: key.count)
    }

    /// Whether a key, given by its canonical bytes, has a group.
    public func contains(hash: UInt64, key: ArraySlice<UInt8>) -> Bool {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let group = slots[slot]
            if hashes[Int(group)] == hash, keyBytes(of: group)[...] == key { return true }
            slot = (slot + 1) & mask
        }
        return false
    }

    /// For each of `groups` of another table over the same types, the group here; new ones come to
    /// be.
    public mutating func groups(of other: GroupTable, _ groups: [Int32]) -> [Int32] {
        reserve(groups.count)
        fresh.removeAll(keepingCapacity: true)
        var mapping: [Int32] = []
        mapping.reserveCapacity(groups.count)
        for group in groups {
            let index = Int(group)
            if keepsIntegers {
                mapping.append(
                    self.group(
                        hash: other.hashes[index], integer: other.integers[index],
                        isNull: other.isNull[index]))
            } else {
                let key = Array(other.keys[index])
                mapping.append(
                    self.group(hash: other.hashes[index], bytes: key, start: 0, count: key.count))
            }
        }
        return mapping
    }

    /// The canonical bytes of a group's key.
    public func keyBytes(of group: Int32) -> [UInt8] {
        guard keepsIntegers else { return Array(keys[Int(group)]) }
        guard !isNull[Int(group)] else { return [0] }
        var bytes: [UInt8] = []
        bytes.appendSigned(integers[Int(group)])
        bytes[0] += 1
        return bytes
    }

    /// The key columns of groups.
    public func keyColumns(of groups: [Int32]) -> [Column] {
        if keepsIntegers {
            let values = groups.map { integers[Int($0)] }
            let valid = groups.map { !isNull[Int($0)] }
            return [
                Column(keyTypes[0], .int64(values), validity: valid.contains(false) ? valid : nil)
            ]
        }
        do {
            return try codec.decode(groups.lazy.map { keys[Int($0)] })
        } catch {
            bug("a key of the table does not decode: \(error)")
        }
    }

    /// Removes a group; its number may be given out again at once.
    public mutating func remove(_ group: Int32) {
        let index = Int(group)
        require(isLive[index], "group \(group) is removed twice")
        isLive[index] = false
        keys.clear(index)
        free.append(group)
        count -= 1
        let mask = slots.count - 1
        var hole = Int(truncatingIfNeeded: hashes[index]) & mask
        while slots[hole] != group { hole = (hole + 1) & mask }
        var next = hole
        while true {
            next = (next + 1) & mask
            guard slots[next] >= 0 else { break }
            let home = Int(truncatingIfNeeded: hashes[Int(slots[next])]) & mask
            // An entry whose home lies cyclically behind the hole stays where it is.
            if (next &- home) & mask < (next &- hole) & mask { continue }
            slots[hole] = slots[next]
            hole = next
        }
        slots[hole] = -1
    }
}

extension GroupTable {
    @inline(__always)
    private mutating func group(hash: UInt64, integer: Int64, isNull null: Bool) -> Int32 {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let group = Int(slots[slot])
            if hashes[group] == hash, integers[group] == integer, isNull[group] == null {
                return Int32(group)
            }
            slot = (slot + 1) & mask
        }
        let group = insert(hash, at: slot)
        integers[Int(group)] = integer
        isNull[Int(group)] = null
        return group
    }

    @inline(__always)
    private mutating func group(
        hash: UInt64, bytes: [UInt8], start: Int, count: Int
    ) -> Int32 {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let group = Int(slots[slot])
            if hashes[group] == hash, keys.equals(group, bytes, start, count) {
                return Int32(group)
            }
            slot = (slot + 1) & mask
        }
        let group = insert(hash, at: slot)
        keys.set(Int(group), bytes[start..<(start + count)])
        return group
    }

    private mutating func insert(_ hash: UInt64, at slot: Int) -> Int32 {
        count += 1
        let group: Int32
        defer { fresh.append(group) }
        if let reused = free.popLast() {
            group = reused
            hashes[Int(group)] = hash
            isLive[Int(group)] = true
        } else {
            group = Int32(capacity)
            capacity += 1
            hashes.append(hash)
            isLive.append(true)
            if keepsIntegers {
                integers.append(0)
                isNull.append(false)
            } else {
                keys.set(Int(group), EmptyCollection())
            }
        }
        slots[slot] = group
        return group
    }

    /// Makes room for `more` keys at a load of at most a half.
    private mutating func reserve(_ more: Int) {
        guard (count + more) * 2 > slots.count else { return }
        var size = slots.count
        while size < (count + more) * 2 { size *= 2 }
        slots = Array(repeating: -1, count: size)
        let mask = size - 1
        for group in 0..<capacity where isLive[group] {
            var slot = Int(truncatingIfNeeded: hashes[group]) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(group)
        }
    }
}
