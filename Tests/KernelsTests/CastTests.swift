import Columns
import Contracts
import Kernels
import Testing
import Types

@Suite struct CastTests {
    @Test(
        arguments: [
            (" 42 ", .integer, "42"), ("-32768", .smallint, "-32768"), ("32768", .smallint, range),
            ("9223372036854775807", .bigint, "9223372036854775807"), ("1.0", .integer, invalid),
            ("9223372036854775808", .bigint, range), ("", .integer, invalid),
            ("+", .integer, invalid),
            ("-9223372036854775808", .bigint, "-9223372036854775808"), ("12a", .bigint, invalid),
            ("1.005", .numeric(precision: 5, scale: 2), "1.01"),
            ("-0.005", .numeric(precision: 5, scale: 2), "-0.01"),
            ("1e3", .numeric(precision: 6, scale: 1), "1000.0"),
            ("999.995", .numeric(precision: 5, scale: 2), range),
            (".5", .numeric(precision: 3, scale: 1), "0.5"),
            ("1e-400", .numeric(precision: 3, scale: 1), "0.0"),
            (
                "99999999999999999999999999999999999999", .numeric(precision: 38, scale: 0),
                "99999999999999999999999999999999999999"
            ),
            ("0.1", .double, "0.1"), ("1e15", .double, "1e+15"),
            ("123456789012345", .double, "123456789012345"),
            ("0.0001", .double, "0.0001"), ("0.00001", .double, "1e-05"), ("-0", .double, "-0"),
            ("1e400", .double, range), ("1e-400", .double, range), ("nan", .double, "NaN"),
            ("-Infinity", .double, "-Infinity"), ("0x10", .double, invalid),
            ("1e20", .double, "1e+20"),
            ("1000000", .real, "1e+06"), ("123456", .real, "123456"), ("0.1", .real, "0.1"),
            ("16777217", .real, "1.6777216e+07"), ("1e39", .real, range),
            ("2.2250738585072014e-308", .double, "2.2250738585072014e-308"),
            ("9007199254740993", .double, "9.007199254740992e+15"),
            ("t", .boolean, "true"), (" YES ", .boolean, "true"), ("of", .boolean, "false"),
            ("o", .boolean, invalid), ("0", .boolean, "false"), ("truex", .boolean, invalid),
            ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", .uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            ("{a0eebc999c0b4ef8bb6d6bb9bd380a11}", .uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            ("a0eebc99", .uuid, invalid), ("\\xDEadbe ef", .bytea, "\\xdeadbeef"),
            ("a\\\\b\\001", .bytea, "\\x615c6201"), ("\\xabc", .bytea, invalid),
            ("2026-02-28", .date, "2026-02-28"), ("2026-02-30", .date, invalid),
            ("12:34:56.789", .time, "12:34:56.789"), ("infinity", .timestamp, "infinity"),
            ("2026-01-02T03:04:05Z", .timestamptz, "2026-01-02 03:04:05+00"),
            ("1 day 02:03:04", .interval, "1 day 02:03:04"),
            ("{1,NULL, 3}", .array(.integer), "{1,NULL,3}"), ("{}", .array(.integer), "{}"),
            ("{\"a b\",c,\"NULL\",\"\\\"\"}", .array(.text), "{\"a b\",c,\"NULL\",\"\\\"\"}"),
            ("{1,x}", .array(.integer), invalid), ("{t,f}", .array(.boolean), "{t,f}"),
            ("{{1,2},{3}}", .array(.array(.integer)), "{{1,2},{3}}"),
            (
                "{\"a\": [1, 2.5e3, \"\\u00e9\", null]}", .json,
                "{\"a\": [1, 2.5e3, \"\\u00e9\", null]}"
            ),
            ("{\"a\": 01}", .json, invalid), ("[1,]", .json, invalid), ("[1}", .json, invalid),
            ("", .json, invalid), ("tru", .json, invalid), ("\"\\x\"", .json, invalid),
        ] as [(String, LogicalType, String)])
    func text(_ text: String, _ type: LogicalType, _ expected: String) {
        #expect(cast(text, type) == expected)
    }

    @Test(
        arguments: [
            ("2.5", .double, .integer, "2"), ("3.5", .double, .integer, "4"),
            ("2.5", .numeric(precision: 2, scale: 1), .integer, "3"),
            ("-2.5", .numeric(precision: 2, scale: 1), .integer, "-3"),
            ("9.3e18", .double, .bigint, range),
            ("-9223372036854775808", .double, .bigint, "-9223372036854775808"),
            ("9223372036854775808", .double, .bigint, range),
            ("32767.5", .double, .smallint, range),
            ("NaN", .double, .integer, range), ("70000", .integer, .smallint, range),
            ("0.1", .double, .numeric(precision: 20, scale: 18), "0.100000000000000000"),
            (
                "0.30000000000000004", .double, .numeric(precision: 20, scale: 18),
                "0.300000000000000000"
            ),
            (
                "123456789012345678", .double, .numeric(precision: 38, scale: 0),
                "123456789012346000"
            ),
            ("0.1", .real, .numeric(precision: 20, scale: 10), "0.1000000000"),
            ("1.2345678", .real, .numeric(precision: 20, scale: 10), "1.2345700000"),
            ("1e38", .double, .numeric(precision: 38, scale: 0), range),
            ("0.1", .real, .double, "0.10000000149011612"), ("1e300", .double, .real, range),
            ("123", .integer, .numeric(precision: 2, scale: 0), range),
            ("12", .integer, .numeric(precision: 4, scale: 2), "12.00"),
            ("9.99", .numeric(precision: 3, scale: 2), .numeric(precision: 2, scale: 1), range),
            ("9.94", .numeric(precision: 3, scale: 2), .numeric(precision: 2, scale: 1), "9.9"),
            (
                "123456789.123456789", .numeric(precision: 18, scale: 9), .double,
                "123456789.12345679"
            ),
            ("1", .integer, .boolean, "true"), ("true", .boolean, .integer, "1"),
            ("2026-01-02 23:00:00", .timestamp, .date, "2026-01-02"),
            ("1969-12-31 23:00:00", .timestamp, .time, "23:00:00"),
            ("infinity", .timestamptz, .date, "infinity"), ("infinity", .timestamp, .time, "NULL"),
            ("2026-01-02", .date, .timestamptz, "2026-01-02 00:00:00+00"),
            ("300000-01-01", .date, .timestamp, range), ("25:00:00", .interval, .time, "01:00:00"),
            ("01:00:00", .time, .interval, "01:00:00"),
            ("{1,2}", .array(.integer), .array(.text), "{1,2}"),
            ("{70000}", .array(.integer), .array(.smallint), range),
        ] as [(String, LogicalType, LogicalType, String)])
    func between(_ text: String, _ from: LogicalType, _ to: LogicalType, _ expected: String) {
        #expect(cast(text, from, to) == expected)
        if expected.hasPrefix("error") { #expect(Cast.canFail(from: from, to: to)) }
        #expect(Cast.exists(from: from, to: to))
    }

    @Test func rows() {
        let type = LogicalType.row(
            RowType(name: nil, fields: [Field("a", .integer), Field("b", .text)]))
        #expect(cast("(1,\"x,\"\"y\"\"\")", type) == "(1,\"x,\"\"y\"\"\")")
        #expect(cast("(,)", type) == "(,)")
        #expect(cast("(1)", type) == invalid)
    }

    @Test func nullsStayNull() {
        let source = column(.text, [.null, .text("x"), .text("7")])
        var errors = RowErrors()
        let result = Cast.column(source, to: .integer, place: somewhere, errors: &errors)
        #expect(Array(errors.errors.keys) == [1])
        #expect(result.scalar(0) == .null)
        #expect(result.scalar(2) == int(7))
    }

    @Test(
        arguments: [
            ("1.0", .value(1)), ("1e3", .value(1000)), ("1.5", .inexact), ("1e19", .outOfRange),
            ("1e", .malformed), (".", .malformed), ("1e999999999999", .outOfRange),
            ("0e99", .value(0)),
        ] as [(String, NumberOutcome<Int64>)])
    func wholeNumbers(_ text: String, _ expected: NumberOutcome<Int64>) {
        let bytes = Array(text.utf8)
        #expect("\(NumberText.parseWholeNumber(bytes.span))" == "\(expected)")
    }

    /// Every float reads back as itself.
    @Test func floatsRoundTrip() throws {
        var random = SplitMix(state: 11)
        for _ in 0..<2000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            var text: [UInt8] = []
            NumberText.append(value, isReal: false, to: &text)
            #expect(NumberText.parseDouble(text.span) == value)
        }
    }
}

private let range = "error: out_of_range"
private let invalid = "error: invalid_cast"
