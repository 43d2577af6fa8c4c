import Columns
import Contracts
import Kernels
import Testing
import Types

@Suite struct EvaluatorTests {
    private let truths: [Scalar] = [.bool(true), .bool(false), .null]

    private func connective(_ expression: Expression) -> [Scalar] {
        let left = truths.flatMap { Array(repeating: $0, count: 3) }
        let right = (0..<3).flatMap { _ in truths }
        let batch = Batch(
            rowCount: 9, columns: [column(.boolean, left), column(.boolean, right)])
        var errors = RowErrors()
        let result = expression.evaluate(batch, errors: &errors)
        return (0..<9).map(result.scalar)
    }

    /// A boolean that could fail, so that the evaluator goes the careful way.
    private func fallible(_ index: Int) throws -> Expression {
        let number = Expression.cases(
            Expression.Cases(
                branches: [
                    .init(.column(index, .boolean), .constant(int(1), .bigint)),
                    .init(.not(.column(index, .boolean)), .constant(int(0), .bigint)),
                ], otherwise: .constant(.null, .bigint), type: .bigint))
        let sum = try call("+", [number, .constant(int(1), .bigint)])
        return try call("=", [sum, .constant(int(2), .bigint)])
    }

    @Test func threeValuedLogic() throws {
        let yes = Scalar.bool(true)
        let no = Scalar.bool(false)
        let and: [Scalar] = [yes, no, .null, no, no, no, .null, no, .null]
        let or: [Scalar] = [yes, yes, yes, yes, no, .null, yes, .null, .null]
        let plain: [Expression] = [.column(0, .boolean), .column(1, .boolean)]
        let careful = try [fallible(0), fallible(1)]
        #expect(connective(.and(plain)) == and)
        #expect(connective(.or(plain)) == or)
        #expect(careful[1].canFail)
        #expect(connective(.and(careful)) == and)
        #expect(connective(.or(careful)) == or)
    }

    /// `b <> 0 AND a / b > 1`: the division is not made where b is 0.
    @Test func andStops() throws {
        let (a, b) = (Expression.column(0, .bigint), Expression.column(1, .bigint))
        let zero = Expression.constant(int(0), .bigint)
        let guarded = try Expression.and([
            call("<>", [b, zero]),
            call(">", [call("/", [a, b]), .constant(int(1), .bigint)]),
        ])
        let batch = Batch(
            rowCount: 5,
            columns: [
                column(.bigint, [int(6), int(6), int(1), int(9), .null]),
                column(.bigint, [int(2), int(0), int(2), .null, int(0)]),
            ])
        var errors = RowErrors()
        #expect(guarded.evaluateFilter(batch, errors: &errors) == [0])
        #expect(errors.isEmpty)
        let swapped = try Expression.and([
            call(">", [call("/", [a, b]), .constant(int(1), .bigint)]),
            call("<>", [b, zero]),
        ])
        #expect(swapped.evaluateFilter(batch, errors: &errors) == [0])
        #expect(Array(errors.errors.keys) == [1])
        #expect(errors.errors[1]?.reason == .divisionByZero)
    }

    @Test func caseEvaluatesOnlyWhatItNeeds() throws {
        let (a, b) = (Expression.column(0, .bigint), Expression.column(1, .bigint))
        let cases = try Expression.cases(
            Expression.Cases(
                branches: [
                    .init(
                        try call("=", [b, .constant(int(0), .bigint)]), .constant(.null, .bigint))
                ],
                otherwise: call("/", [a, b]), type: .bigint))
        let batch = Batch(
            rowCount: 4,
            columns: [
                column(.bigint, [int(6), int(6), .null, int(8)]),
                column(.bigint, [int(2), int(0), int(2), int(4)]),
            ])
        var errors = RowErrors()
        let result = cases.evaluate(batch, errors: &errors)
        #expect(errors.isEmpty)
        #expect((0..<4).map(result.scalar) == [int(3), .null, .null, int(2)])
    }

    @Test func coalesceStops() throws {
        let (a, b) = (Expression.column(0, .text), Expression.column(1, .text))
        let failing = try Expression.cast(
            call("/", [.constant(int(1), .bigint), .constant(int(0), .bigint)]), to: .text,
            place: somewhere)
        let expression = Expression.coalesce([a, b, failing], .text)
        let batch = Batch(
            rowCount: 3,
            columns: [
                column(.text, [.text("x"), .null, .null]),
                column(.text, [.text("y"), .text("z"), .null]),
            ])
        var errors = RowErrors()
        let result = expression.evaluate(batch, errors: &errors)
        #expect(result.scalar(0) == .text("x"))
        #expect(result.scalar(1) == .text("z"))
        #expect(Array(errors.errors.keys) == [2])
    }

    @Test func rowsAndArrays() throws {
        let row = RowType(
            name: nil, fields: [Field("a", .bigint), Field("b", .text)])
        let pair = Expression.makeRow([.column(0, .bigint), .column(1, .text)], row)
        let batch = Batch(
            rowCount: 2,
            columns: [column(.bigint, [int(1), .null]), column(.text, [.text("x"), .null])])
        var errors = RowErrors()
        let rows = pair.evaluate(batch, errors: &errors)
        #expect(rows.scalar(0) == .row([int(1), .text("x")]))
        let nulls = Expression.isNull(pair).evaluate(batch, errors: &errors)
        #expect((0..<2).map(nulls.scalar) == [.bool(false), .bool(true)])
        let field = Expression.field(pair, 1, .text).evaluate(batch, errors: &errors)
        #expect((0..<2).map(field.scalar) == [.text("x"), .null])
        let array = Expression.makeArray(
            [.column(0, .bigint), .constant(int(7), .bigint)], element: .bigint)
        let arrays = array.evaluate(batch, errors: &errors)
        #expect(arrays.scalar(0) == .list([int(1), int(7)]))
        #expect(arrays.scalar(1) == .list([.null, int(7)]))
    }

    /// CASE over each kind of value.
    @Test(
        arguments: [
            (.bigint, int(1), int(2)), (.boolean, .bool(true), .bool(false)),
            (.double, .float64(1), .float64(2)), (.text, .text("one"), .text("two")),
            (.numeric(precision: 5, scale: 1), .int128(10), .int128(25)),
            (.interval, .interval(IntervalValue(days: 1)), .interval(IntervalValue(days: 2))),
            (.array(.text), .list([.text("a"), .null]), .list([])),
            (
                .row(RowType(name: nil, fields: [Field("a", .text)])), .row([.text("x")]),
                .row([.null])
            ),
        ] as [(LogicalType, Scalar, Scalar)])
    func mixedPieces(_ type: LogicalType, _ first: Scalar, _ second: Scalar) {
        let cases = Expression.cases(
            Expression.Cases(
                branches: [
                    .init(.column(0, .boolean), .column(1, type)),
                    .init(.isNull(.column(0, .boolean)), .constant(.null, type)),
                ], otherwise: .column(2, type), type: type))
        let batch = Batch(
            rowCount: 4,
            columns: [
                column(.boolean, [.bool(true), .bool(false), .null, .bool(true)]),
                column(type, [first, first, first, first]),
                column(type, [second, second, second, second]),
            ])
        var errors = RowErrors()
        let result = cases.evaluate(batch, errors: &errors)
        #expect((0..<4).map(result.scalar) == [first, second, .null, first])
    }
}
