// Calls on files that fail, tear or kill, and a clock that jumps: a library of ours, built by the
// test, that the engine is started with.

import Foundation
import PythonSupport
import Testing

/// What is to go wrong, with which call, on which files (Shim/faults.c).
struct FileFault: Sendable {
    let call: String
    let effect: String
    var path = "/"
    var ending = ""
    var nth = 1
    /// Every such call from then on: a disk stays full.
    var lasts = false

    private func variables(_ log: URL, library: URL) -> [String: String] {
        [
            "LD_PRELOAD": library.path, "FAULT_CALL": call, "FAULT_EFFECT": effect,
            "FAULT_PATH": path, "FAULT_END": ending, "FAULT_NTH": "\(nth)",
            "FAULT_LASTS": lasts ? "1" : "0", "FAULT_LOG": log.path,
        ]
    }

    /// What a process is started with whose wall clock is off by what a file says.
    static func clock(_ file: String) throws -> [String: String] {
        ["LD_PRELOAD": try library.get().path, "FAULT_CLOCK": file]
    }

    /// What a process is started with.
    func variables(_ log: URL) throws -> [String: String] {
        variables(log, library: try FileFault.library.get())
    }

    /// The strikes so far, a line each.
    static func strikes(_ log: URL) -> [String] {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Whether an ordinary program fails at it, too: what it wrote to its error stream, nil if it
    /// did not fail.
    func plainWrite(to file: URL) throws -> String? {
        var plain = self
        (plain.nth, plain.path, plain.ending) = (1, file.path, "")
        let log = file.appendingPathExtension("log")
        let process = Process()
        process.executableURL = URL(filePath: "/bin/dd")
        process.arguments = ["if=/proc/self/status", "of=\(file.path)", "conv=fsync"]
        process.environment = ProcessInfo.processInfo.environment
            .merging(try plain.variables(log)) { $1 }
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let first = text.split(separator: "\n").first.map(String.init) ?? "no word"
        return process.terminationStatus == 0 ? nil : first
    }

    private static let folder = Result { try TemporaryFolder() }

    /// Built once, by the C compiler that Swift's own packages need, too.
    private static let library = Result<URL, any Error> {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Shim/faults.c")
        let target = try folder.get().url.appending(path: "faults.so")
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/env")
        compiler.arguments = [
            "cc", "-shared", "-fPIC", "-O1", "-o", target.path, source.path, "-ldl",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0, "cc could not build \(source.path)")
        return target
    }
}
