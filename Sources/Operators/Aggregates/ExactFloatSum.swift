// An exact sum of doubles, or of squares of doubles: a superaccumulator (Neal 2015, "Fast exact
// summation using small and large superaccumulators"), kept only as wide as its values need.
//
// The sum is Σ chunk[i] · 2^(32·(base + i) − origin). A double's 53 bits are an integer at a bit
// position ≥ 0 above the origin and fall on at most three chunks, 32 bits each; a chunk has 64, so
// 2³⁰ additions pass before carries must be moved up. Nothing is ever rounded, so order does not
// matter and what was added can be taken back. Squares have an origin twice as deep: they are exact
// too, also where x² would underflow or overflow a double.

import Contracts
import State

/// One group's sum. NaN and infinities are counted beside it, so a −1 takes them back.
struct ExactFloatSum {
    private var chunks: [Int64] = []
    private var base = 0
    private var additions = 0
    private(set) var notANumbers: Int64 = 0
    private(set) var infinities: Int64 = 0
    private(set) var negativeInfinities: Int64 = 0

    /// The bit position of 2⁰ in a sum of doubles: the least double is 2^−1074.
    static let origin = 1074
    private static let additionsBeforeCarry = 1 << 30

    var isFinite: Bool { notANumbers == 0 && infinities == 0 && negativeInfinities == 0 }

    /// What the counted special values make of a sum; nil if there are none.
    var special: Double? {
        if isFinite { return nil }
        if notANumbers != 0 || (infinities != 0 && negativeInfinities != 0) { return .nan }
        return infinities != 0 ? .infinity : -.infinity
    }

    mutating func add(_ value: Double, change: Int64) {
        guard value.isFinite else { return note(value, change: change) }
        guard value != 0 else { return }
        let (mantissa, position) = Self.parts(value)
        let isNegative = (value.sign == .minus) != (change < 0)
        add(UInt128(mantissa), at: position, isNegative: isNegative)
    }

    mutating func addSquare(_ value: Double, change: Int64) {
        guard value.isFinite else { return note(value.magnitude, change: change) }
        guard value != 0 else { return }
        let (mantissa, position) = Self.parts(value)
        let square = UInt128(mantissa) * UInt128(mantissa)
        let low = square & (1 << 64 - 1)
        add(low, at: 2 * position, isNegative: change < 0)
        add(square >> 64, at: 2 * position + 64, isNegative: change < 0)
    }

    private mutating func note(_ value: Double, change: Int64) {
        if value.isNaN {
            notANumbers += change
        } else if value > 0 {
            infinities += change
        } else {
            negativeInfinities += change
        }
    }

    /// The integer and the bit position whose product a finite double is.
    private static func parts(_ value: Double) -> (mantissa: UInt64, position: Int) {
        let exponent = Int(value.exponentBitPattern)
        let fraction = value.significandBitPattern
        return exponent == 0 ? (fraction, 0) : (fraction | 1 << 52, exponent - 1)
    }

    /// Adds at most 64 bits at a bit position.
    private mutating func add(_ bits: UInt128, at position: Int, isNegative: Bool) {
        guard bits != 0 else { return }
        let first = position >> 5
        cover(first, first + 3)
        let shifted = bits << UInt128(position & 31)
        for index in 0..<3 {
            let part = Int64(UInt32(truncatingIfNeeded: shifted >> UInt128(32 * index)))
            chunks[first - base + index] += isNegative ? -part : part
        }
        additions += 1
        if additions >= Self.additionsBeforeCarry { carry() }
    }

    /// Makes the chunks `lower..<upper` exist.
    private mutating func cover(_ lower: Int, _ upper: Int) {
        if chunks.isEmpty {
            base = lower
            chunks = Array(repeating: 0, count: upper - lower)
        }
        if lower < base {
            chunks.insert(contentsOf: repeatElement(0, count: base - lower), at: 0)
            base = lower
        }
        chunks.grow(to: upper - base, 0)
    }

    /// Moves what is above 32 bits up: each chunk but the last is in 0 ..< 2³² afterwards.
    private mutating func carry() {
        additions = 0
        var carried: Int64 = 0
        for index in chunks.indices {
            let chunk = chunks[index] + carried
            chunks[index] = chunk & 0xFFFF_FFFF
            carried = chunk >> 32
        }
        guard let last = chunks.indices.last else { return }
        if carried == -1, chunks[last] != 0 || chunks.count > 1 {
            chunks.append(-1)
        } else if carried != 0 {
            chunks.append(carried)
        }
    }

    mutating func merge(_ other: ExactFloatSum) {
        notANumbers += other.notANumbers
        infinities += other.infinities
        negativeInfinities += other.negativeInfinities
        guard !other.chunks.isEmpty else { return }
        var other = other
        other.carry()
        carry()
        cover(other.base, other.base + other.chunks.count)
        for (index, chunk) in other.chunks.enumerated() {
            chunks[other.base - base + index] += chunk
        }
        carry()
    }

    /// Sign and magnitude of the finite part: Σ limb[i] · 2^(32·(base + i) − origin).
    var exact: ExactNumber {
        var sum = self
        sum.carry()
        var isNegative = false
        if let last = sum.chunks.last, last < 0 {
            isNegative = true
            for index in sum.chunks.indices { sum.chunks[index] = -sum.chunks[index] }
            sum.carry()
        }
        // The last chunk may hold more than 32 bits.
        var limbs = sum.chunks.dropLast().map { UInt32($0) }
        if let last = sum.chunks.last {
            limbs.append(UInt32(truncatingIfNeeded: last))
            limbs.append(UInt32(truncatingIfNeeded: last >> 32))
        }
        return ExactNumber(isNegative: isNegative, limbs: limbs, base: base)
    }

    var byteCount: Int { chunks.count * 8 + 64 }

    func encode(into bytes: inout [UInt8]) {
        var sum = self
        sum.carry()
        bytes.appendSigned(notANumbers)
        bytes.appendSigned(infinities)
        bytes.appendSigned(negativeInfinities)
        bytes.appendVarint(UInt64(sum.base))
        bytes.appendVarint(UInt64(sum.chunks.count))
        for chunk in sum.chunks { bytes.appendSigned(chunk) }
    }

    init() {}

    init(_ reader: inout ByteReader) throws(Failure) {
        notANumbers = try reader.signed()
        infinities = try reader.signed()
        negativeInfinities = try reader.signed()
        base = Int(truncatingIfNeeded: try reader.varint() & 0xFFFF)
        let count = try reader.varint()
        for _ in 0..<min(count, 1 << 16) { chunks.append(try reader.signed()) }
    }
}

/// A signed integer of 32-bit limbs, lowest first, scaled by 2^(32·base − origin).
struct ExactNumber {
    var isNegative: Bool
    var limbs: [UInt32]
    var base: Int

    var isZero: Bool { limbs.allSatisfy { $0 == 0 } }

    /// The product; origins add up.
    static func * (left: Self, right: Self) -> ExactNumber {
        var limbs = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count + 1)
        for (index, one) in left.limbs.enumerated() where one != 0 {
            var carry: UInt64 = 0
            var position = index
            for two in right.limbs {
                let sum = UInt64(one) * UInt64(two) + UInt64(limbs[position]) + carry
                limbs[position] = UInt32(truncatingIfNeeded: sum)
                carry = sum >> 32
                position += 1
            }
            limbs[position] = UInt32(carry)
        }
        return ExactNumber(
            isNegative: left.isNegative != right.isNegative, limbs: limbs,
            base: left.base + right.base)
    }

    init(isNegative: Bool, limbs: [UInt32], base: Int) {
        self.isNegative = isNegative
        self.limbs = limbs
        self.base = base
    }

    init(_ count: Int64) {
        let magnitude = count.magnitude
        self.init(
            isNegative: count < 0,
            limbs: [UInt32(truncatingIfNeeded: magnitude), UInt32(magnitude >> 32)], base: 0)
    }

    /// self − other where both are ≥ 0 and other ≤ self: n·Σx² is at least (Σx)² (Cauchy–Schwarz).
    func subtracting(_ other: ExactNumber) -> ExactNumber {
        let low = Swift.min(base, other.base)
        let end = Swift.max(base + limbs.count, other.base + other.limbs.count)
        var result = [UInt32](repeating: 0, count: end - low)
        var borrow: Int64 = 0
        for index in result.indices {
            let difference = Int64(limb(low + index)) - Int64(other.limb(low + index)) - borrow
            result[index] = UInt32(truncatingIfNeeded: difference)
            borrow = difference < 0 ? 1 : 0
        }
        require(borrow == 0, "a sum of squares is smaller than the square of the sum")
        return ExactNumber(isNegative: false, limbs: result, base: low)
    }

    private func limb(_ position: Int) -> UInt32 {
        let index = position - base
        return limbs.indices.contains(index) ? limbs[index] : 0
    }

    /// The nearest double and a power of two to scale it by, ties to even: value = fraction · 2^power,
    /// with fraction of 53 bits (fewer where the lowest bit is above the least double's).
    func rounded(origin: Int) -> Double {
        guard let top = limbs.lastIndex(where: { $0 != 0 }) else { return 0 }
        let highestBit = 32 * top + 31 - limbs[top].leadingZeroBitCount
        // The position, from limb 0, of the result's lowest bit: 53 bits, but none below 2^−1074.
        let leastBit = origin - ExactFloatSum.origin - 32 * base
        let lowestBit = Swift.max(highestBit - 52, leastBit, 0)
        var mantissa: UInt64 = 0
        if lowestBit <= highestBit {
            for bit in stride(from: highestBit, through: lowestBit, by: -1) {
                mantissa = mantissa << 1 | (isSet(bit) ? 1 : 0)
            }
        }
        if lowestBit > 0, isSet(lowestBit - 1),
            mantissa & 1 == 1 || isAnySet(below: lowestBit - 1)
        {
            mantissa += 1
        }
        let exponent = lowestBit + 32 * base - origin
        let magnitude = scaled(mantissa, by: exponent)
        return isNegative ? -magnitude : magnitude
    }

    private func isSet(_ bit: Int) -> Bool {
        let index = bit >> 5
        return index < limbs.count && limbs[index] >> UInt32(bit & 31) & 1 == 1
    }

    private func isAnySet(below bit: Int) -> Bool {
        let whole = bit >> 5
        for index in 0..<Swift.min(whole, limbs.count) where limbs[index] != 0 { return true }
        guard whole < limbs.count, bit & 31 > 0 else { return false }
        return limbs[whole] & (1 << UInt32(bit & 31) - 1) != 0
    }

    /// mantissa · 2^exponent: exact, or infinite.
    private func scaled(_ mantissa: UInt64, by exponent: Int) -> Double {
        guard mantissa != 0 else { return 0 }
        let bits = 64 - mantissa.leadingZeroBitCount
        if bits + exponent > 1024 { return .infinity }
        // Two steps, as 2^exponent alone may be below the least double.
        let half = exponent / 2
        return Double(sign: .plus, exponent: half, significand: Double(mantissa))
            * Double(sign: .plus, exponent: exponent - half, significand: 1)
    }
}
