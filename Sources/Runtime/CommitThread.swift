// One thread a commit target: takes durable intents, commits them in order, reports what landed.

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
    }

    init(
        committer: any SinkCommitter, history: TargetHistory, open: [OpenIntent],
        store: any EpochStore, clock: Clock,
        report: @escaping @Sendable (CommitReport) -> Void
    ) {
        var queue = CommitQueue(interval: committer.commitInterval)
        for intent in open { queue.offer(intent) }
        self.committer = committer
        self.store = store
        self.clock = clock
        self.report = report
        state = Mutex(State(queue: queue, history: history))
    }

    func start() {
        let thread = Thread { [self] in
            loop()
            ended.signal()
        }
        thread.name = "commit \(committer.name)"
        thread.stackSize = 8 << 20
        thread.start()
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

    /// Ends the thread after the commit in hand; waits so long at most.
    func stop(waitMilliseconds: Int) {
        state.withLock { $0.isStopping = true }
        wake.signal()
        _ = ended.wait(timeout: .now() + .milliseconds(waitMilliseconds))
    }

    var pendingBytes: Int { state.withLock { $0.queue.pendingBytes } }
    var openEpochs: [UInt64] { state.withLock { $0.queue.waiting.map(\.marker.epoch) } }
    var isEmpty: Bool { state.withLock { $0.queue.waiting.isEmpty } }

    /// Ours, and nothing waits.
    var isSettled: Bool { state.withLock { $0.isTakenOver && $0.queue.waiting.isEmpty } }

    private func loop() {
        while true {
            let (due, history, isStopping, isTakenOver) = state.withLock { state in
                (state.queue.next(now: now), state.history, state.isStopping, state.isTakenOver)
            }
            if isStopping { return }
            if !isTakenOver {
                if !takeOver(history) { return }
            } else if due.isEmpty {
                wake.wait(milliseconds: 50)
            } else if !commit(due, history) {
                return
            }
        }
    }

    /// One attempt, at the start. False: this target is done for.
    private func takeOver(_ history: TargetHistory) -> Bool {
        do {
            switch try committer.takeOver(history: history) {
            case .committed:
                state.withLock { state in
                    state.isTakenOver = true
                    state.attempt = 0
                }
                report(.takenOver(committer.target))
                return true
            case .fenced(let failure):
                report(.failed(committer.target, failure))
                return false
            case .unavailable(let failure):
                report(.waiting(committer.target, failure))
                backOff()
                return true
            }
        } catch {
            report(.failed(committer.target, error))
            return false
        }
    }

    private var now: Int64 { Int64(clock.monotonicNanoseconds() / 1_000) }

    /// One attempt. False: this target is done for.
    private func commit(_ due: [OpenIntent], _ history: TargetHistory) -> Bool {
        do {
            Failpoint.pass("commit.begin", subject(due))
            let intents = try due.map { open throws(Failure) in
                try intent(open.marker)
            }
            switch try committer.commit(intents, history: history) {
            case .committed(let version):
                Failpoint.pass("commit.done", subject(due))
                note(landed: due.count, version: version)
                return true
            case .fenced(let failure):
                report(.failed(committer.target, failure))
                return false
            case .unavailable(let failure):
                report(.waiting(committer.target, failure))
                backOff()
                return true
            }
        } catch {
            report(.failed(committer.target, error))
            return false
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
            if let marker { state.history.trimmed = marker }
            return marker
        }
        if let marker { report(.landed(committer.target, marker, version: version)) }
    }

    /// Exponential, with jitter, at most 5 s; a stop ends it early.
    private func backOff() {
        let attempt = state.withLock { state in
            state.attempt = min(state.attempt + 1, 6)
            return state.attempt
        }
        let longest = 100 << attempt
        wake.wait(milliseconds: longest / 2 + Int(Entropy.system.next() % UInt64(longest / 2)))
    }
}
