// Sessions into memory and out of it: at start, when a row comes for an evicted key, and when an
// evicted session is due.

import Contracts
import Kernels
import Planning
import Progress
import State

/// A stored entry of a session operator, taken apart.
private struct SessionEntry {
    let key: ArraySlice<UInt8>
    /// The time that names the session.
    let time: Int64
    /// The key with the time: the session's name in the store.
    let name: ArraySlice<UInt8>
    /// Of one of its values: the call, and the value behind it.
    let value: (call: Int, bytes: ArraySlice<UInt8>)?

    init(_ bytes: [UInt8], _ codec: RowCodec) throws(Failure) {
        var reader = ByteReader(bytes)
        try codec.skip(&reader)
        key = bytes[..<reader.position]
        time = try reader.ordered()
        name = bytes[..<reader.position]
        value = reader.isAtEnd ? nil : (Int(try reader.byte()), reader.rest)
    }
}

extension SessionOperator {
    func restore(
        from reader: any StateReader, groups: Range<Int>, minimum: Int64, memoryLimit: Int
    ) throws {
        begin(at: minimum)
        stored = StoredState(reader: reader, operatorID: operatorID)
        var room = RestoreRoom(limit: memoryLimit)
        var restored: [Int32] = []
        for group in groups {
            var lastKey: ArraySlice<UInt8> = []
            var isLeft = false
            var slot: Int32?
            try reader.forEach(operatorID: operatorID, group: group) { bytes, value in
                let entry = try SessionEntry(bytes, table.codec)
                var stored = try stateValue(value)
                guard entry.value == nil else {
                    if !isLeft { try restoreValue(entry, &stored, to: slot) }
                    return
                }
                let hash = try stored.word(width: 8)
                var peek = stored
                let session = try SessionStore.Stored(&peek)
                sessions.noteRows(session.rowCount)
                if slot == nil || entry.key != lastKey {
                    isLeft = room.isFull { residentBytes }
                    lastKey = entry.key
                    if isLeft { residency.noteLeftInStore(hash) }
                }
                if isLeft {
                    slot = -1
                    return noteEvicted(group, end: session.last + gap)
                }
                let new = try restore(entry, hash: hash, &stored)
                slot = new
                restored.append(new)
            }
        }
        noteShown(restored)
    }

    private func restore(
        _ entry: SessionEntry, hash: UInt64, _ stored: inout ByteReader
    ) throws(Failure) -> Int32 {
        let group = try table.group(hash: hash, key: entry.key)
        grow()
        residency.noteRestored(group)
        return try sessions.restore(group, name: entry.time, &stored)
    }

    private func restoreValue(
        _ entry: SessionEntry, _ stored: inout ByteReader, to slot: Int32?
    ) throws(Failure) {
        guard let slot, let value = entry.value,
            sessions.accumulators.columns.indices.contains(value.call),
            let column = sessions.accumulators.columns[value.call] as? any ValueAccumulators
        else { throw ByteReader.damaged("belongs to no session") }
        column.restore(value.bytes, to: slot, count: try stored.signed())
    }

    /// What was read from the store stands emitted, where early results are.
    private func noteShown(_ slots: [Int32]) {
        guard plan.emitsChanges, !slots.isEmpty else { return }
        var errors = RowErrors()
        _ = columns(slots, &errors)
        for (position, slot) in slots.enumerated() {
            _ = sessions.show(slot, fails: errors.errors[position] != nil)
        }
    }

    private func noteEvicted(_ group: Int, end: Int64) {
        earliestEvicted[group] = min(earliestEvicted[group], end)
    }
}

// Coming back.
extension SessionOperator {
    /// Reads back the sessions of those new keys that are in the store.
    func load(_ fresh: [Int32]) throws {
        guard residency.evictedCount > 0, let stored else { return }
        var restored: [Int32] = []
        for group in fresh where residency.mayBeEvicted(table.hash(of: group)) {
            let key = StateKey(
                group: KeyGroups.group(ofHash: table.hash(of: group)),
                key: table.keyBytes(of: group))
            let before = restored.count
            try load(key, of: group, from: stored, into: &restored)
            if restored.count > before { residency.noteLoaded(group) }
        }
        noteShown(restored)
    }

    private func load(
        _ key: StateKey, of group: Int32, from stored: StoredState, into restored: inout [Int32]
    ) throws {
        var slot: Int32?
        var isGone = false
        try stored.forEach(key) { bytes, value in
            let entry = try SessionEntry(bytes, table.codec)
            var stored = try stateValue(value)
            guard entry.value == nil else {
                if !isGone { try restoreValue(entry, &stored, to: slot) }
                return
            }
            isGone = residency.isGone(Array(entry.name))
            if isGone { return }
            _ = try stored.word(width: 8)
            let new = try sessions.restore(group, name: entry.time, &stored)
            slot = new
            restored.append(new)
        }
    }

    /// Reads back the keys of which a session ends before `bound`, or soon after: a key group, or
    /// as many as have few. Returns whether there are more.
    func loadDue(_ bound: Int64) throws -> Bool {
        guard residency.evictedCount > 0, let stored else { return false }
        var count = 0
        for group in earliestEvicted.indices where earliestEvicted[group] < bound {
            if count >= SessionOperator.keysAtOnce { return true }
            let due = try keysDue(group, before: horizon(bound), stored)
            count += due.count
            for (hash, key) in due {
                let slot = try table.group(hash: hash, key: key[...])
                grow()
                try load([slot])
            }
        }
        return false
    }

    private static let keysAtOnce = 16_384

    /// Sessions that end before this stay in memory once they are there: else each of them would
    /// cost a walk through its key group.
    private func horizon(_ bound: Int64) -> Int64 {
        let (time, isTooFar) = bound.addingReportingOverflow(max(1, gap / 16))
        return isTooFar ? EventTime.end : time
    }

    /// The keys of a key group that are only in the store and have a session that ends before
    /// `time`.
    private func keysDue(
        _ group: Int, before time: Int64, _ stored: StoredState
    ) throws -> [(hash: UInt64, key: [UInt8])] {
        var due: [(hash: UInt64, key: [UInt8])] = []
        var earliest = EventTime.end
        try stored.forEach(StateKey(group: group, key: [])) { bytes, value in
            let entry = try SessionEntry(bytes, table.codec)
            guard entry.value == nil, due.last?.key[...] != entry.key else { return }
            var reader = try stateValue(value)
            let hash = try reader.word(width: 8)
            let end = try SessionStore.Stored(&reader).last + gap
            if table.contains(hash: hash, key: entry.key) { return }
            if residency.isGone(Array(entry.name)) { return }
            if end < time {
                due.append((hash, Array(entry.key)))
            } else {
                earliest = min(earliest, end)
            }
        }
        earliestEvicted[group] = earliest
        return due
    }
}

// Leaving.
extension SessionOperator {
    var byteCount: Int {
        table.byteCount + sessions.byteCount + table.capacity * Residency.bytesPerGroup
    }

    func isNeeded(_ group: Int32) -> Bool {
        keepsDue && sessions.earliestEnd(of: group) < horizon(bound)
    }

    var residentBytes: Int { tableBytes }

    func evict(to target: Int) {
        keepsDue = target > 0
        EvictionPass.run([self], to: target)
        sessions.tidyDue()
    }

    func evict(_ group: Int32) {
        let hash = table.hash(of: group)
        residency.noteEvicted(group, hash: hash)
        noteEvicted(KeyGroups.group(ofHash: hash), end: sessions.earliestEnd(of: group))
        sessions.evict(group)
        table.remove(group)
    }

    func release() {
        guard sessions.isQuiet else { return }
        table = GroupTable(table.keyTypes)
        sessions.release()
        residency.release()
    }

    func noteDurable() { residency.noteDurable() }
}
