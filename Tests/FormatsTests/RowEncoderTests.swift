// Rows out, and in again.

import Columns
import Contracts
import Formats
import Planning
import Testing
import Types

private let fields: [(String, LogicalType, [Scalar], String)] = [
    ("b", .boolean, [.bool(true), .bool(false)], "true false"),
    ("i", .bigint, [.int64(.max), .int64(.min)], "9223372036854775807 -9223372036854775808"),
    ("n", .numeric(precision: 38, scale: 2), [.int128(-5), .int128(12300)], "-0.05 123.00"),
    ("d", .double, [.float64(0.1), .float64(1e300)], "0.1 1e+300"),
    ("r", .real, [.float64(Double(Float(0.1))), .float64(-0.0)], "0.1 -0"),
    ("t", .text, [.text("a\"\\\n\u{1}é😀"), .text("")], #""a\"\\\n\u0001é😀" """#),
    ("y", .bytea, [.bytes([0, 255]), .bytes([])], #""AP8=" """#),
    ("da", .date, [.int64(0), .int64(-1)], #""1970-01-01" "1969-12-31""#),
    ("ti", .time, [.int64(3_600_000_001), .int64(0)], #""01:00:00.000001" "00:00:00""#),
    (
        "tz", .timestamptz, [.int64(1_500_000), .int64(.max)],
        #""1970-01-01T00:00:01.5Z" "infinity""#
    ),
    (
        "ts", .timestamp, [.int64(0), .int64(-1)],
        #""1970-01-01T00:00:00" "1969-12-31T23:59:59.999999""#
    ),
    (
        "u", .uuid, [.int128(15), .int128(.min)],
        #""80000000-0000-0000-0000-00000000000f" "00000000-0000-0000-0000-000000000000""#
    ),
    ("j", .json, [.text(#"{"a" : 1}"#), .text("[]")], #"{"a" : 1} []"#),
    (
        "iv", .interval,
        [.interval(IntervalValue(months: 1)), .interval(IntervalValue(microseconds: 1))],
        #""1 mon" "00:00:00.000001""#
    ),
    ("l", .array(.integer), [.list([.int64(1), .null]), .list([])], "[1,null] []"),
    (
        "o",
        .row(RowType(name: nil, fields: [Field("x", .integer), Field("y\"", .array(.text))])),
        [.row([.int64(1), .list([.text("a")])]), .row([.null, .null])],
        #"{"x":1,"y\"":["a"]} {"x":null,"y\"":null}"#
    ),
]

private func columns(_ extra: [Scalar] = []) -> [Column] {
    fields.map { Column($0.1, scalars: $0.2 + extra) }
}

private func of(_ columns: [Column]) -> Batch {
    Batch(rowCount: columns[0].count, columns: columns)
}

private let schema = fields.map { Field($0.0, $0.1) }

private func text(_ rows: EncodedText, _ row: Int) -> String {
    String(decoding: rows[row], as: UTF8.self)
}

@Suite struct RowEncoderTests {
    @Test func jsonOfEachType() {
        for (name, type, values, expected) in fields {
            let rows = JSONRowEncoder(Schema([Field(name, type)]))
                .encode(of([Column(type, scalars: values + [.null])]))
            let objects = (0..<2).map {
                String(text(rows, $0).dropFirst(name.count + 4).dropLast())
            }
            #expect(objects.joined(separator: " ") == expected)
            #expect(text(rows, 2) == "{\"\(name)\":null}")
        }
    }

    /// What is written reads back as the same value, all types and NULLs, in one row.
    @Test(arguments: [SourceFormat.Kind.json, .debeziumJSON])
    func roundTrip(_ kind: SourceFormat.Kind) throws {
        let all = of(columns([.null]))
        let rows =
            kind == .json
            ? JSONRowEncoder(Schema(schema)).encode(all)
            : DebeziumRowEncoder(Schema(schema)).encode(all)
        let decoded = try decoder(
            fields.map { ($0.0, $0.1) }, kind: kind, key: kind == .json ? [] : ["i"], strict: true
        ).decode(batch((0..<3).map { text(rows, $0) }), extractedAt: 0)
        #expect(decoded.errors.map(\.reason) == (kind == .json ? [] : [.noKey]))
        for (index, column) in all.columns.enumerated() {
            for row in 0..<decoded.batch.rowCount {
                #expect(
                    decoded.batch.columns[index].scalar(row) == column.scalar(row),
                    "\(fields[index].0)")
            }
        }
    }

    /// Row by row gives the same bytes as column by column.
    @Test func singleRowsAreTheSame() {
        let encoder = JSONRowEncoder(Schema(schema), columns: [3, 0, 14])
        let all = of(columns([.null]))
        var bytes: [UInt8] = []
        for row in 0..<3 {
            encoder.append(all, row: row, to: &bytes)
            bytes.append(0x0a)
        }
        #expect(encoder.encode(all).bytes == bytes)
    }

    @Test func specialFloatsAreStrings() {
        let column = Column(
            .double, .float64([.nan, .infinity, -.infinity]))
        let rows = JSONRowEncoder(Schema([Field("v", .double)])).encode(of([column]))
        #expect(
            (0..<3).map { text(rows, $0) } == [
                #"{"v":"NaN"}"#, #"{"v":"Infinity"}"#, #"{"v":"-Infinity"}"#,
            ])
    }

    @Test func theEmptyKeyIsAnEmptyObject() {
        let rows = JSONRowEncoder(Schema([])).encode(Batch(rowCount: 2, columns: []))
        #expect(text(rows, 0) == "{}" && text(rows, 1) == "{}")
    }

    @Test func changesAreDebeziums() {
        let rows = DebeziumRowEncoder(Schema([Field("k", .bigint)])).encode(
            Batch(
                rowCount: 3, columns: [Column(.bigint, .int64([1, 1, 2]))], changes: [-1, 1, 1]))
        #expect(text(rows, 0) == #"{"before":{"k":1},"after":null,"op":"d"}"#)
        #expect(text(rows, 1) == #"{"before":null,"after":{"k":1},"op":"c"}"#)
        #expect(text(rows, 2) == #"{"before":null,"after":{"k":2},"op":"c"}"#)
    }

    @Test func csvRoundTrip() throws {
        let flat = fields.filter { !["l", "o"].contains($0.0) }
        let encoder = CSVRowEncoder(Schema(flat.map { Field($0.0, $0.1) }))
        let columns = flat.map { Column($0.1, scalars: $0.2 + [.null]) }
        let rows = encoder.encode(of(columns))
        #expect(text(rows, 2) == String(repeating: ",", count: flat.count - 1))
        let reader = try decoder(flat.map { ($0.0, $0.1) }, kind: .csv)
        let decoded = try reader.decode(batch((0..<3).map { text(rows, $0) }), extractedAt: 0)
        #expect(decoded.errors == [])
        for (index, column) in columns.enumerated() {
            for row in 0..<decoded.batch.rowCount {
                #expect(
                    decoded.batch.columns[index].scalar(row) == column.scalar(row),
                    "\(flat[index].0)")
            }
        }
    }

    @Test func csvHeaderNamesTheFields() throws {
        let encoder = CSVRowEncoder(Schema([Field("a,b", .text), Field("c", .bigint)]))
        let header = encoder.header
        #expect(String(decoding: header, as: UTF8.self) == "\"a,b\",c\n")
        let reader = try decoder([("c", .bigint), ("a,b", .text)], kind: .csv)
        try reader.readHeader(header)
        let decoded = try reader.decode(batch(["x,5"]), extractedAt: 0)
        #expect(decoded.batch.columns.map { $0.scalar(0) } == [.int64(5), .text("x")])
        #expect(throws: Failure.self) { try reader.readHeader(Array("a,d".utf8)) }
    }
}
