// A table in a temporary folder, written by us, and what others read of it.

import Columns
import Contracts
import DeltaTable
import Environment
import Foundation
import Parquet
import Progress
import PythonSupport
import Types

/// Writes epochs as a sink does.
final class TableFixture {
    let folder: TemporaryFolder
    let store: any DeltaStore
    let shape: TableShape
    let numbers = FileNumbers()
    var committer: DeltaCommitter
    var incarnation: UInt64 = 0xfedc_ba98_7654_3210
    var generation: UInt64 = 1
    /// What the state directory would know.
    var known: [Marker] = [.none]
    var options = DeltaWriteOptions()

    static let pipeline = "01234567-89ab-cdef-0123-456789abcdef"
    var path: String { folder.path("table") }

    init(
        _ schema: Schema, partitionedBy names: [String] = [],
        wrapping wrap: (LocalDeltaStore) -> any DeltaStore = { $0 }
    ) throws {
        folder = try TemporaryFolder()
        store = wrap(LocalDeltaStore(folder.path("table")))
        shape = TableShape(
            schema: schema, partitionColumns: names.compactMap { schema.index(of: $0) })
        committer = DeltaCommitter(
            store: store,
            identity: DeltaWriterIdentity(pipelineID: Self.pipeline, sink: "orders"),
            output: shape)
        try committer.createTable()
    }

    func marker(_ epoch: UInt64) -> Marker {
        Marker(generation: generation, epoch: epoch, incarnation: incarnation)
    }

    /// The files of one epoch, written and closed.
    func intent(_ epoch: UInt64, _ batches: [Batch]) throws -> DeltaEpochIntent {
        let writer = DeltaEpochWriter(
            store: store, shape: shape, marker: marker(epoch), numbers: numbers, options: options,
            now: { 1_800_000_000_000 })
        for batch in batches { try writer.write(batch) }
        return DeltaEpochIntent(
            marker: marker(epoch), files: try writer.close(),
            offsets: [
                PartitionOffset(
                    source: "orders", partition: "0", next: Int64(epoch) * 10, fingerprint: nil,
                    highestTime: EventTime.never, end: nil)
            ])
    }

    @discardableResult
    func append(_ epoch: UInt64, _ batches: Batch...) throws -> DeltaCommitOutcome {
        let outcome = try committer.append([try intent(epoch, batches)], known: known)
        known.append(marker(epoch))
        return outcome
    }

    @discardableResult
    func upsert(
        _ epoch: UInt64, _ rows: Batch, deleted: [Bool], key: [Int]
    ) throws -> DeltaCommitOutcome {
        let intent = DeltaEpochIntent(marker: marker(epoch), files: [])
        let outcome = try committer.upsert(
            [intent], known: known, incarnation: incarnation, numbers: numbers, options: options
        ) { _ in DeltaUpsertRows(rows: rows, isDeleted: deleted, key: key) }
        known.append(marker(epoch))
        return outcome
    }

    /// All rows as our own reader has them, sorted as text.
    func rowsByUs() throws -> [String] {
        guard let snapshot = try DeltaLog(store).snapshot() else { return [] }
        let shape = try snapshot.shape(for: shape)
        var rows: [String] = []
        for file in snapshot.files.values {
            let reader = try DataFileReader(file, shape, store: store)
            for group in 0..<reader.rowGroupCount {
                rows += try reader.read(group).canonicalRows(uuidAsText: true)
            }
        }
        return rows.sorted()
    }

    /// The same through deltalake.
    func rowsByDeltalake() throws -> [String] {
        try Python.lines(
            """
            import deltalake
            t = deltalake.DeltaTable(sys.argv[1])
            out = rows(t.to_pyarrow_table())
            print('\\n'.join(sorted(out)))
            """, [path])
    }

    /// The same through DuckDB's delta extension (delta-kernel-rs).
    func rowsByDuckDB() throws -> [String] {
        try Python.lines(
            "print('\\n'.join(sorted(rows(delta_duck(sys.argv[1])))))", [path])
    }

    func log() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/_delta_log").sorted()
    }
}
