// What a checkpoint costs, through the whole pipeline and RocksDB: bounded by `epoch_bytes`, and as
// much as has changed (design.md §3.11).

import Connectors
import Contracts
import Foundation
import Progress
import RocksState
import Runtime
import Testing

@Suite(.serialized) struct EpochBytesTests {
    private func counts(_ settings: String, of columns: String) -> String {
        """
        SET checkpoint_interval = '1 hour';
        SET checkpoint_history = 1000;
        \(settings)
        CREATE TABLE t (k bigint NOT NULL, v text NOT NULL)
        USING files WITH (path = '$DIR/in', format = 'csv', header = 'false', parallel_files = 'true');
        CREATE MATERIALIZED VIEW n USING blackhole AS \(columns);
        """
    }

    private func lines(_ keys: Range<Int>) -> String {
        keys.map { "\($0 &* 7_919),value\($0 % 10)\n" }.joined()
    }

    private func epochs(_ fixture: FilesFixture) throws -> [EpochRecord] {
        try StateDirectory.inspect(path: fixture.folder + "/state").history()
    }

    @Test("F29: dirty state brings a barrier early", arguments: [
        "SELECT k, count(*) AS n, min(v) AS v FROM t GROUP BY k",
        "SELECT DISTINCT k, v FROM t",
        "SELECT v, count(DISTINCT k) AS n FROM t GROUP BY v",
    ])
    func dirtyStateBringsABarrierEarly(_ query: String) throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.csv", lines(0..<120_000))
        try fixture.run(counts("SET epoch_bytes = '150kB';", of: query), workers: 2)
        let early = try epochs(fixture)
        #expect(early.count { $0.byteCount > 50_000 } >= 2, "\(early.map(\.byteCount))")
        #expect(early.allSatisfy { $0.byteCount < 8 << 20 }, "\(early.map(\.byteCount))")

        // The control: the same with room for all.
        let whole = try FilesFixture()
        try whole.write("in/a.csv", lines(0..<120_000))
        try whole.run(counts("SET epoch_bytes = '64MB';", of: query), workers: 2)
        let late = try epochs(whole)
        #expect(late.count { $0.byteCount > 50_000 } == 1, "\(late.map(\.byteCount))")
    }

    @Test func aMillionKeysOfWhichTenAreTouchedCostLessThan100kB() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.csv", lines(0..<1_000_000))
        let query = counts("", of: "SELECT k, count(*) AS n FROM t GROUP BY k")
        try fixture.run(query, .availableNow, workers: 2)
        let first = try #require(try epochs(fixture).last)
        #expect(first.byteCount > 10_000_000, "a million keys were written")
        try fixture.write("in/b.csv", lines(400_000..<400_010))
        let summary = try fixture.run(query, .availableNow, workers: 2)
        let last = try #require(try epochs(fixture).last)
        #expect(last.marker.epoch > first.marker.epoch)
        #expect(last.byteCount < 100_000, "\(last.byteCount) bytes")
        #expect(summary.sources[0].counters["rows"] == 1_000_010)
        #expect(summary.imbalances.isEmpty)
    }
}
