// The constants of a test file as values of the columns that they are meant for.

import Columns
import Contracts
import Kernels
import Planning
import SQLSyntax
import Types

/// Binds and evaluates rows of constants by the planner's rules: INSERT's assignment casts.
struct TopologyTestValues {
    private let catalog: Catalog
    private let context: BindingContext

    init(_ topology: [Statement], _ options: PlanningOptions) throws(Failure) {
        catalog = try Catalog(topology, options: options)
        context = BindingContext(options: options, clause: "a test's rows")
    }

    /// +1 or −1 of a changing result, or of a source with a PRIMARY KEY.
    static let change = Field("_change", .integer, isNullable: false)

    /// Metadata columns that a test's rows can set.
    static let metadata = [
        Field("_topic", .text), Field("_partition", .integer), Field("_offset", .bigint),
        Field("_timestamp", .timestamptz), Field("_key", .bytea), Field("_value", .bytea),
        Field("_extracted_at", .timestamptz), Field("_source", .text),
    ]

    /// The rows of `VALUES …`, or of a SELECT without FROM; several behind UNION ALL.
    func rows(_ query: Query, _ columns: [Field]) throws(Failure) -> [[Scalar]] {
        guard query.commonTables.isEmpty, query.orderBy.isEmpty, query.limit == nil,
            query.offset == nil
        else { throw refused(query.place) }
        switch query.body {
        case .values(let rows):
            var found: [[Scalar]] = []
            for row in rows { found.append(try self.row(row, columns, query.place)) }
            return found
        case .select(let select): return try rows(select, columns, query.place)
        case .setOperation(.union, isAll: true, let first, let second, place: _):
            return try rows(first, columns) + rows(second, columns)
        case .setOperation: throw refused(query.place)
        }
    }

    private func rows(
        _ select: Select, _ columns: [Field], _ place: SourcePlace
    ) throws(Failure) -> [[Scalar]] {
        guard select.from.isEmpty, select.groupBy.isEmpty, select.having == nil else {
            throw refused(place)
        }
        if let condition = select.whereCondition {
            let holds = try value(condition, Field("WHERE", .boolean))
            if holds != .bool(true) { return [] }
        }
        return [try row(select.items.map(\.expression), columns, place)]
    }

    private func refused(_ place: SourcePlace) -> Failure {
        Failure(
            .invalid, "test.rows", "a test's rows are VALUES, or a SELECT without FROM",
            hint: "no rows at all: SELECT WHERE false", place: place)
    }

    private func row(
        _ values: [ExpressionSyntax], _ columns: [Field], _ place: SourcePlace
    ) throws(Failure) -> [Scalar] {
        guard values.count == columns.count else {
            let names = columns.map(\.name).joined(separator: ", ")
            throw Failure(
                .invalid, "test.row_width",
                "the row has \(values.count) values for \(columns.count) columns (\(names))",
                place: values.first?.place ?? place)
        }
        var row: [Scalar] = []
        for (syntax, column) in zip(values, columns) { row.append(try value(syntax, column)) }
        return row
    }

    private func value(_ syntax: ExpressionSyntax, _ column: Field) throws(Failure) -> Scalar {
        let binder = ExpressionBinder(catalog: catalog, scope: Scope(), context: context)
        let bound = try binder.bind(syntax, expected: column.type)
        let expression = try TypeRules.assignmentCast(
            bound, to: column.type, column: column.name, place: syntax.place)
        var errors = RowErrors()
        let result = expression.evaluate(Batch(rowCount: 1, columns: []), errors: &errors)
        if let error = errors.errors[0] {
            throw Failure(.invalid, "test.value", error.detail, place: syntax.place)
        }
        return result.scalar(0)
    }

    /// A point in time, µs.
    func time(_ text: String, _ place: SourcePlace) throws(Failure) -> Int64 {
        let syntax = ExpressionSyntax(.string(text), place: place)
        guard case .int64(let time) = try value(syntax, Field("watermark", .timestamptz)) else {
            throw Failure(.invalid, "test.value", "a watermark is a time", place: place)
        }
        return time
    }
}
