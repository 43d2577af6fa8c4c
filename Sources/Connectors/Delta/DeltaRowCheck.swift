// Values that no Delta table holds: found here and given back as violations of their rows, so that
// one of them costs a row and not the table.

import Columns
import Contracts
import DeltaTable
import Planning
import Types

/// Checks the rows of one output. Columns that hold every value of their type cost nothing.
struct DeltaRowCheck: Sendable {
    private let schema: Schema
    private let partitionColumns: Set<Int>
    private let place: SourcePlace?
    /// Columns that are looked at.
    private let checked: [Int]

    init(_ plan: OutputPlan, partitionColumns: [Int]) {
        schema = plan.schema
        self.partitionColumns = Set(partitionColumns)
        place = plan.place
        checked = plan.schema.fields.indices.filter { index in
            DeltaRowCheck.hasTimes(plan.schema[index].type)
                || partitionColumns.contains(index) && !plan.schema[index].isNullable
        }
    }

    private static func hasTimes(_ type: LogicalType) -> Bool {
        switch type {
        case .date, .timestamp, .timestamptz: true
        case .array(let element): hasTimes(element)
        case .row(let row): row.fields.contains { hasTimes($0.type) }
        default: false
        }
    }

    /// One error for each row that the table cannot hold, ascending.
    func refused(_ batch: Batch) -> [RowError] {
        var errors: [Int: RowError] = [:]
        for index in checked {
            let isPartition = partitionColumns.contains(index)
            let range = isPartition ? DeltaRange.partition : DeltaRange.stored
            for row in outside(batch.columns[index], range) {
                let holder = isPartition ? "a Delta partition" : "a Delta table"
                errors[row] = error(row, index, .outOfRange, "is beyond what \(holder) holds")
            }
            if isPartition, !schema[index].isNullable {
                for row in emptyRows(batch.columns[index]) {
                    errors[row] = error(
                        row, index, .notNull,
                        "is empty, which a Delta partition cannot tell from NULL")
                }
            }
        }
        return errors.values.sorted { $0.row < $1.row }
    }

    private func error(
        _ row: Int, _ column: Int, _ reason: DataErrorReason, _ what: String
    ) -> RowError {
        RowError(
            row: row, reason: reason, constraint: schema[column].name,
            detail: "\(schema[column].name) \(what)", place: place)
    }

    /// Rows with a date or time outside of `range`, at any depth.
    private func outside(_ column: Column, _ range: DeltaRange) -> [Int] {
        switch (column.values, column.type) {
        case (.int64(let values), .date): return outside(values, range.days, column)
        case (.int64(let values), .timestamp), (.int64(let values), .timestamptz):
            return outside(values, range.microseconds, column)
        case (.list(let list), .array(let element)) where DeltaRowCheck.hasTimes(element):
            let bad = Set(outside(list.element, range))
            guard !bad.isEmpty else { return [] }
            return list.ranges.indices.filter { row in
                let range = list.ranges[row]
                return column.isValid(row)
                    && (range.start..<range.start + range.length).contains {
                        bad.contains(Int($0))
                    }
            }
        case (.row(let fields), .row):
            return fields.fields.flatMap { outside($0, range) }.filter { column.isValid($0) }
        default: return []
        }
    }

    private func outside(
        _ values: [Int64], _ range: ClosedRange<Int64>, _ column: Column
    ) -> [Int] {
        var isClean = true
        for value in values { isClean = isClean && range.contains(value) }
        if isClean { return [] }
        return values.indices.filter { !range.contains(values[$0]) && column.isValid($0) }
    }

    private func emptyRows(_ column: Column) -> [Int] {
        guard case .bytes(let bytes) = column.values else { return [] }
        return bytes.ranges.indices.filter { bytes.ranges[$0].length == 0 && column.isValid($0) }
    }
}
