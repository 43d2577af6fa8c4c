// Sinks that are away, and a clock that jumps.

import Foundation
import Glibc
import PythonSupport
import Testing

extension MatrixCase {
    static let sinkFaults: [MatrixCase] = []

    static let clockFaults: [MatrixCase] = [
        MatrixCase(.fault, "the clock jumps two days ahead and three back", isQuick: true) {
            try clockJumps($0)
        }
    ]

    /// The wall clock only: time that ticks (CLOCK_MONOTONIC) does not jump on real machines either.
    private static func clockJumps(_ bench: MatrixBench) throws -> MatrixOutcome {
        var options = MatrixRig.Options()
        options.fetchMilliseconds = 100
        let rig = try MatrixRig(.everything, bench, options: options)
        var outcome = MatrixOutcome()
        let clock = rig.folder.path("clock")
        func set(days: Int64) throws {
            let bytes = Data((0..<8).map { UInt8(truncatingIfNeeded: (days * 86_400) >> ($0 * 8)) })
            if FileManager.default.fileExists(atPath: clock) {
                // In place: the process has it mapped.
                let file = try FileHandle(forWritingTo: URL(filePath: clock))
                try file.write(contentsOf: bytes)
                try file.close()
            } else {
                try bytes.write(to: URL(filePath: clock))
            }
        }
        try set(days: 0)
        let run = try rig.start(variables: try FileFault.clock(clock))
        for (days, commits) in [(2, 3), (-3, 9)] {
            let isThere = KafkaFixture.wait { rig.passed.count("commit.done") >= commits }
            try #require(isThere)
            try set(days: Int64(days))
        }
        let ending = try run.end()
        outcome.faults += try rig.faults(ending)
        let days = try rig.commitDays()
        if days.contains(2), days.contains(-3) {
            outcome.strikes.append("commits of the table are dated today and \(days) days off")
        } else {
            outcome.faults.append("commits are dated \(days) days off")
        }
        return outcome
    }
}

extension MatrixRig {
    /// By how many days the commits of the upsert table are dated off, each once.
    fileprivate func commitDays() throws -> [Int] {
        let log = lake + "/by_auction/_delta_log"
        var days: Set<Int> = []
        for name in try FileManager.default.contentsOfDirectory(atPath: log)
        where name.hasSuffix(".json") {
            let text = try String(contentsOfFile: "\(log)/\(name)", encoding: .utf8)
            guard let match = text.firstMatch(of: /"timestamp":(\d+)/), let time = Double(match.1)
            else { continue }
            days.insert(Int(((time / 1_000 - Date.now.timeIntervalSince1970) / 86_400).rounded()))
        }
        return days.subtracting([0]).sorted()
    }
}
