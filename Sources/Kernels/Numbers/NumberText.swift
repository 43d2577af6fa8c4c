// Numbers from and to UTF-8 text, without allocating: for JSON, CSV, casts and printing.

/// What came of reading a number.
public enum NumberOutcome<Value: Sendable>: Sendable {
    case value(Value)
    /// Not a number as it is written.
    case malformed
    /// A number beyond the type.
    case outOfRange
    /// A number with a non-zero digit behind the last one that the type keeps.
    case inexact

    /// The value, if there is one.
    public var value: Value? { if case .value(let value) = self { value } else { nil } }
}

public enum NumberText {
    /// `[+-]digits`, nothing around; nil if it is written otherwise or beyond 64 bits.
    public static func parseInteger(_ bytes: Span<UInt8>) -> Int64? {
        var index = 0
        var isNegative = false
        if !bytes.isEmpty, bytes[0] == plus || bytes[0] == minus {
            isNegative = bytes[0] == minus
            index = 1
        }
        guard index < bytes.count else { return nil }
        var value: Int64 = 0
        var failed = false
        while index < bytes.count {
            let digit = bytes[index] &- zero
            if digit > 9 { return nil }
            let (scaled, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = scaled.subtractingReportingOverflow(Int64(digit))
            failed = failed || first || second
            value = sum
            index += 1
        }
        // Counted downwards, for the lowest value has no positive twin.
        if failed || (!isNegative && value == .min) { return nil }
        return isNegative ? value : -value
    }

    /// A decimal number at a scale: `1`, `-1.50`, `1e3`, `.5`. Digits behind the scale must be
    /// zeros.
    public static func parseDecimal(
        _ bytes: Span<UInt8>, precision: Int, scale: Int
    ) -> NumberOutcome<Int128> {
        guard let number = ScannedNumber(bytes) else { return .malformed }
        return number.unscaled(bytes, precision: precision, scale: scale, rounds: false)
    }

    /// The same, rounding half away from zero.
    public static func parseRoundedDecimal(
        _ bytes: Span<UInt8>, precision: Int, scale: Int
    ) -> NumberOutcome<Int128> {
        guard let number = ScannedNumber(bytes) else { return .malformed }
        return number.unscaled(bytes, precision: precision, scale: scale, rounds: true)
    }

    /// An integer, which may be written as `1.0` or `1e3`, as in JSON.
    public static func parseWholeNumber(_ bytes: Span<UInt8>) -> NumberOutcome<Int64> {
        if let value = parseInteger(bytes) { return .value(value) }
        switch parseDecimal(bytes, precision: 38, scale: 0) {
        case .value(let value): return Int64(exactly: value).map { .value($0) } ?? .outOfRange
        case .malformed: return .malformed
        case .outOfRange: return .outOfRange
        case .inexact: return .inexact
        }
    }

    /// The nearest double of a decimal number; infinite if it is beyond the range, nil if it is not
    /// written as a decimal number (`NaN` and `Infinity` are not).
    public static func parseDouble(_ bytes: Span<UInt8>) -> Double? {
        guard let number = ScannedNumber(bytes) else { return nil }
        // Clinger's fast path: both factors are exact, so one rounding is made.
        if let digits = number.significand(bytes), digits < 1 << 53, abs(number.exponent) <= 22 {
            let power = Numeric.doublePowers[abs(number.exponent)]
            let value = number.exponent < 0 ? Double(digits) / power : Double(digits) * power
            return number.isNegative ? -value : value
        }
        return Double(text(bytes))
    }

    /// The nearest float of a decimal number, as a double.
    public static func parseReal(_ bytes: Span<UInt8>) -> Double? {
        guard let number = ScannedNumber(bytes) else { return nil }
        if let digits = number.significand(bytes), digits < 1 << 24, abs(number.exponent) <= 10 {
            let power = Float(Numeric.doublePowers[abs(number.exponent)])
            let value = number.exponent < 0 ? Float(digits) / power : Float(digits) * power
            return Double(number.isNegative ? -value : value)
        }
        return Float(text(bytes)).map { Double($0) }
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
    }

    static let zero = UInt8(ascii: "0")
    static let plus = UInt8(ascii: "+")
    static let minus = UInt8(ascii: "-")
    static let point = UInt8(ascii: ".")
}

/// A decimal number taken apart: digits × 10^exponent.
private struct ScannedNumber {
    var isNegative = false
    /// Where digits and a point stand.
    var start = 0
    var end = 0
    /// All digits, leading zeros too.
    var digitCount = 0
    /// Of the last digit.
    var exponent = 0

    /// Longer exponents say no more: the longest number that is looked at is shorter.
    private static let exponentLimit = 1_000_000_000

    init?(_ bytes: Span<UInt8>) {
        var index = 0
        if !bytes.isEmpty, bytes[0] == NumberText.plus || bytes[0] == NumberText.minus {
            isNegative = bytes[0] == NumberText.minus
            index = 1
        }
        start = index
        var pointIndex = -1
        while index < bytes.count {
            if bytes[index] &- NumberText.zero <= 9 {
                digitCount += 1
            } else if bytes[index] == NumberText.point, pointIndex < 0 {
                pointIndex = index
            } else {
                break
            }
            index += 1
        }
        end = index
        guard digitCount > 0 else { return nil }
        if pointIndex >= 0 { exponent = pointIndex + 1 - end }
        guard index < bytes.count else { return }
        guard bytes[index] | 0x20 == UInt8(ascii: "e") else { return nil }
        guard let written = ScannedNumber.exponent(bytes, from: index + 1) else { return nil }
        exponent += written
    }

    private static func exponent(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        var isNegative = false
        if index < bytes.count, bytes[index] == NumberText.plus || bytes[index] == NumberText.minus
        {
            isNegative = bytes[index] == NumberText.minus
            index += 1
        }
        guard index < bytes.count else { return nil }
        var value = 0
        while index < bytes.count {
            let digit = bytes[index] &- NumberText.zero
            if digit > 9 { return nil }
            value = min(value * 10 + Int(digit), exponentLimit)
            index += 1
        }
        return isNegative ? -value : value
    }

    /// The digits as one number, if they fit.
    func significand(_ bytes: Span<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for index in start..<end {
            let digit = bytes[index] &- NumberText.zero
            if digit > 9 { continue }
            if value >= 1_000_000_000_000_000_000 { return nil }
            value = value * 10 + UInt64(digit)
        }
        return value
    }

    /// The number at a scale.
    func unscaled(
        _ bytes: Span<UInt8>, precision: Int, scale: Int, rounds: Bool
    ) -> NumberOutcome<Int128> {
        let kept = digitCount + exponent + scale
        var value: Int128 = 0
        var seen = 0
        var roundsUp = false
        var isInexact = false
        for index in start..<end {
            let digit = bytes[index] &- NumberText.zero
            if digit > 9 { continue }
            if seen < kept {
                if value >= Numeric.powersOfTen[37] { return .outOfRange }
                value = value * 10 + Int128(digit)
            } else {
                if seen == kept { roundsUp = digit >= 5 }
                isInexact = isInexact || digit != 0
            }
            seen += 1
        }
        if isInexact, !rounds { return .inexact }
        if kept > digitCount, value != 0 {
            guard kept - digitCount <= 38 else { return .outOfRange }
            let (scaled, overflow) = value.multipliedReportingOverflow(
                by: Numeric.powersOfTen[kept - digitCount])
            if overflow { return .outOfRange }
            value = scaled
        }
        if roundsUp { value += 1 }
        guard Numeric.fits(value, precision: precision) else { return .outOfRange }
        return .value(isNegative ? -value : value)
    }
}
