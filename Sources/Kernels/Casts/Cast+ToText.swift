// Any value as text, as PostgreSQL's output functions write it.

public import Columns
import Contracts
import Types

extension CastJob {
    func text() -> ByteColumn {
        switch source.values {
        case .bytes(let bytes) where source.type != .bytea: return bytes
        case .int64(let values) where source.type.isInteger:
            return written(values) { NumberText.append($0, to: &$1) }
        case .int128(let values) where source.type.isNumeric:
            let scale = source.type.scale
            return written(values) { NumberText.append($0, scale: scale, to: &$1) }
        case .float64(let values):
            let isReal = source.type == .real
            return written(values) { NumberText.append($0, isReal: isReal, to: &$1) }
        default:
            let column = source
            return written((0..<count).map(\.self)) { row, output in
                ValueText.append(column, row: row, to: &output)
            }
        }
    }

    @inline(__always)
    private func written<Value: BitwiseCopyable>(
        _ values: [Value], _ write: (Value, inout [UInt8]) -> Void
    ) -> ByteColumn {
        var data: [UInt8] = []
        data.reserveCapacity(values.count * 12)
        var ranges: [ValueRange] = []
        ranges.reserveCapacity(values.count)
        for row in values.indices {
            let start = data.count
            if source.isValid(row) { write(values[row], &data) }
            ranges.append(ValueRange(start: start, length: data.count - start))
        }
        return ByteColumn(ranges: ranges, data: data)
    }
}

/// Values as PostgreSQL writes them.
public enum ValueText {
    /// Appends the text of a value; of a NULL nothing.
    public static func append(_ column: Column, row: Int, to output: inout [UInt8]) {
        guard column.isValid(row) else { return }
        switch column.values {
        case .bool(let values):
            output.append(contentsOf: (values[row] ? "true" : "false").utf8)
        case .int64(let values): append(values[row], column.type, to: &output)
        case .float64(let values):
            NumberText.append(values[row], isReal: column.type == .real, to: &output)
        case .int128(let values):
            if column.type == .uuid {
                UUIDText.append(values[row], to: &output)
            } else {
                NumberText.append(values[row], scale: column.type.scale, to: &output)
            }
        case .bytes(let bytes):
            if column.type == .bytea {
                appendHexadecimal(bytes[row], to: &output)
            } else {
                output.append(contentsOf: bytes[row])
            }
        case .interval(let values): IntervalText.append(values[row], to: &output)
        case .list(let list): appendList(list, list.ranges[row], to: &output)
        case .row(let fields): appendRow(fields, row, to: &output)
        case .null: break
        }
    }

    private static func append(_ value: Int64, _ type: LogicalType, to output: inout [UInt8]) {
        switch type {
        case .date: CivilTime.appendDate(value, to: &output)
        case .time: CivilTime.appendTime(value, to: &output)
        case .timestamp: CivilTime.appendTimestamp(value, to: &output)
        case .timestamptz: CivilTime.appendTimestampTZ(value, to: &output)
        default: NumberText.append(value, to: &output)
        }
    }

    private static func appendHexadecimal(
        _ bytes: ArraySlice<UInt8>, to output: inout [UInt8]
    ) {
        output.append(contentsOf: "\\x".utf8)
        for byte in bytes {
            output.append(hexadecimalDigit(byte >> 4))
            output.append(hexadecimalDigit(byte & 15))
        }
    }

    static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// `{1,NULL,"a b"}`
    private static func appendList(
        _ list: ListColumn, _ range: ValueRange, to output: inout [UInt8]
    ) {
        let element = list.element
        output.append(UInt8(ascii: "{"))
        for index in range.lowerBound..<range.upperBound {
            if index > range.lowerBound { output.append(UInt8(ascii: ",")) }
            if !element.isValid(index) {
                output.append(contentsOf: "NULL".utf8)
            } else if case .list = element.values {
                append(element, row: index, to: &output)
            } else {
                appendQuoted(element, index, isRow: false, to: &output)
            }
        }
        output.append(UInt8(ascii: "}"))
    }

    /// `(1,,"a b")`: a NULL field is empty.
    private static func appendRow(_ row: RowColumn, _ index: Int, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "("))
        for (position, field) in row.fields.enumerated() {
            if position > 0 { output.append(UInt8(ascii: ",")) }
            if field.isValid(index) { appendQuoted(field, index, isRow: true, to: &output) }
        }
        output.append(UInt8(ascii: ")"))
    }

    private static func appendQuoted(
        _ column: Column, _ row: Int, isRow: Bool, to output: inout [UInt8]
    ) {
        if case .bool(let values) = column.values {
            output.append(UInt8(ascii: values[row] ? "t" : "f"))
            return
        }
        var text: [UInt8] = []
        append(column, row: row, to: &text)
        guard needsQuotes(text, isRow: isRow) else {
            output.append(contentsOf: text)
            return
        }
        output.append(UInt8(ascii: "\""))
        for byte in text {
            // In a row PostgreSQL doubles both, in an array a backslash goes before.
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                output.append(isRow ? byte : UInt8(ascii: "\\"))
            }
            output.append(byte)
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func needsQuotes(_ text: [UInt8], isRow: Bool) -> Bool {
        if text.isEmpty { return true }
        let special = Array((isRow ? "(),\"\\" : "{},\"\\").utf8)
        if text.contains(where: { special.contains($0) || isSpace($0) }) { return true }
        return !isRow && String(decoding: text, as: UTF8.self).lowercased() == "null"
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 9 && byte <= 13) }
}

/// `a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11`
public enum UUIDText {
    /// The first bit is flipped in memory, so that signed order is byte order.
    public static func append(_ value: Int128, to output: inout [UInt8]) {
        let bits = UInt128(truncatingIfNeeded: value) ^ (1 << 127)
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 {
                output.append(UInt8(ascii: "-"))
            }
            let digit = UInt8(truncatingIfNeeded: bits >> UInt128(124 - 4 * index)) & 15
            output.append(ValueText.hexadecimalDigit(digit))
        }
    }

    /// 32 hexadecimal digits, hyphens after any group of four, braces around if wished.
    public static func parse(_ bytes: Span<UInt8>) -> Int128? {
        var start = 0
        var end = bytes.count
        if end > 1, bytes[0] == UInt8(ascii: "{"), bytes[end - 1] == UInt8(ascii: "}") {
            start = 1
            end -= 1
        }
        var bits: UInt128 = 0
        var count = 0
        var mayHyphen = false
        for index in start..<end {
            if bytes[index] == UInt8(ascii: "-"), mayHyphen {
                mayHyphen = false
                continue
            }
            guard count < 32, let digit = hexadecimalValue(bytes[index]) else { return nil }
            bits = bits << 4 | UInt128(digit)
            count += 1
            mayHyphen = count & 3 == 0 && count < 32
        }
        return count == 32 ? Int128(truncatingIfNeeded: bits ^ (1 << 127)) : nil
    }

    static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
