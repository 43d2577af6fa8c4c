// Which keys of a table are in memory, and which are only in the store: eviction (design.md §3.11).
//
// A key is dirty from its first change until the snapshot that hands the change over, in flight
// until that snapshot is durable, and clean after that. Only clean keys are evicted, and only while
// nothing is in flight: a snapshot is taken when the one before it is durable, so whoever evicts
// asks the runtime that the last one is. What is not in memory is therefore in the store, as it
// was, and a key that the table meets for the first time is read back before anything is folded
// into it.
//
// The store is behind memory in one thing: keys that were removed, as long as the snapshot that
// says so is not durable. Their names are kept for so long, so that they do not come back.
//
// A filter knows which keys may have been evicted: a really new key mostly costs no read, and none
// at all while nothing is evicted.

import Contracts
import State

/// Marks of a table's groups, and what is known of the keys that are not in it.
struct Residency {
    private(set) var isPersisted: [Bool] = []
    private(set) var isDirty: [Bool] = []
    private var dirty: [Int32] = []
    /// The snapshot that handed a group over last, or the one before which it was read.
    private(set) var usedAt: [UInt32] = []
    /// Snapshots taken.
    private(set) var clock: UInt32 = 0
    /// Keys that are in the store and not in memory.
    private(set) var evictedCount = 0
    private var filter = KeyFilter()
    /// Stored names that are gone: since the last snapshot, and in the one before, which may not be
    /// durable yet.
    private var gone: Set<[UInt8]> = []
    private var goneInFlight: Set<[UInt8]> = []

    var dirtyCount: Int { dirty.count }
    static let bytesPerGroup = 6

    /// Bytes that eviction cannot free.
    var filterBytes: Int { filter.byteCount }

    mutating func grow(to capacity: Int) {
        isPersisted.grow(to: capacity, false)
        isDirty.grow(to: capacity, false)
        usedAt.grow(to: capacity, 0)
    }

    /// Notes that groups are to be stored at the next snapshot.
    mutating func mark(_ groups: [Int32]) {
        for group in groups where !isDirty[Int(group)] {
            isDirty[Int(group)] = true
            dirty.append(group)
        }
    }

    mutating func mark(_ group: Int32) {
        guard !isDirty[Int(group)] else { return }
        isDirty[Int(group)] = true
        dirty.append(group)
    }

    /// The groups marked since the last call; begins the next snapshot's marks. What the call
    /// before handed over is durable by now.
    mutating func takeDirty() -> [Int32] {
        clock &+= 1
        for group in dirty {
            isDirty[Int(group)] = false
            usedAt[Int(group)] = clock
        }
        goneInFlight = gone
        gone = []
        defer { dirty = [] }
        return dirty
    }

    mutating func noteStored(_ group: Int32) { isPersisted[Int(group)] = true }

    /// A group's key has left the table for good. Returns whether it stands in the store.
    mutating func noteRemoved(_ group: Int32) -> Bool {
        defer { isPersisted[Int(group)] = false }
        return isPersisted[Int(group)]
    }

    /// What the store shows under a name is not to be believed until the next snapshot is durable.
    mutating func noteGone(_ name: [UInt8]) { gone.insert(name) }

    /// The same of a name whose removal the snapshot that is being taken hands over.
    mutating func noteGoneInFlight(_ name: [UInt8]) { goneInFlight.insert(name) }

    func isGone(_ name: [UInt8]) -> Bool { gone.contains(name) || goneInFlight.contains(name) }
}

// Leaving memory and coming back.
extension Residency {
    /// Whether a group can be evicted: nothing of it is on its way to the store.
    @inline(__always)
    func isClean(_ group: Int) -> Bool { isPersisted[group] && !isDirty[group] }

    mutating func noteEvicted(_ group: Int32, hash: UInt64) {
        require(isClean(Int(group)), "group \(group) is evicted with changes")
        isPersisted[Int(group)] = false
        noteLeftInStore(hash)
    }

    /// A key that a restore leaves where it is.
    mutating func noteLeftInStore(_ hash: UInt64) {
        evictedCount += 1
        filter.insert(hash)
    }

    func mayBeEvicted(_ hash: UInt64) -> Bool { evictedCount > 0 && filter.mayContain(hash) }

    /// A group was read back.
    mutating func noteLoaded(_ group: Int32) {
        noteRestored(group)
        evictedCount -= 1
        if evictedCount == 0 { filter = KeyFilter() }
    }

    mutating func noteRestored(_ group: Int32) {
        isPersisted[Int(group)] = true
        usedAt[Int(group)] = clock
    }

    /// All that was handed over is durable.
    mutating func noteDurable() { goneInFlight = [] }

    /// No group is left: gives its arrays back.
    mutating func release() {
        require(dirty.isEmpty, "a table is emptied of \(dirty.count) changed groups")
        isPersisted = []
        isDirty = []
        usedAt = []
    }
}
