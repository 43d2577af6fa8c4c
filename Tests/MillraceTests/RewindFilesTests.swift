// A rewind with an output of files: readers may have taken them, so it is refused unless rows may
// repeat.

import Connectors
import Contracts
import Environment
import Foundation
import Progress
import RocksState
import Runtime
import Testing

@Suite struct RewindFilesTests {
    private static let sql = """
        CREATE TABLE source (id bigint)
        USING files WITH (path = '$DIR/in', format = 'csv', header = 'false');
        CREATE MATERIALIZED VIEW result USING files WITH (path = '$DIR/out', format = 'csv')
            AS SELECT id FROM source;
        """

    private func rewind(
        _ fixture: FilesFixture, to epoch: UInt64, allowsDuplicates: Bool
    ) throws -> [String] {
        let path = fixture.folder + "/state"
        func decide() throws -> [String] {
            let directory = try StateDirectory.open(path: path, entropy: .system)
            let context = ConnectorContext(
                identity: directory.identity, mode: .live, clock: .system, workers: 1,
                failFast: true, foreignTable: .beside, log: { _ in })
            return try Rewind(
                directory: directory,
                committers: try LiveConnectors().makeCommitters(
                    of: try fixture.plan(Self.sql), context),
                allowsDuplicates: allowsDuplicates
            ).run(to: epoch)
        }
        let told = try decide()
        try StateDirectory.settle(path)
        return told
    }

    @Test func refusedUnlessRowsMayRepeat() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.csv", "1\n2\n")
        try fixture.run(Self.sql, .availableNow)
        let target = try #require(
            StateDirectory.retained(in: fixture.folder + "/state").last).epoch
        try fixture.write("in/b.csv", "3\n")
        try fixture.run(Self.sql, .availableNow)
        #expect(try fixture.lines("out").filter { $0 != "id" } == ["1", "2", "3"])
        let failure = #expect(throws: Failure.self) {
            try rewind(fixture, to: target, allowsDuplicates: false)
        }
        #expect(failure?.code == "rewind.duplicates" && failure?.kind == .invalid)
        #expect(failure?.hint?.contains("--allow-duplicates") == true)
        let told = try rewind(fixture, to: target, allowsDuplicates: true)
        #expect(told.first?.contains("generation 2") == true, "\(told)")
        try fixture.run(Self.sql, .availableNow)
        #expect(try fixture.lines("out").filter { $0 != "id" } == ["1", "2", "3", "3"])
        // And it goes on as if nothing had happened.
        try fixture.write("in/c.csv", "4\n")
        try fixture.run(Self.sql, .availableNow)
        #expect(try fixture.lines("out").filter { $0 != "id" } == ["1", "2", "3", "3", "4"])
    }
}
