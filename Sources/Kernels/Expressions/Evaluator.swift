// Walks an expression once per batch; every loop over rows is in a kernel.
//
// What a row of the result holds is unspecified where the row has an error: callers leave such rows
// out. A kernel may compute on the garbage that stands under a NULL; what it reports there is
// dropped.

public import Columns
import Contracts
import Types

extension Expression {
    /// The expression's value for each row of `batch`. Rows that fail get an entry in `errors`,
    /// with the place of the part that failed, and an unspecified value. Complexity: one pass of a
    /// kernel for each part.
    public func evaluate(_ batch: Batch, errors: inout RowErrors) -> Column {
        switch self {
        case .column(let index, _): batch.columns[index]
        case .constant(let scalar, let type):
            Column(type, repeating: scalar, count: batch.rowCount)
        case .call(let call): call.evaluate(batch, errors: &errors)
        case .and(let parts): Connective.and.evaluate(parts, batch, errors: &errors)
        case .or(let parts): Connective.or.evaluate(parts, batch, errors: &errors)
        case .not(let part): negated(part.evaluate(batch, errors: &errors))
        case .isNull(let part): nullTest(part.evaluate(batch, errors: &errors))
        case .cases(let cases): cases.evaluate(batch, errors: &errors)
        case .coalesce(let parts, let type):
            coalesced(parts, type, batch, errors: &errors)
        case .cast(let part, let type, let place):
            Cast.column(
                part.evaluate(batch, errors: &errors), to: type, place: place, errors: &errors)
        case .makeRow(let parts, _):
            Column(
                type,
                .row(
                    RowColumn(
                        fields: parts.map { $0.evaluate(batch, errors: &errors) },
                        count: batch.rowCount)))
        case .makeArray(let parts, let element):
            arrays(of: parts, element, batch, errors: &errors)
        case .field(let part, let index, let type):
            fieldColumn(part.evaluate(batch, errors: &errors), index, type)
        }
    }

    /// Whether evaluating it can fail for some row; what cannot is evaluated for all rows at once.
    /// Complexity: O(parts).
    public var canFail: Bool {
        switch self {
        case .call(let call) where call.function.canFail: true
        case .cast(let part, let type, _) where Cast.canFail(from: part.type, to: type): true
        default: children.contains(where: \.canFail)
        }
    }
}

extension Expression.Call {
    fileprivate func evaluate(_ batch: Batch, errors: inout RowErrors) -> Column {
        let constants: [Scalar?] = arguments.map {
            if case .constant(let scalar, _) = $0 { scalar } else { nil }
        }
        if function.isStrict, constants.contains(where: { $0?.isNull ?? false }) {
            return .nulls(type, count: batch.rowCount)
        }
        let columns = argumentColumns(constants, batch, errors: &errors)
        let validity = function.isStrict ? joined(columns.map(\.validity)) : nil
        if function.isStrict, columns.contains(where: \.isNullsOnly) {
            return .nulls(type, count: batch.rowCount)
        }
        let call = KernelCall(
            arguments: columns, constants: constants, rowCount: batch.rowCount, type: type,
            place: place, validity: validity)
        var failed = RowErrors()
        let result = function.kernel(call, &failed)
        if !failed.isEmpty { errors.add(failed, place: place, validity: validity) }
        return Column(type, result.values, validity: joined([validity, result.validity]))
    }

    private func argumentColumns(
        _ constants: [Scalar?], _ batch: Batch, errors: inout RowErrors
    ) -> [Column] {
        let broadcasts = function.broadcasts && constants.contains { $0 == nil }
        return arguments.indices.map { index in
            guard broadcasts, let scalar = constants[index] else {
                return arguments[index].evaluate(batch, errors: &errors)
            }
            return Column(arguments[index].type, repeating: scalar, count: 1)
        }
    }
}

extension Column {
    fileprivate var isNullsOnly: Bool {
        if case .null = values { true } else { false }
    }
}

/// Valid where all are. Complexity: O(rows) for each that has NULLs.
func joined(_ validities: [Validity]) -> Validity {
    var result: Validity = nil
    for case .some(let validity) in validities {
        guard let before = result else {
            result = validity
            continue
        }
        result = combined(before, validity, count: validity.count) { $0 && $1 }
    }
    return result
}

private func negated(_ column: Column) -> Column {
    guard case .bool(let values) = column.values else {
        return .nulls(.boolean, count: column.count)
    }
    return Column(.boolean, .bool(mapped(values) { !$0 }), validity: column.validity)
}

/// A row of only NULLs is NULL too (dialect.md §3.9).
private func nullTest(_ column: Column) -> Column {
    var nulls = column.validity.map { mapped($0) { !$0 } }
    switch column.values {
    case .null(let count): nulls = Array(repeating: true, count: count)
    case .row(let row) where !row.fields.isEmpty:
        if let empty = joinedNulls(row) {
            nulls = nulls.map { combined($0, empty, count: empty.count) { $0 || $1 } } ?? empty
        }
    default: break
    }
    return Column(.boolean, .bool(nulls ?? Array(repeating: false, count: column.count)))
}

/// Rows whose fields are all NULL; nil if a field has no NULLs.
private func joinedNulls(_ row: RowColumn) -> [Bool]? {
    var empty = Array(repeating: true, count: row.count)
    for field in row.fields where !field.isNullsOnly {
        guard let validity = field.validity else { return nil }
        empty = combined(empty, validity, count: row.count) { $0 && !$1 }
    }
    return empty
}

private func fieldColumn(_ column: Column, _ index: Int, _ type: LogicalType) -> Column {
    guard case .row(let row) = column.values else { return .nulls(type, count: column.count) }
    let field = row.fields[index]
    return Column(type, field.values, validity: joined([column.validity, field.validity]))
}

private func arrays(
    of parts: [Expression], _ element: LogicalType, _ batch: Batch, errors: inout RowErrors
) -> Column {
    let rowCount = batch.rowCount
    let pieces = parts.indices.map { index in
        ColumnPiece(
            parts[index].evaluate(batch, errors: &errors),
            targets: (0..<rowCount).map { Int32($0 * parts.count + index) })
    }
    let elements = Column.assembled(element, count: rowCount * parts.count, from: pieces)
    let ranges = (0..<rowCount).map { ValueRange(start: $0 * parts.count, length: parts.count) }
    return Column(.array(element), .list(ListColumn(ranges: ranges, element: elements)))
}

extension RowErrors {
    /// The errors of a kernel: without those of rows with a NULL argument.
    fileprivate mutating func add(_ other: RowErrors, place: SourcePlace, validity: Validity) {
        for (row, error) in other.errors where validity?[row] ?? true {
            note(
                RowError(
                    row: row, reason: error.reason, constraint: error.constraint,
                    detail: error.detail, place: error.place ?? place))
        }
    }
}
