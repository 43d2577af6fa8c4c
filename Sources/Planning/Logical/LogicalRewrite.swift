// Where WHERE is evaluated: before the projections under it (dialect.md §3.5).
//
// This is meaning, not optimization: a row that WHERE excludes must not fail in an expression of
// the select list below. So it runs with the optimizer off, too.

import Contracts
import Kernels
import Types

/// Moves conditions down. One for a planning run: a node that two readers share stays one node.
final class FilterPlacement {
    private var done: [ObjectIdentifier: LogicalNode] = [:]

    func place(_ node: LogicalNode) -> LogicalNode {
        if let placed = done[ObjectIdentifier(node)] { return placed }
        let placed = rebuild(node)
        done[ObjectIdentifier(node)] = placed
        return placed
    }

    private func rebuild(_ node: LogicalNode) -> LogicalNode {
        if case .filter(let input, let conditions) = node.kind {
            return push(conditions, into: place(input), place: node.place)
        }
        return node.mappingInputs(place)
    }

    /// `conditions` over `input`, whose own conditions are placed already.
    private func push(
        _ conditions: [Expression], into input: LogicalNode, place: SourcePlace?
    ) -> LogicalNode {
        if conditions.isEmpty { return input }
        switch input.kind {
        case .project(let under, let expressions):
            let moved = conditions.map { $0.substituting(expressions) }
            return .project(
                push(moved, into: under, place: place), expressions,
                names: input.fields.map(\.name), place: input.place)
        case .filter(let under, let first):
            return push(first + conditions, into: under, place: input.place)
        case .unionAll(let branches):
            return .unionAll(
                branches.map { push(conditions, into: $0, place: place) }, change: input.change,
                place: input.place)
        case .window(let under, let window):
            let split = split(conditions, under: under, window: window)
            let below = push(split.below, into: under, place: place)
            return .filter(.window(below, window), split.above, place: place)
        case .scan, .values, .aggregate:
            return .filter(input, conditions, place: place)
        }
    }

    /// Below the window go conditions on its input's columns (of a session: on its keys). One that
    /// can fail stays behind those that it was written behind.
    private func split(
        _ conditions: [Expression], under: LogicalNode, window: WindowFunction
    ) -> (below: [Expression], above: [Expression]) {
        var below: [Expression] = []
        var above: [Expression] = []
        for condition in conditions {
            let columns = condition.columnsRead
            let isInput =
                window.isSession
                ? columns.isSubset(of: window.partition ?? []) && !columns.isEmpty
                : columns.allSatisfy { $0 < under.count }
            if isInput, above.isEmpty || !condition.canFail {
                below.append(condition)
            } else {
                above.append(condition)
            }
        }
        return (below, above)
    }
}

extension LogicalNode {
    /// The same node over other inputs with the same columns.
    func mappingInputs<E: Error>(
        _ change: (LogicalNode) throws(E) -> LogicalNode
    ) throws(E) -> LogicalNode {
        switch kind {
        case .scan, .values: return self
        case .project(let input, let expressions):
            return .project(
                try change(input), expressions, names: fields.map(\.name), place: place)
        case .filter(let input, let conditions):
            return .filter(try change(input), conditions, place: place)
        case .unionAll(let inputs):
            return .unionAll(try inputs.map(change), change: self.change, place: place)
        case .window(let input, let window): return .window(try change(input), window)
        case .aggregate(let input, let grouping): return .aggregate(try change(input), grouping)
        }
    }

    var inputs: [LogicalNode] {
        switch kind {
        case .scan, .values: []
        case .project(let input, _), .filter(let input, _), .window(let input, _),
            .aggregate(let input, _):
            [input]
        case .unionAll(let inputs): inputs
        }
    }
}
