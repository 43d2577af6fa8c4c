// `millrace test`: what it accepts, what it reports, and the shipped topologies.

import Foundation
import Millrace
import Synchronization
import Testing

private let topology = """
    CREATE TABLE late (id bigint, _late_kind text) USING blackhole;
    CREATE TABLE readings (
        id bigint NOT NULL, value bigint CHECK (value >= 0), double bigint GENERATED ALWAYS AS
            (value * 2) STORED, at timestamptz
    ) USING kafka WITH (
        topic = 'readings', bootstrap_servers = 'nowhere:1', format = 'json', event_time = 'at',
        watermark_delay = '1 second', max_ahead = '1 day', late = 'late',
        dead_letter_topic = 'readings.dead'
    );
    CREATE MATERIALIZED VIEW sums USING print AS
        SELECT window_end, id, sum(double) AS total FROM tumble(readings, at, INTERVAL '1 minute')
        GROUP BY window_end, id;
    CREATE MATERIALIZED VIEW latest USING print AS
        SELECT id, max(value) AS highest FROM readings GROUP BY id;
    """

@Suite struct TopologyTestTests {
    private func run(
        _ test: String, _ options: [String] = []
    ) async throws -> (status: Int32, text: String) {
        let folder = NSTemporaryDirectory() + "millrace-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try topology.write(toFile: folder + "/t.sql", atomically: true, encoding: .utf8)
        try test.write(toFile: folder + "/t.test.sql", atomically: true, encoding: .utf8)
        return await testCommand([folder + "/t.sql"] + options)
    }

    private func testCommand(_ words: [String]) async -> (status: Int32, text: String) {
        let output = Output()
        let status = await runCommandLine(
            ["test"] + words, runner: EngineRunner(), terminal: output.terminal)
        return (status, output.text)
    }

    @Test(arguments: [1, 4], [1, 3, 2_048])
    func shippedTopologiesPass(workers: Int, batchRows: Int) async {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path() + "topologies"
        let outcome = await testCommand(
            [folder, "--workers", "\(workers)", "--set", "batch_rows=\(batchRows)"])
        #expect(outcome.status == 0, "\(outcome.text)")
        #expect(outcome.text.contains("all passed"))
    }

    @Test(arguments: [1, 3])
    func everyKindOfExpectationHolds(workers: Int) async throws {
        let outcome = try await run(
            """
            SET test = 'windows, late rows, dead letters';
            INSERT INTO readings (id, value, at, _partition) VALUES
                (1, 5, '2026-01-01 00:00:10Z', 0), (1, 7, '2026-01-01 00:00:20Z', 1);
            INSERT INTO sums SELECT WHERE false;
            SET watermark.readings = '2026-01-01 00:01:00Z';
            INSERT INTO sums VALUES ('2026-01-01 00:01:00Z', 1, 24);
            INSERT INTO readings (id, value, at) VALUES
                (2, 1, '2026-01-01 00:00:30Z'), (2, -1, '2026-01-01 00:02:00Z');
            CHECKPOINT;
            INSERT INTO late SELECT 2, 'late';
            INSERT INTO "readings.dead" (reason, "constraint", partition) VALUES
                ('check', 'readings_value_check', '0');
            INSERT INTO readings (id, value, at, _timestamp) VALUES
                (3, 1, '2026-01-05 00:00Z', '2026-01-01 00:00Z');
            INSERT INTO "readings.dead" (reason) SELECT 'too_far_ahead';
            SET finish = on;
            INSERT INTO sums SELECT WHERE false;
            SET test = 'a table and its changes';
            INSERT INTO readings (id, value, at) VALUES (1, 5, '2026-01-01 00:00Z');
            INSERT INTO latest VALUES (1, 5);
            INSERT INTO readings (id, value, at) VALUES
                (1, 9, '2026-01-01 00:00Z'), (2, NULL, '2026-01-01 00:00Z');
            INSERT INTO latest (_change, id, highest) VALUES (-1, 1, 5), (1, 1, 9), (1, 2, NULL);
            """, ["--workers", "\(workers)"])
        #expect(outcome.status == 0, "\(outcome.text)")
    }

    @Test func aDifferenceIsShownRowByRow() async throws {
        let outcome = try await run(
            """
            SET test = 'wrong';
            INSERT INTO readings (id, value, at) VALUES
                (1, 5, '2026-01-01 00:00Z'), (2, 6, '2026-01-01 00:00Z');
            INSERT INTO latest VALUES (1, 5), (2, 7), (3, NULL);
            """)
        #expect(outcome.status == 1)
        #expect(
            outcome.text.contains(
                """
                t.test.sql:4: latest is not as expected
                      id | highest
                    - 2  | 7
                    - 3  | NULL
                    + 2  | 6
                    - missing: 2, + unexpected: 1, as expected: 1
                """), "\(outcome.text)")
        #expect(outcome.text.hasSuffix("1 test in 1 file: 1 failed\n"))
    }

    @Test(arguments: [
        ("doubles", "INSERT INTO late VALUES (1, 'late');", "missing: 1"),
        ("no rows", "INSERT INTO sums SELECT WHERE false;", "got more than the test expects"),
    ])
    func aWrongBagFails(name: String, expectation: String, message: String) async throws {
        let outcome = try await run(
            """
            SET test = '\(name)';
            INSERT INTO readings (id, value, at) VALUES (1, 5, '2026-01-01 00:00Z');
            \(expectation)
            SET finish = on;
            """)
        #expect(outcome.status == 1)
        #expect(outcome.text.contains(message), "\(outcome.text)")
    }

    @Test(arguments: [
        ("SELECT 1;", "a test has SET test"),
        ("SET test = 'x';", "expects nothing"),
        ("INSERT INTO readings VALUES (1, 1, NULL);", "stands before the first test"),
        ("SET test = 'x'; INSERT INTO reading VALUES (1);", "did you mean \"readings\""),
        ("SET test = 'x'; INSERT INTO readings (ip) VALUES (1);", "did you mean \"id\""),
        ("SET test = 'x'; INSERT INTO readings (double) VALUES (1);", "takes no column"),
        ("SET test = 'x'; INSERT INTO readings (id) VALUES ('a');", "t.test.sql:1:"),
        ("SET test = 'x'; INSERT INTO sums VALUES (1);", "1 values for 3 columns"),
        ("SET test = 'x'; SET watermark.reading = '2026-01-01';", "did you mean"),
        ("SET test = 'x'; SET speed = '1';", "no setting"),
        ("SET test = 'x'; SET finish = on; SET finish = on;", "has ended already"),
        ("SET test = 'x'; INSERT INTO sums SELECT 1 FROM readings;", "VALUES, or a SELECT"),
    ])
    func whatIsNoTestIsRefused(text: String, message: String) async throws {
        let outcome = try await run(text)
        #expect(outcome.status == 2)
        #expect(outcome.text.contains(message), "\(outcome.text)")
    }

    @Test func aMissingFileIsRefused() async {
        let outcome = await testCommand(["/nowhere/at-all.test.sql"])
        #expect(outcome.status == 2)
    }
}

/// Both streams of a command.
private final class Output: Sendable {
    private let written = Mutex("")

    var terminal: Terminal {
        Terminal(
            write: { [self] text in written.withLock { $0 += text } },
            writeError: { [self] text in written.withLock { $0 += text } })
    }

    var text: String { written.withLock { $0 } }
}
