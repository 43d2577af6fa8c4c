// in + made = out + filtered + late + dead + merged + Δheld at every operator, and what goes into
// an operator is what came out of those before it (design.md §3.13). Counts are absolute since the
// pipeline began, so at a barrier held rows stand in for the sum of their changes.

import Planning

/// What one operator did with its rows, summed over workers and processes.
public struct OperatorSummary: Sendable {
    /// Its place in the plan, as `explain` numbers it.
    public let node: Int
    /// `filter`, `window aggregate` …
    public let kind: String
    /// `in`, `made`, `out`, `filtered`, `late`, `idle_late`, `part_late`, `dead`, `merged`, `held`.
    public let counts: [(name: String, count: Int64)]

    /// Names under which an operator's counters are stored, in the order of the equation.
    static let names = [
        "in", "made", "out", "filtered", "late", "idle_late", "part_late", "dead", "merged", "held",
    ]
}

/// Holds counters against the equation.
struct Conservation {
    let plan: Plan
    let counters: [String: Int64]

    private func count(_ node: PlanNode, _ counter: String) -> Int64 {
        counters["\(plan.counterName(of: node)).\(counter)"] ?? 0
    }

    var operators: [OperatorSummary] {
        plan.nodes.map { node in
            OperatorSummary(
                node: node.index, kind: node.kindName,
                counts: OperatorSummary.names.map { ($0, count(node, $0)) })
        }
    }

    /// Operators that lost or made up rows, and edges that did; empty: all is accounted for.
    var imbalances: [(place: String, difference: Int64)] {
        plan.nodes.compactMap(imbalance) + plan.nodes.compactMap(leak)
    }

    private func imbalance(_ node: PlanNode) -> (place: String, difference: Int64)? {
        if node.isSource { return nil }
        let came = count(node, "in") + count(node, "made")
        let went =
            count(node, "out") + count(node, "filtered") + count(node, "late")
            + count(node, "idle_late") + count(node, "dead") + count(node, "merged")
        let difference = came - went - count(node, "held")
        return difference == 0 ? nil : (plan.counterName(of: node), difference)
    }

    /// The difference between what a node got and what the nodes before it gave.
    private func leak(_ node: PlanNode) -> (place: String, difference: Int64)? {
        if node.isSource { return nil }
        let given = node.inputs.reduce(0) { $0 + count(plan.nodes[$1], "out") }
        let difference = given - count(node, "in")
        return difference == 0 ? nil : ("before \(plan.counterName(of: node))", difference)
    }

    /// What became of a source's rows in the operators that read it and no other source.
    func sum(_ counters: [String], below source: Int) -> Int64 {
        var origins: [Set<Int>] = []
        var sum: Int64 = 0
        for node in plan.nodes {
            var own = node.inputs.reduce(into: Set<Int>()) { $0.formUnion(origins[$1]) }
            if case .source(let index) = node.kind { own = [index] }
            origins.append(own)
            if own == [source] { for name in counters { sum += count(node, name) } }
        }
        return sum
    }
}

extension Plan {
    /// A stable name of a node in counters.
    func counterName(of node: PlanNode) -> String {
        if case .sink(let output) = node.kind { return "output:\(outputs[output].name)" }
        return "operator:" + String(node.operatorID, radix: 16)
    }
}

extension PlanNode {
    var isSource: Bool {
        if case .source = kind { return true }
        return false
    }

    fileprivate var kindName: String {
        switch kind {
        case .source: "source"
        case .upsertSource: "upsert source"
        case .project: "project"
        case .filter: "filter"
        case .unionAll: "union all"
        case .assignWindows: "windows"
        case .sessionRows: "session rows"
        case .windowAggregate: "window aggregate"
        case .results: "results"
        case .aggregate: "aggregate"
        case .distinct: "distinct"
        case .sink: "sink"
        }
    }
}
