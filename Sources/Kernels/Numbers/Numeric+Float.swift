// Between exact decimals and floats.

extension Numeric {
    /// The nearest double.
    public static func double(_ value: Int128, scale: Int) -> Double {
        // Both are exact doubles, so one rounding is made.
        if scale <= 22, value.magnitude < 1 << 53 { return Double(value) / doublePowers[scale] }
        return NumberText.parseDouble(NumberText.decimal(value, scale: scale).span) ?? .nan
    }

    /// The nearest float, as a double.
    public static func real(_ value: Int128, scale: Int) -> Double {
        if scale <= 10, value.magnitude < 1 << 24 {
            return Double(Float(value) / Float(doublePowers[scale]))
        }
        return NumberText.parseReal(NumberText.decimal(value, scale: scale).span) ?? .nan
    }

    /// 10^0 … 10^22, the powers that a double holds exactly.
    static let doublePowers: [Double] = {
        var powers: [Double] = [1]
        for _ in 0..<22 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// A float at a scale, by way of its 15 (real: 6) leading digits, as PostgreSQL; nil if it is
    /// not finite or has too many digits before the point.
    static func decimal(
        _ value: Double, isReal: Bool, precision: Int, scale: Int
    ) -> Int128? {
        guard value.isFinite else { return nil }
        var number = ShortestDigits(value, isReal: isReal)
        number.round(to: isReal ? 6 : 15, of: value)
        var digits: Int128 = 0
        for digit in number.digits { digits = digits * 10 + Int128(digit - NumberText.zero) }
        let shift = number.exponent + scale
        guard shift <= 38 || digits == 0 else { return nil }
        let magnitude: Int128
        if shift >= 0 {
            let (scaled, overflow) = digits.multipliedReportingOverflow(
                by: powersOfTen[min(shift, 38)])
            if overflow { return nil }
            magnitude = scaled
        } else {
            magnitude = shift < -38 ? 0 : dividingRounded(digits, powersOfTen[-shift])
        }
        guard fits(magnitude, precision: precision) else { return nil }
        return value < 0 ? -magnitude : magnitude
    }
}

extension ShortestDigits {
    /// Keeps `limit` digits, rounded as the exact value says.
    ///
    /// The shortest digits lie on the same side of the middle between two candidates as the exact
    /// value: were the middle between them, it would be shorter or nearer and have been chosen.
    /// Only where they are the middle, the exact value is asked; a true tie goes to the even digit.
    fileprivate mutating func round(to limit: Int, of value: Double) {
        guard digits.count > limit else { return }
        let dropped = digits[limit...]
        var roundsUp = dropped.first.map { $0 >= UInt8(ascii: "5") } ?? false
        if dropped.first == UInt8(ascii: "5"), dropped.count == 1 {
            let order = BigNumber.compare(value.magnitude, digits, exponent: exponent)
            roundsUp = order > 0 || (order == 0 && digits[limit - 1] & 1 == 1)
        }
        exponent += digits.count - limit
        digits.removeLast(digits.count - limit)
        guard roundsUp else { return }
        var index = limit - 1
        while index >= 0, digits[index] == UInt8(ascii: "9") {
            digits[index] = NumberText.zero
            index -= 1
        }
        if index >= 0 { digits[index] += 1 } else { digits.insert(UInt8(ascii: "1"), at: 0) }
    }
}

extension BigNumber {
    /// −1, 0, 1: a positive double against digits × 10^exponent, exactly.
    fileprivate static func compare(_ value: Double, _ digits: [UInt8], exponent: Int) -> Int {
        var left = BigNumber(UInt128(value.significandBitPattern | 1 << 52))
        left.exponent = Int(value.exponentBitPattern) - 1075
        if value.exponentBitPattern == 0 {
            left = BigNumber(UInt128(value.significandBitPattern))
            left.exponent = -1074
        }
        var decimal: UInt128 = 0
        for digit in digits { decimal = decimal * 10 + UInt128(digit - NumberText.zero) }
        var right = BigNumber(decimal)
        var power = BigNumber(1)
        for _ in 0..<abs(exponent) { power = power * BigNumber(10) }
        if exponent < 0 { left = left * power } else { right = right * power }
        let above = difference(left, right)
        if above.magnitude.contains(where: { $0 != 0 }) { return 1 }
        return difference(right, left).magnitude.contains { $0 != 0 } ? -1 : 0
    }
}
