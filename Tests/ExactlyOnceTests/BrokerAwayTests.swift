// A broker that is away when the run starts, or dies under it: waited for, visibly, and nothing is
// lost or doubled.

import Foundation
import Glibc
import KafkaIO
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized, .enabled(if: OwnBroker.isWanted, "needs KAFKA_HOME"))
    struct BrokerAwayTests {
        /// A client that looks again soon, so that a test is short.
        private static let impatient = ["reconnect.backoff.max.ms": "300"]

        private func fixture(_ broker: OwnBroker) throws -> KafkaFixture {
            try KafkaFixture(
                servers: broker.servers, properties: BrokerAwayTests.impatient)
        }

        /// The waits of the log's retries, ms.
        private func retries(_ log: String) -> [Int] {
            log.split(whereSeparator: \.isWhitespace).filter { $0.hasPrefix("retry_ms=") }
                .compactMap { Int($0.dropFirst("retry_ms=".count)) }
        }

        @Test("away at the start: tried again with backoff, said in the log, then exact")
        func awayAtTheStart() throws {
            let broker = try OwnBroker()
            let fixture = try fixture(broker)
            try fixture.send(0..<10)
            broker.kill()
            let hasty = try fixture.start(["--available-now", "--fail-fast"]).end(within: 30)
            #expect(hasty.status == 1, "\(hasty)")
            #expect(hasty.errors.contains("Connection refused"), "\(hasty)")
            #expect(retries(hasty.errors).isEmpty)
            let run = try fixture.start(["--available-now"])
            #expect(try run.says("retry_ms=800"))
            #expect(run.isRunning)
            let waits = try retries(run.errorText())
            #expect(Array(waits.prefix(4)) == [100, 200, 400, 800])
            #expect(try run.says("Connection refused"))
            try broker.start()
            let ending = try run.end()
            try #require(ending.status == 0, "\(ending)")
            #expect(try fixture.settled().sorted() == KafkaFixture.text(0..<10).sorted())
        }

        @Test("F13: killed under a run: waited for, in log and progress line, then exact")
        func killedUnderARun() throws {
            let broker = try OwnBroker()
            let fixture = try fixture(broker)
            try fixture.send(0..<500)
            let run = try fixture.start()
            let isUnderWay = try KafkaFixture.wait { try fixture.committed().count == 500 }
            try #require(isUnderWay)
            // It dies inside the transaction of records that it took itself.
            try fixture.send(500..<1_000)
            broker.kill()
            #expect(try run.says("code=kafka."))
            #expect(try run.says("waiting="))
            #expect(try run.says("Connection refused"))
            #expect(run.isRunning)
            try broker.start()
            try fixture.send(1_000..<1_500)
            let isThere = try KafkaFixture.wait(within: 60) {
                try fixture.committed().count >= 1_500
            }
            #expect(isThere)
            run.signal(SIGTERM)
            let ending = try run.end()
            try #require(ending.status == 0, "\(ending)")
            #expect((try ending.report()["open"] as? [Any])?.isEmpty == true, "\(ending)")
            let last = try fixture.catchUp()
            try #require(last.status == 0, "\(last)")
            #expect(try fixture.settled().sorted() == KafkaFixture.text(0..<1_500).sorted())
        }

        @Test("killed under a run: --fail-fast ends with 1, SIGTERM with 0; the next start goes on")
        func endsWhileItIsAway() throws {
            let broker = try OwnBroker()
            let fixture = try fixture(broker)
            try fixture.send(0..<500)
            let hasty = try fixture.start(["--fail-fast"])
            let isUnderWay = try KafkaFixture.wait { try fixture.committed().count == 500 }
            try #require(isUnderWay)
            broker.kill()
            let failed = try hasty.end(within: 30)
            #expect(failed.status == 1, "\(failed)")
            try broker.start()
            let patient = try fixture.start()
            let isRunning = KafkaFixture.wait { fixture.passed.names.contains("start.running") }
            try #require(isRunning)
            try fixture.send(500..<1_000)
            broker.kill()
            try #require(try patient.says("code=kafka."))
            let begun = Date.now
            patient.signal(SIGTERM)
            let ending = try patient.end(within: 30)
            #expect(ending.status == 0, "\(ending)")
            #expect(Date.now.timeIntervalSince(begun) < 12, "\(ending)")
            try broker.start()
            let last = try fixture.catchUp()
            try #require(last.status == 0, "\(last)")
            #expect(try fixture.settled().sorted() == KafkaFixture.text(0..<1_000).sorted())
        }
    }
}
