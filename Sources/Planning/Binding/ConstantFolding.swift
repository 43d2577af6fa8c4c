// Evaluates the constant parts of an expression at plan time (dialect.md §3.5).

import Columns
import Contracts
import Kernels
import Types

/// What came of evaluating an expression without columns.
enum ConstantValue {
    case value(Scalar)
    case failed(RowError)
}

extension Expression {
    /// Evaluates an expression that reads no column, on a batch of one row.
    func constantValue() -> ConstantValue {
        if case .constant(let scalar, _) = self { return .value(scalar) }
        var errors = RowErrors()
        let column = evaluate(Batch(rowCount: 1, columns: []), errors: &errors)
        if let error = errors.errors[0] { return .failed(error) }
        return .value(column.scalar(0))
    }

    var isConstant: Bool {
        if case .constant = self { return true }
        return false
    }

    /// Whether the expression reads no column. Complexity: O(size).
    var isColumnFree: Bool {
        if case .column = self { return false }
        return children.allSatisfy(\.isColumnFree)
    }
}

/// One pass over a bound expression, top down.
struct ConstantFolding {
    /// Off: constants are still evaluated, for their errors; the expression stays as written.
    let isRewriting: Bool
    /// For errors of kernels that carry no place.
    let place: SourcePlace

    /// `expression` with its largest constant parts replaced by their values.
    /// - Parameter isConditional: a CASE, AND, OR or COALESCE above may never reach it; then a
    ///   failing part is left for the rows that do.
    func fold(_ expression: Expression, isConditional: Bool) throws(Failure) -> Expression {
        if expression.isConstant { return expression }
        if expression.isColumnFree {
            switch expression.constantValue() {
            case .value(let scalar):
                return isRewriting ? .constant(scalar, expression.type) : expression
            case .failed(let error):
                if isConditional { return expression }
                throw failure(error)
            }
        }
        return try inside(expression, isConditional)
    }

    private func inside(
        _ expression: Expression, _ isConditional: Bool
    ) throws(Failure) -> Expression {
        switch expression {
        case .column, .constant: return expression
        case .call(let call):
            return .call(
                Expression.Call(
                    call.function, try all(call.arguments, isConditional), type: call.type,
                    place: call.place))
        case .and(let parts): return .and(try lazily(parts, isConditional))
        case .or(let parts): return .or(try lazily(parts, isConditional))
        case .coalesce(let parts, let type):
            return .coalesce(try lazily(parts, isConditional), type)
        case .not(let part): return .not(try fold(part, isConditional: isConditional))
        case .isNull(let part): return .isNull(try fold(part, isConditional: isConditional))
        case .cases(let cases): return .cases(try self.cases(cases, isConditional))
        case .cast(let part, let type, let place):
            return .cast(try fold(part, isConditional: isConditional), to: type, place: place)
        case .makeRow(let parts, let row): return .makeRow(try all(parts, isConditional), row)
        case .makeArray(let parts, let element):
            return .makeArray(try all(parts, isConditional), element: element)
        case .field(let part, let index, let type):
            return .field(try fold(part, isConditional: isConditional), index, type)
        }
    }

    private func all(
        _ parts: [Expression], _ isConditional: Bool
    ) throws(Failure) -> [Expression] {
        var folded: [Expression] = []
        for part in parts { folded.append(try fold(part, isConditional: isConditional)) }
        return folded
    }

    /// The first part is always reached, the others perhaps.
    private func lazily(
        _ parts: [Expression], _ isConditional: Bool
    ) throws(Failure) -> [Expression] {
        var folded: [Expression] = []
        for (index, part) in parts.enumerated() {
            folded.append(try fold(part, isConditional: isConditional || index > 0))
        }
        return folded
    }

    private func cases(
        _ cases: Expression.Cases, _ isConditional: Bool
    ) throws(Failure) -> Expression.Cases {
        var branches: [Expression.Branch] = []
        for (index, branch) in cases.branches.enumerated() {
            branches.append(
                Expression.Branch(
                    try fold(branch.condition, isConditional: isConditional || index > 0),
                    try fold(branch.result, isConditional: true)))
        }
        return Expression.Cases(
            branches: branches, otherwise: try fold(cases.otherwise, isConditional: true),
            type: cases.type)
    }

    private func failure(_ error: RowError) -> Failure {
        Failure(
            .invalid, "sql.constant_fails", "the constant expression fails: \(error.detail)",
            place: error.place ?? place)
    }
}
