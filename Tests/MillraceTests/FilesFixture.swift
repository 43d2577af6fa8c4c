// Runs topologies over files in a folder of their own.

import Connectors
import Contracts
import Environment
import Foundation
import Planning
import Progress
import RocksState
import Runtime
import SQLSyntax
import Synchronization

/// A folder that goes with the test, and pipelines that read and write in it.
final class FilesFixture: Sendable {
    let folder: String
    private let logged = Messages()

    init() throws {
        folder = NSTemporaryDirectory() + "millrace-files-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder + "/in", withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var messages: [String] { logged.all }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    func write(_ name: String, base64: String) throws {
        let bytes = try Data(base64Encoded: base64).orThrow("base64")
        try bytes.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    func append(_ name: String, _ text: String) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(folder)/\(name)"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    func plan(_ sql: String) throws -> Plan {
        let text = sql.replacingOccurrences(of: "$DIR", with: folder)
        let statements = try parseTopology(SourceText(file: "files.sql", text: text))
        return try Planner.plan(statements, name: "files", options: PlanningOptions())
    }

    /// Runs to the end of `mode` on the state directory called `state`. `resets`: `--reset-state`;
    /// `settles`: false as a build that stored no plan.
    @discardableResult
    func run(
        _ sql: String, _ mode: RunMode = .bounded, workers: Int = 1, state: String = "state",
        resets: [String] = [], settles: Bool = true
    ) throws -> RunSummary {
        let plan = try plan(sql)
        var options = RunOptions(mode: mode, workers: workers)
        options.log = { [logged] line in logged.append(line.message) }
        var store = try opened("\(folder)/\(state)")
        if settles {
            store = try PlanSettlement(
                plan: plan, directory: store, resets: resets, log: options.log
            ).settle()
        }
        return try Pipeline(
            plan: plan, options: options, store: store, factory: LiveConnectors(),
            stop: StopRequest()
        ).run()
    }

    /// The committers' threads of a run before this one may let go of the directory a little later.
    private func opened(_ path: String) throws -> StateDirectory {
        let deadline = Date.now.addingTimeInterval(30)
        while true {
            do {
                return try StateDirectory.open(path: path, entropy: .system)
            } catch {
                guard error.code == "state.in_use", Date.now < deadline else { throw error }
                Thread.sleep(forTimeInterval: 0.02)
            }
        }
    }

    /// Names of a folder's files, hidden ones too.
    func names(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)").sorted()
    }

    /// The lines of all visible files of a folder, sorted.
    func lines(_ name: String) throws -> [String] {
        guard FileManager.default.fileExists(atPath: "\(folder)/\(name)") else { return [] }
        return try names(name).filter { !$0.hasPrefix(".") }.flatMap { file in
            try String(contentsOfFile: "\(folder)/\(name)/\(file)", encoding: .utf8)
                .split(separator: "\n").map(String.init)
        }.sorted()
    }
}

/// What the log said.
private final class Messages: Sendable {
    private let messages = Mutex<[String]>([])

    var all: [String] { messages.withLock { $0 } }
    func append(_ message: String) { messages.withLock { $0.append(message) } }
}

struct Missing: Error, CustomStringConvertible {
    let description: String
}

extension Optional {
    func orThrow(_ what: String) throws -> Wrapped {
        guard let self else { throw Missing(description: what) }
        return self
    }
}
