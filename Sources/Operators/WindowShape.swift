// Which windows a time belongs to: tumble, hop and cumulate as one arithmetic (dialect.md §1.7,
// §1.8).
//
// The windows that hold a time t end at lastEnd(t), lastEnd(t) − spacing, … as long as the end is >
// t. Within one pane all times have the same windows, so rows are aggregated once per pane, and
// panes are merged when a window closes.

import Contracts
import Planning
import Progress

/// Windows with fixed bounds. Times in µs.
struct WindowShape {
    /// Distance of the ends of neighbouring windows.
    let spacing: Int64
    /// Distance of the starts.
    let period: Int64
    let size: Int64
    let origin: Int64
    /// Width of a pane.
    let paneWidth: Int64
    private let isCumulating: Bool

    /// Times beyond this, about 73,000 years from 1970 either way, are refused: their windows'
    /// bounds would not fit.
    static let farthest: Int64 = 1 << 61

    /// nil for windows without fixed bounds.
    init?(_ kind: Window.Kind) {
        switch kind {
        case .tumble(let size, let origin):
            self.init(
                spacing: size, period: size, size: size, origin: origin, paneWidth: size,
                isCumulating: false)
        case .hop(let slide, let size, let origin):
            self.init(
                spacing: slide, period: slide, size: size, origin: origin,
                paneWidth: greatestCommonDivisor(slide, size), isCumulating: false)
        case .cumulate(let step, let size, let origin):
            self.init(
                spacing: step, period: size, size: size, origin: origin, paneWidth: step,
                isCumulating: true)
        case .session, .existing: return nil
        }
    }

    private init(
        spacing: Int64, period: Int64, size: Int64, origin: Int64, paneWidth: Int64,
        isCumulating: Bool
    ) {
        require(spacing > 0 && size > 0, "window of size \(size), spacing \(spacing)")
        self.spacing = spacing
        self.period = period
        self.size = size
        self.origin = floorMultiple(origin, period) == origin ? 0 : origin
        self.paneWidth = paneWidth
        self.isCumulating = isCumulating
    }

    /// Whether a time lies so far away that its windows have no bounds.
    func isTooFar(_ time: Int64) -> Bool { time > Self.farthest || time < -Self.farthest }

    func pane(_ time: Int64) -> Int64 { floorMultiple(time - origin, paneWidth) + origin }

    /// The end of the last window that can hold a time; ≤ the time if it lies in a gap between
    /// hops.
    func lastEnd(_ time: Int64) -> Int64 { floorMultiple(time - origin, period) + origin + size }

    /// The first end, of those up to `lastEnd`, that is > `bound`, which is < `lastEnd`.
    func firstEnd(after bound: Int64, lastEnd: Int64) -> Int64 {
        // A bound far below (M = −∞) is as good as one a window away.
        let bound = max(bound, lastEnd - size)
        return lastEnd - (lastEnd - 1 - bound) / spacing * spacing
    }

    /// The start of the window with an end.
    func start(ofEnd end: Int64) -> Int64 {
        isCumulating ? floorMultiple(end - 1 - origin, size) + origin : end - size
    }
}

/// The greatest multiple of `step` that is ≤ `value`.
private func floorMultiple(_ value: Int64, _ step: Int64) -> Int64 {
    let remainder = value % step
    return value - (remainder < 0 ? remainder + step : remainder)
}

private func greatestCommonDivisor(_ left: Int64, _ right: Int64) -> Int64 {
    right == 0 ? left : greatestCommonDivisor(right, left % right)
}

extension EventTime {
    /// time − lag; −∞ and +∞ stay.
    static func lagging(_ time: Int64, by lag: Int64) -> Int64 {
        if time == never || time == end { return time }
        let (result, overflow) = time.subtractingReportingOverflow(lag)
        return overflow ? (lag > 0 ? never : end) : result
    }
}
