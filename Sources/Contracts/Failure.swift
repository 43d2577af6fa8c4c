// The one shape of a failure of the world or of the user: what happened, where, what to do next.

/// What kind of failure it is; decides the exit status (dialect.md §6).
public enum FailureKind: String, Sendable {
    /// The user's text or usage is wrong (exit 2).
    case invalid
    /// The world failed: disk, broker, corrupt file, a sink that refuses (exit 1).
    case failed
    /// The state directory is in use, not ours, or we were fenced (exit 4).
    case fenced
    /// Source data is gone under `on_offset_lost = 'fail'` (exit 5).
    case dataLost
    /// A row broke the contract under `on_error = 'fail'` (exit 1).
    case badRow

    /// The process's exit status.
    public var exitStatus: Int32 {
        switch self {
        case .failed, .badRow: 1
        case .invalid: 2
        case .fenced: 4
        case .dataLost: 5
        }
    }
}

/// An error that reaches a person. Each module throws this one shape with its own `code`.
public struct Failure: Error, Sendable, CustomStringConvertible {
    public let kind: FailureKind
    /// Stable, dotted, for scripts and tests: `kafka.topic_missing`.
    public let code: String
    /// One sentence, lower case start, naming the file, place, topic/partition/offset or path.
    public let message: String
    /// What to do next, if there is something.
    public let hint: String?
    /// Where in a topology's text.
    public let place: SourcePlace?

    public init(
        _ kind: FailureKind, _ code: String, _ message: String, hint: String? = nil,
        place: SourcePlace? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.hint = hint
        self.place = place
    }

    public var description: String {
        hint.map { "\(message) (\($0))" } ?? message
    }
}

/// A place in a topology's text: a byte offset from 0 into the UTF-8 of `file`. Two places are
/// always equal and hash alike, so that plans that differ only in where they were written are
/// equal.
public struct SourcePlace: Sendable, Hashable {
    public let file: String
    public let offset: Int

    public init(file: String, offset: Int) {
        self.file = file
        self.offset = offset
    }

    public static func == (left: Self, right: Self) -> Bool { true }
    public func hash(into hasher: inout Hasher) {}
}
