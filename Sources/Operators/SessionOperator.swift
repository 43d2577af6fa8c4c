// Sessions: windows that grow with their rows (dialect.md §1.8).
//
// A key's open sessions are a short linked list. A row joins every session that it lies at most one
// gap from; several become one. Within a batch, sessions that merge only note into which one they
// go; their accumulators are added up once, after all rows have found theirs. A heap of due times
// finds what a watermark closes: one entry a session, corrected when it is popped, as a session's
// end moves with nearly every row.
//
// Conservation as in WindowAggregateOperator. Where rows themselves are wanted (`SessionRows`) they
// stand in the place of accumulators, and a closing session's rows are out, not merged.
//
// Keys are evicted with all their sessions (Residency). For each key group the earliest end of an
// evicted session is known; when a watermark comes to it, the group's entries are read through, the
// keys whose sessions end soon come into memory, and the earliest end of the rest is known again.
//
// State: key · time of the first row that came (it names the session for life) → version · hash ·
// start · last · rows · accumulators; … · call · value → version · count.

import Columns
import Contracts
import Kernels
import Planning
import Progress
import State
import Types

final class SessionOperator: Operator, Evictable {
    let operatorID: UInt64
    let plan: WindowAggregate
    private let schema: Schema
    /// The rows of open sessions, where they are wanted instead of aggregates.
    private let rows: RowAccumulators?
    let gap: Int64
    private let lag: Int64
    private let emitter: ResultEmitter
    private var minimum = EventTime.never
    var table: GroupTable
    var sessions: SessionStore
    var residency = Residency()
    /// Where evicted keys are.
    var stored: StoredState?
    /// By key group, the end of the first session to end of those that are only in the store, or
    /// earlier.
    var earliestEvicted = Array(repeating: EventTime.end, count: KeyGroups.count)
    /// Whether sessions that end soon stay in memory.
    var keepsDue = true

    init(_ plan: WindowAggregate, gap: Int64, node: PlanNode, settings: Settings) {
        operatorID = node.operatorID
        self.plan = plan
        schema = node.schema
        rows = nil
        self.gap = gap
        lag = plan.window.lag
        emitter = ResultEmitter(batchRows: settings.batchRows)
        table = GroupTable(Array(node.schema.types.prefix(plan.keys.count)))
        let accumulators = AccumulatorSet(
            plan.aggregates,
            AccumulatorSettings(inputIsUpdating: false, collectLimit: settings.collectLimit))
        sessions = SessionStore(gap: gap, accumulators: accumulators)
        old = RowBuilders(node.schema.types)
    }

    init(_ plan: SessionRows, gap: Int64, node: PlanNode, settings: Settings) {
        operatorID = node.operatorID
        self.plan = WindowAggregate(
            window: plan.window, keys: plan.keys, aggregates: [], emitsChanges: false,
            lateOutput: nil)
        schema = node.schema
        let inputTypes = Array(node.schema.types.dropLast(2))
        let rows = RowAccumulators(inputTypes, timeColumn: plan.window.timeColumn)
        self.rows = rows
        self.gap = gap
        lag = plan.window.lag
        emitter = ResultEmitter(batchRows: settings.batchRows)
        table = GroupTable(plan.keys.map { inputTypes[$0] })
        sessions = SessionStore(gap: gap, accumulators: AccumulatorSet(rows))
        old = RowBuilders(node.schema.types)
    }

    /// Emitted rows of sessions that have changed since (early results).
    private let old: RowBuilders

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        require(batch.changes == nil, "a session over an updating stream")
        output.counters.rowsIn += Int64(batch.rowCount)
        let rows = admitted(batch, into: &output)
        guard !rows.isEmpty,
            case .int64(let times) = batch.columns[plan.window.timeColumn].values
        else { return }
        let keys = plan.keys.map { batch.columns[$0] }
        let groups = table.groups(
            keys, rowCount: batch.rowCount,
            hashes: KeyHash.hashes(keys, rowCount: batch.rowCount), rows: rows)
        grow()
        residency.mark(groups)
        do { try load(table.fresh) } catch { return output.fail(error) }
        let slots = sessions.place(groups, rows.map { times[Int($0)] })
        if plan.emitsChanges { keepShown(sessions.changedShown()) }
        for slot in sessions.fold(batch, slots: slots, rows: rows) {
            remove(slot)
        }
    }

    func grow() {
        sessions.growKeys(to: table.capacity)
        residency.grow(to: table.capacity)
    }

    private func remove(_ slot: Int32) {
        let (group, name) = stateKey(slot)
        if sessions.remove(slot, group: group, name: name) { residency.noteGone(name) }
    }

    /// The M of the checkpoint that is gone on from.
    func begin(at minimum: Int64) { self.minimum = minimum }

    /// Sessions that end before this are over.
    var bound: Int64 { EventTime.lagging(minimum, by: lag) }

    /// The rows that are not late; ts < B is (dialect.md §1.2).
    private func admitted(_ batch: Batch, into output: inout OperatorOutput) -> [Int32] {
        let column = batch.columns[plan.window.timeColumn]
        guard case .int64(let times) = column.values else { return [] }
        let bounds = Bounds(batch, minimum: minimum, of: plan.window)
        var rows: [Int32] = []
        rows.reserveCapacity(times.count)
        var late = LateCollector()
        var broken: [RowError] = []
        for row in times.indices {
            let time = times[row]
            let bound = bounds.bound(row)
            if let validity = column.validity, !validity[row] {
                broken.append(brokenTime(row, isNull: true))
            } else if time > WindowShape.farthest || time < -WindowShape.farthest {
                broken.append(brokenTime(row, isNull: false))
            } else if time < bound {
                let isLate = time < bounds.ownBound(row)
                late.note(row, isLate ? .late : .idleLate, bound: bound, reach: time)
            } else {
                rows.append(Int32(row))
            }
        }
        late.report(batch, into: &output)
        if !broken.isEmpty { output.dead(broken, of: batch) }
        return rows
    }

    func advance(to minimum: Int64, into output: inout OperatorOutput) {
        self.minimum = max(self.minimum, minimum)
        do { output.hasMore = try loadDue(bound) } catch { return output.fail(error) }
        let due = sessions.takeDue(bound: bound)
        guard !due.isEmpty else { return }
        if plan.emitsChanges { flush(into: &output) }
        if let rows {
            for slot in due { emit(rows.rows(of: slot), of: slot, into: &output) }
        } else if plan.emitsClosed {
            emitter.chunks(due) { slots in
                var errors = RowErrors()
                let columns = columns(slots, &errors)
                emitter.emit(columns, rowCount: slots.count, errors: errors, into: &output)
            }
        }
        for slot in due {
            if rows == nil { output.counters.merged += sessions.rowCounts[Int(slot)] }
            let key = sessions.keys[Int(slot)]
            remove(slot)
            if sessions.isEmpty(key) {
                _ = residency.noteRemoved(key)
                table.remove(key)
            }
        }
    }

    /// Emits the rows of a closing session with its bounds.
    private func emit(_ rows: [Column], of slot: Int32, into output: inout OperatorOutput) {
        let count = rows.first?.count ?? 0
        let start = sessions.starts[Int(slot)]
        let end = sessions.lasts[Int(slot)] + gap
        var columns = rows
        for bound in [start, end] {
            columns.append(
                Column(
                    schema.types[columns.count], .int64(Array(repeating: bound, count: count))))
        }
        emitter.emitRows(Batch(rowCount: count, columns: columns), into: &output)
    }

    /// Keys, bounds, aggregates of sessions as they are.
    func columns(_ slots: [Int32], _ errors: inout RowErrors) -> [Column] {
        bounded(
            slots, starts: slots.map { sessions.starts[Int($0)] },
            lasts: slots.map { sessions.lasts[Int($0)] }, &errors)
    }

    private func bounded(
        _ slots: [Int32], starts: [Int64], lasts: [Int64], _ errors: inout RowErrors
    ) -> [Column] {
        var columns = table.keyColumns(of: slots.map { sessions.keys[Int($0)] })
        columns.append(Column(schema.types[columns.count], .int64(starts)))
        columns.append(Column(schema.types[columns.count], .int64(lasts.map { $0 + gap })))
        return columns + sessions.accumulators.results(slots, errors: &errors)
    }

    var dirtyBytes: Int { sessions.dirtyBytes }

    var held: HeldState {
        HeldState(
            rows: sessions.rows, keys: Int64(table.count + residency.evictedCount),
            bytes: Int64(byteCount))
    }
}

// Early results.
extension SessionOperator {
    /// Keeps the emitted rows of sessions that are about to change; their accumulators are not yet.
    private func keepShown(_ slots: [Int32]) {
        guard !slots.isEmpty else { return }
        var errors = RowErrors()
        let columns = bounded(
            slots, starts: slots.map { sessions.shownStarts[Int($0)] },
            lasts: slots.map { sessions.shownLasts[Int($0)] }, &errors)
        for row in slots.indices { old.append(columns, row: row) }
    }

    /// The old rows as −1, then the new ones as +1, in one batch: sessions that became one share
    /// them.
    func flush(into output: inout OperatorOutput) {
        guard plan.emitsChanges else { return }
        let slots = sessions.takeChanged()
        output.counters.failing -= sessions.takeFailingGone()
        let oldCount = old.rowCount
        let oldColumns = old.finish()
        var errors = RowErrors()
        let new = columns(slots, &errors)
        let valid = slots.indices.filter { errors.errors[$0] == nil }
        for (position, slot) in slots.enumerated() {
            let fails = errors.errors[position] != nil
            output.counters.failing += sessions.show(slot, fails: fails)
        }
        let picks = (0..<oldCount).map { Int32($0) } + valid.map { Int32(oldCount + $0) }
        guard !picks.isEmpty else { return }
        let columns = zip(oldColumns, new).map { Column.concatenated([$0, $1]).gather(picks) }
        let changes = [Int8](repeating: -1, count: oldCount) + valid.map { _ in 1 }
        output.counters.made += Int64(picks.count)
        output.emit(Batch(rowCount: picks.count, columns: columns, changes: changes))
    }
}

// State.
extension SessionOperator {
    private func stateKey(_ slot: Int32) -> (group: Int, name: [UInt8]) {
        let key = sessions.keys[Int(slot)]
        var name = table.keyBytes(of: key)
        name.appendOrdered(sessions.names[Int(slot)])
        return (KeyGroups.group(ofHash: table.hash(of: key)), name)
    }

    func snapshot() -> StateDelta {
        var delta = StateDelta(operatorID: operatorID)
        _ = residency.takeDirty()
        for (group, name) in sessions.takeRemoved() { delta.remove(group: group, prefix: name) }
        for slot in sessions.takeDirty() {
            let (group, name) = stateKey(slot)
            var value: [UInt8] = [RowCodec.version]
            value.appendWord(table.hash(of: sessions.keys[Int(slot)]))
            sessions.encode(slot, into: &value)
            residency.noteStored(sessions.keys[Int(slot)])
            delta.put(group: group, key: name, value: value)
        }
        for (call, column) in sessions.accumulators.columns.enumerated() {
            (column as? any ValueAccumulators)?.takeChanges { slot, bytes, count in
                let (group, name) = stateKey(slot)
                let key = name + [UInt8(call)] + bytes
                guard let count else { return delta.delete(group: group, key: key) }
                var value: [UInt8] = [RowCodec.version]
                value.appendSigned(count)
                delta.put(group: group, key: key, value: value)
            }
        }
        return delta
    }
}
