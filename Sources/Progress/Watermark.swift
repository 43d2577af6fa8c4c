// Watermarks as values (dialect.md §1).

/// Event time in µs since 1970-01-01 UTC, with −∞ before the first row and +∞ after the last.
public enum EventTime {
    public static let never = Int64.min
    public static let end = Int64.max
}

/// What a partition, a worker or an operator announces to those that read it.
public enum Watermark: Sendable, Hashable {
    /// Every row still to come has time ≥ this, but for late ones.
    case at(Int64)
    /// Steps out of the minimum (rule 4).
    case idle
}

/// The minimum over what an operator's inputs announce; never falls (rules 3, 4).
public struct MinimumWatermark: Sendable {
    public private(set) var minimum: Int64
    private var announced: [Watermark]

    /// `restored`: the M of the checkpoint.
    public init(producers: Int, restored: Int64 = EventTime.never) {
        minimum = restored
        announced = Array(repeating: .at(EventTime.never), count: producers)
    }

    /// Whether all producers are idle or there are none.
    public var isIdle: Bool { announced.allSatisfy { $0 == .idle } }

    /// Notes what a producer announces. Returns whether the minimum rose.
    public mutating func note(_ watermark: Watermark, from producer: Int) -> Bool {
        announced[producer] = watermark
        var least: Int64?
        for case .at(let time) in announced { least = Swift.min(least ?? time, time) }
        guard let least, least > minimum else { return false }
        minimum = least
        return true
    }
}
