// Aggregates that keep their values one by one: DISTINCT, collecting aggregates, and min, max,
// first and last where a −1 can take a value back.
//
// min, max, first and last read the whole multiset of each group that changed: their cost over
// updating input, which `explain` names (dialect.md §2.1).

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class MultisetAccumulators: ValueAccumulators {
    private let call: AggregateCall
    private let entries: EntryCodec
    private let collectLimit: Int
    /// Append-only: values beyond the limit need not be kept, as the group stays over it.
    private let stopsAtLimit: Bool
    private var values = ValueMultiset()
    /// `string_agg`: the separators, one a group (that of the latest row).
    private var separators: [[UInt8]] = []
    private var isOverLimit: [Bool] = []

    init(_ call: AggregateCall, _ settings: AccumulatorSettings) {
        self.call = call
        entries = EntryCodec(call)
        collectLimit = settings.collectLimit
        let collects = call.function == .arrayAggregate || call.function == .stringAggregate
        stopsAtLimit = collects && !settings.inputIsUpdating
    }

    var multiset: ValueMultiset? { values }

    func grow(to capacity: Int) {
        values.grow(to: capacity)
        isOverLimit.grow(to: capacity, false)
        if call.function == .stringAggregate { separators.grow(to: capacity, []) }
    }

    func clear(_ group: Int32) {
        values.clear(group)
        isOverLimit[Int(group)] = false
        if call.function == .stringAggregate { separators[Int(group)] = [] }
    }

    func release() {
        values = ValueMultiset()
        separators = []
        isOverLimit = []
    }

    var byteCount: Int { values.byteCount }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        let encoded = entries.encode(batch, rows: folded.rows)
        for index in folded.groups.indices {
            add(encoded[index], to: folded.groups[index], change: folded.change(index))
        }
        guard call.function == .stringAggregate, call.arguments.count > 1,
            case .bytes(let column) = batch.columns[call.arguments[1]].values
        else { return }
        let validity = batch.columns[call.arguments[1]].validity
        for index in folded.groups.indices {
            let row = Int(folded.rows[index])
            let group = Int(folded.groups[index])
            let separator = validity?[row] ?? true ? column[row] : []
            if separators[group][...] != separator { separators[group] = Array(separator) }
        }
    }

    private func add(_ entry: ArraySlice<UInt8>, to group: Int32, change: Int64) {
        if stopsAtLimit, size(group) > collectLimit {
            isOverLimit[Int(group)] = true
            return
        }
        values.add(entry, to: group, change: change)
    }

    /// How many values show.
    private func size(_ group: Int32) -> Int64 {
        call.isDistinct ? values.distinct[Int(group)] : values.totals[Int(group)]
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices {
            for (bytes, count) in other.values.values(of: groups[index]) {
                add(bytes, to: into[index], change: count)
            }
            if call.function == .stringAggregate {
                separators[Int(into[index])] = other.separators[Int(groups[index])]
            }
        }
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        if call.function == .stringAggregate { bytes.appendBlock(separators[Int(group)]) }
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        if call.function == .stringAggregate {
            separators[Int(group)] = Array(try reader.block())
        }
    }

    func takeChanges(_ body: (Int32, ArraySlice<UInt8>, Int64?) -> Void) {
        values.takeChanges(body)
    }

    func restore(_ bytes: ArraySlice<UInt8>, to group: Int32, count: Int64) {
        values.restore(bytes, to: group, count: count)
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        switch call.function {
        case .min, .first:
            return entries.values(groups.map { values.extreme(of: $0, isLast: false) })
        case .max, .last:
            return entries.values(groups.map { values.extreme(of: $0, isLast: true) })
        case .arrayAggregate, .stringAggregate: return collected(groups, &errors)
        case .count, .approximateCountDistinct:
            return Column(.bigint, .int64(groups.map { positiveCount($0) }))
        default: return overDistinctValues(groups, &errors)
        }
    }

    private func positiveCount(_ group: Int32) -> Int64 {
        values.values(of: group).reduce(0) { $0 + ($1.count > 0 ? 1 : 0) }
    }

    /// sum(DISTINCT x) and its like: the plain aggregate over each group's values.
    private func overDistinctValues(_ groups: [Int32], _ errors: inout RowErrors) -> Column {
        var slices: [ArraySlice<UInt8>?] = []
        var positions: [Int32] = []
        for (position, group) in groups.enumerated() {
            for (bytes, count) in values.values(of: group) where count > 0 {
                slices.append(bytes)
                positions.append(Int32(position))
            }
        }
        let plain = AggregateCall(
            function: call.function, arguments: [0], argumentTypes: call.argumentTypes,
            isDistinct: false, filter: nil, ordering: [], type: call.type, place: call.place)
        let inner = plain.makeAccumulators(
            AccumulatorSettings(inputIsUpdating: false, collectLimit: collectLimit))
        inner.grow(to: groups.count)
        let rows = slices.indices.map { Int32($0) }
        inner.update(
            Batch(rowCount: slices.count, columns: [entries.values(slices)]),
            FoldedRows(groups: positions, rows: rows, changes: nil))
        return inner.results(groups.indices.map { Int32($0) }, errors: &errors)
    }

    private func collected(_ groups: [Int32], _ errors: inout RowErrors) -> Column {
        var builder = ColumnBuilder(call.type, capacity: groups.count)
        for (position, group) in groups.enumerated() {
            if isOverLimit[Int(group)] || size(group) > collectLimit {
                errors.note(
                    RowError(
                        row: position, reason: .limit, constraint: "collect_limit",
                        detail: "\(call.function.rawValue) has more than \(collectLimit) values",
                        place: call.place))
                builder.appendNull()
                continue
            }
            let column = entries.values(ordered(group))
            if column.count == 0 {
                builder.appendNull()
            } else if call.function == .arrayAggregate {
                builder.append(.list((0..<column.count).map(column.scalar)))
            } else {
                builder.append(bytes: joined(column, separators[Int(group)]))
            }
        }
        return builder.finish()
    }

    /// A group's entries in order, each as often as it counts (DISTINCT: once).
    private func ordered(_ group: Int32) -> [ArraySlice<UInt8>?] {
        let sorted = values.values(of: group).filter { $0.count > 0 }
            .sorted { OrderedBytes.isLess($0.bytes, $1.bytes) }
        return sorted.flatMap { entry in
            repeatElement(entry.bytes, count: call.isDistinct ? 1 : Int(entry.count))
        }
    }

    private func joined(_ column: Column, _ separator: [UInt8]) -> [UInt8] {
        guard case .bytes(let texts) = column.values else { return [] }
        var result: [UInt8] = []
        for row in 0..<column.count {
            if row > 0 { result.append(contentsOf: separator) }
            result.append(contentsOf: texts[row])
        }
        return result
    }
}
