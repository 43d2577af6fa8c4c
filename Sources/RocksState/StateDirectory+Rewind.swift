// Going back to a kept checkpoint (design.md §3.9).
//
// The new store is made beside the old one, from the checkpoint, with one write that says what is
// different since: the next generation; for each sink that may hold more than the checkpoint, the
// markers that it may show (they were dropped, their names stay known) and the restore, an intent
// of its own behind those that were open at the checkpoint. One rename, to `rewind.ready`, decides:
// before it nothing has happened, after it every start finishes what is left to do. Sinks are
// touched by the next run only.

public import Contracts
import Environment
public import Progress

/// Folders beside `db` while a rewind is made.
enum RewindFolder {
    /// Being made.
    static let draft = "rewind.tmp"
    /// Whole: it takes the place of `db`.
    static let ready = "rewind.ready"
    /// The store that was.
    static let replaced = "rewind.replaced"
}

extension StateDirectory {
    /// A kept checkpoint as a directory to read from; the identity is that of its time.
    public static func inspect(_ checkpoint: RetainedCheckpoint) throws(Failure) -> StateDirectory {
        let store = try opened(checkpoint.path, readOnly: true)
        guard let stored = try store.get(StateKeys.identity) else {
            throw Failure(
                .failed, "state.damaged", "\(checkpoint.path) lacks the pipeline's identity",
                hint: damagedHint)
        }
        let (pipelineID, generation) = try decodeIdentity(stored, path: checkpoint.path)
        return StateDirectory(
            path: checkpoint.path,
            identity: Identity(pipelineID: pipelineID, generation: generation, incarnation: 0),
            store: store, lock: nil)
    }

    /// Every target that the directory knows something of.
    public func knownTargets() throws(Failure) -> [TargetID] {
        var targets: Set<TargetID> = []
        for prefix in [StateKeys.intents, StateKeys.trims, StateKeys.dropped] {
            try store.forEach(prefix: prefix) { (key, _) throws(Failure) in
                targets.insert(key.dropFirst().prefix(8).reduce(0) { $0 << 8 | TargetID($1) })
                return true
            }
        }
        return targets.sorted()
    }

    /// What a target may hold beyond a checkpoint: markers above it that this directory knows.
    public func markers(above marker: Marker, of target: TargetID) throws(Failure) -> [Marker] {
        let history = try history(of: target)
        return ([history.trimmed] + history.open + history.dropped).filter { $0 > marker }
    }

    /// Decides to go back. This store is still open then, and would take the new one's files for
    /// its own: the directory must be let go of, and `settle` or the next start does the rest.
    /// Returns the new identity.
    public func rewind(to checkpoint: RetainedCheckpoint) throws(Failure) -> Identity {
        let draft = path + "/" + RewindFolder.draft
        try LocalFiles.removeFolder(draft)
        try StateDirectory.copy(checkpoint.path, to: draft)
        Failpoint.pass("rewind.copied")
        let next = Identity(
            pipelineID: identity.pipelineID, generation: identity.generation + 1,
            incarnation: identity.incarnation)
        do {
            let store = try StateDirectory.opened(draft, readOnly: false)
            let past = StateDirectory(path: draft, identity: next, store: store, lock: nil)
            try store.write(try rewound(past))
        }
        Failpoint.pass("rewind.written")
        try StateDirectory.synchronize(draft)
        Failpoint.pass("rewind.before_ready")
        try LocalFiles.rename(draft, to: path + "/" + RewindFolder.ready)
        try LocalFiles.syncFolder(path)
        Failpoint.pass("rewind.ready")
        return next
    }

    /// What is different from the checkpoint, `past`, in one write.
    private func rewound(_ past: StateDirectory) throws(Failure) -> RocksBatch {
        guard let record = try past.currentEpoch() else {
            throw Failure(
                .failed, "state.damaged", "\(past.path) has no epoch", hint: nil)
        }
        var batch = RocksBatch()
        batch.put(StateKeys.identity, StateDirectory.encode(past.identity))
        batch.delete(prefix: StateKeys.dropped)
        let restore = past.identity.marker(epoch: record.marker.epoch)
        let offsets = try past.offsets()
        for target in try knownTargets() {
            let above = try markers(above: record.marker, of: target)
            if above.isEmpty { continue }
            for marker in above {
                var writer = RecordWriter()
                marker.write(to: &writer)
                batch.put(StateKeys.droppedIntent(target, marker), writer.bytes)
            }
            let intent = Intent(
                target: target, marker: restore, offsets: offsets, parts: [],
                restores: record.marker)
            batch.put(
                StateKeys.intentPart(target, restore, 0), StateDirectory.encodeHeader(intent))
        }
        // Files of all processes so far may lie about, also of those after the checkpoint.
        batch.delete(prefix: StateKeys.names)
        let open = try StateDirectory.openEpochs(in: store)
        for name in try StateDirectory.notedNames(in: store) {
            let known =
                name.epochs == StateDirectory.running
                ? Leftover(
                    generation: name.generation, incarnation: name.incarnation, epochs: open)
                : name
            batch.put(StateKeys.name(name.incarnation), known.encoded())
        }
        return batch
    }

    /// Data files as second names of the same, everything else, which RocksDB writes to, as copies.
    private static func copy(_ source: String, to folder: String) throws(Failure) {
        try LocalFiles.makeFolder(folder)
        for name in LocalFiles.list(source) {
            let (from, to) = ("\(source)/\(name)", "\(folder)/\(name)")
            if name.hasSuffix(".sst") {
                _ = try LocalFiles.link(from, to: to)
                continue
            }
            let file = try OutputFile(creating: to)
            try file.write(try LocalFiles.read(from) ?? [])
            try file.sync()
        }
    }

    private static func synchronize(_ folder: String) throws(Failure) {
        for name in LocalFiles.list(folder) { try LocalFiles.syncFile("\(folder)/\(name)") }
        try LocalFiles.syncFolder(folder)
    }

    /// Does what is left to do of a rewind, as a start would; nothing where one has begun.
    public static func settle(_ path: String) throws(Failure) {
        if let lock = try FileLock(path + "/LOCK") {
            try finishRewind(path)
            withExtendedLifetime(lock) {}
        }
    }

    /// What is left to do of a rewind: nothing, if none was decided.
    static func finishRewind(_ path: String) throws(Failure) {
        let database = path + "/db"
        let ready = path + "/" + RewindFolder.ready
        let replaced = path + "/" + RewindFolder.replaced
        if LocalFiles.exists(ready) {
            if LocalFiles.exists(database) {
                try LocalFiles.removeFolder(replaced)
                try LocalFiles.rename(database, to: replaced)
                try LocalFiles.syncFolder(path)
                Failpoint.pass("rewind.aside")
            }
            try LocalFiles.rename(ready, to: database)
            try LocalFiles.syncFolder(path)
            Failpoint.pass("rewind.in_place")
        }
        if LocalFiles.exists(replaced) {
            try forgetFuture(path)
            Failpoint.pass("rewind.future_forgotten")
            try LocalFiles.removeFolder(replaced)
            Failpoint.pass("rewind.done")
        }
        try LocalFiles.removeFolder(path + "/" + RewindFolder.draft)
    }

    /// Checkpoints of epochs that were taken back: their numbers come again, in another generation.
    private static func forgetFuture(_ path: String) throws(Failure) {
        let store = try opened(path + "/db", readOnly: true)
        guard let bytes = try store.get(StateKeys.current) else { return }
        let current = try EpochRecord(decoding: bytes).marker
        for checkpoint in retained(in: path) where checkpoint.marker > current {
            try remove(checkpoint)
        }
    }
}

extension StateKeys {
    static func droppedIntent(_ target: TargetID, _ marker: Marker) -> [UInt8] {
        var writer = RecordWriter()
        writer.raw(StateKeys.target(dropped, target))
        writer.fixed64(marker.generation)
        writer.fixed64(marker.epoch)
        return writer.bytes
    }
}
