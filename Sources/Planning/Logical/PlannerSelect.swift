// SELECT: WHERE, GROUP BY with aggregates, HAVING, the select list, DISTINCT.

import Contracts
import Kernels
import SQLSyntax
import Types

extension QueryBuilder {
    func select(
        _ select: Select, _ environment: Environment, _ place: SourcePlace
    ) throws(Failure) -> LogicalNode {
        if let refused = select.refused.first {
            throw refuse(
                refused.construct, "dialect: not in this version", at: refused.place)
        }
        if case .on(let keys) = select.distinct {
            throw refuse(
                "DISTINCT ON", "last(x) or first(x) with GROUP BY keeps one row a key",
                at: keys.first?.place ?? place)
        }
        let source = try from(select, environment, place)
        let whereConditions = try conditions(select.whereCondition, source, environment)
        let filtered = LogicalNode.filter(
            source.node, whereConditions, place: select.whereCondition?.place)
        let isAggregate =
            !select.groupBy.isEmpty || select.having != nil
            || select.items.contains { ExpressionBinder.containsAggregate($0.expression) }
        let output =
            try isAggregate
            ? aggregate(
                select, Relation(filtered, scope: source.scope),
                alsoRead: whereConditions.reduce(into: []) { $0.formUnion($1.columnsRead) },
                environment, place)
            : project(select, Relation(filtered, scope: source.scope), environment, place)
        guard case .all = select.distinct else { return output }
        try requireWindowKey(
            Array(output.allColumns), over: output, construct: "DISTINCT", place: place)
        let keyed = try keyingSession(
            output, by: output.allColumns, construct: "DISTINCT", place: place)
        return distinct(keyed.node, place: place)
    }

    private func from(
        _ select: Select, _ environment: Environment, _ place: SourcePlace
    ) throws(Failure) -> Relation {
        guard let item = select.from.first else {
            return Relation(.values([[]], fields: [], place: place), scope: Scope())
        }
        if select.from.count > 1 {
            throw refuse(
                "a join by comma", "one relation stands in FROM for now",
                at: select.from[1].place ?? place)
        }
        return try relation(item, environment)
    }

    private func conditions(
        _ syntax: ExpressionSyntax?, _ source: Relation, _ environment: Environment
    ) throws(Failure) -> [Expression] {
        guard let syntax else { return [] }
        let binder = ExpressionBinder(
            catalog: catalog, scope: source.scope, context: context("WHERE", environment))
        return try binder.bindCondition(syntax).conjuncts
    }

    private func project(
        _ select: Select, _ source: Relation, _ environment: Environment, _ place: SourcePlace
    ) throws(Failure) -> LogicalNode {
        let binder = ExpressionBinder(
            catalog: catalog, scope: source.scope, context: context("SELECT", environment))
        let items = try binder.bindSelectList(select.items)
        return .project(
            source.node, items.map(\.expression), names: items.map(\.name), place: place)
    }

    private func aggregate(
        _ select: Select, _ source: Relation, alsoRead: Set<Int>, _ environment: Environment,
        _ place: SourcePlace
    ) throws(Failure) -> LogicalNode {
        var keys = try groupKeys(select, source, environment)
        let groupPlace = select.groupBy.first?.place ?? place
        try requireWindowKey(
            keys.map(\.expression), over: source.node, construct: "GROUP BY", place: groupPlace)
        let writtenKeys = keys.count
        let keyed = try keyingSession(
            source.node, by: keys.map(\.expression), construct: "GROUP BY", place: groupPlace)
        let source = Relation(keyed.node, scope: source.scope)
        if keyed.hasAllKeys { keys += siblingBounds(of: keys.map(\.expression), source.node) }

        let calls = CallCollector(
            builder: self, source: source, environment: environment, keyCount: keys.count)
        let hooks = ExpressionBinder.AggregateHooks(
            groupKey: { expression in
                keys.firstIndex { $0.expression == expression }
                    .map { .column($0, expression.type) }
            },
            aggregate: { (call: FunctionCall, place: SourcePlace) throws(Failure) -> Expression in
                try calls.add(call, place)
            })
        func binder(_ clause: String) -> ExpressionBinder {
            ExpressionBinder(
                catalog: catalog, scope: source.scope, context: context(clause, environment),
                hooks: hooks)
        }
        let items = try binder("SELECT").bindSelectList(select.items)
        var having: [Expression] = []
        if let condition = select.having {
            having = try binder("HAVING").bindCondition(condition).conjuncts
        }
        let grouping = Grouping(
            keys: keys.map(\.expression), keyNames: keys.map(\.name),
            writtenKeys: writtenKeys, calls: calls.calls, alsoRead: alsoRead, emitsChanges: false,
            place: groupPlace)
        let aggregate = LogicalNode.aggregate(source.node, grouping)
        let filtered = LogicalNode.filter(aggregate, having, place: select.having?.place)
        return .project(
            filtered, items.map(\.expression), names: items.map(\.name), place: place)
    }
}

// MARK: GROUP BY

extension QueryBuilder {
    struct GroupKey {
        let expression: Expression
        let name: String
        let place: SourcePlace
    }

    /// Names (the input's before the select list's), positions, expressions.
    private func groupKeys(
        _ select: Select, _ source: Relation, _ environment: Environment
    ) throws(Failure) -> [GroupKey] {
        let binder = ExpressionBinder(
            catalog: catalog, scope: source.scope, context: context("GROUP BY", environment))
        var keys: [GroupKey] = []
        for syntax in select.groupBy {
            let meant = try groupSyntax(syntax, select, source)
            let expression = try binder.bindValue(meant)
            guard !keys.contains(where: { $0.expression == expression }) else { continue }
            let name = expression.copiedColumn.map { source.node.fields[$0].name } ?? "key"
            keys.append(GroupKey(expression: expression, name: name, place: syntax.place))
        }
        return keys
    }

    private func groupSyntax(
        _ syntax: ExpressionSyntax, _ select: Select, _ source: Relation
    ) throws(Failure) -> ExpressionSyntax {
        switch syntax.kind {
        case .integer(let position):
            guard position >= 1, position <= select.items.count else {
                throw Failure(
                    .invalid, "sql.group_position",
                    "GROUP BY position \(position) is not in the select list", place: syntax.place)
            }
            let item = select.items[Int(position) - 1].expression
            if case .star = item.kind {
                throw Failure(
                    .invalid, "sql.group_position",
                    "GROUP BY position \(position) is a *", hint: "name the column",
                    place: syntax.place)
            }
            return item
        case .column(let path) where path.count == 1:
            if source.scope.columns.contains(where: { $0.name == path[0].text }) { return syntax }
            let named = select.items.first { $0.alias?.text == path[0].text }
            return named?.expression ?? syntax
        default: return syntax
        }
    }

    /// Rows of a window function are grouped by their window, or not at all (dialect.md §1.9).
    func requireWindowKey(
        _ keys: [Expression], over input: LogicalNode, construct: String, place: SourcePlace
    ) throws(Failure) {
        let bounds = keys.compactMap { $0.copiedColumn.flatMap { input.times[$0]?.bound } }
        let times = keys.compactMap { $0.copiedColumn.flatMap { input.times[$0] } }
        let isOpen = input.times.contains { $0?.bound?.isOpen == true }
        guard isOpen || !bounds.isEmpty else { return }
        if bounds.isEmpty {
            throw Failure(
                .invalid, "sql.window_not_grouped",
                "\(construct) over a window function needs window_start or window_end",
                hint: construct == "DISTINCT"
                    ? "select window_end too" : "add window_start, window_end to GROUP BY",
                place: place)
        }
        if !bounds.contains(where: \.isOpen), times.allSatisfy({ $0.lag == nil || $0.bound == nil })
        {
            throw Failure(
                .invalid, "sql.window_without_time",
                "\(construct) by this window's bound can't tell when a group is complete",
                hint: "group by the window_end of the last window function", place: place)
        }
        let ends = bounds.contains { $0.isOpen && $0.isEnd }
        if let window = input.openWindow, case .cumulate = window.kind, !ends {
            throw Failure(
                .invalid, "sql.cumulate_end",
                "\(construct) over cumulate needs window_end: its windows share their start",
                hint: "add window_end", place: place)
        }
    }

    /// The other bound of the windows that are grouped by: it can be selected either way.
    private func siblingBounds(of keys: [Expression], _ input: LogicalNode) -> [GroupKey] {
        let columns = keys.compactMap(\.copiedColumn)
        let windows = Set(
            columns.compactMap { column in
                input.times[column]?.bound.flatMap { $0.isOpen ? $0.window : nil }
            })
        return input.fields.indices.compactMap { column in
            guard let bound = input.times[column]?.bound, bound.isOpen,
                windows.contains(bound.window), !columns.contains(column)
            else { return nil }
            return GroupKey(
                expression: input.column(column), name: input.fields[column].name,
                place: input.place ?? SourcePlace(file: "", offset: 0))
        }
    }
}

// MARK: Aggregate calls

/// The aggregates of one SELECT, each once.
private final class CallCollector {
    let builder: QueryBuilder
    let source: Relation
    let environment: QueryBuilder.Environment
    let keyCount: Int
    private(set) var calls: [LogicalCall] = []

    init(
        builder: QueryBuilder, source: Relation, environment: QueryBuilder.Environment,
        keyCount: Int
    ) {
        self.builder = builder
        self.source = source
        self.environment = environment
        self.keyCount = keyCount
    }

    func add(_ call: FunctionCall, _ place: SourcePlace) throws(Failure) -> Expression {
        let bound = try bind(call, place)
        let position = calls.firstIndex(of: bound) ?? calls.count
        if position == calls.count { calls.append(bound) }
        return .column(keyCount + position, bound.type)
    }

    private func bind(_ call: FunctionCall, _ place: SourcePlace) throws(Failure) -> LogicalCall {
        if let over = call.over {
            throw refuse(
                "OVER", "a window function in FROM with GROUP BY aggregates by time", at: over)
        }
        guard let function = ExpressionBinder.aggregate(named: call) else {
            bug("\(call.name.text) is no aggregate")
        }
        let binder = ExpressionBinder(
            catalog: builder.catalog, scope: source.scope,
            context: builder.context("an aggregate's arguments", environment))
        var arguments: [Expression] = []
        for argument in call.arguments { arguments.append(try binder.bindValue(argument.value)) }
        let types = try TypeRules.aggregateType(
            function, arguments: arguments.map(\.type), place: place)
        for (index, type) in types.arguments.enumerated() where arguments[index].type != type {
            arguments[index] = try TypeRules.implicitCast(
                arguments[index], to: type, place: place)
        }
        var filter: Expression?
        if let condition = call.filter { filter = try binder.bindCondition(condition) }
        var ordering: [LogicalCall.SortColumn] = []
        for key in call.orderBy {
            ordering.append(
                LogicalCall.SortColumn(
                    expression: try binder.bindValue(key.expression),
                    isDescending: key.isDescending,
                    nullsFirst: key.nullsFirst ?? key.isDescending))
        }
        // The order of rows changes only what these keep.
        let isOrdered: Bool =
            switch function {
            case .first, .last, .arrayAggregate, .stringAggregate: true
            default: false
            }
        let bound = LogicalCall(
            function: function, arguments: arguments,
            isDistinct: call.isDistinct && !function.ignoresDuplicates, filter: filter,
            ordering: isOrdered ? ordering : [], hasTies: false, type: types.result, place: place)
        return filter.map(bound.guarded) ?? bound
    }
}

extension AggregateFunction {
    /// DISTINCT changes nothing.
    fileprivate var ignoresDuplicates: Bool {
        switch self {
        case .min, .max, .boolAnd, .boolOr, .approximateCountDistinct: true
        default: false
        }
    }
}

extension FromItem {
    fileprivate var place: SourcePlace? {
        switch self {
        case .table(let name, _): name.place
        case .subquery(_, _, _, let place): place
        case .function(let call, _): call.name.place
        case .join(let join): join.place
        }
    }
}
