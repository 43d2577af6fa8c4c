// sum and avg of floats, variance and standard deviation of any number: exact sums, rounded once when
// read (dialect.md §3.2).

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class FloatAccumulators: Accumulators {
    private let call: AggregateCall
    private let keepsSquares: Bool
    private var sums: [ExactFloatSum] = []
    private var squares: [ExactFloatSum] = []
    private var counts: [Int64] = []

    init(_ call: AggregateCall) {
        self.call = call
        switch call.function {
        case .sum, .avg: keepsSquares = false
        default: keepsSquares = true
        }
    }

    func grow(to capacity: Int) {
        sums.grow(to: capacity, ExactFloatSum())
        if keepsSquares { squares.grow(to: capacity, ExactFloatSum()) }
        counts.grow(to: capacity, 0)
    }

    func clear(_ group: Int32) {
        sums[Int(group)] = ExactFloatSum()
        if keepsSquares { squares[Int(group)] = ExactFloatSum() }
        counts[Int(group)] = 0
    }

    var byteCount: Int {
        (sums + squares).reduce(counts.count * 8) { $0 + $1.byteCount }
    }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        let values = doubles(batch.columns[call.arguments[0]])
        for index in folded.rows.indices {
            let group = Int(folded.groups[index])
            let change = folded.change(index)
            sums[group].add(values[Int(folded.rows[index])], change: change)
            counts[group] &+= change
        }
        guard keepsSquares else { return }
        for index in folded.rows.indices {
            squares[Int(folded.groups[index])].addSquare(
                values[Int(folded.rows[index])], change: folded.change(index))
        }
    }

    /// The argument as doubles, each the nearest one to its value.
    private func doubles(_ column: Column) -> [Double] {
        switch column.values {
        case .float64(let values): return values
        case .int64(let values): return values.map { Double($0) }
        case .int128(let values):
            guard case .numeric(_, let scale) = column.type else { return [] }
            return values.map { nearestDouble($0, scale: scale) }
        default: return Array(repeating: 0, count: column.count)
        }
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices {
            let from = Int(groups[index])
            let to = Int(into[index])
            sums[to].merge(other.sums[from])
            if keepsSquares { squares[to].merge(other.squares[from]) }
            counts[to] += other.counts[from]
        }
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.appendSigned(counts[Int(group)])
        sums[Int(group)].encode(into: &bytes)
        if keepsSquares { squares[Int(group)].encode(into: &bytes) }
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        counts[Int(group)] = try reader.signed()
        sums[Int(group)] = try ExactFloatSum(&reader)
        if keepsSquares { squares[Int(group)] = try ExactFloatSum(&reader) }
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        var builder = ColumnBuilder(call.type, capacity: groups.count)
        for (position, group) in groups.enumerated() {
            guard let value = result(Int(group)) else {
                builder.appendNull()
                continue
            }
            // Infinite though no value was: beyond the range.
            if value.isInfinite, sums[Int(group)].isFinite {
                errors.note(
                    RowError(
                        row: position, reason: .overflow,
                        detail: "\(call.function.rawValue) is out of range of \(call.type)",
                        place: call.place))
                builder.appendNull()
                continue
            }
            builder.append(value)
        }
        return builder.finish()
    }

    /// nil: NULL.
    private func result(_ group: Int) -> Double? {
        let count = counts[group]
        guard count != 0 else { return nil }
        switch call.function {
        case .sum: return rounded(sums[group].special ?? sums[group].exact.rounded(origin: 1074))
        case .avg: return average(group, count)
        case .variancePopulation: return variance(group, count, count)
        case .stddevPopulation: return variance(group, count, count)?.squareRoot()
        case .varianceSample: return count > 1 ? variance(group, count, count - 1) : nil
        case .stddevSample: return count > 1 ? variance(group, count, count - 1)?.squareRoot() : nil
        default: bug("\(call.function) is no sum of floats")
        }
    }

    /// `real` results are floats' values.
    private func rounded(_ value: Double) -> Double {
        call.type == .real ? Double(Float(value)) : value
    }

    /// The rounded sum by the count; a sum beyond the range is scaled down first.
    private func average(_ group: Int, _ count: Int64) -> Double {
        let sum = sums[group]
        if let special = sum.special { return special }
        let whole = sum.exact.rounded(origin: 1074)
        if whole.isFinite { return whole / Double(count) }
        let shift = 64
        let scaled = sum.exact.rounded(origin: 1074 + shift) / Double(count)
        return Double(sign: .plus, exponent: shift, significand: 1) * scaled
    }

    /// (n·Σx² − (Σx)²) / (n·divisor), the numerator exact.
    private func variance(_ group: Int, _ count: Int64, _ divisor: Int64) -> Double? {
        guard sums[group].isFinite else { return .nan }
        let sum = sums[group].exact
        let numerator = (ExactNumber(count) * squares[group].exact).subtracting(sum * sum)
        let denominator = Double(count) * Double(divisor)
        let whole = numerator.rounded(origin: 2148)
        if whole.isFinite { return whole / denominator }
        let shift = 126
        return numerator.rounded(origin: 2148 + shift) / denominator
            * Double(sign: .plus, exponent: shift, significand: 1)
    }
}

/// The double nearest to an unscaled numeric.
private func nearestDouble(_ value: Int128, scale: Int) -> Double {
    // Both exact below 2⁵³ and 10²², so the division rounds once; else the digits decide.
    if value.magnitude < 1 << 53, scale <= 22 {
        return Double(Int64(value)) / Double(powersOfTen[scale])
    }
    return Double("\(value)e-\(scale)") ?? .nan
}
