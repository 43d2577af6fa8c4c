// sum, avg, variance and standard deviation of floats: exact sums, rounded once when read
// (dialect.md §3.2).

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class FloatSumAccumulators: Accumulators {
    private let call: AggregateCall
    private let keepsSquares: Bool
    private var sums: [FloatSum] = []
    private var squares: [FloatSum] = []
    private var counts: [Int64] = []

    init(_ call: AggregateCall) {
        self.call = call
        keepsSquares = call.function.isVariance
    }

    func grow(to capacity: Int) {
        sums.grow(to: capacity, FloatSum())
        if keepsSquares { squares.grow(to: capacity, FloatSum()) }
        counts.grow(to: capacity, 0)
    }

    func clear(_ group: Int32) {
        sums[Int(group)] = FloatSum()
        if keepsSquares { squares[Int(group)] = FloatSum() }
        counts[Int(group)] = 0
    }

    func release() {
        sums = []
        squares = []
        counts = []
    }

    /// A sum is mostly five or six digits beside its header.
    var byteCount: Int { (sums.count + squares.count) * 128 + counts.count * 8 }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        guard case .float64(let values) = batch.columns[call.arguments[0]].values else { return }
        for index in folded.rows.indices {
            let group = Int(folded.groups[index])
            let change = folded.change(index)
            sums[group].add(values[Int(folded.rows[index])], change: Int8(change))
            counts[group] &+= change
        }
        guard keepsSquares else { return }
        for index in folded.rows.indices {
            squares[Int(folded.groups[index])].addSquare(
                of: values[Int(folded.rows[index])], change: Int8(folded.change(index)))
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
        sums[Int(group)].append(to: &bytes)
        if keepsSquares { squares[Int(group)].append(to: &bytes) }
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        counts[Int(group)] = try reader.signed()
        sums[Int(group)] = try reader.floatSum()
        if keepsSquares { squares[Int(group)] = try reader.floatSum() }
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        var builder = ColumnBuilder(call.type, capacity: groups.count)
        for (position, group) in groups.enumerated() {
            let group = Int(group)
            guard counts[group] > (call.function.isSample ? 1 : 0) else {
                builder.appendNull()
                continue
            }
            if let value = result(group) {
                builder.append(value)
            } else {
                errors.note(outOfRange(call, position))
                builder.appendNull()
            }
        }
        return builder.finish()
    }

    /// nil: out of range.
    private func result(_ group: Int) -> Double? {
        switch call.function {
        case .sum: sums[group].value(as: call.type)
        case .avg: sums[group].average(count: counts[group])
        default:
            call.function.spread(
                sums[group].variance(
                    squares: squares[group], count: counts[group],
                    isSample: call.function.isSample))
        }
    }
}

/// Variance and standard deviation of integers and numerics.
final class ExactVarianceAccumulators: Accumulators {
    private let call: AggregateCall
    private let scale: Int
    private var sums: [IntegerSum] = []
    private var squares: [IntegerSum] = []
    private var counts: [Int64] = []

    init(_ call: AggregateCall) {
        self.call = call
        if case .numeric(_, let scale) = call.argumentTypes[0] {
            self.scale = scale
        } else {
            scale = 0
        }
    }

    func grow(to capacity: Int) {
        sums.grow(to: capacity, IntegerSum())
        squares.grow(to: capacity, IntegerSum())
        counts.grow(to: capacity, 0)
    }

    func clear(_ group: Int32) {
        sums[Int(group)] = IntegerSum()
        squares[Int(group)] = IntegerSum()
        counts[Int(group)] = 0
    }

    func release() {
        sums = []
        squares = []
        counts = []
    }

    var byteCount: Int { counts.count * 72 }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        switch batch.columns[call.arguments[0]].values {
        case .int64(let values):
            for index in folded.rows.indices {
                add(Int128(values[Int(folded.rows[index])]), folded, index)
            }
        case .int128(let values):
            for index in folded.rows.indices { add(values[Int(folded.rows[index])], folded, index) }
        default: break
        }
    }

    @inline(__always)
    private func add(_ value: Int128, _ folded: FoldedRows, _ index: Int) {
        let group = Int(folded.groups[index])
        let change = folded.change(index)
        sums[group].add(value, change: Int8(change))
        squares[group].addSquare(of: value, change: Int8(change))
        counts[group] &+= change
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices {
            sums[Int(into[index])].merge(other.sums[Int(groups[index])])
            squares[Int(into[index])].merge(other.squares[Int(groups[index])])
            counts[Int(into[index])] += other.counts[Int(groups[index])]
        }
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.appendSigned(counts[Int(group)])
        sums[Int(group)].append(to: &bytes)
        squares[Int(group)].append(to: &bytes)
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        counts[Int(group)] = try reader.signed()
        sums[Int(group)] = try reader.integerSum()
        squares[Int(group)] = try reader.integerSum()
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        var builder = ColumnBuilder(call.type, capacity: groups.count)
        for group in groups {
            let variance =
                counts[Int(group)] > 0
                ? sums[Int(group)].variance(
                    squares: squares[Int(group)], count: counts[Int(group)], scale: scale,
                    isSample: call.function.isSample) : nil
            if let value = call.function.spread(variance) {
                builder.append(value)
            } else {
                builder.appendNull()
            }
        }
        return builder.finish()
    }
}

extension AggregateFunction {
    var isVariance: Bool {
        switch self {
        case .stddevSample, .stddevPopulation, .varianceSample, .variancePopulation: true
        default: false
        }
    }

    fileprivate var isSample: Bool { self == .stddevSample || self == .varianceSample }

    /// A variance as this function gives it.
    fileprivate func spread(_ variance: Double?) -> Double? {
        self == .stddevSample || self == .stddevPopulation
            ? variance.map { $0.squareRoot() } : variance
    }
}
