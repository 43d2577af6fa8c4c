// What a query reads: columns that nobody above uses do not exist (dialect.md §3.5), and ties are
// broken by the columns that are read (§2.7).

import Contracts
import Kernels
import Types

/// Drops columns and aggregate calls that no output needs. Run over all outputs more than once: the
/// first runs only gather which calls of a shared aggregate are wanted at all, so that its readers
/// share it.
final class Pruning {
    /// Calls wanted by any reader, of those that two readers may share.
    private var wanted: [ObjectIdentifier: Set<Int>] = [:]

    /// Runs until no more calls are wanted: each run can make an inner aggregate want more.
    func gather(_ roots: [LogicalNode]) {
        var before = -1
        while before != wanted.values.reduce(0, { $0 + $1.count }) {
            before = wanted.values.reduce(0) { $0 + $1.count }
            for root in roots { _ = prune(root, Set(root.fields.indices)) }
        }
    }

    func prune(output root: LogicalNode) -> LogicalNode {
        return exactly(Array(root.fields.indices), of: root)
    }

    private typealias Pruned = (node: LogicalNode, position: [Int: Int])

    /// `node` with just these columns, in this order.
    private func exactly(_ columns: [Int], of node: LogicalNode) -> LogicalNode {
        let pruned = prune(node, Set(columns))
        let copies = columns.map { pruned.node.column(pruned.position[$0].required("pruned away")) }
        if copies.count == pruned.node.count, copies == pruned.node.allColumns {
            return pruned.node
        }
        return .project(
            pruned.node, copies, names: columns.map { node.fields[$0].name }, place: node.place)
    }

    /// At least the needed columns, and where each went.
    private func prune(_ node: LogicalNode, _ needed: Set<Int>) -> Pruned {
        switch node.kind {
        case .scan:
            let columns = needed.sorted()
            let narrow = LogicalNode.project(
                node, columns.map(node.column), names: columns.map { node.fields[$0].name },
                place: node.place)
            return (narrow, positions(columns))
        case .values:
            return (node, positions(Array(node.fields.indices)))
        case .project(let input, let expressions):
            let kept = needed.sorted()
            let (under, position) = prune(input, read(kept.map { expressions[$0] }))
            let moved = kept.map { expressions[$0].remapped { position[$0] ?? 0 } }
            let names = kept.map { node.fields[$0].name }
            return (.project(under, moved, names: names, place: node.place), positions(kept))
        case .filter(let input, let conditions):
            let (under, position) = prune(input, needed.union(read(conditions)))
            let moved = conditions.map { $0.remapped { position[$0] ?? 0 } }
            return (.filter(under, moved, place: node.place), position)
        case .unionAll(let inputs):
            return union(node, inputs, needed)
        case .window(let input, let window):
            return pruneWindow(input, window, needed)
        case .aggregate(let input, let grouping):
            return aggregate(node, input, grouping, needed)
        }
    }

    private func union(
        _ node: LogicalNode, _ inputs: [LogicalNode], _ needed: Set<Int>
    ) -> Pruned {
        let columns = needed.sorted()
        var change = node.change
        if case .updating(let key) = node.change {
            let kept = key.compactMap { columns.firstIndex(of: $0) }
            change = kept.count == key.count ? .updating(key: kept) : .changes
        }
        let union = LogicalNode.unionAll(
            inputs.map { exactly(columns, of: $0) }, change: change, place: node.place)
        return (union, positions(columns))
    }

    private func pruneWindow(
        _ input: LogicalNode, _ window: WindowFunction, _ needed: Set<Int>
    ) -> Pruned {
        let own = needed.filter { $0 < input.count }
        let (under, position) = prune(
            input, own.union([window.timeColumn]).union(window.partition ?? []))
        let moved = window.reading(
            timeColumn: position[window.timeColumn].required("the time is read"),
            partition: window.partition?.map { position[$0].required("a session's key is read") })
        var all = position
        all[input.count] = under.count
        all[input.count + 1] = under.count + 1
        return (.window(under, moved), all)
    }

    private func aggregate(
        _ node: LogicalNode, _ input: LogicalNode, _ grouping: Grouping, _ needed: Set<Int>
    ) -> Pruned {
        let keyCount = grouping.keys.count
        let own = Set(needed.filter { $0 >= keyCount }.map { $0 - keyCount })
        let isGroupOnly = grouping.calls.isEmpty
        let shared = own.filter { isShareable(grouping.calls[$0], over: input) }
        wanted[ObjectIdentifier(grouping.identity), default: []].formUnion(shared)
        var kept = own.union(wanted[ObjectIdentifier(grouping.identity)] ?? []).sorted()
        // A GROUP BY all of whose aggregates go unread must not turn into a DISTINCT.
        if kept.isEmpty, !isGroupOnly { kept = [firstShareable(grouping, over: input)] }
        var calls = kept.map { grouping.calls[$0] }
        let tiesRead = read(grouping.keys + own.sorted().flatMap { grouping.calls[$0].expressions })
            .union(grouping.alsoRead)
        let ties = tieBreakers(tiesRead, over: input)
        calls = calls.map { $0.isOrdered && !$0.hasTies ? $0.withTies(ties) : $0 }
        let reduced = grouping.replacing(calls: calls)
        let (under, position) = prune(input, read(reduced.expressions))
        func move(_ expression: Expression) -> Expression {
            expression.remapped { position[$0] ?? 0 }
        }
        let moved = reduced.replacing(
            keys: grouping.keys.map(move), calls: calls.map { $0.mapping(move) }, alsoRead: [])
        var all = positions(Array(0..<keyCount))
        for (place, call) in kept.enumerated() { all[keyCount + call] = keyCount + place }
        return (.aggregate(under, moved), all)
    }

    private func firstShareable(_ grouping: Grouping, over input: LogicalNode) -> Int {
        grouping.calls.firstIndex { isShareable($0, over: input) } ?? 0
    }

    /// Whether a reader that doesn't want the call may have it computed all the same: it fails for
    /// no row, and what it gives doesn't depend on which columns are read.
    private func isShareable(_ call: LogicalCall, over input: LogicalNode) -> Bool {
        !call.isOrdered && !call.expressions.contains { input.canFail($0) }
    }

    /// Event time, then the columns read, in declared order, ascending, NULLs last.
    private func tieBreakers(
        _ columns: Set<Int>, over input: LogicalNode
    ) -> [LogicalCall.SortColumn] {
        func sort(_ column: Int) -> LogicalCall.SortColumn {
            LogicalCall.SortColumn(
                expression: input.column(column), isDescending: false, nullsFirst: false)
        }
        let isOpen = { (column: Int) in input.times[column]?.bound?.isOpen == true }
        let time =
            input.fields.indices.first { column in
                input.times[column].map { $0.bound == nil && !$0.isByClock } ?? false
            }
            ?? input.fields.indices.first { input.times[$0]?.bound?.isEnd == true && !isOpen($0) }
        let rest = columns.sorted().filter { $0 != time && !isOpen($0) }
        return (time.map { [sort($0)] } ?? []) + rest.map(sort)
    }

    private func read(_ expressions: [Expression]) -> Set<Int> {
        expressions.reduce(into: []) { $0.formUnion($1.columnsRead) }
    }

    private func positions(_ columns: [Int]) -> [Int: Int] {
        Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1, $0) })
    }
}

extension LogicalNode {
    /// Whether computing `expression` can fail for a row, projections down to the next node with
    /// state included.
    func canFail(_ expression: Expression) -> Bool {
        expression.canFail || expression.columnsRead.contains { columnCanFail($0) }
    }

    private func columnCanFail(_ column: Int) -> Bool {
        switch kind {
        case .scan, .values, .aggregate: false
        case .project(let input, let expressions): input.canFail(expressions[column])
        case .filter(let input, _): input.columnCanFail(column)
        case .window(let input, _): column < input.count && input.columnCanFail(column)
        case .unionAll(let inputs): inputs.contains { $0.columnCanFail(column) }
        }
    }
}
