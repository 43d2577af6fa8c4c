// One case of the crash matrix: what is done to a pipeline, and what must be true after it.

import Foundation
import Glibc
import PythonSupport
import Testing

/// What became of a case.
struct MatrixOutcome: Sendable {
    /// Where the fault struck, one a strike: what the failpoint log, an exit, a shim's log or the
    /// process itself says of it.
    var strikes: [String] = []
    /// What is wrong; empty: green.
    var faults: [String] = []
}

struct MatrixCase: Sendable {
    let name: String
    let group: Group
    /// The line of the table that it belongs to: a failpoint, or a fault's own name.
    let subject: String
    /// Part of the ordinary test run.
    let isQuick: Bool
    let body: @Sendable (MatrixBench) throws -> MatrixOutcome

    enum Group: String, CaseIterable, Sendable {
        case kill = "killed"
        case again = "killed again"
        case steps = "killed at each step of the recovery"
        case error = "fails"
        case fault = "fault"
        case mutant = "mutant"
    }

    init(
        _ group: Group, _ subject: String, isQuick: Bool,
        _ body: @escaping @Sendable (MatrixBench) throws -> MatrixOutcome
    ) {
        let isWhole = group == .fault || group == .mutant
        name = isWhole ? subject : "\(subject), \(group.rawValue)"
        self.group = group
        self.subject = subject
        self.isQuick = isQuick
        self.body = body
    }
}

extension MatrixCase {
    /// All that a failpoint gets.
    static func cases(of place: CrashPlace) -> [MatrixCase] {
        var cases = [
            MatrixCase(.kill, place.name, isQuick: true) { bench in
                try killed(place, bench) { _, _ in nil }
            },
            MatrixCase(.again, place.name, isQuick: false) { bench in
                try killed(place, bench) { rig, outcome in
                    try strike(rig, place, place.trigger(recovering: true), &outcome)
                }
            },
            MatrixCase(.steps, place.name, isQuick: false) { bench in
                try killed(place, bench) { rig, outcome in
                    let steps = CrashPlace.startUp.map(\.name)
                    for (step, next) in zip(steps, steps.dropFirst() + [""]) {
                        // A start that leaves a step out, as a fresh directory's does, dies at the
                        // next.
                        let trigger = next.isEmpty ? step : "\(step),\(next)"
                        let early = try strike(rig, place, trigger, &outcome)
                        if let early { return early }
                    }
                    return nil
                }
            },
        ]
        if place.failure != .cannot {
            cases.append(MatrixCase(.error, place.name, isQuick: true) { try failed(place, $0) })
        }
        return cases
    }

    /// Kills at the place, does what `more` does, lets it end, and judges. `more` gives the ending
    /// of a run that came through.
    private static func killed(
        _ place: CrashPlace, _ bench: MatrixBench,
        _ more: (MatrixRig, inout MatrixOutcome) throws -> Ending?
    ) throws -> MatrixOutcome {
        let rig = try prepared(place, bench)
        var outcome = MatrixOutcome()
        let ending: Ending
        if let unhurt = try strike(rig, place, place.trigger(), &outcome) {
            outcome.faults.append("never came by \(place.trigger())")
            ending = unhurt
        } else {
            ending = try more(rig, &outcome)
                ?? rig.start(arguments: arguments(of: place)).end()
        }
        outcome.faults += try rig.faults(ending)
        return outcome
    }

    /// The place answers with an error instead.
    private static func failed(
        _ place: CrashPlace, _ bench: MatrixBench
    ) throws -> MatrixOutcome {
        let rig = try prepared(place, bench)
        var outcome = MatrixOutcome()
        let trigger = place.trigger(effect: "=error")
        var ending = try rig.start(failpoint: trigger, arguments: arguments(of: place)).end()
        if !rig.passed.hasReached(trigger) { outcome.faults.append("never came by \(trigger)") }
        outcome.strikes.append("\(trigger): \(ending.status.map { "exit \($0)" } ?? "killed")")
        if ending.status != (place.failure == .ends ? 1 : 0) {
            outcome.faults.append("\(trigger): \(ending)")
        }
        if place.failure == .ends {
            ending = try rig.start(arguments: arguments(of: place)).end()
        }
        outcome.faults += try rig.faults(ending)
        return outcome
    }

    /// A pipeline at the point where the place comes up.
    private static func prepared(_ place: CrashPlace, _ bench: MatrixBench) throws -> MatrixRig {
        var options = MatrixRig.Options()
        if place.isLate { options.fetchMilliseconds = 100 }
        let rig = try MatrixRig(place.rig, bench, options: options)
        switch place.rig {
        case .everything:
            if let first = place.after {
                let (hasDied, ending) = try rig.die(at: first)
                try #require(hasDied, "\(first): \(ending)")
            }
        case .adoption:
            // The pipeline whose directory is lost, in mid-stream.
            let (hasDied, ending) = try rig.die(
                at: "delta.after_commit:middle@4", state: "lost", arguments: ["--bounded"])
            try #require(hasDied, "\(ending)")
        }
        return rig
    }

    private static func arguments(of place: CrashPlace) -> [String] {
        place.rig == .adoption ? ["--bounded", "--adopt"] : ["--bounded"]
    }

    /// Starts with a failpoint set; nil: it died there, which is noted.
    @discardableResult
    private static func strike(
        _ rig: MatrixRig, _ place: CrashPlace, _ trigger: String, _ outcome: inout MatrixOutcome
    ) throws -> Ending? {
        let (hasDied, ending) = try rig.die(at: trigger, arguments: arguments(of: place))
        guard hasDied else { return ending }
        outcome.strikes.append(trigger)
        return nil
    }
}
