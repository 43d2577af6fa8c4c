// sum and avg of integers and numerics: exact, and judged only when read (dialect.md §3.2).
//
// A sum is kept in 192 bits, the low 128 and the high 64 apart: 2⁶³ values of 127 bits fit, so no
// order of additions and retractions overflows. For integers of 64 bits the low part suffices.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class ExactSumAccumulators: Accumulators {
    private let call: AggregateCall
    private let isWide: Bool
    private var low: [Int128] = []
    private var high: [Int64] = []
    private var counts: [Int64] = []

    init(_ call: AggregateCall) {
        self.call = call
        isWide = call.argumentTypes[0].physical == .int128
    }

    func grow(to capacity: Int) {
        low.grow(to: capacity, 0)
        if isWide { high.grow(to: capacity, 0) }
        counts.grow(to: capacity, 0)
    }

    func clear(_ group: Int32) {
        low[Int(group)] = 0
        if isWide { high[Int(group)] = 0 }
        counts[Int(group)] = 0
    }

    var byteCount: Int { low.count * (isWide ? 32 : 24) }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        switch batch.columns[call.arguments[0]].values {
        case .int64(let values):
            if folded.changes == nil {
                for index in folded.rows.indices {
                    let group = Int(folded.groups[index])
                    low[group] &+= Int128(values[Int(folded.rows[index])])
                    counts[group] &+= 1
                }
            } else {
                for index in folded.rows.indices {
                    let group = Int(folded.groups[index])
                    let change = folded.change(index)
                    low[group] &+= Int128(values[Int(folded.rows[index])]) &* Int128(change)
                    counts[group] &+= change
                }
            }
        case .int128(let values):
            for index in folded.rows.indices {
                let group = Int(folded.groups[index])
                let change = folded.change(index)
                let value = values[Int(folded.rows[index])]
                let signed = change < 0 ? 0 &- value : value
                add(group, low: signed, high: signed < 0 ? -1 : 0)
                counts[group] &+= change
            }
        default: break
        }
    }

    /// Adds a 192-bit number.
    @inline(__always)
    private func add(_ group: Int, low addend: Int128, high addendHigh: Int64) {
        let (sum, carry) = UInt128(bitPattern: low[group])
            .addingReportingOverflow(UInt128(bitPattern: addend))
        low[group] = Int128(bitPattern: sum)
        high[group] &+= addendHigh &+ (carry ? 1 : 0)
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices {
            let from = Int(groups[index])
            let to = Int(into[index])
            if isWide {
                add(to, low: other.low[from], high: other.high[from])
            } else {
                low[to] &+= other.low[from]
            }
            counts[to] += other.counts[from]
        }
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.appendSigned(counts[Int(group)])
        bytes.appendInt128(low[Int(group)])
        if isWide { bytes.appendSigned(high[Int(group)]) }
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        counts[Int(group)] = try reader.signed()
        low[Int(group)] = try reader.int128()
        if isWide { high[Int(group)] = try reader.signed() }
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        var builder = ColumnBuilder(call.type, capacity: groups.count)
        for (position, group) in groups.enumerated() {
            guard counts[Int(group)] != 0 else {
                builder.appendNull()
                continue
            }
            let value = call.function == .avg ? average(Int(group)) : total(Int(group))
            guard let value, fits(value) else {
                errors.note(
                    RowError(
                        row: position, reason: .overflow, constraint: nil,
                        detail: "\(call.function.rawValue) is out of range of \(call.type)",
                        place: call.place))
                builder.appendNull()
                continue
            }
            if call.type.physical == .int64 {
                builder.append(Int64(value))
            } else {
                builder.append(value)
            }
        }
        return builder.finish()
    }

    private func fits(_ value: Int128) -> Bool {
        switch call.type {
        case .smallint: Int16(exactly: value) != nil
        case .integer: Int32(exactly: value) != nil
        case .numeric(let precision, _): value.magnitude < powersOfTen[precision]
        default: Int64(exactly: value) != nil
        }
    }

    private func total(_ group: Int) -> Int128? {
        guard isWide else { return low[group] }
        return high[group] == (low[group] < 0 ? -1 : 0) ? low[group] : nil
    }

    /// The sum divided by the count at the result's scale, half away from zero.
    private func average(_ group: Int) -> Int128? {
        var scale = 0
        if case .numeric(_, let own) = call.argumentTypes[0] { scale = own }
        guard case .numeric(_, let wanted) = call.type else { return nil }
        let sum = WideInteger(low: low[group], high: isWide ? high[group] : low[group] < 0 ? -1 : 0)
        return sum.divided(by: counts[group], scaledBy: wanted - scale)
    }
}

/// 10⁰ … 10³⁸.
let powersOfTen: [UInt128] = (0..<38).reduce(into: [1]) { powers, _ in
    powers.append(powers[powers.count - 1] * 10)
}

/// A signed integer of sign and 256-bit magnitude, for averages.
struct WideInteger {
    private var isNegative: Bool
    /// Lowest first.
    private var limbs: [UInt64]

    init(low: Int128, high: Int64) {
        isNegative = high < 0
        var bits = UInt128(bitPattern: low)
        var top = UInt64(bitPattern: high)
        if isNegative {
            let (negated, borrowed) = UInt128(0).subtractingReportingOverflow(bits)
            bits = negated
            top = 0 &- top &- (borrowed ? 1 : 0)
        }
        limbs = [
            UInt64(truncatingIfNeeded: bits), UInt64(truncatingIfNeeded: bits >> 64), top, 0,
        ]
    }

    /// self · 10^scale / divisor, half away from zero; nil if it doesn't fit 127 bits.
    func divided(by divisor: Int64, scaledBy scale: Int) -> Int128? {
        var number = self
        for _ in 0..<max(0, scale) {
            guard number.multiply(by: 10) else { return nil }
        }
        for _ in 0..<max(0, -scale) { _ = number.divide(by: 10) }
        if divisor < 0 { number.isNegative.toggle() }
        let remainder = number.divide(by: divisor.magnitude)
        if remainder >= divisor.magnitude - remainder { number.increment() }
        guard number.limbs[2] == 0, number.limbs[3] == 0, number.limbs[1] >> 63 == 0 else {
            return nil
        }
        let magnitude = Int128(number.limbs[1]) << 64 | Int128(number.limbs[0])
        return number.isNegative ? -magnitude : magnitude
    }

    private mutating func multiply(by factor: UInt64) -> Bool {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let (high, low) = limbs[index].multipliedFullWidth(by: factor)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            limbs[index] = sum
            carry = high + (overflow ? 1 : 0)
        }
        return carry == 0
    }

    /// Divides and gives the remainder.
    private mutating func divide(by divisor: UInt64) -> UInt64 {
        var remainder: UInt64 = 0
        for index in limbs.indices.reversed() {
            let (quotient, rest) = divisor.dividingFullWidth((remainder, limbs[index]))
            limbs[index] = quotient
            remainder = rest
        }
        return remainder
    }

    private mutating func increment() {
        for index in limbs.indices {
            limbs[index] &+= 1
            if limbs[index] != 0 { return }
        }
    }
}
