// A state directory: lock, identity, and everything a restart needs, in one RocksDB.

public import Contracts
public import Environment
public import Progress
import State

/// The durable side of a pipeline. One process at a time has it open (`LOCK`).
public final class StateDirectory: Sendable {
    /// Raised when the layout changes; another number is refused.
    public static let formatVersion: UInt64 = 1

    public let path: String
    public let identity: Identity
    /// What processes before this one may have left behind.
    public let leftovers: [Leftover]
    let store: RocksStore
    let lock: FileLock?

    init(
        path: String, identity: Identity, store: RocksStore, lock: FileLock?,
        leftovers: [Leftover] = []
    ) {
        self.leftovers = leftovers
        self.path = path
        self.identity = identity
        self.store = store
        self.lock = lock
    }

    /// Opens the directory for a run: takes the lock, makes the pipeline's id if it is new, draws
    /// an incarnation. Fails with kind `fenced` if another process holds it.
    public static func open(
        path: String, entropy: Entropy
    ) throws(Failure) -> StateDirectory {
        let hasFormat = try StateFormat.check(path)
        try LocalFiles.makeFolder(path)
        guard let lock = try FileLock(path + "/LOCK") else {
            throw Failure(
                .fenced, "state.in_use",
                "the state directory \(path) is in use by another process",
                hint: "stop the other process, or give this one its own --state")
        }
        Failpoint.pass("state.locked")
        try finishRewind(path)
        try refuseDamage(path, hasFormat: hasFormat)
        try sweepRetained(path)
        try probe(path)
        let store = try opened(path + "/db", readOnly: false)
        Failpoint.pass("state.opened")
        let incarnation = entropy.next() >> 1
        if let stored = try store.get(StateKeys.identity) {
            let (pipelineID, generation) = try decodeIdentity(stored, path: path)
            let identity = Identity(
                pipelineID: pipelineID, generation: generation, incarnation: incarnation)
            var batch = RocksBatch()
            let leftovers = try noteStart(identity, in: store, &batch)
            try store.write(batch)
            Failpoint.pass("state.start_noted")
            if !hasFormat { try StateFormat.write(path) }
            return StateDirectory(
                path: path, identity: identity, store: store, lock: lock, leftovers: leftovers)
        }
        let identity = Identity(
            pipelineID: entropy.uuid(), generation: 1, incarnation: incarnation)
        var batch = RocksBatch()
        batch.put(StateKeys.identity, encode(identity))
        _ = try noteStart(identity, in: store, &batch)
        Failpoint.pass("state.identity.before_write")
        try store.write(batch)
        Failpoint.pass("state.identity.written")
        try StateFormat.write(path)
        Failpoint.pass("state.identity.durable")
        return StateDirectory(path: path, identity: identity, store: store, lock: lock)
    }

    /// Looks before anything is written: a store that is damaged, or older than what is kept of it,
    /// stays as it is.
    private static func refuseDamage(_ path: String, hasFormat: Bool) throws(Failure) {
        try refuseHeadless(path)
        guard LocalFiles.exists(path + "/db/CURRENT") else {
            guard hasFormat else { return }
            throw Failure(
                .failed, "state.damaged", "\(path)/db is damaged: its file CURRENT is gone",
                hint: damagedHint)
        }
        let store = try opened(path + "/db", readOnly: true)
        guard let identity = try store.get(StateKeys.identity) else {
            guard hasFormat else { return }
            throw Failure(
                .failed, "state.damaged",
                "\(path)/db is damaged: it lacks the pipeline's identity, so a write-ahead log "
                    + "(….log), a data file (….sst) or part of \(manifest(path)) is gone",
                hint: damagedHint)
        }
        _ = try decodeIdentity(identity, path: path)
        let current = try store.get(StateKeys.current)
            .map { bytes throws(Failure) in try EpochRecord(decoding: bytes).marker }
        if let newest = retained(in: path).last, newest.marker > (current ?? .none) {
            throw Failure(
                .failed, "state.damaged",
                "\(path)/db has lost writes: it stands at epoch \(current?.epoch ?? 0), but "
                    + "\(newest.path) keeps epoch \(newest.epoch); a write-ahead log (….log) or "
                    + "\(manifest(path)) was cut or removed, or db is an older copy",
                hint: damagedHint)
        }
    }

    /// Opens the directory to look at it, also while a run has it.
    public static func inspect(path: String) throws(Failure) -> StateDirectory {
        guard LocalFiles.exists(path + "/db") || LocalFiles.exists(path + "/rewind.ready") else {
            throw Failure(
                .failed, "state.missing", "there is no state in \(path)",
                hint: "name the directory with --state: a state directory has a folder db in it")
        }
        try refuseHeadless(path)
        let ready = path + "/" + RewindFolder.ready
        let store = try opened(LocalFiles.exists(ready) ? ready : path + "/db", readOnly: true)
        guard let stored = try store.get(StateKeys.identity) else {
            throw Failure(
                .failed, "state.foreign",
                "\(path)/db is a RocksDB, but holds no state of Millrace",
                hint: "name another directory with --state")
        }
        let (pipelineID, generation) = try decodeIdentity(stored, path: path)
        let identity = Identity(pipelineID: pipelineID, generation: generation, incarnation: 0)
        return StateDirectory(path: path, identity: identity, store: store, lock: nil)
    }

    /// Fails in words where nothing can be written: RocksDB aborts the process if its first writes
    /// find a full disk.
    private static func probe(_ path: String) throws(Failure) {
        let file = path + "/PROBE"
        try LocalFiles.remove(file)
        do {
            let output = try OutputFile(creating: file)
            try output.write([UInt8](repeating: 0, count: probeBytes))
            try output.sync()
        } catch {
            try? LocalFiles.remove(file)
            throw error
        }
        try LocalFiles.remove(file)
    }

    /// More than RocksDB writes while it opens an empty store.
    private static let probeBytes = 256 << 10

    /// RocksDB takes a folder without CURRENT for a new one and removes what it finds there.
    private static func refuseHeadless(_ path: String) throws(Failure) {
        let names = LocalFiles.list(path + "/db")
        guard !names.contains("CURRENT"),
            let data = names.first(where: { $0.hasSuffix(".log") || $0.hasSuffix(".sst") })
        else { return }
        throw Failure(
            .failed, "state.damaged",
            "\(path)/db is damaged: it has data (\(data)) but no file CURRENT",
            hint: damagedHint)
    }

    private static func manifest(_ path: String) -> String {
        LocalFiles.list(path + "/db").last { $0.hasPrefix("MANIFEST") } ?? "its MANIFEST"
    }

    static func opened(_ database: String, readOnly: Bool) throws(Failure) -> RocksStore {
        do {
            return try RocksStore(path: database, readOnly: readOnly)
        } catch {
            throw Failure(
                .failed, "state.damaged", error.message, hint: error.hint ?? damagedHint)
        }
    }

    static let damagedHint =
        "restore the state directory from a backup; with a new --state, --adopt goes on where "
        + "the outputs stand"

    static func encode(_ identity: Identity) -> [UInt8] {
        var writer = RecordWriter()
        writer.varint(formatVersion)
        writer.string(identity.pipelineID)
        writer.varint(identity.generation)
        return writer.bytes
    }

    static func decodeIdentity(
        _ bytes: [UInt8], path: String
    ) throws(Failure) -> (pipelineID: String, generation: UInt64) {
        var reader = RecordReader(bytes, subject: "identity in \(path)")
        let version = try reader.varint()
        guard version == formatVersion else {
            throw Failure(
                .failed, "state.version",
                "\(path) has state of format \(version), this build reads \(formatVersion)",
                hint: "run it with the version that wrote it, or start with a new --state")
        }
        return (try reader.string(), try reader.varint())
    }
}

// MARK: What a start reads

extension StateDirectory {
    /// The newest epoch; nil in a directory that never finished epoch 0.
    public func currentEpoch() throws(Failure) -> EpochRecord? {
        guard let bytes = try store.get(StateKeys.current) else { return nil }
        return try EpochRecord(decoding: bytes)
    }

    /// Summaries of the epochs that are kept, oldest first.
    public func history() throws(Failure) -> [EpochRecord] {
        var records: [EpochRecord] = []
        try store.forEach(prefix: StateKeys.history) { (_, value) throws(Failure) in
            records.append(try EpochRecord(decoding: value))
            return true
        }
        return records
    }

    /// Where each source partition stands.
    public func offsets() throws(Failure) -> [PartitionOffset] {
        try positions(StateKeys.offsets)
    }

    /// Where the pipeline began to read each partition; one whose beginning is not known (of an
    /// adopted pipeline, of an earlier build) is not among them.
    public func beginnings() throws(Failure) -> [PartitionOffset] {
        try positions(StateKeys.beginnings)
    }

    private func positions(_ prefix: [UInt8]) throws(Failure) -> [PartitionOffset] {
        var offsets: [PartitionOffset] = []
        try store.forEach(prefix: prefix) { (_, value) throws(Failure) in
            var reader = RecordReader(value, subject: "offset")
            offsets.append(try PartitionOffset(from: &reader))
            return true
        }
        return offsets
    }

    /// What is known of a target: the trim mark and open intents' markers, in order.
    public func history(of target: TargetID) throws(Failure) -> TargetHistory {
        var history = TargetHistory(target: target)
        if let bytes = try store.get(StateKeys.target(StateKeys.trims, target)) {
            var reader = RecordReader(bytes, subject: "trim mark")
            history.trimmed = try Marker(from: &reader)
        }
        history.open = try openIntents(of: target).map(\.marker)
        history.adopted = try adopted(target)?.marker
        try store.forEach(prefix: StateKeys.target(StateKeys.dropped, target)) {
            (_, value) throws(Failure) in
            var reader = RecordReader(value, subject: "dropped intent")
            history.dropped.append(try Marker(from: &reader))
            return true
        }
        return history
    }

    /// The intents of a target that are not trimmed, in epoch order.
    public func openIntents(of target: TargetID) throws(Failure) -> [OpenIntent] {
        var open: [OpenIntent] = []
        let prefix = StateKeys.target(StateKeys.intents, target)
        try store.forEach(prefix: prefix) { (key, value) throws(Failure) in
            if StateKeys.isIntentHeader(key) {
                let header = try StateDirectory.decodeHeader(value)
                open.append(
                    OpenIntent(
                        marker: header.marker, byteCount: 0, isRestore: header.restores != nil))
            } else if let last = open.popLast() {
                open.append(
                    OpenIntent(
                        marker: last.marker, byteCount: last.byteCount + value.count,
                        isRestore: last.isRestore))
            }
            return true
        }
        return open
    }

    /// One open intent, whole.
    public func intent(of target: TargetID, marker: Marker) throws(Failure) -> Intent {
        var header: IntentHeader?
        var parts: [[UInt8]] = []
        try store.forEach(prefix: StateKeys.intent(target, marker)) {
            (key, value) throws(Failure) in
            if StateKeys.isIntentHeader(key) {
                header = try StateDirectory.decodeHeader(value)
            } else {
                parts.append(value)
            }
            return true
        }
        guard let header, header.marker == marker else {
            throw Failure(
                .failed, "state.intent_missing",
                "the intent of epoch \(marker.epoch) is not in \(path)",
                hint: "the state directory is damaged: restore it from a backup")
        }
        return Intent(
            target: target, marker: marker, offsets: header.offsets, parts: parts,
            restores: header.restores)
    }

    struct IntentHeader {
        let marker: Marker
        let offsets: [PartitionOffset]
        let restores: Marker?
    }

    /// The last part stands only in a restore's header.
    static func encodeHeader(_ intent: Intent) -> [UInt8] {
        var writer = RecordWriter()
        intent.marker.write(to: &writer)
        writer.varint(UInt64(intent.offsets.count))
        for offset in intent.offsets { offset.write(to: &writer) }
        if let restored = intent.restores {
            writer.byte(1)
            restored.write(to: &writer)
        }
        return writer.bytes
    }

    static func decodeHeader(_ bytes: [UInt8]) throws(Failure) -> IntentHeader {
        var reader = RecordReader(bytes, subject: "intent")
        let marker = try Marker(from: &reader)
        var offsets: [PartitionOffset] = []
        for _ in 0..<(try reader.varint()) { offsets.append(try PartitionOffset(from: &reader)) }
        var restored: Marker?
        if !reader.isAtEnd, try reader.byte() == 1 { restored = try Marker(from: &reader) }
        return IntentHeader(marker: marker, offsets: offsets, restores: restored)
    }

    /// Every operator id that has state stored.
    public func storedOperators() throws(Failure) -> Set<UInt64> {
        Set(try currentEpoch()?.minima.keys.map { $0 } ?? [])
    }
}
