// The plan's graph as it grows: equal operators over equal inputs stand in it once.

import Contracts
import Kernels
import Types

/// An operator of the growing plan, and the hash that names what it computes.
struct Lowered {
    let index: Int
    let hash: UInt64
}

/// Nodes in topological order.
struct PlanGraph {
    private(set) var nodes: [PlanNode] = []
    private var known: [Key: Lowered] = [:]

    /// `text` says all of the operator but its inputs, without places, names of views or positions
    /// of a scan's columns.
    private struct Key: Hashable {
        let text: String
        let inputs: [Int]
        let hashes: [UInt64]
    }

    /// `identity`: the operator's id where it must not follow from its inputs (late columns that
    /// only ride along); nil: the hash of text and inputs.
    mutating func add(
        _ kind: PlanNodeKind, text: String, inputs: [Lowered], schema: Schema,
        exchange: [Exchange]? = nil, change: ChangeMode, place: SourcePlace?,
        identity: UInt64? = nil
    ) -> Lowered {
        let key = Key(text: text, inputs: inputs.map(\.index), hashes: inputs.map(\.hash))
        if let node = known[key] { return node }
        let hash = identity ?? PlanGraph.hash(of: text, over: inputs)
        let lowered = Lowered(index: nodes.count, hash: hash)
        nodes.append(
            PlanNode(
                index: nodes.count, kind: kind, inputs: key.inputs, schema: schema,
                operatorID: hash, exchange: exchange ?? inputs.map { _ in .none },
                change: change, place: place))
        known[key] = lowered
        return lowered
    }

    static func hash(of text: String, over inputs: [Lowered]) -> UInt64 {
        var hash = OperatorHash()
        hash.combine(text)
        inputs.forEach { hash.combine($0.hash) }
        return hash.value
    }

    func schema(_ node: Lowered) -> Schema { nodes[node.index].schema }
    func change(_ node: Lowered) -> ChangeMode { nodes[node.index].change }
}

/// The columns of the projection under an aggregate, each expression once.
struct ProjectedColumns {
    private(set) var expressions: [Expression] = []
    private(set) var names: [String] = []
    private var positions: [Expression: Int] = [:]

    mutating func add(_ expression: Expression, name: String) -> Int {
        if let position = positions[expression] { return position }
        positions[expression] = expressions.count
        expressions.append(expression)
        names.append(name)
        return expressions.count - 1
    }

    mutating func add(_ expression: Expression, over input: LogicalNode) -> Int {
        let name = expression.copiedColumn.map { input.fields[$0].name }
        return add(expression, name: name ?? "expression")
    }

    /// The call over these columns.
    mutating func add(_ call: LogicalCall, over input: LogicalNode) -> AggregateCall {
        let arguments = call.arguments.map { add($0, over: input) }
        let filter = call.filter.map { add($0, over: input) }
        let ordering = call.ordering.map {
            AggregateCall.Ordering(
                column: add($0.expression, over: input), isDescending: $0.isDescending,
                nullsFirst: $0.nullsFirst)
        }
        return AggregateCall(
            function: call.function, arguments: arguments,
            argumentTypes: call.arguments.map(\.type), isDistinct: call.isDistinct, filter: filter,
            ordering: ordering, type: call.type, place: call.place)
    }
}

// MARK: Canonical texts

extension AggregateCall {
    var text: String {
        let order = ordering.map {
            "\($0.column)\($0.isDescending ? " desc" : "")\($0.nullsFirst ? " nulls first" : "")"
        }
        var text = "\(function.rawValue)(\(isDistinct ? "distinct " : "")\(arguments))"
        if let filter { text += " filter \(filter)" }
        if !order.isEmpty { text += " order \(order.joined(separator: ","))" }
        return text + "::\(type)"
    }
}

extension Window {
    var text: String {
        "\(kind.text) time \(timeColumn) lag \(lag)\(isByClock ? " by clock" : "")"
    }
}

extension Window.Kind {
    var text: String {
        switch self {
        case .tumble(let size, let origin): "tumble \(size) from \(origin)"
        case .hop(let slide, let size, let origin): "hop \(slide) \(size) from \(origin)"
        case .cumulate(let step, let size, let origin): "cumulate \(step) \(size) from \(origin)"
        case .session(let gap): "session \(gap)"
        case .existing: "existing"
        }
    }
}
