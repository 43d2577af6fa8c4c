import Contracts
import Environment
import Foundation
import Progress
import RocksState
import State
import Testing

/// A state directory that goes with the test.
private final class Folder {
    let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("millrace-retained-\(UUID().uuidString)").path

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func open() throws -> StateDirectory { try StateDirectory.open(path: path, entropy: .system) }

    /// Epochs with state, an offset and an intent each, kept as the runtime keeps them.
    func write(
        _ directory: StateDirectory, _ epochs: ClosedRange<UInt64>, keeping limit: Int = 3,
        trims: [TargetID: Marker] = [:]
    ) throws {
        for number in epochs {
            let marker = directory.identity.marker(epoch: number)
            var delta = StateDelta(operatorID: 7)
            delta.put(
                group: 5, key: [UInt8(number)],
                value: [RowCodec.version] + Array(repeating: UInt8(number), count: 300))
            let offset = PartitionOffset(
                source: "s", partition: "0", next: Int64(number) * 10, fingerprint: nil,
                highestTime: 1, end: nil)
            _ = try directory.write(
                EpochWrite(
                    record: EpochRecord(
                        marker: marker, writtenAt: 1, minima: [7: 42], counters: [:],
                        hasEnded: false, byteCount: 0, outputRows: 1),
                    offsets: [offset], deltas: [delta],
                    intents: [
                        Intent(target: 4, marker: marker, offsets: [offset], parts: [[1], [2]])
                    ],
                    trims: number == epochs.lowerBound ? trims : [:], historyLimit: limit))
            try directory.retain(keeping: limit)
        }
    }

    var kept: [String] { StateDirectory.retained(in: path).map(\.name) }

    func kept(_ epoch: UInt64) throws -> RetainedCheckpoint {
        try #require(StateDirectory.retained(in: path).first { $0.epoch == epoch })
    }
}

@Suite struct RetainedCheckpointTests {
    @Test func theLastOnesAreKeptAndEachIsExactlyItsEpoch() throws {
        let folder = Folder()
        let directory = try folder.open()
        try folder.write(directory, 1...12)
        #expect(folder.kept == ["1-10", "1-11", "1-12"])
        let old = try StateDirectory.inspect(try folder.kept(10))
        #expect(try old.currentEpoch()?.marker.epoch == 10)
        #expect(try old.offsets().map(\.next) == [100])
        #expect(try old.history(of: 4).open.map(\.epoch) == Array(1...10))
        #expect(try old.stateReader().value(operatorID: 7, group: 5, key: [11]) == nil)
        #expect(try old.stateReader().value(operatorID: 7, group: 5, key: [10]) != nil)
        try folder.write(directory, 13...13, keeping: 2)
        #expect(folder.kept == ["1-12", "1-13"])
        for name in folder.kept {
            let checkpoint = try folder.kept(try #require(UInt64(name.dropFirst(2))))
            #expect(try StoreExamination(checkpoint).entryCount > 10)
        }
    }

    @Test func whatACrashLeftHalfMadeGoes() throws {
        let folder = Folder()
        do { try folder.write(try folder.open(), 1...2) }
        for name in ["1-3.tmp", "1-0.gone"] {
            try LocalFiles.makeFolder("\(folder.path)/checkpoints/\(name)")
            try Data([1]).write(to: URL(filePath: "\(folder.path)/checkpoints/\(name)/x.sst"))
        }
        _ = try folder.open()
        #expect(LocalFiles.list(folder.path + "/checkpoints") == ["1-1", "1-2"])
    }

    @Test func aRewindGoesBackAndKnowsWhatItLeft() throws {
        let folder = Folder()
        var old = Identity(pipelineID: "", generation: 0, incarnation: 0)
        do {
            let directory = try folder.open()
            old = directory.identity
            try folder.write(directory, 1...6, keeping: 4)
            try folder.write(directory, 7...8, keeping: 6, trims: [4: old.marker(epoch: 5)])
            let next = try directory.rewind(to: try folder.kept(4))
            #expect(next.generation == 2 && next.pipelineID == old.pipelineID)
        }
        try StateDirectory.settle(folder.path)
        #expect(folder.kept == ["1-3", "1-4"])
        let directory = try folder.open()
        #expect(directory.identity.generation == 2)
        #expect(directory.identity.pipelineID == old.pipelineID)
        #expect(try directory.currentEpoch()?.marker == old.marker(epoch: 4))
        #expect(try directory.offsets().map(\.next) == [40])
        let history = try directory.history(of: 4)
        #expect(history.open.map(\.epoch) == [1, 2, 3, 4, 4])
        #expect(history.open.map(\.generation) == [1, 1, 1, 1, 2])
        #expect(history.dropped == (5...8).map { old.marker(epoch: $0) })
        let restore = try directory.intent(of: 4, marker: try #require(history.open.last))
        #expect(restore.restores == old.marker(epoch: 4))
        #expect(restore.offsets.map(\.next) == [40])
        // The sink holds a dropped epoch: what was open below has landed, the restore has not.
        #expect(history.judge(old.marker(epoch: 7)) == .known(landed: 4))
        #expect(history.judge(old.marker(epoch: 2)) == .known(landed: 2))
        #expect(history.judge(Marker(generation: 1, epoch: 9, incarnation: 3)) == .stale)
        // Files of the process before the rewind may lie about up to the epoch it was in.
        let before = try #require(
            directory.leftovers.first { $0.incarnation == old.incarnation })
        #expect(before.epochs.upperBound == 9)
        // Taken: the dropped names are forgotten, a sink that shows one was rolled back.
        try directory.write(trims: [4: restore.marker])
        let taken = try directory.history(of: 4)
        #expect(taken.open.isEmpty && taken.dropped.isEmpty)
        #expect(taken.judge(old.marker(epoch: 7)) == .stale)
    }

    @Test func aRewindIsFinishedByTheNextStartWhereverItStopped() throws {
        for step in 0..<4 {
            let folder = Folder()
            do {
                let directory = try folder.open()
                try folder.write(directory, 1...5)
                _ = try directory.rewind(to: try folder.kept(3))
            }
            try StateDirectory.settle(folder.path)
            // Back to each state between the renames.
            func move(_ from: String, _ to: String) throws {
                try LocalFiles.rename("\(folder.path)/\(from)", to: "\(folder.path)/\(to)")
            }
            if step >= 1 { try LocalFiles.makeFolder(folder.path + "/rewind.replaced") }
            if step >= 2 { try move("db", "rewind.ready") }
            if step >= 3 {
                try LocalFiles.removeFolder(folder.path + "/rewind.replaced")
                try LocalFiles.makeFolder(folder.path + "/db")
            }
            #expect(try StateDirectory.inspect(path: folder.path).identity.generation == 2)
            let directory = try folder.open()
            #expect(directory.identity.generation == 2, "step \(step)")
            #expect(try directory.currentEpoch()?.marker.epoch == 3, "step \(step)")
            #expect(folder.kept == ["1-3"])
            #expect(!LocalFiles.list(folder.path).contains { $0.hasPrefix("rewind") })
        }
    }
}

// MARK: Damage

/// What is done to a file.
enum Damage: String, CaseIterable {
    case flipped, cut, removed
}

@Suite struct StateDamageTests {
    /// A directory whose state stands in data files and in the log.
    private func directory() throws -> Folder {
        let folder = Folder()
        do {
            let directory = try folder.open()
            try folder.write(directory, 1...3)
            try directory.flush()
            try folder.write(directory, 4...6)
        }
        return folder
    }

    private func files(_ folder: String) -> [String: Data] {
        var files: [String: Data] = [:]
        for name in LocalFiles.list(folder) where !name.hasPrefix("LOG") && name != "LOCK" {
            files[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
        }
        return files
    }

    private func harm(_ file: String, _ damage: Damage) throws {
        let url = URL(filePath: file)
        var bytes = try Data(contentsOf: url)
        switch damage {
        case .flipped: bytes[bytes.count / 3] ^= 0x10
        case .cut: bytes = bytes.prefix(bytes.count / 2)
        case .removed: return try FileManager.default.removeItem(at: url)
        }
        try bytes.write(to: url)
    }

    /// A data file, the log in its middle, MANIFEST, CURRENT and our own FORMAT.
    @Test(arguments: [".sst", ".log", "MANIFEST", "CURRENT", "FORMAT"], Damage.allCases)
    func aDamagedFileIsRefusedByNameAndNothingIsOverwritten(
        _ kind: String, _ damage: Damage
    ) throws {
        let folder = try directory()
        let database = folder.path + "/db"
        let isFormat = kind == "FORMAT"
        let name =
            isFormat
            ? "FORMAT"
            : try #require(
                LocalFiles.list(database).first {
                    ($0.hasSuffix(kind) || $0.hasPrefix(kind))
                        && (LocalFiles.size("\(database)/\($0)") ?? 0) > 0
                }, "no \(kind) in \(LocalFiles.list(database))")
        try harm(isFormat ? folder.path + "/FORMAT" : "\(database)/\(name)", damage)
        if isFormat, damage == .removed {
            // As a directory of an earlier build: it gets one.
            _ = try folder.open()
            #expect(LocalFiles.exists(folder.path + "/FORMAT"))
            return
        }
        let before = files(database)
        let failure = #expect(throws: Failure.self) {
            let directory = try folder.open()
            try directory.stateReader().forEach(operatorID: 7, group: 5) { _, _ in }
        }
        #expect(failure?.kind == .failed, "\(String(describing: failure))")
        #expect(failure?.hint != nil, "\(String(describing: failure))")
        print("\(kind) \(damage): \(failure?.message ?? "")")
        let told = failure?.message ?? ""
        #expect(
            told.contains(name) || told.contains("….log") && kind == ".log"
                || damage == .removed && told.contains(kind), "\(told)")
        // A data file's damage shows when it is read; what the start wrote then is new files.
        for (name, bytes) in before where !(kind == ".sst" && name.hasSuffix(".log")) {
            #expect(files(database)[name] == bytes, "\(name) was changed")
        }
        if kind == ".sst", damage == .flipped {
            let found = #expect(throws: Failure.self) {
                try StoreExamination(stateDirectory: folder.path)
            }
            #expect(found?.message.contains(name) ?? false)
        }
    }

    @Test(arguments: [".sst", ".log", "MANIFEST", "CURRENT"], Damage.allCases)
    func aDamagedCheckpointIsNamed(_ kind: String, _ damage: Damage) throws {
        let folder = try directory()
        let checkpoint = try folder.kept(6)
        let name = try #require(
            LocalFiles.list(checkpoint.path).first {
                ($0.hasSuffix(kind) || $0.hasPrefix(kind))
                    && (LocalFiles.size("\(checkpoint.path)/\($0)") ?? 0) > 0
            })
        // Not the file that it shares with the store.
        let file = "\(checkpoint.path)/\(name)"
        let bytes = try Data(contentsOf: URL(filePath: file))
        try FileManager.default.removeItem(atPath: file)
        try bytes.write(to: URL(filePath: file))
        _ = try StoreExamination(checkpoint)
        try harm(file, damage)
        let failure = #expect(throws: Failure.self) { try StoreExamination(checkpoint) }
        #expect(failure?.message.contains("checkpoints/1-6") ?? false, "\(String(describing: failure))")
        print("checkpoint \(kind) \(damage): \(failure?.message ?? "")")
        // The state itself is sound.
        #expect(try StoreExamination(stateDirectory: folder.path).newest?.marker.epoch == 6)
    }

    /// What a crash in mid-write leaves: no epoch that was reported as written.
    @Test func aTornLastRecordIsTolerated() throws {
        let folder = try directory()
        let database = folder.path + "/db"
        let log = try #require(LocalFiles.list(database).last { $0.hasSuffix(".log") })
        let file = try FileHandle(forWritingTo: URL(filePath: "\(database)/\(log)"))
        try file.seekToEnd()
        // A header of RocksDB's log that promises more than there is.
        try file.write(contentsOf: Data([1, 2, 3, 4, 0xff, 0x10, 1, 7, 7, 7]))
        try file.close()
        #expect(try folder.open().currentEpoch()?.marker.epoch == 6)
    }

    @Test func aFolderOfSomebodyElseIsLeftAlone() throws {
        let folder = Folder()
        try LocalFiles.makeFolder(folder.path + "/photos")
        try Data("x".utf8).write(to: URL(filePath: folder.path + "/notes.txt"))
        let failure = #expect(throws: Failure.self) { try folder.open() }
        #expect(failure?.code == "state.foreign" && failure?.kind == .fenced)
        #expect(LocalFiles.list(folder.path) == ["notes.txt", "photos"])
    }

    @Test func aDatabaseOfSomebodyElseIsLeftAlone() throws {
        let folder = Folder()
        try LocalFiles.makeFolder(folder.path + "/db")
        try Data("x".utf8).write(to: URL(filePath: folder.path + "/db/base.sqlite"))
        let failure = #expect(throws: Failure.self) { try folder.open() }
        #expect(failure?.code == "state.foreign")
        #expect(LocalFiles.list(folder.path) == ["db"])
    }
}
