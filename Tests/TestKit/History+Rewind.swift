// Going back to a checkpoint that the directory keeps (design.md §3.9), as an operation between two
// processes: what the sinks got above it is taken back by the next run.

import Connectors
import Contracts
import Environment
import Progress
import RocksState
import Runtime

extension History {
    func perhapsRewind(_ random: inout SeededRandom) throws {
        let isDue = random.isOneIn(3)
        guard isDue, directory.isOnDisk, directory.exists, copy == nil, !hadLiveCopy, !hadLoss,
            !hasCut,
            !cuts.hazards.contains(.rewind)
        else { return }
        let kept = StateDirectory.retained(in: directory.path)
        guard !kept.isEmpty else { return }
        let checkpoint = random.pick(kept)
        let process = SimulatedProcess("rewind", ProcessHazards(), world: world)
        let state = try StateDirectory.open(path: directory.path, entropy: entropy(random))
        let context = ConnectorContext(
            identity: state.identity, mode: .availableNow, clock: world.clock, workers: 1,
            failFast: false, foreignTable: .refuse, log: { _ in })
        let committers = try connectors(process).makeCommitters(
            of: try makePlan(batchRows: 2_048), context)
        do {
            _ = try Rewind(directory: state, committers: committers, allowsDuplicates: false)
                .run(to: checkpoint.epoch)
            world.note("rewind to \(checkpoint.epoch)")
            result.features.insert(.rewind)
        } catch {
            // Records cannot be taken back; nor can a part of a commit to an updated table.
            guard ["rewind.duplicates", "rewind.inexact"].contains(error.code) else { throw error }
            result.features.insert(.rewindRefused)
        }
    }
}
