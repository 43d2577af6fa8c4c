// The typed values that a command line becomes; a `CommandRunner` executes them.

/// One parsed command with all its options.
public enum Command: Sendable, Hashable {
    case validate(ValidateCommand)
    case explain(ExplainCommand)
    case run(RunCommand)
    case query(QueryCommand)
    case test(TestCommand)
    case tableShow(TableShowCommand)
    case tableHistory(TableHistoryCommand)
    case checkpointList(CheckpointListCommand)
    case checkpointVerify(CheckpointVerifyCommand)
    case checkpointRewind(CheckpointRewindCommand)
    case verify(VerifyCommand)
    case demo(DemoCommand)
    case bench(BenchCommand)
    case completion(Shell)
    case version
    /// Help of a command; empty: of all.
    case help(String)
    /// Prints docs/cli.md.
    case reference
}

/// What every engine command shares.
public struct EngineOptions: Sendable, Hashable {
    /// nil: `./.millrace/<topology name>`.
    public var stateDirectory: String?
    /// nil: one a core.
    public var workers: Int?
    /// `--set name=value`, in the order given.
    public var settings: [SettingOverride] = []
    public var logFormat: LogFormat = .text
    public var logLevel: LogLevel = .info

    public init() {}
}

public struct SettingOverride: Sendable, Hashable {
    public let name: String
    public let value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

public enum LogFormat: String, Sendable, CaseIterable { case text, json }

/// Rising: a level shows itself and what stands before it.
public enum LogLevel: String, Sendable, CaseIterable { case error, warning, info, debug }

public enum Shell: String, Sendable, CaseIterable { case bash, zsh, fish }

public struct ValidateCommand: Sendable, Hashable {
    /// At least one.
    public let files: [String]
    public let settings: [SettingOverride]
}

public struct ExplainCommand: Sendable, Hashable {
    public enum Format: String, Sendable, CaseIterable { case text, json, mermaid }

    public let file: String
    public let format: Format
    public let settings: [SettingOverride]
}

public struct RunCommand: Sendable, Hashable {
    public enum End: Sendable, Hashable {
        /// Runs until a signal.
        case never
        /// `--bounded`: the offsets that were the end at start; closes all windows.
        case bounded
        /// `--available-now`: as bounded, windows stay open.
        case availableNow
    }

    /// How a fresh state directory treats a table that another pipeline id has filled.
    public enum Takeover: Sendable, Hashable {
        case refuse
        case adopt
        case beside
    }

    public let file: String
    public let end: End
    public let takeover: Takeover
    /// Exit 3 with any dead or late row.
    public let isStrict: Bool
    /// Exit 1 where a broker is away, instead of trying again.
    public let failsFast: Bool
    /// Operators whose state is given up: ids, `#` and number, or `all`.
    public let resets: [String]
    /// The last line as JSON.
    public let printsJSON: Bool
    public let engine: EngineOptions
}

public struct QueryCommand: Sendable, Hashable {
    public enum Format: String, Sendable, CaseIterable { case table, json, csv }

    public let file: String?
    public let query: String
    public let limit: Int?
    public let format: Format
    public let engine: EngineOptions
}

public struct TestCommand: Sendable, Hashable {
    /// Folders and files, at least one.
    public let paths: [String]
    public let engine: EngineOptions
}

public struct TableShowCommand: Sendable, Hashable {
    public let location: String
    public let printsJSON: Bool
}

public struct TableHistoryCommand: Sendable, Hashable {
    public let location: String
    public let limit: Int?
    public let printsJSON: Bool
}

public struct CheckpointListCommand: Sendable, Hashable {
    /// The state directory, or a topology whose default one is meant: at least one is given.
    public let file: String?
    public let stateDirectory: String?
    public let printsJSON: Bool
}

public struct CheckpointVerifyCommand: Sendable, Hashable {
    /// As of `CheckpointListCommand`.
    public let file: String?
    public let stateDirectory: String?
    public let printsJSON: Bool
}

public struct CheckpointRewindCommand: Sendable, Hashable {
    public let file: String
    public let epoch: UInt64
    /// Outputs that can't take rows back get them twice.
    public let allowsDuplicates: Bool
    public let engine: EngineOptions
}

public struct VerifyCommand: Sendable, Hashable {
    public let file: String
    public let printsJSON: Bool
    public let engine: EngineOptions
}

public struct DemoCommand: Sendable, Hashable {
    /// `host:port` of a real broker; nil: the embedded one.
    public let kafka: String?
    public let events: Int?
    public let engine: EngineOptions
}

public struct BenchCommand: Sendable, Hashable {
    public enum Source: String, Sendable, CaseIterable { case nexmark, kafka }

    /// nil: all.
    public let queries: [String]?
    public let events: Int?
    public let source: Source
    public let kafka: String?
    public let printsJSON: Bool
    public let engine: EngineOptions
}
