// Whatever SQL can say has a file in the corpus: each kind of plan node, window, aggregate, and each
// entry of the function table.

import Foundation
import Kernels
import Planning
import SQLSyntax
import Testing

@Suite("SQL corpus: coverage")
struct SQLCorpusCoverageTests {
    /// Plans of all files that plan, unoptimized: nothing is folded away.
    private static let plans: [Plan] = CorpusFile.all.compactMap { file in
        let configuration = CorpusConfiguration(isOptimizerOn: false)
        return try? CorpusRun(file: file, configuration: configuration).plan()
    }

    private static let nodes = plans.flatMap(\.nodes)

    /// Only where all files are there (MILLRACE_CORPUS names some).
    private static var isWhole: Bool {
        ProcessInfo.processInfo.environment["MILLRACE_CORPUS"] == nil
    }

    @Test("each kind of node has a file", .enabled(if: isWhole)) func nodeKinds() {
        let found = Set(Self.nodes.map { name($0.kind) })
        #expect(NodeName.allCases.filter { !found.contains($0) } == [])
    }

    @Test("each kind of window and way to emit has a file", .enabled(if: isWhole)) func windows() {
        var kinds: Set<String> = []
        var emissions: Set<String> = []
        for node in Self.nodes {
            if let window = node.window {
                kinds.insert("\(window.kind)".prefix { $0 != "(" }.description)
            }
            if case .windowAggregate(let aggregate) = node.kind {
                emissions.insert("\(aggregate.emission)")
            }
        }
        #expect(kinds == ["tumble", "hop", "cumulate", "session", "existing"])
        #expect(emissions == ["onClose", "onChange", "both"])
    }

    @Test("each aggregate has a file", .enabled(if: isWhole)) func aggregates() {
        var found: Set<AggregateFunction> = []
        for node in Self.nodes {
            switch node.kind {
            case .windowAggregate(let aggregate):
                found.formUnion(aggregate.aggregates.map(\.function))
            case .aggregate(let aggregate): found.formUnion(aggregate.aggregates.map(\.function))
            default: break
            }
        }
        let missing = AggregateFunction.allCases.filter { !found.contains($0) }
        #expect(missing == [], "without a file in Tests/SQLCorpus")
    }

    @Test("each function has a file", .enabled(if: isWhole)) func functions() {
        var found: Set<String> = []
        for plan in Self.plans {
            var rest = plan.sources.flatMap { $0.computed + $0.constraints.map(\.condition) }
            for node in plan.nodes {
                switch node.kind {
                case .project(let expressions): rest += expressions
                case .filter(let condition): rest.append(condition)
                default: break
                }
            }
            while let expression = rest.popLast() {
                if case .call(let call) = expression { found.insert(call.function.name) }
                rest += expression.children
            }
        }
        // NULLIF is planned as a CASE.
        let missing = Set(FunctionTable.all.map(\.name)).subtracting(found)
            .subtracting(["nullif"]).sorted()
        #expect(missing == [], "without a file in Tests/SQLCorpus")
    }

    @Test("pairwise configurations are few and have every pair") func pairwise() {
        let all = Set(CorpusConfiguration.all.flatMap(CorpusConfiguration.pairs))
        let chosen = Set(CorpusConfiguration.pairwise.flatMap(CorpusConfiguration.pairs))
        #expect(all == chosen)
        #expect((9...14).contains(CorpusConfiguration.pairwise.count))
        #expect(CorpusConfiguration.all.count == 144)
    }

    /// A new kind of node does not compile before it stands here.
    private enum NodeName: CaseIterable {
        case source, upsertSource, project, filter, unionAll, assignWindows, sessionRows
        case windowAggregate, results, aggregate, distinct, sink
    }

    private func name(_ kind: PlanNodeKind) -> NodeName {
        switch kind {
        case .source: .source
        case .upsertSource: .upsertSource
        case .project: .project
        case .filter: .filter
        case .unionAll: .unionAll
        case .assignWindows: .assignWindows
        case .sessionRows: .sessionRows
        case .windowAggregate: .windowAggregate
        case .results: .results
        case .aggregate: .aggregate
        case .distinct: .distinct
        case .sink: .sink
        }
    }
}
