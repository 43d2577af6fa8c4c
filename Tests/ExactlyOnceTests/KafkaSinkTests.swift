// What a topic does not take, and which partitions are read: a whole process on a real broker.

import Foundation
import KafkaIO
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized, .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
    struct KafkaSinkTests {
        @Test("a row too large for the topic is a dead letter, and no transaction meets it")
        func tooLarge() throws {
            let fixture = try KafkaFixture()
            try fixture.makeTopic("small", partitions: 1, ["max.message.bytes": "1000"])
            try fixture.makeTopic("dead")
            let topology = """
                SET checkpoint_interval = '100 milliseconds';
                CREATE TABLE numbers (n bigint NOT NULL) USING kafka WITH (
                    topic = '\(fixture.topic("in"))', bootstrap_servers = '\(fixture.servers)',
                    format = 'json');
                CREATE MATERIALIZED VIEW padded USING kafka WITH (
                    topic = '\(fixture.topic("small"))', bootstrap_servers = '\(fixture.servers)',
                    on_error = 'dead_letter', dead_letter_topic = '\(fixture.topic("dead"))')
                AS SELECT n, lpad('', n::integer, 'x') AS text FROM numbers;
                """
            try topology.write(
                to: fixture.folder.url.appending(path: "t.sql"), atomically: true, encoding: .utf8)
            try fixture.send([3, 5_000, 4])
            let ending = try fixture.catchUp()
            try #require(ending.status == 0, "\(ending)")
            #expect(try ending.report()["dead"] as? Int == 1, "\(ending)")
            #expect(
                try fixture.settled("small").sorted()
                    == ["{\"n\":3,\"text\":\"xxx\"}", "{\"n\":4,\"text\":\"xxxx\"}"])
            let dead = try fixture.settled("dead")
            #expect(dead.count == 1)
            #expect(dead.first?.hasPrefix("{\"n\":5000,") == true)
        }

        @Test("partitions = '0,2' reads these and no others")
        func chosenPartitions() throws {
            let fixture = try KafkaFixture(partitions: 3)
            try fixture.writeTopology(source: ", partitions = '0,2'")
            for partition in 0..<3 {
                try fixture.send((partition * 10)..<(partition * 10 + 5), partition: Int32(partition))
            }
            let ending = try fixture.catchUp()
            try #require(ending.status == 0, "\(ending)")
            #expect(
                try fixture.settled().sorted()
                    == KafkaFixture.text(Array(0..<5) + Array(20..<25)).sorted())
        }
    }
}
