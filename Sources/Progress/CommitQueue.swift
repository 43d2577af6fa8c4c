// Which epochs of a target are committed together, and when: a pure state machine.

/// The open intents of one target, in order, and the grouping by `commit_interval`.
///
/// The runtime offers each durable intent, asks `next` what to commit, performs it and reports
/// back. An intent is never skipped, and a group is always a prefix of what is open (design.md
/// §3.2, §3.3).
public struct CommitQueue: Sendable {
    /// µs between commits; groups the epochs that fall within.
    public let interval: Int64
    public private(set) var waiting: [OpenIntent] = []
    private var lastCommit: Int64?
    private var isDraining = false

    public init(interval: Int64) { self.interval = interval }

    public mutating func offer(_ intent: OpenIntent) { waiting.append(intent) }

    /// From now on everything is due at once: final checkpoint, start-up.
    public mutating func drain(_ isDraining: Bool) { self.isDraining = isDraining }

    /// The intents to commit as one log entry now, or none. `now`: monotonic µs.
    public func next(now: Int64) -> [OpenIntent] {
        guard !waiting.isEmpty else { return [] }
        if isDraining || interval == 0 { return group }
        guard let lastCommit else { return group }
        return now - lastCommit >= interval ? group : []
    }

    /// As many as fit one commit's memory, one at least. What is open below a restore goes with it:
    /// a table that has taken some of these epochs in one commit with later ones is brought back by
    /// their rows (design.md §3.9: nothing is trimmed while a restore waits).
    private var group: [OpenIntent] {
        if let restore = waiting.firstIndex(where: \.isRestore) {
            return Array(waiting[...restore])
        }
        var bytes = 0
        let fitting = waiting.prefix { intent in
            bytes += intent.byteCount
            return bytes <= CommitQueue.groupBytes
        }
        return fitting.isEmpty ? [waiting[0]] : Array(fitting)
    }

    /// What one commit reads into memory, at most, beyond a single epoch.
    private static let groupBytes = 256 << 20

    /// The first `count` are in the sink. Returns their last marker: the new trim mark.
    public mutating func committed(_ count: Int, now: Int64) -> Marker? {
        guard count > 0 else { return nil }
        let marker = waiting[count - 1].marker
        waiting.removeFirst(count)
        lastCommit = now
        return marker
    }

    /// Bytes that wait for the sink: held against `pending_limit`.
    public var pendingBytes: Int { waiting.reduce(0) { $0 + $1.byteCount } }
}
