// Aggregates per key and window: tumble, hop, cumulate, and rows grouped again by a window's bound.
//
// Rows are folded into panes (WindowShape), each with its own table of keys, under the accumulator
// key (pane, first admitted window). When M − lag reaches the end of a window, the panes in it are
// merged into its rows; a pane goes with the last of its windows. With early results each window
// has its own accumulators instead (a row is folded once per window), so that a change costs no
// merge.
//
// Conservation: in = late + filtered + dead + merged + Δheld: a row is held while its pane is,
// merged when the pane goes; results are made and out (dead if they fail when read). With early
// results the copies of a row for its second and further windows are made.
//
// Evicted keys of a pane (Residency) are read back when a row needs them, and when a window closes
// straight from the store: a key group at a time, so that a window may hold more keys than memory.
//
// State: 1 · pane · first window · key → KeyedAggregates' entries (both times ordered, big-endian).
// Where panes outlive windows (hop, cumulate): 2 → M − lag up to which windows of the key group are
// closed. After a restart at a higher M each part so closes exactly what it has not closed.

import Columns
import Contracts
import Environment
import Kernels
import Planning
import Progress
import State
import Types

final class WindowAggregateOperator: Operator {
    private let operatorID: UInt64
    private let plan: WindowAggregate
    private let schema: Schema
    private let shape: WindowShape?
    private let lag: Int64
    private let settings: AccumulatorSettings
    let emitter: ResultEmitter
    private let keyTypes: [LogicalType]

    private var minimum = EventTime.never
    private var panes: [PaneKey: Pane] = [:]
    /// The earliest end not yet closed; +∞ if nothing is open.
    private var nextDue = EventTime.end
    private var removedPrefixes: [(groups: KeyGroupSet, prefix: [UInt8])] = []
    /// Windows up to here are closed, in a key group whose stored part had closed further than
    /// others.
    private(set) var closedThrough: [Int64] = []
    private var storedClosed = EventTime.never
    /// Where evicted keys are.
    private(set) var stored: StoredState?
    /// A window that is being closed from the store.
    private var closing: ClosingWindow?

    /// Accumulators of one (pane, first window).
    final class Pane {
        let key: PaneKey
        let lastEnd: Int64
        /// The first of its windows not yet closed.
        var nextEnd: Int64
        let keyed: KeyedAggregates
        var log: ChangeLog

        init(_ key: PaneKey, lastEnd: Int64, keyed: KeyedAggregates, types: [LogicalType]) {
            self.key = key
            self.lastEnd = lastEnd
            nextEnd = key.firstEnd
            self.keyed = keyed
            log = ChangeLog(types: types)
        }
    }

    init(_ plan: WindowAggregate, node: PlanNode, settings: Settings) {
        operatorID = node.operatorID
        self.plan = plan
        schema = node.schema
        shape = WindowShape(plan.window.kind)
        lag = plan.window.lag
        self.settings = AccumulatorSettings(
            inputIsUpdating: false, collectLimit: settings.collectLimit)
        emitter = ResultEmitter(batchRows: settings.batchRows)
        keyTypes = Array(node.schema.types.prefix(plan.keys.count))
    }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        require(batch.changes == nil, "a window over an updating stream")
        output.counters.rowsIn += Int64(batch.rowCount)
        let sorted = admitted(batch, into: &output)
        guard !sorted.isEmpty else { return }
        do { try fold(batch, sorted) } catch { output.fail(error) }
    }

    private func fold(_ batch: Batch, _ sorted: [PaneRows]) throws {
        let keys = plan.keys.map { batch.columns[$0] }
        let hashes = KeyHash.hashes(keys, rowCount: batch.rowCount)
        for part in sorted {
            let pane = pane(part.key, lastEnd: part.lastEnd)
            let (groups, loaded) = try pane.keyed.groups(
                keys, rowCount: batch.rowCount, hashes: hashes, rows: part.rows, from: stored)
            if plan.emitsChanges {
                pane.log.forget(pane.keyed.table.fresh)
                noteEmitted(loaded, of: pane)
                pane.log.touch(groups, capacity: pane.keyed.table.capacity) { groups in
                    var errors = RowErrors()
                    return columns(pane.keyed, groups, end: pane.key.firstEnd, &errors)
                }
            }
            pane.keyed.fold(batch, groups: groups, rows: part.rows)
            nextDue = min(nextDue, pane.nextEnd)
        }
    }

    private func admitted(_ batch: Batch, into output: inout OperatorOutput) -> [PaneRows] {
        guard let shape else {
            return ExistingAdmission(window: plan.window)
                .admit(batch, minimum: minimum, into: &output)
        }
        return WindowAdmission(
            shape: shape, window: plan.window, splitsWindows: plan.emitsChanges
        ).admit(batch, minimum: minimum, into: &output)
    }

    private func pane(_ key: PaneKey, lastEnd: Int64) -> Pane {
        if let pane = panes[key] { return pane }
        var prefix: [UInt8] = [entryKind]
        prefix.appendOrdered(key.pane)
        prefix.appendOrdered(key.firstEnd)
        let pane = Pane(key, lastEnd: lastEnd, keyed: keyedAggregates(prefix), types: schema.types)
        panes[key] = pane
        return pane
    }

    func keyedAggregates(_ prefix: [UInt8]) -> KeyedAggregates {
        KeyedAggregates(
            prefix: prefix, keyTypes: keyTypes, calls: plan.aggregates, settings: settings)
    }

    func advance(to minimum: Int64, into output: inout OperatorOutput) {
        self.minimum = max(self.minimum, minimum)
        let bound = EventTime.lagging(self.minimum, by: lag)
        do {
            while closing != nil || (nextDue <= bound && !panes.isEmpty) {
                try close(into: &output)
                if output.hasMore { return }
            }
        } catch {
            return output.fail(error)
        }
        closedThrough = []
    }

    func flush(into output: inout OperatorOutput) {
        guard plan.emitsChanges else { return }
        for pane in panes.values.sorted(by: { $0.lastEnd < $1.lastEnd }) {
            flushChanges(pane, into: &output)
        }
    }

    private func flushChanges(_ pane: Pane, into output: inout OperatorOutput) {
        pane.log.flush(
            visible: { _ in true },
            results: { columns(pane.keyed, $0, end: pane.key.firstEnd, &$1) },
            batchRows: emitter.batchRows, into: &output)
    }

    var dirtyBytes: Int {
        panes.values.reduce(0) { $0 + $1.keyed.dirtyBytes + $1.log.byteCount }
    }

    var held: HeldState {
        var held = HeldState()
        for pane in panes.values {
            held.rows += pane.keyed.rows
            held.keys += Int64(pane.keyed.keyCount)
            held.bytes += Int64(pane.keyed.byteCount)
        }
        return held
    }
}

/// First bytes of the operator's state keys.
private let entryKind: UInt8 = 1
private let closedKind: UInt8 = 2

// Closing windows.
extension WindowAggregateOperator {
    /// Emits rows of the windows that end next, and drops the panes that end with them when all are
    /// emitted.
    private func close(into output: inout OperatorOutput) throws {
        let end = closing?.end ?? nextDue
        let due = closing?.due ?? panes.values.filter { $0.nextEnd == end }
            .sorted { ($0.key.pane, $0.key.firstEnd) < ($1.key.pane, $1.key.firstEnd) }
        if plan.emitsChanges { for pane in due { flushChanges(pane, into: &output) } }
        if plan.emitsClosed {
            if due.contains(where: { $0.keyed.residency.evictedCount > 0 }) {
                var closing = self.closing ?? ClosingWindow(end: end, due: due)
                try closing.emit(of: self, into: &output)
                self.closing = closing.isDone ? nil : closing
                output.hasMore = !closing.isDone
                if output.hasMore { return }
            } else {
                emit(due, end: end, into: &output)
            }
        }
        for pane in due {
            pane.nextEnd = end + (shape?.spacing ?? 1)
            if pane.nextEnd > pane.lastEnd { drop(pane, into: &output) }
        }
        nextDue = panes.values.reduce(EventTime.end) { min($0, $1.nextEnd) }
    }

    private func drop(_ pane: Pane, into output: inout OperatorOutput) {
        output.counters.merged += pane.keyed.rows
        removedPrefixes.append((pane.keyed.storedGroups, pane.keyed.prefix))
        panes[pane.key] = nil
    }

    /// The window's rows: of one pane as they are, of several merged by key.
    private func emit(_ due: [Pane], end: Int64, into output: inout OperatorOutput) {
        var whole: KeyedAggregates?
        var groups: [Int32] = []
        if due.count == 1 {
            whole = due[0].keyed
            groups = open(due[0].keyed, end: end)
        } else {
            let merged = keyedAggregates([])
            for pane in due { merged.merge(pane.keyed, groups: open(pane.keyed, end: end)) }
            whole = merged
            groups = merged.table.liveGroups
        }
        if let whole { emit(whole, groups, end: end, into: &output) }
    }

    func emit(
        _ whole: KeyedAggregates, _ groups: [Int32], end: Int64,
        into output: inout OperatorOutput
    ) {
        emitter.chunks(groups) { groups in
            var errors = RowErrors()
            let columns = columns(whole, groups, end: end, &errors)
            emitter.emit(columns, rowCount: groups.count, errors: errors, into: &output)
        }
    }

    /// The groups of a pane whose part has not closed the window that ends at `end` yet.
    func open(_ keyed: KeyedAggregates, end: Int64) -> [Int32] {
        let groups = keyed.table.liveGroups
        guard !closedThrough.isEmpty else { return groups }
        return groups.filter { closedThrough[keyed.keyGroup($0)] < end }
    }

    /// Keys, bounds, aggregates.
    private func columns(
        _ keyed: KeyedAggregates, _ groups: [Int32], end: Int64, _ errors: inout RowErrors
    ) -> [Column] {
        var columns = keyed.table.keyColumns(of: groups)
        if let shape {
            for bound in [shape.start(ofEnd: end), end] {
                let type = schema.types[columns.count]
                columns.append(
                    Column(type, .int64(Array(repeating: bound, count: groups.count))))
            }
        }
        return columns + keyed.accumulators.results(groups, errors: &errors)
    }
}

// State.
extension WindowAggregateOperator {
    private var panesOutliveWindows: Bool {
        guard let shape else { return false }
        return shape.size > shape.spacing && !plan.emitsChanges
    }

    func snapshot() -> StateDelta {
        var delta = StateDelta(operatorID: operatorID)
        for (groups, prefix) in removedPrefixes {
            for group in groups.groups { delta.remove(group: group, prefix: prefix) }
        }
        removedPrefixes = []
        for key in panes.keys.sorted(by: { ($0.pane, $0.firstEnd) < ($1.pane, $1.firstEnd) }) {
            panes[key]?.keyed.snapshot(into: &delta)
        }
        let closed = EventTime.lagging(minimum, by: lag)
        if panesOutliveWindows, closed > storedClosed {
            var groups = KeyGroupSet()
            for pane in panes.values { groups.formUnion(pane.keyed.storedGroups) }
            var value: [UInt8] = [RowCodec.version]
            value.appendSigned(closed)
            for group in groups.groups {
                delta.put(group: group, key: [closedKind], value: value)
            }
            storedClosed = closed
        }
        return delta
    }

    func restore(
        from reader: any StateReader, groups: Range<Int>, minimum: Int64, memoryLimit: Int
    ) throws {
        self.minimum = minimum
        stored = StoredState(reader: reader, operatorID: operatorID)
        closedThrough = Array(repeating: EventTime.never, count: KeyGroups.count)
        var room = RestoreRoom(limit: memoryLimit)
        for group in groups {
            var lastPane: PaneKey?
            var last = KeyedAggregates.Restored.none
            try reader.forEach(operatorID: operatorID, group: group) { key, value in
                var keyReader = ByteReader(key)
                guard try keyReader.byte() == entryKind else {
                    var stored = try stateValue(value)
                    closedThrough[group] = try stored.signed()
                    return
                }
                let paneKey = PaneKey(
                    pane: try keyReader.ordered(), firstEnd: try keyReader.ordered())
                if paneKey != lastPane { last = .none }
                lastPane = paneKey
                let pane = pane(paneKey, lastEnd: lastEnd(paneKey))
                last = try pane.keyed.restore(
                    suffix: keyReader.rest, value: value, last: last,
                    isFull: room.isFull { residentBytes })
            }
        }
        if !closedThrough.contains(where: { $0 > EventTime.never }) { closedThrough = [] }
        for pane in panes.values { resume(pane) }
        if Mutant.forgetTimers.isActive { return }
        nextDue = panes.values.reduce(EventTime.end) { min($0, $1.nextEnd) }
    }

    /// A pane's windows end here; with early results, or grouped by a bound, it has one.
    private func lastEnd(_ key: PaneKey) -> Int64 {
        guard let shape, !plan.emitsChanges else { return key.firstEnd }
        return shape.lastEnd(key.pane)
    }

    /// Finds a restored pane's next window, and what of it stands emitted.
    private func resume(_ pane: Pane) {
        if let shape, !closedThrough.isEmpty {
            let stored = pane.keyed.storedGroups.groups
            let closed = stored.reduce(EventTime.end) { min($0, closedThrough[$1]) }
            while pane.nextEnd <= min(closed, pane.lastEnd - 1) { pane.nextEnd += shape.spacing }
        }
        if plan.emitsChanges { noteEmitted(pane.keyed.table.liveGroups, of: pane) }
    }

    /// Results that were read from the store stand emitted.
    private func noteEmitted(_ groups: [Int32], of pane: Pane) {
        guard !groups.isEmpty else { return }
        var errors = RowErrors()
        _ = columns(pane.keyed, groups, end: pane.key.firstEnd, &errors)
        pane.log.restore(groups, capacity: pane.keyed.table.capacity, errors: errors)
    }

    var residentBytes: Int { panes.values.reduce(0) { $0 + $1.keyed.tableBytes } }

    func evict(to target: Int) {
        let ordered = panes.values.sorted {
            ($0.key.pane, $0.key.firstEnd) < ($1.key.pane, $1.key.firstEnd)
        }
        EvictionPass.run(ordered.map(\.keyed), to: target)
        for pane in ordered where pane.keyed.table.capacity == 0 { pane.log.release() }
    }
}
