// Text as values of any type, as PostgreSQL's input functions read it: white space around is
// ignored (not by bytea), anything else that is not the type's is an error of the row.

import Columns
import Contracts
import Types

extension CastJob {
    mutating func parsed(_ bytes: ByteColumn) -> ColumnValues {
        switch type.physical {
        case .bool: return .bool(read(bytes, false) { TextInput.boolean($0) })
        case .int64: return .int64(readIntegers(bytes))
        case .float64:
            let isReal = type == .real
            return .float64(read(bytes, 0) { TextInput.float($0, isReal: isReal) })
        case .int128:
            if type == .uuid { return .int128(read(bytes, 0) { outcome(UUIDText.parse($0)) }) }
            let (precision, scale) = type.exactDigits ?? (38, 0)
            return .int128(
                read(bytes, 0) {
                    NumberText.parseRoundedDecimal($0, precision: precision, scale: scale)
                })
        case .interval:
            return .interval(read(bytes, IntervalValue()) { outcome(IntervalText.parse($0)) })
        case .bytes:
            if type == .bytea { return readScalars(bytes) }
            for row in 0..<count where source.isValid(row) {
                if !JSONSyntax.isValid(bytes[row]) { failSyntax(row, bytes) }
            }
            return .bytes(bytes)
        case .list, .row: return readScalars(bytes)
        case .null: return .null(count)
        }
    }

    private mutating func readIntegers(_ bytes: ByteColumn) -> [Int64] {
        switch type {
        case .date: return read(bytes, 0) { outcome(CivilTime.parseDate($0)) }
        case .time: return read(bytes, 0) { outcome(CivilTime.parseTime($0)) }
        case .timestamp: return read(bytes, 0) { outcome(CivilTime.parseTimestamp($0)) }
        case .timestamptz: return read(bytes, 0) { outcome(CivilTime.parseTimestampTZ($0)) }
        default:
            let range = type.integerRange
            return read(bytes, 0) { TextInput.integer($0, range) }
        }
    }

    /// Reads each row without the white space around it.
    @inline(__always)
    private mutating func read<Value: BitwiseCopyable>(
        _ bytes: ByteColumn, _ filler: Value, _ parse: (Span<UInt8>) -> NumberOutcome<Value>
    ) -> [Value] {
        var output: [Value] = []
        output.reserveCapacity(bytes.ranges.count)
        let data = bytes.data.span
        for row in bytes.ranges.indices {
            guard source.isValid(row) else {
                output.append(filler)
                continue
            }
            let (start, end) = trimmed(data, bytes.ranges[row])
            let result = parse(data.extracting(start..<end))
            output.append(result.value ?? filler)
            switch result {
            case .value: break
            case .outOfRange: fail(row, .outOfRange, "value is out of range for type \(type)")
            case .malformed, .inexact: failSyntax(row, bytes)
            }
        }
        return output
    }

    /// Nested values and bytea.
    private mutating func readScalars(_ bytes: ByteColumn) -> ColumnValues {
        var builder = ColumnBuilder(type, capacity: count)
        for row in 0..<count {
            guard source.isValid(row) else {
                builder.appendNull()
                continue
            }
            let text = Array(bytes[row])
            let scalar = TextInput.scalar(text, type)
            if scalar == nil { failSyntax(row, bytes) }
            builder.append(scalar ?? .null)
        }
        return builder.finish().values
    }

    /// Says what could not be read, cut to a length that a message can hold.
    private mutating func failSyntax(_ row: Int, _ bytes: ByteColumn) {
        let limit = 64
        let text = String(decoding: bytes[row].prefix(limit), as: UTF8.self)
        let dots = bytes[row].count > limit ? "…" : ""
        fail(row, .invalidCast, "invalid input syntax for type \(type): \"\(text)\(dots)\"")
    }
}

private func outcome<Value: Sendable>(_ value: Value?) -> NumberOutcome<Value> {
    value.map { .value($0) } ?? .malformed
}

private func trimmed(_ data: Span<UInt8>, _ range: ValueRange) -> (start: Int, end: Int) {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, ValueText.isSpace(data[start]) { start += 1 }
    while end > start, ValueText.isSpace(data[end - 1]) { end -= 1 }
    return (start, end)
}

/// Single values from text.
enum TextInput {
    static func integer(
        _ bytes: Span<UInt8>, _ range: ClosedRange<Int64>
    ) -> NumberOutcome<Int64> {
        if let value = NumberText.parseInteger(bytes) {
            return range.contains(value) ? .value(value) : .outOfRange
        }
        var index = 0
        if !bytes.isEmpty, bytes[0] == NumberText.plus || bytes[0] == NumberText.minus { index = 1 }
        if index == bytes.count { return .malformed }
        while index < bytes.count {
            if bytes[index] &- NumberText.zero > 9 { return .malformed }
            index += 1
        }
        return .outOfRange
    }

    /// true, false, yes, no, on, off, their beginnings where they are unique, 1 and 0.
    static func boolean(_ bytes: Span<UInt8>) -> NumberOutcome<Bool> {
        if bytes.count == 1, bytes[0] == UInt8(ascii: "1") { return .value(true) }
        if bytes.count == 1, bytes[0] == UInt8(ascii: "0") { return .value(false) }
        if isPrefix(bytes, of: "true") || isPrefix(bytes, of: "yes") { return .value(true) }
        if isPrefix(bytes, of: "false") || isPrefix(bytes, of: "no") { return .value(false) }
        guard bytes.count > 1 else { return .malformed }
        if isPrefix(bytes, of: "on") { return .value(true) }
        return isPrefix(bytes, of: "off") ? .value(false) : .malformed
    }

    /// Whether the bytes are one or more first letters of a word in lower case.
    private static func isPrefix(_ bytes: Span<UInt8>, of word: String) -> Bool {
        guard !bytes.isEmpty, bytes.count <= word.utf8.count else { return false }
        var index = 0
        for letter in word.utf8.prefix(bytes.count) {
            if bytes[index] | 0x20 != letter { return false }
            index += 1
        }
        return true
    }

    /// A decimal number, NaN, or an infinity; a number that becomes infinite or vanishes is out of
    /// range.
    static func float(_ bytes: Span<UInt8>, isReal: Bool) -> NumberOutcome<Double> {
        guard let value = isReal ? NumberText.parseReal(bytes) : NumberText.parseDouble(bytes)
        else {
            return special(bytes)
        }
        if value.isInfinite { return .outOfRange }
        return value == 0 && hasDigit(bytes) ? .outOfRange : .value(value)
    }

    /// Whether a digit other than 0 stands before the exponent.
    private static func hasDigit(_ bytes: Span<UInt8>) -> Bool {
        for index in 0..<bytes.count {
            if bytes[index] | 0x20 == UInt8(ascii: "e") { return false }
            if bytes[index] >= UInt8(ascii: "1"), bytes[index] <= UInt8(ascii: "9") { return true }
        }
        return false
    }

    private static func special(_ bytes: Span<UInt8>) -> NumberOutcome<Double> {
        guard bytes.count <= 9 else { return .malformed }
        let word = String(decoding: (0..<bytes.count).map { bytes[$0] | 0x20 }, as: UTF8.self)
        switch word {
        case "nan": return .value(.nan)
        case "inf", "infinity", "+inf", "+infinity": return .value(.infinity)
        case "-inf", "-infinity": return .value(-.infinity)
        default: return .malformed
        }
    }

    /// A value of any type; nil if the text is not one. For what is nested, and constants.
    static func scalar(_ text: [UInt8], _ type: LogicalType) -> Scalar? {
        switch type {
        case .text: return .bytes(text)
        case .bytea: return ByteaText.parse(text).map { .bytes($0) }
        case .array(let element): return NestedText.array(text, element)
        case .row(let row): return NestedText.row(text, row)
        default:
            var errors = RowErrors()
            let column = Cast.column(
                Column(.text, repeating: .bytes(text), count: 1), to: type, place: nil,
                errors: &errors)
            return errors.isEmpty ? column.scalar(0) : nil
        }
    }
}

/// `\x0aff`, or PostgreSQL's older escapes: `\\`, `\012`.
enum ByteaText {
    static func parse(_ text: [UInt8]) -> [UInt8]? {
        if text.starts(with: "\\x".utf8) { return hexadecimal(text[2...]) }
        var output: [UInt8] = []
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "\\") else {
                output.append(text[index])
                index += 1
                continue
            }
            if index + 1 < text.count, text[index + 1] == UInt8(ascii: "\\") {
                output.append(text[index])
                index += 2
                continue
            }
            guard let byte = octal(text[(index + 1)...].prefix(3)) else { return nil }
            output.append(byte)
            index += 4
        }
        return output
    }

    /// Pairs of digits, white space between pairs.
    private static func hexadecimal(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        var high: UInt8?
        for byte in text {
            if high == nil, ValueText.isSpace(byte) { continue }
            guard let digit = UUIDText.hexadecimalValue(byte) else { return nil }
            if let first = high {
                output.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? output : nil
    }

    private static func octal(_ digits: ArraySlice<UInt8>) -> UInt8? {
        guard digits.count == 3 else { return nil }
        var value = 0
        for digit in digits {
            guard digit &- NumberText.zero < 8 else { return nil }
            value = value * 8 + Int(digit &- NumberText.zero)
        }
        return UInt8(exactly: value)
    }
}
