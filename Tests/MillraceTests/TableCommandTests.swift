// `table show` and `table history` over a table of two commits.

import Columns
import Contracts
import DeltaTable
import Foundation
import Millrace
import Progress
import Synchronization
import Testing
import Types

@Suite struct TableCommandTests {
    private static let pipeline = "01234567-89ab-cdef-0123-456789abcdef"

    /// A table partitioned by `day` that the output `sales/eu` of one pipeline has filled twice.
    private func makeTable(_ folder: URL) throws {
        let schema = Schema([Field("amount", .bigint, isNullable: false), Field("day", .text)])
        let shape = TableShape(schema: schema, partitionColumns: [1])
        let store = LocalDeltaStore(folder.path)
        var committer = DeltaCommitter(
            store: store,
            identity: DeltaWriterIdentity(pipelineID: Self.pipeline, sink: "sales/eu"),
            output: shape)
        try committer.createTable(configuration: ["delta.appendOnly": "true"])
        let numbers = FileNumbers()
        var known = [Marker.none]
        for epoch in UInt64(1)...2 {
            let marker = Marker(generation: 3, epoch: epoch * 10, incarnation: 77)
            let writer = DeltaEpochWriter(
                store: store, shape: shape, marker: marker, numbers: numbers,
                options: DeltaWriteOptions(), now: { 1_800_000_000_000 })
            let count = Int(epoch) * 5
            try writer.write(
                Batch(
                    rowCount: count,
                    columns: [
                        Column(.bigint, .int64((0..<Int64(count)).map { $0 })),
                        Column(.text, repeating: .text("monday"), count: count),
                    ]))
            let intent = DeltaEpochIntent(
                marker: marker, files: try writer.close(),
                offsets: [
                    PartitionOffset(
                        source: "orders", partition: "0", next: Int64(epoch) * 100,
                        fingerprint: nil, highestTime: EventTime.never, end: nil)
                ])
            let outcome = try committer.append([intent], known: known)
            #expect(outcome == .committed(version: Int64(epoch)))
            known.append(marker)
        }
    }

    private func withTable(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "millrace-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeTable(folder)
        try await body(folder.path)
    }

    private func output(_ words: [String]) async -> (status: Int32, text: String, error: String) {
        let text = Mutex("")
        let error = Mutex("")
        let status = await runCommandLine(
            words, runner: EngineRunner(),
            terminal: Terminal(
                write: { more in text.withLock { $0 += more } },
                writeError: { more in error.withLock { $0 += more } }))
        return (status, text.withLock { $0 }, error.withLock { $0 })
    }

    @Test func showTellsVersionColumnsFilesRowsAndWhoWrote() async throws {
        try await withTable { path in
            let shown = await output(["table", "show", path])
            #expect(shown.status == 0)
            #expect(shown.text.contains("version     2\nfiles       2, "))
            #expect(shown.text.contains("rows        15\n"))
            #expect(shown.text.contains("partitions  day\n"))
            #expect(shown.text.contains("  amount  bigint NOT NULL\n  day     text\n"))
            #expect(shown.text.contains("  delta.appendOnly = true\n"))
            #expect(
                shown.text.contains(
                    "  sales/eu of pipeline \(Self.pipeline), generation 3, epoch 20\n"))
        }
    }

    @Test func showAsJSONIsOneObject() async throws {
        try await withTable { path in
            let shown = await output(["table", "show", "file://" + path, "--json"])
            let document = try JSONValue(parsing: shown.text)
            #expect(document["version"]?.int64 == 2)
            #expect(document["rows"]?.int64 == 15)
            #expect(document["files"]?.int64 == 2)
            #expect(document["partition_columns"]?.array == [.string("day")])
            #expect(document["properties"]?["delta.appendOnly"]?.string == "true")
            let writer = try #require(document["writers"]?.array?.first)
            #expect(writer["sink"]?.string == "sales/eu")
            #expect(writer["generation"]?.int64 == 3)
            #expect(writer["epoch"]?.int64 == 20)
            #expect(document["schema"]?["fields"]?.array?.count == 2)
        }
    }

    @Test func historyIsNewestFirstWithEpochsAndOffsets() async throws {
        try await withTable { path in
            let shown = await output(["table", "history", path, "--json"])
            let document = try JSONValue(parsing: shown.text)
            #expect(document["location"]?.string == path)
            let versions = document["commits"]?.array ?? []
            #expect(versions.compactMap { $0["version"]?.int64 } == [2, 1, 0])
            #expect(versions.map { $0["added_rows"]?.int64 } == [10, 5, 0])
            #expect(versions[0]["epochs"]?.array == [.number("20")])
            #expect(versions[0]["offsets"]?["orders"]?["0"]?.int64 == 200)
            #expect(versions[2]["operation"]?.string == "CREATE TABLE")
            let limited = await output(["table", "history", path, "--limit", "1"])
            #expect(limited.text.hasPrefix("version 2  "))
            #expect(limited.text.contains("+1 −0 files  +10 rows"))
            #expect(limited.text.contains("sales/eu generation 3 epoch 20"))
            #expect(limited.text.split(separator: "\n").count == 1)
        }
    }

    @Test func noTableIsAFailure() async throws {
        let shown = await output(["table", "show", "/nowhere/at/all"])
        #expect(shown.status == 1)
        #expect(shown.error.contains("there is no Delta table at /nowhere/at/all"))
    }
}
