// Logical trees to operators: scans, projections, filters, unions, aggregates without windows.

import Contracts
import Kernels
import SQLSyntax
import Types

/// Lowers the outputs of one plan into one graph.
final class Lowering {
    var graph = PlanGraph()
    /// The tables that are read, in the order of `Plan.sources`, with the columns of each scan.
    private(set) var sources: [(table: DeclaredTable?, columns: [Int], values: Values?)] = []
    private var sourceIndex: [String: Int] = [:]
    private let used: [String: Set<Int>]
    /// The output being lowered: whose late rows an operator's are.
    var output = ""
    /// The tables that take late rows, by name.
    let lateTables: [String: LateTable]
    /// The first construct that turned out to have no operator.
    private(set) var refusal: Failure?

    /// Rows that stand in the text.
    struct Values {
        let rows: [[Scalar]]
        let schema: Schema
    }

    /// `roots`: every tree of the plan, pruned.
    init(roots: [LogicalNode], lateTables: [String: LateTable] = [:]) {
        var used: [String: Set<Int>] = [:]
        self.lateTables = lateTables
        func visit(_ node: LogicalNode) {
            if case .project(let input, let expressions) = node.kind,
                case .scan(let table) = input.kind
            {
                used[table.name.text, default: []].formUnion(
                    expressions.flatMap { Array($0.columnsRead) })
                return
            }
            node.inputs.forEach(visit)
        }
        roots.forEach(visit)
        for root in roots {
            root.visitLateColumns { table in
                let carried = table.lateTable.flatMap { lateTables[$0]?.carried } ?? []
                let names = Set(carried.map(\.name))
                let own = table.columns.indices.filter {
                    names.contains(table.columns[$0].name.text)
                }
                used[table.name.text, default: []].formUnion(own)
            }
        }
        self.used = used
    }

    /// The first refusal stands.
    func note(_ failure: Failure) { refusal = refusal ?? failure }

    func lower(_ node: LogicalNode) -> Lowered {
        switch node.kind {
        case .scan: bug("a scan without its projection")
        case .values(let rows): return values(rows, node)
        case .project(let input, let expressions):
            if case .scan(let table) = input.kind { return scan(table, expressions, node) }
            return project(expressions, names: node.fields.map(\.name), over: lower(input), node)
        case .filter(let input, let conditions):
            return filter(conditions, over: lower(input), node.place)
        case .unionAll(let inputs):
            let lowered = inputs.map(lower)
            return graph.add(
                .unionAll, text: "union all", inputs: lowered, schema: node.schema,
                change: node.change, place: node.place)
        case .window(let input, let window): return assignWindows(window, over: input, node)
        case .aggregate(let input, let grouping): return aggregate(node, input, grouping)
        }
    }

    // MARK: Sources

    private func values(_ rows: [[Scalar]], _ node: LogicalNode) -> Lowered {
        let text = "values \(rows) \(node.schema.types)"
        let index = sourceIndex[text] ?? sources.count
        if index == sources.count {
            sourceIndex[text] = index
            sources.append((nil, [], Values(rows: rows, schema: node.schema)))
        }
        return graph.add(
            .source(index), text: text, inputs: [], schema: node.schema, change: .appendOnly,
            place: node.place)
    }

    /// The scan of a table stands once in the plan with what all outputs read; each reader takes
    /// its columns from it. The hash has the columns' names, so that it doesn't change with other
    /// readers.
    private func scan(
        _ table: DeclaredTable, _ expressions: [Expression], _ node: LogicalNode
    ) -> Lowered {
        let name = table.name.text
        let columns = table.readColumns(using: used[name] ?? [])
        let index = sourceIndex[name] ?? sources.count
        if index == sources.count {
            sourceIndex[name] = index
            sources.append((table, columns, nil))
        }
        let schema = Schema(
            columns.map { position in
                let column = table.columns[position]
                return Field(column.name.text, column.type, isNullable: !column.isNotNull)
            })
        let text = "scan \(name)"
        var top = graph.add(
            .source(index), text: text, inputs: [], schema: table.scanSchema(columns),
            change: .appendOnly, place: node.place)
        let keys = table.primaryKey.map { columns.firstIndex(of: $0).required("a key is read") }
        if !keys.isEmpty {
            top = graph.add(
                .upsertSource(
                    UpsertSource(keys: keys, completion: table.completion(readColumns: columns))),
                text: "last row of a key", inputs: [top], schema: schema,
                exchange: [.hash(keys)], change: .updating(key: keys), place: node.place)
        }
        let moved = expressions.map { expression in
            expression.remapped { columns.firstIndex(of: $0).required("a used column is read") }
        }
        let read = expressions.reduce(into: Set<Int>()) { $0.formUnion($1.columnsRead) }
        let names = Dictionary(
            read.map { (table.columns[$0].name.text, $0) }, uniquingKeysWith: { first, _ in first })
        let sorted = names.keys.sorted()
        let stable = expressions.map { expression in
            expression.remapped { position in
                sorted.firstIndex(of: table.columns[position].name.text).required("named")
            }.description
        }
        let types = expressions.map { "::\($0.type)" }
        let signature = zip(stable, types).map(+).joined(separator: ", ")
        let meant = "project \(signature) of \(sorted.joined(separator: ","))"
        let made = project(moved, names: node.fields.map(\.name), over: top, node, text: meant)
        // Also where the scan delivers no other column: whether it does depends on other readers.
        return Lowered(index: made.index, hash: PlanGraph.hash(of: meant, over: [top]))
    }

    // MARK: Stateless

    func project(
        _ expressions: [Expression], names: [String], over input: Lowered, _ node: LogicalNode
    ) -> Lowered {
        let text = expressions.map { "\($0)::\($0.type)" }.joined(separator: ", ")
        return project(expressions, names: names, over: input, node, text: "project \(text)")
    }

    private func project(
        _ expressions: [Expression], names: [String], over input: Lowered, _ node: LogicalNode,
        text: String
    ) -> Lowered {
        let under = graph.schema(input)
        let isIdentity =
            expressions.count == under.count
            && expressions.enumerated().allSatisfy { $1.copiedColumn == $0 }
        if isIdentity { return input }
        let fields = zip(expressions, names).map { expression, name in
            Field(
                name, expression.type,
                isNullable: expression.isNullable { under[$0].isNullable })
        }
        return graph.add(
            .project(expressions), text: text, inputs: [input],
            schema: Schema(fields), change: moved(graph.change(input), expressions),
            place: node.place)
    }

    /// Where the key of an updating input is in a projection.
    private func moved(_ change: ChangeMode, _ expressions: [Expression]) -> ChangeMode {
        guard case .updating(let key) = change else { return change }
        let found = key.compactMap { column in
            expressions.firstIndex { $0.copiedColumn == column }
        }
        return found.count == key.count ? .updating(key: found) : .changes
    }

    func filter(
        _ conditions: [Expression], over input: Lowered, _ place: SourcePlace?
    ) -> Lowered {
        if conditions.isEmpty { return input }
        let condition = Expression.all(conditions)
        return graph.add(
            .filter(condition), text: "filter \(condition)", inputs: [input],
            schema: graph.schema(input), change: graph.change(input), place: place)
    }

    func assignWindows(
        _ function: WindowFunction, over input: LogicalNode, _ node: LogicalNode
    ) -> Lowered {
        if function.isSession, function.partition == nil {
            note(
                Failure(
                    .invalid, "sql.session_keys",
                    "a session whose rows are told its bounds needs keys that are columns",
                    hint: "name them: partition_by => (a, b)", place: function.place))
        }
        let window = Window(
            kind: function.kind, timeColumn: function.timeColumn, lag: function.lag,
            isByClock: function.isByClock)
        let keys = function.partition
        guard let late = lateTable(of: input) else {
            return assign(window, keys, over: lower(input), node)
        }
        let identity = rehearse { assign(window, keys, over: lower(input), node) }
        var routed = window
        routed.lateRoute = lateRoute(late) { input.count + $0 }
        routed.lateOutput = output
        let made = assign(
            routed, keys, over: lower(input.carrying(late.carried)), node, identity: identity)
        let schema = graph.schema(made)
        let order = Array(0..<input.count) + [schema.fields.count - 2, schema.fields.count - 1]
        let own = project(
            order.map { .column($0, schema[$0].type) }, names: node.fields.map(\.name), over: made,
            node)
        return Lowered(index: own.index, hash: made.hash)
    }

    private func assign(
        _ window: Window, _ keys: [Int]?, over under: Lowered, _ node: LogicalNode,
        identity: UInt64? = nil
    ) -> Lowered {
        let schema = Schema(graph.schema(under).fields + node.fields.suffix(2))
        if case .session = window.kind {
            let keys = keys ?? []
            return graph.add(
                .sessionRows(SessionRows(window: window, keys: keys)),
                text: "session rows \(window.text) \(keys)", inputs: [under], schema: schema,
                exchange: [.hash(keys)], change: .appendOnly, place: node.place,
                identity: identity)
        }
        return graph.add(
            .assignWindows(window), text: "windows \(window.text)", inputs: [under],
            schema: schema, change: .appendOnly, place: node.place, identity: identity)
    }

    /// The hash of the operator that `make` would add, which is taken back.
    func rehearse(_ make: () -> Lowered) -> UInt64 {
        let before = graph
        defer { graph = before }
        return make().hash
    }

    // MARK: Aggregates

    private func aggregate(
        _ node: LogicalNode, _ input: LogicalNode, _ grouping: Grouping
    ) -> Lowered {
        if let window = grouping.windowKey(over: input) {
            if window.bound.isOpen, let lifted = LiftedWindow(input),
                lifted.isGroupedByItsKeys(grouping),
                let made = windowAggregate(node, grouping, lifted)
            {
                return made
            }
            return existingWindow(node, input, grouping, key: window.key, time: window.time)
        }
        let under = lower(input)
        var columns = ProjectedColumns()
        let keys = grouping.keys.enumerated().map {
            columns.add($1, name: grouping.keyNames[$0])
        }
        let isDistinct = grouping.calls.isEmpty && !input.change.isUpdating && !keys.isEmpty
        if isDistinct {
            let values = project(grouping.keys, names: grouping.keyNames, over: under, node)
            return graph.add(
                .distinct, text: "distinct", inputs: [values], schema: node.schema,
                exchange: [.hash(Array(node.fields.indices))], change: .appendOnly,
                place: node.place)
        }
        let calls = grouping.calls.map { columns.add($0, over: input) }
        let arguments = project(columns.expressions, names: columns.names, over: under, node)
        let aggregate = Aggregate(
            keys: keys, aggregates: calls, inputIsUpdating: input.change.isUpdating)
        return graph.add(
            .aggregate(aggregate), text: "aggregate \(keys) \(calls.map(\.text))",
            inputs: [arguments], schema: node.schema, exchange: [.hash(keys)],
            change: node.change, place: node.place)
    }

    /// Groups rows of windows that are there already, by a column that carries a bound.
    private func existingWindow(
        _ node: LogicalNode, _ input: LogicalNode, _ grouping: Grouping, key: Int,
        time: TimeProperty
    ) -> Lowered {
        let under = lower(input)
        var columns = ProjectedColumns()
        let keys = grouping.keys.enumerated().map {
            columns.add($1, name: grouping.keyNames[$0])
        }
        let calls = grouping.calls.map { columns.add($0, over: input) }
        let arguments = project(columns.expressions, names: columns.names, over: under, node)
        // A session's rows can still come while M stands at its end.
        let isSession = time.bound?.isSession ?? false
        let window = Window(
            kind: .existing, timeColumn: keys[key], lag: (time.lag ?? 0) + (isSession ? 1 : 0),
            isByClock: time.isByClock)
        return add(
            WindowAggregate(
                window: window, keys: keys, aggregates: calls,
                emitsChanges: grouping.emitsChanges, lateOutput: output),
            over: arguments, schema: node.schema, change: node.change, place: node.place)
    }

    func add(
        _ aggregate: WindowAggregate, over input: Lowered, schema: Schema, change: ChangeMode,
        place: SourcePlace?, identity: UInt64? = nil
    ) -> Lowered {
        let calls = aggregate.aggregates.map(\.text)
        let emit = aggregate.emitsChanges ? " on change" : ""
        return graph.add(
            .windowAggregate(aggregate),
            text: "window \(aggregate.window.text) \(aggregate.keys) \(calls)\(emit)",
            inputs: [input], schema: schema, exchange: [.hash(aggregate.keys)], change: change,
            place: place, identity: identity)
    }
}
