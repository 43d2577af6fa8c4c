// Files of dead processes that no commit names (design.md §3.4, §3.12): an epoch's files of a
// process that was killed before its checkpoint, and those of a merge that another attempt
// overtook. Swept are only names that this pipeline's own dead processes used, for epochs that the
// table's marker has passed, and only what no log entry names or has ever named: others' files, and
// files of older versions, are vacuum's.

public import Contracts
import Environment
public import Progress

extension DeltaCommitter {
    /// Removes what is left of processes whose epochs the table has resolved. Returns those that it
    /// has not, and how many files went.
    public mutating func sweep(
        _ leftovers: [Leftover]
    ) throws(Failure) -> (unresolved: [Leftover], removed: Int) {
        guard let snapshot = try currentSnapshot(), let newest = snapshot.marker(identity) else {
            return (leftovers, 0)
        }
        let resolved = leftovers.filter { $0.isResolved(by: newest) }
        let unresolved = leftovers.filter { !$0.isResolved(by: newest) }
        guard !resolved.isEmpty else { return (unresolved, 0) }
        var found: [String] = []
        for folder in try partitionFolders(snapshot) {
            for leftover in resolved { found += try files(of: leftover, in: folder) }
        }
        var removed = 0
        if !found.isEmpty {
            let named = try names(since: resolved, snapshot)
            for path in found where !named.contains(path) {
                Failpoint.pass("delta.before_sweep")
                try store.remove(path)
                removed += 1
                Failpoint.pass("delta.swept")
            }
        }
        for name in try drafts(of: resolved) {
            try store.remove("\(DeltaLog.folder)/\(name)")
            removed += 1
            Failpoint.pass("delta.draft_swept")
        }
        return (unresolved, removed)
    }

    /// Folders of partitions as deep as there are partition columns; the table's own if there are
    /// none.
    private func partitionFolders(_ snapshot: DeltaSnapshot) throws(Failure) -> [String] {
        var folders = [""]
        for column in snapshot.metadata.partitionColumns {
            let prefix = FilePath.escapedWord(column) + "="
            var below: [String] = []
            for folder in folders {
                for entry in try store.list(folder, from: prefix) {
                    guard entry.name.hasPrefix(prefix) else { break }
                    below.append(folder.isEmpty ? entry.name : "\(folder)/\(entry.name)")
                }
            }
            folders = below
        }
        return folders
    }

    private func files(
        of leftover: Leftover, in folder: String
    ) throws(Failure) -> [String] {
        let prefix = String(leftover.incarnation, radix: 16) + "-"
        let above = folder.isEmpty ? "" : folder + "/"
        var files: [String] = []
        for epoch in leftover.epochs {
            let epochFolder = "\(above)\(leftover.generation)/\(epoch)"
            for entry in try store.list(epochFolder, from: prefix) {
                guard entry.name.hasPrefix(prefix) else { break }
                if entry.name.hasSuffix(".parquet") {
                    files.append("\(epochFolder)/\(entry.name)")
                }
            }
        }
        return files
    }

    /// Files, as the store has them, that are live, are known as removed, or were added by an entry
    /// that is still there and not older than the leftovers' epochs: from the newest back to the
    /// first of our own entries before them.
    private func names(
        since leftovers: [Leftover], _ snapshot: DeltaSnapshot
    ) throws(Failure) -> Set<String> {
        var names = Set(snapshot.files.keys.map { FilePath.decode($0) })
        for path in snapshot.tombstones.keys { names.insert(FilePath.decode(path)) }
        let first = leftovers.map { ($0.generation, $0.epochs.lowerBound) }.min { $0 < $1 }
        guard let first else { return names }
        var version = snapshot.version
        while version >= 0, let actions = try log.entry(version) {
            for case .add(let file) in actions { names.insert(FilePath.decode(file.path)) }
            let row = DeltaLog.row(version, fileTime: 0, actions)
            if row.pipelineID == identity.pipelineID, row.sink == identity.sink,
                let last = row.markers.last, (last.generation, last.epoch) < first
            {
                break
            }
            version -= 1
        }
        return names
    }

    /// Entries that were written under a name of their own and never linked or renamed.
    private func drafts(of leftovers: [Leftover]) throws(Failure) -> [String] {
        let marks = leftovers.map { ".\(DeltaDraft.owner($0.incarnation))-" }
        var names: [String] = []
        for entry in try store.list(DeltaLog.folder, from: ".") {
            guard entry.name.hasPrefix(".") else { break }
            if entry.name.hasSuffix(".tmp"), marks.contains(where: entry.name.contains) {
                names.append(entry.name)
            }
        }
        return names
    }
}

/// How files in the making are called.
public enum DeltaDraft {
    /// The part of a draft's name that says which process wrote it.
    public static func owner(_ incarnation: UInt64) -> String {
        String(incarnation, radix: 16)
    }
}
