// Random histories against the naive reference: fixed seeds here, any number by scripts/simulate.

import Environment
import TestKit
import Testing

@Suite struct SimulationTests {
    @Test func historiesEqualTheReference() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let result = History(seed: seed).run()
            let report = result.report(cuts: HistoryCuts(), mutant: nil)
            #expect(result.differences.isEmpty, "\(report)")
        }
    }

    /// In processes whose hash seeds differ; the log names each effect in order.
    @Test(arguments: [7, 11, 20]) func aSeedReplaysEffectByEffect(seed: Int) throws {
        let arguments = ["--seed", String(seed), "--log"]
        let (first, second) = (try SimulateCommand(arguments), try SimulateCommand(arguments))
        #expect(first.status == 0)
        #expect(first.output.split(separator: "\n").count > 20)
        #expect(first.output == second.output)
    }

    @Test func cutsAreWrittenAsTheyAreRead() throws {
        let text = "no-crash,no-foreign,q0,q2,f1,p3,r0.1.5-17,r2.0.0-60"
        #expect(try #require(HistoryCuts(parsing: text)).description == text)
        #expect(HistoryCuts(parsing: "") == HistoryCuts())
        for wrong in ["no-rain", "x1", "r1.2", "r0.0.9-3", "q"] {
            #expect(HistoryCuts(parsing: wrong) == nil)
        }
    }

    /// What is left out of a history changes nothing of what is left.
    @Test func aHistoryWithoutHazardsStillHolds() throws {
        let all = HistoryHazard.allCases.map { "no-\($0.rawValue)" }.joined(separator: ",")
        let cuts = try #require(HistoryCuts(parsing: all + ",f0,f1,f2"))
        let result = History(seed: 5, cuts: cuts).run()
        #expect(result.differences.isEmpty)
        #expect(result.strikes.isEmpty)
    }
}
