// PostgreSQL 15 itself as the judge of expressions: a private cluster in a temporary folder, asked
// in single-user mode, so that no server runs, no port opens and nothing outlives the test.

import Foundation
import Testing

struct PostgreSQLOracle {
    /// What PostgreSQL says of an expression.
    enum Answer: Equatable {
        case null(type: String)
        case value(String, type: String)
        case error(String)
    }

    private static let binaries = "/usr/lib/postgresql/15/bin"

    /// Whether tests that need PostgreSQL run; where nothing may be skipped they run and fail.
    static let isWanted =
        FileManager.default.isExecutableFile(atPath: "\(binaries)/postgres")
        || ProcessInfo.processInfo.environment["MILLRACE_NO_SKIP"] == "1"

    /// The answers to expressions, in order, in a session of a time zone.
    static func answers(
        to expressions: [String], timeZone: String = "UTC"
    ) throws -> [Answer] {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try run(
            [
                "initdb", "-D", "\(folder)/data", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                "-N",
            ],
            input: "", in: folder)
        try #require(made.status == 0, "initdb failed: \(made.output)")
        let asked = expressions.map { "SELECT oracle('\(hexadecimal($0))')" }
        let input = ([function] + asked).joined(separator: "\n") + "\n"
        let said = try run(
            ["postgres", "--single", "-F", "-D", "\(folder)/data"]
                + ["timezone=\(timeZone)", "datestyle=ISO,MDY", "intervalstyle=postgres"]
                .flatMap { ["-c", $0] } + ["postgres"],
            input: input, in: folder)
        let answers = said.output.split(separator: "\n").compactMap(answer)
        try #require(
            answers.count == expressions.count,
            "\(answers.count) answers to \(expressions.count): \(said.output.suffix(2000))")
        return answers
    }

    /// Evaluates an expression; an error is an answer.
    private static let function = """
        CREATE FUNCTION oracle(e text) RETURNS text LANGUAGE plpgsql AS $$ \
        DECLARE r text; BEGIN \
        EXECUTE 'SELECT pg_typeof(x)::text || chr(1) || coalesce(''V'' || x::text, ''N'') \
        FROM (SELECT (' || convert_from(decode(e, 'hex'), 'UTF8') || ') AS x) q' INTO r; \
        RETURN encode(convert_to(r, 'UTF8'), 'hex'); \
        EXCEPTION WHEN OTHERS THEN \
        RETURN encode(convert_to('E' || SQLERRM, 'UTF8'), 'hex'); END $$
        """

    /// `\t 1: oracle = "…"\t(typeid = 25, …)` of single-user mode.
    private static func answer(_ line: Substring) -> Answer? {
        guard let start = line.range(of: "1: oracle = \""),
            let end = line.range(of: "\"\t(typeid", range: start.upperBound..<line.endIndex)
        else { return nil }
        let text = decoded(line[start.upperBound..<end.lowerBound])
        if text.hasPrefix("E") { return .error(String(text.dropFirst())) }
        let halves = text.split(separator: "\u{1}", maxSplits: 1, omittingEmptySubsequences: false)
        let type = String(halves[0])
        return halves[1] == "N"
            ? .null(type: type) : .value(String(halves[1].dropFirst()), type: type)
    }

    private static func hexadecimal(_ text: String) -> String {
        text.utf8.map { String(format: "%02x", $0) }.joined()
    }

    private static func decoded(_ digits: Substring) -> String {
        let values = digits.utf8.map { UInt8($0 < 58 ? $0 - 48 : $0 - 87) }
        let bytes = stride(from: 0, to: values.count - 1, by: 2).map {
            values[$0] << 4 | values[$0 + 1]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// An empty folder that PostgreSQL's user may write.
    private static func makeFolder() throws -> String {
        let folder = NSTemporaryDirectory() + "/millrace-postgresql-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        if getuid() == 0 {
            try FileManager.default.setAttributes(
                [.ownerAccountName: "postgres"], ofItemAtPath: folder)
        }
        return folder
    }

    /// Runs one of PostgreSQL's programs to its end; as its own user if we are root, for it refuses
    /// root.
    private static func run(
        _ command: [String], input: String, in folder: String
    ) throws -> (status: Int32, output: String) {
        let (inputPath, outputPath) = ("\(folder)/input", "\(folder)/output")
        try Data(input.utf8).write(to: URL(fileURLWithPath: inputPath))
        try Data().write(to: URL(fileURLWithPath: outputPath))
        let process = Process()
        let own = ["\(binaries)/\(command[0])"] + command.dropFirst()
        let line = getuid() == 0 ? ["/usr/sbin/runuser", "-u", "postgres", "--"] + own : own
        process.executableURL = URL(fileURLWithPath: line[0])
        process.arguments = Array(line.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: inputPath))
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        try output.close()
        let text = try String(contentsOfFile: outputPath, encoding: .utf8)
        return (process.terminationStatus, text)
    }
}
