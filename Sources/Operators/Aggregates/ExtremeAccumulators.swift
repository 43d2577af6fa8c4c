// min and max over append-only input: only what shows.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

/// min and max of 64-bit integers, times and floats (floats as integers of the same order).
final class ExtremeAccumulators: Accumulators {
    private let call: AggregateCall
    private let isMinimum: Bool
    private let isFloat: Bool
    private var values: [Int64] = []
    private var isSet: [Bool] = []

    init(_ call: AggregateCall) {
        self.call = call
        isMinimum = call.function == .min
        isFloat = call.argumentTypes[0].physical == .float64
    }

    func grow(to capacity: Int) {
        values.grow(to: capacity, isMinimum ? .max : .min)
        isSet.grow(to: capacity, false)
    }

    func clear(_ group: Int32) {
        values[Int(group)] = isMinimum ? .max : .min
        isSet[Int(group)] = false
    }

    func release() {
        values = []
        isSet = []
    }

    var byteCount: Int { values.count * 9 }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        require(folded.changes == nil, "min or max without history meets a retraction")
        switch batch.columns[call.arguments[0]].values {
        case .int64(let column): fold(column, folded)
        case .float64(let column): fold(column.map(OrderedBytes.orderedBits), folded)
        default: break
        }
    }

    private func fold(_ column: [Int64], _ folded: FoldedRows) {
        if isMinimum {
            ExtremeAccumulators.foldMinimum(column, folded, &values, &isSet)
        } else {
            ExtremeAccumulators.foldMaximum(column, folded, &values, &isSet)
        }
    }

    // Arrays are passed inout: one exclusivity check a batch, where a field costs one a row.

    private static func foldMinimum(
        _ column: [Int64], _ folded: FoldedRows, _ values: inout [Int64], _ isSet: inout [Bool]
    ) {
        for index in folded.rows.indices {
            let group = Int(folded.groups[index])
            values[group] = min(values[group], column[Int(folded.rows[index])])
            isSet[group] = true
        }
    }

    private static func foldMaximum(
        _ column: [Int64], _ folded: FoldedRows, _ values: inout [Int64], _ isSet: inout [Bool]
    ) {
        for index in folded.rows.indices {
            let group = Int(folded.groups[index])
            values[group] = max(values[group], column[Int(folded.rows[index])])
            isSet[group] = true
        }
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        let otherIsSet = other.isSet
        let set = groups.indices.filter { otherIsSet[Int(groups[$0])] }
        let folded = FoldedRows(
            groups: set.map { into[$0] }, rows: set.map { groups[$0] }, changes: nil)
        fold(other.values, folded)
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        let valid = groups.map { isSet[Int($0)] }
        let chosen = groups.map { values[Int($0)] }
        return Column(
            call.type,
            isFloat ? .float64(chosen.map(OrderedBytes.float(orderedBits:))) : .int64(chosen),
            validity: valid.contains(false) ? valid : nil)
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.append(isSet[Int(group)] ? 1 : 0)
        if isSet[Int(group)] { bytes.appendSigned(values[Int(group)]) }
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        clear(group)
        guard try reader.byte() == 1 else { return }
        values[Int(group)] = try reader.signed()
        isSet[Int(group)] = true
    }
}

/// min, max of other types, first and last over append-only input: the entry that shows, as bytes.
final class BestAccumulators: Accumulators {
    private let entries: EntryCodec
    private let isLast: Bool
    private var best = ByteSlots()
    private var isSet: [Bool] = []

    init(_ call: AggregateCall) {
        entries = EntryCodec(call)
        isLast = call.function == .max || call.function == .last
    }

    func grow(to capacity: Int) { isSet.grow(to: capacity, false) }

    func clear(_ group: Int32) {
        isSet[Int(group)] = false
        best.clear(Int(group))
    }

    func release() {
        best = ByteSlots()
        isSet = []
    }

    var byteCount: Int { best.byteCount + isSet.count * 13 }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        require(folded.changes == nil, "first or last without history meets a retraction")
        let encoded = entries.encode(batch, rows: folded.rows)
        for index in folded.groups.indices { offer(encoded[index], to: Int(folded.groups[index])) }
    }

    private func offer(_ entry: ArraySlice<UInt8>, to group: Int) {
        if isSet[group] {
            let own = best[group]
            let replaces =
                isLast ? OrderedBytes.isLess(own, entry) : OrderedBytes.isLess(entry, own)
            guard replaces else { return }
        }
        isSet[group] = true
        best.set(group, entry)
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices where other.isSet[Int(groups[index])] {
            offer(other.best[Int(groups[index])], to: Int(into[index]))
        }
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        entries.values(groups.map { isSet[Int($0)] ? best[Int($0)] : nil })
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.append(isSet[Int(group)] ? 1 : 0)
        if isSet[Int(group)] { bytes.appendBlock(best[Int(group)]) }
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        clear(group)
        guard try reader.byte() == 1 else { return }
        isSet[Int(group)] = true
        best.set(Int(group), try reader.block())
    }
}
