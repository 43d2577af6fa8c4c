// Closes a window whose keys are partly in the store, a key group at a time: what is in memory of a
// group, and what is read for it, are merged and emitted, and then forgotten.
//
// A key is in memory or in the store, never both, in each pane: of an entry whose key is in memory
// the store may have an older state, and it is passed over.

import Columns
import Contracts
import Planning
import State

/// How far the closing has come.
struct ClosingWindow {
    typealias Pane = WindowAggregateOperator.Pane

    let end: Int64
    let due: [Pane]
    private var nextGroup = 0

    /// Rows that are on their way before the rest is read.
    private static let rowsAtOnce: Int64 = 16_384

    init(end: Int64, due: [Pane]) {
        self.end = end
        self.due = due
    }

    var isDone: Bool { nextGroup == KeyGroups.count }

    /// Emits the rows of some more key groups.
    mutating func emit(
        of owner: WindowAggregateOperator, into output: inout OperatorOutput
    ) throws {
        let made = output.counters.made
        let inMemory = due.map { pane in
            var groups: [[Int32]] = Array(repeating: [], count: KeyGroups.count)
            for group in owner.open(pane.keyed, end: end) {
                groups[pane.keyed.keyGroup(group)].append(group)
            }
            return groups
        }
        while !isDone, output.counters.made - made < ClosingWindow.rowsAtOnce {
            let whole = owner.keyedAggregates([])
            for (pane, groups) in zip(due, inMemory) {
                whole.merge(pane.keyed, groups: groups[nextGroup])
                guard let part = try evicted(pane, owner) else { continue }
                whole.merge(part, groups: part.table.liveGroups)
            }
            owner.emit(whole, whole.table.liveGroups, end: end, into: &output)
            nextGroup += 1
        }
    }

    /// The keys of a pane's key group that are only in the store.
    private func evicted(
        _ pane: Pane, _ owner: WindowAggregateOperator
    ) throws -> KeyedAggregates? {
        guard let stored = owner.stored, pane.keyed.residency.evictedCount > 0,
            pane.keyed.storedGroups.contains(nextGroup),
            owner.closedThrough.isEmpty || owner.closedThrough[nextGroup] < end
        else { return nil }
        let part = owner.keyedAggregates([])
        var last = KeyedAggregates.Restored.none
        let prefix = pane.keyed.prefix
        try stored.forEach(StateKey(group: nextGroup, key: prefix)) { key, value in
            let suffix = key[prefix.count...]
            var keyReader = ByteReader(suffix)
            try pane.keyed.table.codec.skip(&keyReader)
            if keyReader.isAtEnd {
                var entry = try stateValue(value)
                let hash = try entry.word(width: 8)
                if pane.keyed.table.contains(hash: hash, key: suffix) {
                    last = .left
                    return
                }
            }
            last = try part.restore(suffix: suffix, value: value, last: last)
        }
        return part
    }
}
