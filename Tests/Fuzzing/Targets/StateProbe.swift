// Stored records and rows: a damaged store gives an error, and what decodes is the same after it
// has been encoded again.

import Contracts
import Progress
import State
import Types

enum StateProbe {
    private static let types: [LogicalType] = [
        .boolean, .bigint, .numeric(precision: 38, scale: 2), .double, .text, .timestamptz, .uuid,
        .interval, .array(.array(.integer)),
        .row(RowType(name: nil, fields: [Field("x", .text), Field("y", .array(.bytea))])),
    ]

    static func complaint(_ input: [UInt8]) -> String? {
        let body = Array(input.dropFirst())
        switch (input.first ?? 0) % 4 {
        case 0: return again(body, { try? EpochRecord(decoding: $0) }, { $0.encoded() })
        case 1: return again(body, { try? Leftover(decoding: $0) }, { $0.encoded() })
        case 2:
            return again(
                body,
                { bytes in
                    var reader = RecordReader(bytes, subject: "offset")
                    return try? PartitionOffset(from: &reader)
                },
                { offset in
                    var writer = RecordWriter()
                    offset.write(to: &writer)
                    return writer.bytes
                })
        default: return rows(body)
        }
    }

    private static func again<Value>(
        _ bytes: [UInt8], _ decode: ([UInt8]) -> Value?, _ encode: (Value) -> [UInt8]
    ) -> String? {
        guard let value = decode(bytes) else { return nil }
        let encoded = encode(value)
        guard let back = decode(encoded) else { return "\(value) no longer decodes" }
        return encode(back) == encoded ? nil : "\(value) became \(back)"
    }

    private static func rows(_ bytes: [UInt8]) -> String? {
        let codec = RowCodec(types, form: .exact)
        guard let columns = try? codec.decode([bytes[...]]) else { return nil }
        let encoded = codec.encode(columns, rowCount: 1)
        guard let back = try? codec.decode([encoded[0]]) else { return "a row no longer decodes" }
        return codec.encode(back, rowCount: 1).bytes == encoded.bytes ? nil : "a row became another"
    }
}
