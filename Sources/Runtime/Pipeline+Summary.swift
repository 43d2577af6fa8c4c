// Counting what a run did: absolute over restarts, by name, checked for conservation.

import Connectors
import Contracts
import Operators
import Planning
import Progress
import Synchronization

extension Pipeline {
    /// Counters since the pipeline began: what was stored at start plus what this process counted.
    func total(_ reports: [WorkerEpoch]) -> [String: Int64] {
        var total = baseCounters
        for report in reports {
            for (node, counters) in zip(plan.nodes, report.counters) {
                for (counter, count) in counters.named where count != 0 {
                    total["\(name(of: node)).\(counter)", default: 0] += count
                }
            }
            let sourceNodes = plan.nodes.compactMap { node -> Int? in
                if case .source(let source) = node.kind { return source }
                return nil
            }
            for (source, counters) in zip(sourceNodes, report.sources) {
                let prefix = "source:\(plan.sources[source].name)"
                total["\(prefix).records", default: 0] += counters.records
                total["\(prefix).rows", default: 0] += counters.rows
                total["\(prefix).refused", default: 0] += counters.refused
                total["\(prefix).skipped", default: 0] += counters.skipped
            }
        }
        return total
    }

    /// A stable name of a node in counters.
    func name(of node: PlanNode) -> String {
        if case .sink(let output) = node.kind { return "output:\(plan.outputs[output].name)" }
        return "operator:" + String(node.operatorID, radix: 16)
    }

    func progress(since records: Int64, seconds: Double) -> ProgressReport {
        let now = gauges.reduce(0) { $0 + Int64($1.records.load(ordering: .relaxed)) }
        let watermarks = gauges.map { Int64($0.watermark.load(ordering: .relaxed)) }
        let known = sources.compactMap(\.lag)
        return ProgressReport(
            recordsPerSecond: Double(now - records) / seconds, records: now,
            lag: known.isEmpty ? nil : known.reduce(0, +),
            watermark: watermarks.filter { $0 > EventTime.never }.min() ?? EventTime.never,
            epoch: epoch,
            stateBytes: gauges.reduce(0) { $0 + Int64($1.stateBytes.load(ordering: .relaxed)) },
            checkpointBytes: lastCheckpointBytes,
            waiting: sources.compactMap { source in
                source.trouble.map { "\(source.plan.name): \($0)" }
            } + commits.compactMap { commit in
                waiting[commit.committer.target].map { "\(commit.committer.name): \($0.message)" }
            })
    }

    func summary() -> RunSummary {
        let sums = counters.isEmpty ? baseCounters : counters
        func sum(_ suffix: String) -> Int64 {
            sums.reduce(0) { $0 + ($1.key.hasSuffix(suffix) ? $1.value : 0) }
        }
        return RunSummary(
            epoch: epoch, sources: plan.sources.map { sourceSummary($0, sums) },
            outputs: plan.outputs.map { outputSummary($0, sums) },
            lateRows: sum(".late") + sum(".idle_late"), deadRows: sum(".dead") + sum(".refused"),
            openEpochs: commits.filter { !$0.isEmpty }.map {
                (name: $0.committer.name, epochs: $0.openEpochs)
            },
            imbalances: imbalances(sums))
    }

    private func sourceSummary(
        _ source: SourcePlan, _ sums: [String: Int64]
    ) -> RunSummary.SourceSummary {
        let prefix = "source:\(source.name)."
        let own = sums.filter { $0.key.hasPrefix(prefix) }
        return RunSummary.SourceSummary(
            name: source.name,
            counters: Dictionary(
                uniqueKeysWithValues: own.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
            ),
            offsets: offsets.filter { $0.source == source.name })
    }

    private func outputSummary(
        _ output: OutputPlan, _ sums: [String: Int64]
    ) -> RunSummary.OutputSummary {
        RunSummary.OutputSummary(
            name: output.name, rows: sums["output:\(output.name).out"] ?? 0,
            commits: commitCounts[output.outputID] ?? 0, version: versions[output.outputID])
    }

    /// in + made = out + filtered + late + dead + merged + held, by node; held is what is left, so
    /// without state it must be zero, and it is never negative (design.md §3.13).
    private func imbalances(_ sums: [String: Int64]) -> [(place: String, difference: Int64)] {
        plan.nodes.compactMap { node in
            let name = name(of: node)
            func count(_ counter: String) -> Int64 { sums["\(name).\(counter)"] ?? 0 }
            let gone =
                count("out") + count("filtered") + count("late") + count("idle_late")
                + count("dead") + count("merged")
            let difference = count("in") + count("made") - gone
            guard !node.isSource else { return nil }
            let isStateless = node.keepsNothing
            return (isStateless ? difference != 0 : difference < 0)
                ? (place: name, difference: difference) : nil
        }
    }
}

extension PlanNode {
    var isSource: Bool {
        if case .source = kind { return true }
        return false
    }

    var keepsNothing: Bool {
        switch kind {
        case .project, .filter, .unionAll, .sink: true
        default: false
        }
    }
}

extension Counters {
    /// By the names that people see.
    var named: [(name: String, count: Int64)] {
        [
            ("in", rowsIn), ("made", made), ("out", out), ("filtered", filtered), ("late", late),
            ("idle_late", idleLate), ("part_late", partLate), ("dead", dead), ("merged", merged),
        ]
    }
}
