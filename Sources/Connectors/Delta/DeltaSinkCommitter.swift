// Commits a Delta output's intents: the table's log decides, this only asks it.

import Columns
import Contracts
import DeltaTable
import Environment
import Planning
import Progress
import Synchronization
import Types

final class DeltaSinkCommitter: SinkCommitter {
    let target: TargetID
    let name: String
    let commitInterval: Int64
    private let output: DeltaOutput
    private let context: ConnectorContext
    private let table: Mutex<Table>

    private struct Table {
        var committer: DeltaCommitter
        var exists = false
    }

    init(_ output: DeltaOutput, _ context: ConnectorContext) {
        self.output = output
        self.context = context
        target = output.target
        name = "\(output.plan.name) (\(output.options.location))"
        commitInterval = output.plan.commitIntervalMicroseconds
        let identity = DeltaWriterIdentity(
            pipelineID: context.identity.pipelineID, sink: output.plan.name)
        table = Mutex(
            Table(
                committer: DeltaCommitter(
                    store: output.store, identity: identity, output: output.shape,
                    clock: context.clock)))
    }

    func readMarker() throws(Failure) -> Marker? {
        Failpoint.pass("delta.read_marker", name)
        return try table.withLock { table throws(Failure) in
            guard let snapshot = try table.committer.currentSnapshot() else { return nil }
            _ = try snapshot.shape(for: output.shape)
            let marker = try table.committer.newestMarker()
            if marker != .none { return marker }
            try accept(snapshot, &table)
            return nil
        }
    }

    func sweep(_ leftovers: [Leftover]) throws(Failure) -> [Leftover] {
        let (unresolved, removed) = try table.withLock { table throws(Failure) in
            try table.committer.sweep(leftovers)
        }
        if removed > 0 {
            context.log(
                LogLine(
                    .info, "removed \(removed) files that earlier processes left unnamed",
                    [("output", name)]))
        }
        return unresolved
    }

    func filled() throws(Failure) -> [FilledTarget] {
        try table.withLock { table throws(Failure) in
            guard let snapshot = try table.committer.currentSnapshot() else { return [] }
            return snapshot.markers(sink: output.plan.name).map { pipeline, marker in
                let writer = DeltaWriterIdentity(pipelineID: pipeline, sink: output.plan.name)
                return FilledTarget(
                    pipelineID: pipeline, marker: marker, offsets: snapshot.offsets(writer),
                    isSameOutput: true)
            }.sorted { $0.pipelineID < $1.pipelineID }
        }
    }

    /// A table without a marker of ours that another pipeline has filled under the same output: its
    /// owner must say what is meant (design.md §3.8).
    private func accept(_ snapshot: DeltaSnapshot, _ table: inout Table) throws(Failure) {
        let others = snapshot.markers(sink: output.plan.name)
        guard !others.isEmpty else { return }
        guard context.foreignTable == .beside else { throw occupied(others) }
        table.committer.acceptedMarkers = others
    }

    func commit(
        _ intents: [Intent], history: TargetHistory
    ) throws(Failure) -> CommitOutcome {
        try table.withLock { table throws(Failure) in
            if !table.exists {
                try table.committer.createTable()
                table.exists = true
            }
            let known = [history.trimmed] + history.open + history.dropped
            var version: Int64?
            for run in DeltaSinkCommitter.byGeneration(intents) {
                let below = intents.prefix { $0.restores == nil }
                let outcome = try commit(run, below: Array(below), known, &table.committer)
                switch outcome {
                case .committed(let new): version = new
                case .nothing: break
                case .fenced(let found):
                    return .fenced(history.stale(name, found: found, code: "delta.fenced"))
                case .occupied(let others): return .fenced(occupied(others))
                case .conflict(let reason):
                    throw Failure(
                        .failed, "delta.conflict", "could not commit to \(name): \(reason)")
                }
            }
            return .committed(version: version)
        }
    }

    /// `below`: what is open before a restore, which is alone in its run.
    private func commit(
        _ intents: [Intent], below: [Intent], _ known: [Marker],
        _ committer: inout DeltaCommitter
    ) throws(Failure) -> DeltaCommitOutcome {
        if let intent = intents.first, let target = intent.restores {
            return try committer.restore(
                DeltaRestoreRequest(
                    target: target, open: below.map(\.marker), isUpsert: isUpsert),
                as: try epoch(intent), known: known, incarnation: context.identity.incarnation,
                numbers: output.numbers, options: output.writeOptions,
                rows: { markers throws(Failure) in
                    try DeltaUpsertWriter.rows(
                        of: below.filter { markers.contains($0.marker) }, output.plan.schema,
                        key: key)
                })
        }
        guard case .upsert(let key) = output.plan.mode else {
            return try committer.append(try intents.map(epoch), known: known)
        }
        let schema = output.plan.schema
        return try committer.upsert(
            try intents.map(epoch), known: known, incarnation: context.identity.incarnation,
            numbers: output.numbers, options: output.writeOptions,
            rows: { remaining throws(Failure) in
                let open = Set(remaining.map(\.marker))
                return try DeltaUpsertWriter.rows(
                    of: intents.filter { open.contains($0.marker) }, schema, key: key)
            })
    }

    private var isUpsert: Bool {
        if case .upsert = output.plan.mode { return true }
        return false
    }

    private var key: [Int] {
        if case .upsert(let key) = output.plan.mode { return key }
        return []
    }

    func checkRestore(to marker: Marker, open: [Marker]) throws(Failure) {
        try table.withLock { table throws(Failure) in
            try table.committer.checkRestore(
                DeltaRestoreRequest(target: marker, open: open, isUpsert: isUpsert))
        }
    }

    /// An append intent's parts are the entries of its files; an upsert's are rows, read later.
    private func epoch(_ intent: Intent) throws(Failure) -> DeltaEpochIntent {
        var files: [AddFile] = []
        if case .append = output.plan.mode {
            for part in intent.parts {
                for case .add(let file) in try DeltaAction.parse(part) { files.append(file) }
            }
        }
        return DeltaEpochIntent(
            marker: intent.marker, files: files, offsets: intent.offsets)
    }

    /// Each run is one log entry; a restore is one of its own.
    private static func byGeneration(_ intents: [Intent]) -> [[Intent]] {
        var runs: [[Intent]] = []
        for intent in intents {
            if let last = runs.last?.last, last.restores == nil, intent.restores == nil,
                last.marker.generation == intent.marker.generation
            {
                runs[runs.count - 1].append(intent)
            } else {
                runs.append([intent])
            }
        }
        return runs
    }

    private func occupied(_ others: [String: Marker]) -> Failure {
        let pipelines = others.keys.sorted().joined(separator: ", ")
        return Failure(
            .fenced, "delta.occupied",
            "\(name) has been filled by the same output of another pipeline (\(pipelines))",
            hint: "restore that pipeline's state directory; or --adopt to go on where it stopped; "
                + "or --beside to append beside it on purpose")
    }
}
