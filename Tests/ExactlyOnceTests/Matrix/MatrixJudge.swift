// The judge of the crash matrix: one Python process for all cases, which knows what the events must
// come to and reads the outputs with other people's readers.

import Foundation
import PythonSupport
import Synchronization
import Testing

/// Asked with one line of JSON, answers with one. Used by many threads, one at a time.
final class MatrixJudge: Sendable {
    private let folder: TemporaryFolder
    private let channel: Mutex<Channel>

    private struct Channel: ~Copyable {
        let process: Process
        let questions: FileHandle
        let answers: FileHandle
        var rest = Data()
    }

    /// `events`: the sound ones, as the generator wrote them.
    init(events: String) throws {
        folder = try TemporaryFolder()
        let process = Process()
        let interpreter: URL = try #require(Python.interpreter, "no Python")
        process.executableURL = interpreter
        let script = "import sys\n" + Oracle.tableFaults + MatrixJudge.script("matrix_judge.py")
        process.arguments = ["-c", script, events]
        let (questions, answers) = (Pipe(), Pipe())
        process.standardInput = questions
        process.standardOutput = answers
        try process.run()
        channel = Mutex(
            Channel(
                process: process, questions: questions.fileHandleForWriting,
                answers: answers.fileHandleForReading))
    }

    deinit {
        channel.withLock { channel in
            try? channel.questions.close()
            channel.process.waitUntilExit()
        }
    }

    /// What is wrong with a rig's outputs, a line each.
    /// `isPartial`: outputs may lack rows; those without updates are looked at then.
    func faults(
        of rig: MatrixRig, counts: (late: Int, dead: Int)?, isPartial: Bool = false
    ) throws -> [String] {
        var question: [String: Any] = [
            "kind": rig.kind.rawValue, "lake": rig.lake, "servers": rig.bench.servers,
            "name": rig.name, "isPartial": isPartial,
        ]
        if let counts {
            question["late"] = counts.late
            question["dead"] = counts.dead
        }
        let line = try JSONSerialization.data(withJSONObject: question) + Data([0x0a])
        let answer = try channel.withLock { channel in
            try channel.questions.write(contentsOf: line)
            while true {
                if let end = channel.rest.firstIndex(of: 0x0a) {
                    let answer = Data(channel.rest[..<end])
                    channel.rest = Data(channel.rest[channel.rest.index(after: end)...])
                    return answer
                }
                let more = channel.answers.availableData
                try #require(!more.isEmpty, "the judge has ended")
                channel.rest += more
            }
        }
        let value = try JSONSerialization.jsonObject(with: answer)
        return try #require(value as? [String])
    }

    /// A script beside these files; empty, which fails whoever runs it, if it is not there.
    static func script(_ name: String) -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
        let url = folder.appendingPathComponent("Python/\(name)")
        return (try? String(contentsOf: url, encoding: .utf8)) ?? "raise SystemExit('no script')"
    }
}
