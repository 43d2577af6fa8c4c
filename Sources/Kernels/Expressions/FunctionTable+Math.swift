// Mathematical functions. What is irrational is double, also of numerics (dialect.md §3.1).

import Columns
import Contracts
import Glibc
import Types

extension FunctionTable {
    static let math: [Function] =
        absolutes + roundings + signs + divisions + powers + logarithms + trigonometry

    private static let integers: [LogicalType] = [.smallint, .integer, .bigint]

    /// A function of one double that can fail.
    private static func double(
        _ name: String, _ summary: String, canFail: Bool = true,
        _ kernel: @escaping Function.Kernel
    ) -> Function {
        Function(
            name, [.exactly(.double)], canFail: canFail, summary: summary,
            resultType: { _ in .double }, kernel: kernel)
    }

    private static let absolutes: [Function] = {
        let summary = "The absolute value. `abs(-17.4)` is 17.4."
        return integers.map { type in
            Function(
                "abs", [.exactly(type)], canFail: true, summary: summary,
                resultType: { _ in type }, kernel: IntegerArithmetic.absolute)
        } + [
            Function(
                "abs", [.anyNumeric], summary: summary, resultType: { $0[0].type },
                kernel: NumericRounding.absolute)
        ]
            + [LogicalType.real, .double].map { type in
                Function(
                    "abs", [.exactly(type)], summary: summary, resultType: { _ in type },
                    kernel: { call, errors in
                        Transcendental.unary(call, &errors, Transcendental.everywhere) {
                            $0.magnitude
                        }
                    })
            }
    }()

    private static func rounding(
        _ name: String, _ mode: NumericRounding.Mode, _ summary: String
    ) -> Function {
        Function(
            name, [.anyNumeric], canFail: true, summary: summary,
            resultType: { types throws(Failure) in
                try NumericRounding.resultType(types[0].type, digits: 0)
            }, kernel: NumericRounding.kernel(mode))
    }

    private static func roundingToDigits(
        _ name: String, _ mode: NumericRounding.Mode, _ summary: String
    ) -> Function {
        Function(
            name, [.anyNumeric, .exactly(.integer)], canFail: true, summary: summary,
            resultType: { types throws(Failure) in
                let digits = try NumericRounding.digits(types)
                return try NumericRounding.resultType(types[0].type, digits: digits)
            }, kernel: NumericRounding.kernel(mode))
    }

    private static let roundings: [Function] = {
        let round =
            "Rounds half away from zero; double precision half to even. `round(42.5)` is 43."
        let trunc = "Drops the digits behind the point. `trunc(-42.8)` is -42."
        let ceiling = "The nearest whole number not below. `ceil(-42.8)` is -42."
        let floor = "The nearest whole number not above. `floor(-42.8)` is -43."
        let everywhere = Transcendental.everywhere
        return [
            rounding("round", .halfAwayFromZero, round),
            roundingToDigits(
                "round", .halfAwayFromZero,
                "Rounds to a constant number of digits. `round(42.4382, 2)` is 42.44."),
            double("round", round, canFail: false) { call, errors in
                Transcendental.unary(call, &errors, everywhere) { $0.rounded(.toNearestOrEven) }
            },
            rounding("trunc", .towardZero, trunc),
            roundingToDigits(
                "trunc", .towardZero,
                "Cuts to a constant number of digits. `trunc(42.4382, 2)` is 42.43."),
            double("trunc", trunc, canFail: false) { call, errors in
                Transcendental.unary(call, &errors, everywhere) { $0.rounded(.towardZero) }
            },
            rounding("floor", .down, floor),
            double("floor", floor, canFail: false) { call, errors in
                Transcendental.unary(call, &errors, everywhere) { $0.rounded(.down) }
            },
        ]
            + ["ceil", "ceiling"].flatMap { name in
                [
                    rounding(name, .up, ceiling),
                    double(name, ceiling, canFail: false) { call, errors in
                        Transcendental.unary(call, &errors, everywhere) { $0.rounded(.up) }
                    },
                ]
            }
    }()

    private static let signs: [Function] = {
        let summary = "-1, 0 or 1. `sign(-8.4)` is -1."
        return [
            Function(
                "sign", [.anyNumeric], summary: summary,
                resultType: { types in .numeric(precision: 1, scale: 0) },
                kernel: NumericRounding.sign),
            double("sign", summary, canFail: false) { call, errors in
                Transcendental.unary(call, &errors, Transcendental.everywhere) {
                    $0 > 0 ? 1 : $0 < 0 ? -1 : $0.isNaN ? $0 : 0
                }
            },
        ]
    }()

    private static let divisions: [Function] =
        integers.map { type in
            Function(
                "mod", [.exactly(type), .exactly(type)], canFail: true, broadcasts: true,
                summary: "Remainder, with the sign of the dividend. `mod(-7, 2)` is -1.",
                resultType: { _ in type }, kernel: IntegerArithmetic.kernel(.remainder))
        } + [
            Function(
                "mod", [.anyNumeric, .anyNumeric], canFail: true, broadcasts: true,
                summary: "Remainder, with the sign of the dividend. `mod(7.5, 2)` is 1.5.",
                resultType: { types throws(Failure) in
                    try NumericArithmetic.resultType(.remainder, types[0].type, types[1].type)
                }, kernel: NumericArithmetic.kernel(.remainder)),
            Function(
                "div", [.anyNumeric, .anyNumeric], canFail: true, broadcasts: true,
                summary: "Whole part of a quotient. `div(9.5, 4)` is 2.",
                resultType: { _ in .numeric(precision: LogicalType.maximumPrecision, scale: 0) },
                kernel: NumericRounding.wholeQuotient),
        ]

    private static let powers: [Function] =
        ["power", "pow", "^"].map { name in
            Function(
                name, [.exactly(.double), .exactly(.double)], canFail: true, broadcasts: true,
                summary: "A number raised to a power. `power(9, 3)` is 729.",
                resultType: { _ in .double }, kernel: Transcendental.power)
        } + [
            double("sqrt", "Square root. `sqrt(2)` is 1.4142135623730951.") {
                Transcendental.unary($0, &$1, Transcendental.notNegative) { $0.squareRoot() }
            },
            double("cbrt", "Cube root. `cbrt(8)` is 2.", canFail: false) {
                Transcendental.unary($0, &$1, Transcendental.everywhere) { cbrt($0) }
            },
            double("exp", "e raised to a power. `exp(1)` is 2.718281828459045.") {
                Transcendental.unary($0, &$1, Transcendental.everywhere, mayVanish: true) {
                    exp($0)
                }
            },
        ]

    private static let logarithms: [Function] =
        ["log", "log10"].map { name in
            double(name, "Logarithm to base 10. `\(name)(100)` is 2.") {
                Transcendental.unary($0, &$1, Transcendental.positive) { log10($0) }
            }
        } + [
            double("ln", "Natural logarithm. `ln(2)` is 0.6931471805599453.") {
                Transcendental.unary($0, &$1, Transcendental.positive) { log($0) }
            },
            Function(
                "log", [.exactly(.double), .exactly(.double)], canFail: true, broadcasts: true,
                summary: "Logarithm of the second number to the first as base. `log(2, 64)` is 6.",
                resultType: { _ in .double }, kernel: Transcendental.logarithm),
        ]

    private static let trigonometry: [Function] =
        circular + inverses + hyperbolic + [
            Function(
                "pi", [], summary: "π. `pi()` is 3.141592653589793.",
                resultType: { _ in .double },
                kernel: { call, _ in
                    Column(.double, repeating: .float64(.pi), count: call.rowCount)
                }),
            double("degrees", "Radians as degrees. `degrees(0.5)` is 28.64788975654116.") {
                Transcendental.unary($0, &$1, Transcendental.everywhere) { $0 / (.pi / 180) }
            },
            double("radians", "Degrees as radians. `radians(45)` is 0.7853981633974483.") {
                Transcendental.unary($0, &$1, Transcendental.everywhere) { $0 * (.pi / 180) }
            },
        ]

    private static let circular: [Function] = [
        double("sin", "Sine. `sin(0)` is 0.") {
            Transcendental.unary($0, &$1, Transcendental.finite) { sin($0) }
        },
        double("cos", "Cosine. `cos(0)` is 1.") {
            Transcendental.unary($0, &$1, Transcendental.finite) { cos($0) }
        },
        double("tan", "Tangent. `tan(0)` is 0.") {
            Transcendental.unary($0, &$1, Transcendental.finite) { tan($0) }
        },
        double("cot", "Cotangent. `cot(0.5)` is 1.830487721712452.") {
            Transcendental.unary($0, &$1, Transcendental.finite, mayBeInfinite: true) {
                1 / tan($0)
            }
        },
    ]

    private static let inverses: [Function] = [
        double("asin", "Inverse sine. `asin(1)` is 1.5707963267948966.") {
            Transcendental.unary($0, &$1, Transcendental.unit) { asin($0) }
        },
        double("acos", "Inverse cosine. `acos(1)` is 0.") {
            Transcendental.unary($0, &$1, Transcendental.unit) { acos($0) }
        },
        double("atan", "Inverse tangent. `atan(1)` is 0.7853981633974483.", canFail: false) {
            Transcendental.unary($0, &$1, Transcendental.everywhere) { atan($0) }
        },
        Function(
            "atan2", [.exactly(.double), .exactly(.double)], broadcasts: true,
            summary: "Inverse tangent of y ÷ x. `atan2(1, 0)` is 1.5707963267948966.",
            resultType: { _ in .double }, kernel: Transcendental.arcTangent),
    ]

    private static let hyperbolic: [Function] = [
        double("sinh", "Hyperbolic sine. `sinh(0)` is 0.") {
            Transcendental.unary($0, &$1, Transcendental.everywhere, mayBeInfinite: true) {
                sinh($0)
            }
        },
        double("cosh", "Hyperbolic cosine. `cosh(0)` is 1.") {
            Transcendental.unary($0, &$1, Transcendental.everywhere, mayBeInfinite: true) {
                cosh($0)
            }
        },
        double("tanh", "Hyperbolic tangent. `tanh(0)` is 0.", canFail: false) {
            Transcendental.unary($0, &$1, Transcendental.everywhere) { tanh($0) }
        },
        double("asinh", "Inverse hyperbolic sine. `asinh(0)` is 0.", canFail: false) {
            Transcendental.unary($0, &$1, Transcendental.everywhere) { asinh($0) }
        },
        double("acosh", "Inverse hyperbolic cosine. `acosh(1)` is 0.") {
            Transcendental.unary($0, &$1, Transcendental.fromOne) { acosh($0) }
        },
        double("atanh", "Inverse hyperbolic tangent. `atanh(0)` is 0.") {
            Transcendental.unary($0, &$1, Transcendental.unit, mayBeInfinite: true) {
                atanh($0)
            }
        },
    ]
}
