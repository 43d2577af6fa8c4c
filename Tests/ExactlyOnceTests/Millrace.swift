// Running the built command as a process that can be killed.

import Foundation
import Glibc
import Synchronization

/// The command under test.
enum Binary: String {
    case millrace
    /// The same with one rule broken (`MILLRACE_MUTANT`).
    case mutant = "millrace-mutant"

    /// Beside the test bundle, as both come from one build; MILLRACE_BINARY names another.
    var url: URL {
        let environment = ProcessInfo.processInfo.environment
        if self == .millrace, let named = environment["MILLRACE_BINARY"] {
            return URL(filePath: named)
        }
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        return URL(filePath: own ?? CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: rawValue)
    }
}

/// How a process ended.
struct Ending: CustomStringConvertible {
    /// Exit status, or nil if a signal ended it.
    let status: Int32?
    let output: String
    let errors: String

    var wasKilled: Bool { status == nil }
    var description: String {
        "\(status.map { "exit \($0)" } ?? "killed"): \(output)\(errors.suffix(2_000))"
    }

    /// The last line of `--json`.
    func report() throws -> [String: Any] {
        let line = output.split(separator: "\n").last ?? ""
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
        return value as? [String: Any] ?? [:]
    }
}

/// A running `millrace`.
final class RunningCommand {
    private let process = Process()
    private let output: URL
    private let errors: URL
    let processIdentifier: Int32

    /// `failpoint`: as MILLRACE_FAILPOINT; `log`: as MILLRACE_FAILPOINT_LOG; `variables`: more of
    /// the environment; `wrapper`: a program that becomes the command, with its arguments.
    init(
        _ arguments: [String], in folder: URL, binary: Binary = .millrace,
        failpoint: String? = nil, log: URL? = nil, mutant: String? = nil,
        variables: [String: String] = [:], wrapper: [String] = []
    ) throws {
        output = folder.appending(path: "stdout-\(UUID().uuidString)")
        errors = folder.appending(path: "stderr-\(UUID().uuidString)")
        for file in [output, errors] { try Data().write(to: file) }
        let words = wrapper + [binary.url.path] + arguments
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.currentDirectoryURL = folder
        var environment = ProcessInfo.processInfo.environment
        environment["MILLRACE_FAILPOINT"] = failpoint
        environment["MILLRACE_FAILPOINT_LOG"] = log?.path
        environment["MILLRACE_MUTANT"] = mutant
        environment.merge(variables) { $1 }
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        processIdentifier = process.processIdentifier
    }

    var isRunning: Bool { process.isRunning }

    /// What it has written to its error stream so far.
    func errorText() throws -> String { try String(contentsOf: errors, encoding: .utf8) }

    /// Waits until the error stream holds a text; false: it ended, or so long has passed.
    func says(_ text: String, within seconds: Double = 60) throws -> Bool {
        let deadline = Date.now.addingTimeInterval(seconds)
        while try !errorText().contains(text) {
            guard process.isRunning, Date.now < deadline else { return false }
            usleep(20_000)
        }
        return true
    }

    func signal(_ number: Int32) { _ = Glibc.kill(processIdentifier, number) }

    /// The most memory that it was seen to have taken, bytes; from waiting for its end.
    private(set) var peakBytes: Int?

    /// VmHWM of its /proc status, which counts in KiB; nil once it has ended.
    private var peakBytesNow: Int? {
        let path = "/proc/\(processIdentifier)/status"
        guard let status = try? String(contentsOfFile: path, encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        else { return nil }
        return line.split(whereSeparator: \.isWhitespace).dropFirst().first
            .flatMap { Int($0) }.map { $0 << 10 }
    }

    /// Waits for its end; one that outlives the limit is killed, which the caller sees.
    func end(within seconds: Double = 120) throws -> Ending {
        let deadline = Date.now.addingTimeInterval(seconds)
        while process.isRunning, Date.now < deadline {
            usleep(5_000)
            peakBytes = peakBytesNow ?? peakBytes
        }
        if process.isRunning { signal(SIGKILL) }
        process.waitUntilExit()
        let isExit = process.terminationReason == .exit
        return Ending(
            status: isExit ? process.terminationStatus : nil,
            output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }
}

/// Random, but the same from the same seed.
struct Dice {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func roll(_ range: ClosedRange<Int>) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return range.lowerBound + Int((state >> 33) % UInt64(range.count))
    }
}
