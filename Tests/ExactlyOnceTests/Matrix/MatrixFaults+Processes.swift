// More processes than there should be, and processes that stand still.

import Foundation
import Glibc
import PythonSupport
import Testing

extension MatrixCase {
    static let processFaults: [MatrixCase] =
        [
            MatrixCase(.fault, "a second process on the same state directory", isQuick: true) {
                try secondProcess($0)
            },
            MatrixCase(.fault, "F8: a stale copy of the state directory", isQuick: true) {
                try staleCopy($0)
            },
            MatrixCase(.fault, "F8: two copies of the state directory at once", isQuick: true) {
                try twoCopies($0)
            },
            MatrixCase(.fault, "F3: a fresh state directory on filled outputs", isQuick: true) {
                try freshDirectory($0)
            },
            MatrixCase(.fault, "F3: a fresh state directory, --adopt", isQuick: true) {
                try adopted($0)
            },
            MatrixCase(.fault, "killed at random moments, six times", isQuick: true) {
                try killedAtRandom($0)
            },
        ]
        + zombies.map { place in
            MatrixCase(
                .fault, "F8: stopped at \(place), overtaken by a copy, woken", isQuick: true
            ) { try zombie($0, at: place) }
        }

    /// Where a process stands still while its copy goes on: before, in and behind each sink's
    /// commit.
    private static let zombies = [
        "checkpoint.before_write@4", "intent.offered@9", "kafka.begun@3", "kafka.flushed@3",
        "delta.before_commit:by_window@2", "delta.before_link@5",
        "delta.before_commit:by_auction@3", "files.before_rename@3", "files.marker_drafted@3",
    ]

    private static func secondProcess(_ bench: MatrixBench) throws -> MatrixOutcome {
        let rig = try MatrixRig(.everything, bench)
        var outcome = MatrixOutcome()
        let first = try rig.start(failpoint: "checkpoint.written@3=stop")
        let isStopped = KafkaFixture.wait { rig.passed.hasReached("checkpoint.written@3") }
        try #require(isStopped)
        let second = try rig.start().end()
        outcome.strikes.append("exit \(second.status ?? -1)")
        if second.status != 4 || !second.errors.contains("in use") {
            outcome.faults.append("\(second)")
        }
        first.signal(SIGCONT)
        outcome.faults += try rig.faults(first.end())
        return outcome
    }

    /// Fallen behind: it finds markers that it does not know, and touches nothing.
    private static func staleCopy(_ bench: MatrixBench) throws -> MatrixOutcome {
        let rig = try MatrixRig(.everything, bench)
        var outcome = MatrixOutcome()
        let death = try rig.die(at: "checkpoint.written@5")
        try #require(death.hasDied, "\(death.ending)")
        try rig.copyState(to: "copy")
        let last = try rig.start().end()
        outcome.faults += try rig.faults(last)
        let copy = try rig.start(state: "copy").end()
        outcome.strikes.append("exit \(copy.status ?? -1)")
        if copy.status != 4 { outcome.faults.append("\(copy)") }
        if rig.passed.names.contains("kafka.before_init") {
            outcome.faults.append("the copy took the topic over before it knew itself stale")
        }
        outcome.faults += try rig.faults(last)
        return outcome
    }

    private static func twoCopies(_ bench: MatrixBench) throws -> MatrixOutcome {
        let rig = try MatrixRig(.everything, bench)
        var outcome = MatrixOutcome()
        let death = try rig.die(at: "checkpoint.written@5")
        try #require(death.hasDied, "\(death.ending)")
        try rig.copyState(to: "copy")
        let both = [try rig.start(), try rig.start(state: "copy")]
        let endings = try both.map { try $0.end() }
        outcome.strikes.append(
            endings.map { "exit \($0.status ?? -1)" }.joined(separator: " and "))
        if !endings.contains(where: { $0.status == 4 }) { outcome.faults.append("\(endings)") }
        if let winner = endings.first(where: { $0.status == 0 }) {
            outcome.faults += try rig.faults(winner)
        } else {
            // Each may win one sink: outputs are right, at different epochs (design.md §3.7).
            outcome.faults += try rig.doubles()
        }
        return outcome
    }

    /// A process that hangs in a commit, whose pipeline somebody else goes on with.
    private static func zombie(_ bench: MatrixBench, at place: String) throws -> MatrixOutcome {
        var options = MatrixRig.Options()
        options.fetchMilliseconds = 60
        let rig = try MatrixRig(.everything, bench, options: options)
        var outcome = MatrixOutcome()
        let hung = try rig.start(failpoint: place + "=stop")
        let isStopped = KafkaFixture.wait { rig.passed.hasReached(place) && hung.isStopped }
        try #require(isStopped, "never came by \(place)")
        outcome.strikes.append("stopped at \(place)")
        // On a slow machine the sinks may be so far behind that all intents are its own.
        let hadAll = rig.passed.names.contains("run.final_checkpoint")
        try rig.copyState(to: "copy")
        let last = try rig.start(state: "copy").end()
        outcome.faults += try rig.faults(last)
        hung.signal(SIGCONT)
        let end = try hung.end()
        outcome.strikes.append("woken: exit \(end.status ?? -1)")
        switch end.status {
        case 4: break
        case 0 where hadAll: break
        case 1:
            // Its drafts were swept under it: an outcome that it does not know. Started again, it
            // learns what it is.
            let again = try rig.start().end()
            outcome.strikes.append("again: exit \(again.status ?? -1)")
            if again.status != 4 { outcome.faults.append("after \(end): \(again)") }
        default: outcome.faults.append("woken, it ended with \(end)")
        }
        outcome.faults += try rig.faults(last)
        return outcome
    }

    private static func freshDirectory(_ bench: MatrixBench) throws -> MatrixOutcome {
        let rig = try MatrixRig(.everything, bench)
        var outcome = MatrixOutcome()
        let last = try rig.start().end()
        outcome.faults += try rig.faults(last)
        let fresh = try rig.start(state: "fresh").end()
        outcome.strikes.append("exit \(fresh.status ?? -1)")
        if fresh.status != 4 { outcome.faults.append("\(fresh)") }
        for choice in ["--adopt", "--beside"] where !fresh.errors.contains(choice) {
            outcome.faults.append("it does not name \(choice): \(fresh)")
        }
        outcome.faults += try rig.faults(last)
        return outcome
    }

    private static func adopted(_ bench: MatrixBench) throws -> MatrixOutcome {
        let rig = try MatrixRig(.adoption, bench)
        var outcome = MatrixOutcome()
        let death = try rig.die(at: "delta.after_commit:middle@4", state: "lost")
        try #require(death.hasDied, "\(death.ending)")
        outcome.strikes.append("the directory is lost at delta.after_commit:middle@4")
        outcome.faults += try rig.faults(
            rig.start(arguments: ["--bounded", "--adopt"]).end())
        let zombie = try rig.start(state: "lost").end()
        outcome.strikes.append("found again, it ends with \(zombie.status ?? -1)")
        if zombie.status != 4 { outcome.faults.append("\(zombie)") }
        return outcome
    }

    private static func killedAtRandom(_ bench: MatrixBench) throws -> MatrixOutcome {
        var options = MatrixRig.Options()
        options.fetchMilliseconds = 100
        let rig = try MatrixRig(.everything, bench, options: options)
        var outcome = MatrixOutcome()
        var dice = Dice(seed: 17)
        var ending: Ending?
        for _ in 0..<6 where ending == nil {
            let run = try rig.start()
            usleep(UInt32(dice.roll(100...900)) * 1_000)
            run.signal(SIGKILL)
            let end = try run.end()
            guard end.wasKilled else {
                ending = end
                break
            }
            outcome.strikes.append(rig.passed.places.last?.name ?? "before the first failpoint")
        }
        outcome.faults += try rig.faults(try ending ?? rig.start().end())
        return outcome
    }
}

extension MatrixRig {
    /// As a backup of a machine would, also of a directory that is in use.
    func copyState(to other: String) throws {
        try FileManager.default.copyItem(
            atPath: folder.path("state"), toPath: folder.path(other))
    }
}

extension RunningCommand {
    /// Whether all of it stands still (SIGSTOP).
    var isStopped: Bool {
        let text = try? String(contentsOfFile: "/proc/\(processIdentifier)/stat", encoding: .utf8)
        return text?.split(separator: ")").last?.hasPrefix(" T") ?? false
    }
}
