// From the rows of a batch to the windows and panes that take them.

import Columns
import Contracts
import Planning
import Progress

/// A row's accumulator: its pane and the first window that still admits it (dialect.md §1.2).
struct PaneKey: Hashable {
    /// Start of the pane; where each window has accumulators of its own, its end.
    let pane: Int64
    let firstEnd: Int64
}

/// The rows of a batch that go to one pane.
struct PaneRows {
    let key: PaneKey
    let lastEnd: Int64
    var rows: [Int32]
}

/// Sorts a batch's rows to their panes. Late rows are reported; rows in no window are filtered;
/// rows whose time is NULL or beyond all windows are dead.
struct WindowAdmission {
    let shape: WindowShape
    let window: Window
    /// Each window apart (early results), not each pane.
    let splitsWindows: Bool

    func admit(
        _ batch: Batch, minimum: Int64, into output: inout OperatorOutput
    ) -> [PaneRows] {
        let column = batch.columns[window.timeColumn]
        guard case .int64(let times) = column.values else { return [] }
        let bounds = Bounds(batch, minimum: minimum, of: window)
        var sorted = PaneSorter()
        var late = LateCollector()
        var broken: [RowError] = []
        // The pane of the row before: most rows fall into it and need no division.
        var paneStart: Int64 = 0
        var paneEnd: Int64 = 0
        var lastEnd: Int64 = 0
        var naturalEnd: Int64 = 0
        for row in times.indices {
            let time = times[row]
            if time < paneStart || time >= paneEnd {
                if shape.isTooFar(time) || !column.isValid(row) {
                    broken.append(brokenTime(row, isNull: !column.isValid(row)))
                    continue
                }
                paneStart = shape.pane(time)
                paneEnd = paneStart + shape.paneWidth
                lastEnd = shape.lastEnd(time)
                naturalEnd = lastEnd > time ? shape.firstEnd(after: time, lastEnd: lastEnd) : 0
            } else if let validity = column.validity, !validity[row] {
                broken.append(brokenTime(row, isNull: true))
                continue
            }
            if lastEnd <= time {
                output.counters.filtered += 1
                continue
            }
            let bound = bounds.bound(row)
            var firstEnd = naturalEnd
            if bound >= naturalEnd {
                if bound >= lastEnd {
                    let isLate = bounds.ownBound(row) >= lastEnd
                    late.note(row, isLate ? .late : .idleLate, bound: bound, reach: lastEnd)
                    continue
                }
                late.note(row, .partLate, bound: bound, reach: lastEnd)
                firstEnd = shape.firstEnd(after: bound, lastEnd: lastEnd)
            }
            if splitsWindows {
                for end in stride(from: firstEnd, through: lastEnd, by: Int64.Stride(shape.spacing))
                {
                    sorted.add(row, PaneKey(pane: end, firstEnd: end), lastEnd: end)
                }
                output.counters.made += (lastEnd - firstEnd) / shape.spacing
            } else {
                sorted.add(row, PaneKey(pane: paneStart, firstEnd: firstEnd), lastEnd: lastEnd)
            }
        }
        late.report(batch, into: &output)
        if !broken.isEmpty { output.dead(broken, of: batch) }
        return sorted.panes
    }
}

/// Rows grouped again by the end of their window. A row is late when that end is < B: a session is
/// only closed when M has passed its end, so its row may come at M = end and still counts.
struct ExistingAdmission {
    let window: Window

    func admit(
        _ batch: Batch, minimum: Int64, into output: inout OperatorOutput
    ) -> [PaneRows] {
        let column = batch.columns[window.timeColumn]
        guard case .int64(let ends) = column.values else { return [] }
        let bounds = Bounds(batch, minimum: minimum, of: window)
        var sorted = PaneSorter()
        var late = LateCollector()
        var broken: [RowError] = []
        for row in ends.indices {
            guard column.isValid(row) else {
                broken.append(brokenTime(row, isNull: true))
                continue
            }
            let bound = bounds.bound(row)
            guard ends[row] >= bound else {
                let isLate = ends[row] < bounds.ownBound(row)
                late.note(row, isLate ? .late : .idleLate, bound: bound, reach: ends[row])
                continue
            }
            let key = PaneKey(pane: ends[row], firstEnd: ends[row])
            sorted.add(row, key, lastEnd: ends[row])
        }
        late.report(batch, into: &output)
        if !broken.isEmpty { output.dead(broken, of: batch) }
        return sorted.panes
    }
}

/// Lists of rows by pane; a batch has few panes, and neighbours mostly share one.
private struct PaneSorter {
    private(set) var panes: [PaneRows] = []
    private var positions: [PaneKey: Int] = [:]
    private var last = 0

    @inline(__always)
    mutating func add(_ row: Int, _ key: PaneKey, lastEnd: Int64) {
        if panes.isEmpty || panes[last].key != key { last = position(key, lastEnd) }
        panes[last].rows.append(Int32(row))
    }

    private mutating func position(_ key: PaneKey, _ lastEnd: Int64) -> Int {
        if let known = positions[key] { return known }
        positions[key] = panes.count
        panes.append(PaneRows(key: key, lastEnd: lastEnd, rows: []))
        return panes.count - 1
    }
}

func brokenTime(_ row: Int, isNull: Bool) -> RowError {
    RowError(
        row: row, reason: isNull ? .notNull : .outOfRange,
        detail: isNull ? "the time is NULL" : "the time lies beyond all windows")
}
