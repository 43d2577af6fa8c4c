// `millrace checkpoint rewind` (design.md §3.9) on three tables, one of them updated: killed at each
// of its steps and in the run after it, twice, the tables come out as if nothing had happened.

import Foundation
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized)
    struct RewindTests {
        /// A pipeline that was killed in its middle.
        private final class Rewound {
            let scenario: Scenario
            private(set) var target: Int

            init() throws {
                scenario = try Scenario(events: 10_000, rate: 4_000)
                target = 0
                let death = try scenario.start(
                    failpoint: "checkpoint.written@12", arguments: Rewound.history
                ).end()
                try #require(death.wasKilled, "\(death)")
                target = try #require(try kept().first)
            }

            static let history = ["--set", "checkpoint_history=8"]

            /// Epochs that can be gone back to.
            func kept() throws -> [Int] {
                let ending = try RunningCommand(
                    ["checkpoint", "list", "--state", "state", "--json"], in: scenario.folder.url
                ).end()
                let all = try ending.report()["checkpoints"] as? [[String: Any]] ?? []
                return all.filter { $0["kept"] as? Bool == true }.compactMap { $0["epoch"] as? Int }
            }

            func rewind(
                to epoch: Int? = nil, failpoint: String? = nil, _ more: [String] = []
            ) throws -> Ending {
                try RunningCommand(
                    ["checkpoint", "rewind", "t.sql", "--state", "state", "--to",
                        String(epoch ?? target)] + more,
                    in: scenario.folder.url, failpoint: failpoint
                ).end()
            }

            func run(failpoint: String? = nil) throws -> Ending {
                try scenario.start(failpoint: failpoint, arguments: Rewound.history).end()
            }

            /// Runs to the end; what is wrong with the tables then.
            func faults() throws -> [String] {
                let ending = try run()
                // The second kill fell behind the end.
                if ending.status == 2, ending.errors.contains("has ended") {
                    return try scenario.differences()
                }
                guard ending.status == 0 else { return ["\(ending)"] }
                let report = try ending.report()
                guard report["conserved"] as? Bool == true else { return ["not conserved"] }
                return try scenario.differences(lateRows: report["late"] as? Int)
            }

            func restores() throws -> [String] {
                try Python.lines(
                    """
                    import glob, json, sys
                    for name in ('by_window', 'by_auction', 'by_part'):
                        for entry in sorted(glob.glob(sys.argv[1] + '/' + name + '/_delta_log/*.json')):
                            for line in open(entry):
                                info = json.loads(line).get('commitInfo', {})
                                if info.get('operation') == 'RESTORE': print(name)
                    """, [scenario.folder.url.path])
            }
        }

        @Test("F4: rewind, killed before it has caught up, started again: exact")
        func killedBeforeCatchingUp() throws {
            let pipeline = try Rewound()
            let told = try pipeline.rewind()
            try #require(told.status == 0, "\(told)")
            #expect(told.output.contains("generation 2"), "\(told)")
            #expect(try pipeline.kept().max() ?? .max <= pipeline.target)
            let death = try pipeline.run(failpoint: "checkpoint.written@3")
            try #require(death.wasKilled, "\(death)")
            let faults = try pipeline.faults()
            #expect(faults == [], "\(faults)")
            #expect(try Set(pipeline.restores()) == ["by_window", "by_auction", "by_part"])
        }

        static let steps = [
            "rewind.copied", "rewind.written", "rewind.before_ready", "rewind.ready",
            "rewind.aside", "rewind.in_place", "rewind.future_forgotten", "rewind.done",
        ]

        /// All in one history: each step kills the command, the next start goes on from there.
        @Test func killedAtEachStepOfTheCommand() throws {
            let pipeline = try Rewound()
            var generation = 1
            for step in RewindTests.steps {
                let target = try #require(try pipeline.kept().last)
                let death = try pipeline.rewind(to: target, failpoint: step)
                try #require(death.wasKilled, "never at \(step): \(death)")
                // Decided: a start finishes it, and is killed again while it does.
                if RewindTests.steps.firstIndex(of: step) ?? 0 >= 3 {
                    generation += 1
                    let second = try pipeline.run(failpoint: "rewind.done,checkpoint.written@2")
                    try #require(second.wasKilled, "\(step): \(second)")
                }
                let list = try RunningCommand(
                    ["checkpoint", "list", "--state", "state", "--json"],
                    in: pipeline.scenario.folder.url
                ).end()
                #expect(try list.report()["generation"] as? Int == generation, "\(step): \(list)")
            }
            let faults = try pipeline.faults()
            #expect(faults == [], "\(faults)")
        }

        @Test(
            "the run that brings the tables back is killed, twice",
            arguments: [
                "delta.before_restore:by_window", "delta.before_link", "delta.restored:by_part",
                "delta.restored:by_auction", "commit.done",
            ])
        func killedWhileRestoring(_ place: String) throws {
            let pipeline = try Rewound()
            let told = try pipeline.rewind()
            try #require(told.status == 0, "\(told)")
            for _ in 0..<2 {
                let death = try pipeline.run(failpoint: place)
                // What has landed by the first death is not done again by the second.
                if !death.wasKilled { #expect(death.status == 0, "\(death)") }
            }
            let faults = try pipeline.faults()
            #expect(faults == [], "\(place): \(faults)")
        }

        /// A second rewind while the first one's restore waits, or after it.
        @Test(arguments: [false, true])
        func rewoundAgain(_ restored: Bool) throws {
            let pipeline = try Rewound()
            let kept = try pipeline.kept()
            try #require(kept.count > 4, "\(kept)")
            let first = try pipeline.rewind(to: kept[4])
            try #require(first.status == 0, "\(first)")
            if restored {
                let death = try pipeline.run(failpoint: "checkpoint.written@5")
                try #require(death.wasKilled, "\(death)")
            }
            let oldest = try #require(try pipeline.kept().first { $0 <= kept[4] })
            let second = try pipeline.rewind(to: oldest)
            try #require(second.status == 0, "\(second)")
            let faults = try pipeline.faults()
            #expect(faults == [], "\(faults)")
        }

        /// A copy that was left behind must not take anything back, nor go on.
        @Test func aStaleCopyIsRefused() throws {
            let pipeline = try Rewound()
            let folder = pipeline.scenario.folder
            try FileManager.default.copyItem(
                atPath: folder.path("state"), toPath: folder.path("copy"))
            let told = try pipeline.rewind()
            try #require(told.status == 0, "\(told)")
            let faults = try pipeline.faults()
            #expect(faults == [], "\(faults)")
            let stale = try RunningCommand(
                ["checkpoint", "rewind", "t.sql", "--state", "copy", "--to",
                    String(pipeline.target)], in: folder.url
            ).end()
            #expect(stale.status == 4, "\(stale)")
            let zombie = try RunningCommand(
                ["run", "t.sql", "--bounded", "--state", "copy"], in: folder.url
            ).end()
            #expect(zombie.status == 4, "\(zombie)")
            #expect(try pipeline.scenario.differences() == [])
        }

        @Test func whatOthersDidToATableStays() throws {
            let pipeline = try Rewound()
            // One appends, then somebody compacts rows that go with rows that stay.
            _ = try Python.run(
                """
                import deltalake, pyarrow as pa
                t = deltalake.DeltaTable(sys.argv[1])
                rows = t.to_pyarrow_table().slice(0, 3).set_column(
                    0, 'auction', pa.array([-1, -2, -3], pa.int64()))
                deltalake.write_deltalake(t, rows.cast(t.to_pyarrow_table().schema), mode='append')
                deltalake.DeltaTable(sys.argv[1]).optimize.compact()
                """, [pipeline.scenario.table("by_part")])
            let told = try pipeline.rewind()
            try #require(told.status == 0, "\(told)")
            let ending = try pipeline.run()
            try #require(ending.status == 0, "\(ending)")
            let others = try Python.lines(
                """
                import deltalake
                a = deltalake.DeltaTable(sys.argv[1]).to_pyarrow_table()['auction'].to_pylist()
                print(sum(1 for x in a if x < 0))
                """, [pipeline.scenario.table("by_part")])
            #expect(others == ["3"])
            let faults = try pipeline.scenario.differences()
            #expect(faults.allSatisfy { $0.contains("0 missing, 3 extra") }, "\(faults)")
            #expect(faults.count == 1)
        }

        @Test func whatIsNotKeptIsRefusedWithWhatIs() throws {
            let pipeline = try Rewound()
            let told = try pipeline.rewind(to: 1)
            #expect(told.status == 2, "\(told)")
            #expect(told.errors.contains("kept are"), "\(told)")
            let faults = try pipeline.faults()
            #expect(faults == [], "\(faults)")
        }
    }
}
