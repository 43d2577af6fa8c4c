// Random histories against the naive reference: fixed seeds here, any number by scripts/simulate.

import Foundation
import TestKit
import Testing

@Suite struct SimulationTests {
    /// `MILLRACE_SEEDS=first-last`, or the 20 of every push.
    private static let seeds: ClosedRange<UInt64> = {
        let text = ProcessInfo.processInfo.environment["MILLRACE_SEEDS"] ?? "1-20"
        let ends = text.split(separator: "-").compactMap { UInt64($0) }
        return (ends.first ?? 1)...(ends.last ?? 20)
    }()

    @Test func historiesEqualTheReference() {
        var features: [HistoryFeature: Int] = [:]
        for seed in Self.seeds {
            let result = History(seed: seed).run()
            if Self.seeds.count > 50 { FileHandle.standardError.write(Data("\(seed) ".utf8)) }
            for feature in result.features { features[feature, default: 0] += 1 }
            #expect(result.differences.isEmpty, "\(report(result))")
        }
        let counts = HistoryFeature.allCases.map { "\($0.rawValue) \(features[$0] ?? 0)" }
        print("of \(Self.seeds.count) histories: \(counts.joined(separator: ", "))")
        if Self.seeds.count >= 100 {
            for feature in HistoryFeature.allCases {
                #expect(features[feature, default: 0] > 0, "no history had \(feature)")
            }
        }
    }

    @Test(arguments: [3, 7, 11] as [UInt64]) func aSeedReplaysEffectByEffect(seed: UInt64) {
        let (first, second) = (History(seed: seed).run(), History(seed: seed).run())
        #expect(first.trace == second.trace)
        #expect(first.strikes == second.strikes)
    }

    private func report(_ result: HistoryResult) -> String {
        """
        seed \(result.seed); replay: scripts/simulate --seed \(result.seed)
        \(result.differences.joined(separator: "\n"))
        struck: \(result.strikes.joined(separator: "; "))
        \(result.sql)
        """
    }
}
