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

    // SAFETY: because it is written once, before the first thread starts, and only read after that.
    private nonisolated(unsafe) static var active: Mutant?

    /// Breaks a rule for the rest of the process. Call before anything else, once.
    public static func activate(_ mutant: Mutant) { unsafe active = mutant }

    public var isActive: Bool { unsafe Mutant.active == self }
}
