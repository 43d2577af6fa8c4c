// Every keyed operator beside a twin that keeps everything in memory: the same random batches,
// watermarks and barriers, deltas that become durable late, restarts that load little or nothing.
// What comes out, what is held and what a checkpoint writes is the same.

import Columns
import Contracts
import Foundation
import Operators
import Planning
import Progress
import State
import Testing
import Types

private let types: [LogicalType] = [.bigint, .timestamptz, .bigint, .text]

private func call(
    _ function: AggregateFunction, _ argument: Int?, _ type: LogicalType, isDistinct: Bool = false,
    ordering: [Int] = []
) -> AggregateCall {
    var arguments = argument.map { [$0] } ?? []
    if function == .stringAggregate { arguments.append(3) }
    return AggregateCall(
        function: function, arguments: arguments, argumentTypes: arguments.map { types[$0] },
        isDistinct: isDistinct, filter: nil,
        ordering: ordering.map { .init(column: $0, isDescending: false, nullsFirst: false) },
        type: type, place: nil)
}

private let calls: [AggregateCall] = [
    call(.countStar, nil, .bigint), call(.sum, 2, .numeric(precision: 38, scale: 0)),
    call(.min, 2, .bigint), call(.max, 3, .text), call(.count, 3, .bigint, isDistinct: true),
    call(.arrayAggregate, 2, .array(.bigint), ordering: [2]),
    call(.stringAggregate, 3, .text, ordering: [3]), call(.first, 3, .text, ordering: [2, 3]),
    call(.approximateCountDistinct, 2, .bigint), call(.varianceSample, 2, .double),
]

/// A kind of operator, and how it is fed.
private struct Subject: Sendable, CustomStringConvertible {
    let description: String
    let kind: PlanNodeKind
    let schema: Schema
    var change = ChangeMode.appendOnly
    /// Whether rows are taken back, and whether a −1 needs a row that stands.
    var hasChanges = false
    var isUpsert = false

    static func windowed(_ name: String, _ kind: Window.Kind, emitsChanges: Bool) -> Subject {
        let bounds = [Field("start", .timestamptz), Field("end", .timestamptz)]
        return Subject(
            description: name + (emitsChanges ? " with early results" : ""),
            kind: .windowAggregate(
                WindowAggregate(
                    window: Window(kind: kind, timeColumn: 1, lag: 0), keys: [0],
                    aggregates: calls, emitsChanges: emitsChanges, lateOutput: nil)),
            schema: Schema([Field("key", .bigint)] + bounds + results),
            change: emitsChanges ? .updating(key: [0, 1, 2]) : .appendOnly)
    }

    private static var results: [Field] { calls.map { Field($0.function.rawValue, $0.type) } }

    private static let rowSchema = Schema([
        Field("key", .bigint), Field("time", .timestamptz), Field("value", .bigint),
        Field("text", .text),
    ])

    static let all: [Subject] = [
        aggregate("aggregate", isUpdating: false),
        aggregate("aggregate over updates", isUpdating: true),
        windowed("tumble", .tumble(size: 10, origin: 0), emitsChanges: false),
        windowed("tumble", .tumble(size: 10, origin: 0), emitsChanges: true),
        windowed("hop", .hop(slide: 4, size: 10, origin: 0), emitsChanges: false),
        windowed("hop", .hop(slide: 4, size: 10, origin: 0), emitsChanges: true),
        windowed("cumulate", .cumulate(step: 5, size: 20, origin: 0), emitsChanges: false),
        windowed("session", .session(gap: 7), emitsChanges: false),
        windowed("session", .session(gap: 7), emitsChanges: true),
        Subject(
            description: "existing window",
            kind: .windowAggregate(
                WindowAggregate(
                    window: Window(kind: .existing, timeColumn: 1, lag: 0), keys: [0, 1],
                    aggregates: calls, emitsChanges: false, lateOutput: nil)),
            schema: Schema(
                [Field("key", .bigint), Field("end", .timestamptz)] + results)),
        Subject(
            description: "session rows",
            kind: .sessionRows(
                SessionRows(
                    window: Window(kind: .session(gap: 7), timeColumn: 1, lag: 0), keys: [0])),
            schema: Schema(
                rowSchema.fields + [
                    Field("window_start", .timestamptz), Field("window_end", .timestamptz),
                ])),
        Subject(
            description: "upserts", kind: .upsertSource(UpsertSource(keys: [0])),
            schema: rowSchema, change: .updating(key: [0]), hasChanges: true, isUpsert: true),
        Subject(description: "distinct", kind: .distinct, schema: rowSchema),
    ]

    private static func aggregate(_ name: String, isUpdating: Bool) -> Subject {
        Subject(
            description: name,
            kind: .aggregate(
                Aggregate(keys: [0], aggregates: calls, inputIsUpdating: isUpdating)),
            schema: Schema([Field("key", .bigint)] + results),
            change: .updating(key: [0]), hasChanges: isUpdating)
    }
}

/// One of the twins.
private struct Twin {
    let node: PlanNode
    var made: any Operator
    let store = MemoryStore()
    var counters = Counters()
    var minimum = EventTime.never
    /// Handed over, not durable yet.
    var inFlight: StateDelta?
    /// Since the last look: rows by how often, −1 taken off one by one.
    var rows: [[Scalar]: Int] = [:]
    var late: [[Scalar]: Int] = [:]

    init(_ subject: Subject) throws {
        node = PlanNode(
            index: 1, kind: subject.kind, inputs: [0], schema: subject.schema, operatorID: 7,
            exchange: [.hash([0])], change: subject.change, place: nil)
        made = makeOperator(for: node, settings: Settings())
        try restore(limit: .max)
    }

    mutating func restore(limit: Int) throws {
        made = makeOperator(for: node, settings: Settings())
        try made.restore(
            from: store, groups: 0..<KeyGroups.count, minimum: minimum, memoryLimit: limit)
        if minimum > EventTime.never { try advance(minimum) }
    }

    mutating func push(_ batch: Batch) throws {
        var output = OperatorOutput()
        made.push(batch, input: 0, into: &output)
        try take(output)
    }

    mutating func advance(_ minimum: Int64) throws {
        self.minimum = minimum
        var hasMore = true
        while hasMore {
            var output = OperatorOutput()
            made.advance(to: minimum, into: &output)
            hasMore = output.hasMore
            try take(output)
        }
    }

    mutating func barrier() throws -> StateDelta {
        settle()
        var output = OperatorOutput()
        made.flush(into: &output)
        try take(output)
        let delta = made.snapshot()
        inFlight = delta
        return delta
    }

    /// The last delta becomes durable.
    mutating func settle() {
        if let inFlight { store.apply(inFlight) }
        inFlight = nil
    }

    private mutating func take(_ output: borrowing OperatorOutput) throws {
        if let failure = output.failure { throw failure }
        counters += output.counters
        for batch in output.batches { Twin.add(batch, to: &rows) }
        for part in output.late { Twin.add(part.rows, to: &late) }
    }

    private static func add(_ batch: Batch, to rows: inout [[Scalar]: Int]) {
        for row in 0..<batch.rowCount {
            let key = batch.columns.map { $0.scalar(row) }
            rows[key, default: 0] += Int(batch.changes?[row] ?? 1)
            if rows[key] == 0 { rows[key] = nil }
        }
    }
}

extension StateDelta {
    /// What it makes of a store, in no order.
    fileprivate var content: [[UInt8]: [UInt8]?] {
        var content: [[UInt8]: [UInt8]?] = [:]
        for entry in entries {
            content[[0, UInt8(entry.group)] + entry.key] = .some(entry.value)
        }
        for removed in removedPrefixes {
            content[[1, UInt8(removed.group)] + removed.prefix] = .some(nil)
        }
        return content
    }
}

@Suite struct EvictionTests {
    /// MILLRACE_EVICTION_SEEDS runs more.
    static let seeds =
        ProcessInfo.processInfo.environment["MILLRACE_EVICTION_SEEDS"].flatMap(Int.init) ?? 6

    @Test(arguments: Subject.all.indices, 0..<EvictionTests.seeds)
    func aTwinThatEvictsDoesTheSame(_ index: Int, _ seed: Int) throws {
        let subject = Subject.all[index]
        var random = Seeded(UInt64(index * 1000 + seed))
        var input = Input(subject: subject)
        var whole = try Twin(subject)
        var evicting = try Twin(subject)
        var evictions = 0
        for step in 0..<60 {
            let name: Comment = "\(subject), seed \(seed), step \(step)"
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<4:
                let batch = input.batch([1, 3, 30][seed % 3], &random)
                try whole.push(batch)
                try evicting.push(batch)
            case 4..<6:
                let time = max(whole.minimum, input.now) + .random(in: 0..<6, using: &random)
                input.now = time
                try whole.advance(time)
                try evicting.advance(time)
            case 6..<8:
                let isSame = try evicting.barrier().content == whole.barrier().content
                try #require(isSame, name)
                // Some pushes may come before the delta is durable.
                if Bool.random(using: &random) { evicting.settle() }
            case 8..<11:
                evicting.settle()
                let bytes = evicting.made.residentBytes
                let target = seed % 2 == 0 ? 0 : bytes / 2
                evicting.made.evict(to: target)
                if evicting.made.residentBytes < bytes { evictions += 1 }
            default:
                let isSame = try evicting.barrier().content == whole.barrier().content
                try #require(isSame, name)
                evicting.settle()
                whole.settle()
                try whole.restore(limit: .max)
                let limit = [0, 400, .max].randomElement(using: &random) ?? 0
                try evicting.restore(limit: limit)
            }
            if evicting.inFlight != nil, Int.random(in: 0..<3, using: &random) == 0 {
                evicting.settle()
            }
            let (rowsAgree, lateAgree) =
                (evicting.rows == whole.rows, evicting.late == whole.late)
            try #require(rowsAgree, name)
            try #require(lateAgree, name)
            try #require(evicting.counters == whole.counters, name)
            (evicting.rows, evicting.late, whole.rows, whole.late) = ([:], [:], [:], [:])
            #expect(evicting.made.held.rows == whole.made.held.rows, name)
            #expect(evicting.made.held.keys == whole.made.held.keys, name)
        }
        try whole.advance(EventTime.end)
        try evicting.advance(EventTime.end)
        let isSame = try evicting.barrier().content == whole.barrier().content
        #expect(isSame, "\(subject), seed \(seed), at the end")
        let rowsAgree = evicting.rows == whole.rows
        #expect(rowsAgree, "\(subject), seed \(seed), at the end")
        #expect(evicting.counters == whole.counters, "\(subject), seed \(seed), at the end")
        whole.settle()
        evicting.settle()
        #expect(whole.store.entryCount == evicting.store.entryCount)
        #expect(evictions > 0, "\(subject), seed \(seed): nothing was ever evicted")
    }
}

/// Random rows over few keys: they come back after they have left.
private struct Input {
    let subject: Subject
    var now: Int64 = 0
    private var standing: [[Scalar]] = []

    init(subject: Subject) { self.subject = subject }

    mutating func batch(_ rowCount: Int, _ random: inout Seeded) -> Batch {
        var rows: [[Scalar]] = []
        var changes: [Int8] = []
        for _ in 0..<rowCount {
            if subject.hasChanges, !subject.isUpsert, !standing.isEmpty,
                Int.random(in: 0..<5, using: &random) < 2
            {
                rows.append(
                    standing.remove(at: .random(in: 0..<standing.count, using: &random)))
                changes.append(-1)
                continue
            }
            let row = row(&random)
            rows.append(row)
            let isDelete = subject.isUpsert && Int.random(in: 0..<3, using: &random) == 0
            changes.append(isDelete ? -1 : 1)
            if !subject.isUpsert { standing.append(row) }
        }
        return Batch(
            rowCount: rows.count,
            columns: types.indices.map { column in
                Column(types[column], scalars: rows.map { $0[column] })
            }, changes: subject.hasChanges ? changes : nil)
    }

    private func row(_ random: inout Seeded) -> [Scalar] {
        let words = ["", "a", "ab", "b\u{0}c", "zebra"]
        return [
            .int64(.random(in: 0..<12, using: &random)),
            .int64(now + .random(in: -4..<20, using: &random)),
            .int64(.random(in: -3..<4, using: &random)),
            .text(words.randomElement(using: &random) ?? ""),
        ]
    }
}
