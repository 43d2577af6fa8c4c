// The types of dialect.md §3, as PostgreSQL names them.

/// A SQL type. How its values lie in a column is `PhysicalType`.
public indirect enum LogicalType: Sendable, Hashable {
    case boolean
    case smallint, integer, bigint
    case real, double
    /// Exact, p ≤ 38 digits of which s stand behind the point.
    case numeric(precision: Int, scale: Int)
    case text, bytea
    case date, time, timestamp, timestamptz, interval
    case uuid, json
    case array(LogicalType)
    case row(RowType)
    /// The type of a bare NULL, before something gives it one.
    case unknown

    public static let maximumPrecision = 38
}

/// A composite type: `CREATE TYPE name AS (…)`, or one without a name.
public struct RowType: Sendable, Hashable {
    public let name: String?
    public let fields: [Field]

    public init(name: String?, fields: [Field]) {
        self.name = name
        self.fields = fields
    }

    /// The position of the field called `name`.
    public func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }
}

/// A named column or row field.
public struct Field: Sendable, Hashable {
    public let name: String
    public let type: LogicalType
    /// Whether NULL can occur.
    public let isNullable: Bool

    public init(_ name: String, _ type: LogicalType, isNullable: Bool = true) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
    }
}

/// The columns of a relation, in order. Names may repeat inside a plan, never in an output.
public struct Schema: Sendable, Hashable {
    public let fields: [Field]

    public init(_ fields: [Field]) { self.fields = fields }

    public var count: Int { fields.count }
    public var types: [LogicalType] { fields.map(\.type) }
    public subscript(index: Int) -> Field { fields[index] }

    /// The position of the first column called `name`.
    public func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }
}

/// How values of a type lie in memory. Narrow integers widen to 64 bits, real to double (always
/// rounded to a float's value): fewer kernels; files and wires use the declared width.
public enum PhysicalType: Sendable, Hashable {
    /// One byte a row.
    case bool
    /// smallint, integer, bigint; date: days since 1970-01-01; time: µs since midnight;
    /// timestamp and timestamptz: µs since 1970-01-01 00:00 (UTC), with
    /// `Int64.max` = infinity and `Int64.min` = −infinity.
    case int64
    /// real, double precision.
    case float64
    /// numeric: the unscaled value; uuid: its 16 bytes big-endian with the first bit flipped, so
    /// that signed comparison is byte order.
    case int128
    /// text, json (UTF-8), bytea.
    case bytes
    case interval
    case list
    case row
    /// A column of NULLs without a type.
    case null
}

extension LogicalType {
    public var physical: PhysicalType {
        switch self {
        case .boolean: .bool
        case .smallint, .integer, .bigint, .date, .time, .timestamp, .timestamptz: .int64
        case .real, .double: .float64
        case .numeric, .uuid: .int128
        case .text, .bytea, .json: .bytes
        case .interval: .interval
        case .array: .list
        case .row: .row
        case .unknown: .null
        }
    }

    public var isInteger: Bool {
        switch self {
        case .smallint, .integer, .bigint: true
        default: false
        }
    }

    public var isNumeric: Bool {
        if case .numeric = self { return true }
        return false
    }

    public var isFloat: Bool { self == .real || self == .double }
    public var isNumber: Bool { isInteger || isNumeric || isFloat }
}

extension LogicalType: CustomStringConvertible {
    /// As PostgreSQL writes it, and as it can be typed: `numeric(10,2)`, `bigint[]`.
    public var description: String {
        switch self {
        case .boolean: "boolean"
        case .smallint: "smallint"
        case .integer: "integer"
        case .bigint: "bigint"
        case .real: "real"
        case .double: "double precision"
        case .numeric(let precision, let scale): "numeric(\(precision),\(scale))"
        case .text: "text"
        case .bytea: "bytea"
        case .date: "date"
        case .time: "time"
        case .timestamp: "timestamp"
        case .timestamptz: "timestamptz"
        case .interval: "interval"
        case .uuid: "uuid"
        case .json: "json"
        case .array(let element): "\(element)[]"
        case .row(let row):
            row.name
                ?? "row(\(row.fields.map { "\($0.name) \($0.type)" }.joined(separator: ", ")))"
        case .unknown: "unknown"
        }
    }
}
