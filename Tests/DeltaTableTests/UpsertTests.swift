// Upsert tables: against a dictionary, through other writers' changes, with keys that are awkward.

import Columns
import Contracts
import DeltaTable
import Foundation
import Parquet
import Progress
import PythonSupport
import Testing
import Types

@Suite(.enabled(if: Python.isUsable, "needs Python with deltalake and duckdb"))
struct UpsertTests {
    static let schema = Schema([
        Field("a", .bigint), Field("b", .text), Field("value", .double), Field("part", .text),
    ])

    /// A model of the table: key text → row text.
    struct Model {
        var rows: [String: String] = [:]

        mutating func apply(_ batch: Batch, _ deleted: [Bool], key: [Int]) {
            let lines = batch.canonicalRows()
            for row in 0..<batch.rowCount {
                let name = key.map { batch.columns[$0].canonicalText(row) }.joined(separator: "/")
                rows[name] = deleted[row] ? nil : lines[row]
            }
        }

        var lines: [String] { rows.values.sorted() }
    }

    @Test(arguments: [[], ["part"]])
    func theTableIsWhatADictionaryWouldHold(_ partitions: [String]) throws {
        let table = try TableFixture(Self.schema, partitionedBy: partitions)
        var random = SeededGenerator(seed: 4)
        var model = Model()
        for epoch in 1...14 {
            let count = Int.random(in: 1...25, using: &random)
            var rows: [[Scalar]] = []
            for _ in 0..<count {
                let number = Int64.random(in: 0..<12, using: &random)
                rows.append([
                    number == 11 ? .null : .int64(number),
                    Bool.random(using: &random) ? .null : .text("k\(number % 3)"),
                    .float64(Double(epoch)),
                    // The partition follows from the key, or a key could stand in two.
                    .text("p\(number % 2)"),
                ])
            }
            let batch = Batch(
                rowCount: count,
                columns: Self.schema.types.indices.map { column in
                    Column(Self.schema[column].type, scalars: rows.map { $0[column] })
                })
            let deleted = rows.map { _ in Int.random(in: 0..<4, using: &random) == 0 }
            try table.upsert(UInt64(epoch), batch, deleted: deleted, key: [0, 1])
            model.apply(batch, deleted, key: [0, 1])
            if epoch == 6 {
                _ = try Python.run(
                    "import deltalake; deltalake.DeltaTable(sys.argv[1]).optimize.compact()",
                    [table.path])
            }
            #expect(try table.rowsByUs() == model.lines, "epoch \(epoch)")
        }
        #expect(try table.rowsByDeltalake() == model.lines)
        #expect(try table.rowsByDuckDB() == model.lines)
    }

    @Test func nullsZerosAndDecimalsAreOneKeyEach() throws {
        let schema = Schema([
            Field("f", .double), Field("n", .numeric(precision: 20, scale: 2)), Field("u", .uuid),
            Field("t", .timestamptz), Field("value", .bigint),
        ])
        let table = try TableFixture(schema)
        func batch(_ zero: Double, _ value: Int64) -> Batch {
            let rows: [[Scalar]] = [
                [.float64(zero), .int128(150), .int128(7), .int64(1_500), .int64(value)],
                [.float64(.nan), .int128(-150), .null, .int64(-1_500), .int64(value)],
                [.null, .null, .int128(.min), .null, .int64(value)],
            ]
            return Batch(
                rowCount: 3,
                columns: schema.types.indices.map { column in
                    Column(schema[column].type, scalars: rows.map { $0[column] })
                })
        }
        let none = [false, false, false]
        try table.upsert(1, batch(0.0, 1), deleted: none, key: [0, 1, 2, 3])
        try table.upsert(2, batch(-0.0, 2), deleted: none, key: [0, 1, 2, 3])
        #expect(try table.rowsByUs().allSatisfy { $0.hasSuffix("|2") })
        #expect(try table.rowsByDeltalake().count == 3)
        try table.upsert(3, batch(-0.0, 3), deleted: [true, true, true], key: [0, 1, 2, 3])
        #expect(try table.rowsByDeltalake().isEmpty)
    }

    @Test func longKeysThatShareTheirBoundsAreFoundAgain() throws {
        let schema = Schema([Field("key", .text), Field("value", .bigint)])
        let table = try TableFixture(schema)
        // All alike in what statistics keep; above and below what is cut away.
        let stem = String(repeating: "k", count: 32)
        let keys = [stem, stem + "a", stem + "\u{10FFFF}", stem + "\u{10FFFF}z", stem + "\u{1}"]
        func rows(_ keys: [String], _ value: Int64) -> Batch {
            Batch(
                rowCount: keys.count,
                columns: [
                    Column(.text, scalars: keys.map { .text($0) }),
                    Column(.bigint, .int64(Array(repeating: value, count: keys.count))),
                ])
        }
        for (number, key) in keys.enumerated() {
            try table.upsert(
                UInt64(number + 1), rows([key], Int64(number)), deleted: [false], key: [0])
        }
        for (number, key) in keys.enumerated() {
            try table.upsert(
                UInt64(number + 10), rows([key], Int64(100 + number)), deleted: [false], key: [0])
        }
        let expected = Batch(
            rowCount: keys.count,
            columns: [
                Column(.text, scalars: keys.map { .text($0) }),
                Column(.bigint, .int64(keys.indices.map { Int64(100 + $0) })),
            ]
        ).canonicalRows().sorted()
        #expect(try table.rowsByUs() == expected)
        #expect(try table.rowsByDeltalake() == expected)
        #expect(try table.rowsByDuckDB() == expected)
    }

    @Test func anEmptyTextThatPartitionsIsOneKeyWithNull() throws {
        let schema = Schema([Field("part", .text), Field("value", .bigint)])
        let table = try TableFixture(schema, partitionedBy: ["part"])
        func row(_ part: Scalar, _ value: Int64) -> Batch {
            Batch(
                rowCount: 1,
                columns: [Column(.text, scalars: [part]), Column(.bigint, .int64([value]))])
        }
        for (epoch, part) in [Scalar.text(""), .null, .text("")].enumerated() {
            try table.upsert(
                UInt64(epoch + 1), row(part, Int64(epoch)), deleted: [false], key: [0])
        }
        #expect(try table.rowsByDeltalake() == ["null|2"])
        let strict = try TableFixture(
            Schema([Field("part", .text, isNullable: false), Field("value", .bigint)]),
            partitionedBy: ["part"])
        #expect(throws: Failure.self) { try strict.append(1, row(.text(""), 1)) }
    }

    @Test func anUntouchedFileStaysAndAnEmptyKeyIsOneRow() throws {
        let table = try TableFixture(Self.schema)
        func row(_ key: Int64, _ value: Double) -> Batch {
            Batch(
                rowCount: 1,
                columns: [
                    Column(.bigint, .int64([key])), Column(.text, scalars: [.text("x")]),
                    Column(.double, .float64([value])), .nulls(.text, count: 1),
                ])
        }
        try table.upsert(1, row(1, 1), deleted: [false], key: [0])
        try table.upsert(2, row(2, 1), deleted: [false], key: [0])
        let before = try #require(try DeltaLog(table.store).snapshot()).files.keys
        #expect(before.count == 2)
        try table.upsert(3, row(2, 2), deleted: [false], key: [0])
        let after = try #require(try DeltaLog(table.store).snapshot()).files.keys
        #expect(Set(before).intersection(after).count == 1)
        try table.upsert(4, row(9, 9), deleted: [false], key: [])
        #expect(try table.rowsByDeltalake().count == 1)
        #expect(
            try table.upsert(5, row(77, 0), deleted: [true], key: [0]) == .committed(version: 5))
        #expect(try table.committer.newestMarker() == table.marker(5).inDelta)
        #expect(
            try table.upsert(6, row(9, 3), deleted: [false], key: [0]) == .committed(version: 6))
    }

    @Test func anotherWritersRowsAndColumnsAreMerged() throws {
        let table = try TableFixture(Self.schema)
        let batch = Batch(
            rowCount: 2,
            columns: [
                Column(.bigint, .int64([1, 2])), Column(.text, scalars: [.text("x"), .text("y")]),
                Column(.double, .float64([1, 1])), .nulls(.text, count: 2),
            ])
        try table.upsert(1, batch, deleted: [false, false], key: [0])
        _ = try Python.run(
            """
            import deltalake
            t = pa.table({'a': pa.array([2, 3], pa.int64()), 'b': ['f', 'g'], 'value': [8.0, \
            9.0], 'part': pa.array([None, 'q'], pa.string()), 'extra': pa.array([5, 6], \
            pa.int32()), 'm': pa.array([[('k', 1)], None], pa.map_(pa.string(), pa.int64()))})
            deltalake.write_deltalake(sys.argv[1], t, mode='append', schema_mode='merge')
            """, [table.path])
        // The key 2 stands in two files now, one of them foreign with columns of its own.
        let change = Batch(rowCount: 1, columns: batch.columns.map { $0.gather([1]) })
        try table.upsert(2, change, deleted: [false], key: [0])
        let lines = try Python.run(
            """
            import deltalake
            for r in sorted(deltalake.DeltaTable(sys.argv[1]).to_pyarrow_table().to_pylist(), \
            key=lambda r: r['a']):
                print(r['a'], r['b'], r['value'], r['extra'], r['m'])
            """, [table.path])
        #expect(lines == "1 x 1.0 None None\n2 y 1.0 None None\n3 g 9.0 6 None\n")
    }

    @Test("F18: a lost race merges again, with the winner's rows")
    func aLostRaceMergesAgainWithTheWinnersRows() throws {
        let racing = RacingStore()
        let table = try TableFixture(Self.schema) { store in
            racing.inner = store
            return racing
        }
        func row(_ key: Int64, _ value: Double) -> Batch {
            Batch(
                rowCount: 1,
                columns: [
                    Column(.bigint, .int64([key])), .nulls(.text, count: 1),
                    Column(.double, .float64([value])), .nulls(.text, count: 1),
                ])
        }
        try table.upsert(1, row(1, 1), deleted: [false], key: [0])
        let path = table.path
        racing.onNextEntry = { (_, _) throws(Failure) in
            do {
                _ = try Python.run(
                    """
                    import deltalake
                    t = deltalake.DeltaTable(sys.argv[1])
                    t.update({'value': '50'})
                    deltalake.write_deltalake(t, t.to_pyarrow_table(), mode='append')
                    """,
                    [path])
            } catch { throw Failure(.failed, "test", "\(error)") }
        }
        guard case .committed = try table.upsert(2, row(1, 2), deleted: [false], key: [0]) else {
            Issue.record("the merge did not end")
            return
        }
        #expect(try table.rowsByUs() == table.rowsByDeltalake())
        #expect(try table.rowsByUs().count == 1)
        // The files of the lost attempt are gone.
        let files = try FileManager.default.subpathsOfDirectory(atPath: path)
            .filter { $0.hasPrefix("1/2/") && $0.hasSuffix(".parquet") }
        #expect(files.count == 1)
    }
}
