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
                    total["\(plan.counterName(of: node)).\(counter)", default: 0] += count
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
            for (output, tally) in zip(plan.outputs, report.tallies) {
                let name = "output:\(output.name)"
                total["\(name).rows", default: 0] += tally.rows
                total["\(name).digest", default: 0] &+= Int64(bitPattern: tally.digest)
            }
        }
        for (index, node) in plan.nodes.enumerated() {
            let held = reports.reduce(0) { $0 + $1.held[index] }
            total["\(plan.counterName(of: node)).held"] = held == 0 ? nil : held
        }
        return total
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
            }
                + commits.compactMap { commit in
                    waiting[commit.committer.target].map {
                        "\(commit.committer.name): \($0.message)"
                    }
                })
    }

    func summary() -> RunSummary {
        let sums = counters.isEmpty ? baseCounters : counters
        let conservation = Conservation(plan: plan, counters: sums)
        func sum(_ suffix: String) -> Int64 {
            sums.reduce(0) { $0 + ($1.key.hasSuffix(suffix) ? $1.value : 0) }
        }
        return RunSummary(
            epoch: epoch,
            sources: plan.sources.indices.map { sourceSummary($0, sums, conservation) },
            outputs: plan.outputs.map { outputSummary($0, sums) },
            lateRows: sum(".late") + sum(".idle_late"), deadRows: sum(".dead") + sum(".refused"),
            openEpochs: commits.filter { !$0.isEmpty }.map {
                (name: $0.committer.name, epochs: $0.openEpochs)
            },
            operators: conservation.operators, imbalances: imbalances)
    }

    private func sourceSummary(
        _ index: Int, _ sums: [String: Int64], _ conservation: Conservation
    ) -> RunSummary.SourceSummary {
        let source = plan.sources[index]
        let prefix = "source:\(source.name)."
        let own = sums.filter { $0.key.hasPrefix(prefix) }
        return RunSummary.SourceSummary(
            name: source.name,
            counters: Dictionary(
                uniqueKeysWithValues: own.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
            ),
            late: conservation.sum(["late", "idle_late"], below: index),
            dead: (sums["\(prefix)refused"] ?? 0) + conservation.sum(["dead"], below: index),
            filtered: conservation.sum(["filtered"], below: index),
            offsets: offsets.filter { $0.source == source.name })
    }

    private func outputSummary(
        _ output: OutputPlan, _ sums: [String: Int64]
    ) -> RunSummary.OutputSummary {
        let digest = sums["output:\(output.name).digest"] ?? 0
        return RunSummary.OutputSummary(
            name: output.name, rows: sums["output:\(output.name).rows"] ?? 0,
            commits: commitCounts[output.target] ?? 0, version: versions[output.target],
            digest: output.hasDigest ? UInt64(bitPattern: digest) : nil)
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

extension OutputPlan {
    /// Rows of a blackhole are not hashed: it is there to measure what comes before it.
    var hasDigest: Bool {
        if case .blackhole = connector { return false }
        return true
    }
}
