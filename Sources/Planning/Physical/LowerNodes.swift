// The last steps on a graph that is complete: early and closed results of one aggregate from one
// operator, projections that only copy merged away. Operators keep their ids: state doesn't depend
// on what stands above or beside it.

import Contracts
import Kernels
import Types

extension PlanGraph {
    /// The nodes of the plan.
    func finished(mergesProjections: Bool) -> [PlanNode] {
        let shared = nodes.sharingEarlyResults()
        return mergesProjections ? shared.mergingProjections() : shared
    }
}

extension [PlanNode] {
    /// One operator instead of two that differ only in when they emit (dialect.md §2.9: "a shared
    /// subplan gives both"). It has the id of the one with early results, whose state it keeps; the
    /// node of closed windows is named after the other's, as what reads it is.
    fileprivate func sharingEarlyResults() -> [PlanNode] {
        let partners = partners
        var nodes: [PlanNode] = []
        var moved: [Int: Int] = [:]
        for node in self where moved[node.index] == nil {
            let inputs = node.inputs.map { moved[$0].required("inputs stand before") }
            moved[node.index] = nodes.count
            guard let partner = partners[node.index] else {
                nodes.append(node.replacing(index: nodes.count, inputs: inputs))
                continue
            }
            let early = node.emits(.onChange) ? node : self[partner]
            let closed = node.emits(.onChange) ? self[partner] : node
            let both = early.emittingBoth(index: nodes.count, inputs: inputs, first: node)
            moved[early.index] = nodes.count + 1
            moved[closed.index] = nodes.count + 2
            nodes.append(both)
            nodes.append(early.picking(.early, of: both, index: both.index + 1))
            nodes.append(closed.picking(.closed, of: both, index: both.index + 2))
        }
        return nodes
    }

    /// Both ways: the aggregates that differ only in when they emit.
    private var partners: [Int: Int] {
        var partners: [Int: Int] = [:]
        for node in self {
            guard let plain = node.aggregateOnClose, node.emits(.onChange) else { continue }
            let closed = first {
                $0.emits(.onClose) && $0.inputs == node.inputs && $0.aggregateOnClose == plain
            }
            guard let closed else { continue }
            partners[closed.index] = node.index
            partners[node.index] = closed.index
        }
        return partners
    }

    /// Every projection that only copies is merged into the projection above it, and what then
    /// nobody reads is left out.
    fileprivate func mergingProjections() -> [PlanNode] {
        var merged: [PlanNode] = []
        for node in self {
            guard case .project(let expressions) = node.kind,
                case .project(let inner) = merged[node.inputs[0]].kind,
                inner.allSatisfy(\.isTrivial)
            else {
                merged.append(node)
                continue
            }
            merged.append(
                node.replacing(
                    .project(expressions.map { $0.substituting(inner) }),
                    inputs: merged[node.inputs[0]].inputs))
        }
        var isRead = Array<Bool>(repeating: false, count: merged.count)
        for node in merged.reversed() {
            if case .sink = node.kind { isRead[node.index] = true }
            if isRead[node.index] { for input in node.inputs { isRead[input] = true } }
        }
        var moved: [Int: Int] = [:]
        for node in merged where isRead[node.index] { moved[node.index] = moved.count }
        return merged.filter { isRead[$0.index] }.map { node in
            node.replacing(
                index: moved[node.index],
                inputs: node.inputs.map { moved[$0].required("an input that is read") })
        }
    }
}

extension PlanNode {
    fileprivate func replacing(
        _ kind: PlanNodeKind? = nil, index: Int? = nil, inputs: [Int]
    ) -> PlanNode {
        PlanNode(
            index: index ?? self.index, kind: kind ?? self.kind, inputs: inputs, schema: schema,
            operatorID: operatorID, exchange: exchange, change: change, place: place)
    }

    fileprivate func emits(_ emission: WindowAggregate.Emission) -> Bool {
        if case .windowAggregate(let aggregate) = kind { return aggregate.emission == emission }
        return false
    }

    /// The windowed aggregate without what tells its readers apart.
    fileprivate var aggregateOnClose: WindowAggregate? {
        guard case .windowAggregate(var aggregate) = kind else { return nil }
        aggregate.emission = .onClose
        aggregate.lateOutput = nil
        return aggregate
    }

    /// Late rows are told under the output of `first`.
    fileprivate func emittingBoth(index: Int, inputs: [Int], first: PlanNode) -> PlanNode {
        guard case .windowAggregate(var aggregate) = kind,
            case .windowAggregate(let told) = first.kind
        else { bug("only windowed aggregates emit early") }
        aggregate.emission = .both
        aggregate.lateOutput = told.lateOutput
        return replacing(.windowAggregate(aggregate), index: index, inputs: inputs)
    }

    /// The node's own stream of the operator that emits both.
    fileprivate func picking(
        _ stream: WindowAggregate.Stream, of both: PlanNode, index: Int
    ) -> PlanNode {
        var id = OperatorHash()
        id.combine("\(stream.rawValue) results")
        id.combine(operatorID)
        return PlanNode(
            index: index, kind: .results(stream), inputs: [both.index], schema: schema,
            operatorID: id.value, exchange: [.none], change: change, place: place)
    }
}
