// Windows with early results, sessions, upserts, DISTINCT: against naive recomputation, with
// restarts; and what a checkpoint writes.

import Columns
import Contracts
import Kernels
import Operators
import Planning
import Progress
import State
import Testing
import Types

private let windowSchema = Schema([
    Field("key", .bigint), Field("window_start", .timestamptz), Field("window_end", .timestamptz),
    Field("count", .bigint), Field("values", .array(.bigint)),
])

private func aggregate(_ kind: Window.Kind, emitsChanges: Bool) -> PlanNodeKind {
    .windowAggregate(
        WindowAggregate(
            window: Window(kind: kind, timeColumn: 1, lag: 0), keys: [0],
            aggregates: [
                AggregateCall(
                    function: .countStar, arguments: [], argumentTypes: [], isDistinct: false,
                    filter: nil, ordering: [], type: .bigint, place: nil),
                AggregateCall(
                    function: .arrayAggregate, arguments: [1], argumentTypes: [.bigint],
                    isDistinct: false, filter: nil,
                    ordering: [.init(column: 1, isDescending: false, nullsFirst: false)],
                    type: .array(.bigint), place: nil),
            ], emitsChanges: emitsChanges, lateOutput: nil))
}

private func batch(_ rows: [(key: Int64, time: Int64)]) -> Batch {
    Batch(
        rowCount: rows.count,
        columns: [
            Column(.bigint, .int64(rows.map(\.key))),
            Column(.timestamptz, .int64(rows.map(\.time))),
        ])
}

private func row(_ key: Int64, _ start: Int64, _ end: Int64, _ times: [Int64]) -> [Scalar] {
    [
        .int64(key), .int64(start), .int64(end), .int64(Int64(times.count)),
        .list(times.sorted().map { .int64($0) }),
    ]
}

/// Windows by their definition: no panes, no state.
private func naive(
    _ kind: Window.Kind, _ rows: [(key: Int64, time: Int64)]
) -> [[Scalar]: Int] {
    var result: [[Scalar]: Int] = [:]
    for (key, group) in Dictionary(grouping: rows, by: \.key) {
        let times = group.map(\.time).sorted()
        if case .session(let gap) = kind {
            var open: [Int64] = []
            for time in times {
                if let last = open.last, time > last + gap {
                    result[row(key, open[0], last + gap, open)] = 1
                    open = []
                }
                open.append(time)
            }
            if let last = open.last { result[row(key, open[0], last + gap, open)] = 1 }
            continue
        }
        for end in Int64(-200)...200 {
            let start: Int64
            switch kind {
            case .tumble(let size, _): start = end % size == 0 ? end - size : end
            case .hop(let slide, let size, _): start = (end - size) % slide == 0 ? end - size : end
            case .cumulate(let step, let size, _):
                let period = Int64((Double(end - 1) / Double(size)).rounded(.down)) * size
                start = (end - period) % step == 0 ? period : end
            default: start = end
            }
            let inside = times.filter { $0 >= start && $0 < end }
            if !inside.isEmpty { result[row(key, start, end, inside)] = 1 }
        }
    }
    return result
}

private let kinds: [Window.Kind] = [
    .tumble(size: 10, origin: 0), .hop(slide: 4, size: 10, origin: 0),
    .hop(slide: 10, size: 4, origin: 0), .cumulate(step: 5, size: 20, origin: 0), .session(gap: 7),
]

@Suite struct WindowTests {
    @Test(arguments: kinds.indices, 0..<8)
    func matchesTheDefinition(_ kind: Int, _ seed: Int) throws {
        var random = Seeded(UInt64(kind * 100 + seed))
        let emitsChanges = seed % 2 == 1
        var driver = OperatorDriver(
            aggregate(kinds[kind], emitsChanges: emitsChanges), schema: windowSchema,
            change: emitsChanges ? .updating(key: [0, 1, 2]) : .appendOnly, restarts: seed % 4 < 2)
        try driver.barrier()
        var minimum: Int64 = -60
        var rows: [(key: Int64, time: Int64)] = []
        for _ in 0..<15 {
            let new = (0..<[1, 3, 20][seed % 3]).map { _ in
                (
                    key: Int64.random(in: 0..<3, using: &random),
                    time: minimum + .random(in: 0..<30, using: &random)
                )
            }
            rows += new
            try driver.push(batch(new))
            if Bool.random(using: &random) { try driver.barrier() }
            minimum += .random(in: 0..<9, using: &random)
            driver.advance(minimum)
        }
        driver.advance(EventTime.end)
        try driver.barrier()
        let standing = try #require(driver.standing, "a −1 met no row")
        #expect(standing == naive(kinds[kind], rows), "kind \(kind), seed \(seed)")
        #expect(driver.isConserved, "kind \(kind), seed \(seed): \(driver.counters)")
        #expect(driver.made.held.rows == 0)
    }

    /// Two workers acted on different minima before the restart: each part closes what it has not.
    @Test(arguments: [1, 3])
    func eachPartClosesItsOwn(_ kind: Int) throws {
        let store = MemoryStore()
        let node = PlanNode(
            index: 1, kind: aggregate(kinds[kind], emitsChanges: false), inputs: [0],
            schema: windowSchema, operatorID: 7, exchange: [.hash([0])], change: .appendOnly,
            place: nil)
        let rows = (0..<Int64(20)).map { (key: $0, time: $0 % 5) }
        var seen: [[Scalar]: Int] = [:]
        func note(_ output: borrowing OperatorOutput) {
            for batch in output.batches {
                for index in 0..<batch.rowCount {
                    seen[batch.columns.map { $0.scalar(index) }, default: 0] += 1
                }
            }
        }
        for (worker, minimum) in [Int64(3), 9].enumerated() {
            let made = makeOperator(for: node, settings: Settings())
            let groups = KeyGroups.groups(ofWorker: worker, workers: 2)
            try made.restore(from: store, groups: groups, minimum: EventTime.never)
            let hashes = hashRows([batch(rows).columns[0]], rowCount: rows.count)
            let own = rows.indices.filter { groups.contains(KeyGroups.group(ofHash: hashes[$0])) }
            var output = OperatorOutput()
            made.push(batch(own.map { rows[$0] }), input: 0, into: &output)
            made.advance(to: minimum, into: &output)
            made.flush(into: &output)
            store.apply(made.snapshot())
            note(output)
        }
        let made = makeOperator(for: node, settings: Settings())
        try made.restore(from: store, groups: 0..<KeyGroups.count, minimum: 9)
        var output = OperatorOutput()
        made.advance(to: 9, into: &output)
        made.advance(to: EventTime.end, into: &output)
        note(output)
        #expect(seen == naive(kinds[kind], rows))
    }

    /// A checkpoint writes what changed; what came and went between two costs nothing.
    @Test func snapshotsHoldOnlyChanges() throws {
        var driver = OperatorDriver(
            aggregate(.tumble(size: 10, origin: 0), emitsChanges: false), schema: windowSchema,
            restarts: false)
        try driver.push(batch((0..<10_000).map { (key: $0, time: 5) }))
        #expect(try driver.barrier().entries.count > 10_000)
        try driver.push(batch((0..<10).map { (key: $0, time: 6) }))
        let second = try driver.barrier()
        #expect(second.byteCount < 2000)
        try driver.push(batch([(key: 1, time: 15)]))
        driver.advance(20)
        let third = try driver.barrier()
        #expect(third.entries.isEmpty)
        #expect(third.removedPrefixes.count <= KeyGroups.count)
        #expect(driver.made.held == HeldState())
    }
}

@Suite struct KeyedTests {
    @Test(arguments: 0..<6)
    func upsertsKeepTheLastRow(_ seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let schema = Schema([Field("key", .text), Field("value", .bigint)])
        var driver = OperatorDriver(
            .upsertSource(UpsertSource(keys: [0])), schema: schema, change: .updating(key: [0]),
            restarts: seed % 2 == 0)
        var last: [Scalar: Scalar] = [:]
        for _ in 0..<20 {
            var rows: [[Scalar]] = []
            var changes: [Int8] = []
            for _ in 0..<[1, 3, 50][seed % 3] {
                let key = Scalar.text("k\(Int.random(in: 0..<6, using: &random))")
                let isDelete = Int.random(in: 0..<3, using: &random) == 0
                let value: Scalar = isDelete ? .null : .int64(.random(in: 0..<4, using: &random))
                rows.append([key, value])
                changes.append(isDelete ? -1 : 1)
                last[key] = isDelete ? nil : value
            }
            try driver.push(
                Batch(
                    rowCount: rows.count,
                    columns: [
                        Column(.text, scalars: rows.map { $0[0] }),
                        Column(.bigint, scalars: rows.map { $0[1] }),
                    ], changes: changes))
            if Bool.random(using: &random) { try driver.barrier() }
        }
        let standing = try #require(driver.standing, "a −1 met no row")
        #expect(standing == Dictionary(uniqueKeysWithValues: last.map { ([$0, $1], 1) }))
        #expect(driver.isConserved, "\(driver.counters)")
    }

    @Test(arguments: [true, false])
    func distinctPassesFirstRows(_ restarts: Bool) throws {
        let schema = Schema([Field("a", .double), Field("b", .text)])
        var driver = OperatorDriver(.distinct, schema: schema, restarts: restarts)
        let rows: [[Scalar]] = [
            [.float64(0), .text("x")], [.float64(-0.0), .text("x")], [.null, .null],
            [.float64(.nan), .null], [.float64(-.nan), .null], [.null, .null],
        ]
        for row in rows + rows {
            try driver.push(
                Batch(
                    rowCount: 1,
                    columns: [Column(.double, scalars: [row[0]]), Column(.text, scalars: [row[1]])])
            )
            try driver.barrier()
        }
        #expect(driver.counters.out == 3)
        #expect(driver.isConserved)
    }

    /// One row from the first barrier on, on the worker that owns the empty key.
    @Test func globalRowOverNothing() throws {
        let kind = PlanNodeKind.aggregate(
            Aggregate(
                keys: [],
                aggregates: [
                    AggregateCall(
                        function: .countStar, arguments: [], argumentTypes: [], isDistinct: false,
                        filter: nil, ordering: [], type: .bigint, place: nil)
                ], inputIsUpdating: false))
        let node = PlanNode(
            index: 1, kind: kind, inputs: [0], schema: Schema([Field("count", .bigint)]),
            operatorID: 7, exchange: [.hash([])], change: .updating(key: []), place: nil)
        var rows = 0
        for worker in 0..<4 {
            let made = makeOperator(for: node, settings: Settings())
            try made.restore(
                from: MemoryStore(), groups: KeyGroups.groups(ofWorker: worker, workers: 4),
                minimum: EventTime.never)
            var output = OperatorOutput()
            made.flush(into: &output)
            made.flush(into: &output)
            rows += output.batches.reduce(0) { $0 + $1.rowCount }
        }
        #expect(rows == 1)
    }

    /// Over the limit: the row is dead, not cut short.
    @Test func collectLimitIsARowError() throws {
        var settings = Settings()
        settings.collectLimit = 3
        var driver = OperatorDriver(
            aggregate(.tumble(size: 10, origin: 0), emitsChanges: false), schema: windowSchema,
            restarts: true, settings: settings)
        try driver.push(batch([(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3)]))
        try driver.barrier()
        driver.advance(10)
        #expect(driver.counters.dead == 1)
        #expect(driver.failed.first?.errors.first?.reason == .limit)
        #expect(driver.standing == [row(2, 0, 10, [1, 2, 3]): 1])
        #expect(driver.isConserved)
    }
}
