// A bad row is a value, never an exception: the reasons a row can break a contract or an
// expression.

/// Why a row was refused. The raw values are the words of the `millrace.reason` header
/// (dialect.md §5.3) and never change.
public enum DataErrorReason: String, Sendable, CaseIterable {
    case malformed
    case wrongType = "wrong_type"
    case outOfRange = "out_of_range"
    case notNull = "not_null"
    case check
    case noKey = "no_key"
    case keyMismatch = "key_mismatch"
    /// The record left a value out, and no row of its key is known that has it.
    case valueMissing = "value_missing"
    case emptyValue = "empty_value"
    case tooFarAhead = "too_far_ahead"
    case divisionByZero = "division_by_zero"
    case overflow
    case invalidCast = "invalid_cast"
    case invalidArgument = "invalid_argument"
    case limit
    case tooLarge = "too_large"
}

/// One refused row of a batch.
public struct RowError: Sendable, Hashable {
    /// Row of the batch in which it was found, from 0.
    public var row: Int
    public let reason: DataErrorReason
    /// The constraint's or column's name, if one is to blame.
    public let constraint: String?
    /// A sentence for people.
    public let detail: String
    /// The place of the failing expression or constraint in the topology.
    public let place: SourcePlace?

    public init(
        row: Int, reason: DataErrorReason, constraint: String? = nil, detail: String,
        place: SourcePlace? = nil
    ) {
        self.row = row
        self.reason = reason
        self.constraint = constraint
        self.detail = detail
        self.place = place
    }
}
