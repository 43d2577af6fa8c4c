// Open sessions as columns, with the list of each key, the heap of due times and the marks of
// change.

import Columns
import Contracts
import Planning
import State

struct SessionStore {
    let gap: Int64
    let accumulators: AccumulatorSet
    /// One each a session slot; times in µs.
    private(set) var starts: [Int64] = []
    private(set) var lasts: [Int64] = []
    private(set) var keys: [Int32] = []
    private(set) var rowCounts: [Int64] = []
    /// The time of the first row that came: names the session in the store.
    private(set) var names: [Int64] = []
    private(set) var shownStarts: [Int64] = []
    private(set) var shownLasts: [Int64] = []
    private(set) var rows: Int64 = 0
    private var marks: [Marks] = []
    private var next: [Int32] = []
    private var mergedInto: [Int32] = []
    private var firstOfKey: [Int32] = []
    private var free: [Int32] = []
    private var due = DueHeap()
    private var dirty: [Int32] = []
    /// Changed since early results were shown.
    private var changed: [Int32] = []
    /// Of the batch: placed or merged; and merged away, as (from, into) in order.
    private var placed: [Int32] = []
    private var merges: [(from: Int32, into: Int32)] = []
    private var removed: [(group: Int, name: [UInt8])] = []
    /// Raised when a slot is freed: heap entries of an earlier session are not its.
    private var generations: [UInt32] = []
    /// Failing sessions that are gone, not yet told.
    private var failingGone: Int64 = 0

    private struct Marks {
        var isLive = false
        var isDirty = false
        var isPersisted = false
        var isChanged = false
        var isShown = false
        var isFailing = false
        var isPlaced = false
    }

    init(gap: Int64, accumulators: AccumulatorSet) {
        self.gap = gap
        self.accumulators = accumulators
    }

    var byteCount: Int {
        starts.count * 72 + firstOfKey.count * 4 + accumulators.byteCount
    }

    /// What the next snapshot will put, about.
    var dirtyBytes: Int {
        (dirty.count + removed.count) * (byteCount / max(1, starts.count))
            + accumulators.dirtyBytes
    }
}

// Rows to sessions.
extension SessionStore {
    mutating func growKeys(to capacity: Int) { firstOfKey.grow(to: capacity, -1) }

    func isEmpty(_ key: Int32) -> Bool { firstOfKey[Int(key)] < 0 }

    /// The session of each row, sessions grown and merged as the rows come; accumulators are left
    /// to
    /// `fold`.
    mutating func place(_ keys: [Int32], _ times: [Int64]) -> [Int32] {
        var slots: [Int32] = []
        slots.reserveCapacity(keys.count)
        for index in keys.indices { slots.append(place(keys[index], times[index])) }
        for index in slots.indices { slots[index] = resolved(slots[index]) }
        return slots
    }

    private mutating func place(_ key: Int32, _ time: Int64) -> Int32 {
        var target: Int32 = -1
        var before: Int32 = -1
        var slot = firstOfKey[Int(key)]
        while slot >= 0 {
            let index = Int(slot)
            let following = next[index]
            guard starts[index] - gap <= time, time <= lasts[index] + gap else {
                before = slot
                slot = following
                continue
            }
            if target < 0 {
                target = slot
                starts[index] = min(starts[index], time)
                lasts[index] = max(lasts[index], time)
                before = slot
            } else {
                starts[Int(target)] = min(starts[Int(target)], starts[index])
                lasts[Int(target)] = max(lasts[Int(target)], lasts[index])
                next[Int(before)] = following
                mergedInto[index] = target
                merges.append((slot, target))
                note(slot)
            }
            slot = following
        }
        if target < 0 { target = open(key, start: time, last: time, name: time) }
        note(target)
        return target
    }

    private mutating func note(_ slot: Int32) {
        guard !marks[Int(slot)].isPlaced else { return }
        marks[Int(slot)].isPlaced = true
        placed.append(slot)
    }

    private func resolved(_ slot: Int32) -> Int32 {
        var slot = slot
        while mergedInto[Int(slot)] >= 0 { slot = mergedInto[Int(slot)] }
        return slot
    }

    private mutating func open(_ key: Int32, start: Int64, last: Int64, name: Int64) -> Int32 {
        let slot = free.popLast() ?? newSlot()
        let index = Int(slot)
        starts[index] = start
        lasts[index] = last
        names[index] = name
        keys[index] = key
        marks[index].isLive = true
        link(slot, of: key, name: name)
        due.push(DueHeap.Entry(time: last + gap, slot: slot, generation: generations[index]))
        return slot
    }

    /// A key's sessions are in the order of their names, so that which of two that merge goes on
    /// does not depend on which of them was read from the store.
    private mutating func link(_ slot: Int32, of key: Int32, name: Int64) {
        var before: Int32 = -1
        var following = firstOfKey[Int(key)]
        while following >= 0, names[Int(following)] < name {
            before = following
            following = next[Int(following)]
        }
        next[Int(slot)] = following
        if before < 0 { firstOfKey[Int(key)] = slot } else { next[Int(before)] = slot }
    }

    private mutating func newSlot() -> Int32 {
        let slot = Int32(starts.count)
        starts.append(0)
        lasts.append(0)
        names.append(0)
        shownStarts.append(0)
        shownLasts.append(0)
        keys.append(0)
        rowCounts.append(0)
        marks.append(Marks())
        next.append(-1)
        mergedInto.append(-1)
        generations.append(0)
        accumulators.grow(to: starts.count)
        return slot
    }

    /// Adds merged sessions to those they went into, then folds the rows of the batch.
    /// Returns the slots that are merged away, to be removed.
    mutating func fold(_ batch: Batch, slots: [Int32], rows: [Int32]) -> [Int32] {
        let from = merges.map(\.from)
        let into = merges.map { resolved($0.into) }
        accumulators.merge(accumulators, groups: from, into: into)
        for index in from.indices {
            rowCounts[Int(into[index])] += rowCounts[Int(from[index])]
            rowCounts[Int(from[index])] = 0
        }
        accumulators.update(batch, groups: slots, rows: rows)
        for slot in slots { rowCounts[Int(slot)] += 1 }
        self.rows += Int64(slots.count)
        for slot in placed {
            marks[Int(slot)].isPlaced = false
            guard mergedInto[Int(slot)] < 0, !marks[Int(slot)].isDirty else { continue }
            marks[Int(slot)].isDirty = true
            dirty.append(slot)
        }
        placed = []
        merges = []
        return from
    }
}

// Closing.
extension SessionStore {
    /// The sessions whose last + gap is < `bound`, in the order of their ends.
    mutating func takeDue(bound: Int64) -> [Int32] {
        var slots: [Int32] = []
        while let entry = due.first, entry.time < bound {
            due.removeFirst()
            let index = Int(entry.slot)
            guard marks[index].isLive, generations[index] == entry.generation else { continue }
            let end = lasts[index] + gap
            if end < bound {
                slots.append(entry.slot)
            } else {
                due.push(
                    DueHeap.Entry(time: end, slot: entry.slot, generation: entry.generation))
            }
        }
        return slots.sorted { (lasts[Int($0)], $0) < (lasts[Int($1)], $1) }
    }

    /// Frees a session; `name` is its stored key, in `group`. Returns whether it is in the store.
    mutating func remove(_ slot: Int32, group: Int, name: [UInt8]) -> Bool {
        let index = Int(slot)
        let isPersisted = marks[index].isPersisted
        if mergedInto[index] < 0 { unlink(slot) }
        if isPersisted { removed.append((group, name)) }
        if marks[index].isFailing { failingGone += 1 }
        rows -= rowCounts[index]
        vacate(slot)
        return isPersisted
    }

    private mutating func vacate(_ slot: Int32) {
        let index = Int(slot)
        rowCounts[index] = 0
        mergedInto[index] = -1
        marks[index] = Marks()
        generations[index] &+= 1
        accumulators.clear(slot)
        free.append(slot)
    }

    private mutating func unlink(_ slot: Int32) {
        let key = Int(keys[Int(slot)])
        if firstOfKey[key] == slot {
            firstOfKey[key] = next[Int(slot)]
            return
        }
        var before = firstOfKey[key]
        while next[Int(before)] != slot { before = next[Int(before)] }
        next[Int(before)] = next[Int(slot)]
    }
}

// Early results.
extension SessionStore {
    /// Of the sessions that the batch touches: those whose row stands emitted, once an epoch.
    mutating func changedShown() -> [Int32] {
        var shown: [Int32] = []
        for slot in placed {
            let index = Int(slot)
            if marks[index].isShown {
                shown.append(slot)
                marks[index].isShown = false
            }
            if !marks[index].isChanged {
                marks[index].isChanged = true
                changed.append(slot)
            }
        }
        return shown
    }

    /// The live sessions that changed since the last call.
    mutating func takeChanged() -> [Int32] {
        var live: [Int32] = []
        for slot in changed where marks[Int(slot)].isLive && marks[Int(slot)].isChanged {
            marks[Int(slot)].isChanged = false
            live.append(slot)
        }
        changed = []
        return live
    }

    /// Notes what of a session is emitted; returns by how much the failing sessions become more.
    mutating func show(_ slot: Int32, fails: Bool) -> Int64 {
        let index = Int(slot)
        let change = (fails ? 1 : 0) - (marks[index].isFailing ? 1 : 0)
        marks[index].isFailing = fails
        marks[index].isShown = !fails
        shownStarts[index] = starts[index]
        shownLasts[index] = lasts[index]
        return Int64(change)
    }

    mutating func takeFailingGone() -> Int64 {
        defer { failingGone = 0 }
        return failingGone
    }
}

// State.
extension SessionStore {
    mutating func takeRemoved() -> [(group: Int, name: [UInt8])] {
        defer { removed = [] }
        return removed
    }

    /// The live sessions that changed since the last call; they count as stored from now on.
    mutating func takeDirty() -> [Int32] {
        var live: [Int32] = []
        for slot in dirty where marks[Int(slot)].isLive && marks[Int(slot)].isDirty {
            marks[Int(slot)].isDirty = false
            marks[Int(slot)].isPersisted = true
            live.append(slot)
        }
        dirty = []
        return live
    }

    func encode(_ slot: Int32, into value: inout [UInt8]) {
        value.appendSigned(starts[Int(slot)])
        value.appendSigned(lasts[Int(slot)])
        value.appendSigned(rowCounts[Int(slot)])
        accumulators.encode(slot, into: &value)
    }

    /// What a stored session begins with.
    struct Stored {
        let start: Int64
        let last: Int64
        let rowCount: Int64

        init(_ reader: inout ByteReader) throws(Failure) {
            start = try reader.signed()
            last = try reader.signed()
            rowCount = try reader.signed()
        }
    }

    /// Takes a stored session into memory; its rows are counted already.
    mutating func restore(
        _ key: Int32, name: Int64, _ reader: inout ByteReader
    ) throws(Failure) -> Int32 {
        let stored = try Stored(&reader)
        let slot = open(key, start: stored.start, last: stored.last, name: name)
        rowCounts[Int(slot)] = stored.rowCount
        try accumulators.decode(slot, &reader)
        marks[Int(slot)].isPersisted = true
        return slot
    }

    /// Counts the rows of a stored session.
    mutating func noteRows(_ count: Int64) { rows += count }
}

// Eviction.
extension SessionStore {
    /// The earliest end of a key's sessions.
    func earliestEnd(of key: Int32) -> Int64 {
        var earliest = Int64.max
        var slot = firstOfKey[Int(key)]
        while slot >= 0 {
            earliest = min(earliest, lasts[Int(slot)] + gap)
            slot = next[Int(slot)]
        }
        return earliest
    }

    /// Drops the sessions of a key, which are in the store as they are.
    mutating func evict(_ key: Int32) {
        var slot = firstOfKey[Int(key)]
        while slot >= 0 {
            let following = next[Int(slot)]
            vacate(slot)
            slot = following
        }
        firstOfKey[Int(key)] = -1
    }

    /// Forgets the times of sessions that are no more.
    mutating func tidyDue() {
        due.keep { marks[Int($0.slot)].isLive && generations[Int($0.slot)] == $0.generation }
    }

    /// Whether nothing waits to be told.
    var isQuiet: Bool { dirty.isEmpty && changed.isEmpty && placed.isEmpty }

    /// No session is left: gives the arrays back.
    mutating func release() {
        require(isQuiet, "sessions are released with changes to tell")
        accumulators.release()
        (starts, lasts, names, shownStarts, shownLasts) = ([], [], [], [], [])
        (keys, next, mergedInto, firstOfKey, free) = ([], [], [], [], [])
        (rowCounts, marks, generations) = ([], [], [])
        due = DueHeap()
    }
}

/// A binary heap of times, earliest first.
struct DueHeap {
    struct Entry {
        let time: Int64
        let slot: Int32
        let generation: UInt32
    }

    private var entries: [Entry] = []

    var count: Int { entries.count }

    /// Keeps the entries that `isKept` says. Complexity: O(n log n) at most.
    mutating func keep(where isKept: (Entry) -> Bool) {
        entries = entries.filter(isKept).sorted { $0.time < $1.time }
    }

    var first: Entry? { entries.first }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].time < entries[parent].time else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() {
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in (2 * parent + 1)...(2 * parent + 2) where child < entries.count {
                if entries[child].time < entries[least].time { least = child }
            }
            guard least != parent else { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
