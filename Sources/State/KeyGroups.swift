// Key groups: the unit in which keyed state moves between workers (design.md §5).

/// Keys are spread over a fixed number of groups; each worker owns a contiguous run of them.
public enum KeyGroups {
    /// Fixed for ever: stored state is laid out by it.
    public static let count = 128

    /// The group of a key by the upper bits of its hash.
    @inlinable
    public static func group(ofHash hash: UInt64) -> Int { Int(hash >> 57) }

    /// The worker that owns a group.
    @inlinable
    public static func worker(ofGroup group: Int, workers: Int) -> Int { group * workers / count }

    /// The groups that a worker owns.
    public static func groups(ofWorker worker: Int, workers: Int) -> Range<Int> {
        let first = (worker * count + workers - 1) / workers
        let end = ((worker + 1) * count + workers - 1) / workers
        return first..<end
    }
}
