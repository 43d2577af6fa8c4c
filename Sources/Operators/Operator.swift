// What an operator is: batches in, batches out; no thread, no clock, no I/O.

public import Columns
public import Contracts
import Progress
public import State

/// One worker's instance of a plan node. Created and used on one thread; deliberately not Sendable.
///
/// The runtime calls, in the order in which things arrive: `push` for a batch of input `input`,
/// `advance` when the operator's minimum M rises, `snapshot` at an aligned barrier. Rows that an
/// advance makes leave before the watermark that made them (dialect.md §1.6).
public protocol Operator: AnyObject {
    /// Takes a batch. `minima`: M of the operator, already acted on by `advance`.
    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput)

    /// Acts on a higher minimum: closes what is due. `EventTime.end` ends the input. Where
    /// `output.hasMore` is set it is called again, with the same minimum, once the output is on its
    /// way: what is read back from the store to be closed need not fit in memory at once.
    func advance(to minimum: Int64, into output: inout OperatorOutput)

    /// Called at each barrier before `snapshot`: emits what waits (changes folded per epoch, the
    /// row of a global aggregate over nothing).
    func flush(into output: inout OperatorOutput)

    /// What changed since the last snapshot; clears the marks. Always right after a `flush`.
    func snapshot() -> StateDelta

    /// Takes back what a snapshot stored, for the groups that this worker owns, and the stored M:
    /// the highest of all instances. Called before the first `push`, at most once. `advance(to:
    /// minimum)` follows and closes what M makes due (dialect.md §1.4). Of state beyond
    /// `memoryLimit` bytes only counts are kept, and the reader, which is asked for a key when a
    /// row needs it (Residency).
    func restore(
        from reader: any StateReader, groups: Range<Int>, minimum: Int64, memoryLimit: Int
    ) throws

    /// Bytes that the next snapshot will hand over, about: what `epoch_bytes` counts (design.md
    /// §3.11). Asked after every batch: no look at single keys.
    var dirtyBytes: Int { get }

    /// Bytes that keys take in memory, about: what `evict` can bring down.
    var residentBytes: Int { get }

    /// Drops state that has not changed since it was handed over, the longest unchanged first,
    /// until `residentBytes` is at most `target` or nothing of the kind is left. Called only while
    /// every delta that `snapshot` gave is durable (design.md §3.11).
    func evict(to target: Int)

    /// Rows and bytes held, for `explain`, progress line and the conservation check.
    var held: HeldState { get }
}

extension Operator {
    /// Of an operator without state.
    public var dirtyBytes: Int { 0 }
    public var residentBytes: Int { 0 }
    public func evict(to target: Int) {}

    /// Takes everything into memory.
    public func restore(
        from reader: any StateReader, groups: Range<Int>, minimum: Int64
    ) throws {
        try restore(from: reader, groups: groups, minimum: minimum, memoryLimit: .max)
    }
}

/// What an operator keeps.
public struct HeldState: Sendable, Hashable {
    /// Input rows that stand in state and will still show in output (conservation, design.md
    /// §3.13).
    public var rows: Int64
    public var keys: Int64
    /// In memory.
    public var bytes: Int64

    public init(rows: Int64 = 0, keys: Int64 = 0, bytes: Int64 = 0) {
        self.rows = rows
        self.keys = keys
        self.bytes = bytes
    }
}

/// What a call of an operator gives: batches, refused rows, counts.
public struct OperatorOutput: ~Copyable {
    /// In order.
    public var batches: [Batch] = []
    /// Rows that were refused for being late, by all of their windows or by some.
    public var late: [LateRows] = []
    /// Rows of an append-only stream that failed in an expression: dead-lettered by the runtime.
    public var failed: [FailedRows] = []
    /// Records that turned out not to keep their source's contract.
    public var refused: [(record: IncompleteRow, error: RowError)] = []
    public var counters = Counters()
    /// Of `advance`: what is due is not closed yet.
    public var hasMore = false
    /// State could not be read back: the operator is not to be used again.
    public private(set) var failure: Failure?

    public init() {}

    mutating func fail(_ error: any Error) {
        failure =
            error as? Failure
            ?? Failure(.failed, "state.read", "could not read state back: \(error)")
    }

    public mutating func emit(_ batch: Batch) {
        guard batch.rowCount > 0 else { return }
        counters.out += Int64(batch.rowCount)
        batches.append(batch)
    }
}

/// Conservation (design.md §3.13): in + made = out + filtered + late + dead + merged + Δheld.
public struct Counters: Sendable, Hashable {
    public var rowsIn: Int64 = 0
    public var made: Int64 = 0
    public var out: Int64 = 0
    public var filtered: Int64 = 0
    public var late: Int64 = 0
    public var idleLate: Int64 = 0
    public var partLate: Int64 = 0
    public var dead: Int64 = 0
    public var merged: Int64 = 0
    /// Rows of an updating stream that fail in an expression now: state, not events (dialect.md
    /// §3.5). A change of the gauge; such rows are among `filtered`.
    public var failing: Int64 = 0

    public init() {}

    public static func += (left: inout Counters, right: Counters) {
        left.rowsIn += right.rowsIn
        left.made += right.made
        left.out += right.out
        left.filtered += right.filtered
        left.late += right.late
        left.idleLate += right.idleLate
        left.partLate += right.partLate
        left.dead += right.dead
        left.merged += right.merged
        left.failing += right.failing
    }
}

/// Rows of a batch that an operator refused as late (dialect.md §1.2, §4.6).
public struct LateRows: Sendable {
    public enum Kind: String, Sendable {
        /// By W, or only by M.
        case late
        case idleLate = "idle_late"
        /// Refused by the windows that had closed, admitted to the others.
        case partLate = "part_late"
    }

    /// The operator's input columns of the late rows.
    public let rows: Batch
    public let kinds: [Kind]
    /// B − end of the row's last window, or B − ts, µs: one a row. Negative for part_late: so far
    /// from its end the last window still was.
    public let lateBy: [Int64]

    public init(rows: Batch, kinds: [Kind], lateBy: [Int64]) {
        self.rows = rows
        self.kinds = kinds
        self.lateBy = lateBy
    }
}

/// Rows of a batch that failed in an expression.
public struct FailedRows: Sendable {
    public let rows: Batch
    /// One a row of `rows`, `row` renumbered to it.
    public let errors: [RowError]
    /// Whether `rows` have the operator's output columns (an aggregate whose result fails when
    /// read, NULL where it failed) rather than its input's.
    public let areResults: Bool

    public init(rows: Batch, errors: [RowError], areResults: Bool = false) {
        self.rows = rows
        self.errors = errors
        self.areResults = areResults
    }
}
