// Arithmetic of numerics: result types and kernels (dialect.md §3.1).

import Columns
import Contracts
import Types

enum NumericArithmetic {
    /// The result's digits and scale.
    static func resultType(
        _ operation: ArithmeticOperator, _ left: LogicalType, _ right: LogicalType
    ) throws(Failure) -> LogicalType {
        guard let (p1, s1) = left.exactDigits, let (p2, s2) = right.exactDigits else {
            bug("numeric arithmetic on \(left) and \(right)")
        }
        let limit = LogicalType.maximumPrecision
        let scale = max(s1, s2)
        let whole = max(p1 - s1, p2 - s2)
        switch operation {
        case .add, .subtract:
            return .numeric(precision: min(limit, whole + scale + 1), scale: scale)
        case .multiply:
            guard s1 + s2 <= limit else {
                throw Failure(
                    .invalid, "types.scale",
                    "the product of \(left) and \(right) has \(s1 + s2) digits behind the point, "
                        + "more than \(limit)",
                    hint: "cast one side to a smaller scale")
            }
            return .numeric(precision: min(limit, p1 + p2), scale: s1 + s2)
        case .divide:
            return .numeric(precision: limit, scale: max(16, scale))
        case .remainder:
            return .numeric(precision: min(limit, whole + scale), scale: scale)
        }
    }

    static func kernel(_ operation: ArithmeticOperator) -> Function.Kernel {
        switch operation {
        case .add: { sum($0, &$1) { $0.addingReportingOverflow($1) } }
        case .subtract: { sum($0, &$1) { $0.subtractingReportingOverflow($1) } }
        case .multiply: { product($0, &$1) }
        case .divide: { quotient($0, &$1) }
        case .remainder: { remainder($0, &$1) }
        }
    }

    @inline(__always)
    private static func sum(
        _ call: KernelCall, _ errors: inout RowErrors,
        _ operation: (Int128, Int128) -> (partialValue: Int128, overflow: Bool)
    ) -> Column {
        let scale = call.type.scale
        let leftFactor = Numeric.powerOfTen(scale - call.arguments[0].type.scale)
        let rightFactor = Numeric.powerOfTen(scale - call.arguments[1].type.scale)
        let isPlain = leftFactor == 1 && rightFactor == 1
        return checked(call, &errors) { left, right in
            if isPlain { return operation(left, right) }
            let (first, firstOverflow) = left.multipliedReportingOverflow(by: leftFactor)
            let (second, secondOverflow) = right.multipliedReportingOverflow(by: rightFactor)
            let (value, overflow) = operation(first, second)
            return (value, firstOverflow || secondOverflow || overflow)
        }
    }

    private static func product(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        checked(call, &errors) { $0.multipliedReportingOverflow(by: $1) }
    }

    private static func quotient(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let exponent =
            call.type.scale - call.arguments[0].type.scale + call.arguments[1].type.scale
        return checked(call, &errors, divides: true) { left, right in
            guard right != 0, let value = Numeric.quotient(left, right, exponent: exponent) else {
                return (0, true)
            }
            return (value, false)
        }
    }

    private static func remainder(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let leftScale = call.arguments[0].type.scale
        let rightScale = call.arguments[1].type.scale
        return checked(call, &errors, divides: true) { left, right in
            if right == 0 { return (0, true) }
            if leftScale == rightScale { return (left % right, false) }
            return (
                Numeric.remainder(left, scale: leftScale, right, scale: rightScale), false
            )
        }
    }

    /// Runs the operation; results that overflow or have too many digits are errors of their rows.
    @inline(__always)
    private static func checked(
        _ call: KernelCall, _ errors: inout RowErrors, divides: Bool = false,
        _ operation: (Int128, Int128) -> (partialValue: Int128, overflow: Bool)
    ) -> Column {
        guard let left = call.arguments[0].values.int128s,
            let right = call.arguments[1].values.int128s
        else { return .nulls(call.type, count: call.rowCount) }
        let limit = limit(of: call.type)
        var failed = false
        let values = combined(left, right, count: call.rowCount) { left, right in
            let (value, overflow) = operation(left, right)
            failed = failed || overflow || value >= limit || value <= -limit
            return value
        }
        if failed {
            for row in 0..<call.rowCount where call.validity?[row] ?? true {
                let divisor = broadcast(right, row)
                let (value, overflow) = operation(broadcast(left, row), divisor)
                if divides, divisor == 0 {
                    errors.note(row, .divisionByZero, "division by zero", in: call)
                } else if overflow || value >= limit || value <= -limit {
                    errors.note(row, .overflow, "value does not fit \(call.type)", in: call)
                }
            }
        }
        return Column(call.type, .int128(values))
    }

    private static func limit(of type: LogicalType) -> Int128 {
        Numeric.powerOfTen(type.exactDigits?.precision ?? LogicalType.maximumPrecision)
    }

    static func negate(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        guard let values = call.arguments[0].values.int128s else {
            return .nulls(call.type, count: call.rowCount)
        }
        return Column(call.type, .int128(mapped(values) { 0 &- $0 }))
    }
}
