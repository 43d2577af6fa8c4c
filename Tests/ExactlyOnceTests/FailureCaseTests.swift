// The named cases of docs/failure-cases that need a whole process: what users of other engines met.

import Foundation
import Glibc
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized)
    struct FailureCaseTests {
        /// A run that died with all three intents written and no commit begun.
        private func diedBeforeItsCommits() throws -> Scenario {
            let scenario = try Scenario(events: 16_000, rate: 8_000)
            let death = try scenario.start(failpoint: "delta.before_commit:by_auction@2").end()
            try #require(death.wasKilled, "\(death)")
            return scenario
        }

        private func expectDone(_ scenario: Scenario, _ ending: Ending) throws {
            try #require(ending.status == 0, "\(ending)")
            #expect(try scenario.differences() == [])
        }

        private func copy(_ name: String, to other: String, in scenario: Scenario) throws {
            try FileManager.default.copyItem(
                atPath: scenario.folder.path(name), toPath: scenario.folder.path(other))
        }

        private func start(
            _ scenario: Scenario, state: String, _ more: [String] = []
        ) throws -> RunningCommand {
            try RunningCommand(
                ["run", "t.sql", "--bounded", "--state", state, "--workers", "2", "--json"] + more,
                in: scenario.folder.url)
        }

        @Test("F1: a crash between checkpoint and sink commit is committed at the restart")
        func committedAtTheRestart() throws {
            let scenario = try diedBeforeItsCommits()
            try expectDone(scenario, try scenario.start().end())
        }

        @Test("F2, F7: the commit landed, its answer was lost; another incarnation finds it")
        func aLostAnswerIsFound() throws {
            let scenario = try Scenario(events: 16_000, rate: 8_000)
            // The entry has its name, the folder's fsync fails: an unknown outcome ends the
            // process.
            let ending = try scenario.start(failpoint: "delta.sync_folder@4=error").end()
            try #require(ending.status == 1, "\(ending)")
            try expectDone(scenario, try scenario.start().end())
        }

        @Test("F3: a fresh directory on a filled table stops, names the choices, touches nothing")
        func aFreshDirectoryStops() throws {
            let scenario = try Scenario(events: 8_000, rate: 8_000)
            try expectDone(scenario, try scenario.start().end())
            let before = try logs(scenario)
            let second = try start(scenario, state: "fresh").end()
            #expect(second.status == 4, "\(second)")
            for choice in ["--adopt", "--beside", "restore"] {
                #expect(second.errors.contains(choice), "\(second)")
            }
            #expect(try logs(scenario) == before)
        }

        @Test("F3, F5: --beside appends on purpose, once, also when it is killed")
        func besideAppendsOnPurpose() throws {
            let scenario = try Scenario(events: 8_000, rate: 8_000)
            try expectDone(scenario, try scenario.start().end())
            let once = try rowCount("by_part", scenario)
            let killed = try RunningCommand(
                ["run", "t.sql", "--bounded", "--state", "fresh", "--beside"],
                in: scenario.folder.url, failpoint: "delta.after_commit:by_part"
            ).end()
            #expect(killed.wasKilled, "\(killed)")
            let ending = try start(scenario, state: "fresh", ["--beside"]).end()
            try #require(ending.status == 0, "\(ending)")
            #expect(try rowCount("by_part", scenario) == 2 * once)
        }

        @Test("F6, F20: the log entries of our commits are cleaned up; the marker outlives them")
        func theMarkerOutlivesTheLog() throws {
            let scenario = try diedBeforeItsCommits()
            for table in Scenario.tables {
                _ = try Python.run(
                    """
                    import deltalake, os, glob
                    path = sys.argv[1]
                    if os.path.exists(path + '/_delta_log'):
                        t = deltalake.DeltaTable(path)
                        t.create_checkpoint()
                        for entry in glob.glob(path + '/_delta_log/*.json'):
                            name = os.path.basename(entry)[:-5]
                            if name.isdigit() and int(name) <= t.version(): os.remove(entry)
                    """, [scenario.table(table)])
            }
            let ending = try scenario.start().end()
            try #require(ending.status == 0, "\(ending)")
            // The oracle's look at the log would miss the first versions: rows only.
            let faults = try scenario.differences().filter { !$0.contains(": versions ") }
            #expect(faults == [])
        }

        @Test("F6: a table that was restored to an older version is noticed before it is touched")
        func aRolledBackTableIsNoticed() throws {
            let scenario = try Scenario(events: 16_000, rate: 8_000)
            let death = try scenario.start().end()
            try #require(death.status == 0, "\(death)")
            // One commit and its marker vanish, as if storage had been restored from a backup.
            let log = scenario.table("by_part") + "/_delta_log"
            let entries = try FileManager.default.contentsOfDirectory(atPath: log)
                .filter { $0.hasSuffix(".json") && $0.first?.isNumber == true }.sorted()
            let newest = try #require(entries.last)
            for name in try FileManager.default.contentsOfDirectory(atPath: log)
            where name.hasPrefix("_last") || name.hasSuffix(".parquet") || name == newest {
                try FileManager.default.removeItem(atPath: log + "/" + name)
            }
            let ending = try scenario.start().end()
            #expect(ending.status == 4, "\(ending)")
        }

        @Test("F8: a copied state directory that has fallen behind is fenced and changes nothing")
        func aStaleCopyIsFenced() throws {
            let scenario = try diedBeforeItsCommits()
            try copy("state", to: "copy", in: scenario)
            try expectDone(scenario, try scenario.start().end())
            let before = try logs(scenario)
            let ending = try start(scenario, state: "copy").end()
            #expect(ending.status == 4, "\(ending)")
            #expect(ending.errors.contains("old copy"), "\(ending)")
            #expect(try logs(scenario) == before)
        }

        @Test("F8: two live copies cannot both go on, and the tables stay right")
        func twoLiveCopies() throws {
            let scenario = try diedBeforeItsCommits()
            try copy("state", to: "copy", in: scenario)
            let first = try start(scenario, state: "state")
            let second = try start(scenario, state: "copy")
            let endings = [try first.end(), try second.end()]
            #expect(endings.contains { $0.status == 4 }, "\(endings)")
            for table in Scenario.tables where endings.contains(where: { $0.status == 0 }) {
                #expect(try rowCount(table, scenario) > 0)
            }
            if endings.contains(where: { $0.status == 0 }) {
                #expect(try scenario.differences() == [])
            }
        }

        @Test("F18: another writer's append between our commits stays, and ours are whole")
        func anotherWritersAppendStays() throws {
            let scenario = try diedBeforeItsCommits()
            _ = try Python.run(
                """
                import deltalake, pyarrow as pa
                t = deltalake.DeltaTable(sys.argv[1])
                row = t.to_pyarrow_table().slice(0, 1)
                row = row.set_column(row.schema.get_field_index('price'), row.schema.field('price'),
                                     pa.array([-1], row.schema.field('price').type))
                deltalake.write_deltalake(t, row, mode='append')
                """, [scenario.table("by_part")])
            let ending = try scenario.start().end()
            try #require(ending.status == 0, "\(ending)")
            let faults = try scenario.differences()
            #expect(faults.count == 1 && faults[0].contains("0 missing, 1 extra"), "\(faults)")
        }

        @Test("F27: killed around the one write: state, offsets and intents go together")
        func theOneWriteIsWhole() throws {
            for place in ["checkpoint.before_write@4", "checkpoint.written@4"] {
                let scenario = try Scenario(events: 12_000, rate: 8_000)
                let death = try scenario.start(failpoint: place).end()
                try #require(death.wasKilled, "\(death)")
                try expectDone(scenario, try scenario.start().end())
            }
        }

        @Test("a failed sync is never retried: exit 1, and the next start learns from disk")
        func aFailedSyncEndsTheRun() throws {
            let scenario = try Scenario(events: 12_000, rate: 8_000)
            for place in ["delta.sync_data_file@2", "delta.sync_entry@2", "checkpoint.write@2"] {
                let ending = try scenario.start(failpoint: place + "=error").end()
                #expect(ending.status == 1, "\(place): \(ending)")
            }
            try expectDone(scenario, try scenario.start().end())
        }

        private func rowCount(_ table: String, _ scenario: Scenario) throws -> Int {
            let text = try Python.run(
                "import deltalake; print(deltalake.DeltaTable(sys.argv[1]).to_pyarrow_table().num_rows)",
                [scenario.table(table)])
            return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        }

        /// Names in all logs: what a process that must touch nothing leaves as it was.
        private func logs(_ scenario: Scenario) throws -> [[String]] {
            try Scenario.tables.map { table in
                try FileManager.default.contentsOfDirectory(
                    atPath: scenario.table(table) + "/_delta_log"
                ).sorted()
            }
        }
    }
}
