import Contracts
import Environment
import Foundation
import Progress
import RocksState
import State
import Testing

/// A folder that goes with the test.
private func withFolder(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("millrace-state-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}

private func epoch(
    _ directory: StateDirectory, _ number: UInt64, deltas: [StateDelta] = [],
    offsets: [PartitionOffset] = [], intents: [Intent] = [], trims: [TargetID: Marker] = [:]
) -> EpochWrite {
    EpochWrite(
        record: EpochRecord(
            marker: directory.identity.marker(epoch: number), writtenAt: 1, minima: [7: 42],
            counters: ["bids.in": 3], hasEnded: false, byteCount: 0, outputRows: 0),
        offsets: offsets, deltas: deltas, intents: intents, trims: trims, historyLimit: 3)
}

@Suite struct StateDirectoryTests {
    @Test func identityStaysAndIncarnationChanges() throws {
        try withFolder { path in
            let first = try StateDirectory.open(path: path, entropy: .system).identity
            let second = try StateDirectory.open(path: path, entropy: .system).identity
            #expect(first.pipelineID == second.pipelineID)
            #expect(first.generation == 1 && second.generation == 1)
            #expect(first.incarnation != second.incarnation)
        }
    }

    @Test func secondOpenerIsFenced() throws {
        try withFolder { path in
            let held = try StateDirectory.open(path: path, entropy: .system)
            let failure = #expect(throws: Failure.self) {
                try StateDirectory.open(path: path, entropy: .system)
            }
            #expect(failure?.kind == .fenced)
            #expect(failure?.code == "state.in_use")
            #expect(held.identity.generation == 1)
        }
    }

    @Test func anEpochComesBackWhole() throws {
        try withFolder { path in
            let offset = PartitionOffset(
                source: "bids", partition: "3", next: 17,
                fingerprint: .init(offset: 16, timestamp: 5, hash: 99), highestTime: -4, end: 20)
            var marker = Marker.none
            do {
                let directory = try StateDirectory.open(path: path, entropy: .system)
                marker = directory.identity.marker(epoch: 1)
                var delta = StateDelta(operatorID: 7)
                delta.put(group: 5, key: [2], value: [20])
                delta.put(group: 5, key: [1], value: [10])
                let intent = Intent(
                    target: 11, marker: marker, offsets: [offset], parts: [[1, 2], [3]])
                _ = try directory.write(
                    epoch(directory, 1, deltas: [delta], offsets: [offset], intents: [intent]))
            }
            let directory = try StateDirectory.open(path: path, entropy: .system)
            #expect(try directory.currentEpoch()?.marker == marker)
            #expect(try directory.currentEpoch()?.minima == [7: 42])
            #expect(try directory.offsets() == [offset])
            let intents = try directory.openIntents(of: 11)
            #expect(intents.map(\.marker) == [marker])
            #expect(intents.map(\.byteCount) == [3])
            let whole = try directory.intent(of: 11, marker: marker)
            #expect(whole.parts == [[1, 2], [3]])
            #expect(whole.offsets == [offset])
            #expect(try directory.history(of: 11).open == [marker])
            var read: [[UInt8]] = []
            try directory.stateReader().forEach(operatorID: 7, group: 5) { key, value in
                read.append(key + value)
            }
            #expect(read == [[1, 10], [2, 20]])
        }
    }

    @Test func trimRemovesTakenIntentsOnly() throws {
        try withFolder { path in
            let directory = try StateDirectory.open(path: path, entropy: .system)
            let markers = (1...3).map { directory.identity.marker(epoch: $0) }
            for (index, marker) in markers.enumerated() {
                let intent = Intent(target: 4, marker: marker, offsets: [], parts: [[9]])
                _ = try directory.write(epoch(directory, UInt64(index + 1), intents: [intent]))
            }
            _ = try directory.write(epoch(directory, 4, trims: [4: markers[1]]))
            let history = try directory.history(of: 4)
            #expect(history.trimmed == markers[1])
            #expect(history.open == [markers[2]])
            #expect(try directory.history().map(\.marker.epoch) == [2, 3, 4])
        }
    }

    @Test func removedPrefixesGoBeforeEntriesAreWritten() throws {
        try withFolder { path in
            let directory = try StateDirectory.open(path: path, entropy: .system)
            var first = StateDelta(operatorID: 7)
            first.put(group: 0, key: [1, 1], value: [1])
            first.put(group: 0, key: [2, 1], value: [2])
            _ = try directory.write(epoch(directory, 1, deltas: [first]))
            var second = StateDelta(operatorID: 7)
            second.remove(group: 0, prefix: [1])
            second.put(group: 0, key: [1, 9], value: [3])
            _ = try directory.write(epoch(directory, 2, deltas: [second]))
            let reader = directory.stateReader()
            #expect(try reader.value(operatorID: 7, group: 0, key: [1, 1]) == nil)
            #expect(try reader.value(operatorID: 7, group: 0, key: [1, 9]) == [3])
            #expect(try reader.value(operatorID: 7, group: 0, key: [2, 1]) == [2])
        }
    }
}
