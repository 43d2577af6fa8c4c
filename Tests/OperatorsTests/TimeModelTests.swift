// The executable specification's cases (dialect.md §1), run through the operators: partitions,
// workers by key, barriers and restarts as each case's schedules say.

import Columns
import Contracts
import Foundation
import Kernels
import Operators
import Planning
import Progress
import State
import Testing
import Types

struct TimeModelCase: Decodable, Sendable {
    final class Query: Decodable, Sendable {
        let op: String
        let inputs: [Query]
        let times: [String]
        let name: String?
        let delay, size, origin, slide, step, gap, at_least: Int64?
    }

    struct Schedule: Decodable, Sendable {
        enum Part: Decodable, Sendable {
            case text(String), number(Int)
            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let number = try? value.decode(Int.self) {
                    self = .number(number)
                } else {
                    self = .text(try value.decode(String.self))
                }
            }
            var text: String { if case .text(let text) = self { text } else { "" } }
            var number: Int { if case .number(let number) = self { number } else { 0 } }
        }
        let workers: Int
        let bounded: Bool
        let delivery: Int?
        let events: [[Part]]
    }

    let name: String
    let query: Query
    /// Names repeat; with the first row and the number of partitions they do not.
    var id: String { "\(name): \(partitions.sorted { $0.key < $1.key })" }
    let any_schedule: Bool
    let partitions: [String: [[Int64]]]
    let schedules: [Schedule]
    let rows: [[String: Int64?]]
    let late: [[String: Late]]

    enum Late: Decodable, Sendable, CustomStringConvertible {
        case text(String), number(Int64)
        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let number = try? value.decode(Int64.self) {
                self = .number(number)
            } else {
                self = .text(try value.decode(String.self))
            }
        }
        var description: String {
            switch self {
            case .text(let text): text
            case .number(let number): "\(number)"
            }
        }
    }

    static let all: [TimeModelCase] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("time-model-cases.json")
        guard let data = try? Data(contentsOf: file) else { return [] }
        return (try? JSONDecoder().decode([TimeModelCase].self, from: data)) ?? []
    }()

    /// Constructs of later slices.
    static let later: Set<String> = ["top_n", "interval_join", "as_of_join"]

    var isInSlice: Bool {
        func holds(_ query: Query) -> Bool {
            !Self.later.contains(query.op) && query.inputs.allSatisfy(holds)
        }
        return holds(query)
    }

    /// Whether its outcome depends on the model's own random deliveries (README of the model: such
    /// seeds mean nothing elsewhere); restarts at different minima have a test of their own.
    var dependsOnDeliveries: Bool { !any_schedule && schedules.contains { $0.delivery != nil } }

    var expectedRows: [String] {
        rows.map { row in
            ["key", "window_start", "window_end", "count", "value"]
                .map { "\((row[$0] ?? nil).map { "\($0)" } ?? "-")" }.joined(separator: " ")
        }.sorted()
    }

    var expectedLate: [String] {
        lateRows.filter { !$0.contains(" filtered ") }
    }

    /// Rows in no window are counted only.
    var expectedFiltered: Int { lateRows.count { $0.contains(" filtered ") } }

    private var lateRows: [String] {
        late.map { late in
            ["operator", "kind", "key", "time", "value"].map {
                "\(late[$0].map(String.init(describing:)) ?? "")"
            }
            .joined(separator: " ")
        }.sorted()
    }
}

@Suite struct TimeModelTests {
    @Test func casesAreThere() {
        #expect(TimeModelCase.all.count == 66)
        let outside = TimeModelCase.all.filter { !$0.isInSlice }
        // Joins and top-N are constructs of a later slice; validate refuses them by name.
        #expect(outside.count == 24, "cases with constructs not in this slice")
        let random = TimeModelCase.all.filter { $0.isInSlice && $0.dependsOnDeliveries }
        #expect(random.count == 3, "cases that only the model's own deliveries give")
    }

    @Test(arguments: TimeModelCase.all.filter { $0.isInSlice && !$0.dependsOnDeliveries }.map(\.id))
    func rowsAndLateRowsAreTheModels(_ id: String) throws {
        let one = try #require(TimeModelCase.all.first { $0.id == id })
        for (number, schedule) in one.schedules.enumerated() {
            for workers in one.any_schedule ? [nil, 1, 4] : [nil] {
                for batchRows in one.any_schedule ? [nil, 1, 3, 2048] : [nil] {
                    let engine = try ModelEngine(
                        one, schedule, workers: workers, batchRows: batchRows)
                    try engine.run()
                    let place = "\(one.name), schedule \(number), \(workers ?? 0) workers"
                    #expect(engine.rows.sorted() == one.expectedRows, "\(place)")
                    #expect(engine.late.sorted() == one.expectedLate, "\(place)")
                    #expect(engine.filtered == one.expectedFiltered, "\(place)")
                    engine.checkConservation(place)
                }
            }
        }
    }
}

/// One operator of the query at all workers, with its channels: everything is delivered at once.
final class ModelEngine {
    private struct Node {
        let path: String
        let query: TimeModelCase.Query
        let plan: PlanNode
        /// Of each input: the node's index, or the source's name.
        let inputs: [(node: Int?, source: String?)]
        var operators: [any Operator] = []
        /// One a worker: producers are (input, partition) or (input, node's worker).
        var minima: [MinimumWatermark] = []
        var producers: [String: Int] = [:]
        var heldBefore: Int64 = 0
        var counters = Counters()
    }

    private struct Stored {
        let store: MemoryStore
        let minima: [Int64]
        let highest: [String: Int64]
        let positions: [String: Int]
        let rows: [String]
        let late: [String]
        let counters: [Counters]
        let held: [Int64]
    }

    private let one: TimeModelCase
    private let schedule: TimeModelCase.Schedule
    private let fixedWorkers: Int?
    private let batchRows: Int?
    private var workers: Int
    private var nodes: [Node] = []
    private var highest: [String: Int64] = [:]
    private var positions: [String: Int] = [:]
    private var noticed: Set<String>
    private var idle: Set<String> = []
    private var store = MemoryStore()
    private var stored: Stored?
    private let names: [String]
    private var delays: [String: Int64] = [:]
    private(set) var rows: [String] = []
    private(set) var late: [String] = []

    init(
        _ one: TimeModelCase, _ schedule: TimeModelCase.Schedule, workers: Int?, batchRows: Int?
    ) throws {
        self.one = one
        self.schedule = schedule
        fixedWorkers = workers
        self.batchRows = batchRows
        self.workers = workers ?? schedule.workers
        names = one.partitions.keys.sorted()
        let later = Set(schedule.events.filter { $0[0].text == "notice" }.map { $0[1].text })
        noticed = Set(names).subtracting(later)
        try plan(one.query, path: "0")
        start(minima: nodes.map { _ in EventTime.never })
        try checkpoint()
    }

    /// Plans a query and what is under it, inputs first; returns the node's index.
    @discardableResult
    private func plan(_ query: TimeModelCase.Query, path: String) throws -> Int {
        var inputs: [(node: Int?, source: String?)] = []
        for (number, input) in query.inputs.enumerated() {
            if input.op == "source" {
                inputs.append((nil, input.name))
                delays[input.name ?? ""] = input.delay
            } else {
                inputs.append((try plan(input, path: "\(path).\(number)"), nil))
            }
        }
        let operatorID = UInt64(nodes.count + 1)
        let node = ModelPlans.node(query, index: nodes.count, operatorID: operatorID)
        nodes.append(Node(path: "\(path) \(query.op)", query: query, plan: node, inputs: inputs))
        return nodes.count - 1
    }

    /// Makes the operators and their channels, restored from the store.
    private func start(minima: [Int64]) {
        var settings = Settings()
        settings.batchRows = batchRows ?? 2048
        for index in nodes.indices {
            nodes[index].operators = []
            nodes[index].minima = []
            nodes[index].producers = [:]
            for (number, input) in nodes[index].inputs.enumerated() {
                let producers =
                    input.node.map { node in (0..<workers).map { "\(node)#\($0)" } }
                    ?? names.filter { $0.split(separator: "/")[0] == input.source ?? "" }
                for producer in producers {
                    nodes[index].producers["\(number) \(producer)"] = nodes[index].producers.count
                }
            }
            for worker in 0..<workers {
                let made = makeOperator(for: nodes[index].plan, settings: settings)
                try? made.restore(
                    from: store, groups: KeyGroups.groups(ofWorker: worker, workers: workers),
                    minimum: minima[index])
                nodes[index].operators.append(made)
                nodes[index].minima.append(
                    MinimumWatermark(
                        producers: nodes[index].producers.count, restored: minima[index]))
            }
        }
        // A partition not noticed yet does not count.
        for name in names where !noticed.contains(name) { announce(name, .idle) }
        for index in nodes.indices where minima[index] > EventTime.never {
            for worker in 0..<workers { advance(index, worker, to: minima[index]) }
        }
        for index in nodes.indices {
            for worker in 0..<workers {
                tell(index, worker, .at(nodes[index].minima[worker].minimum))
            }
        }
        for name in names where noticed.contains(name) { announce(name) }
    }

    // Watermarks.

    private func watermark(_ name: String) -> Watermark {
        let source = String(name.split(separator: "/")[0])
        return .at(
            PartitionWatermark(
                highestTime: highest[name] ?? EventTime.never, delay: delays[source] ?? 0
            ).watermark)
    }

    private func announce(_ name: String, _ watermark: Watermark? = nil) {
        let watermark = watermark ?? self.watermark(name)
        for index in nodes.indices {
            for number in nodes[index].inputs.indices {
                guard let producer = nodes[index].producers["\(number) \(name)"] else { continue }
                for worker in 0..<workers { learn(index, worker, producer, watermark) }
            }
        }
    }

    private func learn(_ index: Int, _ worker: Int, _ producer: Int, _ watermark: Watermark) {
        guard nodes[index].minima[worker].note(watermark, from: producer) else { return }
        let minimum = nodes[index].minima[worker].minimum
        advance(index, worker, to: minimum)
        tell(index, worker, .at(minimum))
    }

    private func advance(_ index: Int, _ worker: Int, to minimum: Int64) {
        var output = OperatorOutput()
        nodes[index].operators[worker].advance(to: minimum, into: &output)
        send(index, worker, output)
    }

    /// What a node's worker announces to those that read it.
    private func tell(_ index: Int, _ worker: Int, _ watermark: Watermark) {
        for consumer in nodes.indices {
            for (number, input) in nodes[consumer].inputs.enumerated() where input.node == index {
                guard let producer = nodes[consumer].producers["\(number) \(index)#\(worker)"]
                else { continue }
                for other in 0..<workers { learn(consumer, other, producer, watermark) }
            }
        }
    }

    // Rows.

    private func send(_ index: Int, _ worker: Int, _ output: borrowing OperatorOutput) {
        nodes[index].counters += output.counters
        note(output, of: index)
        for batch in output.batches {
            if index == nodes.count - 1 { note(batch) }
            for consumer in nodes.indices {
                for (number, input) in nodes[consumer].inputs.enumerated()
                where input.node == index {
                    deliver(batch, to: consumer, input: number)
                }
            }
        }
    }

    /// Spreads a batch over the consumer's workers by key.
    private func deliver(_ batch: Batch, to index: Int, input: Int) {
        let node = nodes[index]
        let batch = ModelPlans.read(batch, by: node.query, input: input)
        let keys = node.query.op == "group_by_window" ? [0, 1, 2] : [0]
        let hashes = hashRows(keys.map { batch.columns[$0] }, rowCount: batch.rowCount)
        var parts = [[Int32]](repeating: [], count: workers)
        for row in 0..<batch.rowCount {
            let group = KeyGroups.group(ofHash: hashes[row])
            parts[KeyGroups.worker(ofGroup: group, workers: workers)].append(Int32(row))
        }
        for (worker, rows) in parts.enumerated() where !rows.isEmpty {
            var output = OperatorOutput()
            nodes[index].operators[worker].push(
                batch.gather(rows), input: input, into: &output)
            send(index, worker, output)
        }
    }

    private func note(_ batch: Batch) {
        for row in 0..<batch.rowCount {
            rows.append(batch.columns.map { text($0, row) }.joined(separator: " "))
        }
    }

    private func note(_ output: borrowing OperatorOutput, of index: Int) {
        let node = nodes[index]
        for part in output.late {
            for row in 0..<part.rows.rowCount {
                late.append(
                    "\(node.path) \(part.kinds[row].rawValue) "
                        + ModelPlans.lateText(part.rows, row, node.query))
            }
        }
    }

    private func text(_ column: Column, _ row: Int) -> String {
        switch column.scalar(row) {
        case .int64(let value): "\(value)"
        case .int128(let value): "\(value)"
        default: "-"
        }
    }

    // Events.

    func run() throws {
        for event in schedule.events {
            switch event[0].text {
            case "read": read(event[1].text, event[2].number)
            case "idle":
                idle.insert(event[1].text)
                announce(event[1].text, .idle)
            case "notice":
                noticed.insert(event[1].text)
                announce(event[1].text)
            case "checkpoint": try checkpoint()
            case "restart": try restart(event[1].number)
            default: Issue.record("event \(event[0].text)")
            }
        }
        for name in names {
            if !noticed.contains(name) {
                noticed.insert(name)
                announce(name)
            }
            let count = one.partitions[name]?.count ?? 0
            if positions[name] ?? 0 < count {
                if one.any_schedule, let batchRows {
                    while positions[name] ?? 0 < count { read(name, batchRows) }
                } else {
                    read(name, count)
                }
            }
        }
        for name in names { announce(name, .at(EventTime.end)) }
    }

    private func read(_ name: String, _ count: Int) {
        guard noticed.contains(name), let all = one.partitions[name] else { return }
        if idle.remove(name) != nil { announce(name) }
        let start = positions[name] ?? 0
        let end = min(start + count, all.count)
        let taken = Array(all[start..<end])
        let source = String(name.split(separator: "/")[0])
        var watermark = PartitionWatermark(
            highestTime: highest[name] ?? EventTime.never, delay: delays[source] ?? 0)
        let times = taken.map { $0[1] }
        let watermarks = watermark.advance(over: times)
        highest[name] = watermark.highestTime
        positions[name] = end
        let batch = Batch(
            rowCount: taken.count,
            columns: [
                Column(.bigint, .int64(taken.map { $0[0] })),
                Column(.timestamptz, .int64(times)),
                Column(.bigint, .int64(taken.map { $0[2] })),
            ], watermarks: watermarks)
        if batch.rowCount > 0 {
            for index in nodes.indices {
                for (number, input) in nodes[index].inputs.enumerated()
                where input.source == source { deliver(batch, to: index, input: number) }
            }
        }
        announce(name, schedule.bounded && end == all.count ? .at(EventTime.end) : nil)
    }

    private func checkpoint() throws {
        for index in nodes.indices {
            for worker in 0..<workers {
                var output = OperatorOutput()
                nodes[index].operators[worker].flush(into: &output)
                send(index, worker, output)
                store.apply(nodes[index].operators[worker].snapshot())
            }
        }
        stored = Stored(
            store: store.copy(),
            minima: nodes.map { $0.minima.map(\.minimum).max() ?? EventTime.never },
            highest: highest, positions: positions, rows: rows, late: late,
            counters: nodes.map(\.counters), held: nodes.map(held))
    }

    private func held(_ node: Node) -> Int64 { node.operators.reduce(0) { $0 + $1.held.rows } }

    private func restart(_ workers: Int) throws {
        let stored = try #require(stored)
        self.workers = fixedWorkers ?? workers
        store = stored.store.copy()
        (highest, positions, rows, late) =
            (stored.highest, stored.positions, stored.rows, stored.late)
        for index in nodes.indices { nodes[index].counters = stored.counters[index] }
        idle = []
        start(minima: stored.minima)
    }

    /// Rows that lie in no window.
    var filtered: Int {
        nodes.filter { $0.query.op != "where" }.reduce(0) { $0 + Int($1.counters.filtered) }
    }

    func checkConservation(_ place: String) {
        for node in nodes {
            let counters = node.counters
            let left = counters.rowsIn + counters.made
            let right =
                counters.out + counters.filtered + counters.late + counters.idleLate
                + counters.dead + counters.merged + held(node)
            #expect(left == right, "\(place): \(node.path) \(counters)")
        }
    }
}
