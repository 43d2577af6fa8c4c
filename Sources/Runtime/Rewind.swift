// `millrace checkpoint rewind`: all sinks are asked before anything is touched, then the directory
// goes back (design.md §3.9). The sinks follow at the next run.

public import Connectors
public import Contracts
import Progress
public import RocksState

/// One rewind of a stopped pipeline.
public struct Rewind {
    private let directory: StateDirectory
    private let committers: [any SinkCommitter]
    private let allowsDuplicates: Bool

    /// `directory`: opened, so that no other process has it. `committers`: of its topology.
    public init(
        directory: StateDirectory, committers: [any SinkCommitter], allowsDuplicates: Bool
    ) {
        self.directory = directory
        self.committers = committers
        self.allowsDuplicates = allowsDuplicates
    }

    /// Goes back to the kept checkpoint of an epoch; tells what that means, a line each.
    public func run(to epoch: UInt64) throws(Failure) -> [String] {
        let kept = StateDirectory.retained(in: directory.path)
        guard let checkpoint = kept.last(where: { $0.epoch == epoch }) else {
            let names = kept.map { String($0.epoch) }
            throw Failure(
                .invalid, "rewind.not_kept",
                "the checkpoint of epoch \(epoch) is not kept in \(directory.path)",
                hint: names.isEmpty
                    ? "none is: SET checkpoint_history keeps some"
                    : "kept are \(names.joined(separator: ", "))")
        }
        // A checkpoint that can't be read whole is no place to go to.
        _ = try StoreExamination(checkpoint)
        try refuseStale()
        try refuseUnknownTargets(checkpoint)
        do {
            try check(checkpoint)
        } catch {
            throw naming(kept.filter { $0 != checkpoint }, near: checkpoint, error)
        }
        var lines: [String] = []
        for committer in committers {
            let above = try directory.markers(above: checkpoint.marker, of: committer.target)
            guard let newest = above.max() else { continue }
            lines.append(
                "  \(committer.name): the next run takes back what it may hold up to epoch "
                    + "\(newest.epoch)")
        }
        let identity = try directory.rewind(to: checkpoint)
        return [
            "\(directory.path) stands at epoch \(epoch) again, generation \(identity.generation)"
        ] + lines
    }

    /// A directory that its sinks have left behind must not take anything back.
    private func refuseStale() throws(Failure) {
        for committer in committers {
            let history = try directory.history(of: committer.target)
            let marker = try committer.readMarker()
            if case .stale = history.judge(marker, mayBeOld: committer.firstReadMayBeOld) {
                throw history.stale(committer.name, found: marker, code: "state.stale")
            }
        }
    }

    /// An output that the topology no longer has could not be brought back.
    private func refuseUnknownTargets(_ checkpoint: RetainedCheckpoint) throws(Failure) {
        let known = Set(committers.map(\.target))
        for target in try directory.knownTargets() where !known.contains(target) {
            guard try directory.markers(above: checkpoint.marker, of: target).isEmpty else {
                throw Failure(
                    .invalid, "rewind.output",
                    "an output that took epochs above \(checkpoint.epoch) is not in this topology",
                    hint: "rewind with the topology that wrote it")
            }
        }
    }

    private func check(_ checkpoint: RetainedCheckpoint) throws(Failure) {
        let past = try StateDirectory.inspect(checkpoint)
        for committer in committers {
            let above = try directory.markers(above: checkpoint.marker, of: committer.target)
            if above.isEmpty { continue }
            do {
                try committer.checkRestore(
                    to: checkpoint.marker, open: try past.history(of: committer.target).open)
            } catch {
                if error.code == "rewind.duplicates", allowsDuplicates { continue }
                throw error
            }
        }
    }

    /// The refusal, with the checkpoints before and after it that can be gone back to.
    private func naming(
        _ others: [RetainedCheckpoint], near wanted: RetainedCheckpoint, _ failure: Failure
    ) -> Failure {
        guard failure.code != "rewind.duplicates" else { return failure }
        let possible = others.filter { (try? check($0)) != nil }
        let near = [
            possible.last { $0.marker < wanted.marker },
            possible.first { $0.marker > wanted.marker },
        ].compactMap { $0 }
        guard !near.isEmpty else { return failure }
        let names = near.map { String($0.epoch) }.joined(separator: " or ")
        return Failure(
            failure.kind, failure.code, failure.message, hint: "rewind to epoch \(names)")
    }
}
