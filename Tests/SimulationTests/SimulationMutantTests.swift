// Rules broken on purpose: the simulation finds each within so many seeds, and makes what it finds
// small.

import Environment
import Foundation
import TestKit
import Testing

@Suite struct SimulationMutantTests {
    /// Seeds from 1 within which each broken rule must show; what it takes today is a third of it.
    private static let seeds: [(mutant: Mutant, count: Int)] = [
        (.skipIntent, 60), (.commitBeforeWrite, 60), (.skipMarkerLookup, 20), (.rereadRecord, 10),
        (.lateByMinimum, 10), (.dropRetraction, 10), (.restoreElsewhere, 10), (.forgetTimers, 60),
        (.skipSecondRead, 60), (.trimEarly, 10), (.markerNotBelow, 60), (.skipFingerprint, 60),
        (.eagerCleanup, 100), (.unsyncedFile, 10),
    ]

    @Test func eachBrokenRuleIsFound() throws {
        for (mutant, count) in Self.seeds {
            let run = try SimulateCommand([
                "--seeds", String(count), "--mutant", mutant.rawValue, "--first", "--no-shrink",
            ])
            #expect(run.status == 1, "\(mutant): \(run.output.suffix(500))")
            #expect(run.replay != nil, "\(mutant): \(run.output.suffix(500))")
        }
    }

    /// The line that is printed replays the failure, and most of the input is gone.
    @Test func aFailureIsShrunkToALineThatReplaysIt() throws {
        let mutant = ["--mutant", Mutant.dropRetraction.rawValue]
        let found = try SimulateCommand(["--seeds", "10", "--first"] + mutant)
        let replay = try #require(found.replay)
        let again = try SimulateCommand(replay + ["--no-shrink"])
        #expect(again.status == 1)
        let place = try #require(replay.firstIndex(of: "--cut"))
        let cuts = try #require(HistoryCuts(parsing: replay[place + 1]))
        #expect(cuts.hazards.count > HistoryHazard.allCases.count / 2)
        #expect(cuts.records.reduce(0) { $0 + $1.range.count } > 200)
        // Without the broken rule the same history holds.
        let sound = replay.firstIndex(of: "--mutant").map { Array(replay[..<$0]) } ?? replay
        #expect(try SimulateCommand(sound).status == 0)
    }
}
