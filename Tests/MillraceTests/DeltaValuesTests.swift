// What no Delta table holds costs a row, not the table; what it would hold under a name that others
// can't read is refused before anything runs.

import Contracts
import Foundation
import Planning
import Runtime
import Testing

@Suite struct DeltaValuesTests {
    private func topology(_ query: String, _ options: String = "") -> String {
        """
        CREATE TABLE t (k bigint NOT NULL, v text) USING files WITH (
            path = '$DIR/in', format = 'csv', header = 'false',
            on_error = 'dead_letter', dead_letter = 'dead');
        CREATE TABLE dead (reason text, "constraint" text)
        USING files WITH (path = '$DIR/dead', format = 'json');
        CREATE MATERIALIZED VIEW o USING delta WITH (location = '$DIR/table' \(options)) AS \(query);
        """
    }

    private func run(_ query: String, _ options: String = "", _ lines: String) throws
        -> (rows: Int64, dead: [String], summary: RunSummary)
    {
        let fixture = try FilesFixture()
        try fixture.write("in/a.csv", lines)
        let summary = try fixture.run(topology(query, options))
        #expect(summary.imbalances.isEmpty)
        let rows = try #require(summary.outputs.first { $0.name == "o" }).rows
        return (rows, try fixture.lines("dead"), summary)
    }

    @Test(arguments: [
        "SELECT k, CAST(v AS timestamptz) AS at FROM t", "SELECT k, CAST(v AS date) AS at FROM t",
        "SELECT k, CAST(v AS timestamp) AS at FROM t",
        "SELECT k, ARRAY[CAST(v AS date)] AS at FROM t",
    ])
    func infinityCostsItsRow(_ query: String) throws {
        let found = try run(query, "", "1,2026-01-01\n2,infinity\n3,-infinity\n4,\n")
        #expect(found.rows == 2)
        #expect(found.dead.count == 2, "\(found.dead)")
        let isNamed = found.dead.allSatisfy { $0.contains("out_of_range") && $0.contains("\"at\"") }
        #expect(isNamed, "\(found.dead)")
        #expect(found.summary.deadRows == 2)
    }

    @Test func aPartitionHoldsFourDigitsOfAYear() throws {
        let found = try run(
            "SELECT k, CAST(v AS date) AS at FROM t", ", partition_by = 'at'",
            "1,2026-01-01\n2,12026-01-01\n3,0044-03-15 BC\n4,\n")
        #expect(found.rows == 2)
        #expect(found.dead.count == 2, "\(found.dead)")
    }

    @Test func anUpdatingRowThatDoesNotFitIsNoRow() throws {
        let found = try run(
            "SELECT k % 2 AS k, max(CAST(v AS timestamptz)) AS at FROM t GROUP BY k % 2", "",
            "1,2026-01-01\n2,infinity\n3,2026-01-02\n")
        #expect(found.rows == 1)
        #expect(found.dead.count == 1, "\(found.dead)")
    }

    @Test(arguments: [
        "SELECT k AS \"a b\" FROM t", "SELECT k AS \"a,b\" FROM t", "SELECT k AS \"a=b\" FROM t",
        "SELECT k AS \"a(b)\" FROM t", "SELECT k AS a, k + 1 AS \"A\" FROM t",
    ])
    func namesThatNeedAMappingAreRefused(_ query: String) throws {
        let fixture = try FilesFixture()
        let failure = #expect(throws: Failure.self) { try fixture.plan(topology(query)) }
        #expect(failure?.code == "delta.column_name")
        #expect(failure?.hint?.contains("AS") == true)
        #expect(failure?.place != nil)
    }

    @Test func namesWithOtherCharactersAreFine() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.csv", "1,2\n")
        let summary = try fixture.run(topology("SELECT k AS \"köln.%/'-:\" FROM t"))
        #expect(summary.outputs[0].rows + summary.outputs[1].rows == 1)
    }
}
