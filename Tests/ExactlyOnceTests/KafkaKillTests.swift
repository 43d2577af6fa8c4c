// The claim itself: 500,000 events from a real Kafka into an append table, an upsert table and a
// topic, twenty SIGKILLs, and the result is what DuckDB computes from the events.

import Foundation
import Glibc
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized, .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
    struct KafkaKillTests {
        /// Each is followed by the next start, which is a recovery where an intent was open.
        static let aims = [
            "intent.offered@7", "delta.before_commit:by_auction@2",
            "delta.before_commit:by_auction",
            "kafka.before_init", "kafka.after_init", "kafka.produced@2", "kafka.produced",
            "kafka.committed@2", "delta.before_commit:by_window", "delta.before_link@5",
            "delta.after_commit:by_auction@2", "kafka.begun@2", "checkpoint.written@5",
        ]

        @Test func twentyKillsFromKafkaToTwoTablesAndATopic() throws {
            let scenario = try KafkaScenario(events: 500_000)
            var dice = Dice(seed: 23)
            var ending: Ending?
            // A random kill after every second aimed one, so that both fall all along the run.
            for (number, aim) in KafkaKillTests.aims.enumerated() where ending == nil {
                try die(scenario, at: aim, &ending)
                if number % 3 != 2, ending == nil {
                    let run = try scenario.start()
                    usleep(UInt32(dice.roll(400...1_400)) * 1_000)
                    run.signal(SIGKILL)
                    let end = try run.end()
                    if end.wasKilled { scenario.note(isRandom: true) } else { ending = end }
                }
            }
            let last = try ending ?? scenario.start().end(within: 300)
            show(scenario)
            try #require(last.status == 0, "\(last)")
            expectWellAimed(scenario.falls)
            let plan = try RunningCommand(["explain", "t.sql"], in: scenario.folder.url).end()
            #expect(plan.output.contains("exchange: by hash of (auction)"), "\(plan)")
            let report = try last.report()
            #expect(report["conserved"] as? Bool == true, "\(last)")
            #expect((report["open"] as? [Any])?.isEmpty == true, "\(last)")
            let late = try #require(report["late"] as? Int)
            let dead = try #require(report["dead"] as? Int)
            let found = try scenario.differences(late: late, dead: dead)
            #expect(found == [], "\(found)")
        }

        /// The rule that the topic rests on, broken on purpose: the process dies with a transaction
        /// committed and not yet noted, and the next one sends that epoch without looking.
        @Test("skip-marker-lookup, at the topic: the comparison turns red; kept, it is green",
            arguments: ["skip-marker-lookup", nil])
        func theMarkerLookupIsNeededAtTheTopic(_ mutant: String?) throws {
            let scenario = try KafkaScenario(events: 60_000)
            let binary: Binary = mutant == nil ? .millrace : .mutant
            let death = try scenario.start(
                failpoint: "kafka.committed@3", binary: binary, mutant: mutant
            ).end()
            try #require(death.wasKilled, "never reached: \(death)")
            let last = try scenario.start(binary: binary, mutant: mutant).end()
            try #require(last.status == 0, "\(last)")
            let report = try last.report()
            let found = try scenario.differences(
                late: try #require(report["late"] as? Int),
                dead: try #require(report["dead"] as? Int))
            let ofTheTopic = found.filter { $0.hasPrefix("high: ") || $0.contains("dead letters") }
            print("\(mutant ?? "kept"): \(found.joined(separator: "; "))")
            #expect(ofTheTopic.isEmpty == (mutant == nil), "\(found)")
        }

        private func die(
            _ scenario: KafkaScenario, at aim: String, _ ending: inout Ending?
        ) throws {
            let end = try scenario.start(failpoint: aim).end()
            if end.wasKilled { scenario.note(isRandom: false) } else { ending = end }
        }

        private func expectWellAimed(_ falls: [Fall]) {
            #expect(falls.count >= 20)
            #expect(falls.count { !$0.uncommitted.isEmpty } >= 10, "between write and commit")
            #expect(falls.count { $0.wasRecovery } >= 3, "in a recovery")
            #expect(falls.count { $0.isRandom } >= 8, "at random")
            let open = falls.reduce(into: Set<String>()) { $0.formUnion($1.open) }
            #expect(open.isSuperset(of: KafkaScenario.sinks), "with an open intent")
        }

        private func show(_ scenario: KafkaScenario) {
            for (number, fall) in scenario.falls.enumerated() {
                print("kill \(number + 1): \(fall)")
            }
        }
    }
}
