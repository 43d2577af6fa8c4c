// `query`: one bounded SELECT, with ORDER BY, LIMIT and OFFSET over its final rows.

import Contracts
import Kernels
import SQLSyntax
import Types

extension PlanningRun {
    func query(_ syntax: Query) throws(Failure) -> QueryPlan {
        let settings = catalog.statementSettings(at: .max)
        let environment = try builder.adding(
            syntax.commonTables, QueryBuilder.Environment(settings: settings))
        let sorted = try sorted(syntax, environment)
        let draft = OutputDraft(
            name: Name(name, place: syntax.place), root: sorted.node, schema: sorted.node.schema,
            options: OptionValues(connector: .print, given: [:], place: syntax.place),
            settings: settings, declaredKey: nil, constraints: [], hasBranches: false)
        return QueryPlan(
            plan: try collecting(draft), visibleColumns: sorted.visible, ordering: sorted.ordering,
            limit: try count(syntax.limit, "LIMIT", environment),
            offset: try count(syntax.offset, "OFFSET", environment) ?? 0)
    }

    private typealias Sorted = (
        node: LogicalNode, visible: Int, ordering: [AggregateCall.Ordering]
    )

    /// Sort keys are columns of the result, by name or position, or expressions over FROM that
    /// become hidden columns behind it.
    private func sorted(
        _ syntax: Query, _ environment: QueryBuilder.Environment
    ) throws(Failure) -> Sorted {
        let plain = try builder.body(syntax.body, environment, syntax.place)
        var hidden: [SelectItem] = []
        var ordering: [AggregateCall.Ordering] = []
        for key in syntax.orderBy {
            var column = try resultColumn(key.expression, of: plain)
            if column == nil {
                column = plain.count + hidden.count
                hidden.append(SelectItem(expression: key.expression, alias: nil))
            }
            ordering.append(
                AggregateCall.Ordering(
                    column: column ?? 0, isDescending: key.isDescending,
                    nullsFirst: key.nullsFirst ?? key.isDescending))
        }
        guard let first = hidden.first else { return (plain, plain.count, ordering) }
        guard case .select(let select) = syntax.body, case .none = select.distinct else {
            throw Failure(
                .invalid, "sql.order_by_column",
                "ORDER BY beside DISTINCT or UNION takes columns of the result",
                place: first.expression.place)
        }
        let wider = Select(
            distinct: .none, items: select.items + hidden, from: select.from,
            whereCondition: select.whereCondition, groupBy: select.groupBy,
            having: select.having, refused: select.refused)
        let node = try builder.body(.select(wider), environment, syntax.place)
        return (node, plain.count, ordering)
    }

    private func resultColumn(
        _ syntax: ExpressionSyntax, of node: LogicalNode
    ) throws(Failure) -> Int? {
        switch syntax.kind {
        case .integer(let position):
            guard position >= 1, position <= node.count else {
                throw Failure(
                    .invalid, "sql.order_by_position",
                    "ORDER BY position \(position) is not in the select list",
                    place: syntax.place)
            }
            return Int(position) - 1
        case .column(let path) where path.count == 1:
            return node.fields.firstIndex { $0.name == path[0].text }
        default: return nil
        }
    }

    private func count(
        _ syntax: ExpressionSyntax?, _ clause: String, _ environment: QueryBuilder.Environment
    ) throws(Failure) -> Int64? {
        guard let syntax else { return nil }
        let binder = ExpressionBinder(
            catalog: catalog, scope: Scope(), context: builder.context(clause, environment))
        switch try binder.bind(syntax, expected: .bigint).knownValue {
        case .int64(let count)? where count >= 0: return count
        case .null?: return nil
        default:
            throw Failure(
                .invalid, "sql.limit", "\(clause) is a constant number ≥ 0", place: syntax.place)
        }
    }

    /// A plan whose one output hands its rows to the caller.
    private func collecting(_ draft: OutputDraft) throws(Failure) -> Plan {
        let roots = rewritten([draft.root])
        let lowering = Lowering(roots: roots)
        lowering.output = name
        let top = lowering.lower(roots[0])
        if let refusal = lowering.refusal { throw refusal }
        var mode: OutputMode = .append
        switch draft.root.change {
        case .appendOnly: break
        case .updating(let key): mode = .changelog(key: key)
        case .changes: mode = .changelog(key: Array(draft.schema.fields.indices))
        }
        _ = lowering.graph.add(
            .sink(0), text: "collect", inputs: [top], schema: draft.schema,
            exchange: [.hash([])], change: draft.root.change, place: draft.name.place)
        var sources: [SourcePlan] = []
        for source in lowering.sources {
            if let table = source.table {
                sources.append(
                    try table.makeSourcePlan(
                        readColumns: source.columns, outputIndex: { _ in 0 }
                    ).failingFast())
            } else if let values = source.values {
                sources.append(.values(values.rows, schema: values.schema))
            }
        }
        let output = OutputPlan(
            name: name, connector: .collect, schema: draft.schema, mode: mode, constraints: [],
            onError: .fail, deadLetterTopic: nil, deadLetterOutput: nil,
            commitIntervalMicroseconds: catalog.settings.checkpointIntervalMicroseconds,
            outputID: 0, place: draft.name.place)
        return Plan(
            name: name, settings: catalog.settings, sources: sources,
            nodes: lowering.graph.finished(mergesProjections: options.isOptimizerOn),
            outputs: [output], notes: builder.notes)
    }
}

extension SourcePlan {
    /// The source for `query`: nothing is written beside the result, so a bad row ends it
    /// (dialect.md §6) and late rows are only counted.
    fileprivate func failingFast() -> SourcePlan {
        SourcePlan(
            name: name, connector: connector, format: format, decoded: decoded, computed: computed,
            schema: schema, constraints: constraints, primaryKey: primaryKey, eventTime: eventTime,
            watermarkDelay: watermarkDelay, idleTimeout: idleTimeout, maxAhead: maxAhead,
            onError: onError == .skip ? .skip : .fail, deadLetterTopic: nil, deadLetterOutput: nil,
            lateOutput: nil, place: place)
    }
}
