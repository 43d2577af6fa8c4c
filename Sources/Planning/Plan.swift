// The physical plan: what runs. Pure values, made once, shared by all workers.
//
// Nodes form a graph in topological order; a node that several outputs read stands in it once. An
// exchange is not a node: a node that needs its rows together says by which columns (`exchange`),
// and the runtime moves them when there is more than one worker.

public import Contracts
public import Kernels
public import Types

/// A planned topology.
public struct Plan: Sendable {
    public let name: String
    public let settings: Settings
    public let sources: [SourcePlan]
    public let nodes: [PlanNode]
    public let outputs: [OutputPlan]
    /// What `validate` tells without refusing: defaults that matter, unbounded state.
    public let notes: [PlanNote]

    public init(
        name: String, settings: Settings, sources: [SourcePlan], nodes: [PlanNode],
        outputs: [OutputPlan], notes: [PlanNote]
    ) {
        self.name = name
        self.settings = settings
        self.sources = sources
        self.nodes = nodes
        self.outputs = outputs
        self.notes = notes
    }
}

public struct PlanNote: Sendable, Hashable {
    public let message: String
    public let place: SourcePlace?

    public init(_ message: String, place: SourcePlace?) {
        self.message = message
        self.place = place
    }
}

/// `SET`, whole file (dialect.md §4).
public struct Settings: Sendable, Hashable {
    public var checkpointIntervalMicroseconds: Int64 = 10_000_000
    public var checkpointHistory = 3
    /// Bytes of keyed state in memory, beside what has changed since the last checkpoint; nil = a
    /// quarter of memory.
    public var stateMemory: Int64?
    public var epochBytes: Int64?
    public var pendingLimit: Int64 = 10 << 30
    public var batchRows = 2048
    public var collectLimit = 10_000
    public var applicationName: String?

    public init() {}
}

/// One operator of the plan.
public struct PlanNode: Sendable {
    /// Its position in `Plan.nodes`; inputs are smaller.
    public let index: Int
    public let kind: PlanNodeKind
    public let inputs: [Int]
    public let schema: Schema
    /// A stable hash of the plan under and with this node: names its state (design.md §4).
    public let operatorID: UInt64
    /// How the rows of each input must come together; nil: as they are (stateless).
    public let exchange: [Exchange]
    public let change: ChangeMode
    /// The first place in the topology that asked for it.
    public let place: SourcePlace?

    public init(
        index: Int, kind: PlanNodeKind, inputs: [Int], schema: Schema, operatorID: UInt64,
        exchange: [Exchange], change: ChangeMode, place: SourcePlace?
    ) {
        self.index = index
        self.kind = kind
        self.inputs = inputs
        self.schema = schema
        self.operatorID = operatorID
        self.exchange = exchange
        self.change = change
        self.place = place
    }
}

/// How rows reach an operator's instances.
public enum Exchange: Sendable, Hashable {
    /// On the worker where they are.
    case none
    /// To the worker that owns the key group of these input columns; no columns: all to one worker.
    case hash([Int])
}

/// Whether a stream only grows (dialect.md §2.1).
public enum ChangeMode: Sendable, Hashable {
    case appendOnly
    /// Carries a change column; at any time at most one live row has a value of these columns.
    case updating(key: [Int])
    /// Carries a change column; live rows may repeat: the key was projected away.
    case changes

    public var isUpdating: Bool { self != .appendOnly }
}

extension PlanNode {
    /// The window whose time the operator acts on; nil: it acts on none.
    public var window: Window? {
        switch kind {
        case .assignWindows(let window): window
        case .sessionRows(let rows): rows.window
        case .windowAggregate(let aggregate): aggregate.window
        default: nil
        }
    }
}

public enum PlanNodeKind: Sendable {
    /// A scan: the source's decoded and computed columns.
    case source(Int)
    /// Keeps the last row of each key and emits changes: sources with a PRIMARY KEY.
    case upsertSource(UpsertSource)
    case project([Expression])
    case filter(Expression)
    /// All inputs have the same schema.
    case unionAll
    /// `FROM hop(…)` without a windowed aggregate: each row once per window, with `window_start`
    ///   and
    /// `window_end` behind its columns.
    case assignWindows(Window)
    /// `FROM session(…)` where rows are wanted beside their session: each row once, with the
    /// session's bounds behind its columns, when the session closes.
    case sessionRows(SessionRows)
    /// Aggregates per key and window; emits when windows close, or changes as they come, or both.
    case windowAggregate(WindowAggregate)
    /// One of the two streams of a windowed aggregate that emits both.
    case results(WindowAggregate.Stream)
    /// Aggregates per key without a window: updating.
    case aggregate(Aggregate)
    /// The first row of each value: DISTINCT over an append-only input.
    case distinct
    /// Hands rows to output `n` of the plan.
    case sink(Int)
}

/// Remembers the last row of each key. Input columns: the source's; the change a record means is in
/// the batch's change column (−1: the key is deleted, its other columns are not to be trusted).
public struct UpsertSource: Sendable {
    public let keys: [Int]
    /// Where records may leave values out: the input then has one column more than the output.
    public let completion: RowCompletion?

    public init(keys: [Int], completion: RowCompletion? = nil) {
        self.keys = keys
        self.completion = completion
    }
}

/// How a row that lacks values is made whole from the last row of its key, and then judged: what
/// the scan could not compute and check without them is done behind it.
public struct RowCompletion: Sendable {
    /// The input column with an `IncompleteRow`'s bytes: the last.
    public let column: Int
    /// The input column of each of the decoder's fields.
    public let fields: [Int]
    /// Generated columns, over the input's.
    public let computed: [(column: Int, value: Expression)]
    /// Over the input's columns.
    public let constraints: [SourceConstraint]

    public init(
        column: Int, fields: [Int], computed: [(column: Int, value: Expression)],
        constraints: [SourceConstraint]
    ) {
        self.column = column
        self.fields = fields
        self.computed = computed
        self.constraints = constraints
    }
}

/// A window as a function of a time column. Times in µs.
public struct Window: Sendable, Hashable {
    public let kind: Kind
    /// The input column with the time; for `.existing`, the column with the window's end.
    public let timeColumn: Int
    /// Every row still to come has time ≥ M − lag (dialect.md §1.6).
    public let lag: Int64
    /// Made over `_extracted_at`: M is the clock's (dialect.md §1.11), and no row has a watermark
    /// of its own in it.
    public let isByClock: Bool
    /// Of `assignWindows` and `sessionRows`, as of a `WindowAggregate`: where late rows go, and
    /// whose they are.
    public var lateRoute: LateRoute?
    public var lateOutput: String?

    public enum Kind: Sendable, Hashable {
        case tumble(size: Int64, origin: Int64)
        case hop(slide: Int64, size: Int64, origin: Int64)
        case cumulate(step: Int64, size: Int64, origin: Int64)
        case session(gap: Int64)
        /// Rows of closed windows grouped again by their bound, under any name: closes when
        /// M − lag ≥ the column's value. Its value stands among the keys.
        case existing
    }

    public init(kind: Kind, timeColumn: Int, lag: Int64, isByClock: Bool = false) {
        self.kind = kind
        self.timeColumn = timeColumn
        self.lag = lag
        self.isByClock = isByClock
    }
}

/// Sessions of a key as their rows. Output columns: the input's, `window_start`, `window_end`.
public struct SessionRows: Sendable, Hashable {
    /// Of kind `session`.
    public let window: Window
    /// Input columns.
    public let keys: [Int]

    public init(window: Window, keys: [Int]) {
        self.window = window
        self.keys = keys
    }
}

/// Output columns: keys, `window_start`, `window_end` (both absent for `.existing`), aggregates.
public struct WindowAggregate: Sendable, Hashable {
    public let window: Window
    /// Input columns.
    public let keys: [Int]
    public let aggregates: [AggregateCall]
    public var emission: Emission
    /// Whose late rows these are: the output's name, for `_late_in`. Of an operator that several
    /// outputs share, the first of them in the file.
    public var lateOutput: String?
    /// Where late rows go, if the source declares a table for them.
    public var lateRoute: LateRoute?

    /// `emit` of the outputs that read it (dialect.md §2.9).
    public enum Emission: Sendable, Hashable {
        /// Append-only: rows of closed windows.
        case onClose
        /// Updating, keyed by keys and window: early results.
        case onChange
        /// Both streams in one: batches with a change column are early results, those without are
        /// rows of closed windows. `results` nodes tell them apart.
        case both
    }

    public enum Stream: String, Sendable, Hashable {
        case early, closed
    }

    public var emitsChanges: Bool { emission != .onClose }
    public var emitsClosed: Bool { emission != .onChange }

    public init(
        window: Window, keys: [Int], aggregates: [AggregateCall], emitsChanges: Bool,
        lateOutput: String?
    ) {
        self.window = window
        self.keys = keys
        self.aggregates = aggregates
        emission = emitsChanges ? .onChange : .onClose
        self.lateOutput = lateOutput
    }
}

/// Where an operator's late rows go (dialect.md §4.6).
public struct LateRoute: Sendable, Hashable {
    /// Index into `Plan.outputs`.
    public let output: Int
    /// One a column of that output's schema.
    public let columns: [Column]

    public enum Column: Sendable, Hashable {
        /// A column of the operator's input.
        case input(Int)
        /// `_late_in`, `_late_us`, `_late_kind`.
        case lateIn, lateMicroseconds, lateKind
        case null
    }

    public init(output: Int, columns: [Column]) {
        self.output = output
        self.columns = columns
    }
}

/// Output columns: keys, aggregates. No keys: one row, from the first checkpoint on.
public struct Aggregate: Sendable, Hashable {
    public let keys: [Int]
    public let aggregates: [AggregateCall]
    /// Whether a −1 can arrive: min, max and first then keep all values of a key.
    public let inputIsUpdating: Bool

    public init(keys: [Int], aggregates: [AggregateCall], inputIsUpdating: Bool) {
        self.keys = keys
        self.aggregates = aggregates
        self.inputIsUpdating = inputIsUpdating
    }
}

/// One aggregate over columns that a projection under it has computed.
public struct AggregateCall: Sendable, Hashable {
    public let function: AggregateFunction
    /// Input columns: the argument; for `string_agg` the separator second.
    public let arguments: [Int]
    public let argumentTypes: [LogicalType]
    public let isDistinct: Bool
    /// A boolean input column: only rows where it is true count.
    public let filter: Int?
    /// For first, last, array_agg, string_agg: the order, ties included (dialect.md §2.7).
    public let ordering: [Ordering]
    public let type: LogicalType
    public let place: SourcePlace?

    public struct Ordering: Sendable, Hashable {
        public let column: Int
        public let isDescending: Bool
        public let nullsFirst: Bool

        public init(column: Int, isDescending: Bool, nullsFirst: Bool) {
            self.column = column
            self.isDescending = isDescending
            self.nullsFirst = nullsFirst
        }
    }

    public init(
        function: AggregateFunction, arguments: [Int], argumentTypes: [LogicalType],
        isDistinct: Bool, filter: Int?, ordering: [Ordering], type: LogicalType,
        place: SourcePlace?
    ) {
        self.function = function
        self.arguments = arguments
        self.argumentTypes = argumentTypes
        self.isDistinct = isDistinct
        self.filter = filter
        self.ordering = ordering
        self.type = type
        self.place = place
    }
}

public enum AggregateFunction: String, Sendable, CaseIterable {
    case countStar = "count(*)"
    case count
    case sum, min, max, avg
    case boolAnd = "bool_and"
    case boolOr = "bool_or"
    case first, last
    case stddevSample = "stddev_samp"
    case stddevPopulation = "stddev_pop"
    case varianceSample = "var_samp"
    case variancePopulation = "var_pop"
    case approximateCountDistinct = "approx_count_distinct"
    case arrayAggregate = "array_agg"
    case stringAggregate = "string_agg"
}
