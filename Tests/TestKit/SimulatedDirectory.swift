// State directories that outlive processes: the real layout in a real RocksDB, in memory's file
// system. Each write of it is one synced write, so a kill and a power loss leave the same: all of
// it or nothing.

import Contracts
import Environment
import Foundation
import Progress
import RocksState
import Runtime
import State

/// because: only the thread that holds the world's baton touches it.
final class SimulatedDirectory: @unchecked Sendable {
    let path: String

    init(_ path: String) { self.path = path }

    /// A copy as `cp -r` makes it while no process has the directory.
    func copy(to path: String) throws -> SimulatedDirectory {
        try FileManager.default.copyItem(atPath: self.path, toPath: path)
        return SimulatedDirectory(path)
    }

    /// What is stored of the sources, as of the last write.
    func offsets() throws -> [PartitionOffset] {
        guard FileManager.default.fileExists(atPath: path + "/db/CURRENT") else { return [] }
        return try StateDirectory.inspect(path: path).offsets()
    }

    /// Whether a sink may lack what is written.
    func hasOpenIntents(of targets: [TargetID]) throws -> Bool {
        guard FileManager.default.fileExists(atPath: path + "/db/CURRENT") else { return false }
        let directory = try StateDirectory.inspect(path: path)
        return try targets.contains { try !directory.openIntents(of: $0).isEmpty }
    }
}

/// One process's view of a directory.
final class SimulatedStore: EpochStore {
    private let inner: StateDirectory
    private let process: SimulatedProcess

    init(
        _ directory: SimulatedDirectory, entropy: Entropy, by process: SimulatedProcess
    ) throws(Failure) {
        inner = try process.perform("start") { () throws(Failure) in
            try StateDirectory.open(path: directory.path, entropy: entropy)
        }
        self.process = process
    }

    var identity: Identity { inner.identity }
    var leftovers: [Leftover] { inner.leftovers }

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

    func stateReader() -> any StateReader { inner.stateReader() }
}
