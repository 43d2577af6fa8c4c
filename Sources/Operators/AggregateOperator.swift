// Aggregates per key without a window: updating rows, one live row a key.
//
// Changes are folded per epoch: rows change accumulators at once, and the flush before each barrier
// emits, for every group that changed, its old row as −1 and its new one as +1. So a hot key costs
// a downstream operator and the sink one pair an epoch, and what is stored equals what stands
// emitted:
// a snapshot follows a flush, so a restart knows the emitted rows without storing them.
//
// A group whose last row was taken back is deleted. Without keys there is one row, also over
// nothing, from the first flush on, kept by the instance that owns the empty key's group.
//
// Conservation: a +1 is held, a −1 and the +1 that it takes back are merged: in = merged + Δheld;
// the emitted pairs are made and out.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class AggregateOperator: Operator {
    private let operatorID: UInt64
    private let plan: Aggregate
    private let batchRows: Int
    private let keyed: KeyedAggregates
    /// Where evicted keys are.
    private var stored: StoredState?
    private var log: ChangeLog
    /// Whether this instance has the row of a global aggregate.
    private var ownsGlobalRow: Bool

    init(_ plan: Aggregate, node: PlanNode, settings: Settings) {
        operatorID = node.operatorID
        self.plan = plan
        batchRows = settings.batchRows
        keyed = KeyedAggregates(
            prefix: [], keyTypes: Array(node.schema.types.prefix(plan.keys.count)),
            calls: plan.aggregates,
            settings: AccumulatorSettings(
                inputIsUpdating: plan.inputIsUpdating, collectLimit: settings.collectLimit))
        log = ChangeLog(types: node.schema.types)
        ownsGlobalRow = plan.keys.isEmpty
    }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        output.counters.rowsIn += Int64(batch.rowCount)
        let keys = plan.keys.map { batch.columns[$0] }
        let rows = (0..<Int32(batch.rowCount)).map { $0 }
        let groups: [Int32]
        do {
            groups = try self.groups(
                keys, rowCount: batch.rowCount,
                hashes: KeyHash.hashes(keys, rowCount: batch.rowCount), rows: rows)
        } catch {
            return output.fail(error)
        }
        touch(groups)
        keyed.fold(batch, groups: groups, rows: rows)
        if let changes = batch.changes {
            for change in changes where change < 0 { output.counters.merged += 2 }
        }
    }

    /// The groups of rows; what stands emitted of those that had to be read back is known again.
    private func groups(
        _ keys: [Column], rowCount: Int, hashes: [UInt64], rows: [Int32]
    ) throws -> [Int32] {
        let (groups, loaded) = try keyed.groups(
            keys, rowCount: rowCount, hashes: hashes, rows: rows, from: stored)
        log.forget(keyed.table.fresh)
        noteEmitted(loaded)
        return groups
    }

    private func noteEmitted(_ groups: [Int32]) {
        let shown = groups.filter { plan.keys.isEmpty || keyed.rowCounts[Int($0)] > 0 }
        guard !shown.isEmpty else { return }
        var errors = RowErrors()
        _ = columns(shown, &errors)
        log.restore(shown, capacity: keyed.table.capacity, errors: errors)
    }

    private func touch(_ groups: [Int32]) {
        log.touch(groups, capacity: keyed.table.capacity) { groups in
            var errors = RowErrors()
            return columns(groups, &errors)
        }
    }

    /// Keys, aggregates.
    private func columns(_ groups: [Int32], _ errors: inout RowErrors) -> [Column] {
        keyed.table.keyColumns(of: groups)
            + keyed.accumulators.results(groups, errors: &errors)
    }

    func advance(to minimum: Int64, into output: inout OperatorOutput) {}

    func flush(into output: inout OperatorOutput) {
        if ownsGlobalRow, keyed.table.count == 0 { makeGlobalRow() }
        let touched = log.pending
        log.flush(
            visible: { plan.keys.isEmpty || keyed.rowCounts[Int($0)] > 0 },
            results: { columns($0, &$1) }, batchRows: batchRows, into: &output)
        guard !plan.keys.isEmpty else { return }
        for group in touched where keyed.rowCounts[Int(group)] == 0 { keyed.remove(group) }
    }

    private func makeGlobalRow() {
        let hashes = KeyHash.hashes([], rowCount: 1)
        // Nothing of a global aggregate is ever evicted, so nothing is read.
        guard let groups = try? groups([], rowCount: 1, hashes: hashes, rows: [0]) else { return }
        touch(groups)
        for group in groups { keyed.mark(group) }
    }

    func snapshot() -> StateDelta {
        var delta = StateDelta(operatorID: operatorID)
        keyed.snapshot(into: &delta)
        return delta
    }

    func restore(
        from reader: any StateReader, groups: Range<Int>, minimum: Int64, memoryLimit: Int
    ) throws {
        stored = StoredState(reader: reader, operatorID: operatorID)
        if plan.keys.isEmpty {
            let global = KeyGroups.group(ofHash: KeyHash.hashes([], rowCount: 1)[0])
            ownsGlobalRow = groups.contains(global)
        }
        var room = RestoreRoom(limit: plan.keys.isEmpty ? .max : memoryLimit)
        for group in groups {
            var last = KeyedAggregates.Restored.none
            try reader.forEach(operatorID: operatorID, group: group) { key, value in
                last = try keyed.restore(
                    suffix: key[...], value: value, last: last,
                    isFull: room.isFull { keyed.tableBytes })
            }
        }
        noteEmitted(keyed.table.liveGroups)
    }

    var residentBytes: Int { keyed.tableBytes }

    func evict(to target: Int) {
        guard !plan.keys.isEmpty else { return }
        EvictionPass.run([keyed], to: target)
        if keyed.table.capacity == 0 { log.release() }
    }

    var dirtyBytes: Int { keyed.dirtyBytes + log.byteCount }

    var held: HeldState {
        HeldState(
            rows: keyed.rows, keys: Int64(keyed.keyCount), bytes: Int64(keyed.byteCount))
    }
}
