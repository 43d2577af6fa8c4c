// What a planning run is given from outside, and what holds at one place of the text.

/// What the command line and the process give to planning. Planning itself has no clock, no
/// environment and no randomness.
public struct PlanningOptions: Sendable {
    /// Rewrites that only save work; the meaning of a topology is the same without them.
    public var isOptimizerOn = true
    /// For `${NAME}` in string constants.
    public var environment: [String: String] = [:]
    /// `--set name=value`, in order; beats SET.
    public var overrides: [Override] = []
    /// The command's start in µs for `query`; nil in a topology, which refuses `now()`.
    public var commandTime: Int64?
    /// For `random()` and `gen_random_uuid()` in `query`.
    public var randomSeed: UInt64 = 0

    public init() {}

    /// One `--set`.
    public struct Override: Sendable, Hashable {
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
}

/// The settings that hold for the statements after a SET (dialect.md §4).
package struct StatementSettings: Sendable, Hashable {
    package var emit: EmitMode = .onClose
    /// µs; nil: the checkpoint interval.
    package var commitInterval: Int64?
    /// nil: UTC.
    package var timeZone: String?

    package init() {}
}

/// When a windowed output speaks (dialect.md §2.9).
package enum EmitMode: String, Sendable, CaseIterable {
    case onClose = "on_close"
    case onChange = "on_change"
}

/// Where an expression stands: decides what it may contain.
package struct BindingContext: Sendable {
    package var options: PlanningOptions
    package var settings: StatementSettings
    /// The clause, for messages: `WHERE`, `GROUP BY`, `a CHECK constraint`.
    package var clause: String
    /// Whether `$1` names the scope's first column: the body of a function.
    package var hasParameters = false

    package init(
        options: PlanningOptions, settings: StatementSettings = StatementSettings(),
        clause: String
    ) {
        self.options = options
        self.settings = settings
        self.clause = clause
    }

    /// The same place in another clause.
    package func inside(_ clause: String) -> BindingContext {
        BindingContext(options: options, settings: settings, clause: clause)
    }
}
