// What happens to a transaction whose process dies, stands still, or forgets to ask (F21, F22).

import Foundation
import Glibc
import KafkaIO
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized, .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
    struct KafkaTransactionTests {
        /// librdkafka's own time-out of a transaction, after which the broker would help itself.
        static let transactionTimeout: TimeInterval = 60

        @Test("F22: a transaction open at a kill ends at the next start, without new input")
        func anAbandonedTransactionEndsAtTheNextStart() throws {
            let fixture = try KafkaFixture()
            try fixture.send(0..<10)
            let death = try fixture.start(["--available-now"], failpoint: "kafka.flushed").end()
            try #require(death.wasKilled, "\(death)")
            let begun = Date.now
            // Another program's record lies behind the open transaction: its readers wait.
            try fixture.send(["{\"n\":-1}"], to: "out")
            #expect(try fixture.stableEnd("out") == 0)
            #expect(try fixture.committed() == [])
            let ending = try fixture.catchUp()
            try #require(ending.status == 0, "\(ending)")
            #expect(fixture.passed.names.contains("start.open_intents"))
            #expect(
                Date.now.timeIntervalSince(begun) < KafkaTransactionTests.transactionTimeout / 2)
            #expect(try fixture.settled().sorted() == KafkaFixture.text(-1..<10).sorted())
        }

        @Test("F22: nothing is open here, and yet a transaction under our id holds readers back")
        func aTransactionThatTheDirectoryKnowsNothingOfEndsToo() throws {
            let fixture = try KafkaFixture()
            try fixture.send(0..<10)
            let first = try fixture.catchUp()
            try #require(first.status == 0, "\(first)")
            let end = try fixture.stableEnd("out")
            // A process of this pipeline that hangs: it never commits and never aborts.
            let hung = try KafkaProducer(
                fixture.configuration,
                transactionalID: "millrace-" + KafkaFixture.pipelineID(first))
            try #require(isDone(hung.initializeTransactions(timeout: .seconds(20))))
            try #require(isDone(hung.begin()))
            try hung.produce(
                KafkaRecord(
                    topic: fixture.topic("out"), partition: 0, key: nil,
                    value: Array("hung".utf8)))
            try #require(hung.flush(timeout: .seconds(20)))
            let begun = Date.now
            try fixture.send(["{\"n\":-1}"], to: "out")
            #expect(try fixture.stableEnd("out") == end)
            let second = try fixture.catchUp()
            try #require(second.status == 0, "\(second)")
            #expect(!fixture.passed.names.contains("start.open_intents"))
            #expect(
                Date.now.timeIntervalSince(begun) < KafkaTransactionTests.transactionTimeout / 2)
            #expect(try fixture.settled().sorted() == KafkaFixture.text(-1..<10).sorted())
            // And the one that hung is fenced when it wakes.
            #expect(!isDone(hung.commit(rows: 1, timeout: .seconds(20))))
        }

        @Test("F21: stopped for longer than the transaction may last, then sent again, once")
        func aTransactionThatTimedOutIsSentAgain() throws {
            let fixture = try KafkaFixture()
            try fixture.writeTopology(sink: ", \"kafka.transaction.timeout.ms\" = '1000'")
            try fixture.send(0..<500)
            let run = try fixture.start(failpoint: "kafka.flushed=stop")
            let isOpen = KafkaFixture.wait { fixture.passed.names.contains("kafka.flushed") }
            try #require(isOpen)
            // The transaction is open until the broker gives it up (it looks every ten seconds):
            // then this record of another program becomes visible, and its place is behind ours.
            try fixture.send(["{\"n\":-1}"], to: "out")
            #expect(try fixture.stableEnd("out") == 0)
            let isGivenUp = try KafkaFixture.wait { try fixture.stableEnd("out") > 0 }
            try #require(isGivenUp)
            #expect(try fixture.committed() == ["{\"n\":-1}"])
            run.signal(SIGCONT)
            let wanted = KafkaFixture.text(-1..<500).sorted()
            let isThere = try KafkaFixture.wait { try fixture.committed().count >= wanted.count }
            try fixture.send([500])
            run.signal(SIGTERM)
            let ending = try run.end()
            try #require(ending.status == 0, "\(ending)")
            #expect(isThere, "\(ending)")
            // The take-over of the start, and the one after the fatal error.
            #expect(fixture.passed.count("kafka.after_init") == 2, "\(ending)")
            #expect((try ending.report()["open"] as? [Any])?.isEmpty == true, "\(ending)")
            let last = try fixture.catchUp()
            try #require(last.status == 0, "\(last)")
            #expect(try fixture.settled().sorted() == KafkaFixture.text(-1..<501).sorted())
        }

        private func isDone(_ outcome: KafkaTransactionOutcome) -> Bool {
            if case .done = outcome { true } else { false }
        }
    }
}
