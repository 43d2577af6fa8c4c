// Numbers to text, as PostgreSQL writes them.

extension NumberText {
    public static func append(_ value: Int64, to output: inout [UInt8]) {
        append(magnitude: value.magnitude, isNegative: value < 0, to: &output)
    }

    private static func append(
        magnitude: UInt64, isNegative: Bool, to output: inout [UInt8]
    ) {
        if isNegative { output.append(minus) }
        let start = output.count
        var rest = magnitude
        repeat {
            output.append(zero + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest != 0
        reverse(&output, from: start)
    }

    private static func reverse(_ output: inout [UInt8], from start: Int) {
        var low = start
        var high = output.count - 1
        while low < high {
            output.swapAt(low, high)
            low += 1
            high -= 1
        }
    }

    /// A numeric: all digits of its scale, one before the point at least (`0.50`).
    public static func append(_ value: Int128, scale: Int, to output: inout [UInt8]) {
        if value < 0 { output.append(minus) }
        let start = output.count
        var count = 0
        var rest = value.magnitude
        while rest != 0 || count <= scale {
            if count == scale, scale > 0 { output.append(point) }
            // A 128-bit division is slow, and most numbers are short.
            if rest <= UInt128(UInt64.max) {
                var short = UInt64(truncatingIfNeeded: rest)
                while short != 0 || count <= scale {
                    if count == scale, scale > 0, output.last != point { output.append(point) }
                    output.append(zero + UInt8(truncatingIfNeeded: short % 10))
                    short /= 10
                    count += 1
                }
                break
            }
            output.append(zero + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
            count += 1
        }
        reverse(&output, from: start)
    }

    /// The same as bytes of its own.
    static func decimal(_ value: Int128, scale: Int) -> [UInt8] {
        var output: [UInt8] = []
        append(value, scale: scale, to: &output)
        return output
    }

    /// A float with the fewest digits that read back as the same: `0.1`, `1e+20`, `1e-05`, `NaN`,
    /// `Infinity`. Positional for exponents from −4 up to 15 digits (real: 6), as PostgreSQL.
    public static func append(_ value: Double, isReal: Bool, to output: inout [UInt8]) {
        guard value.isFinite else {
            let text = value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
            output.append(contentsOf: text.utf8)
            return
        }
        if value.sign == .minus { output.append(minus) }
        let digits = ShortestDigits(value, isReal: isReal)
        let exponent = digits.exponent + digits.digits.count - 1
        if exponent >= -4, exponent < (isReal ? 6 : 15) {
            appendPositional(digits, to: &output)
        } else {
            appendScientific(digits, exponent, to: &output)
        }
    }

    private static func appendPositional(_ number: ShortestDigits, to output: inout [UInt8]) {
        let whole = number.digits.count + number.exponent
        if whole <= 0 {
            output.append(zero)
            output.append(point)
            output.append(contentsOf: repeatElement(zero, count: -whole))
            output.append(contentsOf: number.digits)
            return
        }
        for index in 0..<max(whole, number.digits.count) {
            if index == whole { output.append(point) }
            output.append(index < number.digits.count ? number.digits[index] : zero)
        }
    }

    private static func appendScientific(
        _ number: ShortestDigits, _ exponent: Int, to output: inout [UInt8]
    ) {
        output.append(number.digits[0])
        if number.digits.count > 1 {
            output.append(point)
            output.append(contentsOf: number.digits[1...])
        }
        output.append(UInt8(ascii: "e"))
        output.append(exponent < 0 ? minus : plus)
        if exponent.magnitude < 10 { output.append(zero) }
        append(Int64(exponent.magnitude), to: &output)
    }
}

/// digits × 10^exponent: the shortest decimal that reads back as a float's magnitude. Zero is "0".
struct ShortestDigits {
    var digits: [UInt8] = []
    var exponent = 0

    init(_ value: Double, isReal: Bool) {
        let text =
            isReal ? Float(value).magnitude.description : value.magnitude.description
        var hasPoint = false
        var written = 0
        var readsExponent = false
        var isNegative = false
        for byte in text.utf8 {
            if readsExponent {
                if byte == NumberText.minus { isNegative = true }
                if byte &- NumberText.zero <= 9 {
                    written = written * 10 + Int(byte &- NumberText.zero)
                }
            } else if byte == NumberText.point {
                hasPoint = true
            } else if byte == UInt8(ascii: "e") {
                readsExponent = true
            } else {
                if hasPoint { exponent -= 1 }
                if byte != NumberText.zero || !digits.isEmpty { digits.append(byte) }
            }
        }
        exponent += isNegative ? -written : written
        while digits.last == NumberText.zero {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty {
            digits = [NumberText.zero]
            exponent = 0
        }
    }
}
