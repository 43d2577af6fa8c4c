// Every row is accounted for at every epoch, at every kind of operator, across kills; and the
// digest of an output says whether two runs came to the same (design.md §3.13, dialect.md §6).

import Foundation
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized)
    struct ConservationTests {
        private static func topology(_ folder: TemporaryFolder, batchRows: Int) -> String {
            func table(_ name: String) -> String {
                "USING delta WITH (location = '\(folder.path(name))')"
            }
            return """
                SET checkpoint_interval = '30 milliseconds';
                SET checkpoint_history = 1000;
                SET batch_rows = \(batchRows);
                CREATE TABLE bids (
                    auction bigint NOT NULL, bidder bigint NOT NULL CHECK (bidder % 97 <> 5),
                    price bigint NOT NULL, date_time timestamptz NOT NULL
                ) USING nexmark WITH (
                    events = 12000, seed = 11, partitions = 3, out_of_order = 200,
                    event_time = 'date_time', watermark_delay = '5 milliseconds',
                    on_error = 'dead_letter', dead_letter = 'dead', late = 'late'
                );
                CREATE TABLE dead (reason text, partition text, "offset" bigint)
                \(table("dead"));
                CREATE TABLE late (auction bigint, price bigint, _late_in text) \(table("late"));
                CREATE MATERIALIZED VIEW tumbled \(table("tumbled")) AS
                SELECT window_start, auction, count(*) AS n, max(price) AS top
                FROM tumble(bids, date_time, INTERVAL '100 milliseconds') GROUP BY 1, 2;
                CREATE MATERIALIZED VIEW hopped \(table("hopped")) AS
                SELECT window_start, auction, count(*) AS n
                FROM hop(bids, date_time, INTERVAL '50 milliseconds', INTERVAL '150 milliseconds')
                GROUP BY 1, 2;
                CREATE MATERIALIZED VIEW sessions \(table("sessions")) AS
                SELECT window_start, window_end, bidder, count(*) AS n
                FROM session(bids, date_time, INTERVAL '30 milliseconds') GROUP BY 1, 2, 3;
                CREATE MATERIALIZED VIEW early
                USING delta WITH (location = '\(folder.path("early"))', emit = 'on_change') AS
                SELECT window_start, bidder % 10 AS b, sum(price) AS total
                FROM tumble(bids, date_time, INTERVAL '200 milliseconds') GROUP BY 1, 2;
                CREATE MATERIALIZED VIEW counted \(table("counted")) AS
                SELECT auction, count(*) AS n FROM bids GROUP BY auction HAVING count(*) % 3 <> 0;
                CREATE MATERIALIZED VIEW again \(table("again")) AS
                SELECT n, count(*) AS auctions
                FROM (SELECT auction, count(*) AS n FROM bids GROUP BY auction) AS counts GROUP BY n;
                CREATE MATERIALIZED VIEW seen \(table("seen")) AS
                SELECT DISTINCT auction, bidder % 7 AS rest FROM bids;
                CREATE MATERIALIZED VIEW mixed \(table("mixed")) AS
                SELECT auction, price / (price % 5) AS q FROM bids WHERE price % 2 = 0
                UNION ALL SELECT bidder, price FROM bids WHERE price % 3 = 0;
                """
        }

        private struct Outcome {
            var digests: [String: String] = [:]
            var rows: [String: Int] = [:]
            var report: [String: Any] = [:]
        }

        private func run(
            _ folder: TemporaryFolder, batchRows: Int, workers: Int, kills: [String]
        ) throws -> Outcome {
            try ConservationTests.topology(folder, batchRows: batchRows).write(
                to: folder.url.appending(path: "t.sql"), atomically: true, encoding: .utf8)
            let arguments = [
                "run", "t.sql", "--bounded", "--state", "state", "--workers", "\(workers)", "--json",
            ]
            for kill in kills {
                let death = try RunningCommand(arguments, in: folder.url, failpoint: kill).end()
                try #require(death.wasKilled, "\(kill): \(death)")
            }
            let ending = try RunningCommand(arguments, in: folder.url).end()
            try #require(ending.status == 0, "\(ending)")
            let report = try ending.report()
            var outcome = Outcome(report: report)
            for output in try #require(report["outputs"] as? [[String: Any]]) {
                let name = try #require(output["name"] as? String)
                outcome.digests[name] = try #require(output["digest"] as? String)
                outcome.rows[name] = try #require(output["rows"] as? Int)
            }
            #expect(report["conserved"] as? Bool == true, "\(ending)")
            try expectEveryEpochConserved(folder)
            return outcome
        }

        private func expectEveryEpochConserved(_ folder: TemporaryFolder) throws {
            let list = try RunningCommand(
                ["checkpoint", "list", "t.sql", "--state", "state", "--json"], in: folder.url
            ).end()
            try #require(list.status == 0, "\(list)")
            let epochs = try list.report()["checkpoints"] as? [[String: Any]] ?? []
            #expect(epochs.count > 5)
            var held = false
            for epoch in epochs {
                #expect(epoch["conserved"] as? Bool == true, "\(epoch)")
                let counts = epoch["counts"] as? [String: [String: Int]] ?? [:]
                held = held || counts.values.contains { $0["held"] ?? 0 > 0 }
            }
            #expect(held, "no epoch held a row, which shows nothing")
        }

        @Test func everyEpochOfEveryOperatorAcrossKills() throws {
            let quiet = try TemporaryFolder()
            let first = try run(quiet, batchRows: 500, workers: 1, kills: [])
            let troubled = try TemporaryFolder()
            let second = try run(
                troubled, batchRows: 37, workers: 3,
                kills: ["checkpoint.written@4", "barrier.passed@5", "delta.after_commit:counted@2"])
            #expect(first.digests == second.digests)
            // Updating results count each change, and how many there are is the epochs' business.
            for name in ["tumbled", "hopped", "sessions", "seen", "mixed", "dead", "late"] {
                #expect(first.rows[name] == second.rows[name], "\(name)")
                #expect(first.rows[name] ?? 0 > 0, "\(name)")
            }
            let kinds = try #require(first.report["operators"] as? [[String: Any]])
                .compactMap { $0["kind"] as? String }
            let wanted = [
                "source", "filter", "project", "union all", "window aggregate", "aggregate",
                "distinct", "sink",
            ]
            #expect(Set(wanted).isSubset(of: Set(kinds)), "\(kinds)")
            let source = try #require((first.report["sources"] as? [[String: Any]])?.first)
            for count in ["records", "rows", "late", "dead", "filtered"] {
                #expect(source[count] as? Int ?? 0 > 0, "\(count)")
            }
        }
    }
}
