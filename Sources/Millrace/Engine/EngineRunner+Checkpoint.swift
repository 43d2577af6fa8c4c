// `millrace checkpoint verify` and `millrace checkpoint rewind`.

import Connectors
import Contracts
import Environment
import Planning
import Progress
import RocksState
import Runtime

extension EngineRunner {
    public func checkpointVerify(
        _ command: CheckpointVerifyCommand, _ terminal: Terminal
    ) async throws -> Int32 {
        let path = stateDirectory(command.file, command.stateDirectory)
        let found = try await onThread { () throws(Failure) in try examine(path) }
        if command.printsJSON {
            let members = found.map(\.json).joined(separator: ",")
            terminal.write("{\"checkpoints\":[\(members)]}\n")
        } else {
            for one in found { terminal.write(one.line + "\n") }
        }
        let damaged = found.filter { $0.failure != nil }
        for one in damaged where command.printsJSON {
            terminal.writeError("millrace: \(one.line)\n")
        }
        return damaged.isEmpty ? 0 : 1
    }

    /// Everything is looked at, also behind the first damage.
    private func examine(_ path: String) throws(Failure) -> [ExaminedCheckpoint] {
        // Says what a state directory is, where there is none.
        if !LocalFiles.exists(path + "/db"), !LocalFiles.exists(path + "/FORMAT") {
            _ = try StateDirectory.inspect(path: path)
        }
        var found: [ExaminedCheckpoint] = []
        for checkpoint in StateDirectory.retained(in: path) {
            do {
                found.append(
                    ExaminedCheckpoint(
                        path: checkpoint.path, marker: checkpoint.marker,
                        store: try StoreExamination(checkpoint)))
            } catch {
                found.append(
                    ExaminedCheckpoint(
                        path: checkpoint.path, marker: checkpoint.marker, failure: error))
            }
        }
        do {
            let store = try StoreExamination(stateDirectory: path)
            found.append(
                ExaminedCheckpoint(
                    path: path + "/db", marker: store.newest?.marker ?? .none, store: store))
        } catch {
            found.append(ExaminedCheckpoint(path: path + "/db", marker: .none, failure: error))
        }
        return found
    }

    public func checkpointRewind(
        _ command: CheckpointRewindCommand, _ terminal: Terminal
    ) async throws -> Int32 {
        let topology = try LoadedTopology(command.file, settings: command.engine.settings)
        let path = stateDirectory(command.file, command.engine.stateDirectory)
        let log = EventLog(command.engine, terminal).line
        let told = try await onThread { [plan = topology.plan] () throws(Failure) in
            _ = try StateDirectory.inspect(path: path)
            let told = try decideRewind(command, plan, path, log)
            try StateDirectory.settle(path)
            return told
        }
        for line in told { terminal.write(line + "\n") }
        return 0
    }

    /// The directory is let go of when this returns.
    private func decideRewind(
        _ command: CheckpointRewindCommand, _ plan: Plan, _ path: String,
        _ log: @escaping @Sendable (LogLine) -> Void
    ) throws(Failure) -> [String] {
        let directory = try StateDirectory.open(path: path, entropy: .system)
        let context = ConnectorContext(
            identity: directory.identity, mode: .live, clock: .system, workers: 1,
            failFast: true, foreignTable: .beside, log: log)
        let rewind = Rewind(
            directory: directory,
            committers: try LiveConnectors().makeCommitters(of: plan, context),
            allowsDuplicates: command.allowsDuplicates)
        return try rewind.run(to: command.epoch)
    }
}

/// What became of one store's examination.
private struct ExaminedCheckpoint: Sendable {
    let path: String
    let marker: Marker
    var store: StoreExamination?
    var failure: Failure?

    var line: String {
        if let failure { return "\(path): DAMAGED: \(failure.description)" }
        return "\(path): epoch \(marker.epoch), \(store?.entryCount ?? 0) entries, "
            + "\(store?.byteCount ?? 0) bytes: sound"
    }

    var json: String {
        let damage = failure.map { JSONText.quoted($0.message) } ?? "null"
        return "{\"path\":\(JSONText.quoted(path)),\"generation\":\(marker.generation),"
            + "\"epoch\":\(marker.epoch),\"entries\":\(store?.entryCount ?? 0),"
            + "\"bytes\":\(store?.byteCount ?? 0),\"damage\":\(damage)}"
    }
}
