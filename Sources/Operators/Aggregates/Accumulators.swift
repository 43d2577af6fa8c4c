// What an aggregate keeps for each group: one column of accumulators a call.
//
// The operator calls each column of accumulators once per batch; which loop runs is chosen there.
// Groups are the numbers that a GroupTable gave, so accumulators are plain arrays.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

/// Rows to fold: parallel arrays, already without those that FILTER or a NULL argument leaves out.
struct FoldedRows {
    let groups: [Int32]
    /// Rows of the batch.
    let rows: [Int32]
    /// +1 or −1 for each row of the batch; nil: all +1.
    let changes: [Int8]?
}

/// One aggregate call's accumulators of all groups. `State`, in `encode` and `decode`, is what
/// stands beside the values of a multiset, which has entries of its own.
protocol Accumulators: AnyObject {
    /// Makes room; new groups are empty.
    func grow(to capacity: Int)
    func update(_ batch: Batch, _ folded: FoldedRows)
    /// Empties a group for its next key.
    func clear(_ group: Int32)
    /// All groups are empty: gives the memory back. `grow` follows before the next use.
    func release()
    /// Adds the other's `groups` to the groups `into`, one by one.
    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32])
    /// The results; errors by the position in `groups`.
    func results(_ groups: [Int32], errors: inout RowErrors) -> Column
    func encode(_ group: Int32, into bytes: inout [UInt8])
    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure)
    /// The values kept one by one, if any.
    var multiset: ValueMultiset? { get }
    var byteCount: Int { get }
}

/// Accumulators whose values are stored one by one, in entries of their own.
protocol ValueAccumulators: Accumulators {
    /// Hands over what changed in the entries; count nil: the entry is gone.
    func takeChanges(_ body: (_ group: Int32, _ bytes: ArraySlice<UInt8>, _ count: Int64?) -> Void)
    func restore(_ bytes: ArraySlice<UInt8>, to group: Int32, count: Int64)
}

extension Accumulators {
    var multiset: ValueMultiset? { nil }

    /// The other accumulators of the same call.
    func same(_ other: any Accumulators) -> Self {
        (other as? Self).required("accumulators of different calls are merged")
    }
}

/// What decides which accumulators a call gets.
struct AccumulatorSettings {
    let inputIsUpdating: Bool
    let collectLimit: Int
}

extension AggregateCall {
    func makeAccumulators(_ settings: AccumulatorSettings) -> any Accumulators {
        if isDistinct, settings.needsDistinctValues(function) {
            return MultisetAccumulators(self, settings)
        }
        switch function {
        case .countStar, .count: return CountAccumulators()
        case .boolAnd, .boolOr:
            return BooleanAccumulators(argument: arguments[0], isAnd: function == .boolAnd)
        case .sum, .avg:
            switch argumentTypes[0].physical {
            case .float64: return FloatSumAccumulators(self)
            case .int128: return NumericSumAccumulators(self)
            default: return IntegerSumAccumulators(self)
            }
        case .stddevSample, .stddevPopulation, .varianceSample, .variancePopulation:
            return argumentTypes[0].isFloat
                ? FloatSumAccumulators(self) : ExactVarianceAccumulators(self)
        case .approximateCountDistinct:
            return settings.inputIsUpdating
                ? MultisetAccumulators(self, settings) : SketchAccumulators(argument: arguments[0])
        case .min, .max:
            if settings.inputIsUpdating { return MultisetAccumulators(self, settings) }
            switch argumentTypes[0].physical {
            case .int64, .float64: return ExtremeAccumulators(self)
            default: return BestAccumulators(self)
            }
        case .first, .last:
            return settings.inputIsUpdating
                ? MultisetAccumulators(self, settings) : BestAccumulators(self)
        case .arrayAggregate, .stringAggregate: return MultisetAccumulators(self, settings)
        }
    }

    /// Whether rows with a NULL argument count: those that hand values on as they are keep NULLs.
    var takesNulls: Bool {
        switch function {
        case .countStar, .first, .last, .arrayAggregate: true
        default: false
        }
    }
}

extension AccumulatorSettings {
    /// Whether DISTINCT makes a difference to a function.
    fileprivate func needsDistinctValues(_ function: AggregateFunction) -> Bool {
        switch function {
        case .min, .max, .boolAnd, .boolOr, .approximateCountDistinct, .first, .last, .countStar:
            false
        case .count, .sum, .avg, .stddevSample, .stddevPopulation, .varianceSample,
            .variancePopulation, .arrayAggregate, .stringAggregate:
            true
        }
    }
}

/// The accumulators of all calls of an operator, updated together.
struct AccumulatorSet {
    let calls: [AggregateCall]
    let columns: [any Accumulators]

    init(_ calls: [AggregateCall], _ settings: AccumulatorSettings) {
        self.calls = calls
        columns = calls.map { $0.makeAccumulators(settings) }
    }

    /// Rows themselves, kept in one column of accumulators.
    init(_ rows: RowAccumulators) {
        calls = [.everyRow]
        columns = [rows]
    }

    func grow(to capacity: Int) { for column in columns { column.grow(to: capacity) } }
    func clear(_ group: Int32) { for column in columns { column.clear(group) } }
    func release() { for column in columns { column.release() } }
    var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }
    /// Whether a group may have entries of values beside its own.
    var hasValues: Bool { columns.contains { $0 is any ValueAccumulators } }
    /// Of changed entries that are stored one by one.
    var dirtyBytes: Int { columns.reduce(0) { $0 + ($1.multiset?.dirtyBytes ?? 0) } }

    /// Folds rows of a batch into their groups.
    func update(_ batch: Batch, groups: [Int32], rows: [Int32]) {
        let all = FoldedRows(groups: groups, rows: rows, changes: batch.changes)
        for (call, column) in zip(calls, columns) {
            column.update(batch, call.selected(all, in: batch))
        }
    }

    func merge(_ other: AccumulatorSet, groups: [Int32], into: [Int32]) {
        for (column, other) in zip(columns, other.columns) {
            column.merge(other, groups: groups, into: into)
        }
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> [Column] {
        columns.map { $0.results(groups, errors: &errors) }
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        for column in columns { column.encode(group, into: &bytes) }
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        for column in columns { try column.decode(group, &reader) }
    }
}

extension AggregateCall {
    /// Selects all rows.
    fileprivate static let everyRow = AggregateCall(
        function: .countStar, arguments: [], argumentTypes: [], isDistinct: false, filter: nil,
        ordering: [], type: .bigint, place: nil)

    /// The rows that FILTER and NULL arguments leave.
    fileprivate func selected(_ folded: FoldedRows, in batch: Batch) -> FoldedRows {
        var result = folded
        if let filter, case .bool(let values) = batch.columns[filter].values {
            let validity = batch.columns[filter].validity
            result = result.where { values[$0] && (validity?[$0] ?? true) }
        }
        guard !takesNulls else { return result }
        for argument in arguments.prefix(1) {
            if case .null = batch.columns[argument].values { return result.where { _ in false } }
            if let validity = batch.columns[argument].validity {
                result = result.where { validity[$0] }
            }
        }
        return result
    }
}

extension FoldedRows {
    /// Inlined with its condition, so that this is a plain loop.
    @inline(__always)
    fileprivate func `where`(_ condition: (Int) -> Bool) -> FoldedRows {
        var groups: [Int32] = []
        var rows: [Int32] = []
        groups.reserveCapacity(self.rows.count)
        rows.reserveCapacity(self.rows.count)
        for index in self.rows.indices where condition(Int(self.rows[index])) {
            groups.append(self.groups[index])
            rows.append(self.rows[index])
        }
        return FoldedRows(groups: groups, rows: rows, changes: changes)
    }

    /// The change of the row at a position.
    @inline(__always)
    func change(_ index: Int) -> Int64 {
        if let changes { return Int64(changes[Int(rows[index])]) }
        return 1
    }
}

extension Array {
    /// Appends copies of `value` up to `count`.
    mutating func grow(to count: Int, _ value: Element) {
        if count > self.count {
            append(contentsOf: repeatElement(value, count: count - self.count))
        }
    }
}
