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

    private static let fakeTime =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].map { $0 + "/faketime/libfaketimeMT.so.1" }
        .first { FileManager.default.fileExists(atPath: $0) }

    /// Debian's faketime shows the process the wall clock that a file says; time that only ticks
    /// (CLOCK_MONOTONIC) does not jump on real machines either.
    private static func clockJumps(_ bench: MatrixBench) throws -> MatrixOutcome {
        let library = try #require(fakeTime, "faketime is not there: scripts/setup --test")
        var options = MatrixRig.Options()
        options.fetchMilliseconds = 400
        let rig = try MatrixRig(.everything, bench, options: options)
        var outcome = MatrixOutcome()
        let clock = rig.folder.path("clock")
        func set(_ offset: String) throws {
            try (offset + "\n").write(toFile: clock, atomically: true, encoding: .utf8)
        }
        try set("+0")
        let run = try rig.start(variables: [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ])
        for (offset, commits) in [("+2d", 3), ("-3d", 6)] {
            let isThere = KafkaFixture.wait { rig.passed.count("commit.done") >= commits }
            try #require(isThere)
            try set(offset)
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
