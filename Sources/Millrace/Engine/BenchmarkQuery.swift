// The queries that `bench` measures: Nexmark's q0, q1 and q2, and a tumbling count and maximum.

package import Contracts
package import Planning
import SQLSyntax

/// One of `benchmarkQueries` over bids from one kind of source.
package struct BenchmarkQuery {
    let name: String
    /// What stands behind `USING` of the table of bids.
    let connector: String

    /// Not measured: all columns, to fill a topic with.
    static let load = "load"

    /// Bids as the benchmark has them, without the URL, which no query reads. What a query does not
    /// read is neither generated nor decoded.
    static let bidColumns =
        "auction bigint, bidder bigint, price bigint, channel text, date_time timestamptz, "
        + "extra text"

    /// Bids out of the generator in this process: of 50 events the last 46 are bids.
    package static func generated(_ name: String, bids: Int, partitions: Int) -> BenchmarkQuery {
        let rest = bids % 46
        let events = bids / 46 * 50 + (rest > 0 ? 4 + rest : 0)
        return BenchmarkQuery(
            name: name,
            connector: """
                nexmark WITH (event_time = 'date_time', watermark_delay = '0 seconds', \
                events = \(events), partitions = \(partitions))
                """)
    }

    var topology: String {
        """
        CREATE TABLE bid (\(Self.bidColumns)) USING \(connector);
        CREATE MATERIALIZED VIEW result USING blackhole AS \(select);
        """
    }

    private var select: String {
        switch name {
        case "q0": "SELECT auction, bidder, price, date_time, extra FROM bid"
        case "q1":
            "SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid"
        case BenchmarkQuery.load:
            "SELECT auction, bidder, price, channel, date_time, extra FROM bid"
        case "q2": "SELECT auction, price FROM bid WHERE auction % 123 = 0"
        case "tumble":
            "SELECT auction, window_end, count(*) AS bids, max(price) AS highest "
                + "FROM tumble(bid, date_time, INTERVAL '10 seconds') "
                + "GROUP BY auction, window_end"
        default: bug("no benchmark is called \(name)")
        }
    }

    /// Parsed and planned with `--set`s.
    package func plan(_ settings: [SettingOverride] = []) throws(Failure) -> Plan {
        let source = SourceText(file: "bench \(name)", text: topology)
        return try Planner.plan(
            try parseTopology(source), name: "bench_\(name)",
            options: LoadedTopology.options(settings))
    }
}
