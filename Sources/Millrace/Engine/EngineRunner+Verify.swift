// `millrace verify FILE`: does what lies in the outputs agree with what was read?

import Contracts
import Environment
import RocksState

extension EngineRunner {
    public func verify(_ command: VerifyCommand, _ terminal: Terminal) async throws -> Int32 {
        let topology = try LoadedTopology(command.file, settings: command.engine.settings)
        let path = stateDirectory(command.file, command.engine.stateDirectory)
        let log = EventLog(command.engine, terminal).line
        let report = try await onThread { () throws(Failure) in
            // Says what a state directory is, where there is none, and makes nothing in it.
            _ = try StateDirectory.inspect(path: path)
            guard let lock = try FileLock(path + "/LOCK") else {
                throw Failure(
                    .fenced, "state.in_use", "the pipeline of \(path) is running",
                    hint: "stop it: what is compared must stand still")
            }
            defer { withExtendedLifetime(lock) {} }
            return try VerifyRun(topology, path: path, log: log).run()
        }
        terminal.write(command.printsJSON ? report.json : report.text)
        if let first = report.first, command.printsJSON {
            terminal.writeError("millrace: verify: \(first)\n")
        }
        return report.agrees ? 0 : 1
    }
}
