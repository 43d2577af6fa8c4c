// A table brought back to an epoch (design.md §3.9): cut groups, others' work, what is refused.

import Columns
import Contracts
import DeltaTable
import Foundation
import Progress
import PythonSupport
import Testing
import Types

@Suite(.enabled(if: Python.isUsable, "needs Python with deltalake and duckdb"))
struct RestoreTests {
    static let schema = Schema([Field("k", .bigint), Field("v", .bigint)])

    private func batch(_ rows: [(Int64, Int64)]) -> Batch {
        Batch(
            rowCount: rows.count,
            columns: [
                Column(.bigint, .int64(rows.map(\.0))), Column(.bigint, .int64(rows.map(\.1))),
            ])
    }

    /// One log entry with several epochs, as `commit_interval` makes them.
    private func group(_ table: TableFixture, _ epochs: [UInt64]) throws {
        let intents = try epochs.map { try table.intent($0, [batch([(Int64($0), 0)])]) }
        _ = try table.committer.append(intents, known: table.known)
        table.known += epochs.map(table.marker)
    }

    private func restore(
        _ table: TableFixture, to epoch: UInt64, open: [UInt64] = [], isUpsert: Bool = false,
        rows: [UInt64: [(Int64, Int64)]] = [:]
    ) throws -> DeltaCommitOutcome {
        let target = table.marker(epoch)
        let request = DeltaRestoreRequest(
            target: target, open: open.map(table.marker), isUpsert: isUpsert)
        let restore = Marker(
            generation: target.generation + 1, epoch: epoch, incarnation: table.incarnation)
        return try table.committer.restore(
            request, as: DeltaEpochIntent(marker: restore, files: []), known: table.known,
            incarnation: table.incarnation, numbers: table.numbers, options: table.options
        ) { markers in
            let last = markers.sorted().flatMap { rows[$0.epoch] ?? [] }
            return DeltaUpsertRows(
                rows: batch(last), isDeleted: last.map { _ in false }, key: [0])
        }
    }

    private func refusal(_ body: () throws -> Void) throws -> Failure {
        let failure = #expect(throws: Failure.self) { try body() }
        return try #require(failure)
    }

    @Test func anAppendEntryOfSeveralEpochsIsCut() throws {
        let table = try TableFixture(Self.schema)
        try group(table, [1, 2])
        try group(table, [3, 4, 5])
        try group(table, [6])
        guard case .committed = try restore(table, to: 4) else { throw Lost("restore") }
        let wanted = try TableFixture(Self.schema)
        try group(wanted, [1, 2, 3, 4])
        #expect(try table.rowsByUs() == wanted.rowsByUs())
        #expect(try table.rowsByDeltalake() == wanted.rowsByUs())
        // The answer was lost: it has landed, and nothing is put again.
        let version = try #require(try DeltaLog(table.store).snapshot()).version
        guard case .committed = try restore(table, to: 4) else { throw Lost("restore") }
        #expect(try DeltaLog(table.store).snapshot()?.version == version)
        // A marker that nobody knows fences it.
        table.known = [.none]
        guard case .fenced = try restore(table, to: 2) else { throw Lost("a fence") }
    }

    /// Epochs 3 and 4 stand in one entry; at 3's checkpoint its rows were open.
    @Test func anUpsertEntryOfSeveralEpochsIsMergedAgain() throws {
        let table = try TableFixture(Self.schema)
        for epoch in [UInt64(1), 2] {
            try table.upsert(
                epoch, batch([(1, Int64(epoch)), (Int64(epoch) + 10, 0)]), deleted: [false, false],
                key: [0])
        }
        let both = [UInt64(3), 4].map { DeltaEpochIntent(marker: table.marker($0), files: []) }
        _ = try table.committer.upsert(
            both, known: table.known, incarnation: table.incarnation, numbers: table.numbers,
            options: table.options
        ) { _ in
            DeltaUpsertRows(rows: batch([(1, 4), (12, 4)]), isDeleted: [false, true], key: [0])
        }
        table.known += both.map(\.marker)
        // Without its rows it can't be had.
        let failure = try refusal { _ = try restore(table, to: 3, isUpsert: true) }
        #expect(failure.code == "rewind.inexact")
        let outcome = try restore(
            table, to: 3, open: [3], isUpsert: true, rows: [3: [(1, 3), (12, 3)]])
        guard case .committed = outcome else { throw Lost("restore") }
        let wanted = try TableFixture(Self.schema)
        try wanted.upsert(
            1, batch([(1, 3), (11, 0), (12, 3)]), deleted: [false, false, false], key: [0])
        #expect(try table.rowsByUs() == wanted.rowsByUs())
        #expect(try table.rowsByDuckDB() == wanted.rowsByUs())
    }

    @Test func whatOthersDidToRowsThatStayStays() throws {
        let table = try TableFixture(Self.schema)
        try group(table, [1])
        try group(table, [2])
        try group(table, [3])
        _ = try Python.run(
            """
            import deltalake, pyarrow as pa
            t = deltalake.DeltaTable(sys.argv[1])
            deltalake.write_deltalake(t, pa.table({'k': pa.array([70], pa.int64()),
                                                   'v': pa.array([1], pa.int64())}), mode='append')
            deltalake.DeltaTable(sys.argv[1]).delete('k = 1')
            """, [table.path])
        guard case .committed = try restore(table, to: 2) else { throw Lost("restore") }
        let wanted = try TableFixture(Self.schema)
        try wanted.append(1, batch([(2, 0), (70, 1)]))
        #expect(try table.rowsByUs() == wanted.rowsByUs())
    }

    @Test func aChangeOfRowsThatGoIsRefusedByVersion() throws {
        let table = try TableFixture(Self.schema)
        try group(table, [1])
        try group(table, [2, 3])
        _ = try Python.run(
            """
            import deltalake
            deltalake.DeltaTable(sys.argv[1]).update(updates={'v': '9'}, predicate='k = 3')
            """, [table.path])
        let failure = try refusal { _ = try restore(table, to: 1) }
        #expect(failure.code == "rewind.foreign_change" && failure.kind == .invalid)
        #expect(failure.message.contains("version 3"), "\(failure.message)")
    }

    @Test func aFileThatAVacuumTookIsRefusedByName() throws {
        let table = try TableFixture(Self.schema)
        try table.upsert(1, batch([(1, 1)]), deleted: [false], key: [0])
        try table.upsert(2, batch([(1, 2)]), deleted: [false], key: [0])
        _ = try Python.run(
            """
            import deltalake
            deltalake.DeltaTable(sys.argv[1]).vacuum(0, dry_run=False, enforce_retention_duration=False)
            """, [table.path])
        let failure = try refusal { _ = try restore(table, to: 1, isUpsert: true) }
        #expect(failure.code == "rewind.file_missing", "\(failure)")
    }
}

private struct Lost: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
