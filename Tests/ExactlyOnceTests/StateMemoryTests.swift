// State larger than `state_memory`: a million keys at 8 MB, each touched in two epochs far apart, with a
// kill and a restart on another number of workers between. The result is what arithmetic says, and the
// processes stay within the limit and 300 MB (docs/STORAGE.md).
//
// MILLRACE_STATE_KEYS=10000000 MILLRACE_STATE_MEMORY=64MB runs a larger one; see scripts/big-state.

import Foundation
import Glibc
import Testing

@Suite(.serialized) struct StateMemoryTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let keys = environment["MILLRACE_STATE_KEYS"].flatMap(Int.init) ?? 1_000_000
    private static let memory = environment["MILLRACE_STATE_MEMORY"] ?? "8MB"
    private static let slack = 300 << 20

    /// Every key twice, half of the input apart: times are a microsecond apart, and a key is a time
    /// modulo the number of keys.
    private func topology(_ folder: URL) -> String {
        """
        CREATE TABLE e (
            event_type integer, date_time timestamptz,
            at bigint GENERATED ALWAYS AS ((extract(epoch FROM date_time) * 1000000)::bigint) STORED
        ) USING nexmark WITH (events = \(2 * Self.keys), rate = 1000000, partitions = 1);
        CREATE VIEW per_key AS
        SELECT at % \(Self.keys) AS k, count(*) AS n, max(at) - min(at) AS apart
        FROM e GROUP BY at % \(Self.keys) HAVING count(*) = 2;
        CREATE MATERIALIZED VIEW total
        USING files WITH (path = '\(folder.path)/total', format = 'debezium_json') AS
        SELECT count(*) AS keys, sum(k) AS k, min(apart) AS least, max(apart) AS most FROM per_key;
        """
    }

    @Test func keysBeyondMemoryAreReadBack() throws {
        let folder = URL(filePath: NSTemporaryDirectory())
            .appending(path: "millrace-state-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try topology(folder).write(
            to: folder.appending(path: "t.sql"), atomically: true, encoding: .utf8)

        let first = try run(folder, workers: 2, failpoint: "checkpoint.written@3")
        #expect(first.ending.wasKilled, "\(first.ending)")
        let second = try run(folder, workers: 3, failpoint: nil)
        try #require(second.ending.status == 0, "\(second.ending)")
        let report = try second.ending.report()
        #expect(report["conserved"] as? Bool == true, "\(second.ending)")
        #expect(try #require(report["epoch"] as? Int) >= 8, "keys are touched in several epochs")

        let keys = Self.keys
        let last = try #require(try totals(folder).last)
        #expect(
            last == [keys, keys * (keys - 1) / 2, keys, keys],
            "keys, their sum, and how far apart the two times of each are")
        let limit = Self.slack + (try #require(Self.bytes(Self.memory)))
        for (name, run) in [("before the kill", first), ("after it", second)] {
            print(
                "\(keys) keys at \(Self.memory), \(name): \(run.seconds) s,",
                "peak \(run.peak >> 20) MB")
            #expect(run.peak < limit, "\(name): \(run.peak) bytes")
        }
    }

    private func run(
        _ folder: URL, workers: Int, failpoint: String?
    ) throws -> (ending: Ending, peak: Int, seconds: Int) {
        let began = Date.now
        let command = try RunningCommand(
            [
                "run", "t.sql", "--bounded", "--state", "state", "--workers", "\(workers)",
                "--json", "--set", "state_memory=\(Self.memory)",
            ], in: folder, failpoint: failpoint)
        // The high-water mark never falls: the last look has it.
        var peak = 0
        while command.isRunning, Date.now < began + 3_000 {
            peak = max(peak, Self.peak(of: command.processIdentifier) ?? 0)
            usleep(20_000)
        }
        let ending = try command.end(within: 1)
        return (ending, peak, Int(Date.now.timeIntervalSince(began)))
    }

    /// VmHWM, bytes.
    private static func peak(of process: Int32) -> Int? {
        let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    private static func bytes(_ size: String) -> Int? {
        size.hasSuffix("MB") ? Int(size.dropLast(2)).map { $0 << 20 } : nil
    }

    /// What the one row became, change by change; files in the order of their epochs.
    private func totals(_ folder: URL) throws -> [[Int]] {
        let output = folder.appending(path: "total")
        let names = try FileManager.default.contentsOfDirectory(atPath: output.path)
            .filter { !$0.hasPrefix(".") }
        var rows: [[Int]] = []
        for name in names {
            let text = try String(contentsOf: output.appending(path: name), encoding: .utf8)
            for line in text.split(separator: "\n") {
                let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
                guard let row = (value as? [String: Any])?["after"] as? [String: Any] else { continue }
                rows.append(["keys", "k", "least", "most"].map { row[$0] as? Int ?? -1 })
            }
        }
        return rows.sorted { $0[0] < $1[0] }
    }
}
