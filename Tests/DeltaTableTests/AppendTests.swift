// Append tables as deltalake, DuckDB and pyarrow read them, markers, races and checkpoints.

import Columns
import Contracts
import DeltaTable
import Foundation
import Parquet
import Progress
import PythonSupport
import Testing
import Types

let orders = Schema([
    Field("id", .bigint, isNullable: false), Field("name", .text), Field("big", .bigint),
    Field("day", .date),
])

@Suite(.enabled(if: Python.isUsable, "needs Python with deltalake and duckdb"))
struct AppendTests {
    @Test func everyTypeIsReadByAllThreeReaders() throws {
        let table = try TableFixture(SampleRows.schema)
        var expected: [String] = []
        for epoch in 1...3 {
            let batch = SampleRows.batch(count: 300, seed: UInt64(epoch), firstID: epoch * 300)
            #expect(try table.append(UInt64(epoch), batch) == .committed(version: Int64(epoch)))
            expected += batch.canonicalRows(uuidAsText: true)
        }
        expected.sort()
        #expect(try table.rowsByUs() == expected)
        #expect(try table.rowsByDeltalake() == expected)
        #expect(try table.rowsByDuckDB() == expected)
        let byPyarrow = try Python.lines(
            """
            import deltalake, pyarrow.parquet as pq
            t = deltalake.DeltaTable(sys.argv[1])
            out = []
            for f in t.file_uris(): out += rows(pq.read_table(f))
            print('\\n'.join(sorted(out)))
            """, [table.path])
        #expect(byPyarrow == expected)
    }

    @Test func withoutLocalTimestampsTheProtocolIsOneTwo() throws {
        let table = try TableFixture(orders)
        let snapshot = try #require(try DeltaLog(table.store).snapshot())
        #expect(snapshot.tableProtocol == TableProtocol(minimumReader: 1, minimumWriter: 2))
        let local = try TableFixture(Schema([Field("at", .array(.timestamp))]))
        let other = try #require(try DeltaLog(local.store).snapshot())
        #expect(other.tableProtocol.readerFeatures == ["timestampNtz"])
    }

    @Test func partitionValuesOfEveryKindComeBack() throws {
        let schema = Schema([
            Field("id", .bigint, isNullable: false), Field("city", .text), Field("day", .date),
            Field("at", .timestamptz), Field("flag", .boolean),
            Field("price", .numeric(precision: 9, scale: 2)), Field("size", .integer),
        ])
        let table = try TableFixture(
            schema, partitionedBy: ["city", "day", "at", "flag", "price", "size"])
        let cities = [
            "a b", "köln/50%", "=x&y?#", "北京", ".", String(repeating: "long ", count: 60),
        ]
        func scalars(_ row: Int) -> [Scalar] {
            let city: Scalar = row % 7 == 6 ? .null : .text(cities[row % 6])
            let day: Scalar = row % 5 == 0 ? .null : .int64(Int64(row) * 1_000 - 9_000)
            let at: Scalar = row % 4 == 0 ? .null : .int64(Int64(row) * 1_234_567_890_123 - 7)
            let flag: Scalar = row % 3 == 0 ? .null : .bool(row % 2 == 0)
            // deltalake 1.6.6 itself prints a negative one as "-1.-78": positive ones only.
            let price = Scalar.int128(Int128(row * 37))
            return [.int64(Int64(row)), city, day, at, flag, price, .int64(Int64(row % 2))]
        }
        let batch = Batch(
            rowCount: 24,
            columns: schema.types.indices.map { column in
                Column(schema[column].type, scalars: (0..<24).map { scalars($0)[column] })
            })
        try table.append(1, batch)
        let expected = batch.canonicalRows().sorted()
        #expect(try table.rowsByUs() == expected)
        #expect(try table.rowsByDeltalake() == expected)
        #expect(try table.rowsByDuckDB() == expected)
    }

    @Test func statisticsPruneNothingThatIsThere() throws {
        let table = try TableFixture(SampleRows.schema)
        for epoch in 1...4 {
            try table.append(
                UInt64(epoch),
                SampleRows.batch(count: 40, seed: UInt64(epoch + 20), firstID: epoch * 40))
        }
        // Each value must be found by a filter on itself, whatever files the reader leaves out.
        let missed = try Python.run(
            """
            import deltalake, pyarrow.dataset as ds
            t = deltalake.DeltaTable(sys.argv[1])
            full = t.to_pyarrow_table()
            c = duck(('avro', 'httpfs', 'delta'))
            missed = 0
            for name in ('id', 'big', 'name', 'city', 'day', 'moment', 'local', 'twice', \
            'price', 'huge', 'key', 'clock'):
                col = full[name]
                for v in set(x for x in col.to_pylist() if x is not None and x == x):
                    if hasattr(v, 'year') and not 1 <= v.year <= 9999: continue
                    want = sum(1 for x in col.to_pylist() if x == v)
                    got = c.execute(f"select count(*) from delta_scan('{sys.argv[1]}') where \
                    {name} = ?", [v]).fetchone()[0]
                    if got != want: missed += 1; print(name, v, want, got)
            print('missed', missed)
            """, [table.path])
        #expect(missed == "missed 0\n")
    }

    @Test func boundsOfAwkwardValuesHoldForEveryReader() throws {
        let schema = Schema([
            Field("id", .bigint, isNullable: false), Field("text", .text),
            Field("number", .double), Field("single", .real), Field("day", .date),
            Field("moment", .timestamptz),
        ])
        let table = try TableFixture(schema)
        let long = String(repeating: "x", count: 31)
        let highest = "\u{10FFFF}"
        let texts: [[String]] = [
            [long + "a", long + "bc", long + "b" + highest, long + highest + highest],
            [String(repeating: highest, count: 40), String(repeating: "\u{FFFF}", count: 33)],
            [String(repeating: "😀", count: 40), "", "\u{1}", String(repeating: "é", count: 32) + "z"],
            ["quote\"back\\slash", "line\nbreak", String(repeating: "\u{7f}", count: 50), "z"],
        ]
        let numbers: [[Double]] = [
            [.nan, 1], [.infinity, -.infinity], [-0.0, 0.0], [.nan, .nan, .leastNonzeroMagnitude, -1.7e308],
        ]
        var id: Int64 = 0
        for (epoch, (texts, numbers)) in zip(texts, numbers).enumerated() {
            let count = max(texts.count, numbers.count)
            func pick<Value>(_ values: [Value], _ row: Int) -> Value { values[row % values.count] }
            let days: [Int64] = [0, -719_162, 2_932_896, 3_000_000, -800_000]
            let moments: [Int64] = [-1, 1, 999, -999_999, 253_402_300_799_999_999]
            try table.append(
                UInt64(epoch + 1),
                Batch(
                    rowCount: count,
                    columns: [
                        Column(.bigint, .int64((0..<count).map { id + Int64($0) })),
                        Column(.text, scalars: (0..<count).map { .text(pick(texts, $0)) }),
                        Column(.double, scalars: (0..<count).map { .float64(pick(numbers, $0)) }),
                        Column(
                            .real,
                            scalars: (0..<count).map {
                                .float64(Double(Float(pick(numbers, $0))))
                            }),
                        Column(.date, scalars: (0..<count).map { .int64(pick(days, $0 + epoch)) }),
                        Column(
                            .timestamptz,
                            scalars: (0..<count).map { .int64(pick(moments, $0 + epoch)) }),
                    ]))
            id += Int64(count)
        }
        // Each row must be found by a filter on any of its own values, whatever files are left out.
        let missed = try Python.lines(Self.filters, [table.path, String(id)])
        #expect(missed == [], "\(missed)")
    }

    private static let filters = """
        import deltalake, math, pyarrow.dataset as ds
        t = deltalake.DeltaTable(sys.argv[1])
        full = t.to_pyarrow_table()
        # Footers by pyarrow, the log by deltalake's own engine and DuckDB. Not deltalake's
        # to_pyarrow_dataset: 1.6.6 loses every file in which a column has no bounds.
        data = ds.dataset([u.removeprefix('file://') for u in t.file_uris()])
        engine = deltalake.QueryBuilder().register('t', t)
        def literal(name, value):
            if name == 'text': return "'" + value.replace("'", "''") + "'"
            if name in ('number', 'single'): return f"cast('{value!r}' as double)"
            if name == 'day': return f"cast('{value.isoformat()}' as date)"
            return f"arrow_cast('{value.isoformat()}', 'Timestamp(Microsecond, Some(\\"UTC\\"))')"
        c = duck(('avro', 'httpfs', 'delta'))
        out = []
        for row in range(full.num_rows):
            number = full['id'][row].as_py()
            for name in ('text', 'number', 'single', 'day', 'moment'):
                value = full[name][row]
                if not value.is_valid: continue
                if name in ('number', 'single') and math.isnan(value.as_py()): continue
                found = data.to_table(filter=ds.field(name) == value)['id'].to_pylist()
                if number not in found: out.append(f'pyarrow misses {name} of {number}')
                try: shown = value.as_py()
                except (ValueError, OverflowError): continue
                if '\\0' not in str(shown):
                    found = [v for b in engine.execute(
                        f"select id from t where {name} = {literal(name, shown)}")
                        for v in b['id'].to_pylist()]
                    if number not in found: out.append(f'deltalake misses {name} of {number}')
                found = [r[0] for r in c.execute(f"select id from delta_scan('{sys.argv[1]}') "
                         f"where {name} = ?", [shown]).fetchall()]
                if number not in found: out.append(f'DuckDB misses {name} of {number}: {shown!r}')
            for name in ('number', 'single'):
                bigger = full[name][row].as_py()
                found = c.execute(f"select count(*) from delta_scan('{sys.argv[1]}') "
                                  f"where {name} >= ? and id = ?", [bigger, number]).fetchone()[0]
                if found != 1: out.append(f'DuckDB misses {name} >= {bigger} of {number}')
        if full.num_rows != int(sys.argv[2]): out.append(f'{full.num_rows} rows')
        print('\\n'.join(out))
        """

    @Test func aSecondCommitOfTheSameEpochsIsNone() throws {
        let table = try TableFixture(orders)
        let first = try table.intent(1, [SampleRows.batch(orders, count: 10, seed: 1)])
        let second = try table.intent(2, [SampleRows.batch(orders, count: 10, seed: 2)])
        #expect(try table.committer.append([first], known: [.none]) == .committed(version: 1))
        // A new process knows only its intents.
        var restarted = DeltaCommitter(
            store: table.store, identity: table.committer.identity, output: table.shape)
        #expect(
            try restarted.append([first, second], known: [.none]) == .committed(version: 2))
        #expect(
            try restarted.append([first, second], known: [.none]) == .committed(version: 2))
        #expect(try restarted.newestMarker() == table.marker(2).inDelta)
        #expect(try table.rowsByDeltalake().count == 20)
        let byDeltalake = try Python.run(
            """
            import deltalake
            print(deltalake.DeltaTable(sys.argv[1]).transaction_version(sys.argv[2]))
            """, [table.path, "\(TableFixture.pipeline)/orders/1"])
        #expect(byDeltalake == "2\n")
    }

    @Test func aMarkerThatIsNotKnownFences() throws {
        let table = try TableFixture(orders)
        let batch = SampleRows.batch(orders, count: 5, seed: 1)
        try table.append(1, batch)
        try table.append(2, batch)
        // A copy of the state directory from before epoch 2.
        let late = try table.intent(3, [batch])
        #expect(
            try table.committer.append([late], known: [.none, table.marker(1)])
                == .fenced(found: table.marker(2).inDelta))
        // The same epoch by another incarnation.
        var twin = table.marker(2)
        twin.incarnation += 1
        #expect(
            try table.committer.append([late], known: [.none, twin])
                == .fenced(found: table.marker(2).inDelta))
        // A table without our marker, when there must be one.
        let empty = try TableFixture(orders)
        let intent = try empty.intent(3, [batch])
        #expect(
            try empty.committer.append([intent], known: [empty.marker(2)])
                == .fenced(found: .none))
    }

    @Test func anotherPipelinesTableIsOccupiedUntilAccepted() throws {
        let table = try TableFixture(orders)
        let batch = SampleRows.batch(orders, count: 5, seed: 1)
        try table.append(7, batch)
        let own = "ffffffff-0000-0000-0000-000000000000"
        var other = DeltaCommitter(
            store: table.store,
            identity: DeltaWriterIdentity(pipelineID: own, sink: "orders"), output: table.shape)
        let intent = try table.intent(1, [batch])
        let found = [TableFixture.pipeline: table.marker(7).inDelta]
        #expect(try other.append([intent], known: [.none]) == .occupied(found))
        other.acceptedMarkers = found
        #expect(try other.append([intent], known: [.none]) == .committed(version: 2))
    }

    @Test func appendsMoveOnPastOtherWriters() throws {
        let table = try TableFixture(orders)
        let batch = SampleRows.batch(orders, count: 20, seed: 1)
        try table.append(1, batch)
        let appendByDeltalake = """
            import deltalake
            t = deltalake.DeltaTable(sys.argv[1])
            deltalake.write_deltalake(t, t.to_pyarrow_table(), mode='append')
            """
        _ = try Python.run(appendByDeltalake, [table.path])
        #expect(try table.append(2, batch) == .committed(version: 3))
        _ = try Python.run(
            "import deltalake; deltalake.DeltaTable(sys.argv[1]).optimize.compact()", [table.path])
        #expect(try table.append(3, batch) == .committed(version: 5))
        let rows = try table.rowsByDeltalake()
        #expect(rows.count == 80)
        #expect(try table.rowsByDuckDB() == rows)
        #expect(try table.rowsByUs() == rows)
    }

    @Test("F13, F18: a lost race is tried again, a change of metadata is not")
    func aLostRaceIsTriedAgainAndAMetadataChangeIsNot() throws {
        let batch = SampleRows.batch(orders, count: 4, seed: 3)
        let racing = RacingStore()
        let table = try TableFixture(orders) { store in
            racing.inner = store
            return racing
        }
        racing.onNextEntry = { (store, path) throws(Failure) in
            let foreign = DeltaAction.commitInfo(.object([.init("operation", .string("X"))]))
            _ = try store.putIfAbsent(path, DeltaAction.entry([foreign]))
        }
        #expect(try table.append(1, batch) == .committed(version: 2))
        let snapshot = try #require(try DeltaLog(table.store).snapshot())
        racing.onNextEntry = { (store, path) throws(Failure) in
            var metadata = snapshot.metadata
            metadata.configuration["owner"] = "someone"
            _ = try store.putIfAbsent(path, DeltaAction.entry([.metadata(metadata)]))
        }
        guard case .conflict = try table.append(2, batch) else {
            Issue.record("the table's metadata changed under the commit")
            return
        }
        #expect(try table.rowsByDeltalake().count == 4)
    }

    /// A power loss must not take the entry on which ours stand.
    @Test func aTableThatAnotherWasFasterToMakeIsSynced() throws {
        let racing = RacingStore()
        let table = try TableFixture(orders) { store in
            racing.inner = store
            racing.isAnswerLost = true
            return racing
        }
        #expect(racing.synchronized == ["_delta_log/00000000000000000000.json"])
        let batch = SampleRows.batch(orders, count: 4, seed: 3)
        #expect(try table.append(1, batch) == .committed(version: 1))
    }

    @Test func anUnknownOutcomeIsLookedUpAndSynced() throws {
        let racing = RacingStore()
        let table = try TableFixture(orders) { store in
            racing.inner = store
            return racing
        }
        let batch = SampleRows.batch(orders, count: 4, seed: 3)
        racing.isAnswerLost = true
        #expect(try table.append(1, batch) == .committed(version: 1))
        #expect(racing.synchronized == ["_delta_log/00000000000000000001.json"])
        racing.failsAfterNextPut = true
        let second = try table.intent(2, [batch])
        let known = table.known
        #expect(throws: Failure.self) { try table.committer.append([second], known: known) }
        // The next start finds the entry, and syncs it before it believes it.
        racing.synchronized = []
        var restarted = DeltaCommitter(
            store: racing, identity: table.committer.identity, output: table.shape)
        #expect(try restarted.append([second], known: known) == .committed(version: 2))
        #expect(racing.synchronized == ["_delta_log/00000000000000000002.json"])
        #expect(try table.rowsByDeltalake().count == 8)
    }

    @Test func aFailedCheckpointIsTriedAgainAtTheNextCommit() throws {
        let racing = RacingStore()
        let table = try TableFixture(orders) { store in
            racing.inner = store
            return racing
        }
        racing.failingCheckpoints = 2
        for epoch in 1...12 {
            let batch = SampleRows.batch(orders, count: 1, seed: 1, firstID: epoch)
            #expect(try table.append(UInt64(epoch), batch) == .committed(version: Int64(epoch)))
            #expect((table.committer.checkpointFailure != nil) == (epoch == 10 || epoch == 11))
        }
        let checkpoints = try table.log().filter { $0.contains("checkpoint.parquet") }
        #expect(checkpoints == ["00000000000000000012.checkpoint.parquet"])
        #expect(try table.rowsByDeltalake().count == 12)
    }

    @Test func checkpointsCarryTheTableWithoutItsOldEntries() throws {
        let table = try TableFixture(orders, partitionedBy: ["day"])
        var rows: [String] = []
        for epoch in 1...23 {
            let batch = SampleRows.batch(orders, count: 3, seed: UInt64(epoch), firstID: epoch * 3)
            try table.append(UInt64(epoch), batch)
            rows += batch.canonicalRows()
        }
        rows.sort()
        let names = try table.log()
        #expect(names.contains("00000000000000000010.checkpoint.parquet"))
        #expect(names.contains("00000000000000000020.checkpoint.parquet"))
        #expect(!names.contains { $0.hasSuffix(".tmp") })
        for name in names where name.hasSuffix(".json") && name < "00000000000000000020" {
            try FileManager.default.removeItem(atPath: "\(table.path)/_delta_log/\(name)")
        }
        #expect(try table.rowsByUs() == rows)
        #expect(try table.rowsByDeltalake() == rows)
        #expect(try table.rowsByDuckDB() == rows)
        var restarted = DeltaCommitter(
            store: table.store, identity: table.committer.identity, output: table.shape)
        #expect(try restarted.newestMarker() == table.marker(23).inDelta)
        let version = try Python.run(
            """
            import deltalake
            t = deltalake.DeltaTable(sys.argv[1])
            print(t.version(), t.transaction_version(sys.argv[2]))
            """, [table.path, "\(TableFixture.pipeline)/orders/1"])
        #expect(version == "23 23\n")
    }

    @Test func damagedHintsAndCheckpointsCostTimeOnly() throws {
        let table = try TableFixture(orders)
        for epoch in 1...12 {
            try table.append(
                UInt64(epoch), SampleRows.batch(orders, count: 2, seed: 1, firstID: epoch * 2))
        }
        let log = table.path + "/_delta_log/"
        let damages: [(String, [UInt8]?)] = [
            ("_last_checkpoint", Array("{\"version\":".utf8)),
            ("_last_checkpoint", Array("{\"version\":7}".utf8)),
            ("_last_checkpoint", nil),
            ("00000000000000000010.checkpoint.parquet", Array("PAR1 not PAR1".utf8)),
        ]
        for (name, bytes) in damages {
            if let bytes {
                try Data(bytes).write(to: URL(filePath: log + name))
            } else {
                try FileManager.default.removeItem(atPath: log + name)
            }
            let snapshot = try #require(try DeltaLog(table.store).snapshot())
            #expect(snapshot.version == 12 && snapshot.files.count == 12)
        }
        try FileManager.default.removeItem(atPath: log + "00000000000000000004.json")
        #expect(throws: Failure.self) { try DeltaLog(table.store).snapshot() }
    }

    @Test func historyTellsWhoWroteWhat() throws {
        let table = try TableFixture(orders)
        try table.append(4, SampleRows.batch(orders, count: 6, seed: 1))
        let history = try DeltaLog(table.store).history()
        #expect(history.map(\.version) == [1, 0])
        #expect(history[0].addedRows == 6 && history[0].addedFiles == 1)
        #expect(history[0].markers == [table.marker(4)])
        #expect(history[0].pipelineID == TableFixture.pipeline)
        #expect(history[0].offsets?["orders"]?["0"]?.int64 == 40)
        #expect(history[1].operation == "CREATE TABLE")
        #expect(try DeltaLog(table.store).version(at: history[1].timestamp - 1) == nil)
        #expect(try DeltaLog(table.store).version(at: .max) == 1)
    }
}

/// Lets another writer in just before a log entry is put.
final class RacingStore: DeltaStore, @unchecked Sendable {
    // because tests use it from one thread.
    var inner: any DeltaStore = LocalDeltaStore("")
    /// The next put succeeds, is not answered, and is sent again.
    var isAnswerLost = false
    /// The next put succeeds and throws.
    var failsAfterNextPut = false
    var failingCheckpoints = 0
    /// Paths that were made durable by a look-up.
    var synchronized: [String] = []
    var onNextEntry: ((any DeltaStore, String) throws(Failure) -> Void)?

    var location: String { inner.location }
    func list(_ folder: String, from start: String) throws(Failure) -> [DeltaStoreEntry] {
        try inner.list(folder, from: start)
    }
    func read(_ path: String) throws(Failure) -> [UInt8]? { try inner.read(path) }
    func read(_ path: String, _ range: Range<Int>) throws(Failure) -> [UInt8] {
        try inner.read(path, range)
    }
    func byteCount(_ path: String) throws(Failure) -> Int? { try inner.byteCount(path) }
    func putIfAbsent(_ path: String, _ bytes: [UInt8]) throws(Failure) -> PutResult {
        if let action = onNextEntry {
            onNextEntry = nil
            try action(inner, path)
        }
        if isAnswerLost {
            isAnswerLost = false
            _ = try inner.putIfAbsent(path, bytes)
        }
        if path.hasSuffix(".checkpoint.parquet"), failingCheckpoints > 0 {
            failingCheckpoints -= 1
            throw Failure(.failed, "test.disk", "no space for a checkpoint")
        }
        let result = try inner.putIfAbsent(path, bytes)
        if failsAfterNextPut {
            failsAfterNextPut = false
            throw Failure(.failed, "test.sync", "the folder could not be synced")
        }
        return result
    }
    func put(_ path: String, _ bytes: [UInt8]) throws(Failure) { try inner.put(path, bytes) }
    func createDataFile(_ path: String) throws(Failure) -> any DeltaDataFile {
        try inner.createDataFile(path)
    }
    func synchronize(_ path: String) throws(Failure) {
        synchronized.append(path)
        try inner.synchronize(path)
    }
    func remove(_ path: String) throws(Failure) { try inner.remove(path) }
}
