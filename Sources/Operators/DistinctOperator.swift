// DISTINCT over append-only input: the first row of each value passes at once.
//
// Conservation: in = out + merged. State: row → version · hash.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class DistinctOperator: Operator, Evictable {
    private let operatorID: UInt64
    private(set) var table: GroupTable
    private(set) var residency = Residency()
    private var stored: StoredState?

    init(node: PlanNode) {
        operatorID = node.operatorID
        table = GroupTable(node.schema.types)
    }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        require(batch.changes == nil, "the first row of a value over an updating stream")
        output.counters.rowsIn += Int64(batch.rowCount)
        let rows = (0..<Int32(batch.rowCount)).map { $0 }
        let groups = table.groups(
            batch.columns, rowCount: batch.rowCount,
            hashes: KeyHash.hashes(batch.columns, rowCount: batch.rowCount), rows: rows)
        residency.grow(to: table.capacity)
        let fresh = table.fresh
        do { try load(fresh) } catch { return output.fail(error) }
        // Groups are made in the order of their first rows.
        var next = 0
        var first: [Int32] = []
        for row in rows where next < fresh.count && groups[Int(row)] == fresh[next] {
            if !residency.isPersisted[Int(fresh[next])] {
                first.append(row)
                residency.mark(fresh[next])
            }
            next += 1
        }
        output.counters.merged += Int64(batch.rowCount - first.count)
        output.emit(first.count == batch.rowCount ? batch : batch.gather(first))
    }

    /// Finds those of new groups that are in the store: they are not new.
    private func load(_ fresh: [Int32]) throws {
        guard residency.evictedCount > 0, let stored else { return }
        var wanted: [(group: Int32, key: StateKey)] = []
        for group in fresh where residency.mayBeEvicted(table.hash(of: group)) {
            wanted.append((group, stateKey(group)))
        }
        try stored.forEachFound(wanted) { group, _, _ in residency.noteLoaded(group) }
    }

    private func stateKey(_ group: Int32) -> StateKey {
        StateKey(
            group: KeyGroups.group(ofHash: table.hash(of: group)),
            key: table.keyBytes(of: group))
    }

    func advance(to minimum: Int64, into output: inout OperatorOutput) {}
    func flush(into output: inout OperatorOutput) {}

    func snapshot() -> StateDelta {
        var delta = StateDelta(operatorID: operatorID)
        for group in residency.takeDirty() {
            var value: [UInt8] = [RowCodec.version]
            value.appendWord(table.hash(of: group))
            let place = stateKey(group)
            delta.put(group: place.group, key: place.key, value: value)
            residency.noteStored(group)
        }
        return delta
    }

    func restore(
        from reader: any StateReader, groups: Range<Int>, minimum: Int64, memoryLimit: Int
    ) throws {
        stored = StoredState(reader: reader, operatorID: operatorID)
        var room = RestoreRoom(limit: memoryLimit)
        for group in groups {
            try reader.forEach(operatorID: operatorID, group: group) { key, value in
                var entry = try stateValue(value)
                let hash = try entry.word(width: 8)
                if room.isFull({ residentBytes }) { return residency.noteLeftInStore(hash) }
                let restored = try table.group(hash: hash, key: key[...])
                residency.grow(to: table.capacity)
                residency.noteRestored(restored)
            }
        }
    }

    var byteCount: Int { table.byteCount + table.capacity * Residency.bytesPerGroup }
    var dirtyBytes: Int { residency.dirtyCount * (byteCount / max(1, table.capacity)) }

    var held: HeldState {
        HeldState(
            rows: 0, keys: Int64(table.count + residency.evictedCount), bytes: Int64(byteCount))
    }

    var residentBytes: Int { tableBytes }

    func evict(to target: Int) { EvictionPass.run([self], to: target) }

    func evict(_ group: Int32) {
        residency.noteEvicted(group, hash: table.hash(of: group))
        table.remove(group)
    }

    func release() {
        table = GroupTable(table.keyTypes)
        residency.release()
    }

    func noteDurable() { residency.noteDurable() }
}
