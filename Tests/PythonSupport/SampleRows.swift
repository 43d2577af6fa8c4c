// Rows with every type and every edge of it, from a seed.

public import Columns
public import Types

/// SplitMix64: the same rows from the same seed.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

public enum SampleRows {
    /// Every type that a table stores, nullable and not, flat and nested.
    public static let schema = Schema([
        Field("id", .bigint, isNullable: false),
        Field("flag", .boolean), Field("small", .smallint), Field("whole", .integer),
        Field("big", .bigint), Field("single", .real), Field("twice", .double),
        Field("price", .numeric(precision: 9, scale: 2)),
        Field("amount", .numeric(precision: 18, scale: 4)),
        Field("huge", .numeric(precision: 38, scale: 10)),
        Field("odd", .numeric(precision: 21, scale: 0)),
        Field("name", .text), Field("city", .text, isNullable: false), Field("raw", .bytea),
        Field("day", .date), Field("clock", .time), Field("local", .timestamp),
        Field("moment", .timestamptz), Field("key", .uuid), Field("document", .json),
        Field("numbers", .array(.integer)),
        Field("names", .array(.text)),
        Field("grid", .array(.array(.bigint))),
        Field("person", .row(person)),
        Field("people", .array(.row(person))),
    ])

    public static let person = RowType(
        name: "person",
        fields: [
            Field("name", .text), Field("age", .integer, isNullable: false),
            Field("tags", .array(.text)),
            Field("home", .row(RowType(name: nil, fields: [Field("zip", .bigint)]))),
        ])

    public static func batch(
        _ schema: Schema = schema, count: Int, seed: UInt64, firstID: Int = 0
    ) -> Batch {
        var random = SeededGenerator(seed: seed)
        let columns = schema.fields.map { field in
            if field.name == "id" {
                return Column(.bigint, .int64((0..<count).map { Int64(firstID + $0) }))
            }
            let scalars = (0..<count).map { _ in value(of: field, &random) }
            return Column(field.type, scalars: scalars)
        }
        return Batch(rowCount: count, columns: columns)
    }

    static func value(of field: Field, _ random: inout SeededGenerator) -> Scalar {
        if field.isNullable, Int.random(in: 0..<8, using: &random) == 0 { return .null }
        switch field.type {
        case .boolean: return .bool(Bool.random(using: &random))
        case .smallint: return .int64(Int64(Int16(truncatingIfNeeded: random.next())))
        case .integer: return .int64(edge(Int64(Int32.min), Int64(Int32.max), &random))
        case .bigint: return .int64(edge(.min, .max, &random))
        case .real: return .float64(Double(Float(floating(&random))))
        case .double: return .float64(floating(&random))
        case .numeric(let precision, _):
            var limit: Int128 = 1
            for _ in 0..<precision { limit *= 10 }
            let high = Int128(random.next()) << 63
            let value = (high ^ Int128(random.next())) % limit
            let choice = [value, -value, limit - 1, 1 - limit, 0, value % 100]
            return .int128(choice.randomElement(using: &random) ?? 0)
        case .text:
            let words = ["", "a", "köln", "北京", "O'Brien", "x\u{1F600}y", "tab\there", "q\"uote"]
            if Int.random(in: 0..<3, using: &random) == 0 {
                return .text("row \(random.next() % 100_000)")
            }
            return .text(words.randomElement(using: &random) ?? "")
        case .json: return .text("{\"a\": \(random.next() % 10)}")
        case .bytea:
            let count = Int.random(in: 0..<12, using: &random)
            return .bytes((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
        case .date: return .int64(Int64.random(in: -100_000..<100_000, using: &random))
        case .time: return .int64(Int64.random(in: 0..<86_400_000_000, using: &random))
        case .timestamp, .timestamptz:
            return .int64(
                Int64.random(in: -5_000_000_000_000_000..<5_000_000_000_000_000, using: &random))
        case .uuid:
            return .int128(
                Int128(truncatingIfNeeded: UInt128(random.next()) << 64 | UInt128(random.next())))
        case .array(let element):
            let count = Int.random(in: 0..<4, using: &random)
            return .list((0..<count).map { _ in value(of: Field("element", element), &random) })
        case .row(let row): return .row(row.fields.map { value(of: $0, &random) })
        case .interval, .unknown: return .null
        }
    }

    private static func edge(
        _ low: Int64, _ high: Int64, _ random: inout SeededGenerator
    ) -> Int64 {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: low
        case 1: high
        case 2: 0
        case 3: Int64.random(in: low...high, using: &random)
        default: Int64.random(in: -50...50, using: &random)
        }
    }

    private static func floating(_ random: inout SeededGenerator) -> Double {
        let edges = [0.0, -0.0, .infinity, -.infinity, 1.5, -2.25, 3.0e38, 1.0e-40]
        if Bool.random(using: &random) { return edges.randomElement(using: &random) ?? 0 }
        return Double.random(in: -1.0e6...1.0e6, using: &random)
    }
}
