// Which rows are late, and the list of those refused (dialect.md §1.2).

import Columns
import Contracts
import Environment
import Planning
import Progress

/// Collects the late rows of one batch.
struct LateCollector {
    private var rows: [Int32] = []
    private var kinds: [LateRows.Kind] = []
    private var lateBy: [Int64] = []

    /// `bound`: B − lag; `reach`: the end of the row's last window, or its time.
    mutating func note(_ row: Int, _ kind: LateRows.Kind, bound: Int64, reach: Int64) {
        rows.append(Int32(row))
        kinds.append(kind)
        let (difference, overflow) = bound.subtractingReportingOverflow(reach)
        lateBy.append(overflow ? .max : difference)
    }

    /// Counts the rows and hands them over. A part_late row is still among the admitted.
    func report(_ batch: Batch, into output: inout OperatorOutput) {
        guard !rows.isEmpty else { return }
        for kind in kinds {
            switch kind {
            case .late: output.counters.late += 1
            case .idleLate: output.counters.idleLate += 1
            case .partLate: output.counters.partLate += 1
            }
        }
        output.late.append(LateRows(rows: batch.gather(rows), kinds: kinds, lateBy: lateBy))
    }
}

/// The bound of each row: B − lag = max(W, M) − lag.
struct Bounds {
    private let minimum: Int64
    private let watermarks: [Int64]?
    private let lag: Int64

    /// By the clock no row has a watermark of its own: those it carries are of event time.
    init(_ batch: Batch, minimum: Int64, of window: Window) {
        lag = window.lag
        self.minimum = EventTime.lagging(minimum, by: lag)
        let isByMinimum = window.isByClock || Mutant.lateByMinimum.isActive
        watermarks = isByMinimum ? nil : batch.watermarks
    }

    @inline(__always)
    func bound(_ row: Int) -> Int64 {
        if let watermarks { return max(minimum, EventTime.lagging(watermarks[row], by: lag)) }
        return minimum
    }

    /// W − lag alone; −∞ for a row without W, which stands behind no watermark of its own.
    func ownBound(_ row: Int) -> Int64 {
        if let watermarks { return EventTime.lagging(watermarks[row], by: lag) }
        return EventTime.never
    }
}
