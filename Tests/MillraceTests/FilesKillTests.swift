// Files to files, killed at each step and started again: every row once, whatever happened.

import Foundation
import Testing

@Suite struct FilesKillTests {
    private static let sql = """
        SET checkpoint_interval = '50 milliseconds';
        CREATE TABLE source (id bigint NOT NULL) USING files WITH (path = 'in', format = 'json');
        CREATE MATERIALIZED VIEW first USING files WITH (path = 'first', format = 'json')
            AS SELECT id FROM source;
        CREATE MATERIALIZED VIEW second USING files WITH (path = 'second', format = 'json')
            AS SELECT id FROM source WHERE id >= 0;
        """
    private static let files = 6
    private static let rows = 400

    /// A place that every run passes, and the mode: bounded runs also end for good.
    @Test(
        arguments: [
            "files.created", "files.before_sync", "files.prepared", "barrier.passed",
            "checkpoint.group_offsets", "commit.begin", "files.before_rename",
            "files.renamed", "files.landed", "files.marked", "run.final_checkpoint",
        ], ["--bounded", "--available-now"])
    func everyRowLandsOnce(place: String, mode: String) throws {
        let fixture = try FilesFixture()
        try fixture.write("t.sql", Self.sql)
        for file in 0..<Self.files {
            let ids = (0..<Self.rows).map { "{\"id\":\(file * Self.rows + $0)}" }
            try fixture.write("in/\(file).json", ids.joined(separator: "\n") + "\n")
        }
        // The second kill strikes a start that is itself a recovery, where it gets that far.
        let first = try millrace(fixture, mode, failpoint: place)
        _ = try millrace(fixture, mode, failpoint: place + "@2")
        #expect(first == SIGKILL, "nothing was killed at \(place)")
        let status = try millrace(fixture, mode, failpoint: nil)
        // 2: a bounded run had ended in spite of the kill, and its sinks have all.
        #expect(status == 0 || (mode == "--bounded" && status == 2))
        let expected = (0..<Self.files * Self.rows).map { "{\"id\":\($0)}" }.sorted()
        for folder in ["first", "second"] {
            #expect(try fixture.lines(folder) == expected)
            #expect(try fixture.names(folder).allSatisfy { !$0.hasSuffix(".tmp") })
        }
    }

    /// The exit status, or the signal that ended it.
    private func millrace(
        _ fixture: FilesFixture, _ mode: String, failpoint: String?
    ) throws -> Int32 {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(filePath: tests).deletingLastPathComponent()
            .appending(path: "millrace")
        process.currentDirectoryURL = URL(filePath: fixture.folder)
        process.arguments = [
            "run", "t.sql", "--state", "state", "--workers", "2", "--set", "batch_rows=16", mode,
        ]
        var environment = ProcessInfo.processInfo.environment
        environment["MILLRACE_FAILPOINT"] = failpoint
        process.environment = environment
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
