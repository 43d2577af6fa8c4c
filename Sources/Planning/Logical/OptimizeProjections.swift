// Rewrites that only save work: a projection into the one above it, or into the aggregate above it.

import Contracts
import Kernels
import Types

/// Merges projections. An expression that would then be evaluated twice keeps its own projection.
final class ProjectionMerging {
    private var done: [ObjectIdentifier: LogicalNode] = [:]

    func merge(_ node: LogicalNode) -> LogicalNode {
        if let merged = done[ObjectIdentifier(node)] { return merged }
        let merged = step(node.mappingInputs(merge))
        done[ObjectIdentifier(node)] = merged
        return merged
    }

    private func step(_ node: LogicalNode) -> LogicalNode {
        switch node.kind {
        case .project(let input, let expressions):
            guard case .project(let under, let inner) = input.kind,
                isCheap(expressions, over: inner)
            else { return node }
            return step(
                .project(
                    under, expressions.map { $0.substituting(inner) },
                    names: node.fields.map(\.name), place: node.place))
        case .aggregate(let input, let grouping):
            guard case .project(let under, let inner) = input.kind,
                isCheap(Array(Set(grouping.expressions)), over: inner)
            else { return node }
            // A scan keeps its projection: it says which columns are read.
            if case .scan = under.kind { return node }
            let substituted = grouping.replacing(
                keys: grouping.keys.map { $0.substituting(inner) },
                calls: grouping.calls.map { $0.mapping { $0.substituting(inner) } })
            return step(.aggregate(under, substituted))
        default: return node
        }
    }

    private func isCheap(_ expressions: [Expression], over inner: [Expression]) -> Bool {
        var uses: [Int: Int] = [:]
        func count(_ expression: Expression) {
            if case .column(let index, _) = expression { uses[index, default: 0] += 1 }
            expression.children.forEach(count)
        }
        expressions.forEach(count)
        return uses.allSatisfy { $0.value <= 1 || inner[$0.key].isTrivial }
    }
}
