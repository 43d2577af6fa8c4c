// Who runs the workers and committers of a pipeline: a thread each, or, in a simulation, the
// control thread itself, one turn at a time in an order that a seed decides.

import Connectors
import Dispatch
import Foundation

/// What a turn of a worker or committer came to.
enum Turn {
    case worked
    /// Nothing to do before somebody wakes it, or so long has passed.
    case parked(milliseconds: Int)
    case ended
}

/// Whoever gives workers and committers their turns.
protocol Crew: AnyObject {
    /// Takes a worker over: nobody else uses it after this.
    func employ(_ worker: Worker)
    func employ(_ commit: CommitThread)
    /// Lets the others work until one of them reports, or so long; what was reported.
    func await(_ reports: ReportQueue<Pipeline.Report>, milliseconds: Int) -> [Pipeline.Report]
    /// Waits until the workers, which were told to stop, have.
    func dismissWorkers()
    /// Waits until a committer, which was told to stop, has, or so long.
    func dismiss(_ commit: CommitThread, waitMilliseconds: Int)
}

/// A thread each.
final class ThreadCrew: Crew {
    private var workersRunning = 0
    private let workerEnded = DispatchSemaphore(value: 0)

    func employ(_ worker: Worker) {
        // SAFETY: because a worker is handed over whole: nobody keeps a reference to it after this.
        nonisolated(unsafe) let worker = worker
        start("worker", stackByteCount: 16 << 20) { [workerEnded] in
            unsafe worker.run()
            workerEnded.signal()
        }
        workersRunning += 1
    }

    func employ(_ commit: CommitThread) {
        start("commit \(commit.committer.name)", stackByteCount: 8 << 20) { commit.run() }
    }

    private func start(
        _ name: String, stackByteCount: Int, _ body: @escaping @Sendable () -> Void
    ) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = stackByteCount
        thread.start()
    }

    func await(
        _ reports: ReportQueue<Pipeline.Report>, milliseconds: Int
    ) -> [Pipeline.Report] {
        reports.take(milliseconds: milliseconds)
    }

    func dismissWorkers() {
        while workersRunning > 0 {
            _ = workerEnded.wait(timeout: .now() + .seconds(5))
            workersRunning -= 1
        }
    }

    func dismiss(_ commit: CommitThread, waitMilliseconds: Int) {
        commit.awaitEnd(milliseconds: waitMilliseconds)
    }
}

/// Decides whose turn it is where everything runs on one thread, and lets time pass.
public protocol TurnOrder: AnyObject, Sendable {
    /// Which of `count` workers and committers goes on; called once a turn.
    func next(of count: Int) -> Int
}

/// All on the calling thread: the same order of turns gives the same run.
final class TurnCrew: Crew {
    private let order: any TurnOrder
    private var workers: [Worker] = []
    private var commits: [CommitThread] = []

    init(_ order: any TurnOrder) { self.order = order }

    func employ(_ worker: Worker) { workers.append(worker) }
    func employ(_ commit: CommitThread) { commits.append(commit) }

    func await(
        _ reports: ReportQueue<Pipeline.Report>, milliseconds: Int
    ) -> [Pipeline.Report] {
        let waiting = reports.take(milliseconds: 0)
        guard waiting.isEmpty, !(workers.isEmpty && commits.isEmpty) else { return waiting }
        let turn = order.next(of: workers.count + commits.count)
        if turn < workers.count {
            _ = workers[turn].turn()
        } else {
            _ = commits[turn - workers.count].turn()
        }
        return reports.take(milliseconds: 0)
    }

    func dismissWorkers() { workers = [] }

    func dismiss(_ commit: CommitThread, waitMilliseconds: Int) {
        commits.removeAll { $0 === commit }
    }
}
