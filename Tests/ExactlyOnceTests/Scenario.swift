// One pipeline under test: its folder, topology, state directory and tables.

import Foundation
import PythonSupport

/// Bids of the generator, some of them late, into three Delta tables: windows appended, a count by
/// auction upserted (keys come and go by HAVING), rows appended by partition.
final class Scenario {
    let folder: TemporaryFolder
    /// Events of the generator; about nine in ten are bids.
    let events: Int
    /// Events a second, by the clock: what keeps the run alive until all kills have fallen.
    let rate: Int
    let interval: String
    private(set) var starts = 0
    private(set) var falls: [Fall] = []

    init(events: Int, rate: Int, interval: String = "50 milliseconds") throws {
        folder = try TemporaryFolder()
        self.events = events
        self.rate = rate
        self.interval = interval
        for (file, text) in [("t.sql", topology), ("events.sql", everything)] {
            try text.write(to: folder.url.appending(path: file), atomically: true, encoding: .utf8)
        }
    }

    static let tables = ["by_window", "by_auction", "by_part"]
    static let partitions = 3
    static let delayMilliseconds = 20
    static let outOfOrder = 500

    func table(_ name: String) -> String { folder.path(name) }

    private var topology: String {
        """
        SET checkpoint_interval = '\(interval)';

        CREATE TABLE bids (
            auction bigint NOT NULL, bidder bigint NOT NULL, price bigint NOT NULL,
            date_time timestamptz NOT NULL
        ) USING nexmark WITH (
            events = \(events), rate = \(rate), seed = 7, partitions = \(Scenario.partitions),
            out_of_order = \(Scenario.outOfOrder), pace = 'true',
            event_time = 'date_time', watermark_delay = '\(Scenario.delayMilliseconds) milliseconds'
        );

        CREATE MATERIALIZED VIEW by_window USING delta WITH (location = '\(table("by_window"))') AS
        SELECT window_start, auction, count(*) AS bids, max(price) AS top
        FROM tumble(bids, date_time, INTERVAL '200 milliseconds')
        GROUP BY window_start, auction;

        CREATE MATERIALIZED VIEW by_auction USING delta WITH (location = '\(table("by_auction"))') AS
        SELECT auction, count(*) AS bids, max(price) AS top
        FROM bids GROUP BY auction HAVING count(*) % 5 <> 0;

        CREATE MATERIALIZED VIEW by_part USING delta
        WITH (location = '\(table("by_part"))', partition_by = 'part') AS
        SELECT auction, bidder, price, date_time, auction % 4 AS part FROM bids WHERE price > 50000;
        """
    }

    /// All events in the generator's order: the position says partition and offset.
    private var everything: String {
        """
        CREATE TYPE bid AS (auction bigint, bidder bigint, price bigint);
        CREATE TABLE events (event_type integer, date_time timestamptz, bid bid) USING nexmark WITH (
            events = \(events), rate = \(rate), seed = 7, out_of_order = \(Scenario.outOfOrder)
        );
        """
    }

    private static let dump = """
        SELECT event_type, (bid).auction AS auction, (bid).bidder AS bidder, (bid).price AS price,
            extract(epoch FROM date_time) * 1000000 AS micros FROM events
        """

    var arguments: [String] {
        ["run", "t.sql", "--bounded", "--state", "state", "--workers", "2", "--json"]
    }

    func start(
        failpoint: String? = nil, binary: Binary = .millrace, mutant: String? = nil,
        arguments more: [String] = []
    ) throws -> RunningCommand {
        starts += 1
        return try RunningCommand(
            arguments + more, in: folder.url, binary: binary, failpoint: failpoint, log: log,
            mutant: mutant)
    }

    /// The failpoint log of the newest start.
    var log: URL { folder.url.appending(path: "passed-\(starts)") }

    /// Notes where the kill of the newest start fell.
    func note(isRandom: Bool) { falls.append(FailpointLog(log).fall(isRandom: isRandom)) }

    /// What is wrong with the tables, beside what DuckDB makes of the same events; empty: nothing.
    func differences(lateRows: Int? = nil) throws -> [String] {
        let dump = try RunningCommand(
            ["query", "events.sql", "--format", "csv", "--workers", "1", Scenario.dump],
            in: folder.url
        ).end()
        guard dump.status == 0 else { return ["the events could not be read: \(dump)"] }
        let events = folder.path("events.csv")
        try dump.output.write(toFile: events, atomically: true, encoding: .utf8)
        return try Python.lines(
            Oracle.script,
            [
                events, folder.url.path, String(Scenario.partitions),
                String(Scenario.delayMilliseconds * 1_000),
                lateRows.map(String.init) ?? "",
            ])
    }
}
