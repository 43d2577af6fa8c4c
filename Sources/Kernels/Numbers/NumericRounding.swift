// Rounding of numerics: round, trunc, ceil, floor, and div.

import Columns
import Contracts
import Types

enum NumericRounding {
    enum Mode {
        case halfAwayFromZero, towardZero, up, down

        /// value ÷ divisor; divisor > 0.
        @inline(__always)
        func divide(_ value: Int128, _ divisor: Int128) -> Int128 {
            let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
            switch self {
            case .halfAwayFromZero: return Numeric.dividingRounded(value, divisor)
            case .towardZero: return quotient
            case .up: return remainder > 0 ? quotient + 1 : quotient
            case .down: return remainder < 0 ? quotient - 1 : quotient
            }
        }
    }

    /// numeric with `digits` digits behind the point; a negative number rounds before the point.
    static func resultType(
        _ type: LogicalType, digits: Int64
    ) throws(Failure) -> LogicalType {
        guard let (precision, scale) = type.exactDigits else { bug("rounding of \(type)") }
        let limit = LogicalType.maximumPrecision
        let kept = Int(max(0, min(digits, Int64(limit))))
        let whole = precision - scale + (kept < scale ? 1 : 0)
        return .numeric(precision: max(1, min(limit, whole + kept)), scale: kept)
    }

    /// The digits that a call names, which must be a constant.
    static func digits(_ arguments: [ArgumentType]) throws(Failure) -> Int64 {
        guard case .int64(let digits) = arguments[1].constant else {
            throw Failure(
                .invalid, "types.digits", "the number of digits must be a constant integer",
                hint: "the result's type depends on it, as in round(price, 2)")
        }
        return digits
    }

    static func kernel(_ mode: Mode) -> Function.Kernel {
        switch mode {
        case .halfAwayFromZero: { apply(.halfAwayFromZero, $0, &$1) }
        case .towardZero: { apply(.towardZero, $0, &$1) }
        case .up: { apply(.up, $0, &$1) }
        case .down: { apply(.down, $0, &$1) }
        }
    }

    @inline(__always)
    private static func apply(
        _ mode: Mode, _ call: KernelCall, _ errors: inout RowErrors
    ) -> Column {
        guard let values = call.arguments[0].values.int128s else {
            return .nulls(call.type, count: call.rowCount)
        }
        let scale = call.arguments[0].type.scale
        var digits = call.type.scale
        if call.constants.count > 1, case .int64(let asked) = call.constants[1] {
            digits = Int(max(-38, min(asked, Int64(digits))))
        }
        let dropped = scale - digits
        // At most 38 digits stand in a value, so dropping more leaves nothing but the round up.
        let divisor = Numeric.powerOfTen(max(0, min(dropped, 38)))
        let isEmpty = dropped > 38
        let factor = Numeric.powerOfTen(dropped < 0 ? -dropped : max(0, -digits))
        return checked(values, call, &errors) { value in
            let rounded = isEmpty ? 0 : divisor == 1 ? value : mode.divide(value, divisor)
            return rounded.multipliedReportingOverflow(by: factor)
        }
    }

    @inline(__always)
    private static func checked(
        _ values: [Int128], _ call: KernelCall, _ errors: inout RowErrors,
        _ operation: (Int128) -> (partialValue: Int128, overflow: Bool)
    ) -> Column {
        let limit = Numeric.powerOfTen(call.type.exactDigits?.precision ?? 38)
        var failed = false
        let results = mapped(values) { value in
            let (result, overflow) = operation(value)
            failed = failed || overflow || result >= limit || result <= -limit
            return result
        }
        if failed {
            for row in values.indices where call.validity?[row] ?? true {
                let (result, overflow) = operation(values[row])
                if overflow || result >= limit || result <= -limit {
                    errors.note(row, .overflow, "value does not fit \(call.type)", in: call)
                }
            }
        }
        return Column(call.type, .int128(results))
    }

    static func absolute(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        guard let values = call.arguments[0].values.int128s else {
            return .nulls(call.type, count: call.rowCount)
        }
        return Column(call.type, .int128(mapped(values) { $0 < 0 ? 0 &- $0 : $0 }))
    }

    static func sign(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        guard let values = call.arguments[0].values.int128s else {
            return .nulls(call.type, count: call.rowCount)
        }
        return Column(call.type, .int128(mapped(values) { $0.signum() }))
    }

    /// The whole part of a quotient.
    static func wholeQuotient(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        guard let left = call.arguments[0].values.int128s,
            let right = call.arguments[1].values.int128s
        else { return .nulls(call.type, count: call.rowCount) }
        let leftScale = call.arguments[0].type.scale
        let rightScale = call.arguments[1].type.scale
        var results: [Int128] = []
        results.reserveCapacity(call.rowCount)
        for row in 0..<call.rowCount {
            let (dividend, divisor) = (broadcast(left, row), broadcast(right, row))
            let isValid = call.validity?[row] ?? true
            if divisor == 0 {
                if isValid { errors.note(row, .divisionByZero, "division by zero", in: call) }
                results.append(0)
                continue
            }
            let quotient = Numeric.wholeQuotient(
                dividend, scale: leftScale, divisor, scale: rightScale)
            if quotient == nil, isValid {
                errors.note(row, .overflow, "value does not fit \(call.type)", in: call)
            }
            results.append(quotient ?? 0)
        }
        return Column(call.type, .int128(results))
    }
}

extension Numeric {
    /// The quotient of two numbers of different scales, cut to its whole part; nil beyond 38
    /// digits.
    static func wholeQuotient(
        _ left: Int128, scale leftScale: Int, _ right: Int128, scale rightScale: Int
    ) -> Int128? {
        let scale = max(leftScale, rightScale)
        let dividend = left.magnitude.multipliedFullWidth(
            by: powersOfTen[scale - leftScale].magnitude)
        let divisor = right.magnitude.multipliedFullWidth(
            by: powersOfTen[scale - rightScale].magnitude)
        // As in `remainder`: the dividend is at the greater scale already, and smaller.
        guard divisor.high == 0 else { return 0 }
        guard dividend.high < divisor.low else { return nil }
        let quotient = divisor.low.dividingFullWidth((dividend.high, dividend.low)).quotient
        guard quotient < powersOfTen[38].magnitude else { return nil }
        return (left < 0) != (right < 0) ? -Int128(quotient) : Int128(quotient)
    }
}
