// Checkpoints that are kept whole (`SET checkpoint_history`): hard-link copies of the store, one a
// folder, to look at and to go back to.
//
// `checkpoints/<generation>-<epoch>` is made after the epoch's write and before the next one, so it
// is exactly that epoch. RocksDB makes it under another name and renames it; what a crash leaves
// half made or half removed has a dot in its name and goes at the next start. Data files are shared
// with the store: what a kept checkpoint costs is its log and the files that compaction has
// replaced since. It is not synced file by file more than the store is: data files were synced when
// they were written, the copied log is synced by RocksDB.

public import Contracts
import Environment
public import Progress

/// One kept checkpoint.
public struct RetainedCheckpoint: Sendable, Hashable {
    public let generation: UInt64
    public let epoch: UInt64
    /// A RocksDB of its own.
    public let path: String

    /// Its place in the order of markers; the incarnation is not in the name.
    public var marker: Marker { Marker(generation: generation, epoch: epoch, incarnation: 0) }
    public var name: String { "\(generation)-\(epoch)" }
}

extension StateDirectory {
    static func retainedFolder(_ path: String) -> String { path + "/checkpoints" }

    /// Those of a state directory, oldest first.
    public static func retained(in path: String) -> [RetainedCheckpoint] {
        let folder = retainedFolder(path)
        let found = LocalFiles.list(folder).compactMap { name -> RetainedCheckpoint? in
            let numbers = name.split(separator: "-", omittingEmptySubsequences: false)
            guard numbers.count == 2, let generation = UInt64(numbers[0]),
                let epoch = UInt64(numbers[1])
            else { return nil }
            return RetainedCheckpoint(
                generation: generation, epoch: epoch, path: "\(folder)/\(name)")
        }
        return found.sorted { $0.marker < $1.marker }
    }

    /// Keeps the newest epoch, and of those before it so many that `limit` are kept.
    public func retain(keeping limit: Int) throws(Failure) {
        guard let record = try currentEpoch() else { return }
        let folder = StateDirectory.retainedFolder(path)
        let (generation, epoch) = (record.marker.generation, record.marker.epoch)
        let new = "\(folder)/\(generation)-\(epoch)"
        if !LocalFiles.exists(new) {
            if !LocalFiles.exists(folder) {
                try LocalFiles.makeFolder(folder)
                try LocalFiles.syncFolder(path)
            }
            Failpoint.pass("retain.begin")
            try store.checkpoint(to: new)
            Failpoint.pass("retain.made")
            try LocalFiles.syncFolder(folder)
            Failpoint.pass("retain.durable")
        }
        let kept = StateDirectory.retained(in: path)
        for old in kept.dropLast(max(1, limit)) {
            try StateDirectory.remove(old)
            Failpoint.pass("retain.removed")
        }
    }

    /// All that is written stands in data files afterwards.
    package func flush() throws(Failure) { try store.flush() }

    /// Its name goes first: a checkpoint that is there is there whole.
    static func remove(_ checkpoint: RetainedCheckpoint) throws(Failure) {
        let gone = checkpoint.path + ".gone"
        try LocalFiles.removeFolder(gone)
        try LocalFiles.rename(checkpoint.path, to: gone)
        try LocalFiles.removeFolder(gone)
    }

    /// What crashes left behind of checkpoints that were being made or removed.
    static func sweepRetained(_ path: String) throws(Failure) {
        let folder = retainedFolder(path)
        for name in LocalFiles.list(folder) {
            guard name.hasSuffix(".tmp") || name.hasSuffix(".gone") else { continue }
            try LocalFiles.removeFolder("\(folder)/\(name)")
        }
    }
}
