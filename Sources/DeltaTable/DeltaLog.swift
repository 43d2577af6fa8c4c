// Reading a table's log: list, take the newest checkpoint that can be read, replay the entries
// behind it (PROTOCOL.md "Delta Log Entries", "Checkpoints"). Hints are only hints: a damaged
// checkpoint or `_last_checkpoint` costs time, never the table.

public import Contracts
import Types

/// The log of one table.
public struct DeltaLog: Sendable {
    public let store: any DeltaStore
    static let folder = "_delta_log"

    public init(_ store: any DeltaStore) { self.store = store }

    static func entryPath(_ version: Int64) -> String { "\(folder)/\(padded(version)).json" }

    static func padded(_ version: Int64) -> String {
        let digits = String(version)
        return String(repeating: "0", count: max(0, 20 - digits.count)) + digits
    }

    /// The newest version, or the newest not above `version`. nil: there is no table.
    public func snapshot(version limit: Int64? = nil) throws(Failure) -> DeltaSnapshot? {
        if let hinted = hintedVersion(), hinted <= limit ?? .max {
            let listing = try LogListing(
                store.list(Self.folder, from: Self.padded(hinted)), limit: limit)
            if listing.checkpoints.contains(where: { $0.version == hinted }),
                let snapshot = try replay(listing, mayFallBack: true)
            {
                return snapshot
            }
        }
        let listing = try LogListing(store.list(Self.folder, from: ""), limit: limit)
        if listing.entries.isEmpty, listing.checkpoints.isEmpty { return nil }
        return try replay(listing, mayFallBack: false)
    }

    private func hintedVersion() -> Int64? {
        guard let bytes = try? store.read("\(Self.folder)/_last_checkpoint"),
            let hint = try? JSONValue(parsing: bytes)
        else { return nil }
        return hint["version"]?.int64
    }

    /// `snapshot` brought up to date: only entries behind it are read.
    public func refresh(_ snapshot: DeltaSnapshot) throws(Failure) -> DeltaSnapshot {
        var current = snapshot
        while let actions = try entry(current.version + 1) {
            current.apply(actions, version: current.version + 1)
        }
        return current
    }

    /// The actions of one version; nil if it has no entry.
    func entry(_ version: Int64) throws(Failure) -> [DeltaAction]? {
        let path = Self.entryPath(version)
        guard let bytes = try store.read(path) else { return nil }
        do {
            return try DeltaAction.parse(bytes)
        } catch {
            throw damaged("\(store.location)/\(path) is damaged: \(error.message)")
        }
    }

    private func damaged(_ message: String) -> Failure {
        Failure(
            .failed, "delta.log", message,
            hint: "restore the files of _delta_log from a backup: other engines can't read the "
                + "table either")
    }

    /// Replays from the newest sound checkpoint. With `mayFallBack` a listing that is not enough
    /// gives nil instead of an error: a full listing may still do.
    private func replay(
        _ listing: LogListing, mayFallBack: Bool
    ) throws(Failure) -> DeltaSnapshot? {
        for checkpoint in listing.checkpoints.reversed() {
            guard let actions = try? CheckpointReader(store: store).read(checkpoint),
                var snapshot = Self.start(actions, version: checkpoint.version)
            else { continue }
            snapshot.checkpointVersion = checkpoint.version
            return try replay(listing, onto: snapshot)
        }
        if mayFallBack { return nil }
        guard listing.entries.first?.version == 0 else {
            let first = listing.entries.first.map { "begins at version \($0.version)" }
            throw damaged(
                "the log of \(store.location) \(first ?? "has no entries") and no checkpoint can "
                    + "be read")
        }
        guard let actions = try entry(0), let snapshot = Self.start(actions, version: 0) else {
            throw damaged("the first log entry of \(store.location) lacks protocol or metaData")
        }
        return try replay(listing, onto: snapshot)
    }

    /// A snapshot of a checkpoint's, or the first entry's, actions.
    private static func start(_ actions: [DeltaAction], version: Int64) -> DeltaSnapshot? {
        var tableProtocol: TableProtocol?
        var metadata: TableMetadata?
        for action in actions {
            if case .tableProtocol(let value) = action { tableProtocol = value }
            if case .metadata(let value) = action { metadata = value }
        }
        guard let tableProtocol, let metadata else { return nil }
        var snapshot = DeltaSnapshot(
            version: version, tableProtocol: tableProtocol, metadata: metadata)
        for action in actions { snapshot.apply(action, entryVersion: version == 0 ? 0 : nil) }
        return snapshot
    }

    private func replay(
        _ listing: LogListing, onto start: DeltaSnapshot
    ) throws(Failure) -> DeltaSnapshot {
        var snapshot = start
        for entry in listing.entries where entry.version > start.version {
            guard entry.version == snapshot.version + 1,
                let actions = try self.entry(entry.version)
            else {
                throw damaged("the log of \(store.location) lacks version \(snapshot.version + 1)")
            }
            snapshot.apply(actions, version: entry.version)
        }
        return snapshot
    }
}

/// The names of a log, understood.
struct LogListing {
    struct Entry {
        let version: Int64
        /// ms since 1970, of the file.
        let modificationTime: Int64
    }

    /// A checkpoint with all its parts, in order.
    struct Checkpoint {
        let version: Int64
        let paths: [String]
    }

    private(set) var entries: [Entry] = []
    /// Ascending by version.
    private(set) var checkpoints: [Checkpoint] = []

    init(_ names: [DeltaStoreEntry], limit: Int64?) {
        var parts: [Int64: [Int: [Int: String]]] = [:]
        for file in names {
            let pieces = file.name.split(separator: ".", omittingEmptySubsequences: false)
            guard pieces.count >= 2, pieces[0].utf8.count == 20, let version = Int64(pieces[0]),
                version <= limit ?? .max
            else { continue }
            let path = "\(DeltaLog.folder)/\(file.name)"
            if pieces.count == 2, pieces[1] == "json" {
                entries.append(Entry(version: version, modificationTime: file.modificationTime))
            } else if pieces[1] == "checkpoint" {
                if pieces.count == 3, pieces[2] == "parquet" {
                    checkpoints.append(Checkpoint(version: version, paths: [path]))
                } else if pieces.count == 4, pieces[3] == "parquet" || pieces[3] == "json" {
                    checkpoints.append(Checkpoint(version: version, paths: [path]))
                } else if pieces.count == 5, let part = Int(pieces[2]), let count = Int(pieces[3]) {
                    parts[version, default: [:]][count, default: [:]][part] = path
                }
            }
        }
        for (version, sets) in parts {
            for (count, paths) in sets where paths.count == count {
                let ordered = paths.sorted { $0.key < $1.key }.map(\.value)
                checkpoints.append(Checkpoint(version: version, paths: ordered))
            }
        }
        checkpoints.sort { $0.version < $1.version }
        entries.sort { $0.version < $1.version }
    }
}
