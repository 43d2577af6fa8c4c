// Values with their counts, by group: what an aggregate keeps when a −1 can take any value back, or
// when it must know which values it has seen.
//
// One hash table over (group, bytes) for all groups; the entries of a group are a doubly linked
// list. Entries are stored one by one, so a checkpoint writes only those that changed.

import Contracts
import State

struct ValueMultiset {
    private var slots: [Int32] = Array(repeating: -1, count: 16)
    private var hashes: [UInt64] = []
    private var groups: [Int32] = []
    private var counts: [Int64] = []
    private var next: [Int32] = []
    private var previous: [Int32] = []
    private var isPersisted: [Bool] = []
    private var isDirty: [Bool] = []
    private var values = ByteSlots()
    private var free: [Int32] = []
    private var count = 0
    /// First entry of each group, or −1.
    private var first: [Int32] = []
    /// How many entries, and values, a group has.
    private(set) var distinct: [Int64] = []
    private(set) var totals: [Int64] = []
    private var dirty: [Int32] = []
    /// Stored entries that are gone, as (group number, bytes), in groups that still live.
    private var gone: [(group: Int32, bytes: [UInt8])] = []

    var byteCount: Int {
        slots.count * 4 + counts.count * 38 + values.byteCount + first.count * 20
    }

    /// What `takeChanges` will tell, about.
    var dirtyBytes: Int { (dirty.count + gone.count) * (byteCount / max(1, counts.count)) }

    mutating func grow(to capacity: Int) {
        first.grow(to: capacity, -1)
        distinct.grow(to: capacity, 0)
        totals.grow(to: capacity, 0)
    }

    /// Changes the count of a value; at 0 it is gone. A count may be below 0 while a −1 has
    /// overtaken its +1.
    mutating func add(_ bytes: ArraySlice<UInt8>, to group: Int32, change: Int64) {
        guard change != 0 else { return }
        reserve()
        totals[Int(group)] += change
        let hash = Self.hash(bytes, group)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let entry = Int(slots[slot])
            if hashes[entry] == hash, groups[entry] == group, values[entry] == bytes {
                counts[entry] += change
                if counts[entry] == 0 { return remove(Int32(entry), isGroupGone: false) }
                return mark(Int32(entry))
            }
            slot = (slot + 1) & mask
        }
        let entry = insert(hash, group, bytes, at: slot)
        counts[Int(entry)] = change
        mark(entry)
    }

    private static func hash(_ bytes: ArraySlice<UInt8>, _ group: Int32) -> UInt64 {
        ValueHash.hash(bytes, seed: UInt64(bitPattern: Int64(group)))
    }

    private mutating func mark(_ entry: Int32) {
        guard !isDirty[Int(entry)] else { return }
        isDirty[Int(entry)] = true
        dirty.append(entry)
    }

    private mutating func insert(
        _ hash: UInt64, _ group: Int32, _ bytes: ArraySlice<UInt8>, at slot: Int
    ) -> Int32 {
        let entry: Int32
        if let reused = free.popLast() {
            entry = reused
            hashes[Int(entry)] = hash
            groups[Int(entry)] = group
        } else {
            entry = Int32(hashes.count)
            hashes.append(hash)
            groups.append(group)
            counts.append(0)
            next.append(-1)
            previous.append(-1)
            isPersisted.append(false)
            isDirty.append(false)
        }
        values.set(Int(entry), bytes)
        slots[slot] = entry
        count += 1
        let head = first[Int(group)]
        next[Int(entry)] = head
        previous[Int(entry)] = -1
        if head >= 0 { previous[Int(head)] = entry }
        first[Int(group)] = entry
        distinct[Int(group)] += 1
        return entry
    }

    private mutating func remove(_ entry: Int32, isGroupGone: Bool) {
        let index = Int(entry)
        let group = Int(groups[index])
        if isPersisted[index], !isGroupGone { gone.append((Int32(group), Array(values[index]))) }
        if previous[index] >= 0 {
            next[Int(previous[index])] = next[index]
        } else {
            first[group] = next[index]
        }
        if next[index] >= 0 { previous[Int(next[index])] = previous[index] }
        distinct[group] -= 1
        isPersisted[index] = false
        isDirty[index] = false
        closeHole(of: entry)
        values.clear(index)
        counts[index] = 0
        free.append(entry)
        count -= 1
    }

    /// As in GroupTable: later entries of the run move back.
    private mutating func closeHole(of entry: Int32) {
        let mask = slots.count - 1
        var hole = Int(truncatingIfNeeded: hashes[Int(entry)]) & mask
        while slots[hole] != entry { hole = (hole + 1) & mask }
        var next = hole
        while true {
            next = (next + 1) & mask
            guard slots[next] >= 0 else { break }
            let home = Int(truncatingIfNeeded: hashes[Int(slots[next])]) & mask
            if (next &- home) & mask < (next &- hole) & mask { continue }
            slots[hole] = slots[next]
            hole = next
        }
        slots[hole] = -1
    }

    private mutating func reserve() {
        guard (count + 1) * 2 > slots.count else { return }
        var table = [Int32](repeating: -1, count: slots.count * 2)
        let mask = table.count - 1
        for entry in slots where entry >= 0 {
            var slot = Int(truncatingIfNeeded: hashes[Int(entry)]) & mask
            while table[slot] >= 0 { slot = (slot + 1) & mask }
            table[slot] = entry
        }
        slots = table
    }

    /// Removes all values of a group whose stored entries go by prefix.
    mutating func clear(_ group: Int32) {
        var entry = first[Int(group)]
        while entry >= 0 {
            let following = next[Int(entry)]
            remove(entry, isGroupGone: true)
            entry = following
        }
        if !gone.isEmpty { gone.removeAll { $0.group == group } }
        totals[Int(group)] = 0
    }

    /// The values of a group, in no order, with their counts.
    func values(of group: Int32) -> [(bytes: ArraySlice<UInt8>, count: Int64)] {
        var result: [(bytes: ArraySlice<UInt8>, count: Int64)] = []
        var entry = first[Int(group)]
        while entry >= 0 {
            result.append((values[Int(entry)], counts[Int(entry)]))
            entry = next[Int(entry)]
        }
        return result
    }

    /// The least or greatest value of a group. Complexity: O(values of the group).
    func extreme(of group: Int32, isLast: Bool) -> ArraySlice<UInt8>? {
        var best: ArraySlice<UInt8>?
        var entry = first[Int(group)]
        while entry >= 0 {
            let value = values[Int(entry)]
            if counts[Int(entry)] > 0 {
                if let current = best {
                    let isBetter =
                        isLast
                        ? OrderedBytes.isLess(current, value) : OrderedBytes.isLess(value, current)
                    if isBetter { best = value }
                } else {
                    best = value
                }
            }
            entry = next[Int(entry)]
        }
        return best
    }

    /// What changed since the last call, entry by entry; count nil: the entry is gone.
    mutating func takeChanges(
        _ body: (_ group: Int32, _ bytes: ArraySlice<UInt8>, _ count: Int64?) -> Void
    ) {
        for (group, bytes) in gone { body(group, bytes[...], nil) }
        gone = []
        for entry in dirty {
            // A freed number may have been given out again, and stands here once more if so.
            guard isDirty[Int(entry)] else { continue }
            isDirty[Int(entry)] = false
            isPersisted[Int(entry)] = true
            body(groups[Int(entry)], values[Int(entry)], counts[Int(entry)])
        }
        dirty = []
    }

    /// Takes back a stored entry, which the group does not have.
    mutating func restore(_ bytes: ArraySlice<UInt8>, to group: Int32, count: Int64) {
        guard count != 0 else { return }
        reserve()
        let hash = Self.hash(bytes, group)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        let entry = insert(hash, group, bytes, at: slot)
        counts[Int(entry)] = count
        totals[Int(group)] += count
        isPersisted[Int(entry)] = true
    }
}

/// A hash for tables in memory only: never stored.
private enum ValueHash {
    static func hash(_ bytes: ArraySlice<UInt8>, seed: UInt64) -> UInt64 {
        var hash = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash ^= hash >> 32
        return hash &* 0xC4CE_B9FE_1A85_EC53 ^ hash
    }
}
