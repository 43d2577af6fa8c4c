// Signals, the lock, and the end of a bounded run, as dialect.md §6 has them.

import Foundation
import Glibc
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized)
    struct SignalTests {
        private func running(_ scenario: Scenario) throws -> RunningCommand {
            let run = try scenario.start()
            let deadline = Date.now.addingTimeInterval(60)
            while !FailpointLog(scenario.log).names.contains("commit.done"), Date.now < deadline {
                usleep(20_000)
            }
            try #require(run.isRunning)
            return run
        }

        @Test func aSecondProcessOnTheStateDirectoryEndsWith4() throws {
            let scenario = try Scenario(events: 80_000, rate: 4_000)
            let first = try running(scenario)
            let begun = Date.now
            let second = try RunningCommand(scenario.arguments, in: scenario.folder.url).end()
            #expect(second.status == 4, "\(second)")
            #expect(Date.now.timeIntervalSince(begun) < 10)
            #expect(second.errors.contains("in use"), "\(second)")
            first.signal(SIGTERM)
            #expect(try first.end().status == 0)
        }

        @Test(arguments: [SIGTERM, SIGINT])
        func aSignalTakesAFinalCheckpointAndTheNextStartGoesOn(_ number: Int32) throws {
            let scenario = try Scenario(events: 24_000, rate: 4_000)
            let run = try running(scenario)
            let begun = Date.now
            run.signal(number)
            let ending = try run.end()
            #expect(ending.status == 0, "\(ending)")
            #expect(Date.now.timeIntervalSince(begun) < 10)
            #expect((try ending.report()["open"] as? [Any])?.isEmpty == true, "\(ending)")
            #expect(FailpointLog(scenario.log).names.contains("run.final_checkpoint"))
            let last = try scenario.start().end()
            try #require(last.status == 0, "\(last)")
            #expect(!FailpointLog(scenario.log).names.contains("start.open_intents"))
            #expect(try scenario.differences() == [])
        }

        @Test(arguments: [(SIGTERM, Int32(143)), (SIGINT, Int32(130))])
        func aSecondSignalEndsAtOnceAndLosesNothing(_ number: Int32, _ status: Int32) throws {
            let scenario = try Scenario(events: 16_000, rate: 4_000)
            let run = try running(scenario)
            // Both are blocked and taken one after the other: the second must find the first taken.
            run.signal(number)
            var ending: Ending?
            while ending == nil {
                run.signal(number)
                if !run.isRunning { ending = try run.end() }
            }
            #expect(ending?.status == status, "\(ending as Any)")
            let last = try scenario.start().end()
            try #require(last.status == 0, "\(last)")
            #expect(try scenario.differences() == [])
        }

        @Test(arguments: [(SIGTERM, Int32(143)), (SIGINT, Int32(130))])
        func aQueryThatIsStoppedHasNoResult(_ number: Int32, _ status: Int32) throws {
            let folder = try TemporaryFolder()
            try """
            CREATE TABLE bids (auction bigint, price bigint) USING nexmark WITH (events = 500000000);
            """.write(
                to: folder.url.appending(path: "q.sql"), atomically: true, encoding: .utf8)
            let log = folder.url.appending(path: "passed")
            let query = try RunningCommand(
                ["query", "q.sql", "SELECT auction, price FROM bids WHERE price < 0"],
                in: folder.url, log: log)
            let deadline = Date.now.addingTimeInterval(60)
            while !FailpointLog(log).names.contains("start.running"), Date.now < deadline {
                usleep(20_000)
            }
            let begun = Date.now
            query.signal(number)
            let ending = try query.end()
            #expect(ending.status == status, "\(ending)")
            #expect(Date.now.timeIntervalSince(begun) < 2)
            #expect(ending.output.isEmpty, "\(ending)")
            #expect(ending.errors.contains("stopped"), "\(ending)")
        }
    }
}
