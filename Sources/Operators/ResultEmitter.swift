// From accumulators to rows: results in batches, results that fail, and pairs of old and new.

import Columns
import Contracts
import Environment
import Kernels
import State
import Types

/// Emits results of aggregates. Conservation: what is made here is out, or dead if it fails.
struct ResultEmitter {
    let batchRows: Int

    /// Emits rows, cut into batches; those with an error are dead.
    func emit(
        _ columns: [Column], rowCount: Int, errors: RowErrors, into output: inout OperatorOutput
    ) {
        output.counters.made += Int64(rowCount)
        let batch = Batch(rowCount: rowCount, columns: columns)
        guard errors.isEmpty else {
            output.dead(
                errors.errors.values.sorted { $0.row < $1.row }, of: batch, areResults: true)
            let kept = (0..<Int32(rowCount)).filter { errors.errors[Int($0)] == nil }
            return output.emit(batch.gather(kept))
        }
        output.emit(batch)
    }

    /// Emits rows that were held, cut into batches.
    func emitRows(_ rows: Batch, into output: inout OperatorOutput) {
        if rows.rowCount <= batchRows { return output.emit(rows) }
        chunks((0..<Int32(rows.rowCount)).map { $0 }) { output.emit(rows.gather($0)) }
    }

    /// Calls `body` with runs of at most `batchRows` groups.
    func chunks(_ groups: [Int32], _ body: ([Int32]) -> Void) {
        var start = 0
        while start < groups.count {
            let end = min(start + batchRows, groups.count)
            body(Array(groups[start..<end]))
            start = end
        }
    }
}

/// What was last emitted of the groups that change in an epoch, and the −1/+1 pairs that tell the
/// difference at its end. A group is read once when it is touched first and once at the flush,
/// however many rows come between; what did not change in the end is not emitted.
struct ChangeLog {
    private let types: [LogicalType]
    private var isTouched: [Bool] = []
    private var touched: [Int32] = []
    /// Row of `old` with what was emitted of the touched group, or −1.
    private var oldRow: [Int32] = []
    private let old: RowBuilders
    private var oldCount: Int32 = 0
    /// Whether something of the group stands emitted; and whether its result fails now.
    private var isShown: [Bool] = []
    private var isFailing: [Bool] = []

    init(types: [LogicalType]) {
        self.types = types
        old = RowBuilders(types)
    }

    private mutating func grow(_ capacity: Int) {
        isTouched.grow(to: capacity, false)
        oldRow.grow(to: capacity, -1)
        isShown.grow(to: capacity, false)
        isFailing.grow(to: capacity, false)
    }

    /// Before rows are folded into `groups`: keeps what of them stands emitted. `results`: the rows
    /// of groups as they are now.
    mutating func touch(
        _ groups: [Int32], capacity: Int, results: ([Int32]) -> [Column]
    ) {
        grow(capacity)
        var shown: [Int32] = []
        for group in groups where !isTouched[Int(group)] {
            isTouched[Int(group)] = true
            touched.append(group)
            if isShown[Int(group)] { shown.append(group) }
        }
        guard !shown.isEmpty else { return }
        let columns = results(shown)
        for (row, group) in shown.enumerated() {
            old.append(columns, row: row)
            oldRow[Int(group)] = oldCount
            oldCount += 1
        }
    }

    /// After groups were read from the store: their results stand emitted.
    mutating func restore(_ groups: [Int32], capacity: Int, errors: RowErrors) {
        grow(capacity)
        for (position, group) in groups.enumerated() {
            isShown[Int(group)] = errors.errors[position] == nil
            isFailing[Int(group)] = errors.errors[position] != nil
        }
    }

    /// Groups whose numbers were given out anew: nothing of them stands emitted.
    mutating func forget(_ groups: [Int32]) {
        for group in groups where Int(group) < isShown.count {
            isShown[Int(group)] = false
            isFailing[Int(group)] = false
        }
    }

    /// No group is left: gives the arrays back.
    mutating func release() {
        guard touched.isEmpty else { return }
        isTouched = []
        oldRow = []
        isShown = []
        isFailing = []
    }

    /// What the next flush will emit, about: a pair a group.
    var byteCount: Int { touched.count * types.count * ChangeLog.bytesPerPair }

    private static let bytesPerPair = 24

    /// Groups touched since the last flush, in that order.
    var pending: [Int32] { touched }

    /// Emits the pairs and begins anew. `visible`: of the touched groups those that have a row.
    mutating func flush(
        visible: (Int32) -> Bool, results: ([Int32], inout RowErrors) -> [Column],
        batchRows: Int, into output: inout OperatorOutput
    ) {
        guard !touched.isEmpty else { return }
        let oldColumns = old.finish()
        oldCount = 0
        var start = 0
        while start < touched.count {
            let end = min(start + max(1, batchRows / 2), touched.count)
            let groups = Array(touched[start..<end])
            emit(groups, groups.filter(visible), results, oldColumns, into: &output)
            start = end
        }
        for group in touched {
            isTouched[Int(group)] = false
            oldRow[Int(group)] = -1
        }
        touched = []
    }

    private mutating func emit(
        _ groups: [Int32], _ visible: [Int32],
        _ results: ([Int32], inout RowErrors) -> [Column], _ oldColumns: [Column],
        into output: inout OperatorOutput
    ) {
        var errors = RowErrors()
        let new = results(visible, &errors)
        let codec = RowCodec(types, form: .exact)
        let newBytes = codec.encode(new, rowCount: visible.count)
        let oldRows = groups.map { oldRow[Int($0)] }.filter { $0 >= 0 }
        let chunkOld = oldColumns.map { $0.gather(oldRows) }
        let oldBytes = codec.encode(chunkOld, rowCount: oldRows.count)
        let takesBack = !Mutant.dropRetraction.isActive
        var picks: [Int32] = []
        var changes: [Int8] = []
        var nextNew = 0
        var nextOld = 0
        for group in groups {
            let hasNew = nextNew < visible.count && visible[nextNew] == group
            let fails = hasNew && errors.errors[nextNew] != nil
            let hasOld = oldRow[Int(group)] >= 0
            if hasNew, !fails, hasOld, newBytes[nextNew] == oldBytes[nextOld] {
                // The same as before: nothing to tell.
            } else {
                if hasOld, takesBack {
                    picks.append(Int32(nextOld))
                    changes.append(-1)
                }
                if hasNew, !fails {
                    picks.append(Int32(oldRows.count + nextNew))
                    changes.append(1)
                }
            }
            output.counters.failing += (fails ? 1 : 0) - (isFailing[Int(group)] ? 1 : 0)
            isFailing[Int(group)] = fails
            isShown[Int(group)] = hasNew && !fails
            if hasNew { nextNew += 1 }
            if hasOld { nextOld += 1 }
        }
        let columns = zip(chunkOld, new).map { Column.concatenated([$0, $1]).gather(picks) }
        output.counters.made += Int64(picks.count)
        output.emit(Batch(rowCount: picks.count, columns: columns, changes: changes))
    }
}
