// Functions that choose among their arguments, or look at which are NULL.

import Columns
import Contracts
import Types

extension FunctionTable {
    static let conditional: [Function] = [
        Function(
            "greatest", [.same], isVariadic: true, isStrict: false,
            summary: "The greatest argument; NULLs are ignored. `greatest(1, 3, NULL)` is 3.",
            resultType: ordered, kernel: { call, _ in extreme(call, .greater) }),
        Function(
            "least", [.same], isVariadic: true, isStrict: false,
            summary: "The least argument; NULLs are ignored. `least(1, 3, NULL)` is 1.",
            resultType: ordered, kernel: { call, _ in extreme(call, .less) }),
        Function(
            "nullif", [.same, .same], isStrict: false,
            summary: "NULL if both are equal, else the first. `nullif(5, 0)` is 5.",
            resultType: ordered, kernel: { call, _ in differing(call) }),
        Function(
            "num_nulls", [.any], isVariadic: true, isStrict: false,
            summary: "How many arguments are NULL. `num_nulls(1, NULL)` is 1.",
            resultType: { _ in .integer }, kernel: { call, _ in counted(call, nulls: true) }),
        Function(
            "num_nonnulls", [.any], isVariadic: true, isStrict: false,
            summary: "How many arguments are not NULL. `num_nonnulls(1, NULL)` is 1.",
            resultType: { _ in .integer }, kernel: { call, _ in counted(call, nulls: false) }),
    ]

    private static func ordered(_ types: [ArgumentType]) throws(Failure) -> LogicalType {
        try Comparison.requireOrder(types[0].type)
        return types[0].type
    }

    /// Keeps of two columns at a time what is not NULL and, of two values, what `wins`.
    private static func extreme(_ call: KernelCall, _ wins: ComparisonOperator) -> Column {
        let count = call.rowCount
        return call.arguments.dropFirst().reduce(call.arguments[0]) { best, next in
            let isBetter = Comparison.compared(next, best, count, wins)
            let taken = selected(count: count) {
                next.isValid($0) && (isBetter[$0] || !best.isValid($0))
            }
            if taken.isEmpty { return best }
            let pieces = [
                ColumnPiece(best, targets: allRows(count)), ColumnPiece(next, rows: taken),
            ]
            return .assembled(call.type, count: count, from: pieces)
        }
    }

    private static func differing(_ call: KernelCall) -> Column {
        let (first, second) = (call.arguments[0], call.arguments[1])
        let differs = Comparison.compared(first, second, call.rowCount, .notEqual)
        let isKept = second.validity.map {
            combined(differs, $0, count: call.rowCount) { $0 || !$1 }
        }
        return Column(
            call.type, first.values, validity: joined([first.validity, isKept ?? differs]))
    }

    private static func counted(_ call: KernelCall, nulls: Bool) -> Column {
        var counts = Array(repeating: Int64(0), count: call.rowCount)
        for column in call.arguments {
            for row in 0..<call.rowCount where column.isValid(row) != nulls { counts[row] += 1 }
        }
        return Column(.integer, .int64(counts))
    }
}
