// State directories that outlive processes. Of one history in three it is the real one, in a real
// RocksDB in memory's file system; the others keep the same in memory, which is faster. Each write
// is one synced write, so a kill and a power loss leave the same: all of it or nothing.

import Connectors
import Contracts
import Environment
import Foundation
import Planning
import Progress
import RocksState
import Runtime
import State

/// because: only the thread that holds the world's baton touches it.
final class SimulatedDirectory: @unchecked Sendable {
    let path: String
    /// nil: it is on disk.
    private let memory: MemoryEpochStore?
    private var hasBegun = false

    init(_ path: String, isOnDisk: Bool) {
        self.path = path
        memory =
            isOnDisk
            ? nil
            : MemoryEpochStore(
                identity: Identity(pipelineID: Self.pipelineID, generation: 1, incarnation: 0))
    }

    private init(_ path: String, _ memory: MemoryEpochStore?) {
        self.path = path
        self.memory = memory
        hasBegun = true
    }

    private static let pipelineID = "00000000-0000-4000-8000-000000000000"
    var isOnDisk: Bool { memory == nil }
    /// Whether a process has ever opened it.
    var exists: Bool {
        isOnDisk ? FileManager.default.fileExists(atPath: path + "/db/CURRENT") : hasBegun
    }

    /// A copy as `cp -r` makes it while no process has the directory.
    func copy(to path: String) throws -> SimulatedDirectory {
        if let memory { return SimulatedDirectory(path, memory.copy()) }
        try FileManager.default.copyItem(atPath: self.path, toPath: path)
        return SimulatedDirectory(path, nil)
    }

    /// What a process finds that opens it; the incarnation is its own.
    fileprivate func open(
        _ entropy: Entropy
    ) throws(Failure) -> (store: any EpochStore, identity: Identity, leftovers: [Leftover]) {
        guard let memory else {
            let directory = try StateDirectory.open(path: path, entropy: entropy)
            return (directory, directory.identity, directory.leftovers)
        }
        hasBegun = true
        let incarnation = entropy.next() >> 1
        let identity = Identity(
            pipelineID: Self.pipelineID, generation: 1, incarnation: incarnation)
        return (memory, identity, memory.noteStart(incarnation: incarnation))
    }

    private func inspected() throws(Failure) -> any EpochStore {
        if let memory { return memory }
        return try StateDirectory.inspect(path: path)
    }

    /// nil: no process has begun yet.
    func pipelineID() throws(Failure) -> String? {
        exists ? try inspected().identity.pipelineID : nil
    }

    /// What is stored of the sources, as of the last write.
    func offsets() throws(Failure) -> [PartitionOffset] {
        exists ? try inspected().offsets() : []
    }

    /// Whether a sink may lack what is written.
    func hasOpenIntents(of targets: [TargetID]) throws(Failure) -> Bool {
        guard exists else { return false }
        let store = try inspected()
        for target in targets where try !store.openIntents(of: target).isEmpty { return true }
        return false
    }
}

/// One process's view of a directory.
final class SimulatedStore: EpochStore {
    let identity: Identity
    let leftovers: [Leftover]
    private let inner: any EpochStore
    private let process: SimulatedProcess

    init(
        _ directory: SimulatedDirectory, entropy: Entropy, by process: SimulatedProcess
    ) throws(Failure) {
        let opened = try process.perform("start") { () throws(Failure) in
            try directory.open(entropy)
        }
        inner = opened.store
        identity = opened.identity
        leftovers = opened.leftovers
        self.process = process
    }

    func currentEpoch() throws(Failure) -> EpochRecord? {
        try process.requireUp()
        return try inner.currentEpoch()
    }

    func offsets() throws(Failure) -> [PartitionOffset] { try inner.offsets() }

    func history(of target: TargetID) throws(Failure) -> TargetHistory {
        try inner.history(of: target)
    }

    func openIntents(of target: TargetID) throws(Failure) -> [OpenIntent] {
        try inner.openIntents(of: target)
    }

    func intent(of target: TargetID, marker: Marker) throws(Failure) -> Intent {
        try process.requireUp()
        return try inner.intent(of: target, marker: marker)
    }

    func write(_ epoch: EpochWrite) throws(Failure) -> Int64 {
        var written: Int64 = 0
        try process.performSync("checkpoint") { () throws(Failure) in
            written = try inner.write(epoch)
        }
        return written
    }

    func write(trims: [TargetID: Marker]) throws(Failure) {
        try process.performSync("trims") { () throws(Failure) in try inner.write(trims: trims) }
    }

    func forget(_ leftovers: [Leftover]) throws(Failure) {
        try process.perform("forget") { () throws(Failure) in try inner.forget(leftovers) }
    }

    func adoptedOffsets() throws(Failure) -> [TargetID: [PartitionOffset]] {
        try inner.adoptedOffsets()
    }

    func retain(keeping limit: Int) throws(Failure) {
        try process.perform("retain") { () throws(Failure) in
            try inner.retain(keeping: limit)
        }
    }

    func stateReader() -> any StateReader { CountingReader(inner.stateReader(), process) }
}

/// Notes when state is read that had left memory.
private final class CountingReader: StateReader {
    private let inner: any StateReader
    private let process: SimulatedProcess

    init(_ inner: any StateReader, _ process: SimulatedProcess) {
        self.inner = inner
        self.process = process
    }

    func value(operatorID: UInt64, group: Int, key: [UInt8]) throws -> [UInt8]? {
        let value = try inner.value(operatorID: operatorID, group: group, key: key)
        if value != nil { process.noteReadBack() }
        return value
    }

    func values(operatorID: UInt64, keys: [StateKey]) throws -> [[UInt8]?] {
        let values = try inner.values(operatorID: operatorID, keys: keys)
        if values.contains(where: { $0 != nil }) { process.noteReadBack() }
        return values
    }

    func forEach(
        operatorID: UInt64, group: Int, _ body: ([UInt8], [UInt8]) throws -> Void
    ) throws {
        try inner.forEach(operatorID: operatorID, group: group, body)
    }

    func forEach(
        operatorID: UInt64, group: Int, prefix: [UInt8], _ body: ([UInt8], [UInt8]) throws -> Void
    ) throws {
        try inner.forEach(operatorID: operatorID, group: group, prefix: prefix, body)
    }
}
