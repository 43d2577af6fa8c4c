// From decoded columns to a source's rows: computed columns, then the contract (design.md §2).

import Columns
import Contracts
import Kernels
import Planning
import Types

/// Computes and checks the rows of one source. One a reader.
struct Scan {
    private let plan: SourcePlan
    private let isIdentity: Bool

    /// What a batch of decoded rows came to.
    struct Result {
        /// Rows that keep the contract, in order, with the columns of `SourcePlan.schema`.
        let batch: Batch
        /// Rows that break it; `row` counts in the decoded batch.
        let errors: [RowError]

        /// Of values that stood one a decoded row, those of the rows that were kept.
        func kept<Value>(of values: [Value]) -> [Value] {
            if errors.isEmpty { return values }
            let bad = Set(errors.map(\.row))
            return values.indices.filter { !bad.contains($0) }.map { values[$0] }
        }
    }

    init(_ plan: SourcePlan) {
        self.plan = plan
        isIdentity =
            plan.computed.count == plan.decoded.count
            && plan.computed.enumerated().allSatisfy { index, expression in
                if case .column(index, _) = expression { return true }
                return false
            }
    }

    /// `timestamps`: the records' own times in ms (−1: none), one a decoded row, for `max_ahead`.
    func check(_ decoded: Batch, timestamps: [Int64]) -> Result {
        var errors = RowErrors()
        let columns =
            isIdentity
            ? decoded.columns
            : plan.computed.map { $0.evaluate(decoded, errors: &errors) }
        let rows = decoded.replacing(columns: columns)
        for constraint in plan.constraints { check(constraint, rows, &errors) }
        if let limit = plan.maxAhead { checkAhead(rows, timestamps, limit, &errors) }
        if errors.isEmpty { return Result(batch: rows, errors: []) }
        let bad = errors.errors
        let kept = (0..<rows.rowCount).filter { bad[$0] == nil }.map { Int32($0) }
        return Result(
            batch: rows.gather(kept), errors: bad.values.sorted { $0.row < $1.row })
    }

    /// A constraint is broken where it is false; where it is NULL it holds, as in PostgreSQL. Of a
    /// row that only removes its key no other column counts.
    private func check(_ constraint: SourceConstraint, _ rows: Batch, _ errors: inout RowErrors) {
        var failures = RowErrors()
        let column = constraint.condition.evaluate(rows, errors: &failures)
        if !failures.isEmpty {
            for error in failures.errors.values where !isRemoval(rows, error.row) {
                errors.note(error)
            }
        }
        guard case .bool(let holds) = column.values else { return }
        if column.validity == nil, !holds.contains(false) { return }
        for row in holds.indices where !holds[row] && column.isValid(row) {
            if isRemoval(rows, row) { continue }
            errors.note(
                RowError(
                    row: row, reason: constraint.reason, constraint: constraint.name,
                    detail: constraint.reason == .notNull
                        ? "\(constraint.name) is NULL" : "check \(constraint.name) fails",
                    place: constraint.place))
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
