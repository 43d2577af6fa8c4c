// The order of rows: for ORDER BY, ordered aggregates, and keys in sorted state.

public import Columns

/// −1, 0 or 1 of two values of one type: PostgreSQL's order, a NULL equal to a NULL and greatest.
public func compareRows(
    _ left: Column, _ leftRow: Int, _ right: Column, _ rightRow: Int
) -> Int {
    compareNullable(left, leftRow, right, rightRow).signum()
}

/// One part of an ORDER BY.
public struct SortKey: Sendable {
    public let column: Column
    public let isDescending: Bool
    public let nullsFirst: Bool

    /// PostgreSQL's default: NULLs last when ascending, first when descending.
    public init(_ column: Column, isDescending: Bool = false, nullsFirst: Bool? = nil) {
        self.column = column
        self.isDescending = isDescending
        self.nullsFirst = nullsFirst ?? isDescending
    }

    /// < 0 if `row` of this key's column goes before `otherRow`.
    fileprivate func order(_ row: Int, _ otherRow: Int) -> Int {
        let isValid = column.isValid(row)
        let otherIsValid = column.isValid(otherRow)
        guard isValid, otherIsValid else {
            if isValid == otherIsValid { return 0 }
            return isValid == nullsFirst ? 1 : -1
        }
        let order = compareValues(column, row, column, otherRow)
        return isDescending ? -order : order
    }
}

/// The rows in the order of the keys; rows equal in all keys stay in theirs.
/// Complexity: O(rows × log rows) comparisons.
public func sortedRows(_ keys: [SortKey], rowCount: Int) -> [Int32] {
    var rows = allRows(rowCount)
    if keys.count == 1, case .int64(let values) = keys[0].column.values,
        keys[0].column.validity == nil
    {
        let isDescending = keys[0].isDescending
        rows.sort { left, right in
            let (first, second) = (values[Int(left)], values[Int(right)])
            return first == second ? left < right : (first < second) != isDescending
        }
        return rows
    }
    rows.sort { left, right in
        for key in keys {
            let order = key.order(Int(left), Int(right))
            if order != 0 { return order < 0 }
        }
        return left < right
    }
    return rows
}
