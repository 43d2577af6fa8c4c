// One `millrace run` as a process of its own: this very binary, started as a user would start it.

import Contracts
import DeltaTable
import Foundation
import Glibc
import Synchronization

/// A child process whose log is read line by line. Used from one thread.
final class DemoProcess {
    private let process = Process()
    private let output = Pipe()
    private let log = Pipe()
    private let logEnded = DispatchSemaphore(value: 0)

    /// Starts it; `onLine` is called from a thread of its own with each line of the log.
    init(
        arguments: [String], environment: [String: String],
        onLine: @escaping @Sendable (String) -> Void
    ) throws(Failure) {
        process.executableURL = DemoProcess.executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        ParentWatch.attach(process)
        process.standardOutput = output
        process.standardError = log
        do {
            try process.run()
        } catch {
            throw Failure(
                .failed, "demo.start", "could not start \(DemoProcess.executable.path): \(error)")
        }
        let handle = log.fileHandleForReading
        let ended = logEnded
        let thread = Thread {
            DemoProcess.readLines(handle, onLine)
            ended.signal()
        }
        thread.name = "log"
        thread.start()
    }

    /// The running binary.
    static var executable: URL { URL(filePath: "/proc/self/exe").resolvingSymlinksInPath() }

    private static func readLines(_ handle: FileHandle, _ onLine: (String) -> Void) {
        var rest: [UInt8] = []
        while true {
            let data = handle.availableData
            guard !data.isEmpty else { break }
            rest += data
            while let end = rest.firstIndex(of: 0x0a) {
                onLine(String(decoding: rest[..<end], as: UTF8.self))
                rest.removeFirst(end + 1)
            }
        }
        if !rest.isEmpty { onLine(String(decoding: rest, as: UTF8.self)) }
    }

    var identifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    func send(_ signal: Int32) {
        if process.isRunning { _ = kill(process.processIdentifier, signal) }
    }

    /// Waits for its end; false: not within the time.
    func waits(seconds: Double) -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while process.isRunning {
            guard ContinuousClock.now < deadline else { return false }
            Thread.sleep(forTimeInterval: 0.02)
        }
        _ = logEnded.wait(timeout: .now() + .seconds(2))
        return true
    }

    /// Exit status; of a signal 128 + its number, as shells have it.
    var status: Int32 {
        process.terminationReason == .exit
            ? process.terminationStatus : 128 + process.terminationStatus
    }

    /// Standard output of a process that has ended.
    func text() -> String {
        String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    /// Ends it whatever it does.
    func end() {
        guard process.isRunning else { return }
        send(SIGTERM)
        if !waits(seconds: 5) {
            send(SIGKILL)
            _ = waits(seconds: 5)
        }
    }
}

/// What a child's log says while it runs.
final class DemoProgress: Sendable {
    struct State {
        /// The newest durable epoch.
        var epoch = 0
        /// Records that wait in the topic, as of the last line.
        var lag: Int?
        /// Lines of the log that are no progress: shown if the child fails.
        var messages: [String] = []
    }

    private let state = Mutex(State())
    private let show: @Sendable (String) -> Void
    private static let messageLimit = 20

    init(_ show: @escaping @Sendable (String) -> Void) { self.show = show }

    var current: State { state.withLock { $0 } }

    /// Takes one line of the JSON log; shows progress and warnings.
    func take(_ line: String) {
        guard let fields = try? JSONValue(parsing: line), let message = fields["message"]?.string
        else { return note(line) }
        if message == "progress" {
            state.withLock { state in
                state.epoch = fields["epoch"]?.string.flatMap { Int($0) } ?? state.epoch
                state.lag = fields["lag"]?.string.flatMap { Int($0) }
            }
            return show(DemoProgress.text(fields))
        }
        if fields["level"]?.string != "info" { note(line) }
    }

    private func note(_ line: String) {
        state.withLock { state in
            if state.messages.count < DemoProgress.messageLimit { state.messages.append(line) }
        }
    }

    private static func text(_ fields: JSONValue) -> String {
        func field(_ name: String) -> Int { fields[name]?.string.flatMap { Int($0) } ?? 0 }
        // 2026-01-01T00:02:10Z: the day is always the same.
        let watermark = fields["watermark"]?.string ?? "-"
        let time = watermark.split(separator: "T").last.map { $0.filter { $0 != "Z" } } ?? "-"
        let lag = fields["lag"]?.string.flatMap { Int($0) }.map { DemoText.grouped($0) } ?? "-"
        return DemoText.padded(DemoText.grouped(field("events_per_s")), 7) + " events/s"
            + "  lag \(DemoText.padded(lag, 6))"
            + "  watermark \(DemoText.padded(String(time), 8))"
            + "  epoch \(DemoText.padded(String(field("epoch")), 3))"
            + "  state \(DemoText.padded(DemoText.bytes(field("state_bytes")), 8))"
            + "  checkpoint \(DemoText.bytes(field("checkpoint_bytes")))"
    }
}

/// Numbers as people read them.
package enum DemoText {
    /// 1234567 is 1,234,567.
    package static func grouped(_ number: some BinaryInteger) -> String {
        let digits = Array(String(number.magnitude))
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// To the right of a field.
    package static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    package static func bytes(_ count: Int) -> String {
        if count < 10_000 { return "\(count) B" }
        if count < 10_000_000 { return "\(count / 1_000) kB" }
        return "\(count / 1_000_000) MB"
    }
}
