// Rules of the protocol that a test can break on purpose, to prove that the tests would notice.
//
// Only the test executable `millrace-mutant` switches one on; the production binary has no way to.

/// A rule of design.md §3 that can be off.
public enum Mutant: String, Sendable, CaseIterable {
    /// Intents are not written: nothing is committed after a crash.
    case skipIntent = "skip-intent"
    /// A sink commits before the epoch's write is durable.
    case commitBeforeWrite = "commit-before-write"
    /// Open intents are committed again without reading the sink's marker.
    case skipMarkerLookup = "skip-marker-lookup"
    /// The stored position is one record too low: a restart reads it twice.
    case rereadRecord = "reread-record"
    /// Rows are judged by the minimum watermark instead of their own partition's.
    case lateByMinimum = "late-by-minimum"
    /// Updates are told without taking the old row back.
    case dropRetraction = "drop-retraction"
    /// A restart gives key groups to another worker than the one that rows are sent to.
    case restoreElsewhere = "restore-elsewhere"
    /// After a restart nothing closes the windows that were open.
    case forgetTimers = "forget-timers"
    /// After `init_transactions` the progress record is not read again.
    case skipSecondRead = "skip-second-read"
    /// Intents are trimmed in the write that holds them, before a sink has taken them.
    case trimEarly = "trim-early"
    /// A sink's marker need only not lie below what is known, instead of being known.
    case markerNotBelow = "marker-not-below"
    /// A log that was made anew is not recognised.
    case skipFingerprint = "skip-fingerprint"
    /// Files of a commit whose outcome is unknown are removed.
    case eagerCleanup = "eager-cleanup"
    /// Data files are not synced before they are named (in the simulated file system only).
    case unsyncedFile = "unsynced-file"

    // SAFETY: because it is written once, before the first thread starts, and only read after that.
    private nonisolated(unsafe) static var active: Mutant?

    /// Breaks a rule for the rest of the process. Call before anything else, once.
    public static func activate(_ mutant: Mutant) { unsafe active = mutant }

    public var isActive: Bool { unsafe Mutant.active == self }
}
