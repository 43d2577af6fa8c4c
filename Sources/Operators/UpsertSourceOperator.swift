// Records of a keyed source to changes: the last row of each key is kept, so that a record's −1 is
// always exactly the row that stands (dialect.md §2.4).
//
// A record that says what stands already, and a delete of an unknown key, are merged. Conservation:
// in = merged + Δheld, a standing row being held; the changes are made and out.
//
// State: key → version · hash · row.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class UpsertSourceOperator: Operator {
    private let operatorID: UInt64
    private let keys: [Int]
    private let codec: RowCodec
    private var table: GroupTable
    private var rows = ByteSlots()
    private var isPresent: [Bool] = []
    private var isPersisted: [Bool] = []
    private var isDirty: [Bool] = []
    private var dirty: [Int32] = []
    private var presentCount: Int64 = 0

    init(_ plan: UpsertSource, node: PlanNode) {
        operatorID = node.operatorID
        keys = plan.keys
        codec = RowCodec(node.schema.types, form: .exact)
        table = GroupTable(plan.keys.map { node.schema[$0].type })
    }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        output.counters.rowsIn += Int64(batch.rowCount)
        let columns = keys.map { batch.columns[$0] }
        let all = (0..<Int32(batch.rowCount)).map { $0 }
        let groups = table.groups(
            columns, rowCount: batch.rowCount,
            hashes: KeyHash.hashes(columns, rowCount: batch.rowCount), rows: all)
        grow()
        let encoded = codec.encode(batch.columns, rowCount: batch.rowCount)
        var old: [ArraySlice<UInt8>] = []
        var picks: [Int32] = []
        var changes: [Int8] = []
        for row in 0..<batch.rowCount {
            let group = Int(groups[row])
            let isDelete = batch.changes.map { $0[row] < 0 } ?? false
            let isSame = isPresent[group] && !isDelete && rows[group] == encoded[row]
            if isSame || (isDelete && !isPresent[group]) {
                output.counters.merged += 1
                // A key that only a delete has named is forgotten at the snapshot.
                mark(groups[row])
                continue
            }
            if isPresent[group] {
                picks.append(Int32(batch.rowCount + old.count))
                old.append(ArraySlice(Array(rows[group])))
                changes.append(-1)
                output.counters.merged += isDelete ? 2 : 1
            }
            if isDelete {
                rows.clear(group)
            } else {
                rows.set(group, encoded[row])
                picks.append(Int32(row))
                changes.append(1)
            }
            presentCount += (isDelete ? 0 : 1) - (isPresent[group] ? 1 : 0)
            isPresent[group] = !isDelete
            mark(groups[row])
        }
        emit(batch, old, picks, changes, into: &output)
    }

    private func emit(
        _ batch: Batch, _ old: [ArraySlice<UInt8>], _ picks: [Int32], _ changes: [Int8],
        into output: inout OperatorOutput
    ) {
        guard !picks.isEmpty else { return }
        do {
            let oldColumns = try codec.decode(old)
            let columns = zip(batch.columns, oldColumns).map {
                Column.concatenated([$0, $1]).gather(picks)
            }
            output.counters.made += Int64(picks.count)
            output.emit(Batch(rowCount: picks.count, columns: columns, changes: changes))
        } catch {
            bug("a kept row does not decode: \(error)")
        }
    }

    private func grow() {
        isPresent.grow(to: table.capacity, false)
        isPersisted.grow(to: table.capacity, false)
        isDirty.grow(to: table.capacity, false)
    }

    private func mark(_ group: Int32) {
        guard !isDirty[Int(group)] else { return }
        isDirty[Int(group)] = true
        dirty.append(group)
    }

    func advance(to minimum: Int64, into output: inout OperatorOutput) {}
    func flush(into output: inout OperatorOutput) {}

    func snapshot() -> StateDelta {
        var delta = StateDelta(operatorID: operatorID)
        for group in dirty {
            let index = Int(group)
            isDirty[index] = false
            let hash = table.hash(of: group)
            let key = table.keyBytes(of: group)
            if isPresent[index] {
                var value: [UInt8] = [RowCodec.version]
                value.appendWord(hash)
                value.append(contentsOf: rows[index])
                delta.put(group: KeyGroups.group(ofHash: hash), key: key, value: value)
                isPersisted[index] = true
            } else {
                if isPersisted[index] {
                    delta.delete(group: KeyGroups.group(ofHash: hash), key: key)
                }
                isPersisted[index] = false
                table.remove(group)
            }
        }
        dirty = []
        return delta
    }

    func restore(from reader: any StateReader, groups: Range<Int>, minimum: Int64) throws {
        for group in groups {
            try reader.forEach(operatorID: operatorID, group: group) { key, value in
                var stored = try stateValue(value)
                let slot = try table.group(hash: try stored.word(width: 8), key: key[...])
                grow()
                rows.set(Int(slot), stored.rest)
                isPresent[Int(slot)] = true
                isPersisted[Int(slot)] = true
                presentCount += 1
            }
        }
    }

    var dirtyBytes: Int {
        dirty.count * ((table.byteCount + rows.byteCount) / max(1, table.capacity))
    }

    var held: HeldState {
        HeldState(
            rows: presentCount, keys: presentCount,
            bytes: Int64(table.byteCount + rows.byteCount + isPresent.count * 3))
    }
}
