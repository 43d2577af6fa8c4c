// `millrace run`: the long-running consumer, its signals, its progress line, its last line.

import Connectors
import Contracts
import Environment
import Foundation
import Planning
import Progress
import RocksState
import Runtime

extension EngineRunner {
    public func run(_ command: RunCommand, _ terminal: Terminal) async throws -> Int32 {
        let topology = try LoadedTopology(command.file, settings: command.engine.settings)
        let path = command.engine.stateDirectory ?? ".millrace/\(topology.plan.name)"
        let log = EventLog(command.engine, terminal)
        let opened = try StateDirectory.open(path: path, entropy: .system)
        let stop = StopRequest()
        SignalThread.start(stop)
        var options = RunOptions(
            mode: command.mode, workers: command.engine.workers ?? defaultWorkers)
        options.failFast = command.failsFast
        options.foreignTable = command.foreignTable
        options.describe = topology.describe
        options.log = log.line
        options.onProgress = { log.progress($0, name: topology.plan.name) }
        let adopts = command.takeover == .adopt
        let summary = try await onThread { [options, plan = topology.plan] () throws(Failure) in
            let adopted = adopts
                ? try Adopter(plan: plan, options: options, factory: LiveConnectors())
                    .adopt(into: opened)
                : opened
            let store = try PlanSettlement(
                plan: plan, directory: adopted, resets: command.resets, log: options.log
            ).settle()
            log.started(plan.name, store.identity, path)
            return try Pipeline(
                plan: plan, options: options, store: store, factory: LiveConnectors(), stop: stop
            ).run()
        }
        terminal.write(RunReport(summary).text(asJSON: command.printsJSON))
        let hasRefused = summary.lateRows + summary.deadRows > 0
        return command.isStrict && hasRefused ? 3 : 0
    }

    /// One a core.
    var defaultWorkers: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }
}

extension RunCommand {
    var mode: RunMode {
        switch end {
        case .never: .live
        case .bounded: .bounded
        case .availableNow: .availableNow
        }
    }

    var foreignTable: ConnectorContext.ForeignTable {
        switch takeover {
        case .refuse: .refuse
        case .adopt: .adopt
        case .beside: .beside
        }
    }
}

/// Runs blocking work on a thread of its own: the cooperative pool never blocks.
func onThread<Value: Sendable>(
    _ work: sending @escaping () throws(Failure) -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        // SAFETY: because the closure is handed over whole (`sending`) and called once.
        nonisolated(unsafe) let work = work
        let thread = Thread {
            do throws(Failure) {
                continuation.resume(returning: unsafe try work())
            } catch {
                continuation.resume(throwing: error)
            }
        }
        thread.stackSize = 16 << 20
        thread.start()
    }
}
