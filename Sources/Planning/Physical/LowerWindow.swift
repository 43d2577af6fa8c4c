// A window function and the aggregate over it as one operator (dialect.md §1.8, §1.9).
//
// The aggregate's input is brought into the form: expressions over conditions over a window. What
// reads only rows is computed under the window, what reads only `window_start` and `window_end`
// above the aggregate. What mixes both (`ts < window_start + …`) needs each row beside its window:
// then this way gives up, and rows are assigned to windows first and grouped by their bound.

import Contracts
import Kernels
import Types

/// The rows of a window function after filters and projections.
struct LiftedWindow {
    let input: LogicalNode
    let window: WindowFunction
    /// The columns, over the input's columns, `window_start`, `window_end`.
    let columns: [Expression]
    let conditions: [Expression]

    /// nil: there is no window under it.
    init?(_ node: LogicalNode) {
        switch node.kind {
        case .window(let input, let window):
            self.input = input
            self.window = window
            columns = node.allColumns
            conditions = []
        case .project(let under, let expressions):
            guard let lifted = LiftedWindow(under) else { return nil }
            input = lifted.input
            window = lifted.window
            columns = expressions.map { $0.substituting(lifted.columns) }
            conditions = lifted.conditions
        case .filter(let under, let conditions):
            guard let lifted = LiftedWindow(under) else { return nil }
            input = lifted.input
            window = lifted.window
            columns = lifted.columns
            self.conditions =
                lifted.conditions
                + conditions.map {
                    $0.substituting(lifted.columns)
                }
        case .scan, .values, .unionAll, .aggregate: return nil
        }
    }

    /// Whether the aggregate's keys beside the bounds are the session's: else each row belongs to a
    /// session that its group doesn't know. True of other windows, and of a session whose keys are
    /// the aggregate's for want of others.
    func isGroupedByItsKeys(_ grouping: Grouping) -> Bool {
        guard window.isSession, let partition = window.partition else { return true }
        let keys = grouping.keys.map { $0.substituting(columns) }.filter { reads($0) == .rows }
        let copied = keys.compactMap(\.copiedColumn)
        return copied.count == keys.count && Set(copied) == Set(partition)
    }

    /// What an expression over input and bounds reads.
    enum Reads { case rows, bounds, both }

    func reads(_ expression: Expression) -> Reads {
        let columns = expression.columnsRead
        if columns.allSatisfy({ $0 < input.count }) { return .rows }
        return columns.allSatisfy { $0 >= input.count } ? .bounds : .both
    }
}

extension Lowering {
    /// nil: something reads a row beside its window's bounds.
    func windowAggregate(
        _ node: LogicalNode, _ grouping: Grouping, _ lifted: LiftedWindow
    ) -> Lowered? {
        let keys = grouping.keys.map { $0.substituting(lifted.columns) }
        var calls = grouping.calls.map { $0.mapping { $0.substituting(lifted.columns) } }
        let below = lifted.conditions.filter { lifted.reads($0) == .rows }
        let above = lifted.conditions.filter { lifted.reads($0) == .bounds }
        let rowKeys = keys.filter { lifted.reads($0) == .rows }
        let arguments = rowKeys + calls.flatMap(\.expressions)
        guard below.count + above.count == lifted.conditions.count,
            keys.allSatisfy({ lifted.reads($0) != .both }),
            calls.flatMap(\.expressions).allSatisfy({ lifted.reads($0) == .rows }),
            above.isEmpty || !(arguments + below).contains(where: lifted.input.canFail)
        else { return nil }

        // Sessions are made of all rows: a condition decides only what is counted.
        let isCounted = lifted.window.isSession && !below.isEmpty
        var counter: Int?
        if isCounted {
            let condition = Expression.all(below)
            calls = calls.map { $0.filtered(by: condition) }
            calls.append(.countStar(filter: condition, place: grouping.place))
            counter = calls.firstIndex { $0.isCount(of: condition) }
            if counter != calls.count - 1 { calls.removeLast() }
        }
        let parts = WindowParts(
            lifted: lifted, keys: keys, calls: calls, conditions: isCounted ? [] : below,
            grouping: grouping)
        let late = lateTable(of: lifted.input)
        // Late columns that ride along are no part of what the operator computes.
        let identity = late.map { _ in rehearse { add(parts, late: nil, node, identity: nil) } }
        let made = add(parts, late: late, node, identity: identity)
        return finish(node, grouping, keys, lifted, made, above, counter)
    }

    /// What a windowed aggregate is made of, over the columns of the window's input.
    private struct WindowParts {
        let lifted: LiftedWindow
        let keys: [Expression]
        let calls: [LogicalCall]
        let conditions: [Expression]
        let grouping: Grouping
    }

    /// The operator over its projected arguments.
    private func add(
        _ parts: WindowParts, late: LateTable?, _ node: LogicalNode, identity: UInt64?
    ) -> Lowered {
        let (lifted, input) = (parts.lifted, parts.lifted.input)
        let carrying = late.map { input.carrying($0.carried) } ?? input
        let under = filter(parts.conditions, over: lower(carrying), input.place)
        var columns = ProjectedColumns()
        let keys = zip(parts.keys, parts.grouping.keyNames)
            .filter { lifted.reads($0.0) == .rows }.map { columns.add($0.0, name: $0.1) }
        let time = columns.add(input.column(lifted.window.timeColumn), over: input)
        let calls = parts.calls.map { columns.add($0, over: input) }
        let route = lateRoute(late) {
            columns.add(carrying.column(input.count + $0), over: carrying)
        }
        let projected = project(columns.expressions, names: columns.names, over: under, node)
        var aggregate = WindowAggregate(
            window: Window(
                kind: lifted.window.kind, timeColumn: time, lag: lifted.window.lag,
                isByClock: lifted.window.isByClock),
            keys: keys, aggregates: calls, emitsChanges: parts.grouping.emitsChanges,
            lateOutput: output)
        aggregate.lateRoute = route
        let arguments = graph.schema(projected)
        let timeType = arguments[time].type
        var fields = keys.map { arguments[$0] }
        fields.append(Field("window_start", timeType, isNullable: false))
        fields.append(Field("window_end", timeType, isNullable: false))
        fields += calls.map {
            Field($0.function.rawValue, $0.type, isNullable: !$0.function.isCount)
        }
        return add(
            aggregate, over: projected, schema: Schema(fields), change: changeMode(parts),
            place: node.place, identity: identity)
    }

    /// Early results are keyed by the GROUP BY columns, in the operator's order of columns.
    private func changeMode(_ parts: WindowParts) -> ChangeMode {
        guard parts.grouping.emitsChanges else { return .appendOnly }
        let key = operatorColumns(parts.keys, parts.lifted).prefix(parts.grouping.writtenKeys)
        let copied = key.compactMap(\.copiedColumn)
        let keyCount = parts.keys.count { parts.lifted.reads($0) == .rows }
        return .updating(
            key: copied.count == key.count ? copied : Array(0..<keyCount + 2))
    }

    /// The aggregate's keys over the operator's columns: row keys, `window_start`, `window_end`.
    private func operatorColumns(_ keys: [Expression], _ lifted: LiftedWindow) -> [Expression] {
        let keyCount = keys.count { lifted.reads($0) == .rows }
        var nextKey = 0
        return keys.map { key in
            guard lifted.reads(key) == .rows else {
                return key.remapped { keyCount + $0 - lifted.input.count }
            }
            nextKey += 1
            return .column(nextKey - 1, key.type)
        }
    }

    /// Conditions on bounds, and the logical order of columns.
    private func finish(
        _ node: LogicalNode, _ grouping: Grouping, _ keys: [Expression], _ lifted: LiftedWindow,
        _ made: Lowered, _ above: [Expression], _ counter: Int?
    ) -> Lowered {
        let keyCount = keys.count { lifted.reads($0) == .rows }
        func moved(_ expression: Expression) -> Expression {
            expression.remapped { keyCount + $0 - lifted.input.count }
        }
        var output = operatorColumns(keys, lifted)
        var conditions = above.map(moved)
        if let counter {
            let column = keyCount + 2 + counter
            conditions.insert(.isPositive(column: column, at: grouping.place), at: 0)
        }
        let filtered = filter(conditions, over: made, node.place)
        for (index, call) in grouping.calls.enumerated() {
            output.append(.column(keyCount + 2 + index, call.type))
        }
        return project(output, names: node.fields.map(\.name), over: filtered, node)
    }
}

extension LogicalCall {
    fileprivate static func countStar(filter: Expression, place: SourcePlace) -> LogicalCall {
        LogicalCall(
            function: .countStar, arguments: [], isDistinct: false, filter: filter, ordering: [],
            hasTies: true, type: .bigint, place: place)
    }

    fileprivate func isCount(of condition: Expression) -> Bool {
        function == .countStar && filter == condition
    }
}

extension Expression {
    /// `column > 0` for a count.
    fileprivate static func isPositive(column: Int, at place: SourcePlace) -> Expression {
        .comparing(.column(column, .bigint), ">", .constant(.int64(0), .bigint), at: place)
    }
}
