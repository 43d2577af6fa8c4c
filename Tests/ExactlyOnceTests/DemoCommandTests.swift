// The whole `millrace demo` as a user runs it: its verdict, what it does about a wrong table, and
// what it leaves behind however it ends.

import Contracts
import Foundation
import Glibc
import KafkaIO
import PythonSupport
import Testing

@Suite(.serialized)
struct DemoCommandTests {
    private static let broker = ProcessInfo.processInfo.environment["MILLRACE_KAFKA"]
    private static let events = 10_000

    private func demo(_ more: [String] = [], in folder: TemporaryFolder) throws -> RunningCommand {
        try RunningCommand(
            ["demo", "--events", String(Self.events), "--workers", "2"] + more, in: folder.url)
    }

    @Test func theTablesAreExactAcrossAKill() throws {
        let folder = try TemporaryFolder()
        let ending = try demo(in: folder).end()
        #expect(ending.status == 0, "\(ending)")
        #expect(ending.output.contains("kill -9 "))
        #expect(ending.output.contains("conservation: 10,000 records sent = "))
        #expect(ending.output.contains("verdict: exact"))
        #expect(!ending.output.contains("DIFFERENT"))
        #expect(try processes(in: folder).isEmpty)
    }

    /// Another writer takes a file out of the table: the sums are off, and the demo says so.
    @Test func aWrongTableIsAWrongVerdict() throws {
        let folder = try TemporaryFolder()
        let running = try demo(in: folder)
        let log = folder.url.appending(
            path: ".millrace/demo/\(running.processIdentifier)/lake/hot_auctions/_delta_log")
        try removeAFile(of: log, while: running)
        let ending = try running.end()
        #expect(ending.status == 1, "\(ending)")
        #expect(ending.output.contains("verdict: WRONG"))
        #expect(ending.output.contains("DIFFERENT"))
    }

    /// Adds an entry to a Delta log that removes the first file of the newest one.
    private func removeAFile(of log: URL, while running: RunningCommand) throws {
        while running.isRunning {
            usleep(20_000)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: log.path)) ?? []
            guard let newest = names.filter({ $0.hasSuffix(".json") }).max(),
                let version = Int(newest.dropLast(5)),
                let path = try firstAdded(log.appending(path: newest))
            else { continue }
            let entry = """
                {"commitInfo":{"operation":"DELETE","timestamp":0}}
                {"remove":{"path":"\(path)","dataChange":true,"deletionTimestamp":0}}

                """
            let number = String(version + 1)
            let name = String(repeating: "0", count: 20 - number.count) + number + ".json"
            let draft = log.appending(path: "draft")
            try Data(entry.utf8).write(to: draft)
            // SAFETY: both paths are copied strings for the time of the call.
            let isFirst = unsafe link(draft.path, log.appending(path: name).path) == 0
            try FileManager.default.removeItem(at: draft)
            if isFirst { return }
        }
        Issue.record("the demo ended before its table had a file")
    }

    private func firstAdded(_ entry: URL) throws -> String? {
        for line in try String(contentsOf: entry, encoding: .utf8).split(separator: "\n") {
            let action = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            if let add = action?["add"] as? [String: Any] { return add["path"] as? String }
        }
        return nil
    }

    @Test(arguments: [SIGKILL, SIGINT, SIGTERM, SIGHUP])
    func noChildOutlivesIt(_ signal: Int32) throws {
        let folder = try TemporaryFolder()
        let running = try demo(in: folder)
        let hasChild = waits(20) { (try? processes(in: folder))?.count == 2 }
        #expect(hasChild)
        running.signal(signal)
        let ending = try running.end(within: 20)
        if signal == SIGINT || signal == SIGTERM { #expect(ending.status == 130, "\(ending)") }
        let isAlone = waits(10) { (try? processes(in: folder))?.isEmpty ?? false }
        #expect(isAlone)
    }

    @Test(.enabled(if: Self.broker != nil, "needs a broker: MILLRACE_KAFKA"))
    func aRealBrokerIsLeftAsItWas() throws {
        let address = try #require(Self.broker)
        let administration = try KafkaAdministration(
            KafkaClientConfiguration(bootstrapServers: address))
        let folder = try TemporaryFolder()
        let killed = try demo(["--kafka", address], in: folder)
        _ = waits(20) { (try? processes(in: folder))?.count == 2 }
        killed.signal(SIGKILL)
        let leftover = try topic(try killed.end().output)
        #expect(try !administration.partitions(leftover).isEmpty)
        let ending = try demo(["--kafka", address], in: folder).end()
        #expect(ending.status == 0, "\(ending)")
        #expect(ending.output.contains("verdict: exact"))
        for name in [leftover, try topic(ending.output)] {
            let isGone = waits(10) { (try? administration.partitions(name))?.isEmpty ?? true }
            #expect(isGone, "\(name)")
        }
    }

    private func topic(_ output: String) throws -> String {
        let start = try #require(output.range(of: ", topic "))
        return String(output[start.upperBound...].prefix { $0 != "," })
    }

    private func waits(_ seconds: Double, until isSo: () -> Bool) -> Bool {
        let deadline = Date.now.addingTimeInterval(seconds)
        while Date.now < deadline {
            if isSo() { return true }
            usleep(20_000)
        }
        return isSo()
    }

    /// The processes whose current folder is `folder`: the demo and what it started.
    private func processes(in folder: TemporaryFolder) throws -> [Int32] {
        let own = folder.url.resolvingSymlinksInPath().path
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            guard let process = Int32(name),
                let place = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/\(name)/cwd"), place == own
            else { return nil }
            return process
        }
    }
}
