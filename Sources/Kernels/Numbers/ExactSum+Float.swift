// The exact sum of doubles: a small superaccumulator (R. M. Neal, "Fast exact summation using small
// and large superaccumulators", 2015).
//
// Every finite double is m × 2^(e − 1074) with |m| < 2^53 and e in 0 … 2045. The sum is one long
// fixed-point number in units of 2^−1074, cut into digits of 32 bits, each kept in a signed 64-bit
// chunk, so that carries can wait. A term touches three neighbouring chunks with less than 2^32
// each; after 2^30 terms a chunk may be near 2^62, and carries are propagated. Addition of integers
// is associative: the order of terms cannot show, and a term taken back leaves no trace. Only
// chunks between the lowest and highest digit seen are kept: mostly five or six of 68.

public import Types

public struct FloatSum: Sendable {
    /// Digit `first + i` of the sum, unnormalized.
    private var chunks: [Int64] = []
    private var first = 0
    private var termsUntilCarry = FloatSum.carryLimit
    /// Terms that are no numbers are counted, so that a −1 takes them back.
    private var nanCount: Int64 = 0
    private var infinityCount: Int64 = 0
    private var negativeInfinityCount: Int64 = 0

    private static let carryLimit: Int32 = 1 << 30

    public init() {}

    public mutating func add(_ value: Double) { add(value, change: 1) }
    public mutating func subtract(_ value: Double) { add(value, change: -1) }

    /// `change` (+1 or −1) times the value.
    public mutating func add(_ value: Double, change: Int8) {
        let bits = value.bitPattern
        let biased = Int(truncatingIfNeeded: (bits >> 52) & 0x7FF)
        guard biased != 0x7FF else { return count(value, Int64(change)) }
        let fraction = bits & 0x000F_FFFF_FFFF_FFFF
        let mantissa = biased == 0 ? fraction : fraction | 0x0010_0000_0000_0000
        if mantissa == 0 { return }
        let exponent = biased == 0 ? 0 : biased - 1
        let digit = exponent >> 5
        let shift = UInt64(exponent & 31)
        let lowPart = (mantissa & 0xFFFF_FFFF) << shift
        let highPart = (mantissa >> 32) << shift
        let isNegative = (bits >> 63 != 0) != (change < 0)
        let sign: Int64 = isNegative ? -1 : 1
        let middle = (lowPart >> 32) + (highPart & 0xFFFF_FFFF)
        let index = room(for: digit)
        chunks[index] &+= sign &* Int64(lowPart & 0xFFFF_FFFF)
        chunks[index + 1] &+= sign &* Int64(middle)
        chunks[index + 2] &+= sign &* Int64(highPart >> 32)
        termsUntilCarry -= 1
        if termsUntilCarry == 0 { propagate() }
    }

    /// Adds x² as the exact pair that it is (two-product): `high + low`. A square out of the range
    /// of a double counts as infinite.
    public mutating func addSquare(of value: Double, change: Int8) {
        let square = value * value
        add(square, change: change)
        if square.isFinite { add((-square).addingProduct(value, value), change: change) }
    }

    /// Adds another part of the same sum.
    public mutating func merge(_ other: FloatSum) {
        nanCount += other.nanCount
        infinityCount += other.infinityCount
        negativeInfinityCount += other.negativeInfinityCount
        var other = other
        other.propagate()
        propagate()
        for (offset, chunk) in other.chunks.enumerated() where chunk != 0 {
            chunks[room(for: other.first + offset)] &+= chunk
        }
        propagate()
    }

    private mutating func count(_ value: Double, _ change: Int64) {
        if value.isNaN {
            nanCount += change
        } else if value > 0 {
            infinityCount += change
        } else {
            negativeInfinityCount += change
        }
    }

    /// The index of a digit's chunk; it and the two above exist afterwards.
    private mutating func room(for digit: Int) -> Int {
        let index = digit - first
        if index >= 0, index + 2 < chunks.count { return index }
        return grow(for: digit)
    }

    private mutating func grow(for digit: Int) -> Int {
        if chunks.isEmpty { first = digit }
        if digit < first {
            chunks.insert(contentsOf: repeatElement(0, count: first - digit), at: 0)
            first = digit
        }
        let missing = digit - first + 3 - chunks.count
        if missing > 0 { chunks.append(contentsOf: repeatElement(0, count: missing)) }
        return digit - first
    }

    /// Brings every chunk but the highest into 0 … 2^32 − 1; the highest carries the sign.
    private mutating func propagate() {
        termsUntilCarry = Self.carryLimit
        guard !chunks.isEmpty else { return }
        var carry: Int64 = 0
        for index in chunks.indices {
            let value = chunks[index] &+ carry
            carry = value >> 32
            chunks[index] = value & 0xFFFF_FFFF
        }
        while carry != 0, carry != -1 {
            chunks.append(carry & 0xFFFF_FFFF)
            carry >>= 32
        }
        if carry == -1 { chunks.append(-1) }
        trim()
    }

    private mutating func trim() {
        while chunks.last == 0 { chunks.removeLast() }
        // A sign over a full digit says the same one digit lower.
        while chunks.count > 1, chunks[chunks.count - 1] == -1,
            chunks[chunks.count - 2] == 0xFFFF_FFFF
        {
            chunks.removeLast()
            chunks[chunks.count - 1] = -1
        }
        let zeros = chunks.prefix { $0 == 0 }.count
        if zeros > 0 {
            chunks.removeFirst(zeros)
            first += zeros
        }
        if chunks.isEmpty { first = 0 }
    }
}

extension FloatSum {
    /// NaN or an infinity, if such terms decide the sum.
    private var special: Double? {
        if nanCount > 0 || (infinityCount > 0 && negativeInfinityCount > 0) { return .nan }
        if infinityCount > 0 { return .infinity }
        return negativeInfinityCount > 0 ? -.infinity : nil
    }

    /// The sum, rounded once to the nearest double (`.real`: then to a float); nil if finite terms
    /// add up to more than the type holds. A sum of zeros is +0.
    public func value(as type: LogicalType = .double) -> Double? {
        if let special { return special }
        let exact = exact.double
        let value = type == .real ? Double(Float(exact)) : exact
        return value.isFinite ? value : nil
    }

    /// sum ÷ count; nil if the sum is out of range. count > 0.
    public func average(count: Int64) -> Double? { value().map { $0 / Double(count) } }

    /// The sum of the finite terms.
    var exact: BigNumber {
        var copy = self
        copy.propagate()
        return BigNumber(digits: copy.chunks, exponent: 32 * copy.first - 1074)
    }

    var isFinite: Bool { special == nil }
}

extension FloatSum: Equatable {
    /// Whether two sums are the same number, however they were made.
    public static func == (left: FloatSum, right: FloatSum) -> Bool {
        var (left, right) = (left, right)
        left.propagate()
        right.propagate()
        return left.chunks == right.chunks && left.first == right.first
            && left.nanCount == right.nanCount && left.infinityCount == right.infinityCount
            && left.negativeInfinityCount == right.negativeInfinityCount
    }
}

extension FloatSum {
    /// Three counts, the lowest digit's position, the number of digits, the digits (the highest
    /// signed), each eight bytes little-endian. Equal sums have equal bytes.
    public func append(to bytes: inout [UInt8]) {
        var copy = self
        copy.propagate()
        var words = [
            nanCount, infinityCount, negativeInfinityCount, Int64(copy.first),
            Int64(copy.chunks.count),
        ]
        words += copy.chunks
        for word in words {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> Int64(shift)))
            }
        }
    }

    /// What `append` wrote, from `position` on, which moves behind it; nil if it is not that.
    public init?(reading bytes: [UInt8], at position: inout Int) {
        var cursor = position
        func word() -> Int64? {
            guard cursor >= 0, bytes.count - cursor >= 8 else { return nil }
            var value: UInt64 = 0
            for index in 0..<8 { value |= UInt64(bytes[cursor + index]) << UInt64(8 * index) }
            cursor += 8
            return Int64(bitPattern: value)
        }
        guard let nans = word(), let infinities = word(), let negatives = word(),
            let first = word(), let count = word(), (0...80).contains(first),
            (0...80).contains(count)
        else { return nil }
        var chunks: [Int64] = []
        for index in 0..<count {
            let limits: ClosedRange<Int64> = index == count - 1 ? -1...0xFFFF_FFFF : 0...0xFFFF_FFFF
            guard let chunk = word(), limits.contains(chunk) else { return nil }
            chunks.append(chunk)
        }
        nanCount = nans
        infinityCount = infinities
        negativeInfinityCount = negatives
        self.first = Int(first)
        self.chunks = chunks
        position = cursor
    }
}
