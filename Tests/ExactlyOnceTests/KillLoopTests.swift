// SIGKILL at every named place, again at the recovery from it, and at random moments: the tables
// come out as if nothing had happened.

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
            for name in KillLoopTests.places where !KillLoopTests.sometimes.contains(name) {
                #expect(names.contains(name), "never at \(name)")
            }
            let unknown = names.subtracting(KillLoopTests.places)
                .subtracting(KillLoopTests.unaimed)
            #expect(unknown.isEmpty, "places that no test kills at")
        }

        /// In the order of a run's life; those of the very first start and of the end by
        /// themselves.
        static let firstStart = [
            "state.identity.written", "state.format_written", "state.before_plan",
            "state.plan_accepted", "start.before_offsets", "start.offsets_written",
        ]
        static let atEnd = ["run.final_checkpoint", "run.before_trims"]
        static let everyStart = [
            "start.opened", "delta.read_marker", "start.markers_read", "start.resolved",
            "start.running",
        ]
        static let everyEpoch = [
            "epoch.begin", "barrier.begin", "delta.before_files_closed", "delta.data_file_synced",
            "delta.files_closed", "delta.files_durable", "barrier.passed",
            "checkpoint.before_write", "checkpoint.written", "intent.offered", "retain.begin",
            "retain.made", "retain.durable", "retain.removed", "checkpoint.group_offsets",
            "commit.begin", "delta.before_commit", "delta.before_link",
            "delta.after_link", "delta.after_commit", "commit.done",
        ]
        /// Every ten versions of a table.
        static let sometimes = ["delta.before_checkpoint", "delta.before_hint"]
        static var places: [String] { firstStart + everyStart + everyEpoch + sometimes + atEnd }
        /// Passed too, but places to fail at rather than to die at, or seen after a kill only.
        static let unaimed = [
            "checkpoint.write", "delta.sync_folder", "delta.sync_entry", "delta.sync_data_file",
            "file.sync", "start.open_intents",
        ]

        @Test func killsAtEveryPlaceAndInTheRecoveryFromIt() throws {
            // Those of the first start need a directory that is new.
            for name in KillLoopTests.firstStart {
                let scenario = try Scenario(events: 2_000, rate: 8_000)
                try die(scenario, at: name)
                let ending = try scenario.start().end()
                try expectRight(scenario, ending)
            }
            var aims = KillLoopTests.everyStart.map { ($0, "\($0)") }
            aims += KillLoopTests.everyEpoch.map { ($0, "\($0)@3") }
            aims += KillLoopTests.sometimes.map { ($0, "\($0)") }
            aims += Scenario.tables.flatMap { table in
                [
                    ("delta.before_commit", "delta.before_commit:\(table)"),
                    ("delta.after_commit", "delta.after_commit:\(table)@2"),
                ]
            }
            var rounds = 0
            while !aims.isEmpty {
                rounds += 1
                try #require(rounds <= 6, "never reached: \(aims.map(\.1))")
                let scenario = try Scenario(events: 60_000, rate: 4_000)
                var ending: Ending?
                while ending == nil, let (name, trigger) = aims.first {
                    // The second of them is a recovery's: it dies at its first pass.
                    for aim in [trigger, name] where ending == nil {
                        let end = try scenario.start(failpoint: aim).end()
                        if end.wasKilled { scenario.note(isRandom: false) } else { ending = end }
                    }
                    if ending == nil || ending?.status != 0 { aims.removeFirst() }
                }
                let last = try ending ?? scenario.start().end()
                KillLoopTests.show(scenario)
                try expectRight(scenario, last)
                try #require(!scenario.falls.isEmpty, "a run that no kill could stop")
            }
        }

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
