// The hot path pays a batch, not a row: what one batch allocates is counted, at 1024 and at 2048
// rows. Counts, never times: they are the same on a busy machine.
//
// An optimized build is held to that. In one that is not the compiler boxes values of its own in
// loop bodies, so there a row has a budget: one allocation more a row and it is passed.

import CJemalloc
import Columns
import Connectors
import Contracts
import Environment
import Formats
import Millrace
import Operators
import Planning
import Progress
import Testing
import Types

/// Counts this thread's allocations: the thread has an arena of its own while `body` runs.
private struct AllocationCount {
    private let arena: UInt32

    static func measuring<Result>(
        _ body: (AllocationCount) throws -> Result
    ) throws -> Result {
        let before: UInt32 = try read("thread.arena")
        let count = AllocationCount(arena: try read("arenas.create"))
        try write("thread.arena", count.arena)
        defer { try? write("thread.arena", before) }
        try #require(
            count.of { _ = [Int](repeating: 0, count: 1_000) } >= 1,
            "the process's malloc is not jemalloc")
        return try body(count)
    }

    /// Allocations of `body`, of any size, whether freed again or not.
    func of(_ body: () throws -> Void) throws -> Int {
        let before = try total()
        try body()
        return Int(try total() - before)
    }

    private func total() throws -> UInt64 {
        // The thread's cache counts for itself until it is flushed; the epoch takes a new look.
        _ = unsafe mallctl("thread.tcache.flush", nil, nil, nil, 0)
        try AllocationCount.write("epoch", UInt64(1))
        let small: UInt64 = try AllocationCount.read("stats.arenas.\(arena).small.nrequests")
        let large: UInt64 = try AllocationCount.read("stats.arenas.\(arena).large.nrequests")
        return small + large
    }

    private static func read<Value: FixedWidthInteger>(_ name: String) throws -> Value {
        var value = Value.zero
        var size = MemoryLayout<Value>.size
        // SAFETY: the value is a local of the size that is passed, and outlives the call.
        let status = unsafe mallctl(name, &value, &size, nil, 0)
        try #require(status == 0, "\(name)")
        return value
    }

    private static func write<Value: FixedWidthInteger>(_ name: String, _ value: Value) throws {
        var value = value
        // SAFETY: as above.
        let status = unsafe mallctl(name, nil, nil, &value, MemoryLayout<Value>.size)
        try #require(status == 0, "\(name)")
    }
}

/// The operators of a plan on one worker, rows pushed through and dropped at the sink.
private final class OperatorChain {
    private let plan: Plan
    private var operators: [Int: any Operator] = [:]
    private(set) var rowsOut = 0

    init(_ plan: Plan) {
        self.plan = plan
        for node in plan.nodes {
            switch node.kind {
            case .source, .sink: break
            default: operators[node.index] = makeOperator(for: node, settings: plan.settings)
            }
        }
    }

    func push(_ batch: Batch, from node: Int) {
        for next in plan.nodes where next.inputs.contains(node) {
            guard let made = operators[next.index] else {
                rowsOut += batch.rowCount
                continue
            }
            var output = OperatorOutput()
            made.push(batch, input: 0, into: &output)
            for batch in output.batches { push(batch, from: next.index) }
        }
    }
}

@Suite struct AllocationTests {
    private static let sizes = [1_024, 2_048]

    /// `counts`: at each of `sizes`. `limit`: of a batch. `rowBudget`: of a row without optimizer.
    private func expectFlat(_ counts: [Int], limit: Int, rowBudget: Int, _ name: String) {
        let rows = Self.sizes[1] - Self.sizes[0]
        let more = counts[1] - counts[0]
        #if DEBUG
            #expect(more <= rows * rowBudget, "\(name): \(counts)")
            #expect(counts[0] <= limit + Self.sizes[0] * rowBudget, "\(name): \(counts)")
        #else
            // What grows by doubling grows once more.
            #expect(more <= AllocationTests.doublings, "\(name): \(counts)")
            #expect(counts[1] <= limit, "\(name): \(counts)")
        #endif
    }

    private static let doublings = 16

    /// The first bids of the generator, so many events a batch.
    private func bids(_ plan: Plan, events: Int) throws -> Batch {
        let context = ConnectorContext(
            identity: Identity(pipelineID: "allocations", generation: 1, incarnation: 1),
            mode: .bounded, clock: .system, workers: 1, failFast: true, foreignTable: .refuse,
            log: { _ in })
        let source = try LiveConnectors().makeSource(plan.sources[0], context)
        let partition = try source.resolve(partition: "0", stored: nil, mode: .bounded)
        let reader = try source.makeReader(worker: 0, workers: 1, partitions: [partition])
        return try #require(try reader.poll(maximumRows: events)).batch
    }

    private func plan(_ query: String) throws -> Plan {
        try BenchmarkQuery.generated(query, bids: 1 << 20, partitions: 1).plan()
    }

    /// What a batch allocates once everything that grows has grown.
    @Test(arguments: [("q0", 40, 0), ("q1", 60, 2), ("q2", 60, 2), ("tumble", 120, 4)])
    func aBatchOfAnySizeAllocatesTheSame(query: String, limit: Int, rowBudget: Int) throws {
        let plan = try plan(query)
        let source = try #require(plan.nodes.first { $0.inputs.isEmpty }).index
        let counts = try Self.sizes.map { size in
            let batch = try bids(plan, events: size)
            #expect(batch.rowCount > size * 9 / 10)
            let chain = OperatorChain(plan)
            for _ in 0..<3 { chain.push(batch, from: source) }
            return try AllocationCount.measuring { count in
                try count.of { chain.push(batch, from: source) }
            }
        }
        expectFlat(counts, limit: limit, rowBudget: rowBudget, query)
    }

    /// From the bytes of Kafka's messages to columns.
    @Test func decodingABatchOfAnySizeAllocatesTheSame() throws {
        let columns: [(String, LogicalType)] = [
            ("auction", .bigint), ("price", .bigint), ("channel", .text),
            ("date_time", .timestamptz),
        ]
        let decoder = try MessageDecoder(
            format: SourceFormat(kind: .json),
            decoded: columns.enumerated().map {
                DecodedColumn(.field(name: $1.0, position: $0), $1.1)
            }, primaryKey: [], source: "bids", topic: "bids")
        let counts = try Self.sizes.map { size in
            var messages = MessageBatch(capacity: size)
            for row in 0..<size {
                let text = """
                    {"auction":\(row),"bidder":7,"price":\(row * 3),"channel":"web",\
                    "date_time":"2026-01-01T00:00:00.000Z","extra":"abcdefgh"}
                    """
                messages.append(
                    partition: 0, offset: Int64(row), key: [UInt8]?.none, value: text.utf8)
            }
            for _ in 0..<3 { _ = try decoder.decode(messages, extractedAt: 0) }
            return try AllocationCount.measuring { count in
                try count.of { _ = try decoder.decode(messages, extractedAt: 0) }
            }
        }
        expectFlat(counts, limit: 60, rowBudget: 3, "json")
    }

    /// The yardstick itself: it sees one allocation a row.
    @Test func anAllocationARowIsSeen() throws {
        let counts = try Self.sizes.map { size in
            try AllocationCount.measuring { count in
                try count.of {
                    for row in 0..<size { _ = [UInt8](repeating: 1, count: row + 1) }
                }
            }
        }
        #expect(counts[0] >= 1_024 && counts[1] >= 2_048)
    }
}
