// One value, for constants, options and tests; columns hold the data path's values.

/// A value of a known `LogicalType`, laid out as its `PhysicalType` says.
public indirect enum Scalar: Sendable, Hashable {
    case null
    case bool(Bool)
    case int64(Int64)
    case float64(Double)
    case int128(Int128)
    case bytes([UInt8])
    case interval(IntervalValue)
    case list([Scalar])
    case row([Scalar])

    public static func text(_ string: String) -> Scalar { .bytes(Array(string.utf8)) }
    public var isNull: Bool { self == .null }
}
