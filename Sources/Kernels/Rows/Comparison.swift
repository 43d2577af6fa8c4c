// Comparison: = <> < <= > >= for every type, IS DISTINCT FROM, and the three-way comparison of
// single values that the rest is measured by.
//
// PostgreSQL's order: text by bytes (collation "C"), −0 = 0, NaN = NaN and greatest, intervals by
// their span, arrays and rows element by element, in which a NULL equals a NULL and is greatest.

import Columns
import Contracts
import Types

enum ComparisonOperator: String, CaseIterable {
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// Whether it holds for a left side that is smaller (< 0), equal (0) or greater (> 0).
    @inline(__always)
    fileprivate func holds(_ order: Int) -> Bool {
        switch self {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

enum Comparison {
    static func kernel(_ operation: ComparisonOperator) -> Function.Kernel {
        { call, _ in
            let left = call.arguments[0]
            let right = call.arguments[1]
            let count = call.rowCount
            return Column(.boolean, .bool(compared(left, right, count, operation)))
        }
    }

    /// The two columns row by row, or one row against many; NULLs are not looked at.
    static func compared(
        _ left: Column, _ right: Column, _ count: Int, _ operation: ComparisonOperator
    ) -> [Bool] {
        switch (left.values, right.values) {
        case (.int64(let left), .int64(let right)):
            ordered(left, right, count, operation, equal: ==, less: <)
        case (.int128(let left), .int128(let right)):
            ordered(left, right, count, operation, equal: ==, less: <)
        case (.float64(let left), .float64(let right)):
            ordered(left, right, count, operation, equal: floatsEqual, less: floatLess)
        case (.bool(let left), .bool(let right)):
            ordered(left, right, count, operation, equal: ==) { !$0 && $1 }
        case (.interval(let left), .interval(let right)):
            ordered(left, right, count, operation, equal: { $0.span == $1.span }) {
                $0.span < $1.span
            }
        case (.bytes(let left), .bytes(let right)):
            comparedBytes(left, right, count, operation)
        default: comparedNested(left, right, count, operation)
        }
    }

    @inline(__always)
    private static func ordered<Value: BitwiseCopyable>(
        _ left: [Value], _ right: [Value], _ count: Int, _ operation: ComparisonOperator,
        equal: (Value, Value) -> Bool, less: (Value, Value) -> Bool
    ) -> [Bool] {
        switch operation {
        case .equal: combined(left, right, count: count) { equal($0, $1) }
        case .notEqual: combined(left, right, count: count) { !equal($0, $1) }
        case .less: combined(left, right, count: count) { less($0, $1) }
        case .lessOrEqual: combined(left, right, count: count) { !less($1, $0) }
        case .greater: combined(left, right, count: count) { less($1, $0) }
        case .greaterOrEqual: combined(left, right, count: count) { !less($0, $1) }
        }
    }

    private static func comparedBytes(
        _ left: ByteColumn, _ right: ByteColumn, _ count: Int, _ operation: ComparisonOperator
    ) -> [Bool] {
        let first = left.data
        let second = right.data
        switch operation {
        case .equal:
            return combined(left.ranges, right.ranges, count: count) {
                bytesEqual(first, $0, second, $1)
            }
        case .notEqual:
            return combined(left.ranges, right.ranges, count: count) {
                !bytesEqual(first, $0, second, $1)
            }
        default:
            return combined(left.ranges, right.ranges, count: count) {
                operation.holds(compareBytes(first, $0, second, $1))
            }
        }
    }

    private static func comparedNested(
        _ left: Column, _ right: Column, _ count: Int, _ operation: ComparisonOperator
    ) -> [Bool] {
        [Bool](capacity: count) { output in
            for row in 0..<count {
                let order = compareValues(
                    left, left.count == 1 ? 0 : row, right, right.count == 1 ? 0 : row)
                output.append(operation.holds(order))
            }
        }
    }

    /// IS DISTINCT FROM: NULL is a value like others.
    static func distinct(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let left = call.arguments[0]
        let right = call.arguments[1]
        var values = compared(left, right, call.rowCount, .notEqual)
        if left.hasNulls || right.hasNulls {
            for row in 0..<call.rowCount {
                let leftValid = left.isValid(left.count == 1 ? 0 : row)
                let rightValid = right.isValid(right.count == 1 ? 0 : row)
                if !leftValid || !rightValid { values[row] = leftValid != rightValid }
            }
        }
        return Column(.boolean, .bool(values))
    }

    /// Refuses types without an order.
    static func requireOrder(_ type: LogicalType) throws(Failure) {
        switch type {
        case .json:
            throw Failure(
                .invalid, "types.no_order", "values of type json cannot be compared",
                hint: "compare fields of it, as in doc ->> 'name', or cast it to text")
        case .array(let element): try requireOrder(element)
        case .row(let row): for field in row.fields { try requireOrder(field.type) }
        default: break
        }
    }
}

@inline(__always)
private func floatsEqual(_ left: Double, _ right: Double) -> Bool {
    left == right || (left.isNaN && right.isNaN)
}

@inline(__always)
private func floatLess(_ left: Double, _ right: Double) -> Bool {
    left < right || (right.isNaN && !left.isNaN)
}

@inline(__always)
func bytesEqual(
    _ left: [UInt8], _ leftRange: ValueRange, _ right: [UInt8], _ rightRange: ValueRange
) -> Bool {
    guard leftRange.length == rightRange.length else { return false }
    let leftStart = leftRange.lowerBound
    let rightStart = rightRange.lowerBound
    for offset in 0..<leftRange.count where left[leftStart + offset] != right[rightStart + offset] {
        return false
    }
    return true
}

@inline(__always)
func compareBytes(
    _ left: [UInt8], _ leftRange: ValueRange, _ right: [UInt8], _ rightRange: ValueRange
) -> Int {
    let leftStart = leftRange.lowerBound
    let rightStart = rightRange.lowerBound
    for offset in 0..<min(leftRange.count, rightRange.count) {
        let first = left[leftStart + offset]
        let second = right[rightStart + offset]
        if first != second { return first < second ? -1 : 1 }
    }
    return leftRange.count - rightRange.count
}

/// −1, 0, 1 of two values; NULLs are not looked at.
func compareValues(_ left: Column, _ leftRow: Int, _ right: Column, _ rightRow: Int) -> Int {
    switch (left.values, right.values) {
    case (.int64(let first), .int64(let second)):
        return threeWay(first[leftRow], second[rightRow])
    case (.int128(let first), .int128(let second)):
        return threeWay(first[leftRow], second[rightRow])
    case (.float64(let first), .float64(let second)):
        let (first, second) = (first[leftRow], second[rightRow])
        return floatLess(first, second) ? -1 : floatLess(second, first) ? 1 : 0
    case (.bool(let first), .bool(let second)):
        return threeWay(first[leftRow] ? 1 : 0, second[rightRow] ? 1 : 0)
    case (.interval(let first), .interval(let second)):
        return threeWay(first[leftRow].span, second[rightRow].span)
    case (.bytes(let first), .bytes(let second)):
        return compareBytes(
            first.data, first.ranges[leftRow], second.data, second.ranges[rightRow])
    case (.list(let first), .list(let second)):
        return compareLists(first, first.ranges[leftRow], second, second.ranges[rightRow])
    case (.row(let first), .row(let second)):
        for (firstField, secondField) in zip(first.fields, second.fields) {
            let order = compareNullable(firstField, leftRow, secondField, rightRow)
            if order != 0 { return order }
        }
        return 0
    default: return 0
    }
}

private func compareLists(
    _ left: ListColumn, _ leftRange: ValueRange, _ right: ListColumn, _ rightRange: ValueRange
) -> Int {
    let (leftElement, rightElement) = (left.element, right.element)
    for index in 0..<min(leftRange.count, rightRange.count) {
        let order = compareNullable(
            leftElement, leftRange.lowerBound + index, rightElement,
            rightRange.lowerBound + index)
        if order != 0 { return order }
    }
    return threeWay(leftRange.count, rightRange.count)
}

/// NULLs are equal and greatest.
func compareNullable(_ left: Column, _ leftRow: Int, _ right: Column, _ rightRow: Int) -> Int {
    let leftValid = left.isValid(leftRow)
    let rightValid = right.isValid(rightRow)
    if leftValid, rightValid { return compareValues(left, leftRow, right, rightRow) }
    return leftValid == rightValid ? 0 : leftValid ? -1 : 1
}

@inline(__always)
private func threeWay<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
    left < right ? -1 : right < left ? 1 : 0
}
