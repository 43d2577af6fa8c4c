// Plans of small topologies against their explained text in Tests/Plans/. MILLRACE_UPDATE_PLANS=1
// rewrites the files; the diff is then to be read.

import Contracts
import Foundation
import Planning
import SQLSyntax
import Testing
import Types

/// One topology and the file that holds its plan.
struct PlanCase: Sendable, CustomTestStringConvertible {
    let name: String
    let sql: String
    var isOptimizerOn = true

    var testDescription: String { name }
    var file: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Plans/\(name).txt")
    }
}

/// A Kafka source with an event time, and a keyed one.
let sources = """
    CREATE TABLE bids (
        auction bigint NOT NULL, bidder bigint, price bigint NOT NULL, channel text,
        ts timestamptz NOT NULL
    ) USING kafka WITH (topic = 'bids', bootstrap_servers = 'localhost:9092', format = 'json',
        event_time = 'ts', watermark_delay = '5 seconds', idle_timeout = '30 seconds',
        strict_json = 'true');
    CREATE TABLE people (id bigint PRIMARY KEY, city text, age integer)
    USING kafka WITH (topic = 'people', bootstrap_servers = 'localhost:9092', format = 'json',
        key_format = 'json', strict_json = 'true');

    """

func plan(_ sql: String, isOptimizerOn: Bool = true) throws -> Plan {
    let statements = try parseTopology(SourceText(file: "test.sql", text: sql))
    var options = PlanningOptions()
    options.isOptimizerOn = isOptimizerOn
    return try Planner.plan(statements, name: "test", options: options)
}

private func printed(_ name: String, _ query: String, optimizer: Bool = true) -> PlanCase {
    PlanCase(
        name: name, sql: "CREATE MATERIALIZED VIEW out USING print AS \(query);",
        isOptimizerOn: optimizer)
}

private let planCases: [PlanCase] = [
    printed("projection", "SELECT auction, price * 2 AS twice FROM bids WHERE price > 10"),
    printed(
        "projection-unoptimized", "SELECT auction FROM bids WHERE price > 10", optimizer: false),
    printed(
        "tumble",
        "SELECT window_start, auction, count(*) AS n, max(price) AS top "
            + "FROM tumble(bids, ts, INTERVAL '10 seconds') GROUP BY window_start, auction"),
    printed(
        "tumble-unoptimized",
        "SELECT window_start, auction, count(*) AS n, max(price) AS top "
            + "FROM tumble(bids, ts, INTERVAL '10 seconds') GROUP BY window_start, auction",
        optimizer: false),
    printed(
        "hop-where-having",
        "SELECT window_end, sum(price) FROM hop(bids, ts, INTERVAL '2 s', INTERVAL '10 s') "
            + "WHERE channel = 'web' AND window_end > timestamptz '2026-01-01 00:00+00' "
            + "GROUP BY window_end HAVING count(*) > 3"),
    printed(
        "session-filter",
        "SELECT auction, window_start, window_end, count(*) FROM session(bids, ts, INTERVAL '1 min') "
            + "WHERE price > 10 GROUP BY auction, window_start, window_end"),
    printed(
        "session-partition",
        "SELECT auction, window_end, count(*) "
            + "FROM session(bids, ts, INTERVAL '1 min', partition_by => (auction)) "
            + "WHERE auction > 10 GROUP BY auction, window_end"),
    printed(
        "session-rows",
        "SELECT auction, price, window_start FROM session(bids, ts, INTERVAL '1 min', "
            + "partition_by => (auction)) WHERE auction > 10 AND price > 10"),
    printed(
        "session-across-keys",
        "SELECT channel, window_end, count(*) AS n FROM session(bids, ts, INTERVAL '1 min', "
            + "partition_by => (auction)) GROUP BY channel, window_end"),
    printed(
        "cumulate",
        "SELECT window_end, count(*) FROM cumulate(bids, ts, INTERVAL '1 h', INTERVAL '1 day') "
            + "GROUP BY window_end"),
    printed(
        "window-over-window",
        "SELECT window_end, max(n) FROM tumble((SELECT window_end AS inner_end, auction, count(*) AS n "
            + "FROM tumble(bids, ts, INTERVAL '1 min') GROUP BY window_end, auction), "
            + "inner_end, INTERVAL '1 h') GROUP BY window_end"),
    printed(
        "window-over-start",
        "SELECT window_end, count(*) FROM tumble((SELECT window_start AS s "
            + "FROM tumble(bids, ts, INTERVAL '1 min') GROUP BY window_start), "
            + "s, INTERVAL '1 h') GROUP BY window_end"),
    printed(
        "existing-window",
        "SELECT e, max(n) FROM (SELECT window_end AS e, auction, count(*) AS n "
            + "FROM tumble(bids, ts, INTERVAL '1 min') GROUP BY window_end, auction) AS x GROUP BY e"
    ),
    printed(
        "assigned-windows",
        "SELECT auction, window_start FROM tumble(bids, ts, INTERVAL '1 min')"),
    printed(
        "row-beside-window",
        "SELECT window_end, count(*) FILTER (WHERE ts = window_start) "
            + "FROM tumble(bids, ts, INTERVAL '1 min') GROUP BY window_end"),
    printed("distinct", "SELECT DISTINCT auction, bidder FROM bids"),
    printed(
        "distinct-window",
        "SELECT DISTINCT window_end, auction FROM tumble(bids, ts, INTERVAL '1 min')"),
    printed("aggregate", "SELECT auction, count(*), avg(price) FROM bids GROUP BY auction"),
    printed("aggregate-global", "SELECT count(*), sum(price) FROM bids"),
    printed(
        "aggregate-over-aggregate",
        "SELECT n, count(*) FROM (SELECT auction, count(*) AS n FROM bids GROUP BY auction) AS x "
            + "GROUP BY n"),
    printed("aggregate-keyed-source", "SELECT city, max(age) FROM people GROUP BY 1"),
    printed("keyed-source", "SELECT id, city, age % 10 AS digit FROM people WHERE age >= 18"),
    printed(
        "ties",
        "SELECT auction, last(bidder) AS who, array_agg(price ORDER BY price DESC) AS prices "
            + "FROM bids WHERE channel <> 'x' GROUP BY auction"),
    printed(
        "where-below-projection",
        "SELECT share FROM (SELECT 100 / price AS share, auction FROM bids) AS x WHERE auction = 7"),
    printed(
        "unused-expression",
        "SELECT auction FROM (SELECT 1 / price AS share, auction FROM bids) AS x"),
    printed(
        "union-all",
        "SELECT auction, 'a' AS branch FROM bids WHERE price > 1 UNION ALL SELECT bidder, 'b' FROM bids"
    ),
    printed("union", "SELECT auction FROM bids UNION SELECT bidder FROM bids"),
    printed(
        "union-updating",
        "SELECT 'a' AS kind, auction AS k, count(*) AS n FROM bids GROUP BY auction UNION ALL "
            + "SELECT 'b', auction, sum(price)::bigint FROM bids GROUP BY auction"),
    printed(
        "common-table",
        "WITH big AS (SELECT * FROM bids WHERE price > 100) SELECT auction, count(*) "
            + "FROM big GROUP BY auction"),
    printed("values", "VALUES (1, 'a'), (2, 'b')"),
    PlanCase(
        name: "shared-view",
        sql: """
            CREATE MATERIALIZED VIEW per_minute USING delta WITH (location = '/lake/minute') AS
            SELECT window_end, auction, count(*) AS n, max(price) AS top
            FROM tumble(bids, ts, INTERVAL '1 min') GROUP BY window_end, auction;
            CREATE MATERIALIZED VIEW busy USING print AS
            SELECT window_end, auction FROM per_minute WHERE n > 100;
            """),
    PlanCase(
        name: "on-change",
        sql: """
            CREATE MATERIALIZED VIEW early USING delta WITH (location = '/l', emit = 'on_change') AS
            SELECT window_end, count(*) AS n FROM tumble(bids, ts, INTERVAL '1 min')
            GROUP BY window_end;
            """),
    PlanCase(
        name: "on-change-shared",
        sql: """
            CREATE VIEW minutes AS SELECT window_end, auction, count(*) AS n, max(price) AS top
            FROM tumble(bids, ts, INTERVAL '1 min') GROUP BY window_end, auction;
            CREATE MATERIALIZED VIEW closed USING print AS SELECT window_end, n FROM minutes;
            CREATE MATERIALIZED VIEW early USING print WITH (emit = 'on_change') AS
            SELECT window_end, auction, top FROM minutes;
            """),
    printed(
        "clock-window",
        "SELECT e, max(n) AS n FROM (SELECT window_end AS e, auction, count(*) AS n "
            + "FROM tumble(bids, _extracted_at, INTERVAL '1 min') GROUP BY window_end, auction) AS x "
            + "GROUP BY e"),
    PlanCase(
        name: "upsert-delta",
        sql: """
            CREATE TABLE totals (auction bigint PRIMARY KEY, n integer CHECK (n > 0), note text)
            USING delta WITH (location = '/lake/totals');
            INSERT INTO totals (n, auction) SELECT count(*), auction FROM bids GROUP BY auction;
            """),
    PlanCase(
        name: "two-inserts",
        sql: """
            CREATE TABLE rows (auction bigint, kind text)
            USING delta WITH (location = '/lake/rows', partition_by = 'kind');
            INSERT INTO rows SELECT auction, 'a' FROM bids WHERE price > 10;
            INSERT INTO rows SELECT bidder, channel FROM bids;
            """),
]

@Suite struct PlanTests {
    @Test("explained plan", arguments: planCases)
    func explained(_ example: PlanCase) throws {
        let text = Explain(try plan(sources + example.sql, isOptimizerOn: example.isOptimizerOn))
            .render(.text)
        if ProcessInfo.processInfo.environment["MILLRACE_UPDATE_PLANS"] == "1" {
            try text.write(to: example.file, atomically: true, encoding: .utf8)
        }
        let wanted = try String(contentsOf: example.file, encoding: .utf8)
        #expect(text == wanted)
    }

    @Test("operator ids don't depend on names of views, other outputs or places")
    func operatorIDs() throws {
        let window =
            "SELECT window_end, count(*) AS n FROM tumble(bids, ts, INTERVAL '1 min') "
            + "GROUP BY window_end"
        let plain = try plan(
            sources + "CREATE MATERIALIZED VIEW a USING print AS \(window);")
        let edited = try plan(
            sources
                + """
                CREATE MATERIALIZED VIEW other USING blackhole AS SELECT channel, bidder FROM bids;
                CREATE VIEW counts AS \(window);
                CREATE MATERIALIZED VIEW b USING print AS SELECT * FROM counts;
                """)
        #expect(windowIDs(plain) == windowIDs(edited))
        #expect(windowIDs(plain).count == 1)
        let wider = try plan(
            sources + "CREATE MATERIALIZED VIEW a USING print AS "
                + window.replacingOccurrences(of: "1 min", with: "2 min") + ";")
        #expect(windowIDs(plain) != windowIDs(wider))
    }

    @Test("what the late table declares is no part of an operator's id")
    func lateTableIDs() throws {
        let queries = [
            "SELECT window_end, count(*) AS n FROM hop(t, ts, INTERVAL '1 s', INTERVAL '3 s') "
                + "WHERE b <> '' GROUP BY window_end",
            "SELECT k, window_end, sum(v) AS n FROM session(t, ts, INTERVAL '1 s') "
                + "WHERE v > 1 GROUP BY k, window_end",
            "SELECT window_end, max(n) AS n FROM (SELECT window_end, ts, k AS n "
                + "FROM tumble(t, ts, INTERVAL '1 s')) AS x WHERE n > extract(epoch FROM window_end - ts) "
                + "GROUP BY window_end",
        ]
        let lateTables = ["", "k bigint", "b text, _late_kind text, v bigint", "ts timestamptz, z text"]
        for query in queries {
            let ids = try lateTables.map { columns in
                let option = columns.isEmpty ? "" : ", late = 'lost'"
                let lost = columns.isEmpty ? "" : "CREATE TABLE lost (\(columns)) USING print;"
                return statefulIDs(
                    try plan(
                        """
                        CREATE TABLE t (k bigint, v bigint, b text, ts timestamptz NOT NULL)
                        USING files WITH (path = 't.json', event_time = 'ts'\(option)); \(lost)
                        CREATE MATERIALIZED VIEW a USING print AS SELECT n, count(*) AS m
                        FROM (\(query)) AS x GROUP BY n;
                        """))
            }
            #expect(ids[0].count >= 2)
            #expect(Set(ids).count == 1, "\(query) \(ids)")
        }
    }

    /// The ids of operators that keep something or judge rows.
    private func statefulIDs(_ plan: Plan) -> [UInt64] {
        plan.nodes.compactMap { node in
            switch node.kind {
            case .windowAggregate, .assignWindows, .aggregate: node.operatorID
            default: nil
            }
        }
    }

    @Test("json and mermaid name every operator")
    func formats() throws {
        let example = try plan(
            sources + "CREATE MATERIALIZED VIEW a USING print AS "
                + "SELECT auction, count(*) FROM bids WHERE channel = '\"<x>' GROUP BY auction;")
        let explain = Explain(example)
        let json = try JSONSerialization.jsonObject(with: Data(explain.render(.json).utf8))
        let operators = (json as? [String: Any])?["operators"] as? [[String: Any]]
        #expect(operators?.count == example.nodes.count)
        let mermaid = explain.render(.mermaid)
        for node in example.nodes { #expect(mermaid.contains("  n\(node.index)[\"")) }
        #expect(mermaid.contains("#quot;#lt;x#gt;"))
    }

    private func windowIDs(_ plan: Plan) -> [UInt64] {
        plan.nodes.compactMap { node in
            if case .windowAggregate = node.kind { return node.operatorID }
            return nil
        }
    }
}

@Suite struct QueryPlanTests {
    private func query(_ sql: String) throws -> QueryPlan {
        let topology = try parseTopology(SourceText(file: "test.sql", text: sources))
        let statements = try parseTopology(SourceText(file: "query", text: sql))
        return try Planner.planQuery(try #require(statements.first), over: topology)
    }

    @Test("ORDER BY, LIMIT and OFFSET come back as what is done with the rows")
    func ordering() throws {
        let planned = try query(
            "SELECT auction AS a, channel FROM bids ORDER BY a DESC, price + 1, 2 LIMIT 3 OFFSET 1")
        #expect(planned.visibleColumns == 2)
        #expect(planned.schema.fields.map(\.name) == ["a", "channel"])
        #expect(planned.ordering.map(\.column) == [0, 2, 1])
        #expect(planned.ordering.map(\.isDescending) == [true, false, false])
        #expect(planned.ordering.map(\.nullsFirst) == [true, false, false])
        #expect(planned.limit == 3)
        #expect(planned.offset == 1)
    }

    @Test("an expression alone is one row")
    func expression() throws {
        let planned = try query("SELECT 1 + 1 AS two")
        #expect(planned.schema.fields.map(\.name) == ["two"])
        #expect(planned.plan.sources.count == 1)
        #expect(planned.limit == nil)
    }
}
