// SIGKILL at the end of a bounded run and at random moments, without a broker: the tables come out
// as if nothing had happened. Every named place has its cases in the crash matrix.

import Foundation
import Glibc
import PythonSupport
import Testing

/// All suites here share one machine's clock: one at a time.
@Suite(.serialized, .enabled(if: Python.isUsable, "needs Python with deltalake and duckdb"))
enum ExactlyOnceTests {}

extension ExactlyOnceTests {
    @Suite(.serialized)
    struct KillLoopTests {
        @Test func anUninterruptedRunIsRight() throws {
            let scenario = try Scenario(events: 24_000, rate: 8_000)
            let ending = try scenario.start().end()
            try #require(ending.status == 0, "\(ending)")
            try expectRight(scenario, ending)
            let names = FailpointLog(scenario.log).names
            for name in KillLoopTests.places {
                #expect(names.contains(name), "never at \(name)")
            }
            let unknown = names.subtracting(CrashPlace.all.map(\.failpoint))
            #expect(unknown.isEmpty, "places that no test kills at")
        }

        /// Some that no run gets around: the matrix kills at each there is.
        static let places = [
            "state.identity.written", "start.offsets_written", "start.running", "barrier.passed",
            "checkpoint.written", "intent.offered", "commit.begin", "delta.after_commit",
            "commit.done",
        ]
        static let atEnd = ["run.final_checkpoint", "run.before_trims"]

        @Test(arguments: KillLoopTests.atEnd)
        func aBoundedRunKilledAtItsEndIsFinishedByTheNextStart(_ name: String) throws {
            let scenario = try Scenario(events: 4_000, rate: 8_000)
            try die(scenario, at: name)
            try die(scenario, at: "start.markers_read")
            let ending = try scenario.start().end()
            try expectRight(scenario, ending)
            // And nothing is left to do after that.
            #expect(try scenario.start().end().status == 2)
        }

        /// The second time with next to no memory for state: every clean key is evicted, and read
        /// back by a process that has loaded nothing.
        @Test(arguments: [nil, "1B"])
        func killsAtRandomMoments(_ memory: String?) throws {
            let scenario = try Scenario(events: 48_000, rate: 4_000)
            let arguments = memory.map { ["--set", "state_memory=\($0)"] } ?? []
            var dice = Dice(seed: 11)
            var ending: Ending?
            for _ in 0..<14 where ending == nil {
                let run = try scenario.start(arguments: arguments)
                usleep(UInt32(dice.roll(150...1_000)) * 1_000)
                run.signal(SIGKILL)
                let end = try run.end()
                if end.wasKilled { scenario.note(isRandom: true) } else { ending = end }
            }
            let last = try ending ?? scenario.start(arguments: arguments).end()
            KillLoopTests.show(scenario)
            try expectRight(scenario, last)
            #expect(scenario.falls.count >= 8)
        }

        private func die(_ scenario: Scenario, at name: String) throws {
            let ending = try scenario.start(failpoint: name).end()
            try #require(ending.wasKilled, "\(name) was never reached: \(ending)")
            scenario.note(isRandom: false)
        }

        private func expectRight(_ scenario: Scenario, _ ending: Ending) throws {
            // The kill fell behind the end: the last checkpoint had noted all that the sinks took.
            if ending.status == 2, ending.errors.contains("has ended") {
                #expect(try scenario.differences() == [], "\(scenario.falls)")
                return
            }
            try #require(ending.status == 0, "\(ending)")
            let report = try ending.report()
            #expect(report["conserved"] as? Bool == true, "\(ending)")
            #expect((report["open"] as? [Any])?.isEmpty == true, "\(ending)")
            let late = try #require(report["late"] as? Int)
            let differences = try scenario.differences(lateRows: late)
            #expect(differences == [], "\(scenario.falls)")
        }

        static func show(_ scenario: Scenario) {
            for (number, fall) in scenario.falls.enumerated() {
                print("kill \(number + 1): \(fall)")
            }
        }
    }
}
