// Random histories against the naive reference: fixed seeds here, any number by scripts/simulate.

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

    @Test(arguments: [3, 7, 11] as [UInt64]) func aSeedReplaysEffectByEffect(seed: UInt64) {
        let (first, second) = (History(seed: seed).run(), History(seed: seed).run())
        #expect(first.trace == second.trace)
        #expect(first.strikes == second.strikes)
    }
}
