// Runs cases of the matrix, several at a time, and tells what became of them: as lines, as JSON, and
// as the tables of docs/EXACTLY_ONCE.md.

import Foundation
import Glibc
import PythonSupport
import Synchronization
import Testing

struct MatrixResult: Sendable {
    let entry: MatrixCase
    let outcome: MatrixOutcome
    let seconds: Double
    var isGreen: Bool { outcome.faults.isEmpty }
}

/// What is asked for, by the environment that `scripts/crash-matrix` sets.
struct MatrixRequest {
    private static let environment = ProcessInfo.processInfo.environment
    /// All cases, not only those of every test run.
    static let isWhole = environment["MILLRACE_MATRIX"] == "all"
    /// Part of a name.
    static let only = environment["MILLRACE_MATRIX_ONLY"]
    static let jsonFile = environment["MILLRACE_MATRIX_JSON"]
    static let writesDocument = environment["MILLRACE_MATRIX_WRITE"] == "1"
    /// Cases at a time: they mostly wait, for disks and for the broker.
    static let jobs = environment["MILLRACE_MATRIX_JOBS"].flatMap(Int.init) ?? 4

    static func isWanted(_ entry: MatrixCase) -> Bool {
        isWanted(entry.name, isQuick: entry.isQuick)
    }

    static func isWanted(_ name: String, isQuick: Bool) -> Bool {
        if let only { return name.contains(only) }
        return isWhole || isQuick
    }
}

enum MatrixRun {
    static func run(_ cases: [MatrixCase], on bench: MatrixBench) -> [MatrixResult] {
        let next = Atomic<Int>(0)
        let results = Mutex<[Int: MatrixResult]>([:])
        let group = DispatchGroup()
        for _ in 0..<min(MatrixRequest.jobs, cases.count) {
            group.enter()
            Thread.detachNewThread {
                while true {
                    let index = next.add(1, ordering: .relaxed).oldValue
                    guard index < cases.count else { break }
                    let result = run(cases[index], bench)
                    show(result)
                    results.withLock { $0[index] = result }
                }
                group.leave()
            }
        }
        group.wait()
        return results.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Cases that hurt a broker, one after the other.
    static func run(_ cases: [BrokerCase], on broker: MatrixBroker) -> [MatrixResult] {
        cases.map { one in
            let entry = MatrixCase(.fault, one.name, isQuick: one.isQuick) { _ in
                try one.body(broker)
            }
            let result = run(entry, broker.bench)
            show(result)
            return result
        }
    }

    private static func run(_ entry: MatrixCase, _ bench: MatrixBench) -> MatrixResult {
        let begun = Date.now
        var outcome: MatrixOutcome
        do {
            outcome = try entry.body(bench)
            if outcome.strikes.isEmpty { outcome.faults.append("nothing struck") }
        } catch {
            outcome = MatrixOutcome(faults: ["\(error)"])
        }
        return MatrixResult(
            entry: entry, outcome: outcome, seconds: Date.now.timeIntervalSince(begun))
    }

    private static func show(_ result: MatrixResult) {
        let seconds = String(format: "%.1f", result.seconds)
        print(
            "matrix: \(result.isGreen ? "fine" : "RED ") \(result.entry.name): "
                + "\(result.outcome.strikes.count) struck, \(seconds) s")
        for fault in result.outcome.faults { print("matrix:      \(fault)") }
        fflush(nil)
    }

    // MARK: What is told of them

    static func json(_ results: [MatrixResult]) throws -> Data {
        let rows = results.map { result -> [String: Any] in
            [
                "name": result.entry.name, "group": result.entry.group.rawValue,
                "subject": result.entry.subject, "strikes": result.outcome.strikes,
                "faults": result.outcome.faults, "seconds": result.seconds,
            ]
        }
        return try JSONSerialization.data(
            withJSONObject: rows, options: [.prettyPrinted, .sortedKeys])
    }

    static func summary(_ results: [MatrixResult]) -> String {
        let strikes = results.reduce(0) { $0 + $1.outcome.strikes.count }
        let red = results.filter { !$0.isGreen }
        let kills = results.filter { [.kill, .again, .steps].contains($0.entry.group) }
            .reduce(0) { $0 + $1.outcome.strikes.count }
        return "\(results.count) cases, \(strikes) faults that struck, \(kills) of them SIGKILLs "
            + "at failpoints; " + (red.isEmpty ? "all green" : "\(red.count) RED")
    }

    /// Markdown: failpoints by what is done there, then the other faults.
    static func table(_ results: [MatrixResult]) -> String {
        var lines = [summary(results) + ".", ""]
        let groups: [MatrixCase.Group] = [.kill, .again, .steps, .error]
        let heads = [
            "failpoint", "killed there", "again at the recovery", "then at each step of a start",
            "it fails",
        ]
        lines.append("| \(heads.joined(separator: " | ")) |")
        lines.append("|---|---|---|---|---|")
        for place in CrashPlace.all {
            let own = results.filter { result in
                groups.contains(result.entry.group) && result.entry.subject == place.name
            }
            guard !own.isEmpty else { continue }
            let cells = groups.map { group in
                own.first { $0.entry.group == group }.map { cell($0) } ?? ""
            }
            lines.append("| `\(place.name)` | \(cells.joined(separator: " | ")) |")
        }
        lines += ["", "| fault | what shows that it struck | result |", "|---|---|---|"]
        for result in results where result.entry.group == .fault {
            let proof = result.outcome.strikes.joined(separator: "; ")
            lines.append(
                "| \(result.entry.subject) | \(proof) | \(result.isGreen ? "exact" : "RED") |")
        }
        lines += ["", "| rule broken on purpose, and the case that notices | what it finds |", "|---|---|"]
        for result in results where result.entry.group == .mutant {
            let found = result.outcome.strikes.first ?? ""
            lines.append("| \(result.entry.subject) | \(result.isGreen ? found : "UNNOTICED") |")
        }
        return lines.joined(separator: "\n")
    }

    private static func cell(_ result: MatrixResult) -> String {
        guard result.isGreen else { return "RED" }
        let count = result.outcome.strikes.count
        switch result.entry.group {
        case .error:
            return result.outcome.strikes.contains { $0.hasSuffix("exit 0") }
                ? "goes on, exact" : "exit 1, exact"
        default: return "\(count) \(count == 1 ? "kill" : "kills"), exact"
        }
    }

    private static let opening = "<!-- crash-matrix: written by scripts/crash-matrix --write -->"
    private static let closing = "<!-- /crash-matrix -->"

    /// Puts the table between its markers in docs/EXACTLY_ONCE.md.
    static func writeDocument(_ results: [MatrixResult]) throws {
        let file = Python.root.appending(path: "docs/EXACTLY_ONCE.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let before = try #require(text.range(of: opening), "no marker in \(file.path)")
        let after = try #require(text.range(of: closing), "no closing marker in \(file.path)")
        let new = text[..<before.upperBound] + "\n" + table(results) + "\n"
            + text[after.lowerBound...]
        try String(new).write(to: file, atomically: true, encoding: .utf8)
    }
}
