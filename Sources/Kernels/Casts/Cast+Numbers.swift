// Casts among numbers: float → integer half to even, numeric → integer half away from zero, float →
// numeric through 15 significant digits (real: 6).

import Columns
import Contracts
import Types

extension CastJob {
    mutating func numbers() -> ColumnValues {
        switch source.values {
        case .int64(let values):
            if type.isInteger { return .int64(narrowed(values)) }
            if type.isFloat { return .float64(floats(values)) }
            return .int128(scaled(values))
        case .int128(let values):
            if type.isInteger { return .int64(rounded(values)) }
            if type.isFloat { return .float64(floats(values)) }
            return .int128(rescaled(values))
        case .float64(let values):
            if type.isInteger { return .int64(rounded(values)) }
            if type == .real { return .float64(reals(values)) }
            return type == .double ? .float64(values) : .int128(decimals(values))
        default: return .null(count)
        }
    }

    private mutating func narrowed(_ values: [Int64]) -> [Int64] {
        let range = type.integerRange
        let lowest = range.lowerBound
        let highest = range.upperBound
        var failed = false
        for value in values { failed = failed || value < lowest || value > highest }
        if failed {
            for row in values.indices where !range.contains(values[row]) {
                fail(row, .outOfRange, "\(type) out of range")
            }
        }
        return values
    }

    private func floats(_ values: [Int64]) -> [Double] {
        type == .real ? mapped(values) { Double(Float($0)) } : mapped(values) { Double($0) }
    }

    private mutating func scaled(_ values: [Int64]) -> [Int128] {
        guard let (precision, scale) = type.exactDigits else { return [] }
        let factor = Numeric.powerOfTen(scale)
        // A value that fits has at most this magnitude, so its product does not overflow.
        let limit = Numeric.powerOfTen(precision - scale)
        var failed = false
        let results = mapped(values) { value in
            failed = failed || Int128(value) >= limit || Int128(value) <= -limit
            return Int128(value) &* factor
        }
        if failed {
            for row in values.indices where values[row].magnitude >= limit.magnitude {
                failDigits(row)
            }
        }
        return results
    }

    private mutating func failDigits(_ row: Int) {
        fail(row, .outOfRange, "value does not fit \(type)")
    }

    /// Runs a conversion; rows without a result are out of range.
    @inline(__always)
    private mutating func converted<Value: BitwiseCopyable, Result: BitwiseCopyable>(
        _ values: [Value], _ filler: Result, _ convert: (Value) -> Result?
    ) -> [Result] {
        var failed = false
        let results = mapped(values) { value in
            let result = convert(value)
            failed = failed || result == nil
            return result ?? filler
        }
        if failed {
            let detail = type.isNumeric ? "value does not fit \(type)" : "\(type) out of range"
            for row in values.indices where convert(values[row]) == nil {
                fail(row, .outOfRange, detail)
            }
        }
        return results
    }

    private mutating func rounded(_ values: [Int128]) -> [Int64] {
        let divisor = Numeric.powerOfTen(source.type.scale)
        let range = type.integerRange
        let lowest = Int128(range.lowerBound)
        let highest = Int128(range.upperBound)
        return converted(values, 0) { value in
            let whole = divisor == 1 ? value : Numeric.dividingRounded(value, divisor)
            return whole >= lowest && whole <= highest
                ? Int64(truncatingIfNeeded: whole) : nil
        }
    }

    private func floats(_ values: [Int128]) -> [Double] {
        let scale = source.type.scale
        return type == .real
            ? mapped(values) { Numeric.real($0, scale: scale) }
            : mapped(values) { Numeric.double($0, scale: scale) }
    }

    private mutating func rescaled(_ values: [Int128]) -> [Int128] {
        guard let (precision, scale) = type.exactDigits else { return [] }
        let from = source.type.scale
        return converted(values, 0) { value in
            guard let result = Numeric.rescale(value, from: from, to: scale),
                Numeric.fits(result, precision: precision)
            else { return nil }
            return result
        }
    }

    private mutating func rounded(_ values: [Double]) -> [Int64] {
        let range = type.integerRange
        let lowest = Double(range.lowerBound)
        // 2^63 is a double, 2^63 − 1 is not.
        let limit = type == .bigint ? 0x1p63 : Double(range.upperBound) + 1
        return converted(values, 0) { value in
            let whole = value.rounded(.toNearestOrEven)
            return whole >= lowest && whole < limit ? Int64(whole) : nil
        }
    }

    private mutating func reals(_ values: [Double]) -> [Double] {
        converted(values, 0) { value in
            let real = Double(Float(value))
            if real.isInfinite, value.isFinite { return nil }
            return real == 0 && value != 0 ? nil : real
        }
    }

    private mutating func decimals(_ values: [Double]) -> [Int128] {
        guard let (precision, scale) = type.exactDigits else { return [] }
        let isReal = source.type == .real
        return converted(values, 0) {
            Numeric.decimal($0, isReal: isReal, precision: precision, scale: scale)
        }
    }
}
