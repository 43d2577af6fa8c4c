// From statements to a plan: pure; the same text gives the same plan.

public import Contracts
import Kernels
public import SQLSyntax
public import Types

/// The planner.
public enum Planner {
    /// Plans all outputs of a topology. Throws a Failure of kind `invalid` with the place of what
    /// is wrong.
    public static func plan(
        _ statements: [Statement], name: String, options: PlanningOptions = PlanningOptions()
    ) throws(Failure) -> Plan {
        let run = try PlanningRun(statements, name: name, options: options)
        if let statement = statements.first(where: \.isSelect) {
            throw Failure(
                .invalid, "sql.select_in_topology", "a bare SELECT has no output",
                hint: "CREATE MATERIALIZED VIEW … USING … AS SELECT, or millrace query",
                place: statement.place)
        }
        let drafts = try run.drafts()
        guard !drafts.isEmpty else {
            throw Failure(
                .invalid, "sql.no_output", "the topology has no output",
                hint: "CREATE MATERIALIZED VIEW … USING … AS SELECT, or INSERT INTO … SELECT",
                place: statements.first?.place)
        }
        return try run.finish(drafts)
    }

    /// Plans one bounded query, a `SELECT` or `VALUES`, over the tables and views of a topology
    /// (which may be empty; its outputs are not run).
    public static func planQuery(
        _ query: Statement, over topology: [Statement] = [], name: String = "query",
        options: PlanningOptions = PlanningOptions()
    ) throws(Failure) -> QueryPlan {
        guard case .select(let syntax) = query.kind else {
            throw Failure(
                .invalid, "sql.not_a_query", "query takes a SELECT or VALUES", place: query.place)
        }
        let run = try PlanningRun(
            topology.filter { !$0.isInsert && !$0.isSelect }, name: name, options: options)
        return try run.query(syntax)
    }
}

/// A bounded query: the plan, whose one output is `collect`, and what is done with its rows.
public struct QueryPlan: Sendable {
    public let plan: Plan
    /// The first columns of the output are shown; sort keys may stand behind them.
    public let visibleColumns: Int
    public let ordering: [AggregateCall.Ordering]
    /// nil: all.
    public let limit: Int64?
    public let offset: Int64

    /// What is shown.
    public var schema: Schema {
        Schema(Array(plan.outputs[0].schema.fields.prefix(visibleColumns)))
    }
}

extension Statement {
    fileprivate var isInsert: Bool {
        if case .insert = kind { return true }
        return false
    }

    fileprivate var isSelect: Bool {
        if case .select = kind { return true }
        return false
    }
}

/// One planning of one file.
final class PlanningRun {
    let name: String
    let statements: [Statement]
    let catalog: Catalog
    let options: PlanningOptions
    let builder: QueryBuilder

    init(_ statements: [Statement], name: String, options: PlanningOptions) throws(Failure) {
        self.name = name
        self.statements = statements
        self.options = options
        catalog = try Catalog(statements, options: options)
        let written = statements.compactMap { statement -> String? in
            if case .insert(let insert) = statement.kind { return insert.table.text }
            return nil
        }
        builder = QueryBuilder(catalog: catalog, options: options, written: Set(written))
    }

    /// The outputs in the order in which the file first names them.
    func drafts() throws(Failure) -> [OutputDraft] {
        var drafts: [OutputDraft] = []
        var inserts: [String: [(insert: Insert, settings: StatementSettings)]] = [:]
        var order: [(name: Name, view: CreateMaterializedView?)] = []
        var settings: [String: StatementSettings] = [:]
        for statement in statements {
            let held = catalog.statementSettings(at: statement.range.lowerBound)
            switch statement.kind {
            case .createMaterializedView(let view):
                order.append((view.name, view))
                settings[view.name.text] = held
            case .createView(let view):
                // Also a view that nobody reads must be right.
                _ = try builder.view(view.name, view.query, view.columnNames, held)
            case .insert(let insert):
                if inserts[insert.table.text] == nil { order.append((insert.table, nil)) }
                inserts[insert.table.text, default: []].append((insert, held))
            case .set, .createTable, .createType, .createFunction, .select, .checkpoint: break
            }
        }
        for (name, view) in order {
            if let view {
                drafts.append(
                    try builder.materializedView(
                        view, settings[name.text] ?? StatementSettings()))
                continue
            }
            drafts.append(
                try builder.inserts(inserts[name.text] ?? [], into: try target(name)))
        }
        try refuseSharedLocations(drafts)
        return drafts
    }

    private func target(_ name: Name) throws(Failure) -> DeclaredTable {
        if case .table(let table) = try catalog.relation(name) { return table }
        throw Failure(
            .invalid, "sql.insert_target", "\"\(name.text)\" is a view: rows go into a table",
            hint: "CREATE TABLE … USING … WITH (…)", place: name.place)
    }

    private func refuseSharedLocations(_ drafts: [OutputDraft]) throws(Failure) {
        var seen: [String: String] = [:]
        for draft in drafts {
            guard let location = draft.location else { continue }
            if let other = seen[location] {
                throw Failure(
                    .invalid, "sql.location_twice",
                    "\"\(draft.name.text)\" writes where \"\(other)\" writes",
                    hint: "one output a location: several INSERTs into one table are UNION ALL",
                    place: draft.name.place)
            }
            seen[location] = draft.name.text
        }
    }

    /// The rewrites of dialect.md §3.5 over all outputs together, so that what they share stays
    /// one.
    func rewritten(_ roots: [LogicalNode]) -> [LogicalNode] {
        let placement = FilterPlacement()
        let placed = roots.map(placement.place)
        let pruning = Pruning()
        pruning.gather(placed)
        let pruned = placed.map(pruning.prune(output:))
        guard options.isOptimizerOn else { return pruned }
        let merging = ProjectionMerging()
        return pruned.map(merging.merge)
    }
}
