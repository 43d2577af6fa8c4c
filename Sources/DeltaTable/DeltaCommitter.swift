// Committing epochs to a table's log, exactly once (design.md §3.2–§3.8).
//
// What makes it exact: the log entry that adds an epoch's files says so itself, in `txn` actions
// that every later checkpoint keeps. Before each attempt the newest marker of this output is read
// from the newest snapshot. It must be one that the caller knows; epochs at or below it have
// landed; the rest is appended in one entry, put only if the version is free. A lost race starts
// over with the snapshot that the winner made. Nothing is ever decided from a failed call: that one
// is thrown, the process ends, and the next start reads the table.

public import Contracts
public import Environment
public import Progress
import Types

/// One epoch's files, as its intent keeps them.
public struct DeltaEpochIntent: Sendable {
    public let marker: Marker
    public let files: [AddFile]
    /// Where the sources stood at the epoch's barrier: for whoever adopts the table.
    public let offsets: [PartitionOffset]

    public init(marker: Marker, files: [AddFile], offsets: [PartitionOffset] = []) {
        self.marker = marker
        self.files = files
        self.offsets = offsets
    }
}

/// How a commit went. Only `committed` and `nothing` resolve the intents.
public enum DeltaCommitOutcome: Sendable, Hashable {
    /// The epochs are in the table as of this version: by this call or already before it.
    case committed(version: Int64)
    /// There was nothing to write.
    case nothing
    /// The table's marker is none that the caller knows: stale or rolled back (exit 4).
    case fenced(found: Marker)
    /// Another pipeline has filled the table by the same output (exit 4, design.md §3.8).
    case occupied([String: Marker])
    /// Protocol or metadata changed under the writer, or too many races were lost.
    case conflict(String)
}

/// Commits the epochs of one output to one table. One at a time for a table; not for two threads.
public struct DeltaCommitter {
    public let store: any DeltaStore
    public let identity: DeltaWriterIdentity
    public let output: TableShape
    let log: DeltaLog
    let clock: Clock
    let entropy: Entropy
    var snapshot: DeltaSnapshot?
    /// Markers of other pipelines under the same output that the user has accepted (`--adopt`,
    /// `--beside`).
    public var acceptedMarkers: [String: Marker] = [:]
    /// Why the last checkpoint could not be written; it is tried again at the next commit.
    public private(set) var checkpointFailure: Failure?
    private var durableMarker: Marker?

    /// Races lost in a row before a commit is given back to the caller.
    static let attemptLimit = 100

    public init(
        store: any DeltaStore, identity: DeltaWriterIdentity, output: TableShape,
        clock: Clock = .system, entropy: Entropy = .system
    ) {
        self.store = store
        self.identity = identity
        self.output = output
        self.clock = clock
        self.entropy = entropy
        log = DeltaLog(store)
    }

    var nowMilliseconds: Int64 { clock.now() / 1_000 }

    /// The table as of now; nil if there is none. Each call reads what is new.
    public mutating func currentSnapshot() throws(Failure) -> DeltaSnapshot? {
        if let snapshot {
            self.snapshot = try log.refresh(snapshot)
        } else {
            snapshot = try log.snapshot()
        }
        return snapshot
    }

    /// The newest marker of this output, durable before it is told; `Marker.none` if there is none.
    public mutating func newestMarker() throws(Failure) -> Marker {
        guard let snapshot = try currentSnapshot() else { return .none }
        return try durable(snapshot)
    }

    /// Creates the table unless it is there; a table that is there must fit the output.
    public mutating func createTable(
        configuration: [String: String] = [:]
    ) throws(Failure) {
        if let found = try currentSnapshot() {
            // Who wrote it may have died before its name was durable, and our entries stand on it.
            try synchronizeLog(entry: found.version)
        } else {
            let metadata = TableMetadata(
                id: entropy.uuid(), schemaString: try DeltaSchema.encode(output.schema),
                partitionColumns: output.partitionNames, configuration: configuration,
                createdTime: nowMilliseconds)
            let information = JSONValue.object([
                .init("timestamp", .integer(nowMilliseconds)),
                .init("operation", .string("CREATE TABLE")),
                .init("operationParameters", .object([:])),
                .init("engineInfo", .string(Self.engine)), .init("txnId", .string(entropy.uuid())),
            ])
            let entry = DeltaAction.entry([
                .commitInfo(information),
                .tableProtocol(DeltaSchema.requiredProtocol(output.schema)), .metadata(metadata),
            ])
            Failpoint.pass("delta.before_create", identity.sink)
            // Whoever creates it first: what counts is what the log then says. Another's entry is
            // made durable, for ours stand on it.
            if case .exists = try store.putIfAbsent(DeltaLog.entryPath(0), entry) {
                try synchronizeLog(entry: 0)
            }
            Failpoint.pass("delta.created", identity.sink)
        }
        guard let snapshot = try currentSnapshot() else {
            throw Failure(.failed, "delta.create", "the table at \(store.location) is not there")
        }
        try snapshot.checkWritable(removes: false)
        _ = try snapshot.shape(for: output)
    }

    static let engine = "Millrace/1.0.0"

    // MARK: Appends

    /// Appends the files of epochs (ascending, of one generation) that are not yet in the table, in
    /// one log entry. `known`: the trim mark and the intents made since; `Marker.none` among them
    /// only if this output has never committed.
    public mutating func append(
        _ epochs: [DeltaEpochIntent], known: [Marker]
    ) throws(Failure) -> DeltaCommitOutcome {
        var base: DeltaSnapshot?
        for _ in 0..<Self.attemptLimit {
            let (start, outcome) = try prepare(epochs, known: known)
            guard let snapshot = start.snapshot, outcome == nil else {
                return outcome ?? .nothing
            }
            if let base, let reason = Self.change(from: base, to: snapshot) {
                return .conflict(reason)
            }
            if base == nil {
                try snapshot.checkWritable(removes: false)
                _ = try snapshot.shape(for: output)
                base = snapshot
            }
            let files = start.remaining.flatMap(\.files)
            guard !files.isEmpty else { return .nothing }
            let actions = markerActions(
                start.remaining, after: snapshot, operation: "STREAMING UPDATE", mode: "Append",
                isBlindAppend: true, added: files, removedCount: 0)
            if let version = try put(actions + files.map { .add($0) }, after: snapshot) {
                return .committed(version: version)
            }
        }
        return .conflict("\(Self.attemptLimit) races for the table's next version were lost")
    }

    struct Start {
        var snapshot: DeltaSnapshot?
        /// Epochs that the table does not have.
        var remaining: [DeltaEpochIntent]
    }

    /// Reads the table and its marker; gives what is still to be written, or how it ended.
    mutating func prepare(
        _ epochs: [DeltaEpochIntent], known: [Marker]
    ) throws(Failure) -> (Start, DeltaCommitOutcome?) {
        require(
            zip(epochs, epochs.dropFirst()).allSatisfy { $0.marker < $1.marker },
            "epochs out of order")
        require(
            Set(epochs.map(\.marker.generation)).count <= 1, "epochs of two generations")
        guard let snapshot = try currentSnapshot() else {
            throw Failure(
                .failed, "delta.table_missing", "the table at \(store.location) is gone")
        }
        if Mutant.skipMarkerLookup.isActive {
            return (Start(snapshot: snapshot, remaining: epochs), nil)
        }
        let newest = try durable(snapshot)
        let accepted = Set((known + epochs.map(\.marker)).map(\.inDelta))
        let isAccepted = Mutant.markerNotBelow.isActive && known.contains { newest >= $0 }
        guard isAccepted || accepted.contains(newest) else {
            return (Start(snapshot: nil, remaining: []), .fenced(found: newest))
        }
        if newest == .none {
            var others = snapshot.markers(sink: identity.sink)
            others[identity.pipelineID] = nil
            if others != acceptedMarkers {
                return (Start(snapshot: nil, remaining: []), .occupied(others))
            }
        }
        let remaining = epochs.filter { $0.marker > newest }
        if remaining.isEmpty, !epochs.isEmpty {
            return (Start(snapshot: nil, remaining: []), .committed(version: snapshot.version))
        }
        return (Start(snapshot: snapshot, remaining: remaining), nil)
    }

    /// Why an append may not simply move on to a newer version (PROTOCOL.md leaves it to writers).
    static func change(from base: DeltaSnapshot, to new: DeltaSnapshot) -> String? {
        if base.tableProtocol != new.tableProtocol {
            return "the table's protocol changed at or before version \(new.version)"
        }
        if base.metadata != new.metadata {
            return "the table's metadata changed at or before version \(new.version)"
        }
        return nil
    }

    /// The newest marker; fsyncs the entry it stands in if this process has not done so.
    private mutating func durable(_ snapshot: DeltaSnapshot) throws(Failure) -> Marker {
        guard let newest = snapshot.newestTransaction(identity) else { return .none }
        if durableMarker != newest.marker {
            try synchronizeLog(entry: newest.seen.entryVersion)
            durableMarker = newest.marker
        }
        return newest.marker
    }

    /// Makes an entry durable; nil, or one that was cleaned up, stands in a checkpoint: then all
    /// that the log has left.
    private func synchronizeLog(entry version: Int64?) throws(Failure) {
        if let version, try store.byteCount(DeltaLog.entryPath(version)) != nil {
            return try store.synchronize(DeltaLog.entryPath(version))
        }
        for file in try store.list(DeltaLog.folder, from: "") {
            let isEntry = file.name.hasSuffix(".json") || file.name.hasSuffix(".parquet")
            if isEntry, !file.name.hasPrefix(".") {
                try store.synchronize("\(DeltaLog.folder)/\(file.name)")
            }
        }
    }

    /// commitInfo and the `txn` actions of a group of epochs.
    func markerActions(
        _ epochs: [DeltaEpochIntent], after snapshot: DeltaSnapshot, operation: String,
        mode: String, isBlindAppend: Bool, added: [AddFile], removedCount: Int
    ) -> [DeltaAction] {
        guard let last = epochs.last else { bug("a commit of no epochs") }
        let now = nowMilliseconds
        let rows = added.reduce(0) { $0 + (FileStatistics.rowCount($1.statistics) ?? 0) }
        let listed = epochs.map { epoch in
            JSONValue.object([
                .init("epoch", .integer(epoch.marker.epoch)),
                .init("incarnation", .string(String(epoch.marker.incarnation, radix: 16))),
            ])
        }
        let partitions = output.partitionNames.map { JSONValue.string($0) }
        let information = JSONValue.object([
            .init("timestamp", .integer(now)), .init("operation", .string(operation)),
            .init(
                "operationParameters",
                .object([
                    .init("mode", .string(mode)),
                    .init("partitionBy", .string(JSONValue.array(partitions).text)),
                ])),
            .init("isBlindAppend", .bool(isBlindAppend)),
            .init(
                "operationMetrics",
                .object([
                    .init("numOutputRows", .string(String(rows))),
                    .init("numAddedFiles", .string(String(added.count))),
                    .init("numRemovedFiles", .string(String(removedCount))),
                ])),
            .init("engineInfo", .string(Self.engine)), .init("txnId", .string(entropy.uuid())),
            .init(
                "millrace",
                .object([
                    .init("pipeline", .string(identity.pipelineID)),
                    .init("sink", .string(identity.sink)),
                    .init("generation", .integer(last.marker.generation)),
                    .init("epochs", .array(listed)),
                    .init("offsets", SourceOffsets.json(last.offsets)),
                ])),
        ])
        return [
            .commitInfo(information),
            .transaction(
                TransactionIdentifier(
                    applicationID: identity.epochID(generation: last.marker.generation),
                    version: Int64(clamping: last.marker.epoch), lastUpdated: now)),
            .transaction(
                TransactionIdentifier(
                    applicationID: identity.incarnationID,
                    version: Int64(last.marker.inDelta.incarnation), lastUpdated: now)),
        ] + SourceOffsets.transactions(last.offsets, identity, after: snapshot, now: now)
    }

    /// Puts the entry behind `snapshot`. nil: the race is lost. A throw leaves the outcome unknown.
    mutating func put(
        _ actions: [DeltaAction], after snapshot: DeltaSnapshot
    ) throws(Failure) -> Int64? {
        let version = snapshot.version + 1
        Failpoint.pass("delta.before_commit", identity.sink)
        switch try store.putIfAbsent(DeltaLog.entryPath(version), DeltaAction.entry(actions)) {
        case .created: break
        case .exists:
            // An attempt of our own whose answer was lost counts as ours (lakehouse.md §1.2).
            guard let winner = try store.read(DeltaLog.entryPath(version)),
                Self.transactionID(try DeltaAction.parse(winner)) == Self.transactionID(actions)
            else { return nil }
            try store.synchronize(DeltaLog.entryPath(version))
        }
        Failpoint.pass("delta.after_commit", identity.sink)
        var current = snapshot
        for action in actions { current.apply(action, entryVersion: version) }
        current.version = version
        durableMarker = current.newestTransaction(identity)?.marker
        self.snapshot = current
        writeCheckpoint()
        return version
    }

    private static func transactionID(_ actions: [DeltaAction]) -> String? {
        for case .commitInfo(let value) in actions { return value["txnId"]?.string }
        return nil
    }

    /// Every so many versions. What cannot be written now is tried again at the next commit: the
    /// table is whole without it.
    private mutating func writeCheckpoint() {
        guard let snapshot else { return }
        let configured = snapshot.metadata.configuration["delta.checkpointInterval"]
        let interval = max(1, configured.flatMap { Int64($0) } ?? CheckpointWriter.interval)
        guard snapshot.version >= (snapshot.checkpointVersion ?? 0) + interval else { return }
        do {
            try CheckpointWriter(store: store).write(snapshot, now: nowMilliseconds)
            self.snapshot?.checkpointVersion = snapshot.version
            checkpointFailure = nil
        } catch {
            checkpointFailure = error
        }
    }
}
