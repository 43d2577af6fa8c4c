// PostgreSQL's interval: months, days and microseconds kept apart.

/// An interval. Equality and order are PostgreSQL's: a month counts as 30 days, a day as 24 hours,
/// so
/// `1 month = 30 days`; keys that are equal so hash alike.
public struct IntervalValue: Sendable, BitwiseCopyable {
    public var months: Int32
    public var days: Int32
    public var microseconds: Int64

    public init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
        self.months = months
        self.days = days
        self.microseconds = microseconds
    }

    public static let microsecondsPerDay: Int64 = 86_400_000_000

    /// The length in µs under the 30-day rule; never overflows.
    public var span: Int128 {
        (Int128(months) * 30 + Int128(days)) * Int128(Self.microsecondsPerDay)
            + Int128(microseconds)
    }
}

extension IntervalValue: Hashable, Comparable {
    public static func == (left: Self, right: Self) -> Bool { left.span == right.span }
    public static func < (left: Self, right: Self) -> Bool { left.span < right.span }
    public func hash(into hasher: inout Hasher) { hasher.combine(span) }
}
