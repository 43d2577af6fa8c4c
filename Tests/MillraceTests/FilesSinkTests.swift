// Files as an output: hidden until committed, committed once, fenced by the marker.

import Columns
import Connectors
import Contracts
import Environment
import Foundation
import Planning
import Progress
import Testing
import Types

@Suite struct FilesSinkTests {
    private static let sql = """
        CREATE TABLE source (id bigint) USING files WITH (path = '$DIR/in', format = 'json');
        CREATE MATERIALIZED VIEW result USING files WITH (path = '$DIR/out', format = 'json')
            AS SELECT id FROM source;
        """

    private struct Side {
        let writer: any SinkWriter
        let committer: any SinkCommitter
        let identity: Identity
    }

    private func open(
        _ fixture: FilesFixture, incarnation: UInt64, pipeline: String = "p",
        _ foreign: ConnectorContext.ForeignTable = .refuse
    ) throws -> Side {
        let plan = try fixture.plan(Self.sql)
        let identity = Identity(pipelineID: pipeline, generation: 1, incarnation: incarnation)
        let context = ConnectorContext(
            identity: identity, mode: .live, clock: .system, workers: 1, failFast: false,
            foreignTable: foreign, log: { _ in })
        let factory = LiveConnectors()
        let committer = try factory.makeCommitters(of: plan, context).first.orThrow("a committer")
        return Side(
            writer: try factory.makeWriter(output: 0, of: plan, worker: 0, context),
            committer: committer, identity: identity)
    }

    private func intent(_ side: Side, epoch: UInt64, _ ids: [Int64]) throws -> Intent {
        let refused = try side.writer.write(
            Batch(rowCount: ids.count, columns: [Column(.bigint, .int64(ids))]))
        #expect(refused.isEmpty)
        let marker = side.identity.marker(epoch: epoch)
        let parts = try side.writer.prepare(marker)
        return Intent(
            target: side.committer.target, marker: marker, offsets: [], parts: parts.map(\.bytes))
    }

    private func isCommitted(_ outcome: CommitOutcome) -> Bool {
        if case .committed = outcome { return true }
        return false
    }

    @Test func nothingShowsBeforeTheCommitAndACommitIsRepeatable() throws {
        let fixture = try FilesFixture()
        let first = try open(fixture, incarnation: 7)
        let intent = try intent(first, epoch: 3, [1, 2])
        #expect(try fixture.lines("out").isEmpty)
        let history = TargetHistory(target: intent.target, open: [intent.marker])
        #expect(isCommitted(try first.committer.commit([intent], history: history)))
        let landed = try fixture.names("out")
        #expect(try fixture.lines("out") == [#"{"id":1}"#, #"{"id":2}"#])
        #expect(landed.contains("result-g1-e3-0000000000000007-0.json"))
        // The process died before it could note that: the next one finds the epoch landed.
        let second = try open(fixture, incarnation: 8)
        #expect(try second.committer.readMarker() == intent.marker)
        #expect(isCommitted(try second.committer.commit([intent], history: history)))
        #expect(try fixture.names("out") == landed)
    }

    @Test func anEpochOfADeadProcessIsCommittedAndItsLeftoversGo() throws {
        let fixture = try FilesFixture()
        let first = try open(fixture, incarnation: 7)
        let kept = try intent(first, epoch: 1, [1])
        _ = try intent(first, epoch: 2, [2])  // Never became durable: nothing names it.
        let second = try open(fixture, incarnation: 8)
        let history = TargetHistory(target: kept.target, open: [kept.marker])
        #expect(isCommitted(try second.committer.commit([kept], history: history)))
        #expect(try fixture.lines("out") == [#"{"id":1}"#])
        #expect(try fixture.names("out").count { $0.hasSuffix(".tmp") } == 0)
    }

    @Test func aStaleCopyIsFenced() throws {
        let fixture = try FilesFixture()
        let first = try open(fixture, incarnation: 7)
        let newest = try intent(first, epoch: 5, [1])
        _ = try first.committer.commit(
            [newest], history: TargetHistory(target: newest.target, open: [newest.marker]))
        let stale = try open(fixture, incarnation: 8)
        let other = try intent(stale, epoch: 2, [2])
        let outcome = try stale.committer.commit(
            [other], history: TargetHistory(target: other.target, open: [other.marker]))
        guard case .fenced(let failure) = outcome else { throw Missing(description: "\(outcome)") }
        #expect(failure.kind == .fenced)
        #expect(try fixture.lines("out") == [#"{"id":1}"#])
    }

    @Test func anotherPipelinesFolderIsRefusedUnlessBeside() throws {
        let fixture = try FilesFixture()
        let first = try open(fixture, incarnation: 7)
        let intent = try intent(first, epoch: 1, [1])
        _ = try first.committer.commit(
            [intent], history: TargetHistory(target: intent.target, open: [intent.marker]))
        let refused = try open(fixture, incarnation: 8, pipeline: "q")
        let failure = #expect(throws: Failure.self) { try refused.committer.readMarker() }
        #expect(failure?.code == "files.foreign")
        let beside = try open(fixture, incarnation: 9, pipeline: "q", .beside)
        #expect(try beside.committer.readMarker() == nil)
    }

    @Test func aFileThatLostBytesIsNotShown() throws {
        let fixture = try FilesFixture()
        let side = try open(fixture, incarnation: 7)
        let intent = try intent(side, epoch: 1, [1])
        let hidden = try fixture.names("out").first { $0.hasSuffix(".tmp") }.orThrow("a file")
        try fixture.write("out/\(hidden)", "{")
        let failure = #expect(throws: Failure.self) {
            try side.committer.commit(
                [intent], history: TargetHistory(target: intent.target, open: [intent.marker]))
        }
        #expect(failure?.code == "files.damaged")
        #expect(try fixture.lines("out").isEmpty)
    }

    @Test func anUpdatingResultIsAChangelog() throws {
        let fixture = try FilesFixture()
        try fixture.write("in/a.json", (1...4).map { #"{"id":\#($0)}"# }.joined(separator: "\n"))
        try fixture.run(
            """
            CREATE TABLE source (id bigint) USING files WITH (path = '$DIR/in', format = 'json');
            CREATE MATERIALIZED VIEW result USING files
                WITH (path = '$DIR/out', format = 'debezium_json')
                AS SELECT id % 2 AS odd, sum(id) AS total FROM source GROUP BY 1;
            """)
        #expect(
            try fixture.lines("out") == [
                #"{"before":null,"after":{"odd":0,"total":6},"op":"c"}"#,
                #"{"before":null,"after":{"odd":1,"total":4},"op":"c"}"#,
            ])
    }
}
