// Our reader against files of other writers, as pyarrow reads them, and against damaged files.

import Columns
import Contracts
import Foundation
import Parquet
import PythonSupport
import Testing
import Types

/// All rows of a file as text.
func canonicalRows(_ bytes: [UInt8], uuidAsText: Bool = false) throws -> [String] {
    let reader = try ParquetReader(bytes)
    var rows: [String] = []
    for group in 0..<reader.rowGroupCount {
        rows += try reader.readRowGroup(group).canonicalRows(uuidAsText: uuidAsText)
    }
    return rows
}

@Suite struct ReaderTests {
    @Test(arguments: [ParquetCompression.none, .snappy, .zstd(level: 1)])
    func whatWeWriteWeRead(_ compression: ParquetCompression) throws {
        let batches = (0..<4).map { SampleRows.batch(count: 900, seed: UInt64($0 + 7)) }
        let (bytes, _) = try parquetBytes(batches, SampleRows.schema, smallLimits(compression))
        #expect(try canonicalRows(bytes) == batches.flatMap { $0.canonicalRows() })
        let reader = try ParquetReader(bytes)
        #expect(reader.schema.fields.map(\.name) == SampleRows.schema.fields.map(\.name))
        #expect(reader.schema[0].isNullable == false)
        let part = try reader.readRowGroup(1, columns: [11, 0])
        #expect(part.columns.map(\.type) == [.text, .bigint])
    }

    @Test(.enabled(if: Python.isUsable, "needs Python with pyarrow"))
    func everyEncodingAndCodecOfPyarrowIsRead() throws {
        let folder = try TemporaryFolder()
        let (bytes, _) = try parquetBytes(
            [SampleRows.batch(count: 3_000, seed: 77)], SampleRows.schema, ParquetWriteOptions())
        let path = folder.path("source.parquet")
        try Data(bytes).write(to: URL(filePath: path))
        let names = try Python.lines(
            """
            import pyarrow.parquet as pq
            t = pq.read_table(sys.argv[1]); out = sys.argv[2]
            n = 0
            def w(t, **k):
                global n
                name = f'{out}/w{n}.parquet'; n += 1
                pq.write_table(t, name, row_group_size=1100, **k)
                open(name + '.txt', 'w').write('\\n'.join(rows(pq.read_table(name))))
                print(name)
            for codec in ('none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd'):
                for version in ('1.0', '2.0'): w(t, compression=codec, data_page_version=version)
            w(t, use_deprecated_int96_timestamps=True)
            w(t, use_compliant_nested_type=False)
            for version in ('1.0', '2.0'):
                ints = t.select(['id', 'whole', 'big', 'day', 'moment', 'clock'])
                w(ints, use_dictionary=False, column_encoding={c: 'DELTA_BINARY_PACKED' for c in \
                ints.column_names}, data_page_version=version, data_page_size=500)
                texts = t.select(['name', 'city', 'raw', 'document'])
                w(texts, use_dictionary=False, column_encoding={c: 'DELTA_BYTE_ARRAY' for c in \
                texts.column_names}, data_page_version=version)
                w(texts, use_dictionary=False, column_encoding={c: 'DELTA_LENGTH_BYTE_ARRAY' for \
                c in texts.column_names}, data_page_version=version)
                split = t.select(['whole', 'big', 'single', 'twice', 'key', 'huge'])
                w(split, use_dictionary=False, column_encoding={c: 'BYTE_STREAM_SPLIT' for c in \
                split.column_names}, data_page_version=version)
                w(t.select(['flag']), use_dictionary=False, column_encoding={'flag': 'RLE'}, \
                data_page_version=version)
            m = pa.table({'m': pa.array([[('a', 1)], None, [], [('b', None), ('c', 3)]], \
            pa.map_(pa.string(), pa.int64())),
              'u': pa.array([0, 2**64 - 1, None, 5], pa.uint64()), 'u32': pa.array([0, 2**32 - \
              1, None, 5], pa.uint32()),
              'u8': pa.array([0, 255, None, 5], pa.uint8()), 'h': pa.array([1.5, None, -0.25, \
              65504.0], pa.float16()),
              'ns': pa.array([-1, 1, None, 10**18 + 999], pa.timestamp('ns')), 'ms': \
              pa.array([-1, 1, None, 5], pa.timestamp('ms', 'UTC')),
              't32': pa.array([1, 2, None, 3], pa.time32('ms')), 'n': pa.nulls(4),
              's': pa.array([{'x': None, 'y': [1]}, None, {'x': 'q', 'y': None}, {'x': 'r', 'y': \
              []}], pa.struct([('x', pa.string()), ('y', pa.list_(pa.int32()))])),
              'ls': pa.array([[{'a': [[1], []]}], [], None, [{'a': None}, None]], \
              pa.list_(pa.struct([('a', pa.list_(pa.list_(pa.int64())))])))})
            w(m, version='2.6')
            for v in ('1.0', '2.4'): w(m.drop_columns(['ns']), version=v)
            w(m.slice(0, 0))
            """, [path, folder.url.path])
        #expect(names.count == 28)
        for name in names {
            let expected = try String(contentsOfFile: name + ".txt", encoding: .utf8)
                .split(separator: "\n").map(String.init)
            let rows = try canonicalRows([UInt8](Data(contentsOf: URL(filePath: name))))
            let place = zip(rows, expected).enumerated().first { $1.0 != $1.1 }
            #expect(place == nil && rows.count == expected.count, "\(name)")
        }
    }

    @Test(.enabled(if: Python.isUsable, "needs Python with duckdb"))
    func whatDuckDBWritesIsRead() throws {
        let folder = try TemporaryFolder()
        let names = try Python.lines(
            """
            c = duck(); out = sys.argv[1]
            c.sql("create table t as select i as id, i % 7 as few, 'text ' || (i % 100) as s, \
            i::double / 3 as d, case when i % 5 = 0 then null else i end as n, [i, i + 1] as l, \
            {'a': i, 'b': 'x' || i} as st, map([i], ['v']) as m, i % 2 = 0 as b, date \
            '2024-01-01' + i::int as day, timestamptz '2024-01-01 00:00:00+00' + interval (i) \
            second as ts, (i / 100)::decimal(12,2) as dec, (i % 3)::decimal(30,5) as wide from \
            range(5000) r(i)")
            for version in ('V1', 'V2'):
                for codec in ('snappy', 'zstd', 'gzip', 'lz4_raw', 'brotli', 'uncompressed'):
                    name = f'{out}/{version}{codec}.parquet'
                    c.sql(f"copy t to '{name}' (format parquet, codec '{codec}', parquet_version \
                    {version}, row_group_size 2048)")
                    open(name + '.txt', 'w').write('\\n'.join(rows(c.sql(f"from \
                    '{name}'").to_arrow_table())))
                    print(name)
            """, [folder.url.path])
        #expect(names.count == 12)
        for name in names {
            let expected = try String(contentsOfFile: name + ".txt", encoding: .utf8)
                .split(separator: "\n").map(String.init)
            let rows = try canonicalRows([UInt8](Data(contentsOf: URL(filePath: name))))
            #expect(rows == expected, "\(name)")
        }
    }

    /// Where this reader and pyarrow differ, each for a reason.
    static let differences: [String: String] = [
        "datapage_v1-corrupt-checksum.parquet": "refused: pyarrow does not check by default",
        "rle-dict-uncompressed-corrupt-checksum.parquet": "refused: the same",
        "nation.dict-malformed.parquet": "refused: its dictionary is shorter than it says",
        "large_string_map.brotli.parquet": "refused: a page of 1 GiB",
        "map_no_value.parquet": "a map without values is a list of keys for pyarrow",
        "int96_from_spark.parquet": "pyarrow wraps the year 290000 around; see the test below",
        "incorrect_map_schema.parquet": "read: pyarrow refuses a map whose key is optional",
    ]

    @Test(.enabled(if: Python.isUsable && Shared.isUsable, "needs Python and the shared folder"))
    func parquetTestingsFilesAreReadAsPyarrowReadsThem() throws {
        let data = try Shared.path("conformance/parquet/data")
        let folder = try TemporaryFolder()
        let lines = try Python.lines(
            """
            import pyarrow.parquet as pq, os
            for name in sorted(os.listdir(sys.argv[1])):
                if not name.endswith('.parquet'): continue
                try:
                    t = pq.read_table(f'{sys.argv[1]}/{name}', arrow_extensions_enabled=False, \
                    coerce_int96_timestamp_unit='us')
                    open(f'{sys.argv[2]}/{name}.txt', 'w').write('\\n'.join(rows(t)))
                    print('ok', name, t.num_rows)
                except BaseException as e: print('no', name)
            """, [data.path, folder.url.path])
        #expect(lines.count >= 60)
        for line in lines {
            let parts = line.split(separator: " ").map(String.init)
            let bytes = try [UInt8](Data(contentsOf: data.appending(path: parts[1])))
            let rows = Result { try canonicalRows(bytes) }
            if Self.differences[parts[1]] != nil { continue }
            guard parts[0] == "ok" else {
                #expect(throws: Failure.self, "\(parts[1])") { try rows.get() }
                continue
            }
            let text = try String(contentsOfFile: folder.path("\(parts[1]).txt"), encoding: .utf8)
            let expected = parts[2] == "0" ? [] : text.components(separatedBy: "\n")
            let isEqual = try rows.get() == expected
            #expect(isEqual, "\(parts[1])")
        }
    }

    @Test(.enabled(if: Shared.isUsable, "needs the shared folder"))
    func sparksInt96IsReadFarBeyondNanoseconds() throws {
        let path = try Shared.path("conformance/parquet/data/int96_from_spark.parquet")
        let rows = try canonicalRows([UInt8](Data(contentsOf: path)))
        #expect(
            rows == [
                "1704141296123456", "1704070800000000", "253402225200000000", "1735599600000000",
                "null", "9089380393200000000",
            ])
    }

    @Test(.enabled(if: Shared.isUsable, "needs the shared folder"))
    func damagedFilesAreErrors() throws {
        let folder = try Shared.path("conformance/parquet/bad_data")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".parquet") }
        #expect(names.count >= 8)
        // Indices of 0 bits: a dictionary of one entry read with them is sound, so it is read.
        for name in names where name != "ARROW-GH-43605.parquet" {
            let bytes = try [UInt8](Data(contentsOf: folder.appending(path: name)))
            #expect(throws: Failure.self, "\(name)") { try canonicalRows(bytes) }
        }
    }

    @Test func anyBytesGiveRowsOrAFailureNeverATrap() throws {
        var options = smallLimits(.snappy)
        options.pageRows = 40
        options.rowGroupRows = 90
        let sources = try [ParquetCompression.none, .snappy, .zstd(level: 1)].map {
            options.compression = $0
            return try parquetBytes(
                [SampleRows.batch(count: 120, seed: 5)], SampleRows.schema, options
            ).bytes
        }
        var random = SeededGenerator(seed: 11)
        var failures = 0
        for round in 0..<240 {
            var bytes = sources[round % sources.count]
            // Half of the damage goes into the footer, which is a small part of the file.
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let from = Bool.random(using: &random) ? 0 : bytes.count - 3_500
                let at = Int.random(in: max(0, from)..<bytes.count, using: &random)
                bytes[at] = UInt8.random(in: 0...255, using: &random)
            }
            if round % 10 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            do { _ = try canonicalRows(bytes) } catch is Failure { failures += 1 }
        }
        #expect(failures > 120)
    }
}
