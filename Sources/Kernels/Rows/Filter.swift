// From a condition to the rows that pass it.

public import Columns

extension Expression {
    /// The rows for which the condition is true, in order: not those where it is NULL, nor those
    /// that have an entry in `errors`.
    public func evaluateFilter(_ batch: Batch, errors: inout RowErrors) -> [Int32] {
        let column = evaluate(batch, errors: &errors)
        guard case .bool(let values) = column.values else { return [] }
        let passed: [Int32] =
            if let validity = column.validity {
                selected(count: batch.rowCount) { values[$0] && validity[$0] }
            } else {
                selected(count: batch.rowCount) { values[$0] }
            }
        if errors.isEmpty { return passed }
        let failed = errors.errors
        return passed.filter { failed[Int($0)] == nil }
    }
}
