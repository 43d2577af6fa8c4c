// Messages of a source: each must read alike alone and among any neighbours, and what was read must
// be the same after it has been written and read again.

import Columns
import Contracts
import Formats
import Kernels
import Planning
import State
import Types

enum MessageProbe {
    /// The first byte of an input says which settings; these bytes part its messages.
    private static let separator: UInt8 = 0x1e
    private static let tombstone: [UInt8] = [0x7f]

    private static let plain: [Field] = [
        Field("b", .boolean), Field("i", .bigint), Field("s", .smallint),
        Field("n", .numeric(precision: 38, scale: 2)), Field("d", .double), Field("r", .real),
        Field("t", .text), Field("y", .bytea), Field("da", .date), Field("ti", .time),
        Field("tz", .timestamptz), Field("ts", .timestamp), Field("u", .uuid), Field("j", .json),
        Field("iv", .interval),
    ]

    private static let nested: [Field] = {
        let inner = RowType(
            name: nil, fields: [Field("x", .integer), Field("y\"", .array(.text)), Field("z", .json)])
        return [
            Field("l", .array(.double)), Field("o", .row(inner)), Field("lo", .array(.row(inner))),
        ]
    }()

    static func json(_ input: [UInt8]) -> String? {
        let settings = input.first ?? 0
        let timestamps: [TimestampFormat] = [
            .iso8601, .unixSeconds, .unixMilliseconds, .unixMicroseconds, .unixNanoseconds,
        ]
        let fields = plain + nested
        let isKeyed = settings & 2 != 0
        func decoder(_ timestamps: TimestampFormat, isStrict: Bool) throws(Failure) -> MessageDecoder {
            let format = SourceFormat(
                kind: .json, timestampFormat: timestamps, isStrictJSON: isStrict,
                keyFormat: isKeyed ? .json : nil, declared: fields)
            return try MessageDecoder(
                format: format, decoded: decoded(fields), primaryKey: isKeyed ? ["i", "t"] : [],
                source: "s", topic: "t")
        }
        return probe(
            input, fields: fields,
            decoder: { () throws(Failure) in
                try decoder(timestamps[Int(settings >> 2) % 5], isStrict: settings & 1 != 0)
            },
            again: { (rows) throws(Failure) in
                guard !isKeyed else { return nil }
                let texts = JSONRowEncoder(Schema(fields)).encode(rows)
                return (try decoder(.iso8601, isStrict: true), texts)
            })
    }

    static func debezium(_ input: [UInt8]) -> String? {
        let fields = Array(plain.prefix(12))
        return probe(
            input, fields: fields,
            decoder: { () throws(Failure) in
                let format = SourceFormat(kind: .debeziumJSON, declared: fields)
                return try MessageDecoder(
                    format: format, decoded: decoded(fields), primaryKey: ["i"], source: "s",
                    topic: "t")
            }, again: { (_) throws(Failure) in nil })
    }

    static func csv(_ input: [UInt8]) -> String? {
        let settings = input.first ?? 0
        let delimiter = [0x2c, 0x3b, 0x09, 0x7c][Int(settings & 3)] as UInt8
        let nullText = settings & 4 == 0 ? [] : Array("\\N".utf8)
        let fields = settings & 8 == 0 ? plain : Array(plain.prefix(3)) + [Field("t", .text)]
        let make = { () throws(Failure) in
            let format = SourceFormat(
                kind: .csv, delimiter: delimiter, nullText: nullText, declared: fields)
            return try MessageDecoder(
                format: format, decoded: decoded(fields), primaryKey: [], source: "s", topic: "t")
        }
        return probe(
            input, fields: fields, decoder: make,
            again: { (rows) throws(Failure) in
                let encoder = CSVRowEncoder(
                    Schema(fields), delimiter: delimiter, nullText: nullText)
                return (try make(), encoder.encode(rows))
            })
    }

    private static func decoded(_ fields: [Field]) -> [DecodedColumn] {
        fields.enumerated().map {
            DecodedColumn(.field(name: $1.name, position: $0), $1.type)
        }
    }

    /// `again`: how the rows are written, and the decoder that must read them alike; nil: they are
    /// not.
    private static func probe(
        _ input: [UInt8], fields: [Field],
        decoder: () throws(Failure) -> MessageDecoder,
        again: (Batch) throws(Failure) -> (MessageDecoder, EncodedText)?
    ) -> String? {
        let documents = input.dropFirst().split(
            separator: separator, maxSplits: 15, omittingEmptySubsequences: false
        ).map { Array($0) == tombstone ? nil : Array($0) }
        do {
            let together = try decoder().decode(batch(documents), extractedAt: 0)
            if let wrong = try compare(together, documents, fields, decoder) { return wrong }
            let rows = Batch(rowCount: together.batch.rowCount, columns: together.batch.columns)
            guard rows.rowCount > 0, let (reader, texts) = try again(rows) else { return nil }
            let written = texts.ranges.indices.map { Array(texts[$0]) }
            let back = try reader.decode(batch(written), extractedAt: 0)
            if let error = back.errors.first {
                let text = String(decoding: written[error.row], as: UTF8.self)
                return "written as \(text) it no longer reads: \(error.detail)"
            }
            return difference(rows, back.batch, fields).map { "written and read again: " + $0 }
        } catch {
            return "it throws: \(error)"
        }
    }

    private static func batch(_ documents: [[UInt8]?]) -> MessageBatch {
        var messages = MessageBatch()
        for (index, value) in documents.enumerated() {
            let key = Array("{\"i\":\(index),\"t\":\"k\"}".utf8)
            messages.append(partition: 0, offset: Int64(index), key: key, value: value)
        }
        return messages
    }

    private static func compare(
        _ together: DecodedMessages, _ documents: [[UInt8]?], _ fields: [Field],
        _ decoder: () throws(Failure) -> MessageDecoder
    ) throws(Failure) -> String? {
        var row = 0
        for (index, document) in documents.enumerated() {
            var messages = MessageBatch()
            let key = Array("{\"i\":\(index),\"t\":\"k\"}".utf8)
            messages.append(partition: 0, offset: Int64(index), key: key, value: document)
            let alone = try decoder().decode(messages, extractedAt: 0)
            let reason = together.errors.first { $0.row == index }?.reason
            guard alone.errors.first?.reason == reason else {
                return "message \(index) is refused as \(alone.errors.first?.reason.rawValue ?? "-") "
                    + "alone, as \(reason?.rawValue ?? "-") among others"
            }
            let count = alone.batch.rowCount
            guard row + count <= together.batch.rowCount else { return "rows of \(index) are lost" }
            let rows = (row..<(row + count)).map { Int32($0) }
            let own = Batch(
                rowCount: count, columns: together.batch.columns.map { $0.gather(rows) })
            if let wrong = difference(alone.batch, own, fields) {
                return "message \(index), alone and among others: " + wrong
            }
            row += count
        }
        return row == together.batch.rowCount ? nil : "\(together.batch.rowCount - row) rows too many"
    }

    /// Bits are compared: a NaN equals itself, −0.0 is not 0.0.
    private static func difference(_ left: Batch, _ right: Batch, _ fields: [Field]) -> String? {
        guard left.rowCount == right.rowCount else {
            return "\(left.rowCount) rows against \(right.rowCount)"
        }
        for (index, field) in fields.enumerated() {
            let codec = RowCodec([field.type], form: .exact)
            let one = codec.encode([left.columns[index]], rowCount: left.rowCount)
            let other = codec.encode([right.columns[index]], rowCount: right.rowCount)
            for row in 0..<left.rowCount where Array(one[row]) != Array(other[row]) {
                return "column \(field.name): \(left.columns[index].scalar(row)) against "
                    + "\(right.columns[index].scalar(row))"
            }
        }
        return nil
    }
}
