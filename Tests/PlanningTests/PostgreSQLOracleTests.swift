// Every function held against PostgreSQL 15: the tables in Expressions/*.tsv name expressions, both
// evaluate them, the texts must be equal.
//
// A table has plain lines, each an expression, and templates: `= lower($1) | text` with the
// parameters' types, followed by lines of arguments with tabs between. A template is evaluated
// twice on our side: with its arguments as constants, and over columns with one row an argument
// line. Exact numbers are compared after rounding to the coarser scale, doubles beside PostgreSQL's
// numeric to 1e-14; an error must be an error on both sides. What is meant to differ stands in
// deviations.txt with our answer and the reason.

import Columns
import Contracts
import Foundation
import Kernels
import Planning
import SQLSyntax
import Testing
import Types

@Suite struct PostgreSQLOracleTests {
    @Test(
        .enabled(
            if: PostgreSQLOracle.isWanted,
            "PostgreSQL 15 is not there (apt install postgresql-15)"))
    func expressionsAgree() throws {
        let cases = try ExpressionTable.all(in: ExpressionTable.folder, zone: nil)
        let answers = try PostgreSQLOracle.answers(to: cases.map(\.expression))
        let deviations = try Deviation.all()
        var used: Set<String> = []
        for (item, theirs) in zip(cases, answers) {
            for (way, ours) in item.answers() {
                if let deviation = deviations[item.expression] {
                    used.insert(item.expression)
                    if ours.text != deviation.answer {
                        let listed = "listed as \(deviation.answer), is \(ours.text)"
                        Issue.record("\(item.place): \(item.expression) (\(way)): \(listed)")
                    }
                } else if let difference = difference(ours, theirs) {
                    Issue.record("\(item.place): \(item.expression) (\(way)): \(difference)")
                }
            }
        }
        for unused in Set(deviations.keys).subtracting(used).sorted() {
            Issue.record("deviations.txt lists \(unused), which no table has")
        }
        print("PostgreSQL: \(cases.count) expressions, \(deviations.count) listed deviations")
        #expect(cases.count >= 500)
    }

    @Test(
        "in a session of another time zone",
        .enabled(
            if: PostgreSQLOracle.isWanted,
            "PostgreSQL 15 is not there (apt install postgresql-15)"),
        arguments: [
            "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe",
            "America/Los_Angeles",
        ])
    func zonesAgree(_ zone: String) throws {
        let folder = ExpressionTable.folder.appendingPathComponent("zones")
        let cases = try ExpressionTable.all(in: folder, zone: zone)
        let answers = try PostgreSQLOracle.answers(
            to: cases.map(\.expression), timeZone: zone)
        for (item, theirs) in zip(cases, answers) {
            for (way, ours) in item.answers() {
                if let difference = difference(ours, theirs) {
                    Issue.record("\(item.place): \(item.expression) (\(way)): \(difference)")
                }
            }
        }
        #expect(cases.count >= 100)
    }
}

/// What we say of an expression.
enum OurAnswer {
    case null(LogicalType)
    case value(String, LogicalType)
    case error(String)

    var text: String {
        switch self {
        case .null: "NULL"
        case .value(let text, _): text
        case .error: "ERROR"
        }
    }
}

/// A sentence on how two answers differ; nil if they agree.
private func difference(_ ours: OurAnswer, _ theirs: PostgreSQLOracle.Answer) -> String? {
    switch (ours, theirs) {
    case (.error, .error): return nil
    case (.error(let message), .null): return "ours fails (\(message)), theirs is NULL"
    case (.error(let message), .value(let value, _)):
        return "ours fails (\(message)), theirs is \(value)"
    case (.null, .error(let message)), (.value, .error(let message)):
        return "ours is \(ours.text), theirs fails (\(message))"
    case (.null(let type), .null(let theirType)): return typeDifference(type, theirType)
    case (.null, .value(let value, _)): return "ours is NULL, theirs is \(value)"
    case (.value(let value, _), .null): return "ours is \(value), theirs is NULL"
    case (.value(let value, let type), .value(let theirValue, let theirType)):
        if let difference = typeDifference(type, theirType) { return difference }
        return agree(value, type, theirValue, theirType)
            ? nil : "ours is \(value), theirs is \(theirValue)"
    }
}

/// Types by PostgreSQL's long names; numeric beside double is dialect.md §3.1's.
private func typeDifference(_ ours: LogicalType, _ theirs: String) -> String? {
    let name =
        switch ours {
        case .numeric: "numeric"
        case .timestamp: "timestamp without time zone"
        case .timestamptz: "timestamp with time zone"
        case .time: "time without time zone"
        case .array(.numeric): "numeric[]"
        case .array(.timestamp): "timestamp without time zone[]"
        case .array(.timestamptz): "timestamp with time zone[]"
        case .row: "record"
        default: ours.description
        }
    let isNumber = ours.isNumber && theirs == "numeric"
    return name == theirs || isNumber || (theirs == "unknown" && ours == .text)
        ? nil : "our type is \(ours), theirs is \(theirs)"
}

private func agree(
    _ ours: String, _ type: LogicalType, _ theirs: String, _ theirType: String
) -> Bool {
    if ours == theirs { return true }
    guard theirType == "numeric" else { return false }
    if type.isFloat {
        guard let left = Double(ours), let right = Double(theirs) else { return false }
        return abs(left - right) <= 1e-14 * max(abs(left), abs(right))
    }
    guard let left = Decimals(ours), let right = Decimals(theirs) else { return false }
    let scale = min(left.scale, right.scale)
    return left.rounded(scale) == right.rounded(scale)
}

/// A decimal number's digits.
private struct Decimals {
    let unscaled: Int128
    let scale: Int

    init?(_ text: String) {
        let halves = text.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count <= 2, let value = Int128(halves.joined()) else { return nil }
        unscaled = value
        scale = halves.count == 2 ? halves[1].count : 0
    }

    func rounded(_ target: Int) -> Int128? { Numeric.rescale(unscaled, from: scale, to: target) }
}

/// One expression of a table.
struct OracleCase {
    let place: String
    let expression: String
    /// The answer over columns, if the case comes from a template.
    let overColumns: OurAnswer?
    var zone: String?

    func answers() -> [(String, OurAnswer)] {
        [("constant", ourAnswer(expression, zone: zone))] + (overColumns.map { [("columns", $0)] } ?? [])
    }
}

private func bound(
    _ text: String, _ schema: Schema, zone: String? = nil
) throws -> Kernels.Expression {
    let statements = try parseTopology(SourceText(file: "test.sql", text: "SELECT \(text)"))
    guard case .select(let query)? = statements.first?.kind, case .select(let select) = query.body,
        let item = select.items.first
    else { throw Failure(.invalid, "test", "no expression: \(text)") }
    let options = PlanningOptions()
    var settings = StatementSettings()
    settings.timeZone = zone
    let binder = ExpressionBinder(
        catalog: Catalog(options: options), scope: Scope(schema, qualifier: "f"),
        context: BindingContext(options: options, settings: settings, clause: "SELECT"))
    return try binder.bindValue(item.expression)
}

/// The answers for each row of a batch; in a session's zone the text is the session's.
private func answers(
    _ text: String, _ schema: Schema, _ batch: Batch, zone: String?
) throws -> [OurAnswer] {
    let expression = try bound(text, schema, zone: zone)
    if zone == nil { return evaluated(expression, batch) }
    let shown = evaluated(try bound("(\(text))::text", schema, zone: zone), batch)
    return shown.map { answer in
        switch answer {
        case .null: .null(expression.type)
        case .value(let text, _): .value(text, expression.type)
        case .error: answer
        }
    }
}

/// The answers for each row of a batch.
private func evaluated(
    _ expression: Kernels.Expression, _ batch: Batch
) -> [OurAnswer] {
    var errors = RowErrors()
    let column = expression.evaluate(batch, errors: &errors)
    return (0..<batch.rowCount).map { row in
        if let error = errors.errors[row] { return .error(error.detail) }
        guard column.isValid(row) else { return .null(expression.type) }
        if case .null = column.values { return .null(expression.type) }
        var text: [UInt8] = []
        ValueText.append(column, row: row, to: &text)
        return .value(String(decoding: text, as: UTF8.self), expression.type)
    }
}

private func ourAnswer(_ expression: String, zone: String?) -> OurAnswer {
    do {
        return try answers(expression, Schema([]), Batch(rowCount: 1, columns: []), zone: zone)[0]
    } catch {
        return .error("\(error)")
    }
}

/// The tables of Expressions/.
enum ExpressionTable {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Expressions")

    /// The tables of a folder; `zone`: the session's, nil: UTC.
    static func all(in folder: URL, zone: String?) throws -> [OracleCase] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return try names.filter { $0.hasSuffix(".tsv") }.sorted()
            .flatMap { try read($0, in: folder, zone) }
    }

    private static func read(
        _ name: String, in folder: URL, _ zone: String?
    ) throws -> [OracleCase] {
        let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        var cases: [OracleCase] = []
        var template: Template?
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            if line.hasPrefix("#") || line.isEmpty { continue }
            if line.hasPrefix("=") {
                cases += template?.cases() ?? []
                template = line == "=" ? nil : try Template(line.dropFirst(), name, zone)
            } else if template != nil {
                template?.rows.append((number + 1, line.split(separator: "\t").map(String.init)))
            } else {
                cases.append(
                    OracleCase(
                        place: "\(name):\(number + 1)", expression: String(line), overColumns: nil,
                        zone: zone))
            }
        }
        return cases + (template?.cases() ?? [])
    }

    /// `= expression with $1 | type, type`
    private struct Template {
        let name: String
        let expression: String
        let types: [String]
        let zone: String?
        var rows: [(line: Int, arguments: [String])] = []

        init(_ line: Substring, _ name: String, _ zone: String?) throws {
            self.zone = zone
            let parts = line.components(separatedBy: " | ")
            try #require(parts.count == 2, "\(name): no types in \(line)")
            self.name = name
            expression = parts[0].trimmingCharacters(in: .whitespaces)
            types = parts[1].components(separatedBy: ";").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }

        private func filled(_ arguments: [String]) -> String {
            var text = expression
            for (index, argument) in arguments.enumerated().reversed() {
                text = text.replacingOccurrences(of: "$\(index + 1)", with: argument)
            }
            return text
        }

        func cases() -> [OracleCase] {
            let typed = rows.map { row in
                zip(row.arguments, types).map { "(\($0))::\($1)" }
            }
            let answers = overColumns(typed)
            return rows.indices.map { index in
                OracleCase(
                    place: "\(name):\(rows[index].line)", expression: filled(typed[index]),
                    overColumns: answers[index], zone: zone)
            }
        }

        /// All rows at once, the arguments as columns.
        private func overColumns(_ rows: [[String]]) -> [OurAnswer] {
            do {
                var columns: [Column] = []
                var fields: [Field] = []
                for position in types.indices {
                    var scalars: [Scalar] = []
                    var type = LogicalType.text
                    for row in rows {
                        let bound = try bound(row[position], Schema([]), zone: zone)
                        var errors = RowErrors()
                        let value = bound.evaluate(Batch(rowCount: 1, columns: []), errors: &errors)
                        scalars.append(value.scalar(0))
                        type = bound.type
                    }
                    columns.append(Column(type, scalars: scalars))
                    fields.append(Field("c\(position + 1)", type))
                }
                let text = filled(types.indices.map { "c\($0 + 1)" })
                let batch = Batch(rowCount: rows.count, columns: columns)
                return try answers(text, Schema(fields), batch, zone: zone)
            } catch {
                return rows.map { _ in .error("\(error)") }
            }
        }
    }
}

/// A difference that is meant.
private struct Deviation {
    let answer: String

    /// By expression. Lines: expression, tab, our answer (NULL, ERROR or its text), tab, the
    /// reason.
    static func all() throws -> [String: Deviation] {
        let file = ExpressionTable.folder.appendingPathComponent("deviations.txt")
        var found: [String: Deviation] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") {
            let parts = line.components(separatedBy: "\t")
            try #require(parts.count == 3 && !parts[2].isEmpty, "deviations.txt: \(line)")
            found[parts[0]] = Deviation(answer: parts[1])
        }
        return found
    }
}
