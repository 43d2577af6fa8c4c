// NOT NULL and CHECK of an output's table, held against the rows that reach its writer.

import Columns
import Contracts
import Kernels
import Planning

/// Rows of a batch sorted by an output's contract.
struct ContractedRows {
    let rows: Batch
    /// One a row that breaks the contract, ascending.
    let errors: [RowError]
    /// −1 rows that break it: their +1 was refused, so there is nothing to take back.
    let takenBack: Int
}

extension OutputPlan {
    /// A constraint is broken where it is false; where it is NULL it holds, as in PostgreSQL.
    func check(_ batch: Batch) -> ContractedRows {
        var found = RowErrors()
        for constraint in constraints {
            var failures = RowErrors()
            let column = constraint.condition.evaluate(batch, errors: &failures)
            for error in failures.errors.values { found.note(error) }
            guard case .bool(let holds) = column.values else { continue }
            if column.validity == nil, !holds.contains(false) { continue }
            for row in holds.indices where !holds[row] && column.isValid(row) {
                found.note(constraint.error(row: row))
            }
        }
        let bad = found.errors
        if bad.isEmpty { return ContractedRows(rows: batch, errors: [], takenBack: 0) }
        let kept = (0..<Int32(batch.rowCount)).filter { bad[Int($0)] == nil }
        let errors = bad.values.filter { error in batch.changes.map { $0[error.row] > 0 } ?? true }
            .sorted { $0.row < $1.row }
        return ContractedRows(
            rows: batch.gather(kept), errors: errors, takenBack: bad.count - errors.count)
    }
}
