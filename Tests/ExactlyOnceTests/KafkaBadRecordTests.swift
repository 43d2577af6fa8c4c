// One poison byte in a stream of good records (F30): kept apart, skipped, or the end of the run; and
// nothing is lost in any case.

import Foundation
import KafkaIO
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized, .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
    struct KafkaBadRecordTests {
        private static let poison = "{\"n\":7\u{1}"

        private func poisoned(_ options: String) throws -> KafkaFixture {
            let fixture = try KafkaFixture()
            try fixture.writeTopology(source: options)
            try fixture.send(0..<20)
            try fixture.send([KafkaBadRecordTests.poison], to: "in")
            try fixture.send(20..<40)
            return fixture
        }

        private func count(_ name: String, _ ending: Ending) throws -> Int? {
            try ending.report()[name] as? Int
        }

        private let good = KafkaFixture.text(0..<40).sorted()

        @Test("F30: dead_letter keeps the record's bytes apart and goes on")
        func deadLetter() throws {
            let fixture = try KafkaFixture()
            try fixture.makeTopic("dead")
            try fixture.writeTopology(
                source: ", on_error = 'dead_letter', dead_letter_topic = '\(fixture.topic("dead"))'")
            try fixture.send(0..<20)
            try fixture.send([KafkaBadRecordTests.poison], to: "in")
            try fixture.send(20..<40)
            let ending = try fixture.catchUp()
            try #require(ending.status == 0, "\(ending)")
            #expect(try fixture.settled().sorted() == good)
            #expect(try fixture.settled("dead") == [KafkaBadRecordTests.poison])
            #expect(try count("dead", ending) == 1)
            let strict = try KafkaFixture()
            try strict.send([KafkaBadRecordTests.poison], to: "in")
            try strict.writeTopology(source: ", on_error = 'skip'")
            #expect(try strict.catchUp(["--strict"]).status == 3)
        }

        @Test("F30: skip counts the record and goes on")
        func skip() throws {
            let fixture = try poisoned(", on_error = 'skip'")
            let ending = try fixture.catchUp()
            try #require(ending.status == 0, "\(ending)")
            #expect(try fixture.settled().sorted() == good)
            #expect(try count("dead", ending) == 1)
        }

        @Test("F30: fail stops and names the place, every time; after the fix nothing is lost")
        func fail() throws {
            let fixture = try poisoned(", on_error = 'fail'")
            for _ in 0..<2 {
                let ending = try fixture.catchUp()
                #expect(ending.status == 1, "\(ending)")
                #expect(ending.errors.contains("\(fixture.topic("in"))/0/20: "), "\(ending)")
                #expect(ending.errors.contains("dead_letter_topic"), "\(ending)")
                // The byte itself would reach somebody's terminal.
                #expect(ending.errors.contains("7\\u0001"), "\(ending)")
                #expect(!ending.errors.unicodeScalars.contains("\u{1}"))
            }
            try fixture.makeTopic("dead")
            try fixture.writeTopology(
                source: ", on_error = 'dead_letter', dead_letter_topic = '\(fixture.topic("dead"))'")
            let fixed = try fixture.catchUp()
            try #require(fixed.status == 0, "\(fixed)")
            #expect(try fixture.settled().sorted() == good)
            #expect(try fixture.settled("dead") == [KafkaBadRecordTests.poison])
        }
    }
}
