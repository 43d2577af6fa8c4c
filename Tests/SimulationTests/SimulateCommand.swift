// Running scripts/simulate's command: processes of their own, as a broken rule holds for a process.

import Foundation

/// One run of `millrace-simulate`, which stands beside the test bundle.
struct SimulateCommand {
    let status: Int32
    let output: String

    init(_ arguments: [String]) throws {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(filePath: own ?? CommandLine.arguments[0])
            .deletingLastPathComponent().appending(path: "millrace-simulate")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        output = String(
            decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
    }

    /// The line that replays a failure, without the script's name.
    var replay: [String]? {
        guard let line = output.split(separator: "\n").first(where: { $0.contains(" fails: ") })
        else { return nil }
        return line.split(separator: " ").drop { $0 != "scripts/simulate" }.dropFirst()
            .map(String.init)
    }
}
