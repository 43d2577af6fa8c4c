// Binds expressions and declares tables from SQL text, for the tests of this folder.

import Contracts
import Kernels
import Planning
import SQLSyntax
import Testing
import Types

/// The columns that test expressions see.
let fixtureSchema = Schema([
    Field("s", .smallint), Field("i", .integer), Field("b", .bigint), Field("r", .real),
    Field("d", .double), Field("n", .numeric(precision: 10, scale: 2)),
    Field("m", .numeric(precision: 12, scale: 4)), Field("t", .text), Field("u", .text),
    Field("ok", .boolean), Field("day", .date), Field("ts", .timestamp),
    Field("tz", .timestamptz), Field("iv", .interval), Field("js", .json),
    Field("a", .array(.bigint)),
    Field(
        "p",
        .row(RowType(name: "point", fields: [Field("x", .integer), Field("y", .double)]))),
])

func bind(
    _ text: String, options: PlanningOptions = PlanningOptions(),
    expected: LogicalType? = nil, hooks: ExpressionBinder.AggregateHooks? = nil
) throws -> Expression {
    let statements = try parseTopology(SourceText(file: "test.sql", text: "SELECT \(text)"))
    guard case .select(let query)? = statements.first?.kind, case .select(let select) = query.body,
        let item = select.items.first
    else { throw Failure(.invalid, "test", "no expression") }
    let binder = ExpressionBinder(
        catalog: Catalog(options: options), scope: Scope(fixtureSchema, qualifier: "f"),
        context: BindingContext(options: options, clause: "SELECT"), hooks: hooks)
    return try binder.bind(item.expression, expected: expected)
}

/// The failure of a text: its message, hint and the text from its place on.
struct Refusal {
    let code: String
    let message: String
    let hint: String?
    let at: String
}

func refusal(_ text: String, _ body: () throws -> Void) throws -> Refusal {
    do { try body() } catch let failure as Failure {
        let offset = failure.place?.offset ?? text.utf8.count
        return Refusal(
            code: failure.code, message: failure.message, hint: failure.hint,
            at: String(decoding: text.utf8.dropFirst(offset), as: UTF8.self))
    }
    throw Failure(.invalid, "test", "\(text) was not refused")
}

func bindRefusal(_ text: String) throws -> Refusal {
    try refusal("SELECT \(text)") { _ = try bind(text) }
}

func catalog(_ text: String, options: PlanningOptions = PlanningOptions()) throws -> Catalog {
    try Catalog(parseTopology(SourceText(file: "test.sql", text: text)), options: options)
}

func catalogRefusal(
    _ text: String, options: PlanningOptions = PlanningOptions()
) throws -> Refusal {
    try refusal(text) { _ = try catalog(text, options: options) }
}

/// The last table that a text declares.
func table(_ text: String) throws -> DeclaredTable {
    for case .table(let table) in try catalog(text).relations.reversed() { return table }
    throw Failure(.invalid, "test", "no table")
}

func sourcePlan(_ text: String, using names: [String]? = nil) throws -> SourcePlan {
    let table = try table(text)
    let used = table.columns.enumerated().filter { _, column in
        names?.contains(column.name.text) ?? (column.metadata == nil)
    }.map(\.offset)
    return try table.makeSourcePlan(readColumns: table.readColumns(using: Set(used))) { _ in nil }
}
