// The relational meaning of a query, before it is decided how it runs.
//
// A tree of immutable nodes; a view that is read twice is one node with two readers. What
// dialect.md §1 and §2 say of a column or stream (time, lag, window bound, key) is computed when a
// node is made, so that rewrites, which make nodes anew, cannot lose it.

import Contracts
import Kernels
import SQLSyntax
import Types

/// What dialect.md §1.6 knows of a column.
struct TimeProperty: Hashable, Sendable {
    /// Every row still to come has time ≥ M − lag, µs; nil: the column is no time column (any
    /// more).
    let lag: Int64?
    /// The window whose bound the column is; nil: event time, or the clock's.
    let bound: Bound?
    /// `_extracted_at`, or a bound of windows over it: M is the clock's (dialect.md §1.11).
    var isByClock = false

    struct Bound: Hashable, Sendable {
        /// Columns of the same window carry the same name.
        let window: String
        let isEnd: Bool
        /// Straight from a window function: grouping by it makes the window's aggregate.
        let isOpen: Bool
        /// The window is a session: it is complete once M is past its end, not at its end.
        let isSession: Bool
    }
}

final class LogicalNode: Sendable {
    let kind: Kind
    let fields: [Field]
    /// One a column; all nil for an updating stream.
    let times: [TimeProperty?]
    let change: ChangeMode
    let place: SourcePlace?

    enum Kind: Sendable {
        /// All columns of the table, metadata too.
        case scan(DeclaredTable)
        /// Rows in the text itself: VALUES, or one row without columns for a SELECT without FROM.
        case values([[Scalar]])
        case project(LogicalNode, [Expression])
        /// Conditions from left to right: a row that one of them excludes doesn't see those behind.
        case filter(LogicalNode, [Expression])
        case unionAll([LogicalNode])
        /// The input's columns, `window_start`, `window_end`.
        case window(LogicalNode, WindowFunction)
        /// Keys, then calls. Without calls: DISTINCT.
        case aggregate(LogicalNode, Grouping)
    }

    private init(
        _ kind: Kind, fields: [Field], times: [TimeProperty?], change: ChangeMode,
        place: SourcePlace?
    ) {
        require(fields.count == times.count, "times are one a column")
        self.kind = kind
        self.fields = fields
        self.times = change.isUpdating ? fields.map { _ in nil } : times
        self.change = change
        self.place = place
    }

    var schema: Schema { Schema(fields) }
    var count: Int { fields.count }

    func column(_ index: Int) -> Expression { .column(index, fields[index].type) }
    var allColumns: [Expression] { fields.indices.map(column) }
}

/// A window function in FROM.
struct WindowFunction: Sendable {
    let name: String
    let kind: Window.Kind
    /// Columns of the input.
    let timeColumn: Int
    let lag: Int64
    /// Over `_extracted_at`.
    let isByClock: Bool
    /// `partition_by` of a session.
    let partition: [Int]?
    /// Tells this window's bounds from another's.
    let window: String
    let place: SourcePlace

    /// How far `window_end` can lie behind `window_start`, µs; nil for a session.
    var size: Int64? {
        switch kind {
        case .tumble(let size, _), .hop(_, let size, _), .cumulate(_, let size, _): size
        case .session, .existing: nil
        }
    }

    var isSession: Bool {
        if case .session = kind { return true }
        return false
    }

    func keyed(by partition: [Int]) -> WindowFunction {
        reading(timeColumn: timeColumn, partition: partition)
    }

    func reading(timeColumn: Int, partition: [Int]?) -> WindowFunction {
        WindowFunction(
            name: name, kind: kind, timeColumn: timeColumn, lag: lag, isByClock: isByClock,
            partition: partition, window: window, place: place)
    }
}

/// GROUP BY with its aggregates, or DISTINCT.
struct Grouping: Sendable {
    let keys: [Expression]
    /// Names for `explain` and late rows.
    let keyNames: [String]
    /// The first keys, as written in GROUP BY; behind them stand window bounds that follow from
    /// them.
    let writtenKeys: Int
    let calls: [LogicalCall]
    /// Columns of the input that WHERE reads: they break ties too (dialect.md §2.7).
    let alsoRead: Set<Int>
    let emitsChanges: Bool
    let place: SourcePlace
    /// The same for early results as for those of closed windows: they share what is computed.
    var identity = Identity()

    final class Identity: Sendable {}

    func replacing(
        keys: [Expression]? = nil, calls: [LogicalCall]? = nil, alsoRead: Set<Int>? = nil,
        emitsChanges: Bool? = nil
    ) -> Grouping {
        Grouping(
            keys: keys ?? self.keys, keyNames: keyNames, writtenKeys: writtenKeys,
            calls: calls ?? self.calls, alsoRead: alsoRead ?? self.alsoRead,
            emitsChanges: emitsChanges ?? self.emitsChanges, place: place, identity: identity)
    }

    /// Every expression over the input.
    var expressions: [Expression] { keys + calls.flatMap(\.expressions) }
}

/// An aggregate call over expressions of the input.
struct LogicalCall: Sendable, Hashable {
    let function: AggregateFunction
    let arguments: [Expression]
    let isDistinct: Bool
    let filter: Expression?
    let ordering: [SortColumn]
    /// Whether ties of the ordering have been broken already.
    let hasTies: Bool
    let type: LogicalType
    let place: SourcePlace

    struct SortColumn: Sendable, Hashable {
        let expression: Expression
        let isDescending: Bool
        let nullsFirst: Bool
    }

    var expressions: [Expression] {
        arguments + (filter.map { [$0] } ?? []) + ordering.map(\.expression)
    }

    /// Whether the result depends on the order of rows.
    var isOrdered: Bool {
        switch function {
        case .first, .last, .arrayAggregate, .stringAggregate: true
        default: false
        }
    }

    func mapping(_ change: (Expression) -> Expression) -> LogicalCall {
        LogicalCall(
            function: function, arguments: arguments.map(change), isDistinct: isDistinct,
            filter: filter.map(change),
            ordering: ordering.map {
                SortColumn(
                    expression: change($0.expression), isDescending: $0.isDescending,
                    nullsFirst: $0.nullsFirst)
            }, hasTies: hasTies, type: type, place: place)
    }

    func filtered(by condition: Expression) -> LogicalCall {
        let guarded = guarded(by: condition)
        return LogicalCall(
            function: function, arguments: guarded.arguments, isDistinct: isDistinct,
            filter: filter.map { .and([condition, $0]) } ?? condition, ordering: guarded.ordering,
            hasTies: hasTies, type: type, place: place)
    }

    /// FILTER goes before what it keeps from counting (dialect.md §3.5): a row that it excludes
    /// doesn't fail in an argument.
    func guarded(by condition: Expression) -> LogicalCall {
        func guarded(_ expression: Expression) -> Expression {
            guard expression.canFail else { return expression }
            return .cases(
                Expression.Cases(
                    branches: [Expression.Branch(condition, expression)],
                    otherwise: .constant(.null, expression.type), type: expression.type))
        }
        return LogicalCall(
            function: function, arguments: arguments.map(guarded), isDistinct: isDistinct,
            filter: filter,
            ordering: ordering.map {
                SortColumn(
                    expression: guarded($0.expression), isDescending: $0.isDescending,
                    nullsFirst: $0.nullsFirst)
            }, hasTies: hasTies, type: type, place: place)
    }

    func withTies(_ ties: [SortColumn]) -> LogicalCall {
        LogicalCall(
            function: function, arguments: arguments, isDistinct: isDistinct, filter: filter,
            ordering: ordering + ties, hasTies: true, type: type, place: place)
    }
}

extension LogicalNode {
    static func scan(_ table: DeclaredTable) -> LogicalNode {
        let fields = table.columns.map {
            Field($0.name.text, $0.type, isNullable: !$0.isNotNull)
        }
        let change: ChangeMode =
            table.primaryKey.isEmpty ? .appendOnly : .updating(key: table.primaryKey)
        let times = fields.indices.map { position -> TimeProperty? in
            if position == table.eventTime { return TimeProperty(lag: 0, bound: nil) }
            let isClock = table.columns[position].metadata == .extractedAt
            return isClock ? TimeProperty(lag: 0, bound: nil, isByClock: true) : nil
        }
        return LogicalNode(
            .scan(table), fields: fields, times: times, change: change, place: table.name.place)
    }

    static func values(_ rows: [[Scalar]], fields: [Field], place: SourcePlace?) -> LogicalNode {
        LogicalNode(
            .values(rows), fields: fields, times: fields.map { _ in nil }, change: .appendOnly,
            place: place)
    }

    static func project(
        _ input: LogicalNode, _ expressions: [Expression], names: [String], place: SourcePlace?
    ) -> LogicalNode {
        let fields = zip(expressions, names).map { expression, name in
            Field(name, expression.type, isNullable: expression.isNullable(over: input))
        }
        let times = expressions.map { $0.copiedColumn.flatMap { input.times[$0] } }
        var change = input.change
        if case .updating(let key) = input.change {
            let copies = key.map { column in
                expressions.firstIndex { $0.copiedColumn == column }
            }
            let found = copies.compactMap(\.self)
            change = found.count == key.count ? .updating(key: found) : .changes
        }
        return LogicalNode(
            .project(input, expressions), fields: fields, times: times, change: change, place: place
        )
    }

    /// The same columns under other names.
    func renamed(_ names: [String]) -> LogicalNode {
        if names == fields.map(\.name) { return self }
        return .project(self, allColumns, names: names, place: place)
    }

    static func filter(
        _ input: LogicalNode, _ conditions: [Expression], place: SourcePlace?
    ) -> LogicalNode {
        if conditions.isEmpty { return input }
        return LogicalNode(
            .filter(input, conditions), fields: input.fields, times: input.times,
            change: input.change, place: place)
    }

    /// `discriminator`: a column that is a different constant in each branch.
    static func unionAll(
        _ inputs: [LogicalNode], change: ChangeMode, place: SourcePlace?
    ) -> LogicalNode {
        let first = inputs[0]
        let fields = first.fields.indices.map { column in
            Field(
                first.fields[column].name, first.fields[column].type,
                isNullable: inputs.contains { $0.fields[column].isNullable })
        }
        let times = first.fields.indices.map { column in
            TimeProperty.greatest(inputs.map { $0.times[column] })
        }
        return LogicalNode(
            .unionAll(inputs), fields: fields, times: times, change: change, place: place)
    }

    static func window(_ input: LogicalNode, _ window: WindowFunction) -> LogicalNode {
        let type = input.fields[window.timeColumn].type
        func bound(isEnd: Bool) -> TimeProperty.Bound {
            TimeProperty.Bound(
                window: window.window, isEnd: isEnd, isOpen: true, isSession: window.isSession)
        }
        let start = TimeProperty(
            lag: window.size.map { $0 + window.lag }, bound: bound(isEnd: false),
            isByClock: window.isByClock)
        let end = TimeProperty(
            lag: window.lag, bound: bound(isEnd: true), isByClock: window.isByClock)
        // A session's rows wait for its end: no other time of theirs has a lag any more.
        let times = window.isSession ? input.times.map { $0?.closed(lag: nil) } : input.times
        return LogicalNode(
            .window(input, window),
            fields: input.fields + [
                Field("window_start", type, isNullable: false),
                Field("window_end", type, isNullable: false),
            ],
            times: times + [start, end], change: input.change, place: window.place)
    }

    static func aggregate(_ input: LogicalNode, _ grouping: Grouping) -> LogicalNode {
        let keyFields = zip(grouping.keys, grouping.keyNames).map { key, name in
            Field(name, key.type, isNullable: key.isNullable(over: input))
        }
        let callFields = grouping.calls.map { call in
            Field(call.function.rawValue, call.type, isNullable: !call.function.isCount)
        }
        let window = grouping.windowKey(over: input)
        let keys = grouping.keys.map { key in
            key.copiedColumn.flatMap { input.times[$0] }?.grouped(by: window?.bound.window)
        }
        let allKeys = ChangeMode.updating(key: Array(0..<grouping.writtenKeys))
        var change: ChangeMode = .appendOnly
        if window != nil {
            change = grouping.emitsChanges ? allKeys : .appendOnly
        } else if !grouping.calls.isEmpty || input.change.isUpdating {
            change = allKeys
        }
        return LogicalNode(
            .aggregate(input, grouping), fields: keyFields + callFields,
            times: keys + callFields.map { _ in nil }, change: change, place: grouping.place)
    }
}

extension Grouping {
    /// The key that carries a window's bound and still has time: what makes the aggregate windowed.
    func windowKey(
        over input: LogicalNode
    ) -> (key: Int, time: TimeProperty, bound: TimeProperty.Bound)? {
        let bounds = keys.indices.compactMap { key in
            keys[key].copiedColumn.flatMap { input.times[$0] }.flatMap { time in
                time.bound.map { (key: key, time: time, bound: $0) }
            }
        }
        let usable = bounds.filter { $0.time.lag != nil || $0.bound.isOpen }
        return usable.min { left, right in
            (left.bound.isEnd ? 0 : 1, left.time.lag ?? .max, left.key)
                < (right.bound.isEnd ? 0 : 1, right.time.lag ?? .max, right.key)
        }
    }
}

extension TimeProperty {
    /// A column of a UNION ALL (dialect.md §1.6): the greatest lag of its branches.
    static func greatest(_ branches: [TimeProperty?]) -> TimeProperty? {
        let times = branches.compactMap(\.self)
        guard times.count == branches.count, Set(times.map(\.isByClock)).count == 1 else {
            return nil
        }
        let isByClock = times[0].isByClock
        let lags = times.compactMap(\.lag)
        let lag = lags.count == times.count ? lags.max() : nil
        let bounds = times.compactMap(\.bound)
        guard bounds.count == times.count, Set(bounds.map(\.isEnd)).count == 1 else {
            return lag.map { TimeProperty(lag: $0, bound: nil, isByClock: isByClock) }
        }
        let names = Set(bounds.map(\.window)).sorted()
        let bound = Bound(
            window: names.joined(separator: "+"), isEnd: bounds[0].isEnd,
            isOpen: bounds.allSatisfy(\.isOpen), isSession: bounds.contains(where: \.isSession))
        return TimeProperty(lag: lag, bound: bound, isByClock: isByClock)
    }

    /// The column as a key of an aggregate that closes with `window`, nil: of a DISTINCT, whose
    /// rows pass at once. A bound of another window keeps its name but loses its time: its rows now
    /// wait.
    fileprivate func grouped(by window: String?) -> TimeProperty? {
        guard let window else { return self }
        guard let bound else { return nil }
        return closed(lag: bound.window == window ? lag : nil)
    }

    /// The column behind an operator that keeps rows: with another lag, and its window closed.
    fileprivate func closed(lag: Int64?) -> TimeProperty {
        TimeProperty(
            lag: lag,
            bound: bound.map {
                Bound(window: $0.window, isEnd: $0.isEnd, isOpen: false, isSession: $0.isSession)
            }, isByClock: isByClock)
    }
}

extension AggregateFunction {
    var isCount: Bool {
        switch self {
        case .countStar, .count, .approximateCountDistinct: true
        default: false
        }
    }
}

extension Expression {
    /// The input column that this expression is a plain copy of.
    var copiedColumn: Int? {
        if case .column(let index, _) = self { return index }
        return nil
    }

    /// The value of an expression without columns.
    var knownValue: Scalar? {
        guard isColumnFree, case .value(let scalar) = constantValue() else { return nil }
        return scalar
    }

    /// Costs nothing to evaluate twice.
    var isTrivial: Bool {
        switch self {
        case .column, .constant: true
        case .field(let part, _, _): part.isTrivial
        default: false
        }
    }

    /// Whether a row can fail in it.
    var canFail: Bool {
        switch self {
        case .call(let call) where call.function.canFail: return true
        case .cast(let part, let type, _):
            if TypeRules.cast(from: part.type, to: type) != .implicit { return true }
        default: break
        }
        return children.contains(where: \.canFail)
    }

    func isNullable(over input: LogicalNode) -> Bool {
        isNullable { input.fields[$0].isNullable }
    }

    /// The same expression over what the columns stand for.
    func substituting(_ columns: [Expression]) -> Expression {
        rewritten { part in
            if case .column(let index, _) = part { return columns[index] }
            return part
        }
    }

    /// The parts of an AND, in order.
    var conjuncts: [Expression] {
        if case .and(let parts) = self { return parts.flatMap(\.conjuncts) }
        return [self]
    }

    static func all(_ conditions: [Expression]) -> Expression {
        conditions.count == 1 ? conditions[0] : .and(conditions)
    }

    /// Two values of one type by the function table's comparison.
    static func comparing(
        _ left: Expression, _ comparison: String, _ right: Expression, at place: SourcePlace? = nil
    ) -> Expression {
        let overloads = FunctionTable.overloads(of: comparison)
        guard let function = overloads.first(where: { $0.parameters.count == 2 }) else {
            bug("the function table has no \(comparison)")
        }
        return .call(
            Call(
                function, [left, right], type: .boolean,
                place: place ?? SourcePlace(file: "", offset: 0)))
    }
}
