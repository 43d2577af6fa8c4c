// Copies of the state directory that run: old ones, and ones that live beside the original.
//
// What is promised (design.md §3.7): outputs stay right; a copy that is stale when it starts touches
// nothing and harms nobody; of two that live, each may win a sink where there are several, and both
// stop then.

import Contracts
import Progress

extension History {
    /// A copy as it stands between two processes.
    func perhapsCopy(_ random: inout SeededRandom) throws {
        let isDue = random.isOneIn(6)
        guard isDue, copy == nil, !hadLoss, !cuts.hazards.contains(.copy),
            directory.exists
        else { return }
        copy = try directory.copy(to: "\(directory.path)-\(result.processes)")
        world.note("copy")
    }

    /// A copy of a directory that a process has, between two of its writes. A real one would have to
    /// be torn in itself, which no protocol can mend.
    func perhapsCopyLive() {
        guard world.random.isOneIn(1_500), copy == nil, !hadLoss, directory.exists,
            !directory.isOnDisk, !cuts.hazards.contains(.copy)
        else { return }
        copy = try? directory.copy(to: "\(directory.path)-\(result.processes)")
        world.note("copy of a living process")
        result.features.insert(.copiedAlive)
    }

    /// A process, and perhaps the copy's beside it.
    func runWithCopy(_ number: Int, _ random: inout SeededRandom) throws -> Outcome {
        let own = hazards(number, &random)
        let process = SimulatedProcess("\(number)", own, world: world)
        let starts = random.isOneIn(2)
        var beside: CopyRun?
        if starts, let copy {
            let run = CopyRun(
                SimulatedProcess("\(number)'", hazards(number, &random), world: world))
            let random = random.stream("copy")
            world.baton.start { [self] in
                run.outcome = Result { try runProcess(run.process, on: copy, random) }
            }
            beside = run
        }
        // The original's end does not end the copy.
        let outcome = Result {
            try runProcess(process, on: directory, random.stream("original"))
        }
        while world.baton.isShared { world.baton.handOn(to: 0) }
        if process.hasReadBack { result.features.insert(.readBack) }
        var strikes = random.stream("strike")
        var wasStruck = false
        if case .success(.struck) = outcome { wasStruck = true }
        if let beside, try settle(beside, original: outcome) { wasStruck = true }
        if wasStruck { try noteStrike(&strikes) } else { isRecovering = false }
        if case .success(.fenced) = outcome, process.sinkEffects > 0, copyIsStale {
            result.differences.append("an old copy took a sink from process \(number)")
        }
        return try outcome.get()
    }

    /// No copy has ever run that was not refused at its start.
    private var copyIsStale: Bool { !hadLiveCopy }

    /// What became of a copy's process; whether it was struck.
    private func settle(
        _ run: CopyRun, original: Result<Outcome, any Error>
    ) throws -> Bool {
        guard let outcome = run.outcome else {
            throw Failure(.failed, "simulation.copy", "a copy's process came to no end")
        }
        switch try outcome.get() {
        case .fenced(let failure):
            result.features.insert(.copyFenced)
            copy = nil
            if failure.code != "state.stale" {
                hadLiveCopy = true
            } else if run.process.sinkEffects > 0 {
                result.differences.append("a copy that was stale at its start touched a sink")
            }
            return false
        case .done:
            hadLiveCopy = true
            return false
        case .lost: return false
        case .struck:
            hadLiveCopy = true
            return true
        }
    }

    /// The original was refused: a copy has gone on, or both have stopped each other.
    func goOnWithCopy(_ failure: Failure) throws {
        guard hadLiveCopy else {
            result.differences.append("refused without reason: \(failure)")
            throw HistoryEnd()
        }
        if let copy {
            result.features.insert(.copyWon)
            directory = copy
            self.copy = nil
            return
        }
        if targetCount == 1 {
            result.differences.append("of two copies with one sink both were refused: \(failure)")
        }
        result.features.insert(.twoLiveCopies)
        throw HistoryEnd()
    }

    /// Sinks that commit by themselves.
    private var targetCount: Int {
        let tables = topology.queries.filter { $0.sink == .delta }.count
        let hasTopics = topology.deadLettersAreRecords || topology.queries.count > tables
        let hasLate = topology.queries.contains { $0.window != nil }
        return tables + (hasTopics ? 1 : 0) + (hasLate ? 1 : 0)
            + (topology.deadLettersAreRecords ? 0 : 1)
    }
}

/// because: only the thread that holds the world's baton touches it.
private final class CopyRun: @unchecked Sendable {
    let process: SimulatedProcess
    var outcome: Result<History.Outcome, any Error>?

    init(_ process: SimulatedProcess) { self.process = process }
}
