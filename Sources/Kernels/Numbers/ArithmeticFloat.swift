// Arithmetic of real and double precision. As in PostgreSQL an infinite result of finite arguments,
// a product or quotient that vanishes, and a division by zero are errors. A real's result is
// computed in double and rounded once more: harmless for these four, as 53 ≥ 2 × 24 + 2 (Figueroa
// 1995).

import Columns
import Contracts
import Types

extension ArithmeticOperator {
    @inline(__always)
    fileprivate func apply(_ left: Double, _ right: Double) -> Double {
        switch self {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        case .remainder: left.truncatingRemainder(dividingBy: right)
        }
    }
}

enum FloatArithmetic {
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
        guard let left = call.arguments[0].values.float64s,
            let right = call.arguments[1].values.float64s
        else { return .nulls(call.type, count: call.rowCount) }
        let isReal = call.type == .real
        let mayVanish = operation == .multiply || operation == .divide
        var suspicious = false
        let values = combined(left, right, count: call.rowCount) { left, right in
            let exact = operation.apply(left, right)
            let value = isReal ? Double(Float(exact)) : exact
            suspicious = suspicious || !value.isFinite || (mayVanish && value == 0)
            return value
        }
        if suspicious { explain(operation, left, right, values, call, &errors) }
        return Column(call.type, .float64(values))
    }

    private static func explain(
        _ operation: ArithmeticOperator, _ left: [Double], _ right: [Double], _ values: [Double],
        _ call: KernelCall, _ errors: inout RowErrors
    ) {
        for row in 0..<call.rowCount where call.validity?[row] ?? true {
            let first = broadcast(left, row)
            let second = broadcast(right, row)
            if operation == .divide, second == 0, !first.isNaN {
                errors.note(row, .divisionByZero, "division by zero", in: call)
            } else if values[row].isInfinite, first.isFinite, second.isFinite {
                errors.note(row, .overflow, "value out of range: overflow", in: call)
            } else if vanished(operation, first, second, values[row]) {
                errors.note(row, .overflow, "value out of range: underflow", in: call)
            }
        }
    }

    private static func vanished(
        _ operation: ArithmeticOperator, _ left: Double, _ right: Double, _ value: Double
    ) -> Bool {
        guard value == 0, left != 0 else { return false }
        return operation == .multiply && right != 0 || operation == .divide && right.isFinite
    }

    static func negate(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        guard let values = call.arguments[0].values.float64s else {
            return .nulls(call.type, count: call.rowCount)
        }
        return Column(call.type, .float64(mapped(values) { -$0 }))
    }
}
