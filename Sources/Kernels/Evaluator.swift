// Walks an expression once per batch; every loop over rows is in a kernel.

public import Columns
import Contracts
import Types

extension Expression {
    /// The expression's value for each row of `batch`. Rows that fail get an entry in `errors` and an
    /// unspecified value. Complexity: one pass of a kernel for each part.
    public func evaluate(_ batch: Batch, errors: inout RowErrors) -> Column {
        switch self {
        case .column(let index, _): batch.columns[index]
        case .constant(let scalar, let type):
            Column(type, repeating: scalar, count: batch.rowCount)
        default: bug("the evaluator does not know \(self)")
        }
    }
}
