// Fills the catalog from statements.

package import Contracts
import Kernels
package import SQLSyntax
import Types

extension Catalog {
    /// All declarations and settings of a file; INSERT and SELECT are skipped (they are the
    /// planner's; `statementSettings(at:)` tells what held there). Throws at the first that is
    /// wrong.
    package init(_ statements: [Statement], options: PlanningOptions) throws(Failure) {
        self.init(options: options)
        var settingsTable = SettingsReader(options: options)
        for statement in statements {
            let current = settingsTable.statement
            switch statement.kind {
            case .set(let set):
                try settingsTable.apply(set.option)
                timeline.append((statement.range.lowerBound, settingsTable.statement))
            case .createTable(let table): try declare(table, current)
            case .createView(let view):
                try checkFree(view.name)
                relations.append(.view(view, current))
            case .createMaterializedView(let view):
                try checkFree(view.name)
                relations.append(.materializedView(view, current))
            case .createType(let type): try declare(type)
            case .createFunction(let function): try declare(function, current)
            case .insert, .select, .checkpoint: break
            }
        }
        settings = try settingsTable.finish()
    }

    /// The settings that hold at a place of the file.
    package func statementSettings(at offset: Int) -> StatementSettings {
        timeline.last { $0.offset <= offset }?.settings
            ?? SettingsReader(options: options).statement
    }

    /// The relation that FROM or INSERT names. Throws `sql.relation_unknown` with the nearest name,
    /// or `sql.not_a_relation` for a type.
    package func relation(_ name: Name) throws(Failure) -> Relation {
        if let relation = relations.first(where: { $0.name.text == name.text }) { return relation }
        if types[name.text] != nil {
            throw Failure(
                .invalid, "sql.not_a_relation", "\"\(name.text)\" is a type, not a relation",
                place: name.place)
        }
        let nearest = nearestName(to: name.text, among: relations.map(\.name.text))
        throw Failure(
            .invalid, "sql.relation_unknown", "relation \"\(name.text)\" does not exist",
            hint: nearest.map { "did you mean \"\($0)\"?" }, place: name.place)
    }

    /// Types and relations share one namespace (dialect.md §3.9).
    func checkFree(_ name: Name) throws(Failure) {
        let isTaken = types[name.text] != nil || relations.contains { $0.name.text == name.text }
        guard isTaken || Self.builtinType(name.text) != nil else { return }
        throw Failure(
            .invalid, "sql.name_taken", "\"\(name.text)\" exists already",
            hint: "types and relations share one namespace", place: name.place)
    }

    /// Declares `CREATE FUNCTION`: its body is bound now, so that errors show where they are.
    mutating func declare(
        _ statement: CreateFunction, _ current: StatementSettings
    ) throws(Failure) {
        var columns: [ScopeColumn] = []
        var parameters: [(name: String?, type: LogicalType)] = []
        for (name, typeName) in statement.parameters {
            let type = try type(typeName)
            columns.append(
                ScopeColumn(
                    qualifier: statement.name.text, name: name?.text ?? "", type: type,
                    position: columns.count))
            parameters.append((name?.text, type))
        }
        let result = try type(statement.result)
        let isKnown = (functions[statement.name.text] ?? []).contains {
            $0.parameters.map(\.type) == parameters.map(\.type)
        }
        guard !isKnown, Kernels.FunctionTable.overloads(of: statement.name.text).isEmpty else {
            throw Failure(
                .invalid, "sql.name_taken", "the function \(statement.name.text) exists already",
                place: statement.name.place)
        }
        var context = BindingContext(
            options: options, settings: current, clause: "the body of a function")
        context.hasParameters = true
        let binder = ExpressionBinder(catalog: self, scope: Scope(columns), context: context)
        let body = try TypeRules.assignmentCast(
            try binder.bind(statement.body, expected: result), to: result,
            column: statement.name.text, place: statement.body.place
        ).inZone(of: current)
        functions[statement.name.text, default: []].append(
            InlineFunction(
                name: statement.name, parameters: parameters, result: result, body: body))
    }
}
