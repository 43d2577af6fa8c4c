// The rules of the protocol broken on purpose, one at a time (`millrace-mutant`): the same faults,
// the same judge, and now it must be red.

import Foundation
import Glibc
import PythonSupport
import Testing

extension MatrixCase {
    /// A rule that is off, and how the matrix notices.
    private struct Breakage: Sendable {
        let mutant: String
        let fault: Fault

        enum Fault: Sendable {
            /// Killed there and started again.
            case killed(String)
            /// A copy of the directory that has fallen behind is started.
            case staleCopy
            /// A call is done and its answer lost.
            case lost(FileFault)
        }

        var noticedBy: String {
            switch fault {
            case .killed(let place): "killed at \(place)"
            case .staleCopy: "a stale copy"
            case .lost(let fault): "the answer to \(fault.call) lost"
            }
        }
    }

    private static let breakages = [
        Breakage(mutant: "skip-intent", fault: .killed("delta.before_commit:by_auction@3")),
        Breakage(mutant: "commit-before-write", fault: .killed("delta.after_commit:by_auction")),
        Breakage(mutant: "skip-marker-lookup", fault: .killed("kafka.committed@3")),
        Breakage(mutant: "trim-early", fault: .killed("checkpoint.written@4")),
        Breakage(mutant: "reread-record", fault: .killed("checkpoint.written@5")),
        Breakage(mutant: "marker-not-below", fault: .staleCopy),
        Breakage(
            mutant: "eager-cleanup",
            fault: .lost(
                FileFault(
                    call: "link", effect: "after:EIO", path: "/by_auction/_delta_log/",
                    ending: ".json", nth: 4))),
    ]

    static let mutants = breakages.map { breakage in
        MatrixCase(
            .mutant, "\(breakage.mutant), \(breakage.noticedBy)",
            isQuick: breakage.mutant != "skip-intent"
        ) { bench in
            let red = try faults(breakage, bench)
            var outcome = MatrixOutcome(strikes: red.prefix(1).map { brief($0) })
            if red.isEmpty { outcome.faults = ["\(breakage.mutant) went unnoticed"] }
            return outcome
        }
    }

    private static func unkilled(_ rig: MatrixRig, _ ending: Ending) throws -> [String] {
        if ending.status == 0 { return try rig.faults(ending) }
        let word = ending.errors.split(separator: "\n").last { $0.hasPrefix("millrace: ") } ?? ""
        return ["exit \(ending.status ?? -1) without a kill: \(word.prefix(60))"]
    }

    private static func brief(_ fault: String) -> String {
        String(fault.split(separator: "\n")[0].prefix(80))
    }

    private static func faults(_ breakage: Breakage, _ bench: MatrixBench) throws -> [String] {
        let rig = try MatrixRig(.everything, bench)
        let mutant = breakage.mutant
        switch breakage.fault {
        case .killed(let place):
            let death = try rig.die(at: place, binary: .mutant, mutant: mutant)
            // Some rules are missed before anything strikes.
            guard death.hasDied else { return try unkilled(rig, death.ending) }
            return try rig.faults(rig.start(binary: .mutant, mutant: mutant).end())
        case .staleCopy:
            let death = try rig.die(at: "checkpoint.written@5", binary: .mutant, mutant: mutant)
            try #require(death.hasDied, "\(death.ending)")
            try rig.copyState(to: "copy")
            let last = try rig.start(binary: .mutant, mutant: mutant).end()
            try #require(last.status == 0, "\(last)")
            let copy = try rig.start(state: "copy", binary: .mutant, mutant: mutant).end()
            let started = rig.passed.names.contains("start.markers_read")
            return (started ? ["the stale copy went on: exit \(copy.status ?? -1)"] : [])
                + (try rig.faults(last))
        case .lost(let fault):
            let log = rig.folder.url.appending(path: "strikes")
            _ = try rig.start(
                binary: .mutant, mutant: mutant, variables: try fault.variables(log)
            ).end()
            try #require(!FileFault.strikes(log).isEmpty)
            return try rig.faults(rig.start(binary: .mutant, mutant: mutant).end())
        }
    }
}
