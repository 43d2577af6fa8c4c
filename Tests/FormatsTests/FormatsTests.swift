// JSON messages as columns: the rules of dialect.md §3.3, one line a rule.

import Columns
import Contracts
import Formats
import Planning
import Testing
import Types

func batch(_ values: [String?], keys: [String?]? = nil) -> MessageBatch {
    var messages = MessageBatch()
    for (index, value) in values.enumerated() {
        messages.append(
            partition: 3, offset: Int64(100 + index), timestamp: 1_700_000_000_000,
            key: keys?[index].map { Array($0.utf8) }, value: value.map { Array($0.utf8) })
    }
    return messages
}

func columns(_ fields: [(String, LogicalType)]) -> [DecodedColumn] {
    fields.enumerated().map {
        DecodedColumn(.field(name: $1.0, position: $0), $1.1)
    }
}

func decoder(
    _ fields: [(String, LogicalType)], kind: SourceFormat.Kind = .json, key: [String] = [],
    keyFormat: KeyFormat? = nil, strict: Bool = false, timestamps: TimestampFormat = .iso8601
) throws -> MessageDecoder {
    let format = SourceFormat(
        kind: kind, timestampFormat: timestamps, isStrictJSON: strict, keyFormat: keyFormat,
        delimiter: 0x2c, declared: fields.map { Field($0.0, $0.1) })
    return try MessageDecoder(
        format: format, decoded: columns(fields), primaryKey: key, source: "s", topic: "t")
}

/// What one document gives for one column `v`.
func read(
    _ document: String, _ type: LogicalType, timestamps: TimestampFormat = .iso8601,
    strict: Bool = false
) throws -> Result<Scalar, ReasonError> {
    let decoded = try decoder([("v", type)], strict: strict, timestamps: timestamps)
        .decode(batch([document]), extractedAt: 0)
    if let error = decoded.errors.first { return .failure(ReasonError(reason: error.reason)) }
    return .success(decoded.batch.columns[0].scalar(0))
}

struct ReasonError: Error, Equatable { let reason: DataErrorReason }

@Suite struct JSONValueTests {
    @Test(arguments: [
        ("1", 1), ("-0", 0), ("1.0", 1), ("1e3", 1000), ("12.50e1", 125), ("100e-2", 1),
        ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
        ("0.00", 0), ("9223372036854775807.000", Int64.max),
    ])
    func bigintTakes(_ text: String, _ value: Int64) throws {
        #expect(try read("{\"v\":\(text)}", .bigint) == .success(.int64(value)))
        #expect(try read("{\"v\" : \(text) }\n", .bigint) == .success(.int64(value)))
    }

    @Test(arguments: [
        ("9223372036854775808", DataErrorReason.outOfRange), ("1e30", .outOfRange),
        ("1e999999999999", .outOfRange), ("1.5", .wrongType), ("\"1\"", .wrongType),
        ("true", .wrongType), ("[1]", .wrongType), ("{}", .wrongType), ("01", .malformed),
        ("1.", .malformed), ("+1", .malformed), ("tru", .malformed), ("@@", .malformed),
        ("NaN", .malformed), ("1\"a\"", .malformed), ("[1", .malformed), ("", .malformed),
    ])
    func bigintRefuses(_ text: String, _ reason: DataErrorReason) throws {
        #expect(try read("{\"v\":\(text)}", .bigint) == .failure(ReasonError(reason: reason)))
    }

    @Test func narrowIntegersKeepTheirRange() throws {
        #expect(try read("{\"v\":32767}", .smallint) == .success(.int64(32767)))
        #expect(
            try read("{\"v\":32768}", .smallint) == .failure(ReasonError(reason: .outOfRange)))
        #expect(
            try read("{\"v\":-2147483649}", .integer)
                == .failure(ReasonError(reason: .outOfRange)))
    }

    @Test(arguments: [
        ("12.34", Int128(1234)), ("12.340", 1234), ("-1e-2", -1), ("99999999.99", 9_999_999_999),
        ("0", 0), ("1e7", 1_000_000_000),
    ])
    func numericTakes(_ text: String, _ unscaled: Int128) throws {
        #expect(
            try read("{\"v\":\(text)}", .numeric(precision: 10, scale: 2))
                == .success(.int128(unscaled)))
    }

    @Test(arguments: ["12.345", "100000000", "1e8", "1e-3", "1e38", "1e39"])
    func numericRefuses(_ text: String) throws {
        #expect(
            try read("{\"v\":\(text)}", .numeric(precision: 10, scale: 2))
                == .failure(ReasonError(reason: .outOfRange)))
    }

    @Test func floatsAreRoundedToNearest() throws {
        #expect(try read("{\"v\":0.1}", .double) == .success(.float64(0.1)))
        #expect(try read("{\"v\":0.1}", .real) == .success(.float64(Double(Float(0.1)))))
        #expect(try read("{\"v\":1e400}", .double) == .failure(ReasonError(reason: .outOfRange)))
        #expect(try read("{\"v\":\"NaN\"}", .double) == .failure(ReasonError(reason: .wrongType)))
    }

    @Test func textIsUnescaped() throws {
        #expect(try read(#"{"v":"plain"}"#, .text) == .success(.text("plain")))
        #expect(
            try read(#"{"v":"a\"\\\/\b\f\n\r\té\u0041\ud83d\ude00z"}"#, .text)
                == .success(.text("a\"\\/\u{8}\u{c}\n\r\té" + "A😀z")))
        #expect(try read(#"{"v":5}"#, .text) == .failure(ReasonError(reason: .wrongType)))
        for broken in [#""\ud83d""#, #""\ude00""#, #""\ud83dx""#, #""\x""#, #""\u12""#, #""a"b"#] {
            #expect(
                try read("{\"v\":\(broken)}", .text)
                    == .failure(ReasonError(reason: .malformed)), "\(broken)")
        }
    }

    @Test(arguments: [
        ("2026-01-02T03:04:05Z", 1_767_323_045_000_000),
        ("2026-01-02 03:04:05", 1_767_323_045_000_000),
        ("2026-01-02T03:04:05.5+01:00", 1_767_319_445_500_000),
        ("2026-01-02T03:04:05.1234567Z", 1_767_323_045_123_457),
        ("1969-12-31T23:59:59.999999Z", -1), ("2026-01-02", 1_767_312_000_000_000),
        ("2026-01-01T24:00:00Z", 1_767_312_000_000_000), ("infinity", Int64.max),
        ("2024-02-29T00:00-0130", 1_709_170_200_000_000),
    ])
    func timestampsAreISO(_ text: String, _ microseconds: Int64) throws {
        #expect(
            try read("{\"v\":\"\(text)\"}", .timestamptz) == .success(.int64(microseconds)))
    }

    @Test(arguments: [
        ("2026-13-01", DataErrorReason.outOfRange), ("2023-02-29", .outOfRange),
        ("2026-01-01T25:00", .outOfRange), ("yesterday", .wrongType), ("", .wrongType),
        ("2026-01-01T00:00:00 Europe/Berlin", .wrongType), ("26-01-01", .wrongType),
    ])
    func timestampsRefuse(_ text: String, _ reason: DataErrorReason) throws {
        #expect(
            try read("{\"v\":\"\(text)\"}", .timestamptz) == .failure(ReasonError(reason: reason)))
    }

    @Test func unixTimestamps() throws {
        let cases: [(TimestampFormat, String, Int64)] = [
            (.unixSeconds, "1.5", 1_500_000), (.unixMilliseconds, "-1", -1000),
            (.unixMicroseconds, "7", 7), (.unixNanoseconds, "1999", 1),
            (.unixNanoseconds, "-1", -1), (.unixSeconds, "1e3", 1_000_000_000),
        ]
        for (format, text, value) in cases {
            #expect(
                try read("{\"v\":\(text)}", .timestamp, timestamps: format)
                    == .success(.int64(value)), "\(text)")
        }
        #expect(
            try read("{\"v\":\"5\"}", .timestamptz, timestamps: .unixSeconds)
                == .failure(ReasonError(reason: .wrongType)))
        #expect(
            try read("{\"v\":5}", .timestamptz) == .failure(ReasonError(reason: .wrongType)))
    }

    @Test func otherScalars() throws {
        #expect(try read(#"{"v":"2000-03-01"}"#, .date) == .success(.int64(11017)))
        let dates: [(String, Int64)] = [
            ("0000-03-01", -719_468), ("0001-03-01 BC", -719_468), ("-0043-03-15", -735_160),
            ("0044-03-15 BC", -735_160), ("5874897-12-31", 2_145_042_905), ("infinity", .max),
        ]
        for (text, days) in dates {
            #expect(try read("{\"v\":\"\(text)\"}", .date) == .success(.int64(days)), "\(text)")
        }
        #expect(
            try read(#"{"v":"0000-01-01 BC"}"#, .date)
                == .failure(ReasonError(reason: .outOfRange)))
        #expect(
            try read(#"{"v":"0044-03-15T12:00:00Z BC"}"#, .timestamptz)
                == .success(.int64(-735_160 * 86_400_000_000 + 43_200_000_000)))
        #expect(try read(#"{"v":"23:59:59.5"}"#, .time) == .success(.int64(86_399_500_000)))
        #expect(try read(#"{"v":"AQL/"}"#, .bytea) == .success(.bytes([1, 2, 255])))
        #expect(try read(#"{"v":"AQ=="}"#, .bytea) == .success(.bytes([1])))
        #expect(try read(#"{"v":"AQ="}"#, .bytea) == .failure(ReasonError(reason: .wrongType)))
        #expect(try read(#"{"v":false}"#, .boolean) == .success(.bool(false)))
        #expect(
            try read(#"{"v":"80000000-0000-0000-0000-00000000000F"}"#, .uuid)
                == .success(.int128(15)))
        #expect(
            try read(#"{"v":"1 day 02:00"}"#, .interval)
                == .success(.interval(IntervalValue(days: 1, microseconds: 7_200_000_000))))
        #expect(
            try read(#"{"v":"soon"}"#, .interval) == .failure(ReasonError(reason: .wrongType)))
    }

    @Test func jsonKeepsItsText() throws {
        #expect(
            try read(#"{"v": {"a" : [1, 2.50]} , "w":1}"#, .json)
                == .success(.text(#"{"a" : [1, 2.50]}"#)))
        #expect(try read(#"{"v":"s"}"#, .json) == .success(.text(#""s""#)))
        #expect(try read(#"{"v":null}"#, .json) == .success(.null))
        #expect(
            try read(#"{"v":[1,]}"#, .json) == .failure(ReasonError(reason: .malformed)))
    }

    @Test func arraysAndRowsNest() throws {
        let inner = RowType(name: nil, fields: [Field("x", .integer), Field("y", .array(.text))])
        let type = LogicalType.array(.row(inner))
        #expect(
            try read(#"{"v":[{"y":["a\n",null],"x":1},null,{"z":[[]]}]}"#, type)
                == .success(
                    .list([
                        .row([.int64(1), .list([.text("a\n"), .null])]), .null,
                        .row([.null, .null]),
                    ])))
        #expect(try read(#"{"v":[]}"#, type) == .success(.list([])))
        #expect(
            try read(#"{"v":[{"x":"1"}]}"#, type) == .failure(ReasonError(reason: .wrongType)))
    }
}

@Suite struct JSONDocumentTests {
    @Test func missingAndNullAreNull() throws {
        #expect(try read("{}", .bigint) == .success(.null))
        #expect(try read(#"{"v":null}"#, .text) == .success(.null))
        #expect(try read(#"{"V":1}"#, .bigint) == .success(.null))
    }

    @Test func keysAreUnescapedAndTheFirstDuplicateCounts() throws {
        #expect(try read(#"{"\u0076":1,"v":2}"#, .bigint) == .success(.int64(1)))
        #expect(try read(#"{"v":null,"v":2}"#, .bigint) == .success(.null))
    }

    @Test(arguments: [
        ("", DataErrorReason.emptyValue), ("null", .wrongType), ("[1]", .wrongType),
        ("\u{feff}{\"v\":1}", .malformed), ("{\"v\":1", .malformed), ("{\"v\":1]", .malformed),
        ("{\"v\":1} x", .malformed), ("{\"a\":\"x}", .malformed), ("  ", .malformed),
        ("{\"a\":\"\u{1}\",\"v\":1}", .malformed), ("{\"a\":1 \"v\":1}", .malformed),
        ("{\"a\":@@@,\"v\":1}", .malformed), ("{v:1}", .malformed), ("{\"a\" 1}", .malformed),
        ("{,}", .malformed), ("{\"a\":1,}", .malformed), ("}", .malformed), ("\"", .malformed),
    ])
    func broken(_ document: String, _ reason: DataErrorReason) throws {
        #expect(try read(document, .bigint) == .failure(ReasonError(reason: reason)))
    }

    @Test func whatFollowsTheLastWantedFieldIsStrictsBusiness() throws {
        let document = #"{"v":1,"w":@@@}"#
        #expect(try read(document, .bigint) == .success(.int64(1)))
        #expect(
            try read(document, .bigint, strict: true)
                == .failure(ReasonError(reason: .malformed)))
        #expect(try read(#"{"v":1,"v":2,"w":[{}]}"#, .bigint, strict: true) == .success(.int64(1)))
    }

    @Test func deepNestingIsAnError() throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect(
            try read("{\"a\":\(deep)}", .bigint) == .failure(ReasonError(reason: .limit)))
        let nested = String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)
        #expect(try read("{\"a\":\(nested),\"v\":2}", .bigint) == .success(.int64(2)))
    }

    @Test func invalidUTF8IsItsOwnMessagesFault() throws {
        var messages = MessageBatch()
        let cut = Array(#"{"v":""#.utf8) + [0xc3]
        for value in [Array(#"{"v":"a"}"#.utf8), cut, Array(#"{"v":"c"}"#.utf8)] {
            messages.append(partition: 0, offset: 0, key: [UInt8]?.none, value: value)
        }
        let decoded = try decoder([("v", .text)]).decode(messages, extractedAt: 0)
        #expect(decoded.messages == [0, 2])
        #expect(decoded.errors.map(\.row) == [1])
        #expect(decoded.errors[0].reason == .malformed)
        #expect(decoded.batch.columns[0].scalar(1) == .text("c"))
    }

    /// Each document is decoded alike alone and among any neighbours, broken ones included.
    @Test func neighboursDoNotMatter() throws {
        let documents: [String?] = [
            #"{"a":1,"b":"x","c":[1,2]}"#, #"{"a":2,"b":"open"#, nil, "",
            #"{"a":3,"b":"\n"}"#, "\"",
            #"{"a":"no"}"#, #"{"c":[3,{"#, #"{"b":"é","c":null}"#, "\\", #"{"a":4}"#,
            "]", "{", "null",
        ]
        let fields: [(String, LogicalType)] = [
            ("a", .bigint), ("b", .text), ("c", .array(.integer)),
        ]
        let together = try decoder(fields).decode(batch(documents), extractedAt: 0)
        var row = 0
        for (index, document) in documents.enumerated() {
            let alone = try decoder(fields).decode(batch([document]), extractedAt: 0)
            #expect(alone.errors.first?.reason == together.errors.first { $0.row == index }?.reason)
            guard alone.batch.rowCount == 1 else { continue }
            #expect(together.messages[row] == Int32(index))
            for column in 0..<3 {
                #expect(
                    alone.batch.columns[column].scalar(0)
                        == together.batch.columns[column].scalar(row))
            }
            row += 1
        }
        #expect(row == 4 && together.skipped == 1)
    }

    @Test func errorsNameFieldAndToken() throws {
        let decoded = try decoder([("price", .bigint)])
            .decode(batch([#"{"price":12.5}"#]), extractedAt: 0)
        #expect(decoded.errors[0].constraint == "price")
        #expect(decoded.errors[0].detail == #"field "price": 12.5 is not bigint"#)
    }
}
