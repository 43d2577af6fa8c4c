// The commits of one target: takes durable intents, commits them in order, reports what landed.

import Connectors
import Contracts
import Environment
import Foundation
import Progress
import Synchronization

/// What a commit thread tells the control thread.
enum CommitReport: Sendable {
    /// The target has taken everything up to `marker`.
    case landed(TargetID, Marker, version: Int64?)
    /// The target answered and is ours; nothing has been committed yet.
    case takenOver(TargetID)
    /// Away; it will be tried again. For log and progress line.
    case waiting(TargetID, Failure)
    case failed(TargetID, Failure)
    /// Nothing of dead processes' files is left in the target, or it could not be removed.
    case swept(TargetID, Failure?)
}

/// Drives one committer. `offer` and `drain` come from the control thread.
final class CommitThread: Sendable {
    let committer: any SinkCommitter
    private let store: any EpochStore
    private let state: Mutex<State>
    private let wake = WakeUp()
    private let clock: Clock
    private let report: @Sendable (CommitReport) -> Void
    private let ended = DispatchSemaphore(value: 0)

    private struct State {
        var queue: CommitQueue
        var history: TargetHistory
        var isStopping = false
        var isTakenOver = false
        var attempt = 0
        /// Intents that the store does not have, by epoch: only where a mutant keeps them from it.
        var unwritten: [UInt64: Intent] = [:]
        /// Dead processes whose files are still to be looked for.
        var leftovers: [Leftover]
    }

    init(
        committer: any SinkCommitter, history: TargetHistory, open: [OpenIntent],
        leftovers: [Leftover], store: any EpochStore, clock: Clock,
        report: @escaping @Sendable (CommitReport) -> Void
    ) {
        var queue = CommitQueue(interval: committer.commitInterval)
        for intent in open { queue.offer(intent) }
        self.committer = committer
        self.store = store
        self.clock = clock
        self.report = report
        state = Mutex(State(queue: queue, history: history, leftovers: leftovers))
    }

    /// A durable intent, in epoch order.
    func offer(_ intent: Intent) {
        state.withLock { state in
            state.queue.offer(
                OpenIntent(marker: intent.marker, byteCount: intent.byteCount))
            state.history.open.append(intent.marker)
            if Mutant.skipIntent.isActive || Mutant.commitBeforeWrite.isActive {
                state.unwritten[intent.marker.epoch] = intent
            }
        }
        wake.signal()
    }

    /// From now on everything is due at once.
    func drain() {
        state.withLock { $0.queue.drain(true) }
        wake.signal()
    }

    /// Asks for the end, after the commit in hand.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
    }

    /// Waits for the end of `run`, or so long.
    func awaitEnd(milliseconds: Int) {
        _ = ended.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    var pendingBytes: Int { state.withLock { $0.queue.pendingBytes } }
    var openEpochs: [UInt64] { state.withLock { $0.queue.waiting.map(\.marker.epoch) } }
    var isEmpty: Bool { state.withLock { $0.queue.waiting.isEmpty } }

    /// Ours, and nothing waits.
    var isSettled: Bool { state.withLock { $0.isTakenOver && $0.queue.waiting.isEmpty } }

    /// A thread's body: runs until told to stop or until this target is done for.
    func run() {
        defer { ended.signal() }
        while true {
            switch turn() {
            case .worked: continue
            case .parked(let milliseconds): wake.wait(milliseconds: milliseconds)
            case .ended: return
            }
        }
    }

    /// One attempt at what is due.
    func turn() -> Turn {
        let (due, history, isStopping, isTakenOver) = state.withLock { state in
            (state.queue.next(now: now), state.history, state.isStopping, state.isTakenOver)
        }
        if isStopping { return .ended }
        do {
            if !isTakenOver { return settle(try committer.takeOver(history: history), .takeOver) }
            if due.isEmpty { return .parked(milliseconds: 50) }
            Failpoint.pass("commit.begin", subject(due))
            let intents = try due.map { open throws(Failure) in try intent(open.marker) }
            return settle(try committer.commit(intents, history: history), .commit(due))
        } catch {
            return end(error)
        }
    }

    private enum Attempt {
        case takeOver
        case commit([OpenIntent])
    }

    private func settle(_ outcome: CommitOutcome, _ attempt: Attempt) -> Turn {
        switch (outcome, attempt) {
        case (.committed, .takeOver):
            state.withLock { state in
                state.isTakenOver = true
                state.attempt = 0
            }
            report(.takenOver(committer.target))
            sweep()
            return .worked
        case (.committed(let version), .commit(let due)):
            Failpoint.pass("commit.done", subject(due))
            note(landed: due.count, version: version)
            sweep()
            return .worked
        case (.fenced(let failure), _): return end(failure)
        case (.unavailable(let failure), _):
            report(.waiting(committer.target, failure))
            return .parked(milliseconds: backOff())
        }
    }

    /// This target is done for.
    private func end(_ failure: Failure) -> Turn {
        state.withLock { $0.isStopping = true }
        report(.failed(committer.target, failure))
        return .ended
    }

    private var now: Int64 { Int64(clock.monotonicNanoseconds() / 1_000) }

    /// Tidies up after dead processes, as far as the target has resolved their epochs.
    private func sweep() {
        let leftovers = state.withLock { $0.leftovers }
        guard !leftovers.isEmpty else { return }
        do {
            let rest = try committer.sweep(leftovers)
            state.withLock { $0.leftovers = rest }
            if rest.isEmpty { report(.swept(committer.target, nil)) }
        } catch {
            state.withLock { $0.leftovers = [] }
            report(.swept(committer.target, error))
        }
    }

    private func intent(_ marker: Marker) throws(Failure) -> Intent {
        if let unwritten = state.withLock({ $0.unwritten[marker.epoch] }) { return unwritten }
        return try store.intent(of: committer.target, marker: marker)
    }

    /// The sink and its newest epoch, for failpoints.
    private func subject(_ due: [OpenIntent]) -> String {
        "\(committer.name) \(due.last?.marker.epoch ?? 0)"
    }

    private func note(landed count: Int, version: Int64?) {
        let marker = state.withLock { state in
            state.attempt = 0
            let marker = state.queue.committed(count, now: now)
            state.history.open.removeFirst(count)
            if let marker {
                state.history.trimmed = marker
                // The restore is among what landed.
                if state.history.dropped.allSatisfy({ $0 < marker }) { state.history.dropped = [] }
            }
            return marker
        }
        if let marker { report(.landed(committer.target, marker, version: version)) }
    }

    /// Milliseconds to the next attempt: exponential, with jitter, at most 6.4 s; a stop ends the
    /// wait early.
    private func backOff() -> Int {
        let attempt = state.withLock { state in
            state.attempt = min(state.attempt + 1, 6)
            return state.attempt
        }
        let longest = 100 << attempt
        return longest / 2 + Int(Entropy.system.next() % UInt64(longest / 2))
    }
}
