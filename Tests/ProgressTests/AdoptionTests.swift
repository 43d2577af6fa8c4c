import Contracts
import Progress
import Testing

private func offset(_ partition: String, _ next: Int64, source: String = "s") -> PartitionOffset {
    PartitionOffset(
        source: source, partition: partition, next: next, fingerprint: nil,
        highestTime: EventTime.never, end: nil)
}

private func filled(
    _ pipeline: String, _ generation: UInt64, _ epoch: UInt64, _ offsets: [PartitionOffset],
    same: Bool = true
) -> FilledTarget {
    FilledTarget(
        pipelineID: pipeline,
        marker: Marker(generation: generation, epoch: epoch, incarnation: 9), offsets: offsets,
        isSameOutput: same)
}

private func target(_ id: TargetID, _ filled: FilledTarget...) -> Adoption.Target {
    Adoption.Target(id: id, name: "output \(id)", filled: filled)
}

/// `--adopt` of design.md §3.8, as the protocol's model has it: per output marker and offset, next
/// generation, reading on from the smallest.
@Suite struct AdoptionTests {
    @Test func outputsAtDifferentEpochsAreReadFromTheSmallestOffset() throws {
        let adoption = try #require(
            try Adoption(
                of: [
                    target(1, filled("p", 1, 4, [offset("0", 40), offset("1", 10)])),
                    target(2, filled("p", 3, 2, [offset("0", 20), offset("1", 30)])),
                ], sources: ["s": false]))
        #expect(adoption.pipelineID == "p")
        #expect(adoption.generation == 4)
        #expect(adoption.start.map(\.next) == [20, 10])
        #expect(adoption.taken[1]?.marker.epoch == 4)

        let floors = try #require(
            AdoptionFloors(adoption.taken.mapValues(\.offsets), above: adoption.start))
        let first = PartitionKey(source: "s", partition: "0")
        #expect(floors.floors(of: first) == [40])
        #expect(floors.targets(having: 39, of: first) == [1])
        #expect(floors.targets(having: 40, of: first) == [])
        #expect(floors.targets(having: 29, of: .init(source: "s", partition: "1")) == [2])
        // Once all is read there is nothing left to drop.
        #expect(
            AdoptionFloors(
                adoption.taken.mapValues(\.offsets), above: [offset("0", 40), offset("1", 30)])
                == nil)
    }

    @Test func aPartitionThatOneOutputDoesNotKnowBeginsWhereItsSourceSays() throws {
        let adoption = try #require(
            try Adoption(
                of: [
                    target(1, filled("p", 1, 4, [offset("0", 40), offset("1", 10)])),
                    target(2, filled("p", 1, 2, [offset("0", 20)])), target(3),
                ], sources: ["s": false]))
        #expect(adoption.start == [])
        #expect(adoption.taken[3] == nil)
    }

    @Test func whatHasNoBeginningIsRefused() {
        #expect(throws: Failure.self) {
            try Adoption(
                of: [target(1, filled("p", 1, 4, [offset("0", 40)])), target(2)],
                sources: ["s": true])
        }
    }

    @Test func startLatestIsFineWhereEveryOutputKnowsEveryPartition() throws {
        let adoption = try Adoption(
            of: [target(1, filled("p", 1, 4, [offset("0", 40)]))], sources: ["s": true])
        #expect(adoption?.start.map(\.next) == [40])
    }

    @Test func nobodyToAdoptFrom() throws {
        #expect(try Adoption(of: [target(1), target(2)], sources: ["s": false]) == nil)
        // Records of pipelines with other outputs are no reason.
        let other = filled("q", 1, 1, [offset("0", 1)], same: false)
        #expect(try Adoption(of: [target(1, other)], sources: ["s": false]) == nil)
    }

    @Test func theOneThatFilledAllOfThemIsMeant() throws {
        let old = filled("old", 1, 9, [offset("0", 90)])
        let adoption = try Adoption(
            of: [
                target(1, filled("p", 1, 4, [offset("0", 40)])),
                target(2, old, filled("p", 1, 4, [offset("0", 40)])),
            ], sources: ["s": false])
        #expect(adoption?.pipelineID == "p")
    }

    @Test func severalPipelinesAreRefusedByName() {
        let failure = #expect(throws: Failure.self) {
            try Adoption(
                of: [
                    target(1, filled("p", 1, 4, [offset("0", 40)])),
                    target(2, filled("q", 1, 4, [offset("0", 40)])),
                ], sources: ["s": false])
        }
        #expect(failure?.code == "adopt.several")
        #expect(failure?.message.contains("p, q") == true)
    }

    @Test func aSourceThatIsGoneAndASeriesOfFilesAreRefused() {
        let gone = #expect(throws: Failure.self) {
            try Adoption(
                of: [target(1, filled("p", 1, 4, [offset("0", 40)]))], sources: ["t": false])
        }
        #expect(gone?.code == "adopt.source")
        let series = #expect(throws: Failure.self) {
            try Adoption(
                of: [target(1, filled("p", 1, 4, [offset("in", -1)]))], sources: ["s": false])
        }
        #expect(series?.code == "adopt.series")
    }

    @Test func aMarkerThatMovedSaysAdoptAgain() {
        let taken = Marker(generation: 1, epoch: 4, incarnation: 9)
        let history = TargetHistory(target: 1, trimmed: taken, adopted: taken)
        let moved = Marker(generation: 1, epoch: 5, incarnation: 9)
        #expect(history.judge(taken) == .known(landed: 0))
        #expect(history.judge(moved) == .stale)
        let failure = history.stale("t", found: moved, code: "x")
        #expect(failure.kind == .fenced)
        #expect(failure.hint?.contains("adopt again") == true)
    }
}
