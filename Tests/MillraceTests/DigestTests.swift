// The digest of an output: equal for equal results, however they came about, and whatever they were
// written to.

import Connectors
import Contracts
import Foundation
import Runtime
import Testing

@Suite struct DigestTests {
    private func topology(_ query: String, to connector: String, batchRows: Int = 2048) -> String {
        """
        SET batch_rows = \(batchRows);
        CREATE TABLE t (k bigint NOT NULL, v double precision)
        USING files WITH (path = '$DIR/in', format = 'csv', header = 'false', parallel_files = 'true');
        CREATE MATERIALIZED VIEW o USING \(connector) AS \(query);
        """
    }

    private func lines(_ keys: Range<Int>) -> String {
        keys.map { "\($0),\($0 % 3 == 0 ? "" : "\($0).5")\n" }.joined()
    }

    private func digest(
        _ query: String, to connector: String = "print", files: [[Range<Int>]], workers: Int = 1,
        batchRows: Int = 2048
    ) throws -> UInt64 {
        let fixture = try FilesFixture()
        var digest: UInt64?
        for (run, ranges) in files.enumerated() {
            for (number, range) in ranges.enumerated() {
                try fixture.write("in/\(run)-\(number).csv", lines(range))
            }
            digest = try fixture.run(
                topology(query, to: connector, batchRows: batchRows), .availableNow,
                workers: workers
            ).outputs[0].digest
        }
        return try #require(digest)
    }

    @Test(arguments: [
        "SELECT k, v FROM t WHERE k % 2 = 0",
        "SELECT k % 10 AS g, count(*) AS n, sum(v) AS s FROM t GROUP BY k % 10",
        "SELECT DISTINCT k % 100 AS g FROM t",
    ])
    func isTheSameForAnyCutOfTheInput(_ query: String) throws {
        let whole = try digest(query, files: [[0..<600, 600..<1000]])
        #expect(try digest(query, files: [[0..<600, 600..<1000]], batchRows: 3) == whole)
        #expect(try digest(query, files: [[0..<600, 600..<1000]], workers: 4) == whole)
        #expect(try digest(query, files: [[0..<100], [100..<900, 900..<1000]], workers: 2) == whole)
        #expect(try digest(query, files: [[0..<1000]]) == whole)
        // One row less, and one twice: DISTINCT does not see it.
        let hasMissed = try digest(query, files: [[1..<1000]]) == whole
        let hasDoubled = try digest(query, files: [[0..<1000, 0..<1]]) == whole
        #expect(hasMissed == query.contains("DISTINCT"))
        #expect(hasDoubled == query.contains("DISTINCT"))
    }

    @Test func isTheSameForAnySink() throws {
        let query = "SELECT k, v FROM t WHERE k > 10"
        let wanted = try digest(query, files: [[0..<500]])
        for connector in [
            "files WITH (path = '$DIR/out', format = 'json')",
            "delta WITH (location = '$DIR/table')",
        ] {
            #expect(try digest(query, to: connector, files: [[0..<500]]) == wanted)
        }
        let updating = "SELECT k % 5 AS g, count(*) AS n FROM t GROUP BY k % 5"
        let changes = try digest(updating, files: [[0..<500], [500..<600]])
        let table = "delta WITH (location = '$DIR/table')"
        #expect(try digest(updating, to: table, files: [[0..<500], [500..<600]]) == changes)
    }

    @Test func aBlackholeHasNone() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.csv", lines(0..<10))
        let output = try fixture.run(topology("SELECT k FROM t", to: "blackhole")).outputs[0]
        #expect(output.digest == nil)
        #expect(output.rows == 10)
    }
}
