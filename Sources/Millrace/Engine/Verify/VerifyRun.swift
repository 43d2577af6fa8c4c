// `millrace verify`: what a pipeline's outputs hold, against their own logs, against the state
// directory, and against the same input run again.
//
// Rows are a function of the offsets that were read (dialect.md §1), so the topology is run again
// over exactly that range, by one worker, from an empty state, into digests: nothing of the
// pipeline is written, no group offset is committed. Windows that were open stay open; those of a
// run that has ended are closed. What is no function of the offsets is named and not compared.

import Connectors
import Contracts
import DeltaTable
import Environment
import Planning
import Progress
import RocksState
import Runtime

struct VerifyRun {
    private let plan: Plan
    private let path: String
    private let directory: StateDirectory
    private let describe: @Sendable (SourcePlace) -> String
    private let log: @Sendable (LogLine) -> Void

    /// `path`: the state directory; nobody else may have it.
    init(
        _ topology: LoadedTopology, path: String, log: @escaping @Sendable (LogLine) -> Void
    ) throws(Failure) {
        plan = topology.plan
        describe = topology.describe
        self.path = path
        self.log = log
        directory = try StateDirectory.inspect(path: path)
    }

    func run() throws(Failure) -> VerifyReport {
        let begins = try directory.beginnings()
        let positions = try directory.offsets()
        let ranges = positions.map { position in
            (
                begin: begins.first { PartitionKey($0) == PartitionKey(position) }?.next,
                position: position
            )
        }
        var outputs: [VerifiedOutput] = []
        for output in plan.outputs { outputs.append(try check(output, positions)) }
        try checkMarkers(&outputs, positions)
        try compareRows(&outputs, ranges)
        return VerifyReport(outputs: outputs, ranges: ranges)
    }

    // MARK: Logs

    private func check(
        _ output: OutputPlan, _ positions: [PartitionOffset]
    ) throws(Failure) -> VerifiedOutput {
        var found = VerifiedOutput(name: output.name)
        guard let table = try table(of: output) else {
            switch output.connector {
            case .kafka: break
            default: found.notes.append("its rows are not kept where they could be read back")
            }
            return found
        }
        var isUpsert = false
        if case .upsert = output.mode { isUpsert = true }
        guard let audit = try DeltaAudit(
            DeltaLog(table.store), table.identity, isUpsert: isUpsert)
        else {
            let history = try directory.history(of: output.target)
            if history.trimmed != .none {
                found.differences.append(
                    "there is no table at \(table.store.location), which took epoch "
                        + "\(history.trimmed.epoch)")
            }
            found.rows = RowsDigest()
            return found
        }
        found.log = (
            audit.firstVersion, audit.snapshot.version, audit.commitCount, audit.ownFiles.count
        )
        found.differences += audit.findings
        found.differences += try audit.fileFindings(table.store)
        found.notes += audit.notes
        found.differences += ahead(audit, positions)
        if audit.isMixed {
            found.notes.append("another program merged files of ours with its own")
        } else if found.differences.isEmpty {
            let files = Array(audit.ownFiles.values)
            found.rows = try TableContent.digest(
                of: files, in: audit.snapshot, table.store, output)
        }
        return found
    }

    private func table(
        of output: OutputPlan
    ) throws(Failure) -> (store: any DeltaStore, identity: DeltaWriterIdentity)? {
        try TableContent.table(of: output, pipelineID: directory.identity.pipelineID)
    }

    /// A table can't cover what the pipeline has not read.
    private func ahead(_ audit: DeltaAudit, _ positions: [PartitionOffset]) -> [String] {
        var found: [String] = []
        for position in positions where position.detail == nil {
            guard let told = audit.offsets[PartitionKey(position)], told > position.next else {
                continue
            }
            found.append(
                "its newest commit covers \(position.source)/\(position.partition) to \(told), "
                    + "the pipeline has read to \(position.next)")
        }
        return found
    }

    // MARK: Markers

    /// What each sink says of itself must be what the directory knows, and the newest epoch's
    /// offsets the directory's own.
    private func checkMarkers(
        _ outputs: inout [VerifiedOutput], _ positions: [PartitionOffset]
    ) throws(Failure) {
        let context = context(.live)
        let current = try directory.currentEpoch()?.marker
        for committer in try LiveConnectors().makeCommitters(of: plan, context) {
            let history = try directory.history(of: committer.target)
            let marker = try committer.readMarker()
            let own = plan.outputs.indices.filter { plan.outputs[$0].target == committer.target }
            guard let first = own.first else { continue }
            let landed: Int
            switch history.judge(marker) {
            case .known(let count): landed = count
            case .stale:
                let holds = marker.map { "epoch \($0.epoch) of generation \($0.generation)" }
                outputs[first].differences.append(
                    "\(committer.name) holds \(holds ?? "no epoch"), the state directory knows "
                        + "epoch \(history.trimmed.epoch) of generation "
                        + "\(history.trimmed.generation)")
                continue
            }
            if landed < history.open.count {
                for index in own {
                    outputs[index].notes.append(
                        "rows: \(history.open.count - landed) epochs are still to be committed; "
                            + "run the pipeline once")
                }
            }
            if let current, marker?.inDelta == current.inDelta {
                outputs[first].differences += try told(by: committer, positions)
            }
        }
    }

    /// Offsets that the sink tells of the newest epoch, where they are not the directory's.
    private func told(
        by committer: any SinkCommitter, _ positions: [PartitionOffset]
    ) throws(Failure) -> [String] {
        guard !(committer.name.isEmpty), let filled = try? committer.filled(),
            let own = filled.first(where: { $0.pipelineID == directory.identity.pipelineID })
        else { return [] }
        return own.offsets.compactMap { offset in
            guard offset.next >= 0,
                let position = positions.first(where: {
                    PartitionKey($0) == PartitionKey(offset)
                }), position.detail == nil, position.next != offset.next
            else { return nil }
            return "\(committer.name) says of the newest epoch that \(offset.source)/"
                + "\(offset.partition) goes on at \(offset.next), the state directory says "
                + "\(position.next)"
        }
    }

    private func context(_ mode: RunMode) -> ConnectorContext {
        ConnectorContext(
            identity: directory.identity, mode: mode, clock: .system, workers: 1, failFast: true,
            foreignTable: .beside, log: log)
    }

    // MARK: Rows

    private func compareRows(
        _ outputs: inout [VerifiedOutput], _ ranges: [(begin: Int64?, position: PartitionOffset)]
    ) throws(Failure) {
        func isCompared(_ index: Int) -> Bool {
            let found = outputs[index]
            guard found.agrees, !found.notes.contains(where: { $0.hasPrefix("rows:") }) else {
                return false
            }
            if case .kafka = plan.outputs[index].connector { return true }
            return found.rows != nil
        }
        let wanted = plan.outputs.indices.filter(isCompared)
        guard !wanted.isEmpty else { return }
        let known = ranges.compactMap { range in
            range.begin.map { ReadRange(begin: $0, position: range.position) }
        }
        guard known.count == ranges.count, !ranges.isEmpty else {
            let why =
                ranges.isEmpty
                ? "rows: nothing has been read yet"
                : "rows: the state directory does not tell where its sources began (it was "
                    + "adopted, or its topology edited or its state reset since, or an earlier "
                    + "build made it)"
            for index in wanted { outputs[index].notes.append(why) }
            return
        }
        let connectors = RecomputingConnectors(plan, ranges: known)
        do {
            try recompute(connectors, known)
        } catch {
            guard error.kind == .dataLost else { throw error }
            for index in wanted { outputs[index].notes.append("rows: \(error.message)") }
            return
        }
        for index in wanted {
            try compare(&outputs[index], plan.outputs[index], connectors.rows[index].digest)
        }
    }

    private func recompute(
        _ connectors: RecomputingConnectors, _ ranges: [ReadRange]
    ) throws(Failure) {
        let hasEnded = try directory.currentEpoch()?.hasEnded ?? false
        var options = RunOptions(mode: hasEnded ? .bounded : .availableNow, workers: 1)
        options.failFast = true
        options.describe = describe
        options.log = { [log] line in if line.level == .error { log(line) } }
        let summary = try Pipeline(
            plan: plan, options: options,
            store: MemoryEpochStore(identity: directory.identity), factory: connectors,
            stop: StopRequest()
        ).run()
        let reached = summary.sources.flatMap(\.offsets)
        for range in ranges {
            let found = reached.first { PartitionKey($0) == PartitionKey(range.position) }
            guard let found, found.next == range.position.next,
                found.detail == range.position.detail
            else {
                throw Failure(
                    .dataLost, "verify.range",
                    "\(range.position.source)/\(range.position.partition) was read again to "
                        + "\(found?.next ?? 0), the pipeline stands at \(range.position.next): "
                        + "the source has changed since")
            }
        }
    }

    private func compare(
        _ found: inout VerifiedOutput, _ output: OutputPlan, _ again: RowsDigest
    ) throws(Failure) {
        var cut = false
        if case .kafka(let options) = output.connector {
            let content = try TopicContent(of: output, options, context(.live))
            found.rows = content.rows
            cut = content.isCut
        }
        found.recomputed = again
        guard let rows = found.rows, rows != again else { return }
        if cut {
            found.notes.append("rows: the topic's beginning is gone")
        } else if let reason = whatIsNotDeterministic(output) {
            found.notes.append("rows: \(reason)")
        } else if rows.count != again.count {
            found.differences.append(
                "it holds \(rows.count) rows, the same input makes \(again.count)")
        } else {
            found.differences.append(
                "it holds \(rows.count) rows as it should, but not the same ones")
        }
    }

    /// Why an output's rows may be others for the same offsets; nil: they may not.
    private func whatIsNotDeterministic(_ output: OutputPlan) -> String? {
        if plan.nodes.contains(where: { $0.window?.isByClock ?? false }) {
            return "a window is closed by the clock"
        }
        for source in plan.sources {
            if source.idleTimeout != nil { return "\(source.name) has an idle_timeout" }
            if source.decoded.contains(where: { $0.origin == .metadata(.extractedAt) }) {
                return "\(source.name)'s _extracted_at is read"
            }
        }
        if case .upsert = output.mode,
            let sink = plan.nodes.first(where: { $0.isSink(named: output.name, in: plan) }),
            sink.change == .appendOnly
        {
            return "of equal keys in several partitions the last to arrive counts"
        }
        return nil
    }
}

extension PlanNode {
    fileprivate func isSink(named name: String, in plan: Plan) -> Bool {
        if case .sink(let output) = kind { return plan.outputs[output].name == name }
        return false
    }
}
