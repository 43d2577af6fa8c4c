// Sources with a primary key, raw and csv messages, metadata columns.

import Columns
import Contracts
import Formats
import Planning
import Testing
import Types

@Suite struct KeyedMessageTests {
    private let fields: [(String, LogicalType)] = [("k", .bigint), ("v", .text)]

    @Test func aNullValueRemovesItsKey() throws {
        let messages = batch(
            [#"{"k":1,"v":"a"}"#, nil, #"{"v":"b","k":2}"#],
            keys: [#"{"k":1}"#, #"{"k":1}"#, #"{"k":2}"#])
        let decoded = try decoder(fields, key: ["k"], keyFormat: .json)
            .decode(messages, extractedAt: 0)
        #expect(decoded.batch.changes == [1, -1, 1])
        #expect(decoded.batch.columns[0].scalar(1) == .int64(1))
        #expect(decoded.batch.columns[1].scalar(1) == .null)
        #expect(decoded.batch.columns[1].scalar(2) == .text("b"))
        #expect(decoded.errors == [])
    }

    @Test func withoutKeyFormatANullValueHasNoKey() throws {
        let decoded = try decoder(fields, key: ["k"])
            .decode(batch([nil, #"{"k":1}"#]), extractedAt: 0)
        #expect(decoded.errors.map(\.reason) == [.noKey])
        #expect(decoded.batch.changes == [1] && decoded.messages == [1])
    }

    @Test func keyAndValueMustAgree() throws {
        let messages = batch(
            [#"{"k":1}"#, #"{"k":1}"#, nil, nil, #"{"k":5}"#],
            keys: [#"{"k":2}"#, nil, #"{"x":1}"#, "broken", #"{"k":5.0}"#])
        let decoded = try decoder(fields, key: ["k"], keyFormat: .json)
            .decode(messages, extractedAt: 0)
        #expect(decoded.errors.map(\.reason) == [.keyMismatch, .noKey, .noKey, .malformed])
        #expect(decoded.messages == [4])
    }

    @Test func rawKeysAreTheColumn() throws {
        let messages = batch([#"{"k":7,"v":"x"}"#, nil, nil], keys: ["7", "8", "eight"])
        let decoded = try decoder(fields, key: ["k"], keyFormat: .raw)
            .decode(messages, extractedAt: 0)
        #expect(decoded.errors.map(\.reason) == [.wrongType])
        #expect(decoded.batch.columns[0].scalar(1) == .int64(8))
        #expect(throws: Failure.self) {
            try decoder(fields, key: ["k", "v"], keyFormat: .raw)
        }
    }

    /// A bytea key is the record's key as it is, not its hexadecimal text.
    @Test func rawByteKeys() throws {
        var messages = MessageBatch()
        messages.append(partition: 0, offset: 0, key: [0xff, 0x00], value: [UInt8]?.none)
        let decoded = try decoder([("k", .bytea), ("v", .text)], key: ["k"], keyFormat: .raw)
            .decode(messages, extractedAt: 0)
        #expect(decoded.batch.columns[0].scalar(0) == .bytes([0xff, 0x00]))
    }

    @Test func metadataFollowsTheKeptRows() throws {
        let metadata = MetadataColumn.allCases
        let decoded = metadata.map { column in
            DecodedColumn(
                .metadata(column),
                column == .partition ? .integer : column == .offset ? .bigint : .text)
        }
        let reader = try MessageDecoder(
            format: SourceFormat(kind: .json), decoded: decoded, primaryKey: [], source: "src",
            topic: "top")
        var messages = MessageBatch()
        for (index, value) in ["{}", "x", #"{"a":1}"#].enumerated() {
            messages.append(
                partition: 2, offset: Int64(index), timestamp: index == 0 ? -1 : 5,
                key: Array("k\(index)".utf8), value: Array(value.utf8))
            messages.appendHeader(name: Array("h".utf8), value: [UInt8(index)])
        }
        let rows = try reader.decode(messages, extractedAt: 9)
        #expect(rows.messages == [0, 2] && rows.errors.map(\.row) == [1])
        let second = rows.batch.columns.map { $0.scalar(1) }
        #expect(
            second == [
                .text("top"), .int64(2), .int64(2), .int64(5000), .text("k2"), .text(#"{"a":1}"#),
                .list([.row([.text("h"), .bytes([2])])]), .int64(9), .text("src"),
            ])
        #expect(rows.batch.columns[3].scalar(0) == .null)
    }

    @Test func rawIsTheWholeValue() throws {
        for (type, expected) in [
            (LogicalType.bytea, Scalar.bytes([0xff])), (.text, .null), (.json, .null),
        ] {
            let reader = try MessageDecoder(
                format: SourceFormat(kind: .raw), decoded: [DecodedColumn(.wholeValue, type)],
                primaryKey: [], source: "s", topic: "t")
            var messages = MessageBatch()
            messages.append(partition: 0, offset: 0, key: [UInt8]?.none, value: [0xff])
            messages.append(partition: 0, offset: 1, key: [UInt8]?.none, value: Array("[1]".utf8))
            messages.append(partition: 0, offset: 2, key: [UInt8]?.none, value: [UInt8]?.none)
            let decoded = try reader.decode(messages, extractedAt: 0)
            #expect(decoded.skipped == 1)
            #expect(decoded.errors.count == (expected == .null ? 1 : 0))
            let first: Scalar = expected == .null ? .text("[1]") : expected
            #expect(decoded.batch.columns[0].scalar(0) == first)
        }
        #expect(throws: Failure.self) {
            try MessageDecoder(
                format: SourceFormat(kind: .raw), decoded: [DecodedColumn(.wholeValue, .bigint)],
                primaryKey: [], source: "s", topic: "t")
        }
    }
}

@Suite struct CSVTests {
    private let fields: [(String, LogicalType)] = [("a", .text), ("b", .integer), ("c", .boolean)]

    @Test func quotesFollowRFC4180() throws {
        let decoded = try decoder(fields, kind: .csv).decode(
            batch(["x,1,t\r\n", "\"a,\"\"b\"\"\n\",,", "\"\",-5,no", ",1,1", "a,\"7\",FALSE"]),
            extractedAt: 0)
        #expect(decoded.errors == [])
        let texts = (0..<5).map { decoded.batch.columns[0].scalar($0) }
        #expect(texts == [.text("x"), .text("a,\"b\"\n"), .text(""), .null, .text("a")])
        let numbers = (0..<5).map { decoded.batch.columns[1].scalar($0) }
        #expect(numbers == [.int64(1), .null, .int64(-5), .int64(1), .int64(7)])
        let flags = (0..<5).map { decoded.batch.columns[2].scalar($0) }
        #expect(flags == [.bool(true), .null, .bool(false), .bool(true), .bool(false)])
    }

    @Test(arguments: [
        ("a,1", DataErrorReason.malformed), ("a,1,t,", .malformed), ("\"a,1,t", .malformed),
        ("\"a\"b,1,t", .malformed), ("a,x,t", .wrongType), ("a,1.5,t", .wrongType),
        ("a,2147483648,t", .outOfRange), ("a,1,maybe", .wrongType), ("", .emptyValue),
    ])
    func refuses(_ line: String, _ reason: DataErrorReason) throws {
        let decoded = try decoder(fields, kind: .csv).decode(batch([line]), extractedAt: 0)
        #expect(decoded.errors.map(\.reason) == [reason])
    }
}
