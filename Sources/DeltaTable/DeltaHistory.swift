// What `table show` and `table history` print: facts of a log, newest first.

public import Contracts
public import Progress

/// One version of a table.
public struct DeltaVersion: Sendable, Hashable {
    public let version: Int64
    /// ms since 1970: the commit's own time, else the file's.
    public let timestamp: Int64
    public let operation: String
    public let engine: String?
    public let addedFiles: Int
    public let removedFiles: Int
    public let addedBytes: Int64
    /// Rows in added files; nil if a file does not say.
    public let addedRows: Int64?
    /// Set by Millrace: who, up to which epoch, and the offsets to read next.
    public let pipelineID: String?
    public let sink: String?
    public let markers: [Marker]
    public let offsets: JSONValue?
}

extension DeltaLog {
    /// The newest `limit` versions whose log entries are still there, newest first.
    public func history(limit: Int = .max) throws(Failure) -> [DeltaVersion] {
        let listing = try LogListing(store.list(Self.folder, from: ""), limit: nil)
        var rows: [DeltaVersion] = []
        for entry in listing.entries.reversed().prefix(limit) {
            guard let actions = try self.entry(entry.version) else { continue }
            rows.append(
                Self.row(entry.version, fileTime: entry.modificationTime, actions))
        }
        return rows
    }

    /// The newest version that was there at a time (ms since 1970); nil: before the first.
    public func version(at time: Int64) throws(Failure) -> Int64? {
        try history().first { $0.timestamp <= time }?.version
    }

    static func row(
        _ version: Int64, fileTime: Int64, _ actions: [DeltaAction]
    ) -> DeltaVersion {
        var information = JSONValue.null
        var added: [AddFile] = []
        var removedCount = 0
        for action in actions {
            switch action {
            case .commitInfo(let value): information = value
            case .add(let file): added.append(file)
            case .remove: removedCount += 1
            default: break
            }
        }
        let counts = added.map { FileStatistics.rowCount($0.statistics) }
        let own = information["millrace"]
        let generation = own?["generation"]?.int64 ?? 0
        let markers = (own?["epochs"]?.array ?? []).map { epoch in
            Marker(
                generation: UInt64(clamping: generation),
                epoch: UInt64(clamping: epoch["epoch"]?.int64 ?? 0),
                incarnation: UInt64(epoch["incarnation"]?.string ?? "", radix: 16) ?? 0)
        }
        return DeltaVersion(
            version: version,
            timestamp: information["inCommitTimestamp"]?.int64 ?? information["timestamp"]?.int64
                ?? fileTime,
            operation: information["operation"]?.string ?? "UNKNOWN",
            engine: information["engineInfo"]?.string, addedFiles: added.count,
            removedFiles: removedCount, addedBytes: added.reduce(0) { $0 + $1.byteCount },
            addedRows: counts.contains(nil) ? nil : counts.reduce(0) { $0 + ($1 ?? 0) },
            pipelineID: own?["pipeline"]?.string, sink: own?["sink"]?.string, markers: markers,
            offsets: own?["offsets"])
    }
}
