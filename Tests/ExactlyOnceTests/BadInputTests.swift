// Everything that a message can be instead of a row, through a real topic: each is dead-lettered with
// its reason and its bytes, its neighbours are read, and memory stays bounded.

import Foundation
import KafkaIO
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized, .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
    struct BadInputTests {
        struct BadMessage: Sendable, CustomStringConvertible {
            let description: String
            let value: [UInt8]
            let reason: String

            init(_ description: String, _ value: String, _ reason: String) {
                self.init(description, Array(value.utf8), reason)
            }

            init(_ description: String, _ value: [UInt8], _ reason: String) {
                self.description = description
                self.value = value
                self.reason = reason
            }
        }

        static let deep = String(repeating: "[", count: 10_000)

        static let messages: [BadMessage] = [
            BadMessage("truncated", "{\"n\":1,\"t\":\"x", "malformed"),
            BadMessage("cut in a number", "{\"n\":1", "malformed"),
            BadMessage("a wrong type", "{\"n\":\"1\"}", "wrong_type"),
            BadMessage("an array", "[1]", "wrong_type"),
            BadMessage("null", "null", "wrong_type"),
            BadMessage("missing", "{}", "not_null"),
            BadMessage("a broken UTF-8 sequence", Array("{\"n\":1,\"t\":\"".utf8) + [0xc3, 0x28]
                + Array("\"}".utf8), "malformed"),
            BadMessage("no text at all", [0xff, 0xfe, 0x00, 0x01], "malformed"),
            BadMessage("nested 10,000 deep", "{\"o\":\(deep)", "limit"),
            BadMessage("nested and closed", "{\"j\":\(deep)\(deep.map { _ in "]" }.joined()),\"n\":1}",
                "limit"),
            BadMessage("out of range", "{\"n\":9223372036854775808}", "out_of_range"),
            BadMessage("too large for a double", "{\"n\":1,\"d\":1e400}", "out_of_range"),
            BadMessage("NaN", "{\"n\":1,\"d\":NaN}", "malformed"),
            BadMessage("empty", "", "empty_value"),
            BadMessage("blank", " \n", "malformed"),
            BadMessage("a lone surrogate", "{\"n\":1,\"t\":\"\\ud800\"}", "malformed"),
            BadMessage("a byte order mark", "\u{feff}{\"n\":1}", "malformed"),
            BadMessage("a check", "{\"n\":-1}", "check"),
            BadMessage("a control character", "{\"n\":1,\"t\":\"\u{1}\"}", "malformed"),
        ]

        private func topology(_ fixture: KafkaFixture) throws {
            let folder = fixture.folder
            try """
                SET checkpoint_interval = '100 milliseconds';
                SET state_memory = '16MB';
                CREATE TABLE s (
                    n bigint NOT NULL CHECK (n >= 0), t text, d double precision, j json
                ) USING kafka WITH (
                    topic = '\(fixture.topic("in"))', bootstrap_servers = '\(fixture.servers)',
                    format = 'json', dead_letter = 'dead'
                );
                CREATE TABLE dead (reason text, "offset" bigint, value bytea)
                USING delta WITH (location = '\(folder.path("dead"))');
                CREATE MATERIALIZED VIEW good
                USING delta WITH (location = '\(folder.path("good"))')
                AS SELECT n, length(t) AS width, d, j IS NULL AS bare FROM s;
                """.write(
                to: folder.url.appending(path: "t.sql"), atomically: true, encoding: .utf8)
        }

        /// `[offset, reason, length of value, sha256 of value]` a row, by offset.
        private func dead(_ fixture: KafkaFixture) throws -> [[String]] {
            let rows = try Python.run(
                """
                import sys, json, hashlib
                from deltalake import DeltaTable
                rows = DeltaTable(sys.argv[1]).to_pyarrow_table().sort_by("offset").to_pylist()
                print(json.dumps([[str(r["offset"]), r["reason"], str(len(r["value"])),
                                   hashlib.sha256(r["value"]).hexdigest()] for r in rows]))
                """, [fixture.folder.path("dead")])
            return try #require(
                JSONSerialization.jsonObject(with: Data(rows.utf8)) as? [[String]])
        }

        private func goodRows(_ fixture: KafkaFixture) throws -> [Int] {
            let rows = try Python.run(
                """
                import sys, json
                from deltalake import DeltaTable
                print(json.dumps(sorted(DeltaTable(sys.argv[1]).to_pyarrow_table()["n"].to_pylist())))
                """, [fixture.folder.path("good")])
            return try #require(JSONSerialization.jsonObject(with: Data(rows.utf8)) as? [Int])
        }

        @Test("F30: each kind of bad message is dead-lettered with its reason, its neighbours are read")
        func reasons() throws {
            let fixture = try KafkaFixture()
            try topology(fixture)
            for (index, message) in Self.messages.enumerated() {
                try fixture.send([index], partition: 0)
                try fixture.sendBytes([message.value], to: "in")
            }
            // Duplicate keys are not an error: the first counts.
            try fixture.send(["{\"n\":1000,\"n\":\"x\"}"], to: "in")
            let ending = try fixture.catchUp()
            try #require(ending.status == 0, "\(ending)")
            let rows = try dead(fixture)
            try #require(rows.count == Self.messages.count)
            for (index, message) in Self.messages.enumerated() {
                #expect(rows[index][0] == "\(2 * index + 1)", "\(message)")
                #expect(rows[index][1] == message.reason, "\(message)")
                #expect(rows[index][2] == "\(message.value.count)", "\(message)")
            }
            #expect(try goodRows(fixture) == Array(Self.messages.indices) + [1000])
        }

        @Test("messages of 10 MB, good and bad, in bounded memory")
        func large() throws {
            let fixture = try KafkaFixture(in: ["max.message.bytes": "20000000"])
            try topology(fixture)
            let (width, count) = (10 << 20, 40)
            // Not to be compressed: librdkafka unpacks what it fetched as a whole.
            var dice = Dice(seed: 7)
            let text = (0..<width).map { _ in UInt8(dice.roll(0x30...0x7a)) }
                .map { $0 == 0x5c ? 0x20 : $0 }
            for index in 0..<count {
                let start = Array("{\"n\":\(index),\"t\":\"".utf8)
                let isBad = index % 2 == 1
                try fixture.sendBytes([start + text + (isBad ? [] : Array("\"}".utf8))], to: "in")
            }
            let run = try fixture.start(["--available-now"])
            let ending = try run.end()
            try #require(ending.status == 0, "\(ending)")
            #expect(try goodRows(fixture) == (0..<count).filter { $0 % 2 == 0 })
            let rows = try dead(fixture)
            #expect(rows.map { $0[1] } == Array(repeating: "malformed", count: count / 2))
            #expect(rows.allSatisfy { Int($0[2]).map { $0 > width } == true })
            let peak = try #require(run.peakBytes)
            #expect(peak < 350 << 20, "400 MB of messages took \(peak >> 20) MB")
        }
    }
}
