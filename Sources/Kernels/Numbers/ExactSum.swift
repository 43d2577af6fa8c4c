// Sums that do not depend on the order of their terms (dialect.md §3.2): integers in 256 bits. They
// may run over any narrower type on the way; whether the result fits is judged when it is read.

public import Types

/// The exact sum of integers or unscaled numerics, wrapping at 256 bits (two's complement): more
/// than 10^38 terms of 38 digits, or five squares of such.
@frozen
public struct IntegerSum: Sendable, Hashable, BitwiseCopyable {
    public var high: Int128
    public var low: UInt128

    @inlinable
    public init() {
        high = 0
        low = 0
    }

    @inlinable
    public mutating func add(_ value: Int128) {
        let (sum, carries) = low.addingReportingOverflow(UInt128(truncatingIfNeeded: value))
        low = sum
        high = high &+ (value >> 127) &+ (carries ? 1 : 0)
    }

    @inlinable
    public mutating func subtract(_ value: Int128) {
        let (rest, borrows) = low.subtractingReportingOverflow(UInt128(truncatingIfNeeded: value))
        low = rest
        high = high &- (value >> 127) &- (borrows ? 1 : 0)
    }

    @inlinable
    public mutating func add(_ value: Int64) { add(Int128(value)) }

    @inlinable
    public mutating func subtract(_ value: Int64) { subtract(Int128(value)) }

    /// `change` times the value: +1 or −1 rows of an updating stream.
    @inlinable
    public mutating func add(_ value: Int128, change: Int8) {
        if change > 0 { add(value) } else { subtract(value) }
    }

    /// For variances.
    @inlinable
    public mutating func addSquare(of value: Int128, change: Int8) {
        let square = value.magnitude.multipliedFullWidth(by: value.magnitude)
        if change > 0 {
            let (sum, carries) = low.addingReportingOverflow(square.low)
            low = sum
            high = high &+ Int128(truncatingIfNeeded: square.high) &+ (carries ? 1 : 0)
        } else {
            let (rest, borrows) = low.subtractingReportingOverflow(square.low)
            low = rest
            high = high &- Int128(truncatingIfNeeded: square.high) &- (borrows ? 1 : 0)
        }
    }

    /// Adds another part of the same sum.
    @inlinable
    public mutating func merge(_ other: IntegerSum) {
        let (sum, carries) = low.addingReportingOverflow(other.low)
        low = sum
        high = high &+ other.high &+ (carries ? 1 : 0)
    }

    /// The sum as an Int128; nil if it is wider.
    public var int128: Int128? {
        let value = Int128(truncatingIfNeeded: low)
        return high == value >> 127 ? value : nil
    }

    /// The sum as a value of an integer type or a numeric; nil if it does not fit.
    public func value(as type: LogicalType) -> Int128? {
        guard let value = int128 else { return nil }
        if case .numeric(let precision, _) = type {
            return Numeric.fits(value, precision: precision) ? value : nil
        }
        return type.integerRange.contains(clamping: value) ? value : nil
    }

    /// sum ÷ count with `resultScale` digits, half away from zero; nil if it has more than 38
    /// digits. count > 0, resultScale ≥ scale, both at most 38.
    public func average(count: Int64, scale: Int, resultScale: Int) -> Int128? {
        let divisor = UInt128(count.magnitude)
        let (isNegative, top, bottom) = magnitude
        guard top < divisor else { return nil }
        let (whole, rest) = divisor.dividingFullWidth((top, bottom))
        let power = Numeric.powerOfTen(resultScale - scale).magnitude
        let (scaled, overflow) = whole.multipliedReportingOverflow(by: power)
        var (fraction, remainder) = divisor.dividingFullWidth(rest.multipliedFullWidth(by: power))
        if remainder >= divisor - remainder { fraction += 1 }
        let (value, carries) = scaled.addingReportingOverflow(fraction)
        guard !overflow, !carries, value < Numeric.powerOfTen(38).magnitude else { return nil }
        return isNegative ? -Int128(value) : Int128(value)
    }

    var magnitude: (isNegative: Bool, high: UInt128, low: UInt128) {
        if high >= 0 { return (false, UInt128(truncatingIfNeeded: high), low) }
        let (negated, carries) = (~low).addingReportingOverflow(1)
        let top = UInt128(truncatingIfNeeded: ~high) &+ (carries ? 1 : 0)
        return (true, top, negated)
    }
}

extension ClosedRange<Int64> {
    fileprivate func contains(clamping value: Int128) -> Bool {
        value >= Int128(lowerBound) && value <= Int128(upperBound)
    }
}

extension IntegerSum {
    /// 32 bytes, little-endian.
    public func append(to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: 128, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: low >> UInt128(shift)))
        }
        for shift in stride(from: 0, to: 128, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: high >> Int128(shift)))
        }
    }

    /// What `append` wrote, from `position` on, which moves behind it; nil if bytes are missing.
    public init?(reading bytes: [UInt8], at position: inout Int) {
        guard position >= 0, bytes.count - position >= 32 else { return nil }
        var low: UInt128 = 0
        var high: UInt128 = 0
        for index in 0..<16 {
            low |= UInt128(bytes[position + index]) << UInt128(8 * index)
            high |= UInt128(bytes[position + 16 + index]) << UInt128(8 * index)
        }
        self.init()
        self.low = low
        self.high = Int128(truncatingIfNeeded: high)
        position += 32
    }
}
