// What our writer writes, as pyarrow and DuckDB read it.

import Columns
import Contracts
import Foundation
import Parquet
import PythonSupport
import Testing
import Types

/// A whole file in memory.
func parquetBytes(
    _ batches: [Batch], _ schema: Schema, _ options: ParquetWriteOptions
) throws -> (bytes: [UInt8], summary: ParquetFileSummary) {
    var writer = try ParquetWriter(schema, options: options)
    var bytes: [UInt8] = []
    for batch in batches {
        try writer.append(batch)
        bytes += writer.takeOutput()
    }
    let summary = try writer.finish()
    bytes += writer.takeOutput()
    #expect(summary.byteCount == bytes.count)
    return (bytes, summary)
}

/// Small pages, groups and dictionaries, so that a few thousand rows meet every limit.
func smallLimits(_ compression: ParquetCompression) -> ParquetWriteOptions {
    var options = ParquetWriteOptions()
    options.compression = compression
    options.pageRows = 300
    options.pageBytes = 2_000
    options.rowGroupRows = 1_500
    options.dictionaryBytes = 3_000
    return options
}

let readByPyarrow = """
    import pyarrow.parquet as pq
    table = pq.read_table(sys.argv[1], page_checksum_verification=True)
    print('\\n'.join(rows(table)))
    """

let readByDuckDB = """
    print('\\n'.join(rows(duck().sql(f"from read_parquet('{sys.argv[1]}')").to_arrow_table())))
    """

@Suite(.enabled(if: Python.isUsable, "needs Python with pyarrow and duckdb"))
struct WriterTests {
    @Test(arguments: [ParquetCompression.none, .snappy, .zstd(level: 1)])
    func everyTypeIsReadBackRowByRow(_ compression: ParquetCompression) throws {
        let folder = try TemporaryFolder()
        let batches = (0..<4).map {
            SampleRows.batch(count: 1_000, seed: UInt64($0), firstID: $0 * 1_000)
        }
        let (bytes, _) = try parquetBytes(batches, SampleRows.schema, smallLimits(compression))
        let path = folder.path("all.parquet")
        try Data(bytes).write(to: URL(filePath: path))
        let expected = batches.flatMap { $0.canonicalRows() }
        #expect(try Python.lines(readByPyarrow, [path]) == expected)
        let byDuckDB = try Python.lines(
            """
            q = f"select * replace (replace(key::varchar, '-', '') as key) from \
            read_parquet('{sys.argv[1]}')"
            r = rows(duck().sql(q).to_arrow_table())
            print('\\n'.join(r))
            """, [path])
        // DuckDB gives a uuid as text here: compare it as such.
        let withKeyAsText = batches.flatMap { batch in
            (0..<batch.rowCount).map { row in
                batch.columns.map { column in
                    let text = column.canonicalText(row)
                    guard column.type == .uuid, text != "null" else { return text }
                    return text.utf8.map { String($0, radix: 16) }.joined()
                }.joined(separator: "|")
            }
        }
        #expect(byDuckDB == withKeyAsText)
    }

    @Test func deltaProfileWritesUuidAsTextAndTimeAsLong() throws {
        let folder = try TemporaryFolder()
        var options = smallLimits(.zstd(level: 3))
        options.profile = .delta
        let batch = SampleRows.batch(count: 500, seed: 9)
        let (bytes, _) = try parquetBytes([batch], SampleRows.schema, options)
        let path = folder.path("delta.parquet")
        try Data(bytes).write(to: URL(filePath: path))
        let expected = batch.canonicalRows(uuidAsText: true)
        #expect(try Python.lines(readByPyarrow, [path]) == expected)
        #expect(try Python.lines(readByDuckDB, [path]) == expected)
    }

    @Test func typesAreAnnotatedAsTheTableOfTheDialectSays() throws {
        let folder = try TemporaryFolder()
        let (bytes, _) = try parquetBytes(
            [SampleRows.batch(count: 10, seed: 1)], SampleRows.schema, ParquetWriteOptions())
        let path = folder.path("types.parquet")
        try Data(bytes).write(to: URL(filePath: path))
        let types = try Python.lines(
            """
            import pyarrow.parquet as pq
            for f in pq.read_schema(sys.argv[1]): print(f.name, f.type, f.nullable)
            """, [path])
        #expect(types.contains("id int64 False"))
        #expect(types.contains("small int16 True"))
        #expect(types.contains("single float True"))
        #expect(types.contains("huge decimal128(38, 10) True"))
        #expect(types.contains("day date32[day] True"))
        #expect(types.contains("clock time64[us] True"))
        #expect(types.contains("local timestamp[us] True"))
        #expect(types.contains("moment timestamp[us, tz=UTC] True"))
        #expect(types.contains("city string False"))
        #expect(types.contains("grid list<element: list<element: int64>> True"))
    }

    @Test func statisticsHoldForEveryRowGroupAndFollowTheRules() throws {
        let folder = try TemporaryFolder()
        let batches = (0..<3).map { SampleRows.batch(count: 1_000, seed: UInt64($0 + 40)) }
        let (bytes, summary) = try parquetBytes(
            batches, SampleRows.schema, smallLimits(.zstd(level: 1)))
        let path = folder.path("statistics.parquet")
        try Data(bytes).write(to: URL(filePath: path))
        let report = try Python.run(
            """
            import pyarrow.parquet as pq, pyarrow.compute as pc, math
            f = pq.ParquetFile(sys.argv[1])
            checked = 0
            for g in range(f.num_row_groups):
                t = f.read_row_group(g)
                for i in range(f.metadata.num_columns):
                    c = f.metadata.row_group(g).column(i)
                    if '.' in c.path_in_schema: continue
                    col = t[c.path_in_schema]
                    s = c.statistics
                    assert s.null_count == col.null_count, c.path_in_schema
                    if c.path_in_schema in ('key', 'raw', 'flag'): continue
                    mm = pc.min_max(col).as_py()
                    assert s.min == mm['min'] and s.max == mm['max'], (c.path_in_schema, s.min, mm)
                    if isinstance(s.min, float) and s.min == 0: assert math.copysign(1, s.min) < 0
                    checked += 1
            print(f.num_row_groups, checked)
            """, [path])
        #expect(report == "2 34\n")
        let nulls = batches.flatMap { $0.columns[4].validity ?? [] }.count { !$0 }
        #expect(summary.columns[4].nullCount == nulls)
        #expect(summary.columns[0].minimum == .int64(0))
        #expect(summary.columns[0].maximum == .int64(999))
    }

    @Test func longTextIsCutAndNaNIsLeftOutOfStatistics() throws {
        let folder = try TemporaryFolder()
        let schema = Schema([
            Field("text", .text), Field("highest", .text), Field("number", .double),
            Field("nothing", .double), Field("zero", .double),
        ])
        let long = String(repeating: "é", count: 50)
        let emoji = String(repeating: "\u{1F600}", count: 40)
        let batch = Batch(
            rowCount: 2,
            columns: [
                Column(.text, scalars: [.text("a" + long), .text("b" + long)]),
                Column(.text, scalars: [.text(emoji), .text(emoji)]),
                Column(.double, scalars: [.float64(.nan), .float64(7)]),
                Column(.double, scalars: [.float64(.nan), .null]),
                Column(.double, scalars: [.float64(0.0), .float64(-0.0)]),
            ])
        let (bytes, summary) = try parquetBytes([batch], schema, ParquetWriteOptions())
        let path = folder.path("cut.parquet")
        try Data(bytes).write(to: URL(filePath: path))
        let lines = try Python.lines(
            """
            import pyarrow.parquet as pq, math
            g = pq.ParquetFile(sys.argv[1]).metadata.row_group(0)
            for i in range(5):
                s = g.column(i).statistics
                print(s.has_min_max, s.min if s.has_min_max else '', s.max if s.has_min_max else '')
            """, [path])
        #expect(lines[0] == "True a\(String(repeating: "é", count: 31)) c")
        #expect(lines[1].hasPrefix("False"))
        #expect(lines[2].hasPrefix("False"))
        #expect(lines[3].hasPrefix("False"))
        #expect(lines[4] == "True -0.0 0.0")
        #expect(summary.columns[2].hasNaN && summary.columns[3].hasNaN)
        #expect(summary.columns[0].maximum == .text("b" + long))
    }

    @Test func dictionariesArePaidForOrLeft() throws {
        let folder = try TemporaryFolder()
        let schema = Schema([Field("few", .text, isNullable: false), Field("unique", .bigint)])
        let count = 50_000
        let few = (0..<count).map { Scalar.text("city \($0 % 20)") }
        let batch = Batch(
            rowCount: count,
            columns: [
                Column(.text, scalars: few),
                Column(.bigint, .int64((0..<count).map { Int64($0) &* 0x9e37_79b9_7f4a })),
            ])
        let (bytes, _) = try parquetBytes([batch], schema, ParquetWriteOptions())
        let path = folder.path("dictionary.parquet")
        try Data(bytes).write(to: URL(filePath: path))
        let lines = try Python.lines(
            """
            import pyarrow.parquet as pq
            g = pq.ParquetFile(sys.argv[1]).metadata.row_group(0)
            for i in range(2): print(sorted(g.column(i).encodings), g.column(i).has_dictionary_page)
            """, [path])
        #expect(lines == ["['PLAIN', 'RLE', 'RLE_DICTIONARY'] True", "['PLAIN', 'RLE'] False"])
        #expect(try Python.lines(readByDuckDB, [path]) == batch.canonicalRows())
    }

    @Test func anEmptyFileAndAnAllNullColumnAreFiles() throws {
        let folder = try TemporaryFolder()
        let schema = Schema([Field("a", .text), Field("b", .array(.bigint)), Field("c", .uuid)])
        for count in [0, 1, 3_000] {
            let batch = Batch(
                rowCount: count, columns: schema.types.map { .nulls($0, count: count) })
            let (bytes, _) = try parquetBytes([batch], schema, ParquetWriteOptions())
            let path = folder.path("empty\(count).parquet")
            try Data(bytes).write(to: URL(filePath: path))
            let expected = batch.canonicalRows()
            #expect(try Python.lines(readByPyarrow, [path]) == expected)
            #expect(try Python.lines(readByDuckDB, [path]) == expected)
        }
    }

    @Test func aNullInANotNullColumnIsRefused() throws {
        let schema = Schema([Field("a", .text, isNullable: false)])
        let batch = Batch(rowCount: 1, columns: [.nulls(.text, count: 1)])
        var writer = try ParquetWriter(schema)
        do {
            try writer.append(batch)
            Issue.record("a NULL went into a NOT NULL column")
        } catch { #expect(error.code == "parquet.null") }
    }

    @Test func anIntervalIsRefusedWithAHint() {
        do {
            _ = try ParquetWriter(Schema([Field("i", .interval)]))
            Issue.record("an interval was accepted")
        } catch { #expect(error.hint != nil) }
    }
}
