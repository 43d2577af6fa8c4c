// Values as bytes that compare as the values do: what ordered aggregates keep.
//
// Per value: one byte for NULL or not (by where NULLs go), then the value in a form that memcmp
// orders; descending inverts the value's bytes. Text is escaped (0 → 0 255) and ended by 0 0, so a
// key is never the beginning of another. Order is PostgreSQL's: NaN above all, −0 = 0, text by
// bytes.

public import Columns
import Types

public enum OrderedBytes {
    /// Appends the value of one row.
    public static func append(
        _ column: Column, row: Int, isDescending: Bool, nullsFirst: Bool, to bytes: inout [UInt8]
    ) {
        guard column.isValid(row) else {
            bytes.append(nullsFirst ? 0 : 2)
            return
        }
        if case .null = column.values {
            bytes.append(nullsFirst ? 0 : 2)
            return
        }
        bytes.append(1)
        let start = bytes.count
        appendValue(column, row, to: &bytes)
        if isDescending { for index in start..<bytes.count { bytes[index] = ~bytes[index] } }
    }

    private static func appendValue(_ column: Column, _ row: Int, to bytes: inout [UInt8]) {
        switch column.values {
        case .bool(let values): bytes.append(values[row] ? 1 : 0)
        case .int64(let values): bytes.appendOrdered(values[row])
        case .float64(let values): bytes.appendOrdered(orderedBits(values[row]))
        case .int128(let values): append(values[row], to: &bytes)
        case .interval(let values): append(values[row].span, to: &bytes)
        case .bytes(let values):
            for byte in values[row] {
                bytes.append(byte)
                if byte == 0 { bytes.append(255) }
            }
            bytes.append(0)
            bytes.append(0)
        case .list(let list):
            let range = list.ranges[row]
            for index in range.lowerBound..<range.upperBound {
                bytes.append(1)
                append(
                    list.element, row: index, isDescending: false, nullsFirst: false, to: &bytes)
            }
            bytes.append(0)
        case .row(let fields):
            for field in fields.fields {
                append(field, row: row, isDescending: false, nullsFirst: false, to: &bytes)
            }
        case .null: break
        }
    }

    private static func append(_ value: Int128, to bytes: inout [UInt8]) {
        bytes.appendOrdered(Int64(truncatingIfNeeded: value >> 64))
        let low = UInt64(truncatingIfNeeded: value)
        bytes.appendOrdered(Int64(bitPattern: low ^ (1 << 63)))
    }

    /// A float as an integer of the same order.
    @inlinable
    public static func orderedBits(_ value: Double) -> Int64 {
        if value.isNaN { return .max }
        let bits = Int64(bitPattern: (value == 0 ? 0 : value).bitPattern)
        return bits >= 0 ? bits : bits ^ .max
    }

    /// The float whose ordered bits these are.
    @inlinable
    public static func float(orderedBits bits: Int64) -> Double {
        if bits == .max { return .nan }
        return Double(bitPattern: UInt64(bitPattern: bits >= 0 ? bits : bits ^ .max))
    }

    /// Whether one key comes before another.
    public static func isLess(
        _ left: some Collection<UInt8>, _ right: some Collection<UInt8>
    ) -> Bool {
        left.lexicographicallyPrecedes(right)
    }
}
