// A tree as one short line, so that tests compare shapes at a glance.

import Contracts
import SQLSyntax

func parse(_ text: String) throws -> [Statement] {
    try parseTopology(SourceText(file: "t.sql", text: text))
}

func parseOne(_ text: String) throws -> StatementKind {
    let statements = try parse(text)
    try check(statements.count == 1, "\(statements.count) statements")
    return statements[0].kind
}

/// The sketch of `SELECT text`.
func expression(_ text: String) throws -> String { sketch(try tree("SELECT " + text)) }

func tree(_ text: String) throws -> ExpressionSyntax {
    guard case .select(let query) = try parseOne(text), case .select(let select) = query.body else {
        throw Unexpected("not a select")
    }
    return select.items[0].expression
}

/// The failure of a text that must be refused.
func refusal(_ text: String) throws -> Failure {
    do {
        _ = try parseTopology(SourceText(file: "t.sql", text: text))
    } catch {
        return error
    }
    throw Unexpected("accepted: \(text)")
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func check(_ condition: Bool, _ message: String) throws {
    if !condition { throw Unexpected(message) }
}

func sketch(_ expression: ExpressionSyntax) -> String {
    switch expression.kind {
    case .null: "NULL"
    case .boolean(let value): String(value)
    case .integer(let value): String(value)
    case .decimal(let digits): "\(digits)n"
    case .string(let text): "'\(text)'"
    case .cast(let value, let type): "\(sketch(value))::\(sketch(type))"
    case .column(let names): names.map(\.text).joined(separator: ".")
    case .parameter(let number): "$\(number)"
    case .star(let qualifier): (qualifier.map { $0.text + "." } ?? "") + "*"
    case .field(let value, let name): "(\(sketch(value))).\(name.text)"
    case .allFields(let value): "(\(sketch(value))).*"
    case .element(let value, let lower, let upper, let isSlice):
        "\(sketch(value))[" + (lower.map(sketch) ?? "") + (isSlice ? ":" : "")
            + (upper.map(sketch) ?? "") + "]"
    case .call(let call): sketch(call)
    case .infix(let symbol, let left, let right):
        "(" + [left.map(sketch), symbol, sketch(right)].compactMap { $0 }.joined(separator: " ")
            + ")"
    default: sketchPredicate(expression)
    }
}

private func sketchPredicate(_ expression: ExpressionSyntax) -> String {
    switch expression.kind {
    case .and(let items): "(" + items.map(sketch).joined(separator: " AND ") + ")"
    case .or(let items): "(" + items.map(sketch).joined(separator: " OR ") + ")"
    case .not(let value): "NOT \(sketch(value))"
    case .isNull(let value, let isNegated): "\(sketch(value)) IS \(isNegated ? "NOT " : "")NULL"
    case .isTruth(let value, let truth, let isNegated):
        "\(sketch(value)) IS \(isNegated ? "NOT " : "")\(truth.map { "\($0)" } ?? "unknown")"
    case .isDistinct(let left, let right, let isNegated):
        "\(sketch(left)) IS \(isNegated ? "NOT " : "")DISTINCT FROM \(sketch(right))"
    case .between(let value, let low, let high, let isNegated, let isSymmetric):
        "\(sketch(value)) \(isNegated ? "NOT " : "")BETWEEN \(isSymmetric ? "SYMMETRIC " : "")"
            + "\(sketch(low)) AND \(sketch(high))"
    case .inList(let value, let items, let isNegated):
        "\(sketch(value)) \(isNegated ? "NOT " : "")IN " + list(items)
    case .quantified(let value, let symbol, let array, let isAll):
        "\(sketch(value)) \(symbol) \(isAll ? "ALL" : "ANY") \(sketch(array))"
    default: sketchForm(expression)
    }
}

private func sketchForm(_ expression: ExpressionSyntax) -> String {
    switch expression.kind {
    case .caseWhen(let operand, let branches, let otherwise):
        "CASE" + (operand.map { " " + sketch($0) } ?? "")
            + branches.map { " WHEN \(sketch($0.0)) THEN \(sketch($0.1))" }.joined()
            + (otherwise.map { " ELSE " + sketch($0) } ?? "") + " END"
    case .coalesce(let items): "coalesce" + list(items)
    case .nullIf(let left, let right): "nullif" + list([left, right])
    case .greatest(let items): "greatest" + list(items)
    case .least(let items): "least" + list(items)
    case .row(let items): "ROW" + list(items)
    case .array(let items): "ARRAY" + list(items)
    case .atTimeZone(let value, let zone): "\(sketch(value)) AT TIME ZONE \(sketch(zone))"
    case .currentTime(let name): name
    case .subquery(let query): "(\(sketch(query)))"
    case .collate(let value, let name): "\(sketch(value)) COLLATE \(name.text)"
    case .refused(let construct): "refused: \(construct)"
    default: "?"
    }
}

private func list(_ items: [ExpressionSyntax]) -> String {
    "(" + items.map(sketch).joined(separator: ", ") + ")"
}

func sketch(_ type: TypeName) -> String {
    type.name
        + (type.modifiers.isEmpty
            ? "" : "(" + type.modifiers.map { "\($0)" }.joined(separator: ",") + ")")
        + String(repeating: "[]", count: type.arrayDimensions)
}

func sketch(_ call: FunctionCall) -> String {
    var text = call.name.text + "(" + (call.isDistinct ? "DISTINCT " : "")
    if call.isStar { text += "*" }
    text += call.arguments.map { argument in
        (argument.label.map { $0.text + " => " } ?? "") + sketch(argument.value)
    }.joined(separator: ", ")
    text += sketch(call.orderBy) + ")"
    if let filter = call.filter { text += " FILTER (\(sketch(filter)))" }
    return text + (call.over == nil ? "" : " OVER")
}

private func sketch(_ keys: [SortKey]) -> String {
    if keys.isEmpty { return "" }
    return " ORDER BY "
        + keys.map { key in
            sketch(key.expression) + (key.isDescending ? " DESC" : "")
                + (key.nullsFirst.map { $0 ? " NULLS FIRST" : " NULLS LAST" } ?? "")
        }.joined(separator: ", ")
}

func sketch(_ query: Query) -> String {
    var text = query.commonTables.map { table in
        "WITH \(table.isRecursive ? "RECURSIVE " : "")\(table.name.text)"
            + names(table.columnNames) + " AS (\(sketch(table.query))) "
    }.joined()
    switch query.body {
    case .select(let select): text += sketch(select)
    case .values(let rows): text += "VALUES " + rows.map(list).joined(separator: ", ")
    case .setOperation(let kind, let isAll, let left, let right, _):
        text += "{\(sketch(left)) \(kind)\(isAll ? " ALL" : "") \(sketch(right))}"
    }
    text += sketch(query.orderBy)
    if let limit = query.limit { text += " LIMIT " + sketch(limit) }
    if let offset = query.offset { text += " OFFSET " + sketch(offset) }
    return text
}

private func names(_ names: [Name]) -> String {
    names.isEmpty ? "" : "(" + names.map(\.text).joined(separator: ", ") + ")"
}

private func sketch(_ select: Select) -> String {
    var text = "SELECT "
    switch select.distinct {
    case .none: break
    case .all: text += "DISTINCT "
    case .on(let keys): text += "DISTINCT ON " + list(keys) + " "
    }
    text += select.items.map { item in
        sketch(item.expression) + (item.alias.map { " AS " + $0.text } ?? "")
    }.joined(separator: ", ")
    if !select.from.isEmpty {
        text += " FROM " + select.from.map(sketch).joined(separator: ", ")
    }
    if let condition = select.whereCondition { text += " WHERE " + sketch(condition) }
    if !select.groupBy.isEmpty {
        text += " GROUP BY " + select.groupBy.map(sketch).joined(separator: ", ")
    }
    if let having = select.having { text += " HAVING " + sketch(having) }
    return text + select.refused.map { " !\($0.construct)" }.joined()
}

private func sketch(_ item: FromItem) -> String {
    switch item {
    case .table(let name, let alias): return name.text + sketch(alias)
    case .subquery(let query, let alias, let isLateral, _):
        return (isLateral ? "LATERAL " : "") + "(\(sketch(query)))" + sketch(alias)
    case .function(let call, let alias): return sketch(call) + sketch(alias)
    case .join(let join):
        return "<\(sketch(join.left)) \(join.kind) \(sketch(join.right))"
            + (join.condition.map { " ON " + sketch($0) } ?? "")
            + (join.usingColumns.isEmpty ? "" : " USING " + names(join.usingColumns)) + ">"
    }
}

private func sketch(_ alias: Alias?) -> String {
    alias.map { " AS \($0.name.text)" + names($0.columnNames) } ?? ""
}
