// From decoded columns to a source's rows: computed columns, then the contract (design.md §2).
//
// Of a row that lacks values (`IncompleteRow`) only what can be known is judged here; the rest is
// where the last row of its key is. A record that moves a row to another key is refused as a whole:
// with the new row goes the removal of the old one, which stays as it was (dialect.md §2.4).

package import Columns
package import Contracts
import Kernels
package import Planning
import Types

/// Computes and checks the rows of one source. One a reader.
package struct Scan {
    private let plan: SourcePlan
    private let isIdentity: Bool
    /// The column, both decoded and of the scan's, that tells incomplete rows.
    private let incomplete: (decoded: Int, column: Int)?

    /// What a batch of decoded rows came to.
    package struct Result {
        /// Rows that keep the contract, in order, with the columns of `SourcePlan.schema`.
        package let batch: Batch
        /// Rows that break it; `row` counts in the decoded batch.
        package let errors: [RowError]
        /// The decoded rows of `batch`; nil: all.
        package let kept: [Int32]?

        /// Of values that stood one a decoded row, those of the rows of `batch`.
        func kept<Value>(of values: [Value]) -> [Value] {
            kept.map { $0.map { values[Int($0)] } } ?? values
        }
    }

    package init(_ plan: SourcePlan) {
        self.plan = plan
        isIdentity =
            plan.computed.count == plan.decoded.count
            && plan.computed.enumerated().allSatisfy { index, expression in
                if case .column(index, _) = expression { return true }
                return false
            }
        incomplete = plan.decoded.firstIndex { $0.origin == .incomplete }.map {
            ($0, plan.computed.count - 1)
        }
    }

    /// `timestamps`: the records' own times in ms (−1: none), one a decoded row, for `max_ahead`.
    package func check(_ decoded: Batch, timestamps: [Int64]) -> Result {
        var errors = RowErrors()
        let columns =
            isIdentity
            ? decoded.columns
            : plan.computed.map { $0.evaluate(decoded, errors: &errors) }
        let rows = decoded.replacing(columns: columns)
        let missing = missingColumns(decoded)
        if !errors.isEmpty, !missing.isEmpty {
            // Its generated columns are computed again once it is whole.
            errors = errors.filter { missing[$0.row] == nil }
        }
        for constraint in plan.constraints { check(constraint, rows, missing, &errors) }
        if let limit = plan.maxAhead { checkAhead(rows, timestamps, limit, &errors) }
        for (row, columns) in missing {
            guard let column = plan.eventTime, columns.contains(column) else { continue }
            let name = plan.schema[column].name
            errors.note(
                RowError(
                    row: row, reason: .valueMissing, constraint: name,
                    detail: IncompleteRow.unknown(name)))
        }
        if errors.isEmpty { return Result(batch: rows, errors: [], kept: nil) }
        let bad = errors.errors
        let kept = (0..<rows.rowCount).filter { bad[$0] == nil && !isBeforeBad($0, rows, bad) }
            .map { Int32($0) }
        return Result(
            batch: rows.gather(kept), errors: bad.values.sorted { $0.row < $1.row }, kept: kept)
    }

    /// The scan's columns that cannot be known of each incomplete row.
    private func missingColumns(_ decoded: Batch) -> [Int: Set<Int>] {
        guard let incomplete else { return [:] }
        return IncompleteRow.rows(of: decoded.columns[incomplete.decoded]).mapValues { row in
            let fields = Set(row.missing)
            return Set(
                plan.computed.indices.filter {
                    !plan.computed[$0].columnsRead.isDisjoint(with: fields)
                })
        }
    }

    /// Whether the row takes an old key away for a bad row behind it.
    private func isBeforeBad(_ row: Int, _ rows: Batch, _ bad: [Int: RowError]) -> Bool {
        guard let incomplete, bad[row + 1] != nil else { return false }
        return IncompleteRow.isMarker(rows.columns[incomplete.column], row)
    }

    /// A constraint is broken where it is false; where it is NULL it holds, as in PostgreSQL.
    private func check(
        _ constraint: SourceConstraint, _ rows: Batch, _ missing: [Int: Set<Int>],
        _ errors: inout RowErrors
    ) {
        let read = missing.isEmpty ? [] : constraint.condition.columnsRead
        /// Whether the row is not judged: of one that only removes its key no other column counts,
        /// and of an incomplete one the rest is not known yet.
        func isExempt(_ row: Int) -> Bool {
            if isRemoval(rows, row) { return true }
            return missing[row].map { !$0.isDisjoint(with: read) } ?? false
        }
        var failures = RowErrors()
        let column = constraint.condition.evaluate(rows, errors: &failures)
        if !failures.isEmpty {
            for error in failures.errors.values where !isExempt(error.row) {
                errors.note(error)
            }
        }
        guard case .bool(let holds) = column.values else { return }
        if column.validity == nil, !holds.contains(false) { return }
        for row in holds.indices where !holds[row] && column.isValid(row) {
            if isExempt(row) { continue }
            errors.note(constraint.error(row: row))
        }
    }

    private func isRemoval(_ rows: Batch, _ row: Int) -> Bool {
        rows.changes.map { $0[row] < 0 } ?? false
    }

    private func checkAhead(
        _ rows: Batch, _ timestamps: [Int64], _ limit: Int64, _ errors: inout RowErrors
    ) {
        guard let column = plan.eventTime,
            case .int64(let times) = rows.columns[column].values
        else { return }
        for row in times.indices where timestamps[row] >= 0 {
            let ahead = times[row].subtractingReportingOverflow(timestamps[row] &* 1_000)
            guard ahead.overflow || ahead.partialValue > limit else { continue }
            errors.note(
                RowError(
                    row: row, reason: .tooFarAhead, constraint: plan.schema[column].name,
                    detail: "\(plan.schema[column].name) is further ahead than max_ahead allows"))
        }
    }
}
