// The protocol broken on purpose, one rule at a time, at the place where that rule matters: the
// comparison must turn red, or it proves nothing. Each has its control: the same death, the rule
// kept.

import Foundation
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized)
    struct MutantTests {
        struct Breakage: Sendable, CustomTestStringConvertible {
            let mutant: String
            let failpoint: String
            /// Another writer compacts the table in between: a file added again is then doubled.
            var compacts = false
            var testDescription: String { mutant }
        }

        static let breakages = [
            Breakage(mutant: "skip-intent", failpoint: "delta.before_commit:by_part@4"),
            Breakage(mutant: "commit-before-write", failpoint: "delta.after_commit:by_part@3"),
            Breakage(
                mutant: "skip-marker-lookup", failpoint: "delta.after_commit:by_part@4",
                compacts: true),
        ]

        @Test(arguments: MutantTests.breakages)
        func aBrokenRuleIsNoticed(_ breakage: Breakage) throws {
            let broken = try faults(breakage, mutant: breakage.mutant)
            #expect(!broken.isEmpty, "\(breakage.mutant) went unnoticed")
            print("\(breakage.mutant): \(broken.joined(separator: "; "))")
        }

        @Test("F9: the same death with the rule kept, the table compacted in between: no file twice",
            arguments: MutantTests.breakages)
        func theSameDeathWithTheRuleKeptIsHarmless(_ breakage: Breakage) throws {
            let found = try faults(breakage, mutant: nil)
            #expect(found == [], "\(found)")
        }

        private func faults(_ breakage: Breakage, mutant: String?) throws -> [String] {
            let scenario = try Scenario(events: 20_000, rate: 8_000)
            let binary: Binary = mutant == nil ? .millrace : .mutant
            let death = try scenario.start(
                failpoint: breakage.failpoint, binary: binary, mutant: mutant
            ).end()
            try #require(death.wasKilled, "\(breakage.failpoint) was never reached: \(death)")
            if breakage.compacts {
                _ = try Python.run(
                    "import deltalake; deltalake.DeltaTable(sys.argv[1]).optimize.compact()",
                    [scenario.table("by_part")])
            }
            let ending = try scenario.start(binary: binary, mutant: mutant).end()
            guard ending.status == 0 else { return ["the next start ends with \(ending)"] }
            return try scenario.differences()
        }
    }
}
