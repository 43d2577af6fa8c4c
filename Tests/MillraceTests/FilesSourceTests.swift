// Files as a source: formats, compression, positions, what is lost.

import Connectors
import Contracts
import Foundation
import Progress
import Runtime
import Testing

private func copy(_ format: String, path: String = "$DIR/in", _ options: String = "") -> String {
    """
    CREATE TABLE source (id bigint NOT NULL, name text) USING files
        WITH (path = '\(path)', format = '\(format)', on_error = 'skip'\(options));
    CREATE MATERIALIZED VIEW result USING files WITH (path = '$DIR/out', format = 'json')
        AS SELECT id, name FROM source;
    """
}

private let both = [#"{"id":1,"name":"a"}"#, #"{"id":2,"name":"b"}"#]

@Suite struct FilesSourceTests {
    @Test(arguments: [1, 3])
    func everyFileOfAFolderIsRead(workers: Int) throws {
        let fixture = try FilesFixture()
        try FileManager.default.createDirectory(
            atPath: fixture.folder + "/in/deeper", withIntermediateDirectories: true)
        try fixture.write("in/a.json", "\(both[0])\n\n\r\n")
        try fixture.write("in/deeper/b.json", both[1])
        try fixture.write("in/.hidden", "{")
        try fixture.write("in/_log", "{")
        let summary = try fixture.run(copy("json"), workers: workers)
        #expect(try fixture.lines("out") == both)
        #expect(summary.sources[0].offsets.map(\.partition).count == 2)
        #expect(summary.sources[0].offsets.allSatisfy { $0.next == $0.end })
        #expect(summary.imbalances.isEmpty)
    }

    @Test(arguments: [
        ("x.gz", "H4sIAAAAAAAAA6tWykxRsjLUUcpLzE1VslJKVKrlqgaLGcHFkoBiAC3nzTooAAAA"),
        ("x.zst", "KLUv/SQoDQEAyHsiaWQiOjEsIm5hbWUiOiJhIn0KMmIifQoCAKAIN0wmF50q+g=="),
    ])
    func compressedFilesCountPlainBytes(name: String, base64: String) throws {
        let fixture = try FilesFixture()
        try fixture.write("in/\(name)", base64: base64)
        let summary = try fixture.run(copy("json"))
        #expect(try fixture.lines("out") == both)
        #expect(summary.sources[0].offsets[0].next == 40)
    }

    @Test func aCutOffCompressedFileIsAFailure() throws {
        let fixture = try FilesFixture()
        let whole = "KLUv/SQoDQEAyHsiaWQiOjEsIm5hbWUiOiJhIn0KMmIifQoCAKAIN0wmF50q+g=="
        let bytes = try Data(base64Encoded: whole).orThrow("base64")
        try fixture.write("in/x.zst", base64: bytes.prefix(24).base64EncodedString())
        let failure = #expect(throws: Failure.self) { try fixture.run(copy("json")) }
        #expect(failure?.code == "files.cut_off")
    }

    @Test func csvHeadersAreEachFilesOwnAndQuotesHoldNewlines() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.csv", "id,name\n1,\"x\ny \"\"z\"\"\"\n2,\n3,q\"r\n")
        try fixture.write("in/b.csv", "\u{feff}name,id\r\n\"\",4\r\nlast,5")
        try fixture.run(copy("csv"))
        #expect(
            try fixture.lines("out") == [
                #"{"id":1,"name":"x\ny \"z\""}"#, #"{"id":2,"name":null}"#,
                #"{"id":3,"name":"q\"r"}"#, #"{"id":4,"name":""}"#, #"{"id":5,"name":"last"}"#,
            ])
    }

    @Test func manyRowsInSmallBatchesAndBeyondAChunk() throws {
        let fixture = try FilesFixture()
        let long = String(repeating: "x", count: 700_000)
        var text = (0..<5_000).map { #"{"id":\#($0),"name":"n"}"# }.joined(separator: "\n")
        text += "\n" + #"{"id":5000,"name":"\#(long)"}"# + "\n" + #"{"id":5001}"#
        try fixture.write("in/a.json", text)
        let summary = try fixture.run("SET batch_rows = 3;\n" + copy("json"))
        #expect(try fixture.lines("out").count == 5_002)
        #expect(summary.sources[0].counters["rows"] == 5_002)
    }

    @Test func badRowsAreRefusedOneByOne() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.json", "\(both[0])\n{\"id\":\n{\"name\":\"x\"}\n\(both[1])\n")
        let summary = try fixture.run(copy("json"))
        #expect(try fixture.lines("out") == both)
        #expect(summary.deadRows == 2)
    }

    @Test func moreFilesThanAreOpenAtOnce() throws {
        let fixture = try FilesFixture()
        for id in 0..<40 { try fixture.write("in/\(id).json", #"{"id":\#(id)}"#) }
        try fixture.run(copy("json"), workers: 2)
        #expect(try fixture.lines("out").count == 40)
    }

    @Test func patternsTakeWhatFits() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a-1.json", both[0])
        try fixture.write("in/b-1.json", both[1])
        try fixture.run(copy("json", path: "$DIR/i*/a-?.json"))
        #expect(try fixture.lines("out") == [both[0]])
    }

    @Test(arguments: ["in/c*", "in/c.json", "c"])
    func aPathThatStandsForNothingIsAFailure(path: String) throws {
        let fixture = try FilesFixture()
        let failure = #expect(throws: Failure.self) {
            try fixture.run(copy("json", path: "$DIR/" + path))
        }
        #expect(failure?.code == "files.missing")
    }

    @Test func parquetIsReadBack() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.json", both.joined(separator: "\n"))
        try fixture.run(
            """
            CREATE TABLE source (id bigint NOT NULL, name text) USING files
                WITH (path = '$DIR/in', format = 'json');
            CREATE MATERIALIZED VIEW result USING files
                WITH (path = '$DIR/middle', format = 'parquet')
                AS SELECT id::integer AS id, name, id * 0.5 AS half FROM source;
            """, state: "first")
        let summary = try fixture.run(
            """
            CREATE TABLE source (name text, id bigint NOT NULL, half numeric(25,1)) USING files
                WITH (path = '$DIR/middle', format = 'parquet');
            CREATE MATERIALIZED VIEW result USING files WITH (path = '$DIR/out', format = 'csv')
                AS SELECT half, id, name, _offset FROM source;
            """)
        #expect(try fixture.lines("out") == ["0.5,1,a,0", "1.0,2,b,1", "half,id,name,_offset"])
        #expect(summary.sources[0].offsets[0].end == 2)
    }

    // MARK: Series

    @Test func aSeriesGoesOnWhereItEnded() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.json", both[0] + "\n" + #"{"id":2,"na"#)
        try fixture.run(copy("json"), .availableNow)
        #expect(try fixture.lines("out") == [both[0]])
        try fixture.append("in/a.json", #"me":"b"}"# + "\n" + #"{"id":3}"#)
        try fixture.write("in/b.json", #"{"id":4}"# + "\n")
        let summary = try fixture.run(copy("json"), .availableNow)
        let more = [#"{"id":3,"name":null}"#, #"{"id":4,"name":null}"#]
        #expect(try fixture.lines("out") == both + more)
        let offset = try summary.sources[0].offsets.first.orThrow("a partition")
        #expect(offset.detail == fixture.folder + "/in/b.json" && offset.next == 9)
        try fixture.run(copy("json"), .availableNow)
        #expect(try fixture.lines("out").count == 4)
    }

    @Test(arguments: ["fail", "earliest", "latest"])
    func aFileThatChangedIsNoticed(policy: String) throws {
        let fixture = try FilesFixture()
        let sql = copy("json", ", on_offset_lost = '\(policy)'")
        try fixture.write("in/a.json", both.joined(separator: "\n") + "\n")
        try fixture.run(sql, .availableNow)
        try fixture.write("in/a.json", #"{"id":7}"# + "\n")
        switch policy {
        case "fail":
            let failure = #expect(throws: Failure.self) { try fixture.run(sql, .availableNow) }
            #expect(failure?.kind == .dataLost)
        case "earliest":
            try fixture.run(sql, .availableNow)
            #expect(try fixture.lines("out") == both + [#"{"id":7,"name":null}"#])
        default:
            try fixture.run(sql, .availableNow)
            #expect(try fixture.lines("out") == both)
            try fixture.append("in/a.json", #"{"id":8}"# + "\n")
            try fixture.run(sql, .availableNow)
            #expect(try fixture.lines("out") == both + [#"{"id":8,"name":null}"#])
        }
        #expect(policy == "fail" || fixture.messages.contains { $0.contains("shrank or changed") })
    }

    @Test func aFileThatComesBeforeTheOneBeingReadIsNoticed() async throws {
        let fixture = try FilesFixture()
        try fixture.write("in/b.json", both[0] + "\n")
        try fixture.run(copy("json"), .availableNow)
        try await Task.sleep(for: .milliseconds(20))
        try fixture.write("in/a.json", both[1] + "\n")
        let failure = #expect(throws: Failure.self) {
            try fixture.run(copy("json"), .availableNow)
        }
        #expect(failure?.kind == .dataLost && failure?.message.contains("/in/a.json") == true)
    }

    @Test func theOtherLayoutIsRefused() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.json", both[0] + "\n")
        try fixture.run(copy("json"), .availableNow)
        let failure = #expect(throws: Failure.self) { try fixture.run(copy("json"), .bounded) }
        #expect(failure?.code == "files.layout_changed")
        try fixture.run(copy("json", ", parallel_files = 'false'"), .bounded)
        #expect(try fixture.lines("out") == [both[0]])
    }

    @Test func aBoundedSeriesTakesItsFilesInOrder() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.json", both[0])
        try fixture.write("in/b.json", both[1])
        let summary = try fixture.run(copy("json", ", parallel_files = 'false'"))
        #expect(try fixture.lines("out") == both)
        #expect(summary.sources[0].offsets.count == 1)
        #expect(summary.sources[0].offsets[0].end == 38)
    }
}
