// Variances from exact sums: (n Σx² − (Σx)²) ÷ n², with the numerator exact, so that nothing
// cancels away however large the values are beside their differences.

/// ± magnitude × 2^exponent, of any length; for reading sums, never for adding rows.
struct BigNumber {
    var isNegative: Bool
    /// Digits of 32 bits, lowest first.
    var magnitude: [UInt32]
    var exponent: Int

    /// From digits of which the highest may be negative, the others are in 0 … 2^32 − 1.
    init(digits: [Int64], exponent: Int) {
        isNegative = (digits.last ?? 0) < 0
        self.exponent = exponent
        var carry: Int64 = isNegative ? 1 : 0
        magnitude = []
        for digit in digits {
            let low = UInt32(truncatingIfNeeded: digit)
            let sum = Int64(isNegative ? ~low : low) + carry
            magnitude.append(UInt32(truncatingIfNeeded: sum))
            carry = sum >> 32
        }
        if carry != 0 { magnitude.append(UInt32(truncatingIfNeeded: carry)) }
    }

    init(_ sum: IntegerSum) {
        let (isNegative, high, low) = sum.magnitude
        self.init(magnitude: BigNumber.digits(low) + BigNumber.digits(high))
        self.isNegative = isNegative
    }

    init(_ value: UInt128) { self.init(magnitude: BigNumber.digits(value)) }

    private init(magnitude: [UInt32]) {
        isNegative = false
        self.magnitude = magnitude
        exponent = 0
    }

    private static func digits(_ value: UInt128) -> [UInt32] {
        (0..<4).map { UInt32(truncatingIfNeeded: value >> UInt128(32 * $0)) }
    }

    static func * (left: BigNumber, right: BigNumber) -> BigNumber {
        var digits = [UInt32](repeating: 0, count: left.magnitude.count + right.magnitude.count)
        for (row, first) in left.magnitude.enumerated() where first != 0 {
            var carry: UInt64 = 0
            for (column, second) in right.magnitude.enumerated() {
                let sum = UInt64(first) * UInt64(second) + UInt64(digits[row + column]) + carry
                digits[row + column] = UInt32(truncatingIfNeeded: sum)
                carry = sum >> 32
            }
            digits[row + right.magnitude.count] = UInt32(carry)
        }
        var product = BigNumber(magnitude: digits)
        product.isNegative = left.isNegative != right.isNegative
        product.exponent = left.exponent + right.exponent
        return product
    }

    /// left − right of two numbers that are not negative; negative results are 0, for no variance
    /// is.
    static func difference(_ left: BigNumber, _ right: BigNumber) -> BigNumber {
        let exponent = min(left.exponent, right.exponent)
        var first = left.shifted(to: exponent)
        let second = right.shifted(to: exponent)
        while first.count < second.count { first.append(0) }
        var borrow: Int64 = 0
        for index in first.indices {
            let other = index < second.count ? Int64(second[index]) : 0
            let rest = Int64(first[index]) - other - borrow
            first[index] = UInt32(truncatingIfNeeded: rest)
            borrow = rest < 0 ? 1 : 0
        }
        var result = BigNumber(magnitude: borrow == 0 ? first : [])
        result.exponent = exponent
        return result
    }

    /// The digits in units of 2^lower.
    private func shifted(to lower: Int) -> [UInt32] {
        let shift = exponent - lower
        let bits = UInt64(shift & 31)
        var digits = [UInt32](repeating: 0, count: shift >> 5)
        var carry: UInt64 = 0
        for digit in magnitude {
            let value = UInt64(digit) << bits | carry
            digits.append(UInt32(truncatingIfNeeded: value))
            carry = value >> 32
        }
        if carry != 0 { digits.append(UInt32(carry)) }
        return digits
    }

    /// The nearest double, ties to even; infinite if it is out of range.
    var double: Double {
        guard let top = magnitude.lastIndex(where: { $0 != 0 }) else { return 0 }
        // The highest 96 bits hold at least 65 significant ones.
        var window: UInt128 = 0
        for index in stride(from: top, to: top - 3, by: -1) {
            window = window << 32 | UInt128(index >= 0 ? magnitude[index] : 0)
        }
        let excess = 128 - window.leadingZeroBitCount - 64
        var leading = UInt64(truncatingIfNeeded: window >> UInt128(excess))
        let isCut =
            window & ((1 << UInt128(excess)) - 1) != 0
            || (top >= 3 && magnitude[..<(top - 2)].contains { $0 != 0 })
        if isCut { leading |= 1 }
        let scale = exponent + 32 * (top - 2) + excess
        return Double(
            sign: isNegative ? .minus : .plus, exponent: scale, significand: Double(leading))
    }
}

private func variance(
    _ sum: BigNumber, _ squares: BigNumber, count: Int64, isSample: Bool, squareUnit: BigNumber
) -> Double? {
    let divisor = isSample ? count - 1 : count
    guard count > 0, divisor > 0 else { return nil }
    let rows = BigNumber(UInt128(count))
    var squareOfSum = sum * sum
    squareOfSum.isNegative = false
    let numerator = BigNumber.difference(rows * squares, squareOfSum)
    let denominator = rows * BigNumber(UInt128(divisor)) * squareUnit
    return numerator.double / denominator.double
}

extension IntegerSum {
    /// var_pop or var_samp of numbers with `scale` digits behind the point, from their sum and the
    /// sum of their squares; nil where PostgreSQL has NULL: no row, or one row of a sample.
    public func variance(
        squares: IntegerSum, count: Int64, scale: Int, isSample: Bool
    ) -> Double? {
        let unit = BigNumber(Numeric.powerOfTen(scale).magnitude)
        return Kernels.variance(
            BigNumber(self), BigNumber(squares), count: count, isSample: isSample,
            squareUnit: unit * unit)
    }
}

extension FloatSum {
    /// The same of doubles; NaN if one of them is not finite, infinite if it is out of range.
    public func variance(squares: FloatSum, count: Int64, isSample: Bool) -> Double? {
        guard count > (isSample ? 1 : 0) else { return nil }
        guard isFinite else { return .nan }
        guard squares.isFinite else { return .infinity }
        return Kernels.variance(
            exact, squares.exact, count: count, isSample: isSample, squareUnit: BigNumber(1))
    }
}
