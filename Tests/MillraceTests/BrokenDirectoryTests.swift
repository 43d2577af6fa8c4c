// What people are told of tables and state directories that are damaged, or are none: which path,
// what is wrong with it, what to do.

import Contracts
import Environment
import Foundation
import Millrace
import RocksState
import Synchronization
import Testing

@Suite(.serialized) struct BrokenDirectoryTests {
    private let fixture: FilesFixture

    init() throws {
        fixture = try FilesFixture()
        try fixture.write("in/a.csv", "1,2\n3,4\n")
        try fixture.run(
            """
            CREATE TABLE t (k bigint NOT NULL, v bigint)
            USING files WITH (path = '$DIR/in', format = 'csv', header = 'false');
            CREATE MATERIALIZED VIEW o USING delta WITH (location = '$DIR/table') AS
            SELECT k, v FROM t;
            """)
    }

    private func told(_ words: String...) async -> (status: Int32, error: String) {
        let error = Mutex("")
        let terminal = Terminal(write: { _ in }, writeError: { text in error.withLock { $0 += text } })
        let status = await runCommandLine(words, runner: EngineRunner(), terminal: terminal)
        return (status, error.withLock { $0 })
    }

    private func entry(_ version: Int) -> String {
        "table/_delta_log/" + String(repeating: "0", count: 19) + "\(version).json"
    }

    private func expect(
        _ told: (status: Int32, error: String), says words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(told.status == 1, "\(told)", sourceLocation: sourceLocation)
        for word in words + ["hint:"] {
            #expect(told.error.contains(word), "\(told)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: ["show", "history"])
    func aDamagedLogNamesItsFile(_ command: String) async throws {
        try fixture.write(entry(1), "{\"add\": {\"path\"")
        let path = fixture.folder + "/table"
        expect(await told("table", command, path), says: fixture.folder + "/" + entry(1), "backup")
    }

    @Test func aLogWithoutItsBeginningSaysSo() async throws {
        try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(entry(0))")
        expect(
            await told("table", "show", fixture.folder + "/table"), says: fixture.folder,
            "begins at version 1", "backup")
    }

    @Test func aFirstEntryThatIsNoneSaysSo() async throws {
        try fixture.write(entry(0), "{}\n")
        expect(
            await told("table", "show", fixture.folder + "/table"), says: fixture.folder,
            "lacks protocol or metaData")
    }

    @Test func aBrokenSchemaNamesTheTable() async throws {
        let path = "\(fixture.folder)/\(entry(0))"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try fixture.write(entry(0), text.replacingOccurrences(of: "struct", with: "strict"))
        expect(
            await told("table", "show", fixture.folder + "/table"),
            says: fixture.folder + "/table", "schema", "backup")
    }

    @Test func whatIsNoTableSaysWhatOneIs() async throws {
        for path in ["in", "nothing", "in/a.csv"] {
            expect(
                await told("table", "history", "\(fixture.folder)/\(path)"),
                says: "\(fixture.folder)/\(path)", "_delta_log")
        }
    }

    @Test func whatIsNoStateDirectorySaysWhatOneIs() async throws {
        for path in ["in", "nothing", "in/a.csv", "table"] {
            expect(
                await told("checkpoint", "list", "--state", "\(fixture.folder)/\(path)"),
                says: "\(fixture.folder)/\(path)", "--state")
        }
    }

    @Test func anotherProgramsRocksDBIsNotOurs() async throws {
        let path = fixture.folder + "/other"
        try LocalFiles.makeFolder(path)
        _ = try RocksStore(path: path + "/db")
        expect(await told("checkpoint", "list", "--state", path), says: path, "no state of Millrace")
    }

    @Test(arguments: ["CURRENT", "MANIFEST"])
    func aDamagedStateDirectoryIsNeitherReadNorOverwritten(_ lost: String) async throws {
        let database = fixture.folder + "/state/db"
        for name in LocalFiles.list(database) where name.hasPrefix(lost) {
            try LocalFiles.remove("\(database)/\(name)")
        }
        let before = LocalFiles.list(database).filter { $0 != "LOCK" && !$0.hasPrefix("LOG") }
        expect(
            await told("checkpoint", "list", "--state", fixture.folder + "/state"),
            says: fixture.folder + "/state", "backup", "--adopt")
        let failure = #expect(throws: Failure.self) {
            try StateDirectory.open(path: fixture.folder + "/state", entropy: .system)
        }
        #expect(failure?.code == "state.damaged")
        let after = LocalFiles.list(database).filter { $0 != "LOCK" && !$0.hasPrefix("LOG") }
        #expect(after == before)
    }
}
