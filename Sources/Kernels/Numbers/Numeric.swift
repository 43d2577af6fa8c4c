// Exact decimal numbers: an Int128 and a scale that the type knows. Values have at most 38 digits;
// products and scaled dividends are 256 bits wide (dialect.md §3.1).

import Contracts
public import Types

public enum Numeric {
    /// 10^0 … 10^38.
    static let powersOfTen: [Int128] = {
        var powers: [Int128] = [1]
        for _ in 0..<38 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// 10^exponent, exponent in 0 … 38.
    public static func powerOfTen(_ exponent: Int) -> Int128 { powersOfTen[exponent] }

    /// Whether a value has at most `precision` digits.
    @inline(__always)
    static func fits(_ value: Int128, precision: Int) -> Bool {
        let limit = powersOfTen[precision]
        return value < limit && value > -limit
    }

    /// The same number at another scale: rounded half away from zero when digits are dropped, nil
    /// if it has more than 38 digits then.
    public static func rescale(_ value: Int128, from: Int, to: Int) -> Int128? {
        if from == to { return value }
        if from > to { return dividingRounded(value, powersOfTen[from - to]) }
        let (result, overflow) = value.multipliedReportingOverflow(by: powersOfTen[to - from])
        return overflow || !fits(result, precision: 38) ? nil : result
    }

    /// value ÷ divisor, half away from zero; divisor > 0.
    static func dividingRounded(_ value: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        let rest = remainder.magnitude
        guard rest >= divisor.magnitude - rest else { return quotient }
        return value < 0 ? quotient - 1 : quotient + 1
    }

    /// left × 10^exponent ÷ right, half away from zero; nil if it has more than 38 digits. right ≠
    /// 0, exponent in 0 … 76.
    public static func quotient(_ left: Int128, _ right: Int128, exponent: Int) -> Int128? {
        if exponent <= 38 {
            let (scaled, overflow) = left.multipliedReportingOverflow(by: powersOfTen[exponent])
            if !overflow, scaled != .min, right != .min {
                let value = dividingRounded(
                    right < 0 ? -scaled : scaled, right < 0 ? -right : right)
                return fits(value, precision: 38) ? value : nil
            }
        }
        return wideQuotient(left, right, exponent: exponent)
    }

    /// The same with a 256-bit dividend. A dividend of more bits would have a quotient of more than
    /// 38 digits: right has at most 38, and 10^76 < 2^256.
    static func wideQuotient(_ left: Int128, _ right: Int128, exponent: Int) -> Int128? {
        let divisor = right.magnitude
        var dividend = left.magnitude.multipliedFullWidth(
            by: powersOfTen[exponent > 38 ? exponent - 38 : exponent].magnitude)
        if exponent > 38 {
            if dividend.high != 0 { return nil }
            dividend = dividend.low.multipliedFullWidth(by: powersOfTen[38].magnitude)
        }
        guard dividend.high < divisor else { return nil }
        var (quotient, remainder) = divisor.dividingFullWidth((dividend.high, dividend.low))
        if remainder >= divisor - remainder { quotient += 1 }
        guard quotient < powersOfTen[38].magnitude else { return nil }
        let value = Int128(quotient)
        return (left < 0) != (right < 0) ? -value : value
    }

    /// left × right; nil if it has more than 38 digits.
    static func product(_ left: Int128, _ right: Int128) -> Int128? {
        let (value, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow || !fits(value, precision: 38) ? nil : value
    }

    /// The remainder, with the sign of the dividend, of two numbers of different scales at the
    /// greater one. right ≠ 0.
    static func remainder(
        _ left: Int128, scale leftScale: Int, _ right: Int128, scale rightScale: Int
    ) -> Int128 {
        let scale = max(leftScale, rightScale)
        let dividend = left.magnitude.multipliedFullWidth(
            by: powersOfTen[scale - leftScale].magnitude)
        let divisor = right.magnitude.multipliedFullWidth(
            by: powersOfTen[scale - rightScale].magnitude)
        // A divisor of more than 128 bits stands at the greater scale's dividend, which is smaller.
        guard divisor.high == 0 else { return left }
        let high = dividend.high % divisor.low
        let value = Int128(divisor.low.dividingFullWidth((high, dividend.low)).remainder)
        return left < 0 ? -value : value
    }
}

extension LogicalType {
    /// Digits and scale as an exact number; integers count as numeric(5|10|19,0).
    public var exactDigits: (precision: Int, scale: Int)? {
        switch self {
        case .smallint: (5, 0)
        case .integer: (10, 0)
        case .bigint: (19, 0)
        case .numeric(let precision, let scale): (precision, scale)
        default: nil
        }
    }

    /// 0 for everything but numerics.
    var scale: Int {
        if case .numeric(_, let scale) = self { scale } else { 0 }
    }
}
