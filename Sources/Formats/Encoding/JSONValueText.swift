// One value as JSON (dialect.md §5.4).

public import Columns
import Contracts
import Kernels
public import Types

/// Single values as JSON.
public enum JSONValueText {
    /// Appends a value. Text must be UTF-8, json must be JSON: decoders have checked them.
    public static func append(
        _ column: Column, row: Int, type: LogicalType, to bytes: inout [UInt8]
    ) {
        guard column.isValid(row) else { return bytes.append(contentsOf: null) }
        switch column.values {
        case .bool(let values): bytes.append(contentsOf: values[row] ? yes : no)
        case .int64(let values): appendInteger(values[row], type, to: &bytes)
        case .float64(let values): appendFloat(values[row], isReal: type == .real, to: &bytes)
        case .int128(let values): appendWide(values[row], type, to: &bytes)
        case .bytes(let values): appendBytes(values[row], type, to: &bytes)
        case .interval(let values):
            bytes.append(0x22)
            IntervalText.append(values[row], to: &bytes)
            bytes.append(0x22)
        case .list(let list): appendList(list, row, type, to: &bytes)
        case .row(let fields): appendRow(fields, row, type, to: &bytes)
        case .null: bytes.append(contentsOf: null)
        }
    }

    private static let null = Array("null".utf8)
    private static let yes = Array("true".utf8)
    private static let no = Array("false".utf8)

    private static func appendInteger(
        _ value: Int64, _ type: LogicalType, to bytes: inout [UInt8]
    ) {
        switch type {
        case .date, .time, .timestamp, .timestamptz:
            bytes.append(0x22)
            switch type {
            case .date: CivilTime.appendDate(value, to: &bytes)
            case .time: CivilTime.appendTime(value, to: &bytes)
            case .timestamp: CivilTime.appendISOTimestamp(value, to: &bytes)
            default: CivilTime.appendISOTimestampTZ(value, to: &bytes)
            }
            bytes.append(0x22)
        default: NumberText.append(value, to: &bytes)
        }
    }

    private static func appendFloat(_ value: Double, isReal: Bool, to bytes: inout [UInt8]) {
        if value.isFinite { return NumberText.append(value, isReal: isReal, to: &bytes) }
        let name = value.isNaN ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\""
        bytes.append(contentsOf: name.utf8)
    }

    private static func appendWide(
        _ value: Int128, _ type: LogicalType, to bytes: inout [UInt8]
    ) {
        if case .numeric(_, let scale) = type {
            return NumberText.append(value, scale: scale, to: &bytes)
        }
        bytes.append(0x22)
        UUIDText.append(value, to: &bytes)
        bytes.append(0x22)
    }

    private static func appendBytes(
        _ value: ArraySlice<UInt8>, _ type: LogicalType, to bytes: inout [UInt8]
    ) {
        switch type {
        case .json: bytes.append(contentsOf: value)
        case .bytea: appendBase64(value, to: &bytes)
        default: appendString(value, to: &bytes)
        }
    }

    private static func appendList(
        _ list: ListColumn, _ row: Int, _ type: LogicalType, to bytes: inout [UInt8]
    ) {
        guard case .array(let element) = type else { bug("a list that is no array") }
        let range = list.ranges[row]
        bytes.append(0x5b)
        for index in range.lowerBound..<range.upperBound {
            if index > range.lowerBound { bytes.append(0x2c) }
            append(list.element, row: index, type: element, to: &bytes)
        }
        bytes.append(0x5d)
    }

    private static func appendRow(
        _ fields: RowColumn, _ row: Int, _ type: LogicalType, to bytes: inout [UInt8]
    ) {
        guard case .row(let rowType) = type else { bug("fields that are no row") }
        bytes.append(0x7b)
        for (index, field) in rowType.fields.enumerated() {
            if index > 0 { bytes.append(0x2c) }
            appendString(Array(field.name.utf8)[...], to: &bytes)
            bytes.append(0x3a)
            append(fields.fields[index], row: row, type: field.type, to: &bytes)
        }
        bytes.append(0x7d)
    }

    /// A string with what JSON must escape escaped, and nothing else (RFC 8259 §7).
    public static func appendString(_ text: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(0x22)
        // Most texts need nothing; this loop has no exit, so that it runs on vectors.
        var special: UInt8 = 0
        for byte in text {
            special |= (byte < 0x20 ? 1 : 0) | (byte == 0x22 ? 1 : 0) | (byte == 0x5c ? 1 : 0)
        }
        guard special != 0 else {
            bytes.append(contentsOf: text)
            bytes.append(0x22)
            return
        }
        for byte in text {
            switch byte {
            case 0x22, 0x5c:
                bytes.append(0x5c)
                bytes.append(byte)
            case 0x0a: bytes.append(contentsOf: [0x5c, 0x6e])
            case 0x0d: bytes.append(contentsOf: [0x5c, 0x72])
            case 0x09: bytes.append(contentsOf: [0x5c, 0x74])
            case 0..<0x20:
                bytes.append(contentsOf: Array("\\u00".utf8))
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }

    private static let digits = Array("0123456789abcdef".utf8)
    private static let base64 = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// RFC 4648 §4, padded, in quotes.
    private static func appendBase64(_ value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(0x22)
        var index = value.startIndex
        while index < value.endIndex {
            let count = min(3, value.endIndex - index)
            var word = UInt32(value[index]) << 16
            if count > 1 { word |= UInt32(value[index + 1]) << 8 }
            if count > 2 { word |= UInt32(value[index + 2]) }
            for place in 0..<4 {
                let isPadding = place > count
                let sextet = Int(word >> UInt32(18 - 6 * place) & 63)
                bytes.append(isPadding ? 0x3d : base64[sextet])
            }
            index += count
        }
        bytes.append(0x22)
    }
}
