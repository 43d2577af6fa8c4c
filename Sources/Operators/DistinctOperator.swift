// DISTINCT over append-only input: the first row of each value passes at once.
//
// Conservation: in = out + merged. State: row → version · hash.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class DistinctOperator: Operator {
    private let operatorID: UInt64
    private var seen: GroupTable
    /// Groups below are stored.
    private var storedCount = 0

    init(node: PlanNode) {
        operatorID = node.operatorID
        seen = GroupTable(node.schema.types)
    }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        require(batch.changes == nil, "the first row of a value over an updating stream")
        output.counters.rowsIn += Int64(batch.rowCount)
        let rows = (0..<Int32(batch.rowCount)).map { $0 }
        var next = Int32(seen.capacity)
        let groups = seen.groups(
            batch.columns, rowCount: batch.rowCount,
            hashes: KeyHash.hashes(batch.columns, rowCount: batch.rowCount), rows: rows)
        // Groups are never removed, so new ones are numbered in the order of their first rows.
        var first: [Int32] = []
        for row in rows where groups[Int(row)] == next {
            first.append(row)
            next += 1
        }
        output.counters.merged += Int64(batch.rowCount - first.count)
        output.emit(first.count == batch.rowCount ? batch : batch.gather(first))
    }

    func advance(to minimum: Int64, into output: inout OperatorOutput) {}
    func flush(into output: inout OperatorOutput) {}

    func snapshot() -> StateDelta {
        var delta = StateDelta(operatorID: operatorID)
        for group in storedCount..<seen.capacity {
            let hash = seen.hash(of: Int32(group))
            var value: [UInt8] = [RowCodec.version]
            value.appendWord(hash)
            delta.put(
                group: KeyGroups.group(ofHash: hash), key: seen.keyBytes(of: Int32(group)),
                value: value)
        }
        storedCount = seen.capacity
        return delta
    }

    func restore(from reader: any StateReader, groups: Range<Int>, minimum: Int64) throws {
        for group in groups {
            try reader.forEach(operatorID: operatorID, group: group) { key, value in
                var stored = try stateValue(value)
                _ = try seen.group(hash: try stored.word(width: 8), key: key[...])
            }
        }
        storedCount = seen.capacity
    }

    var dirtyBytes: Int {
        (seen.capacity - storedCount) * (seen.byteCount / max(1, seen.capacity))
    }

    var held: HeldState {
        HeldState(rows: 0, keys: Int64(seen.count), bytes: Int64(seen.byteCount))
    }
}
