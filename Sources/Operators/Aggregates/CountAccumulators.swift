// count, bool_and and bool_or: counters, which a −1 simply takes back.

import Columns
import Contracts
import Kernels
import State
import Types

/// count(*) and count(x).
final class CountAccumulators: Accumulators {
    private var counts: [Int64] = []

    func grow(to capacity: Int) { counts.grow(to: capacity, 0) }
    func clear(_ group: Int32) { counts[Int(group)] = 0 }
    func release() { counts = [] }
    var byteCount: Int { counts.count * 8 }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        CountAccumulators.fold(folded, into: &counts)
    }

    private static func fold(_ folded: FoldedRows, into counts: inout [Int64]) {
        if folded.changes == nil {
            for group in folded.groups { counts[Int(group)] &+= 1 }
        } else {
            for index in folded.groups.indices {
                counts[Int(folded.groups[index])] &+= folded.change(index)
            }
        }
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        CountAccumulators.merge(same(other).counts, groups, into, &counts)
    }

    private static func merge(
        _ other: [Int64], _ groups: [Int32], _ into: [Int32], _ counts: inout [Int64]
    ) {
        for index in groups.indices { counts[Int(into[index])] += other[Int(groups[index])] }
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        Column(.bigint, .int64(groups.map { counts[Int($0)] }))
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.appendSigned(counts[Int(group)])
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        counts[Int(group)] = try reader.signed()
    }
}

/// bool_and and bool_or, from how many are true and how many false.
final class BooleanAccumulators: Accumulators {
    private let argument: Int
    private let isAnd: Bool
    private var trues: [Int64] = []
    private var falses: [Int64] = []

    init(argument: Int, isAnd: Bool) {
        self.argument = argument
        self.isAnd = isAnd
    }

    func grow(to capacity: Int) {
        trues.grow(to: capacity, 0)
        falses.grow(to: capacity, 0)
    }

    func clear(_ group: Int32) {
        trues[Int(group)] = 0
        falses[Int(group)] = 0
    }

    func release() {
        trues = []
        falses = []
    }

    var byteCount: Int { trues.count * 16 }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        guard case .bool(let values) = batch.columns[argument].values else { return }
        BooleanAccumulators.fold(values, folded, &trues, &falses)
    }

    private static func fold(
        _ values: [Bool], _ folded: FoldedRows, _ trues: inout [Int64], _ falses: inout [Int64]
    ) {
        for index in folded.rows.indices {
            let group = Int(folded.groups[index])
            if values[Int(folded.rows[index])] {
                trues[group] &+= folded.change(index)
            } else {
                falses[group] &+= folded.change(index)
            }
        }
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices {
            trues[Int(into[index])] += other.trues[Int(groups[index])]
            falses[Int(into[index])] += other.falses[Int(groups[index])]
        }
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        let values = groups.map { isAnd ? falses[Int($0)] == 0 : trues[Int($0)] != 0 }
        let valid = groups.map { trues[Int($0)] != 0 || falses[Int($0)] != 0 }
        return Column(.boolean, .bool(values), validity: valid)
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.appendSigned(trues[Int(group)])
        bytes.appendSigned(falses[Int(group)])
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        trues[Int(group)] = try reader.signed()
        falses[Int(group)] = try reader.signed()
    }
}
