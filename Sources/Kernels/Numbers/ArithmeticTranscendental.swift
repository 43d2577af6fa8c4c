// Functions of doubles from the C library, with PostgreSQL's domains: outside of them is an error
// of the row, and so are results that overflow or vanish.

import Columns
import Contracts
import Glibc
import Types

enum Transcendental {
    /// The complaint about an argument, nil if it is in the domain.
    typealias Domain = @Sendable (Double) -> String?

    static let everywhere: Domain = { _ in nil }
    static let finite: Domain = { $0.isInfinite ? "input is out of range" : nil }
    static let unit: Domain = { $0.magnitude > 1 ? "input is out of range" : nil }
    static let fromOne: Domain = { $0 < 1 ? "input is out of range" : nil }
    static let notNegative: Domain = {
        $0 < 0 ? "cannot take square root of a negative number" : nil
    }
    static let positive: Domain = {
        $0 == 0
            ? "cannot take logarithm of zero"
            : $0 < 0 ? "cannot take logarithm of a negative number" : nil
    }

    /// One argument. The domain is asked only about rows whose result is not finite;
    /// `mayBeInfinite`: an infinite result of a finite argument is right (the cotangent of 0).
    @inline(__always)
    static func unary(
        _ call: KernelCall, _ errors: inout RowErrors, _ domain: Domain, mayVanish: Bool = false,
        mayBeInfinite: Bool = false, _ function: (Double) -> Double
    ) -> Column {
        guard let values = call.arguments[0].values.float64s else {
            return .nulls(call.type, count: call.rowCount)
        }
        var suspicious = false
        let results = mapped(values) { value in
            let result = function(value)
            suspicious = suspicious || !result.isFinite || (mayVanish && result == 0)
            return result
        }
        if suspicious {
            explain(values, results, domain, mayVanish, mayBeInfinite, call, &errors)
        }
        return Column(call.type, .float64(results))
    }

    private static func explain(
        _ values: [Double], _ results: [Double], _ domain: Domain, _ mayVanish: Bool,
        _ mayBeInfinite: Bool, _ call: KernelCall, _ errors: inout RowErrors
    ) {
        for row in values.indices where call.validity?[row] ?? true {
            let result = results[row]
            guard !result.isFinite || result == 0 else { continue }
            if let complaint = domain(values[row]) {
                errors.note(row, .invalidArgument, complaint, in: call)
            } else if result.isInfinite, values[row].isFinite, !mayBeInfinite {
                errors.note(row, .overflow, "value out of range: overflow", in: call)
            } else if result == 0, mayVanish, values[row].isFinite {
                errors.note(row, .overflow, "value out of range: underflow", in: call)
            }
        }
    }

    static func power(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        binary(call, &errors, { pow($0, $1) }) { base, exponent, result in
            if base.isNaN || exponent.isNaN { return nil }
            if base == 0, exponent < 0 {
                return (.invalidArgument, "zero raised to a negative power is undefined")
            }
            if base < 0, exponent.isFinite, exponent != exponent.rounded(.down) {
                return (
                    .invalidArgument,
                    "a negative number raised to a non-integer power yields a complex result"
                )
            }
            guard base.isFinite, exponent.isFinite else { return nil }
            if result.isInfinite { return (.overflow, "value out of range: overflow") }
            return result == 0 && base != 0 ? (.overflow, "value out of range: underflow") : nil
        }
    }

    static func arcTangent(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        binary(call, &errors, { atan2($0, $1) }) { _, _, _ in nil }
    }

    /// The logarithm of the second argument to the base of the first.
    static func logarithm(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        binary(call, &errors, { log($1) / log($0) }) { base, value, result in
            if base.isNaN || value.isNaN { return nil }
            if let complaint = positive(base) ?? positive(value) {
                return (.invalidArgument, complaint)
            }
            return base == 1 ? (.divisionByZero, "division by zero") : nil
        }
    }

    @inline(__always)
    private static func binary(
        _ call: KernelCall, _ errors: inout RowErrors, _ function: (Double, Double) -> Double,
        _ complaint: (Double, Double, Double) -> (DataErrorReason, String)?
    ) -> Column {
        guard let left = call.arguments[0].values.float64s,
            let right = call.arguments[1].values.float64s
        else { return .nulls(call.type, count: call.rowCount) }
        var suspicious = false
        let results = combined(left, right, count: call.rowCount) { left, right in
            let result = function(left, right)
            suspicious = suspicious || !result.isFinite || result == 0
            return result
        }
        if suspicious {
            for row in 0..<call.rowCount where call.validity?[row] ?? true {
                let (first, second) = (broadcast(left, row), broadcast(right, row))
                if !results[row].isFinite || results[row] == 0,
                    let (reason, detail) = complaint(first, second, results[row])
                {
                    errors.note(row, reason, detail, in: call)
                }
            }
        }
        return Column(call.type, .float64(results))
    }
}
