// Stored values to a column of the type that the annotation says.

import Columns
import Contracts
import Types

extension RawValues {
    /// One value a row: `isValid` spreads the values out, fillers stand under NULLs.
    func column(_ leaf: Leaf, _ validity: [Bool]?) throws(Failure) -> Column {
        let values: ColumnValues
        switch kind {
        case .bools: values = .bool(spread(bools, validity, filler: false))
        case .floats: values = .float64(spread(floats, validity, filler: 0))
        case .integers: values = integerValues(leaf, validity)
        case .bytes: values = try byteValues(leaf, validity)
        }
        return Column(leaf.type, values, validity: validity)
    }

    private func integerValues(_ leaf: Leaf, _ validity: [Bool]?) -> ColumnValues {
        switch leaf.annotation {
        case .decimal:
            return .int128(spread(integers.map { Int128($0) }, validity, filler: 0))
        case .integer(64, isSigned: false):
            let values = integers.map { Int128(UInt64(bitPattern: $0)) }
            return .int128(spread(values, validity, filler: 0))
        case .integer(let bits, isSigned: false):
            let mask = Int64(1) << Int64(bits) - 1
            return .int64(spread(integers.map { $0 & mask }, validity, filler: 0))
        case .time(let unit) where leaf.storage != .int96,
            .timestamp(let unit, _) where leaf.storage != .int96:
            return .int64(spread(integers.map { inMicroseconds($0, unit) }, validity, filler: 0))
        default: return .int64(spread(integers, validity, filler: 0))
        }
    }

    private func byteValues(_ leaf: Leaf, _ validity: [Bool]?) throws(Failure) -> ColumnValues {
        switch leaf.type {
        case .numeric, .uuid:
            var values: [Int128] = []
            values.reserveCapacity(ranges.count)
            for range in ranges {
                values.append(try bigEndian(range, isUUID: leaf.type == .uuid))
            }
            return .int128(spread(values, validity, filler: 0))
        case .real: return .float64(spread(ranges.map(half), validity, filler: 0))
        case .interval: return .interval(spread(ranges.map(interval), validity, filler: .init()))
        default:
            let empty = ValueRange(start: 0, length: 0)
            return .bytes(
                ByteColumn(ranges: spread(ranges, validity, filler: empty), data: data))
        }
    }

    private func bigEndian(_ range: ValueRange, isUUID: Bool) throws(Failure) -> Int128 {
        var bits: UInt128 = 0
        let first = range.count > 0 ? data[range.lowerBound] : 0
        if first & 0x80 != 0 { bits = .max }
        let sign = bits
        for (offset, byte) in data[range.lowerBound..<range.upperBound].enumerated() {
            // What is longer than 16 bytes must be sign only.
            if range.count - offset > 16, byte != UInt8(truncatingIfNeeded: sign) {
                throw unsupported("a decimal of more than 38 digits")
            }
            bits = bits << 8 | UInt128(byte)
        }
        if isUUID { bits ^= UInt128(1) << 127 }
        return Int128(truncatingIfNeeded: bits)
    }

    private func half(_ range: ValueRange) -> Double {
        let bits = UInt16(data[range.lowerBound]) | UInt16(data[range.lowerBound + 1]) << 8
        let exponent = Int(bits >> 10 & 0x1f)
        let fraction = Double(bits & 0x3ff)
        let size: Double
        switch exponent {
        case 0: size = fraction * 0x1p-24
        case 31: size = fraction == 0 ? .infinity : .nan
        default:
            size = Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1_024)
        }
        return bits & 0x8000 != 0 ? -size : size
    }

    private func interval(_ range: ValueRange) -> IntervalValue {
        let at = range.lowerBound
        return IntervalValue(
            months: Int32(bitPattern: loadLittleEndian32(data, at: at)),
            days: Int32(bitPattern: loadLittleEndian32(data, at: at + 4)),
            microseconds: Int64(loadLittleEndian32(data, at: at + 8)) * 1_000)
    }
}

/// Rounded towards the past; what does not fit becomes ±infinity.
private func inMicroseconds(_ value: Int64, _ unit: TimeUnit) -> Int64 {
    switch unit {
    case .microseconds: return value
    case .nanoseconds: return value >= 0 ? value / 1_000 : -((-(value + 1)) / 1_000) - 1
    case .milliseconds:
        let (product, overflow) = value.multipliedReportingOverflow(by: 1_000)
        return overflow ? (value > 0 ? .max : .min) : product
    }
}

private func spread<Value>(_ values: [Value], _ validity: [Bool]?, filler: Value) -> [Value] {
    guard let validity else { return values }
    var output: [Value] = []
    output.reserveCapacity(validity.count)
    var next = 0
    for isValid in validity {
        output.append(isValid ? values[next] : filler)
        if isValid { next += 1 }
    }
    return output
}
