// Which record is next: after losses, over what nobody can see, and against what `start` says
// (F24, F25, F26); and partitions that appear.

import Foundation
import Glibc
import KafkaIO
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized, .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
    struct KafkaOffsetTests {
        private func expectDone(_ ending: Ending) throws {
            try #require(ending.status == 0, "\(ending)")
        }

        /// The offset that the next start begins with, as the last line of `--json` has it.
        private func next(_ ending: Ending, partition: Int = 0) throws -> Int {
            let sources = try #require(try ending.report()["sources"] as? [[String: Any]])
            let offsets = try #require(sources.first?["offsets"] as? [[String: Any]])
            let own = offsets.first { $0["partition"] as? String == String(partition) }
            return try #require(own?["next"] as? Int)
        }

        // MARK: F24

        @Test("F24: the stored offset has expired: exit 5 names the range, earliest goes on")
        func anExpiredOffset() throws {
            let fixture = try KafkaFixture()
            try fixture.send(0..<10)
            try expectDone(try fixture.catchUp())
            try fixture.send(10..<30)
            try fixture.administration.deleteRecords(fixture.topic("in"), partition: 0, before: 25)
            for _ in 0..<2 {
                let refused = try fixture.catchUp()
                #expect(refused.status == 5, "\(refused)")
                #expect(
                    refused.errors.contains("\(fixture.topic("in"))/0: offsets 10 to 24 are gone"),
                    "\(refused)")
                #expect(refused.errors.contains("on_offset_lost"), "\(refused)")
            }
            #expect(try fixture.settled().sorted() == KafkaFixture.text(0..<10).sorted())
            try fixture.writeTopology(source: ", on_offset_lost = 'earliest'")
            let ending = try fixture.catchUp()
            try expectDone(ending)
            #expect(ending.errors.contains("offsets lost"), "\(ending)")
            #expect(ending.errors.contains("offsets 10 to 24 are gone"), "\(ending)")
            let wanted = KafkaFixture.text(Array(0..<10) + Array(25..<30))
            #expect(try fixture.settled().sorted() == wanted.sorted())
            #expect(try next(ending) == 30)
        }

        @Test("F24: the records ahead of a running reader are deleted: exit 5 names the range")
        func anOffsetExpiresWhileRunning() throws {
            for rule in ["fail", "earliest"] {
                let fixture = try KafkaFixture()
                try fixture.writeTopology(source: ", on_offset_lost = '\(rule)'")
                try fixture.send(0..<10)
                // It stands still with its offsets resolved and nothing fetched.
                let run = try fixture.start(["--bounded"], failpoint: "start.resolved=stop")
                let isStopped = KafkaFixture.wait { fixture.passed.names.contains("start.resolved") }
                try #require(isStopped)
                try fixture.administration.deleteRecords(
                    fixture.topic("in"), partition: 0, before: 8)
                run.signal(SIGCONT)
                let ending = try run.end(within: 60)
                #expect(ending.status == (rule == "fail" ? 5 : 0), "\(ending)")
                #expect(ending.errors.contains("offsets 0 to 7 are gone"), "\(ending)")
                let wanted = rule == "fail" ? [] : KafkaFixture.text(8..<10)
                #expect(try fixture.settled().sorted() == wanted)
            }
        }

        @Test("F24: a topic deleted and made anew is noticed by the fingerprint")
        func aRecreatedTopic() throws {
            let fixture = try KafkaFixture()
            try fixture.send(0..<10)
            try expectDone(try fixture.catchUp())
            try fixture.administration.deleteTopic(fixture.topic("in"))
            let isMade = try KafkaFixture.wait {
                try fixture.administration.createTopic(
                    fixture.topic("in"), partitions: 1, replication: 1)
            }
            try #require(isMade)
            // As many records as there were, and more: only what they are gives it away.
            try fixture.send(100..<120)
            let refused = try fixture.catchUp()
            #expect(refused.status == 5, "\(refused)")
            #expect(
                refused.errors.contains("\(fixture.topic("in"))/0: offset 9 holds another record"),
                "\(refused)")
            try fixture.writeTopology(source: ", on_offset_lost = 'earliest'")
            let ending = try fixture.catchUp()
            try expectDone(ending)
            #expect(ending.errors.contains("made anew"), "\(ending)")
            let wanted = KafkaFixture.text(Array(0..<10) + Array(100..<120))
            #expect(try fixture.settled().sorted() == wanted.sorted())
        }

        @Test("F24: a topic made anew and shorter does not keep a bounded run waiting")
        func aShorterTopicEndsABoundedRun() throws {
            let fixture = try KafkaFixture()
            try fixture.writeTopology(source: ", on_offset_lost = 'earliest'")
            try fixture.send(0..<50)
            // Killed with its end resolved and nothing read.
            let death = try fixture.start(["--bounded"], failpoint: "start.running").end()
            try #require(death.wasKilled, "\(death)")
            try fixture.administration.deleteTopic(fixture.topic("in"))
            let isMade = try KafkaFixture.wait {
                try fixture.administration.createTopic(
                    fixture.topic("in"), partitions: 1, replication: 1)
            }
            try #require(isMade)
            try fixture.send(100..<105)
            let ending = try fixture.start(["--bounded"]).end(within: 60)
            try expectDone(ending)
            #expect(ending.errors.contains("before the stored offset 50"), "\(ending)")
            #expect(try fixture.settled().sorted() == KafkaFixture.text(100..<105).sorted())
        }

        // MARK: F25

        @Test("F25: tombstones, empty values, control records and aborted ones move the offset")
        func whatIsNoRowMovesTheOffset() throws {
            let fixture = try KafkaFixture()
            try fixture.writeTopology(source: ", on_error = 'skip'")
            try fixture.send(0..<3)
            try fixture.send([nil, "", nil], to: "in", key: "k")
            let transactional = try KafkaProducer(
                fixture.configuration, transactionalID: fixture.name)
            try #require(isDone(transactional.initializeTransactions(timeout: .seconds(20))))
            // Offsets 6 to 8: committed, with its control record; 9 to 12: aborted.
            try write(KafkaFixture.text(3..<5), with: transactional, to: fixture)
            try #require(isDone(transactional.commit(rows: 2, timeout: .seconds(20))))
            try write(KafkaFixture.text(90..<93), with: transactional, to: fixture)
            try #require(isDone(transactional.abort(timeout: .seconds(20))))
            let ending = try fixture.catchUp()
            try expectDone(ending)
            #expect(try next(ending) == 13)
            #expect(try fixture.settled().sorted() == KafkaFixture.text(0..<5).sorted())
            #expect((try ending.report()["conserved"] as? Bool) == true, "\(ending)")
            // Nothing of it is read twice, and what comes behind is.
            try fixture.send(5..<6)
            let again = try fixture.catchUp()
            try expectDone(again)
            #expect(try next(again) == 14)
            #expect(try fixture.settled().sorted() == KafkaFixture.text(0..<6).sorted())
        }

        @Test("F23, F25: a bounded run ends although its last records are invisible")
        func aBoundedRunEndsOnInvisibleRecords() throws {
            let fixture = try KafkaFixture()
            let transactional = try KafkaProducer(
                fixture.configuration, transactionalID: fixture.name)
            try #require(isDone(transactional.initializeTransactions(timeout: .seconds(20))))
            try fixture.send(0..<3)
            try write(KafkaFixture.text(90..<93), with: transactional, to: fixture)
            try #require(isDone(transactional.abort(timeout: .seconds(20))))
            let ending = try fixture.start(["--bounded"]).end(within: 30)
            try expectDone(ending)
            #expect(try next(ending) == 7)
            #expect(try fixture.settled().sorted() == KafkaFixture.text(0..<3).sorted())
        }

        @Test("F23, F25: gaps of compaction, also before the end of a bounded run")
        func compactionLeavesGaps() throws {
            let fixture = try KafkaFixture(in: [
                "cleanup.policy": "compact", "segment.ms": "100",
                "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "100",
            ])
            try fixture.send(["{\"n\":1}"], to: "in", key: "kept")
            for number in 2..<12 { try fixture.send(["{\"n\":\(number)}"], to: "in", key: "k") }
            // The newest segment is never compacted: two more, of which the last stays.
            let reader = KafkaTopicReader(fixture.configuration, topic: fixture.topic("in"))
            var rolled = 0
            let isCompacted = try KafkaFixture.wait(within: 60) {
                rolled += 1
                try fixture.send(["{\"n\":0}"], to: "in", key: "rolls")
                usleep(400_000)
                if case .compactedAway = try reader.record(partition: 0, at: 5) { return true }
                return false
            }
            try #require(isCompacted)
            let end = try fixture.stableEnd("in")
            let visible = try fixture.committed("in")
            #expect(visible.count < Int(end))
            let ending = try fixture.start(["--bounded"]).end(within: 30)
            try expectDone(ending)
            #expect(try next(ending) == Int(end))
            let copied = try fixture.settled()
            // The cleaner goes on meanwhile: what was read is what was there at some moment.
            #expect(copied.contains("{\"n\":1}") && copied.contains("{\"n\":11}"))
            #expect(copied.count <= visible.count)
        }

        private func write(
            _ values: [String], with producer: KafkaProducer, to fixture: KafkaFixture
        ) throws {
            try #require(isDone(producer.begin()))
            for value in values {
                try producer.produce(
                    KafkaRecord(
                        topic: fixture.topic("in"), partition: 0, key: nil,
                        value: Array(value.utf8)))
            }
            try #require(producer.flush(timeout: .seconds(20)))
        }

        private func isDone(_ outcome: KafkaTransactionOutcome) -> Bool {
            if case .done = outcome { true } else { false }
        }

        // MARK: F26

        @Test("F26: a restart goes on at the stored offset, whatever start says",
            arguments: ["latest", "earliest"])
        func aRestartGoesOn(_ start: String) throws {
            let fixture = try KafkaFixture()
            try fixture.writeTopology(source: ", start = '\(start)'")
            try fixture.send(0..<5)
            try expectDone(try fixture.catchUp())
            try fixture.send(5..<10)
            // And killed again and again: the offset comes from the state, not from the option.
            for _ in 0..<2 {
                let death = try fixture.start(failpoint: "start.running").end()
                try #require(death.wasKilled, "\(death)")
            }
            try expectDone(try fixture.catchUp())
            let wanted = start == "latest" ? Array(5..<10) : Array(0..<10)
            #expect(try fixture.settled().sorted() == KafkaFixture.text(wanted).sorted())
        }

        @Test("F26: also when the first checkpoint was empty")
        func alsoAfterAnEmptyCheckpoint() throws {
            let fixture = try KafkaFixture()
            try fixture.writeTopology(source: ", start = 'latest'")
            try fixture.send(0..<5)
            let death = try fixture.start(failpoint: "start.offsets_written").end()
            try #require(death.wasKilled, "\(death)")
            // What comes while the process is down is behind the end that it had resolved.
            try fixture.send(5..<10)
            try expectDone(try fixture.catchUp())
            #expect(try fixture.settled().sorted() == KafkaFixture.text(5..<10).sorted())
        }

        // MARK: partitions

        @Test("F11: a partition that appears is read from its beginning, while running and at a start")
        func aNewPartition() throws {
            let fixture = try KafkaFixture()
            try fixture.writeTopology(source: ", start = 'latest'")
            let run = try fixture.start()
            let isRunning = KafkaFixture.wait { fixture.passed.names.contains("start.running") }
            try #require(isRunning)
            try fixture.administration.addPartitions(fixture.topic("in"), total: 2)
            try fixture.send(0..<5, partition: 1)
            // It looks every ten seconds.
            try #require(try run.says("noticed a new partition"))
            let isRead = try KafkaFixture.wait { try fixture.committed().count == 5 }
            #expect(isRead)
            run.signal(SIGTERM)
            let ending = try run.end()
            try expectDone(ending)
            #expect(try next(ending, partition: 1) == 5)
            try fixture.administration.addPartitions(fixture.topic("in"), total: 3)
            try fixture.send(5..<10, partition: 2)
            try expectDone(try fixture.catchUp())
            #expect(try fixture.settled().sorted() == KafkaFixture.text(0..<10).sorted())
        }
    }
}
