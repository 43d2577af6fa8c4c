// The rules of dialect.md §3.1 that need no text.

import Contracts
import Kernels
import Planning
import Testing
import Types

private func numeric(_ precision: Int, _ scale: Int) -> LogicalType {
    .numeric(precision: precision, scale: scale)
}

@Suite struct TypeRulesTests {
    @Test(arguments: [
        ([LogicalType.smallint, .integer], LogicalType.integer),
        ([.integer, .bigint, .smallint], .bigint),
        ([.integer, numeric(4, 2)], numeric(12, 2)),
        ([numeric(10, 2), numeric(12, 4)], numeric(12, 4)),
        ([numeric(38, 0), numeric(38, 10)], numeric(38, 10)),
        ([.real, .real], .real), ([.real, .integer], .double), ([numeric(4, 2), .real], .double),
        ([.unknown, .date], .date), ([.unknown, .unknown], .unknown),
        ([.date, .timestamptz], .timestamptz), ([.date, .timestamp], .timestamp),
        ([.array(.integer), .array(.bigint)], .array(.bigint)),
    ])
    func commonTypes(_ types: [LogicalType], _ common: LogicalType) {
        #expect(TypeRules.commonType(types) == common)
        #expect(TypeRules.commonType(types.reversed()) == common)
    }

    @Test(arguments: [
        [LogicalType.text, .integer], [.boolean, .integer], [.date, .time], [.json, .text],
    ])
    func withoutCommonType(_ types: [LogicalType]) {
        #expect(TypeRules.commonType(types) == nil)
    }

    @Test(arguments: [
        (LogicalType.integer, LogicalType.bigint, CastContext.implicit),
        (.bigint, .integer, .assignment), (.double, .real, .assignment),
        (.integer, .double, .implicit), (numeric(10, 2), .double, .implicit),
        (.double, numeric(10, 2), .assignment), (numeric(10, 2), numeric(12, 2), .implicit),
        (numeric(10, 2), numeric(12, 1), .assignment), (.integer, numeric(10, 0), .implicit),
        (.integer, numeric(10, 2), .assignment), (.date, .timestamptz, .implicit),
        (.timestamptz, .timestamp, .assignment), (.timestamp, .date, .assignment),
        (.integer, .text, .assignment), (.text, .integer, .explicit),
        (.boolean, .integer, .explicit), (.integer, .boolean, .explicit),
    ])
    func casts(_ source: LogicalType, _ target: LogicalType, _ context: CastContext) {
        #expect(TypeRules.cast(from: source, to: target) == context)
    }

    @Test(arguments: [
        (LogicalType.bigint, LogicalType.boolean), (.date, .integer), (.json, .integer),
        (.date, .time), (.interval, .bigint),
    ])
    func withoutCast(_ source: LogicalType, _ target: LogicalType) {
        #expect(TypeRules.cast(from: source, to: target) == nil)
    }

    @Test(arguments: [
        (AggregateFunction.sum, LogicalType.integer, LogicalType.bigint),
        (.sum, .bigint, numeric(38, 0)), (.sum, numeric(10, 2), numeric(38, 2)),
        (.sum, .real, .real), (.avg, .integer, numeric(38, 16)),
        (.avg, numeric(38, 20), numeric(38, 20)), (.avg, .real, .double),
        (.stddevSample, numeric(10, 2), .double), (.count, .json, .bigint),
        (.max, .text, .text), (.arrayAggregate, .date, .array(.date)), (.first, .uuid, .uuid),
    ])
    func aggregates(
        _ function: AggregateFunction, _ argument: LogicalType, _ result: LogicalType
    ) throws {
        let place = SourcePlace(file: "test.sql", offset: 0)
        let types = try TypeRules.aggregateType(function, arguments: [argument], place: place)
        #expect(types.result == result)
        #expect(types.arguments == [argument])
    }

    @Test func aggregateOfTheWrongType() throws {
        let place = SourcePlace(file: "test.sql", offset: 0)
        let refused = #expect(throws: Failure.self) {
            try TypeRules.aggregateType(.sum, arguments: [.text], place: place)
        }
        #expect(refused?.message == "there is no aggregate sum(text)")
    }

    @Test func assignmentNamesTheColumn() throws {
        let place = SourcePlace(file: "test.sql", offset: 3)
        let refused = #expect(throws: Failure.self) {
            try TypeRules.assignmentCast(
                .column(0, .text), to: .integer, column: "n", place: place)
        }
        #expect(refused?.message == "column \"n\" is integer, but the expression is text")
        #expect(refused?.hint == "write an explicit cast: (…)::integer")
    }
}
