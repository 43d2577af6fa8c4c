// Taking back what a table got above a checkpoint (design.md §3.9), in one log entry.
//
// The log is played again from the version before our first entry above the checkpoint, without
// these entries. So others' appends stay, and so do their deletes of rows that stay; a rewrite of
// theirs that changed no data is overridden where it mixed rows that stay with rows that go: the
// files that it replaced come back. A change of data in rows that go cannot be told apart from them
// any more: refused by version. An append entry of a group of epochs that lies across the
// checkpoint is cut by the epoch in its files' names; of an updated table such an entry is skipped
// whole, and the rows of its epochs up to the checkpoint, which were open then, are merged again.

public import Contracts
import Environment
public import Progress

/// Where a table is to be brought back to.
public struct DeltaRestoreRequest: Sendable {
    public let target: Marker
    /// Epochs up to the target that were open at it, ascending: their rows are at hand.
    public let open: [Marker]
    public let isUpsert: Bool

    public init(target: Marker, open: [Marker], isUpsert: Bool) {
        self.target = target
        self.open = open
        self.isUpsert = isUpsert
    }
}

extension DeltaCommitter {
    /// Brings the table back in an entry that carries `epoch`'s marker. `known` and what names
    /// files: as for `upsert`. `rows`: the fold of some of the open epochs.
    public mutating func restore(
        _ request: DeltaRestoreRequest, as epoch: DeltaEpochIntent, known: [Marker],
        incarnation: UInt64, numbers: FileNumbers, options: DeltaWriteOptions,
        rows: (Set<Marker>) throws(Failure) -> DeltaUpsertRows
    ) throws(Failure) -> DeltaCommitOutcome {
        for _ in 0..<Self.attemptLimit {
            let (start, outcome) = try prepare([epoch], known: known)
            guard let snapshot = start.snapshot, outcome == nil else {
                return outcome ?? .nothing
            }
            try snapshot.checkWritable(removes: true)
            let past = try past(request, of: snapshot)
            var wanted = past.files
            var writer: DeltaEpochWriter?
            if !past.merged.isEmpty {
                var base = snapshot
                base.files = wanted
                let merge = UpsertMerge(
                    snapshot: base, shape: try snapshot.shape(for: output), output: output,
                    store: store)
                var naming = epoch.marker
                naming.incarnation = incarnation
                let clock = clock
                let merging = DeltaEpochWriter(
                    store: store, shape: merge.shape, marker: naming, numbers: numbers,
                    options: options, now: { clock.now() / 1_000 })
                writer = merging
                do {
                    for file in try merge.run(try rows(past.merged), into: merging) {
                        wanted[file.path] = nil
                    }
                    for file in try merging.close() { wanted[file.path] = file }
                } catch {
                    merging.abandon()
                    throw error
                }
            }
            let actions = exchange(snapshot, for: wanted, as: epoch)
            Failpoint.pass("delta.before_restore", identity.sink)
            if let version = try put(actions, after: snapshot) {
                Failpoint.pass("delta.restored", identity.sink)
                return .committed(version: version)
            }
            writer?.abandon()
        }
        return .conflict("\(Self.attemptLimit) races for the table's next version were lost")
    }

    /// Throws where the table can't be brought back exactly, as it stands now.
    public mutating func checkRestore(_ request: DeltaRestoreRequest) throws(Failure) {
        guard let snapshot = try currentSnapshot() else { return }
        _ = try past(request, of: snapshot)
    }

    private func exchange(
        _ snapshot: DeltaSnapshot, for wanted: [String: AddFile], as epoch: DeltaEpochIntent
    ) -> [DeltaAction] {
        let removed = snapshot.files.keys.sorted().filter { wanted[$0] == nil }
        let added = wanted.keys.sorted().filter { snapshot.files[$0] == nil }
            .compactMap { wanted[$0] }
        let marker = markerActions(
            [epoch], after: snapshot, operation: "RESTORE", mode: "Overwrite",
            isBlindAppend: false, added: added, removedCount: removed.count)
        let removes = removed.compactMap { snapshot.files[$0] }.map { file in
            DeltaAction.remove(
                RemoveFile(
                    path: file.path, deletionTimestamp: nowMilliseconds, dataChange: true,
                    partitionValues: file.partitionValues, byteCount: file.byteCount))
        }
        return marker + removes + added.map { .add($0) }
    }

    /// The files that the table had at the target, and the open epochs that are to be merged into
    /// them.
    private func past(
        _ request: DeltaRestoreRequest, of snapshot: DeltaSnapshot
    ) throws(Failure) -> (files: [String: AddFile], merged: Set<Marker>) {
        guard let first = try firstVersion(above: request.target, of: snapshot) else {
            return (snapshot.files, [])
        }
        guard let base = try log.snapshot(version: first - 1), base.version == first - 1 else {
            throw lost(version: first - 1)
        }
        var replay = RestoreReplay(
            identity: identity, location: store.location, request: request, files: base.files)
        for version in first...snapshot.version {
            guard let actions = try log.entry(version) else { throw lost(version: version) }
            try replay.apply(actions, version: version)
        }
        for path in replay.files.keys.sorted() where snapshot.files[path] == nil {
            guard try store.byteCount(FilePath.decode(path)) == nil else { continue }
            throw Failure(
                .invalid, "rewind.file_missing",
                "\(store.location)/\(FilePath.decode(path)), which held rows at epoch "
                    + "\(request.target.epoch), is gone: a vacuum has removed it",
                hint: "rewind to a later checkpoint")
        }
        return (replay.files, replay.merged)
    }

    /// Our first entry with an epoch above `target`; nil: there is none. Markers rise along the log
    /// but for entries that a restore has taken back, and those were all above its target.
    private func firstVersion(
        above target: Marker, of snapshot: DeltaSnapshot
    ) throws(Failure) -> Int64? {
        guard let newest = snapshot.marker(identity), newest > target else { return nil }
        var first: Int64?
        var version = snapshot.version
        while version > 0 {
            guard let actions = try log.entry(version) else { throw lost(version: version) }
            let row = DeltaLog.row(version, fileTime: 0, actions)
            if row.pipelineID == identity.pipelineID, row.sink == identity.sink,
                let last = row.markers.last
            {
                if last <= target { break }
                first = version
            }
            version -= 1
        }
        return first
    }

    private func lost(version: Int64) -> Failure {
        Failure(
            .invalid, "rewind.log_missing",
            "the log of \(store.location) no longer has version \(version), which the rewind needs",
            hint: "rewind to a later checkpoint")
    }
}

/// The log played without our own entries above the target.
private struct RestoreReplay {
    let identity: DeltaWriterIdentity
    let location: String
    let request: DeltaRestoreRequest
    /// What lives.
    private(set) var files: [String: AddFile]
    /// Open epochs whose rows stood in an entry that was skipped.
    private(set) var merged: Set<Marker> = []
    /// What lives in the real log, or did, and never came to be here.
    private var gone: Set<String> = []
    private var target: Marker { request.target }

    init(
        identity: DeltaWriterIdentity, location: String, request: DeltaRestoreRequest,
        files: [String: AddFile]
    ) {
        self.identity = identity
        self.location = location
        self.request = request
        self.files = files
    }

    mutating func apply(_ actions: [DeltaAction], version: Int64) throws(Failure) {
        let row = DeltaLog.row(version, fileTime: 0, actions)
        let isOwn = row.pipelineID == identity.pipelineID && row.sink == identity.sink
        if isOwn, let last = row.markers.last, last > target {
            try skip(actions, row.markers.filter { $0 <= target }, version)
        } else {
            try applyForeign(actions, version)
        }
    }

    /// One of our own entries above the target; `kept`: the epochs of it that stay.
    private mutating func skip(
        _ actions: [DeltaAction], _ kept: [Marker], _ version: Int64
    ) throws(Failure) {
        if request.isUpsert {
            let open = Set(request.open)
            guard kept.allSatisfy(open.contains) else {
                throw Failure(
                    .invalid, "rewind.inexact",
                    "epoch \(target.epoch) lies inside a commit of several epochs (version "
                        + "\(version) of \(location)), which an updated table can't take back in "
                        + "part",
                    hint: nil)
            }
            merged.formUnion(kept)
        }
        for case .add(let file) in actions {
            if !request.isUpsert, !kept.isEmpty, let marker = DeltaAudit.marker(of: file.path),
                marker <= target
            {
                files[file.path] = file
            } else {
                gone.insert(file.path)
            }
        }
    }

    private mutating func applyForeign(
        _ actions: [DeltaAction], _ version: Int64
    ) throws(Failure) {
        var added: [AddFile] = []
        var removed: [String] = []
        var changesData = false
        for action in actions {
            if case .add(let file) = action {
                added.append(file)
                changesData = changesData || file.dataChange
            }
            if case .remove(let file) = action {
                removed.append(file.path)
                changesData = changesData || file.dataChange
            }
        }
        guard removed.contains(where: gone.contains) else {
            for path in removed { files[path] = nil }
            for file in added { files[file.path] = file }
            return
        }
        guard !changesData else {
            throw Failure(
                .invalid, "rewind.foreign_change",
                "version \(version) of \(location), written by another program, changed rows of "
                    + "epochs above \(target.epoch): what it did can't be taken apart",
                hint: "restore the table by hand, or rewind to a checkpoint after that version")
        }
        gone.formUnion(added.map(\.path))
    }
}
