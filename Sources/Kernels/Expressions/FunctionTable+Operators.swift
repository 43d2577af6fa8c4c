// Operators: arithmetic and comparison of numbers and of whole values.

import Contracts
import Types

extension FunctionTable {
    static let operators: [Function] =
        ArithmeticOperator.allCases.flatMap(arithmetic) + signs
        + ComparisonOperator.allCases.map(comparison) + [distinct]

    private static let integers: [LogicalType] = [.smallint, .integer, .bigint]
    private static let floats: [LogicalType] = [.real, .double]

    private static func arithmetic(_ operation: ArithmeticOperator) -> [Function] {
        let symbol = operation.rawValue
        let summary = summary(of: operation)
        let exact = integers.map { type in
            Function(
                symbol, [.exactly(type), .exactly(type)], canFail: true, broadcasts: true,
                summary: summary, resultType: { _ in type },
                kernel: IntegerArithmetic.kernel(operation))
        }
        let numeric = Function(
            symbol, [.anyNumeric, .anyNumeric], canFail: true, broadcasts: true,
            summary: summary,
            resultType: { types throws(Failure) in
                try NumericArithmetic.resultType(operation, types[0].type, types[1].type)
            },
            kernel: NumericArithmetic.kernel(operation))
        let approximate = operation == .remainder ? [] : floats
        return exact + [numeric]
            + approximate.map { type in
                Function(
                    symbol, [.exactly(type), .exactly(type)], canFail: true, broadcasts: true,
                    summary: summary, resultType: { _ in type },
                    kernel: FloatArithmetic.kernel(operation))
            }
    }

    private static func summary(of operation: ArithmeticOperator) -> String {
        switch operation {
        case .add: "Sum. `2 + 3` is 5."
        case .subtract: "Difference. `2 - 3` is -1."
        case .multiply: "Product. `2 * 3` is 6."
        case .divide: "Quotient; of integers truncated toward zero. `7 / 2` is 3, `7 / 2.0` is 3.5."
        case .remainder: "Remainder, with the sign of the dividend. `-7 % 2` is -1."
        }
    }

    private static let signs: [Function] =
        integers.map { type in
            Function(
                "-", [.exactly(type)], canFail: true, summary: "Negation. `- 5` is -5.",
                resultType: { _ in type }, kernel: IntegerArithmetic.negate)
        } + [
            Function(
                "-", [.anyNumeric], summary: "Negation. `- 5.5` is -5.5.",
                resultType: { $0[0].type }, kernel: NumericArithmetic.negate)
        ]
        + floats.map { type in
            Function(
                "-", [.exactly(type)], summary: "Negation. `- 5e0` is -5.",
                resultType: { _ in type }, kernel: FloatArithmetic.negate)
        }
        + ((integers + floats).map(Parameter.exactly) + [.anyNumeric]).map { parameter in
            Function(
                "+", [parameter], summary: "The number itself. `+ 5` is 5.",
                resultType: { $0[0].type }, kernel: { call, _ in call.arguments[0] })
        }

    private static func comparison(_ operation: ComparisonOperator) -> Function {
        Function(
            operation.rawValue, [.same, .same], broadcasts: true,
            summary: summary(of: operation),
            resultType: { types throws(Failure) in
                try Comparison.requireOrder(types[0].type)
                return .boolean
            },
            kernel: Comparison.kernel(operation))
    }

    private static func summary(of operation: ComparisonOperator) -> String {
        switch operation {
        case .equal: "Equal; text by bytes. `1 = 1.0` is true."
        case .notEqual: "Not equal; `!=` is the same. `1 <> 2` is true."
        case .less: "Less than. `'a' < 'b'` is true."
        case .lessOrEqual: "Less than or equal. `1 <= 1` is true."
        case .greater: "Greater than. `2 > 1` is true."
        case .greaterOrEqual: "Greater than or equal. `1 >= 2` is false."
        }
    }

    private static let distinct = Function(
        "is_distinct", [.same, .same], isStrict: false, broadcasts: true,
        summary: "`a IS DISTINCT FROM b`: not equal, with NULL as a value. "
            + "`1 IS DISTINCT FROM NULL` is true.",
        resultType: { types throws(Failure) in
            try Comparison.requireOrder(types[0].type)
            return .boolean
        },
        kernel: Comparison.distinct)
}
