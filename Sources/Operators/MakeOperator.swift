// From a plan node to the operator that runs it.

import Contracts
public import Planning

/// One worker's instance of a node; for every kind but source and sink, which the runtime runs itself.
public func makeOperator(for node: PlanNode, settings: Settings) -> any Operator {
    switch node.kind {
    case .project(let expressions):
        ProjectOperator(operatorID: node.operatorID, expressions: expressions)
    case .filter(let condition):
        FilterOperator(operatorID: node.operatorID, condition: condition)
    case .unionAll: UnionAllOperator(operatorID: node.operatorID)
    case .windowAggregate(let plan):
        WindowAggregateOperator(plan, node: node, settings: settings)
    default: bug("operator: the runtime runs sources and sinks itself, not node \(node.index)")
    }
}
