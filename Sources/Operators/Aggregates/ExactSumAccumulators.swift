// sum and avg of integers and numerics: exact, and judged only when read (dialect.md §3.2).

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

/// Of 64-bit integers: 2⁶³ of them fit 128 bits, so no order of additions and retractions
/// overflows.
final class IntegerSumAccumulators: Accumulators {
    private let call: AggregateCall
    private var sums: [Int128] = []
    private var counts: [Int64] = []

    init(_ call: AggregateCall) { self.call = call }

    func grow(to capacity: Int) {
        sums.grow(to: capacity, 0)
        counts.grow(to: capacity, 0)
    }

    func clear(_ group: Int32) {
        sums[Int(group)] = 0
        counts[Int(group)] = 0
    }

    func release() {
        sums = []
        counts = []
    }

    var byteCount: Int { sums.count * 24 }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        guard case .int64(let values) = batch.columns[call.arguments[0]].values else { return }
        IntegerSumAccumulators.fold(values, folded, &sums, &counts)
    }

    private static func fold(
        _ values: [Int64], _ folded: FoldedRows, _ sums: inout [Int128], _ counts: inout [Int64]
    ) {
        if folded.changes == nil {
            for index in folded.rows.indices {
                let group = Int(folded.groups[index])
                sums[group] &+= Int128(values[Int(folded.rows[index])])
                counts[group] &+= 1
            }
        } else {
            for index in folded.rows.indices {
                let group = Int(folded.groups[index])
                let change = folded.change(index)
                sums[group] &+= Int128(values[Int(folded.rows[index])]) &* Int128(change)
                counts[group] &+= change
            }
        }
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices {
            sums[Int(into[index])] &+= other.sums[Int(groups[index])]
            counts[Int(into[index])] += other.counts[Int(groups[index])]
        }
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.appendSigned(counts[Int(group)])
        bytes.appendInt128(sums[Int(group)])
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        counts[Int(group)] = try reader.signed()
        sums[Int(group)] = try reader.int128()
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        exactResults(call, groups, &errors) { group in
            var sum = IntegerSum()
            sum.add(sums[group])
            return (sum, counts[group])
        }
    }
}

/// Of numerics: 256 bits.
final class NumericSumAccumulators: Accumulators {
    private let call: AggregateCall
    private var sums: [IntegerSum] = []
    private var counts: [Int64] = []

    init(_ call: AggregateCall) { self.call = call }

    func grow(to capacity: Int) {
        sums.grow(to: capacity, IntegerSum())
        counts.grow(to: capacity, 0)
    }

    func clear(_ group: Int32) {
        sums[Int(group)] = IntegerSum()
        counts[Int(group)] = 0
    }

    func release() {
        sums = []
        counts = []
    }

    var byteCount: Int { sums.count * 40 }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        guard case .int128(let values) = batch.columns[call.arguments[0]].values else { return }
        NumericSumAccumulators.fold(values, folded, &sums, &counts)
    }

    private static func fold(
        _ values: [Int128], _ folded: FoldedRows, _ sums: inout [IntegerSum],
        _ counts: inout [Int64]
    ) {
        for index in folded.rows.indices {
            let group = Int(folded.groups[index])
            let change = folded.change(index)
            sums[group].add(values[Int(folded.rows[index])], change: Int8(change))
            counts[group] &+= change
        }
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices {
            sums[Int(into[index])].merge(other.sums[Int(groups[index])])
            counts[Int(into[index])] += other.counts[Int(groups[index])]
        }
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.appendSigned(counts[Int(group)])
        sums[Int(group)].append(to: &bytes)
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        counts[Int(group)] = try reader.signed()
        sums[Int(group)] = try reader.integerSum()
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        exactResults(call, groups, &errors) { (sums[$0], counts[$0]) }
    }
}

/// Sums or averages of groups. Not per row: once a group that is read.
private func exactResults(
    _ call: AggregateCall, _ groups: [Int32], _ errors: inout RowErrors,
    _ sum: (Int) -> (IntegerSum, Int64)
) -> Column {
    var scale = 0
    if case .numeric(_, let own) = call.argumentTypes[0] { scale = own }
    var resultScale = scale
    if case .numeric(_, let own) = call.type { resultScale = own }
    var builder = ColumnBuilder(call.type, capacity: groups.count)
    for (position, group) in groups.enumerated() {
        let (sum, count) = sum(Int(group))
        guard count > 0 else {
            builder.appendNull()
            continue
        }
        let value =
            call.function == .avg
            ? sum.average(count: count, scale: scale, resultScale: resultScale)
            : sum.value(as: call.type)
        guard let value else {
            errors.note(outOfRange(call, position))
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

func outOfRange(_ call: AggregateCall, _ position: Int) -> RowError {
    RowError(
        row: position, reason: .overflow,
        detail: "\(call.function.rawValue) is out of range of \(call.type)", place: call.place)
}

extension ByteReader {
    /// What an exact sum appended; the kernel's reader is given the rest.
    mutating func integerSum() throws(Failure) -> IntegerSum {
        var position = self.position
        guard let sum = IntegerSum(reading: bytes, at: &position) else {
            throw ByteReader.damaged("has a broken sum")
        }
        _ = try take(position - self.position)
        return sum
    }

    mutating func floatSum() throws(Failure) -> FloatSum {
        var position = self.position
        guard let sum = FloatSum(reading: bytes, at: &position) else {
            throw ByteReader.damaged("has a broken sum")
        }
        _ = try take(position - self.position)
        return sum
    }
}
