// What the planner refuses: by name, at its place, with a hint.

import Contracts
import Planning
import SQLSyntax
import Testing

struct PlanRefusal: Sendable, CustomTestStringConvertible {
    let sql: String
    let code: String
    /// Part of message or hint.
    let says: String
    /// The text at the place.
    let at: String

    init(_ sql: String, _ code: String, says: String, at: String) {
        self.sql = sql
        self.code = code
        self.says = says
        self.at = at
    }

    var testDescription: String { sql }
}

private func output(_ query: String) -> String {
    "CREATE MATERIALIZED VIEW out USING print AS \(query);"
}

private func q(_ query: String, _ code: String, says: String, at: String) -> PlanRefusal {
    PlanRefusal(output(query), code, says: says, at: at)
}

private let refusals: [PlanRefusal] = [
    q(
        "SELECT 1 AS x FROM bids JOIN people ON id = auction", "sql.unsupported", says: "JOIN",
        at: "JOIN"),
    q("SELECT 1 AS x FROM bids, people", "sql.unsupported", says: "comma", at: "people"),
    q(
        "SELECT DISTINCT ON (auction) auction FROM bids", "sql.unsupported", says: "DISTINCT ON",
        at: "auction"),
    q(
        "SELECT auction FROM bids INTERSECT SELECT id FROM people", "sql.unsupported",
        says: "INTERSECT", at: ""),
    q(
        "SELECT auction FROM bids EXCEPT SELECT id FROM people", "sql.unsupported", says: "EXCEPT",
        at: ""),
    q("SELECT auction FROM bids ORDER BY price", "sql.unsupported", says: "ORDER BY", at: "price"),
    q("SELECT auction FROM bids LIMIT 3", "sql.unsupported", says: "LIMIT", at: "3"),
    q("SELECT auction FROM bids OFFSET 4", "sql.unsupported", says: "OFFSET", at: "4"),
    q(
        "SELECT * FROM generate_series(1, 3)", "sql.unsupported", says: "generate_series",
        at: "generate_series"),
    q(
        "WITH RECURSIVE r AS (SELECT 1 AS x) SELECT x FROM r", "sql.unsupported", says: "recursive",
        at: "r AS"),
    q("SELECT sum(price) OVER () FROM bids", "sql.not_yet", says: "OVER", at: ""),
    q(
        "SELECT auction, count(*) FROM tumble(bids, ts, INTERVAL '1 min') GROUP BY auction",
        "sql.window_not_grouped", says: "window_start", at: "auction;"),
    q(
        "SELECT window_start, count(*) FROM cumulate(bids, ts, INTERVAL '1 h', INTERVAL '1 day') "
            + "GROUP BY window_start", "sql.cumulate_end", says: "window_end", at: "window_start;"),
    q(
        "SELECT count(*) FROM cumulate(bids, ts, INTERVAL '2 h', INTERVAL '3 h') GROUP BY window_end",
        "sql.cumulate_step", says: "multiple", at: "cumulate"),
    q(
        "SELECT window_end, count(*) FROM session(bids, ts, INTERVAL '1 h') GROUP BY window_end",
        "sql.session_keys", says: "partition_by", at: "session"),
    q(
        "SELECT count(*) FROM tumble(bids, ts, INTERVAL '1 month') GROUP BY window_end",
        "sql.window_months", says: "date_trunc", at: "INTERVAL"),
    q(
        "SELECT count(*) FROM tumble(bids, ts, INTERVAL '0 s') GROUP BY window_end",
        "sql.window_length", says: "positive", at: "INTERVAL"),
    q(
        "SELECT count(*) FROM tumble(bids, ts) GROUP BY window_end", "sql.window_arguments",
        says: "tumble(relation", at: "tumble"),
    q(
        "SELECT count(*) FROM tumble(bids, price, INTERVAL '1 s') GROUP BY window_end",
        "sql.window_time", says: "the time column here is ts", at: "price"),
    q(
        "SELECT count(*) FROM tumble(people, id, INTERVAL '1 s') GROUP BY window_end",
        "sql.window_over_updates", says: "updating", at: "id,"),
    q(
        "SELECT 1 AS x FROM tumble((SELECT ts, 1 AS window_end FROM bids), ts, INTERVAL '1 s')",
        "sql.window_column_taken", says: "rename it", at: "(SELECT"),
    q(
        "SELECT count(*) AS n FROM bids GROUP BY auction", "sql.key_not_selected",
        says: "select auction too", at: ""),
    q(
        "SELECT auction AS k, count(*) AS n FROM bids GROUP BY auction UNION ALL "
            + "SELECT id, 1 FROM people", "sql.union_key", says: "constant", at: ""),
    q(
        "SELECT auction, price FROM bids GROUP BY auction", "sql.not_grouped", says: "price",
        at: "price"),
    q("SELECT auction FROM bids GROUP BY 2", "sql.group_position", says: "2", at: "2"),
    q("SELECT auction, auction FROM bids", "sql.column_twice", says: "AS", at: "out"),
    q(
        "SELECT auction, window_end FROM session(bids, ts, INTERVAL '1 h')", "sql.session_keys",
        says: "partition_by", at: "session"),
    q(
        "SELECT window_end, upper(channel), count(*) FROM session(bids, ts, INTERVAL '1 h') "
            + "WHERE ts = window_start GROUP BY upper(channel), window_end", "sql.session_keys",
        says: "partition_by", at: "session"),
    q(
        "SELECT window_start, count(*) FROM session(bids, ts, INTERVAL '1 h', "
            + "partition_by => (auction)) GROUP BY window_start", "sql.session_end",
        says: "window_end", at: "window_start;"),
    q("SELECT x FROM out", "sql.view_cycle", says: "reads itself", at: "out USING"),
    PlanRefusal(
        "CREATE MATERIALIZED VIEW out USING delta WITH (location = '/l') AS "
            + "SELECT prices, count(*) AS n FROM (SELECT array[price] AS prices FROM bids) AS x "
            + "GROUP BY prices;", "sql.key_type", says: "prices", at: "delta"),
    PlanRefusal(
        "CREATE MATERIALIZED VIEW out USING delta WITH (location = '/l', partition_by = 'prices') AS "
            + "SELECT auction, array[price] AS prices FROM bids;", "option.partition_type",
        says: "prices", at: "'prices'"),
    PlanRefusal(
        "CREATE MATERIALIZED VIEW out USING delta WITH (location = '/l', partition_by = 'auction') AS "
            + "SELECT auction FROM bids;", "option.partition_all", says: "beside", at: "'auction'"),
    PlanRefusal(
        "CREATE TABLE spans (span interval PRIMARY KEY, n bigint) USING delta WITH (location = '/l'); "
            + "INSERT INTO spans SELECT ts - ts, 1 FROM bids;", "sql.type_refused", says: "interval",
        at: "delta"),
    PlanRefusal("SELECT auction FROM bids;", "sql.select_in_topology", says: "query", at: "SELECT"),
    PlanRefusal(
        "CREATE VIEW v AS SELECT auction FROM bids;", "sql.no_output", says: "output", at: ""),
    PlanRefusal(
        "CREATE TABLE t (a bigint) USING kafka WITH (topic = 't', bootstrap_servers = 'x', "
            + "format = 'json'); INSERT INTO t SELECT auction FROM bids; "
            + output("SELECT a FROM t"),
        "sql.read_and_written", says: "CREATE VIEW", at: "t;"),
    PlanRefusal(
        "CREATE MATERIALIZED VIEW a USING delta WITH (location = '/lake/x') AS "
            + "SELECT auction FROM bids; CREATE MATERIALIZED VIEW b USING delta WITH "
            + "(location = '/lake//x/') AS SELECT price FROM bids;", "sql.location_twice",
        says: "\"a\"", at: "b USING"),
    PlanRefusal(
        "CREATE MATERIALIZED VIEW a USING files WITH (path = '/f', format = 'json') AS "
            + "SELECT auction, count(*) FROM bids GROUP BY auction;", "sql.sink_updates",
        says: "debezium_json", at: "a USING"),
    PlanRefusal(
        "CREATE MATERIALIZED VIEW a USING delta WITH (location = '/l', primary_key = 'n') AS "
            + "SELECT auction, count(*) AS n FROM bids GROUP BY auction;", "sql.key_declared",
        says: "auction", at: "a USING"),
    PlanRefusal(
        "CREATE MATERIALIZED VIEW a USING delta WITH (location = '/l') AS "
            + "SELECT auction, INTERVAL '1 s' AS d FROM bids;", "sql.type_refused", says: "cast it",
        at: "delta"),
    PlanRefusal(
        "CREATE MATERIALIZED VIEW a AS SELECT auction FROM bids;", "sql.no_connector",
        says: "USING", at: "a AS"),
]

@Suite struct PlanRefusalTests {
    @Test("refused", arguments: refusals)
    func refused(_ refusal: PlanRefusal) throws {
        let text = sources + refusal.sql
        do {
            _ = try plan(text)
            Issue.record("it was planned")
        } catch let failure as Failure {
            #expect(failure.code == refusal.code, "\(failure)")
            #expect(failure.kind == .invalid)
            #expect("\(failure)".contains(refusal.says), "\(failure)")
            let place = try #require(failure.place)
            let rest = String(decoding: Array(text.utf8).dropFirst(place.offset), as: UTF8.self)
            #expect(rest.hasPrefix(refusal.at), "\(failure) at \(rest.prefix(30))")
        }
    }
}
