// Commands from the control thread to a worker.

import Synchronization

/// A mailbox; what a worker parks on.
final class Inbox: Sendable {
    let wake = WakeUp()
    private let commands = Mutex<[WorkerCommand]>([])

    func send(_ command: WorkerCommand) {
        commands.withLock { $0.append(command) }
        wake.signal()
    }

    func take() -> WorkerCommand? {
        commands.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
}

/// Reports from workers and committers to the control thread.
final class ReportQueue<Report: Sendable>: Sendable {
    private let wake = WakeUp()
    private let reports = Mutex<[Report]>([])

    func send(_ report: Report) {
        reports.withLock { $0.append(report) }
        wake.signal()
    }

    /// What has come; waits for something, or so long.
    func take(milliseconds: Int) -> [Report] {
        let taken = drain()
        if !taken.isEmpty { return taken }
        wake.wait(milliseconds: milliseconds)
        return drain()
    }

    private func drain() -> [Report] {
        reports.withLock { reports in
            defer { reports = [] }
            return reports
        }
    }
}
