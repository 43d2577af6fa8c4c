// Integer arithmetic with PostgreSQL's ranges. The fast pass wraps and keeps one sticky flag; only
// if it is up, a slow pass finds the rows that failed (style.md §3.2: a trapping loop takes twice
// as long).

import Columns
import Contracts
import Types

/// The operators that every kind of number has.
enum ArithmeticOperator: String, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"

    /// The wrapped result, and whether it is not the true one. By zero: 0, and true.
    @inline(__always)
    func apply(_ left: Int64, _ right: Int64) -> (partialValue: Int64, overflow: Bool) {
        switch self {
        case .add: left.addingReportingOverflow(right)
        case .subtract: left.subtractingReportingOverflow(right)
        case .multiply: left.multipliedReportingOverflow(by: right)
        case .divide: left.dividedReportingOverflow(by: right)
        case .remainder:
            right == -1 ? (0, false) : left.remainderReportingOverflow(dividingBy: right)
        }
    }
}

extension LogicalType {
    /// The values of an integer type.
    var integerRange: ClosedRange<Int64> {
        switch self {
        case .smallint: Int64(Int16.min)...Int64(Int16.max)
        case .integer: Int64(Int32.min)...Int64(Int32.max)
        default: Int64.min...Int64.max
        }
    }
}

enum IntegerArithmetic {
    static func kernel(_ operation: ArithmeticOperator) -> Function.Kernel {
        switch operation {
        case .add: { binary(.add, $0, &$1) }
        case .subtract: { binary(.subtract, $0, &$1) }
        case .multiply: { binary(.multiply, $0, &$1) }
        case .divide: { binary(.divide, $0, &$1) }
        case .remainder: { binary(.remainder, $0, &$1) }
        }
    }

    @inline(__always)
    private static func binary(
        _ operation: ArithmeticOperator, _ call: KernelCall, _ errors: inout RowErrors
    ) -> Column {
        guard let left = call.arguments[0].values.int64s,
            let right = call.arguments[1].values.int64s
        else { return .nulls(call.type, count: call.rowCount) }
        let range = call.type.integerRange
        let lowest = range.lowerBound
        let highest = range.upperBound
        var failed = false
        let values = combined(left, right, count: call.rowCount) { left, right in
            let (value, overflow) = operation.apply(left, right)
            failed = failed || overflow || value < lowest || value > highest
            return value
        }
        if failed { explain(operation, left, right, call, &errors) }
        return Column(call.type, .int64(values))
    }

    private static func explain(
        _ operation: ArithmeticOperator, _ left: [Int64], _ right: [Int64], _ call: KernelCall,
        _ errors: inout RowErrors
    ) {
        let range = call.type.integerRange
        for row in 0..<call.rowCount where call.validity?[row] ?? true {
            let divisor = broadcast(right, row)
            let (value, overflow) = operation.apply(broadcast(left, row), divisor)
            if operation == .divide || operation == .remainder, divisor == 0 {
                errors.note(row, .divisionByZero, "division by zero", in: call)
            } else if overflow || !range.contains(value) {
                errors.note(row, .overflow, "\(call.type) out of range", in: call)
            }
        }
    }

    static func negate(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        unary(call, &errors) { 0 &- $0 }
    }

    static func absolute(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        unary(call, &errors) { $0 < 0 ? 0 &- $0 : $0 }
    }

    /// Both can fail for the lowest value only.
    @inline(__always)
    private static func unary(
        _ call: KernelCall, _ errors: inout RowErrors, _ operation: (Int64) -> Int64
    ) -> Column {
        guard let values = call.arguments[0].values.int64s else {
            return .nulls(call.type, count: call.rowCount)
        }
        let lowest = call.type.integerRange.lowerBound
        var failed = false
        let results = mapped(values) { value in
            failed = failed || value == lowest
            return operation(value)
        }
        if failed {
            for row in values.indices where values[row] == lowest && call.validity?[row] ?? true {
                errors.note(row, .overflow, "\(call.type) out of range", in: call)
            }
        }
        return Column(call.type, .int64(results))
    }
}
