// A table's log read from its first entry that is still there to the newest, held against what each
// commit of one output says of itself (`millrace verify`).
//
// What must hold of our entries: epochs rise and none comes twice; the marker in `txn` and the
// epochs in `commitInfo` are the same; of each source partition the range that a commit covers
// begins where the one before it ended, so that offsets never fall and no partition is lost, and
// the `next:` actions say the same; files are added once, live when they are removed, named by an
// epoch of their commit; their rows are as many as the entry says. Only an entry that takes a
// rewind's rows back may lower offsets and add files again.

public import Contracts
public import Progress

/// What a log says, and what in it cannot be.
public struct DeltaAudit: Sendable {
    /// What is wrong, in the order of the log.
    public private(set) var findings: [String] = []
    /// What could not be told.
    public private(set) var notes: [String] = []
    /// The first version whose entry is there.
    public private(set) var firstVersion: Int64 = 0
    public let snapshot: DeltaSnapshot
    /// Commits of the output that were read.
    public private(set) var commitCount = 0
    /// Next to read, by partition, as of the newest commit that was read.
    public private(set) var offsets: [PartitionKey: Int64] = [:]
    /// Live files with rows of the output, by path.
    public private(set) var ownFiles: [String: AddFile] = [:]
    /// Live files of other writers.
    public private(set) var foreignFiles: [String: AddFile] = [:]
    /// Whether rows of the output and of others stand in one file: nobody can tell them apart.
    public private(set) var isMixed = false

    private let identity: DeltaWriterIdentity
    private let isUpsert: Bool
    private var newest: Marker?
    private var next: [String: Int64] = [:]
    private var everAdded: [String: Int64] = [:]

    /// nil: there is no table.
    public init?(
        _ log: DeltaLog, _ identity: DeltaWriterIdentity, isUpsert: Bool
    ) throws(Failure) {
        guard let snapshot = try log.snapshot() else { return nil }
        self.snapshot = snapshot
        self.identity = identity
        self.isUpsert = isUpsert
        let listing = try LogListing(log.store.list(DeltaLog.folder, from: ""), limit: nil)
        var first = snapshot.version + 1
        let present = Set(listing.entries.map(\.version))
        while first > 0, present.contains(first - 1) { first -= 1 }
        firstVersion = first
        if first > 0 { try begin(log, listing) }
        for version in firstVersion...max(firstVersion, snapshot.version)
        where version <= snapshot.version {
            guard let actions = try log.entry(version) else { continue }
            read(actions, version)
        }
    }

    /// Entries before the first version are gone: begins with what was live at the first version
    /// that can still be had, by a checkpoint of the log.
    private mutating func begin(_ log: DeltaLog, _ listing: LogListing) throws(Failure) {
        let possible = [firstVersion - 1] + listing.checkpoints.map(\.version)
        var found: DeltaSnapshot?
        for version in possible where version >= firstVersion - 1 && found == nil {
            // Without its entry a version is given as the one before it.
            found = (try? log.snapshot(version: version)).flatMap { $0 }
            if found?.version != version { found = nil }
        }
        let base = found ?? snapshot
        firstVersion = base.version + 1
        notes.append("the log was cleaned up: commits before version \(firstVersion)")
        let isAlone = base.writers.allSatisfy {
            $0.pipelineID == identity.pipelineID && $0.sink == identity.sink
        }
        for (path, file) in base.files {
            if isAlone || Self.marker(of: path) == nil {
                ownFiles[path] = file
            } else {
                foreignFiles[path] = file
            }
        }
        newest = base.marker(identity)
        for (name, seen) in base.transactions { next[name] = seen.identifier.version }
    }

    private mutating func find(_ version: Int64, _ what: String) {
        findings.append("version \(version): \(what)")
    }

    private mutating func read(_ actions: [DeltaAction], _ version: Int64) {
        let row = DeltaLog.row(version, fileTime: 0, actions)
        let isOwn =
            row.pipelineID == identity.pipelineID && row.sink == identity.sink
            && !row.markers.isEmpty
        let restores = isOwn && row.operation == "RESTORE"
        for case .transaction(let identifier) in actions {
            next[identifier.applicationID] = identifier.version
        }
        var adds: [AddFile] = []
        var removes: [RemoveFile] = []
        for action in actions {
            if case .add(let file) = action { adds.append(file) }
            if case .remove(let file) = action { removes.append(file) }
        }
        if isOwn {
            commitCount += 1
            checkMarkers(row, version)
            checkOffsets(row, version, mayFall: restores)
        }
        apply(adds, removes, isOwn: isOwn, restores: restores, version)
        if isOwn {
            checkRows(actions, adds, version)
            if !restores, !isUpsert { checkEpochs(of: adds, row, version) }
        }
    }

    // MARK: Our entries

    private mutating func checkMarkers(_ row: DeltaVersion, _ version: Int64) {
        for marker in row.markers {
            if let newest, marker <= newest {
                find(
                    version,
                    "epoch \(marker.epoch) of generation \(marker.generation) comes after epoch "
                        + "\(newest.epoch) of generation \(newest.generation)")
            }
            newest = marker
        }
        guard let last = row.markers.last?.inDelta else { return }
        let epoch = next[identity.epochID(generation: last.generation)]
        let incarnation = next[identity.incarnationID]
        if epoch != Int64(clamping: last.epoch) || incarnation != Int64(last.incarnation) {
            find(version, "its txn says another epoch than its commitInfo (\(last.epoch))")
        }
    }

    private mutating func checkOffsets(
        _ row: DeltaVersion, _ version: Int64, mayFall: Bool
    ) {
        var found: [PartitionKey: Int64] = [:]
        for source in row.offsets?.members ?? [] {
            for partition in source.value.members ?? [] {
                let key = PartitionKey(source: source.name, partition: partition.name)
                found[key] = partition.value.int64 ?? -1
            }
        }
        let keys = Set(found.keys).union(offsets.keys)
        for key in keys.sorted(by: { ($0.source, $0.partition) < ($1.source, $1.partition) }) {
            let place = "\(key.source)/\(key.partition)"
            guard let now = found[key] else {
                if !mayFall { find(version, "\(place) is gone from the offsets: a gap") }
                continue
            }
            if let before = offsets[key], now < before, !mayFall {
                find(
                    version,
                    "offsets of \(place) fall from \(before) to \(now): ranges overlap")
            }
            let name = SourceOffsets.name(key, identity)
            if let told = next[name], told != SourceOffsets.unknown, told != now {
                find(
                    version,
                    "commitInfo says that \(place) goes on at \(now), its txn says \(told)")
            }
        }
        offsets = found
    }

    private mutating func checkRows(
        _ actions: [DeltaAction], _ adds: [AddFile], _ version: Int64
    ) {
        for case .commitInfo(let information) in actions {
            let told = information["operationMetrics"]?["numOutputRows"]?.string
            guard let told = told.flatMap({ Int64($0) }) else { continue }
            let counts = adds.map(\.rowCount)
            let sum = counts.reduce(Int64(0)) { $0 + ($1 ?? 0) }
            if counts.contains(nil) {
                find(version, "a file does not say how many rows it has")
            } else if sum != told {
                find(version, "its files have \(sum) rows, the commit says \(told)")
            }
        }
    }

    private mutating func checkEpochs(
        of adds: [AddFile], _ row: DeltaVersion, _ version: Int64
    ) {
        let named = Set(row.markers.map { [$0.generation, $0.epoch] })
        for file in adds {
            guard let marker = Self.marker(of: file.path) else {
                find(version, "\(file.path) is no name of ours")
                continue
            }
            if !named.contains([marker.generation, marker.epoch]) {
                find(version, "\(file.path) is of an epoch that the commit does not have")
            }
        }
    }

    // MARK: Files

    private mutating func apply(
        _ adds: [AddFile], _ removes: [RemoveFile], isOwn: Bool, restores: Bool, _ version: Int64
    ) {
        var takesOwn = false
        var takesForeign = false
        for file in removes {
            if ownFiles.removeValue(forKey: file.path) != nil {
                takesOwn = true
            } else if foreignFiles.removeValue(forKey: file.path) != nil {
                takesForeign = true
            } else {
                find(version, "\(file.path) is removed, but is not live")
            }
        }
        let changesData =
            adds.contains(where: \.dataChange) || removes.contains(where: \.dataChange)
        if !isOwn, takesOwn, changesData {
            find(version, "another program changed rows that this output wrote")
        }
        if !isOwn, takesOwn, takesForeign { isMixed = true }
        for file in adds {
            if ownFiles[file.path] != nil || foreignFiles[file.path] != nil {
                find(version, "the file \(file.path) is named twice: it is live already")
            } else if let before = everAdded[file.path], isOwn, !restores {
                find(version, "the file \(file.path) is named twice: version \(before) added it")
            }
            everAdded[file.path] = version
            if isOwn || takesOwn {
                ownFiles[file.path] = file
            } else {
                foreignFiles[file.path] = file
            }
        }
    }

    /// Every live file of ours is there, as long as the log says, with as many rows in its footer.
    public func fileFindings(_ store: any DeltaStore) throws(Failure) -> [String] {
        var findings: [String] = []
        for path in ownFiles.keys.sorted() {
            guard let file = ownFiles[path] else { continue }
            let name = DataFileReader.storePath(path)
            guard let size = try store.byteCount(name) else {
                findings.append("the live file \(name) is missing")
                continue
            }
            guard Int64(size) == file.byteCount else {
                findings.append("\(name) has \(size) bytes, the log says \(file.byteCount)")
                continue
            }
            do {
                let rows = try DataFileReader.footerRowCount(name, byteCount: size, store)
                if let told = file.rowCount, told != Int64(rows) {
                    findings.append("\(name) has \(rows) rows, the log says \(told)")
                }
            } catch {
                findings.append("\(name) can't be read: \(error.message)")
            }
        }
        return findings
    }

    /// The epoch in a data file's name: `…/generation/epoch/incarnation-n.parquet`.
    static func marker(of path: String) -> Marker? {
        let parts = path.split(separator: "/")
        guard parts.count >= 3, let generation = UInt64(parts[parts.count - 3]),
            let epoch = UInt64(parts[parts.count - 2])
        else { return nil }
        return Marker(generation: generation, epoch: epoch, incarnation: 0)
    }
}
