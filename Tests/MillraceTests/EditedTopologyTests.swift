// An edited topology on the state of the one before it (F3, F5): what it did not change goes on,
// what it changed is refused with what was and what is, or given up by name.

import Columns
import Connectors
import Contracts
import DeltaTable
import Environment
import Foundation
import Planning
import Progress
import RocksState
import Runtime
import Testing

@Suite(.serialized) struct EditedTopologyTests {
    private let fixture: FilesFixture

    init() throws {
        fixture = try FilesFixture()
        try fixture.write("in/a.csv", "1,10\n2,20\n1,30\n")
    }

    private static let source = """
        CREATE TABLE t (k bigint NOT NULL, v bigint NOT NULL)
        USING files WITH (path = '$DIR/in', format = 'csv', header = 'false');

        """
    private static let counted = """
        CREATE MATERIALIZED VIEW c USING delta WITH (location = '$DIR/c') AS
        SELECT k, count(*) AS n FROM t GROUP BY k;

        """
    private static let summed = """
        CREATE MATERIALIZED VIEW c USING delta WITH (location = '$DIR/c') AS
        SELECT k, count(v) AS n FROM t GROUP BY k;

        """

    private static func kept(above limit: Int) -> String {
        """
        CREATE MATERIALIZED VIEW o USING delta WITH (location = '$DIR/o') AS
        SELECT k, v FROM t WHERE v > \(limit);

        """
    }

    @discardableResult
    private func run(_ sql: String, resets: [String] = []) throws -> RunSummary {
        let summary = try fixture.run(
            EditedTopologyTests.source + sql, .availableNow, resets: resets)
        #expect(summary.imbalances.isEmpty, "\(summary.imbalances)")
        #expect(summary.openEpochs.isEmpty)
        return summary
    }

    private func refused(_ sql: String, resets: [String] = []) throws -> Failure {
        let failure = #expect(throws: Failure.self) { try run(sql, resets: resets) }
        let found = try #require(failure)
        #expect(found.kind == .invalid, "\(found)")
        return found
    }

    private var directory: StateDirectory {
        get throws { try StateDirectory.inspect(path: fixture.folder + "/state") }
    }

    /// A table's rows as lines.
    private func rows(_ table: String) throws -> [String] {
        let store = LocalDeltaStore("\(fixture.folder)/\(table)")
        let snapshot = try #require(try DeltaLog(store).snapshot())
        let shape = TableShape(schema: try snapshot.schema(), partitionColumns: [])
        var lines: [String] = []
        for file in snapshot.files.values {
            let reader = try DataFileReader(file, shape, store: store)
            for group in 0..<reader.rowGroupCount {
                let batch = try reader.read(group)
                for row in 0..<batch.rowCount {
                    let values = batch.columns.map { column -> String in
                        if case .int64(let values) = column.values { return String(values[row]) }
                        return "?"
                    }
                    lines.append(values.joined(separator: ","))
                }
            }
        }
        return lines.sorted()
    }

    @Test func aFilterAndANewOutputChangeNoState() throws {
        try run(EditedTopologyTests.counted + EditedTopologyTests.kept(above: 15))
        #expect(try rows("o") == ["1,30", "2,20"])
        try fixture.write("in/b.csv", "1,1\n2,2\n")
        let new = """
            CREATE MATERIALIZED VIEW d USING delta WITH (location = '$DIR/d') AS
            SELECT v, count(*) AS n FROM t GROUP BY v;
            """
        let edited = EditedTopologyTests.counted + EditedTopologyTests.kept(above: 1) + new
        let summary = try run(edited)
        #expect(try rows("c") == ["1,3", "2,2"])
        #expect(try rows("o") == ["1,30", "2,2", "2,20"])
        #expect(try rows("d") == ["1,1", "2,1"])
        #expect(summary.outputs.first { $0.name == "o" }?.rows == 3)
        #expect(try directory.identity.generation == 1)
        // And once more, unedited.
        try fixture.write("in/c.csv", "1,5\n")
        try run(edited)
        #expect(try rows("c") == ["1,4", "2,2"])
        #expect(try rows("o") == ["1,30", "1,5", "2,2", "2,20"])
    }

    @Test func anEditedAggregateIsRefusedWithWhatWasAndWhatIs() throws {
        try run(EditedTopologyTests.counted)
        let before = try directory.currentEpoch()?.marker
        let failure = try refused(EditedTopologyTests.summed)
        #expect(failure.code == "state.plan_changed")
        for word in ["gone:", "count(*)", "new:", "count(v)", "2 entries", "bytes of state"] {
            #expect(failure.message.contains(word), "\(failure.message)")
        }
        #expect(failure.hint?.contains("--reset-state") == true)
        #expect(try directory.currentEpoch()?.marker == before)
        #expect(try directory.identity.generation == 1)
        // Put back, its state is there.
        try fixture.write("in/b.csv", "1,1\n")
        try run(EditedTopologyTests.counted)
        #expect(try rows("c") == ["1,3", "2,1"])
    }

    @Test(
        "F3, F5: after a reset every new epoch is committed, at later starts too",
        arguments: ["all", "id"])
    func aResetBeginsTheNextGeneration(_ named: String) throws {
        try run(EditedTopologyTests.counted)
        let failure = try refused(EditedTopologyTests.summed)
        var name = named
        if named == "id" {
            let hint = try #require(failure.hint)
            name = String(
                try #require(hint.split(separator: "--reset-state ").last?.split(separator: " ").first))
        }
        try fixture.write("in/b.csv", "1,1\n3,3\n")
        try run(EditedTopologyTests.summed, resets: [name])
        #expect(try directory.identity.generation == 2)
        #expect(try rows("c") == ["1,1", "2,1", "3,1"])
        try fixture.write("in/c.csv", "1,4\n")
        try run(EditedTopologyTests.summed)
        #expect(try rows("c") == ["1,2", "2,1", "3,1"])
        #expect(try directory.identity.generation == 2)
        // `all` where all fits changes nothing; a name that no longer is one is refused.
        try fixture.write("in/d.csv", "1,4\n")
        if named == "all" {
            try run(EditedTopologyTests.summed, resets: ["all"])
            #expect(try rows("c") == ["1,3", "2,1", "3,1"])
            #expect(try directory.identity.generation == 2)
        } else {
            let unknown = try refused(EditedTopologyTests.summed, resets: [name])
            #expect(unknown.code == "state.reset_unknown")
        }
    }

    @Test func anUnchangedOperatorIsResetByItsNumber() throws {
        try run(EditedTopologyTests.counted)
        let plan = try fixture.plan(EditedTopologyTests.source + EditedTopologyTests.counted)
        let node = try #require(plan.nodes.first { $0.keepsState })
        let text = Explain(plan).render(.text)
        #expect(text.contains("id: " + String(node.operatorID, radix: 16)), "\(text)")
        try fixture.write("in/b.csv", "1,1\n")
        try run(EditedTopologyTests.counted, resets: ["#\(node.index)"])
        #expect(try rows("c") == ["1,1", "2,1"])
        #expect(try directory.identity.generation == 2)
        let failure = try refused(EditedTopologyTests.counted, resets: ["#77"])
        #expect(failure.code == "state.reset_unknown")
        #expect(failure.hint?.contains("aggregate by (k)") == true, "\(failure)")
    }

    /// The kept row of a keyed source has the columns that are read: one more reader changes it.
    @Test func aKeyedSourceThatOthersReadMoreOfIsRefusedByItsColumns() throws {
        try fixture.write("in/rows.json", "{\"id\": 1, \"a\": 5, \"b\": 6}\n")
        try LocalFiles.remove(fixture.folder + "/in/a.csv")
        let source = """
            CREATE TABLE p (id bigint PRIMARY KEY, a bigint, b bigint)
            USING files WITH (path = '$DIR/in', format = 'json');
            CREATE MATERIALIZED VIEW x USING delta WITH (location = '$DIR/x') AS SELECT id, a FROM p;

            """
        try fixture.run(source, .availableNow)
        let more = """
            CREATE MATERIALIZED VIEW y USING delta WITH (location = '$DIR/y') AS SELECT id, b FROM p;
            """
        let failure = #expect(throws: Failure.self) {
            try fixture.run(source + more, .availableNow)
        }
        #expect(failure?.code == "state.plan_changed")
        let message = try #require(failure?.message)
        for word in ["changed: last row by (id)", "was: rows of (id bigint, a bigint)",
            "is: rows of (id bigint, a bigint, b bigint)"]
        {
            #expect(message.contains(word), "\(message)")
        }
        try fixture.run(source, .availableNow)
    }

    @Test func aSourceThatReadsSomethingElseIsRefused() throws {
        try run(EditedTopologyTests.kept(above: 0))
        let moved = EditedTopologyTests.source.replacingOccurrences(of: "/in'", with: "/other'")
        let failure = #expect(throws: Failure.self) {
            try fixture.run(moved + EditedTopologyTests.kept(above: 0), .availableNow)
        }
        #expect(failure?.code == "state.source_changed")
        #expect(failure?.message.contains("/other") == true)
    }

    @Test func anOutputWithEpochsThatWaitStaysInTheTopology() throws {
        try run(EditedTopologyTests.kept(above: 0) + EditedTopologyTests.counted)
        let plan = try fixture.plan(
            EditedTopologyTests.source + EditedTopologyTests.kept(above: 0)
                + EditedTopologyTests.counted)
        do {
            let directory = try StateDirectory.open(
                path: fixture.folder + "/state", entropy: .system)
            let marker = directory.identity.marker(epoch: 9)
            _ = try directory.write(
                EpochWrite(
                    record: EpochRecord(
                        marker: marker, writtenAt: 1, minima: [:], counters: [:], hasEnded: false,
                        byteCount: 0, outputRows: 0),
                    offsets: [], deltas: [],
                    intents: [
                        Intent(
                            target: plan.outputs[0].outputID, marker: marker, offsets: [],
                            parts: [[]])
                    ], trims: [:], historyLimit: 3))
        }
        let failure = try refused(EditedTopologyTests.counted)
        #expect(failure.code == "state.output_waits" && failure.message.contains("output o"))
    }

    /// State that an earlier build made has no plan: it is taken as it is, and noted.
    @Test func stateWithoutAPlanIsTaken() throws {
        let sql = EditedTopologyTests.source + EditedTopologyTests.counted
        try fixture.run(sql, .availableNow, settles: false)
        #expect(try directory.storedPlan() == nil)
        try fixture.write("in/b.csv", "1,1\n")
        try run(EditedTopologyTests.counted)
        #expect(try rows("c") == ["1,3", "2,1"])
        #expect(fixture.messages.contains { $0.contains("no plan stored") })
        #expect(try directory.storedPlan() != nil)
    }
}
