// The bytes of values, column by column when rows are written, value by value when they are read.

import Columns
import Contracts
import Types

/// A column made ready to be written: flat types by their own loops, nested ones encoded
/// beforehand.
struct EncodingColumn {
    private enum Values {
        case bool([Bool])
        case int64([Int64])
        case int128([Int128])
        case float64([Double])
        case bytes(ByteColumn)
        /// Values encoded already, tag and all: intervals, lists, rows.
        case encoded([[UInt8]])
        case null
    }

    private let values: Values
    private let validity: Validity

    init(_ column: Column, form: RowCodec.Form) {
        validity = column.validity
        switch column.values {
        case .bool(let values): self.values = .bool(values)
        case .int64(let values): self.values = .int64(values)
        case .int128(let values): self.values = .int128(values)
        case .float64(let values):
            self.values = .float64(form == .canonical ? values.map(canonicalFloat) : values)
        case .bytes(let bytes): self.values = .bytes(bytes)
        case .null: self.values = .null
        case .interval, .list, .row:
            self.values = .encoded(
                (0..<column.count).map { row in
                    var bytes: [UInt8] = []
                    appendScalar(column.scalar(row), form: form, to: &bytes)
                    return bytes
                })
        }
    }

    /// Adds each row's size to `sizes`.
    func addSizes(_ rows: [Int32], to sizes: inout [Int]) {
        switch values {
        case .bool, .null: for index in rows.indices { sizes[index] += 1 }
        case .int64(let values):
            for (index, row) in rows.enumerated() {
                sizes[index] += isNull(row) ? 1 : 1 + zigzagWidth(values[Int(row)])
            }
        case .int128:
            for (index, row) in rows.enumerated() { sizes[index] += isNull(row) ? 1 : 17 }
        case .float64:
            for (index, row) in rows.enumerated() { sizes[index] += isNull(row) ? 1 : 9 }
        case .bytes(let bytes):
            for (index, row) in rows.enumerated() {
                let length = bytes.ranges[Int(row)].count
                sizes[index] += isNull(row) ? 1 : varintWidth(UInt64(length) + 1) + length
            }
        case .encoded(let values):
            for (index, row) in rows.enumerated() { sizes[index] += values[Int(row)].count }
        }
    }

    /// Writes each row's value at its cursor and moves the cursor behind it.
    func write(_ rows: [Int32], into bytes: inout [UInt8], cursors: inout [Int]) {
        switch values {
        case .null: for index in rows.indices { cursors[index] += 1 }
        case .bool(let values):
            for (index, row) in rows.enumerated() {
                if !isNull(row) { bytes[cursors[index]] = values[Int(row)] ? 2 : 1 }
                cursors[index] += 1
            }
        case .int64(let values):
            for (index, row) in rows.enumerated() {
                guard !isNull(row) else {
                    cursors[index] += 1
                    continue
                }
                let width = zigzagWidth(values[Int(row)])
                bytes[cursors[index]] = UInt8(1 + width)
                put(zigzag(values[Int(row)]), width, into: &bytes, at: cursors[index] + 1)
                cursors[index] += 1 + width
            }
        case .int128(let values):
            for (index, row) in rows.enumerated() where !skipNull(row, index, &cursors) {
                let bits = UInt128(bitPattern: values[Int(row)])
                bytes[cursors[index]] = 1
                put(UInt64(truncatingIfNeeded: bits), 8, into: &bytes, at: cursors[index] + 1)
                put(
                    UInt64(truncatingIfNeeded: bits >> 64), 8, into: &bytes,
                    at: cursors[index] + 9)
                cursors[index] += 17
            }
        case .float64(let values):
            for (index, row) in rows.enumerated() where !skipNull(row, index, &cursors) {
                bytes[cursors[index]] = 1
                put(values[Int(row)].bitPattern, 8, into: &bytes, at: cursors[index] + 1)
                cursors[index] += 9
            }
        case .bytes(let column): write(column, rows, into: &bytes, cursors: &cursors)
        case .encoded(let values):
            for (index, row) in rows.enumerated() {
                for byte in values[Int(row)] {
                    bytes[cursors[index]] = byte
                    cursors[index] += 1
                }
            }
        }
    }

    private func write(
        _ column: ByteColumn, _ rows: [Int32], into bytes: inout [UInt8], cursors: inout [Int]
    ) {
        for (index, row) in rows.enumerated() where !skipNull(row, index, &cursors) {
            let range = column.ranges[Int(row)]
            var cursor = cursors[index]
            var length = UInt64(range.count) + 1
            while length >= 0x80 {
                bytes[cursor] = UInt8(truncatingIfNeeded: length) | 0x80
                length >>= 7
                cursor += 1
            }
            bytes[cursor] = UInt8(length)
            cursor += 1
            for position in range.lowerBound..<range.upperBound {
                bytes[cursor] = column.data[position]
                cursor += 1
            }
            cursors[index] = cursor
        }
    }

    @inline(__always)
    private func isNull(_ row: Int32) -> Bool {
        if let validity { return !validity[Int(row)] }
        return false
    }

    /// A NULL's tag is the 0 that stands there.
    @inline(__always)
    private func skipNull(_ row: Int32, _ index: Int, _ cursors: inout [Int]) -> Bool {
        guard isNull(row) else { return false }
        cursors[index] += 1
        return true
    }
}

@inline(__always)
private func zigzagWidth(_ value: Int64) -> Int { (71 - zigzag(value).leadingZeroBitCount) / 8 }

@inline(__always)
private func varintWidth(_ value: UInt64) -> Int {
    max(1, (70 - value.leadingZeroBitCount) / 7)
}

@inline(__always)
private func put(_ word: UInt64, _ width: Int, into bytes: inout [UInt8], at start: Int) {
    for index in 0..<width {
        bytes[start + index] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(index)))
    }
}

/// The one representation of equal floats: no −0.0, one NaN.
func canonicalFloat(_ value: Double) -> Double {
    value.isNaN ? Double.nan : value == 0 ? 0 : value
}

/// The one representation of equal intervals.
func canonicalInterval(_ value: IntervalValue) -> IntervalValue {
    let day = Int128(IntervalValue.microsecondsPerDay)
    let narrow = Int128(Int32.min)...Int128(Int32.max)
    func clamped(_ count: Int128) -> Int128 {
        min(max(count, narrow.lowerBound), narrow.upperBound)
    }
    let months = clamped(value.span / (30 * day))
    let afterMonths = value.span - months * 30 * day
    let days = clamped(afterMonths / day)
    return IntervalValue(
        months: Int32(months), days: Int32(days), microseconds: Int64(afterMonths - days * day))
}

/// One value's bytes; for nested types and constants.
private func appendScalar(_ scalar: Scalar, form: RowCodec.Form, to bytes: inout [UInt8]) {
    switch scalar {
    case .null: bytes.append(0)
    case .bool(let value): bytes.append(value ? 2 : 1)
    case .int64(let value):
        let start = bytes.count
        bytes.appendSigned(value)
        bytes[start] += 1
    case .int128(let value):
        bytes.append(1)
        bytes.appendInt128(value)
    case .float64(let value):
        bytes.append(1)
        bytes.appendDouble(form == .canonical ? canonicalFloat(value) : value)
    case .bytes(let value):
        bytes.appendVarint(UInt64(value.count) + 1)
        bytes.append(contentsOf: value)
    case .interval(let value):
        let value = form == .canonical ? canonicalInterval(value) : value
        bytes.append(1)
        bytes.appendSigned(Int64(value.months))
        bytes.appendSigned(Int64(value.days))
        bytes.appendSigned(value.microseconds)
    case .list(let elements):
        bytes.appendVarint(UInt64(elements.count) + 1)
        for element in elements { appendScalar(element, form: form, to: &bytes) }
    case .row(let fields):
        bytes.append(1)
        for field in fields { appendScalar(field, form: form, to: &bytes) }
    }
}

func decodeScalar(_ type: LogicalType, _ reader: inout ByteReader) throws(Failure) -> Scalar {
    switch type.physical {
    case .bytes, .list:
        let tag = try reader.varint()
        guard tag > 0 else { return .null }
        guard tag - 1 <= UInt64(reader.end - reader.position) else {
            throw ByteReader.damaged("ends early")
        }
        guard case .array(let element) = type else {
            return .bytes(Array(try reader.take(Int(tag - 1))))
        }
        var elements: [Scalar] = []
        for _ in 0..<(tag - 1) { elements.append(try decodeScalar(element, &reader)) }
        return .list(elements)
    default: break
    }
    let tag = try reader.byte()
    guard tag > 0 else { return .null }
    switch type.physical {
    case .bool: return .bool(tag == 2)
    case .int64:
        guard tag <= 9 else { throw ByteReader.damaged("has a wide integer") }
        return .int64(unzigzag(try reader.word(width: Int(tag) - 1)))
    case .int128: return .int128(try reader.int128())
    case .float64: return .float64(try reader.double())
    case .interval:
        guard let months = Int32(exactly: try reader.signed()),
            let days = Int32(exactly: try reader.signed())
        else { throw ByteReader.damaged("has a wide interval") }
        return .interval(
            IntervalValue(months: months, days: days, microseconds: try reader.signed()))
    case .row:
        guard case .row(let row) = type else { return .null }
        var fields: [Scalar] = []
        for field in row.fields { fields.append(try decodeScalar(field.type, &reader)) }
        return .row(fields)
    case .null, .bytes, .list: throw ByteReader.damaged("has a value of no type")
    }
}
