// A partition's watermark: a function of the partition's own order, row by row (dialect.md §1.1).

/// Highest event time seen − delay, and which rows came behind it.
public struct PartitionWatermark: Sendable {
    /// µs; `EventTime.never` before the first row. This is what a checkpoint stores, so that
    /// another
    /// `watermark_delay` applies after a restart.
    public private(set) var highestTime: Int64
    /// µs.
    public let delay: Int64

    public init(highestTime: Int64 = EventTime.never, delay: Int64) {
        self.highestTime = highestTime
        self.delay = delay
    }

    /// W now.
    public var watermark: Int64 { PartitionWatermark.less(highestTime, delay) }

    /// Takes rows in order. Returns each row's W just before it if some row is behind its own, else
    /// nil: then no row can be late by W (its windows end after its time).
    public mutating func advance(over times: [Int64]) -> [Int64]? {
        var highest = highestTime
        let delay = delay
        var isBehind = false
        for time in times {
            isBehind = isBehind || time < PartitionWatermark.less(highest, delay)
            highest = max(highest, time)
        }
        defer { highestTime = highest }
        return isBehind ? watermarks(before: times) : nil
    }

    private func watermarks(before times: [Int64]) -> [Int64] {
        var highest = highestTime
        return times.map { time in
            defer { highest = max(highest, time) }
            return PartitionWatermark.less(highest, delay)
        }
    }

    /// time − delay; −∞ stays, and nothing wraps.
    private static func less(_ time: Int64, _ delay: Int64) -> Int64 {
        if time == EventTime.never { return time }
        let (result, overflow) = time.subtractingReportingOverflow(delay)
        return overflow ? EventTime.never + 1 : result
    }
}
