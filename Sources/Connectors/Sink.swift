// What the runtime needs of a sink connector: writers on the workers, one committer a target.
//
// A writer only prepares: files that no reader sees, or rows. What it hands over at a barrier
// becomes part of the epoch's intent, is made durable with the checkpoint, and only then reaches a
// committer.

public import Columns
public import Contracts
public import Progress

/// One worker's writing side of an output. Used on the worker's thread only.
public protocol SinkWriter: AnyObject {
    /// Takes rows of the output's schema. Rows that the sink cannot take are given back.
    func write(_ batch: Batch) throws(Failure) -> [RowError]

    /// At the barrier of `marker`'s epoch: everything written since the last one, durable but
    /// unseen, described for the committer. Empty if there was nothing.
    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart]

    /// Bytes that the next `prepare` will hand over in the intent, for `epoch_bytes`.
    var pendingBytes: Int { get }
}

/// What one worker contributes to an intent.
public struct IntentPart: Sendable {
    public let target: TargetID
    public let bytes: [UInt8]

    public init(target: TargetID, bytes: [UInt8]) {
        self.target = target
        self.bytes = bytes
    }
}

/// Commits a target's intents, in epoch order, each exactly once. Used on one thread.
public protocol SinkCommitter: AnyObject, Sendable {
    var target: TargetID { get }
    /// For log and progress line.
    var name: String { get }
    /// µs; groups epochs into one log entry.
    var commitInterval: Int64 { get }

    /// Reads the sink's newest marker of this pipeline without touching anything; nil: none. Called
    /// for all sinks before any is touched. Kafka: the read before `init_transactions`.
    func readMarker() throws(Failure) -> Marker?

    /// Whether what `readMarker` gives at the start may lie below what is known to be taken:
    /// Kafka's read before `init_transactions`. A table's may not: it was rolled back then.
    var firstReadMayBeOld: Bool { get }

    /// Once, before the first `commit`, also where nothing is open: takes the sink over from
    /// whatever process had it, and ends what that one left half done. `.committed`: it is ours.
    func takeOver(history: TargetHistory) throws(Failure) -> CommitOutcome

    /// Commits a prefix of what is open. `history` is what the directory knows: the marker is read
    /// again first, and what is found landed is not committed again (design.md §3.2, §3.7).
    func commit(_ intents: [Intent], history: TargetHistory) throws(Failure) -> CommitOutcome

    /// Removes files of dead processes that the sink will never name; gives back the processes
    /// whose epochs it has not resolved yet. Failing costs nothing but room.
    func sweep(_ leftovers: [Leftover]) throws(Failure) -> [Leftover]

    /// Which pipelines have filled the target, for `--adopt`; touches nothing.
    func filled() throws(Failure) -> [FilledTarget]

    /// Whether the sink can be brought back to an epoch exactly (design.md §3.9), `open` being the
    /// intents that were open then; touches nothing, throws what is against it.
    func checkRestore(to marker: Marker, open: [Marker]) throws(Failure)
}

extension SinkCommitter {
    public var firstReadMayBeOld: Bool { false }

    /// A sink whose commits leave nothing half done that others could see.
    public func takeOver(history: TargetHistory) throws(Failure) -> CommitOutcome {
        .committed(version: nil)
    }

    /// A target that leaves nothing behind, or cleans up by itself.
    public func sweep(_ leftovers: [Leftover]) throws(Failure) -> [Leftover] { [] }

    /// A target whose readers may have taken already what would be taken back.
    public func checkRestore(to marker: Marker, open: [Marker]) throws(Failure) {
        throw Failure(
            .invalid, "rewind.duplicates",
            "\(name) can't take back what it got above epoch \(marker.epoch): rows that are "
                + "made again would stand there twice",
            hint: "rewind with --allow-duplicates if its readers can bear that")
    }

    /// A target that keeps nothing that another pipeline could go on with.
    public func filled() throws(Failure) -> [FilledTarget] { [] }
}

/// What became of a commit.
public enum CommitOutcome: Sendable {
    /// All of the intents are in the sink and durable. `version`: the table's.
    case committed(version: Int64?)
    /// Another process has the sink: touch nothing, exit 4.
    case fenced(Failure)
    /// The sink is away; nothing is decided, try again later.
    case unavailable(Failure)
}
