// From a plan node to the operator that runs it.

import Contracts
public import Planning

/// One worker's instance of a node; for every kind but source and sink, which the runtime runs
/// itself.
///
/// The runtime calls `restore` before the first push also at a fresh start, so that each instance
/// knows its groups: the row of a global aggregate belongs to one.
public func makeOperator(for node: PlanNode, settings: Settings) -> any Operator {
    switch node.kind {
    case .upsertSource(let plan): return UpsertSourceOperator(plan, node: node)
    case .project(let expressions):
        return ProjectOperator(operatorID: node.operatorID, expressions: expressions)
    case .filter(let condition):
        return FilterOperator(operatorID: node.operatorID, condition: condition)
    case .unionAll: return UnionAllOperator(operatorID: node.operatorID)
    case .assignWindows(let window): return AssignWindowsOperator(window, node: node)
    case .sessionRows(let plan):
        guard case .session(let gap) = plan.window.kind else { bug("rows of no session") }
        return SessionOperator(plan, gap: gap, node: node, settings: settings)
    case .windowAggregate(let plan):
        if case .session(let gap) = plan.window.kind {
            return SessionOperator(plan, gap: gap, node: node, settings: settings)
        }
        return WindowAggregateOperator(plan, node: node, settings: settings)
    case .results(let stream): return ResultsOperator(stream, operatorID: node.operatorID)
    case .aggregate(let plan): return AggregateOperator(plan, node: node, settings: settings)
    case .distinct: return DistinctOperator(node: node)
    case .source, .sink: bug("the runtime runs sources and sinks itself, not node \(node.index)")
    }
}
