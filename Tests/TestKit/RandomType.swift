// The column types of the dialect as values and keys: of each a few values, in SQL's order, written
// out by hand as a message has them and as sinks must show them.

/// A value as sinks show it: in a Delta table (`RowText`), and as JSON.
struct Cell: Sendable, Hashable {
    let stored: String
    let json: String

    init(_ stored: String, _ json: String) {
        self.stored = stored
        self.json = json
    }

    static let null = Cell(nullText, "null")

    init(_ number: Int64) { self.init(String(number), String(number)) }
    init(_ number: Int64?) { self = number.map { Cell($0) } ?? .null }

    /// A numeric by its unscaled value.
    init(unscaled value: Int128, scale: Int) {
        let digits = String(value.magnitude)
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        let sign = value < 0 ? "-" : ""
        let fraction = scale == 0 ? "" : "." + padded.suffix(scale)
        self.init(String(value), sign + padded.dropLast(scale) + fraction)
    }

    /// µs since 1970, within 2026.
    init(time: Int64) { self.init(String(time), "\"\(isoText(time))\"") }
}

/// How a NULL shows in a row's text.
let nullText = "∅"

/// Of a time in the first days of 2026: ISO 8601 in UTC, with as many digits as it needs.
func isoText(_ time: Int64) -> String {
    func padded(_ value: Int64, _ width: Int) -> String {
        String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
    }
    let since = time - Event.epoch
    let (seconds, micros) = (since / 1_000_000, since % 1_000_000)
    var fraction = micros == 0 ? "" : "." + padded(micros, 6)
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "2026-01-\(padded(1 + seconds / 86_400, 2))T\(padded(seconds / 3_600 % 24, 2)):"
        + "\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))\(fraction)Z"
}

/// A type that a column may have.
enum RandomType: String, Sendable, CaseIterable {
    case smallint, integer, bigint, real, double, numeric, boolean, text, bytea, date, time
    case timestamp, timestamptz, uuid, json, array, row

    var sql: String {
        switch self {
        case .double: "double precision"
        case .numeric: "numeric(12,3)"
        case .array: "bigint[]"
        case .row: "pair"
        default: rawValue
        }
    }

    /// Types that GROUP BY and DISTINCT know.
    static let keys = allCases.filter { ![.json, .array, .row].contains($0) }
    /// min and max know the order.
    var isOrdered: Bool { ![.json, .row, .boolean, .array].contains(self) }
    var isCountedDistinct: Bool { self != .json && self != .row && self != .array }

    /// In SQL's order.
    var values: [Value] {
        switch self {
        case .smallint: return Self.integers([-32_768, -3, 0, 7, 32_767])
        case .integer: return Self.integers([-70_000, -1, 0, 2_147_483_647])
        case .bigint: return Self.integers([-9_007_199_254_740_993, -1, 0, 3, .max])
        case .real: return Self.floats([-2.5, 0, 0.125, 3, 1_024])
        case .double: return Self.floats([-1_024.25, -0.5, 0, 2.75, 1e9])
        case .numeric:
            return [-12_500, 1, 7_000, 123_456_789_999].map { Value(unscaled: $0, scale: 3) }
        case .boolean:
            return [Value("false", Cell("false", "false")), Value("true", Cell("true", "true"))]
        case .text:
            return ["", "a", "a\\\"b", "zz", "é"].map { text in
                let stored = text.replacing("\\\"", with: "\"")
                return Value("\"\(text)\"", Cell(stored, "\"\(text)\""))
            }
        case .bytea:
            return [("", "[]"), ("AA==", "[0]"), ("AP8=", "[0, 255]"), ("YQ==", "[97]")].map {
                Value("\"\($0.0)\"", Cell($0.1, "\"\($0.0)\""))
            }
        case .date:
            return [("1969-12-31", -1), ("1970-01-01", 0), ("2026-02-28", 20_512)].map(Self.timed)
        case .time:
            return [("00:00:00", 0), ("12:00:00.5", 43_200_500_000), ("23:59:59", 86_399_000_000)]
                .map(Self.timed)
        case .timestamp:
            return [("1969-12-31T23:59:59", -1_000_000), ("2026-01-01T00:00:00", Event.epoch)]
                .map(Self.timed)
        case .timestamptz:
            return [("1969-12-31T23:59:59Z", -1_000_000), ("2026-01-01T00:00:00Z", Event.epoch)]
                .map(Self.timed)
        case .uuid:
            return [
                "00000000-0000-4000-8000-000000000001", "7fffffff-0000-4000-8000-000000000000",
                "ffffffff-ffff-4fff-bfff-ffffffffffff",
            ].map { Value("\"\($0)\"", Cell($0, "\"\($0)\"")) }
        case .json:
            return ["{\"a\": [1, 2]}", "[]", "17", "\"t\""].map { Value($0, Cell($0, $0)) }
        case .array: return Self.arrays
        case .row: return Self.rows
        }
    }

    struct Value: Sendable {
        /// In a message.
        let input: String
        let cell: Cell
        /// Exact, times 10^`scale`; only of numbers that sum() adds exactly.
        var unscaled: Int128?
        var float: Double?

        init(_ input: String, _ cell: Cell) {
            self.input = input
            self.cell = cell
        }

        init(unscaled: Int128, scale: Int) {
            cell = Cell(unscaled: unscaled, scale: scale)
            input = cell.json
            self.unscaled = unscaled
        }
    }

    private static func integers(_ values: [Int64]) -> [Value] {
        values.map { Value(unscaled: Int128($0), scale: 0) }
    }

    private static func floats(_ values: [Double]) -> [Value] {
        values.map { number in
            var value = Value(floatText(number), Cell("\(number)", floatText(number)))
            value.float = number
            return value
        }
    }

    /// As PostgreSQL shows it, of numbers without an exponent.
    static func floatText(_ number: Double) -> String {
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func timed(_ text: String, _ number: Int64) -> Value {
        Value("\"\(text)\"", Cell(String(number), "\"\(text)\""))
    }

    private static var arrays: [Value] {
        [("[]", "[]"), ("[1,2]", "[1, 2]"), ("[3,null]", "[3, \(nullText)]")].map {
            Value($0.0, Cell($0.1, $0.0))
        }
    }

    private static var rows: [Value] {
        [
            ("{\"a\":1,\"b\":\"x\"}", "(1, x)"), ("{\"a\":null,\"b\":\"y\"}", "(\(nullText), y)"),
        ].map { Value($0.0, Cell($0.1, $0.0)) }
    }
}
