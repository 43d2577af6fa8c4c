// Runs one operator over batches, with a snapshot and a restart after each if wanted.

import Columns
import Contracts
import Kernels
import Operators
import Planning
import Progress
import State
import Types

struct OperatorDriver {
    let node: PlanNode
    var settings = Settings()
    let restarts: Bool
    private(set) var made: any Operator
    private let store = MemoryStore()
    private(set) var counters = Counters()
    private(set) var batches: [Batch] = []
    private(set) var failed: [FailedRows] = []
    private var minimum = EventTime.never

    init(
        _ kind: PlanNodeKind, schema: Schema, change: ChangeMode = .appendOnly, restarts: Bool,
        settings: Settings = Settings()
    ) {
        node = PlanNode(
            index: 1, kind: kind, inputs: [0], schema: schema, operatorID: 7,
            exchange: [.none], change: change, place: nil)
        self.settings = settings
        self.restarts = restarts
        made = makeOperator(for: node, settings: settings)
    }

    mutating func push(_ batch: Batch) throws {
        var output = OperatorOutput()
        made.push(batch, input: 0, into: &output)
        take(output)
    }

    mutating func advance(_ minimum: Int64) {
        self.minimum = minimum
        var output = OperatorOutput()
        made.advance(to: minimum, into: &output)
        take(output)
        if output.hasMore { advance(minimum) }
    }

    /// A barrier, and with `restarts` a new instance from the store.
    @discardableResult
    mutating func barrier() throws -> StateDelta {
        var output = OperatorOutput()
        made.flush(into: &output)
        take(output)
        let delta = made.snapshot()
        store.apply(delta)
        if restarts {
            let held = made.held
            made = makeOperator(for: node, settings: settings)
            try made.restore(
                from: store, groups: 0..<KeyGroups.count, minimum: minimum)
            require(made.held.rows == held.rows, "held \(held) became \(made.held)")
            advance(minimum)
        }
        return delta
    }

    private mutating func take(_ output: borrowing OperatorOutput) {
        counters += output.counters
        batches += output.batches
        failed += output.failed
    }

    var isConserved: Bool {
        counters.rowsIn + counters.made
            == counters.out + counters.filtered + counters.late + counters.idleLate + counters.dead
            + counters.merged + made.held.rows
    }

    /// The rows that stand after all changes, as a bag; nil if a −1 met no row.
    var standing: [[Scalar]: Int]? {
        var rows: [[Scalar]: Int] = [:]
        for batch in batches {
            for row in 0..<batch.rowCount {
                let key = batch.columns.map { $0.scalar(row) }
                rows[key, default: 0] += Int(batch.changes?[row] ?? 1)
                if rows[key] == 0 { rows[key] = nil }
                if rows[key] ?? 0 < 0 { return nil }
            }
        }
        return rows
    }
}

/// A generator with a seed: a failure is replayed by its number.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
