// Runs one test case on the real planner's plan, operators, exchange and barriers.

import Columns
import Connectors
import Contracts
import Environment
import Planning
import Progress
import Runtime
import State
import Types

/// One case, from its first step to its last.
struct TopologyTestRun {
    private let file: TopologyTestFile
    private let test: TopologyTestCase
    private let plan: Plan
    private let connectors: TopologyTestConnectors
    private let pipeline: SteppedPipeline
    /// Records read of each partition, for `_offset`.
    private var offsets: [[Int64]]
    /// Whether something was fed since the last barrier.
    private var isDirty = false
    private var contents: [Int: TopologyTestContent] = [:]
    private var differences: [String] = []

    /// Time stands still in a test: nothing is idle, and `_extracted_at` is this.
    private static let clock = Clock(
        now: { 1_767_225_600_000_000 }, monotonicNanoseconds: { 1_000_000_000 })

    init(_ file: TopologyTestFile, _ test: TopologyTestCase, workers: Int) {
        self.file = file
        self.test = test
        plan = file.topology.plan
        connectors = TopologyTestConnectors(plan, test)
        offsets = plan.sources.indices.map {
            Array(repeating: 0, count: test.partitionCount(source: $0))
        }
        var options = RunOptions(mode: .live, workers: workers)
        options.clock = TopologyTestRun.clock
        options.describe = file.topology.describe
        let identity = Identity(pipelineID: "test", generation: 1, incarnation: 1)
        pipeline = SteppedPipeline(
            plan: plan, options: options, store: MemoryEpochStore(identity: identity),
            factory: connectors)
    }

    /// What differs from the expectations; empty: the test passed.
    mutating func run() -> [String] {
        do {
            try pipeline.start()
            for step in test.steps { try take(step) }
            try settle()
            checkLeftovers()
            checkConservation(pipeline.stop())
        } catch {
            let place = error.place.map { file.topology.describe($0) + ": " } ?? ""
            differences.append("the pipeline stopped: \(place)\(error)\n")
        }
        return differences
    }

    private mutating func take(_ step: TopologyTestCase.Step) throws(Failure) {
        switch step.action {
        case .rows(let rows):
            feed(rows)
            isDirty = true
        case .watermark(let source, let time):
            try waitForReaders()
            pipeline.raise(source: source, to: time)
            isDirty = true
        case .checkpoint:
            try waitForReaders()
            try pipeline.checkpoint()
            isDirty = false
        case .finish:
            try waitForReaders()
            try pipeline.endInput()
            isDirty = false
        case .expect(let expectation):
            try settle()
            compare(expectation, step.place)
        }
    }

    private func waitForReaders() throws(Failure) {
        let sources = connectors.sources
        try pipeline.wait { sources.allSatisfy(\.isConsumed) }
    }

    /// An expectation looks behind a barrier.
    private mutating func settle() throws(Failure) {
        guard isDirty else { return }
        try waitForReaders()
        try pipeline.checkpoint()
        isDirty = false
    }

    // MARK: Input

    private mutating func feed(_ rows: TopologyTestRows) {
        let source = plan.sources[rows.source]
        for partition in offsets[rows.source].indices {
            let own = rows.rows.filter { $0.partition == partition }
            guard !own.isEmpty else { continue }
            let first = offsets[rows.source][partition]
            offsets[rows.source][partition] += Int64(own.count)
            let columns = source.decoded.map { column in
                Column(
                    column.type,
                    scalars: own.enumerated().map { index, row in
                        value(column, of: row, source, offset: first + Int64(index))
                    })
            }
            let changes = source.primaryKey.isEmpty ? nil : own.map(\.change)
            connectors.sources[rows.source].append(
                Batch(rowCount: own.count, columns: columns, changes: changes),
                partition: partition, timestamps: own.map(timestamp))
        }
    }

    /// ms, as a record has it.
    private func timestamp(_ row: TopologyTestRows.Row) -> Int64 {
        guard case .int64(let time)? = row.values["_timestamp"] else { return -1 }
        return time / 1_000
    }

    private func value(
        _ column: DecodedColumn, of row: TopologyTestRows.Row, _ source: SourcePlan, offset: Int64
    ) -> Scalar {
        switch column.origin {
        case .field(_, let position):
            return row.values[source.format.declared[position].name] ?? .null
        case .wholeValue:
            return source.format.declared.first.flatMap { row.values[$0.name] } ?? .null
        case .incomplete: return .null
        case .metadata(let metadata):
            if let given = row.values[metadata.rawValue] { return given }
            switch metadata {
            case .topic, .source: return .text(source.name)
            case .partition: return .int64(Int64(row.partition))
            case .offset: return .int64(offset)
            case .extractedAt: return .int64(TopologyTestRun.clock.now())
            case .timestamp, .key, .value, .headers: return .null
            }
        }
    }

    // MARK: Output

    private mutating func compare(_ expectation: TopologyTestExpectation, _ place: SourcePlace) {
        let name: String
        let actual: TopologyTestTable
        let fields = expectation.fields
        switch expectation.target {
        case .topic(let topic):
            name = topic
            let schema = TopologyTestLetters.schema
            let letters = connectors.letters.take(topic: topic)
            actual = TopologyTestContent.net(letters, schema)
                .projected(to: fields, of: schema, withChanges: expectation.changes != nil)
        case .output(let output):
            name = plan.outputs[output].name
            var content = contents[output] ?? TopologyTestContent(plan.outputs[output])
            content.append(connectors.outputs[output].take())
            let wantsContent = content.isUpdating && expectation.changes == nil
            let table = wantsContent ? content.content : content.news
            content.markSeen()
            contents[output] = content
            actual = table.projected(
                to: fields, of: plan.outputs[output].schema,
                withChanges: expectation.changes != nil)
        }
        let expected = TopologyTestTable(expectation)
        if let difference = TopologyTestDifference(expected: expected, actual: actual) {
            differences.append(
                "\(file.line(place)): \(name) is not as expected\n" + difference.text)
        }
    }

    /// Rows that came after the last expectation of an output that the test names.
    private mutating func checkLeftovers() {
        for (output, seen) in contents.sorted(by: { $0.key < $1.key }) {
            var content = seen
            content.append(connectors.outputs[output].take())
            let schema = plan.outputs[output].schema
            let rest = content.news.projected(
                to: schema.fields, of: schema, withChanges: content.isUpdating)
            let nothing = TopologyTestTable(
                names: rest.names, rows: [])
            if let difference = TopologyTestDifference(expected: nothing, actual: rest) {
                differences.append(
                    "\(file.line(test.place)): \(plan.outputs[output].name) got more than the test "
                        + "expects\n" + difference.text)
            }
        }
    }

    private mutating func checkConservation(_ summary: RunSummary) {
        for imbalance in summary.imbalances {
            differences.append(
                "\(imbalance.place): \(imbalance.difference) rows came in of which nothing is "
                    + "known (a bug of millrace)\n")
        }
    }
}

/// Everything that reached an output in a test case.
struct TopologyTestContent {
    private let schema: Schema
    /// Key of an upsert output; nil: rows are a bag.
    private let key: [Int]?
    let isUpdating: Bool
    private var batches: [Batch] = []
    private var seenCount = 0

    init(_ output: OutputPlan) {
        schema = output.schema
        switch output.mode {
        case .append:
            key = nil
            isUpdating = false
        case .upsert(let columns):
            key = columns
            isUpdating = true
        case .changelog:
            key = nil
            isUpdating = true
        }
    }

    mutating func append(_ more: [Batch]) { batches += more }
    mutating func markSeen() { seenCount = batches.count }

    /// What has come since the last look, a −1 set against its +1.
    var news: TopologyTestRowBag {
        TopologyTestContent.net(Array(batches[seenCount...]), schema)
    }

    /// What stands in the table now.
    var content: TopologyTestRowBag {
        guard let key else { return TopologyTestContent.net(batches, schema) }
        var standing: [[UInt8]: (batch: Int, row: Int)] = [:]
        for (index, batch) in batches.enumerated() {
            let keys = RowCodec.canonical(batch, key, schema)
            for row in 0..<batch.rowCount {
                let isRemoval = batch.changes.map { $0[row] < 0 } ?? false
                standing[keys[row]] = isRemoval ? nil : (index, row)
            }
        }
        return TopologyTestRowBag(
            entries: standing.values.map {
                .init(values: TopologyTestContent.values(batches[$0.batch], $0.row), weight: 1)
            })
    }

    static func net(_ batches: [Batch], _ schema: Schema) -> TopologyTestRowBag {
        var weights: [[UInt8]: Int] = [:]
        var values: [[UInt8]: [Scalar]] = [:]
        var order: [[UInt8]] = []
        for batch in batches {
            let rows = RowCodec.canonical(batch, Array(schema.fields.indices), schema)
            for row in 0..<batch.rowCount {
                if values[rows[row]] == nil {
                    values[rows[row]] = TopologyTestContent.values(batch, row)
                    order.append(rows[row])
                }
                weights[rows[row], default: 0] += batch.changes.map { Int($0[row]) } ?? 1
            }
        }
        return TopologyTestRowBag(
            entries: order.map { .init(values: values[$0] ?? [], weight: weights[$0] ?? 0) })
    }

    private static func values(_ batch: Batch, _ row: Int) -> [Scalar] {
        batch.columns.map { $0.scalar(row) }
    }
}

/// Rows and how often each came (−: was taken back).
struct TopologyTestRowBag {
    struct Entry {
        let values: [Scalar]
        let weight: Int
    }

    let entries: [Entry]

    /// Only the columns that an expectation names; one row for each time that it came.
    func projected(
        to fields: [Field], of schema: Schema, withChanges: Bool
    ) -> TopologyTestTable {
        let positions = fields.map { schema.index(of: $0.name).required("a column of the output") }
        var rows: [[Scalar]] = []
        var changes: [Int8] = []
        for entry in entries where entry.weight != 0 {
            let row = positions.map { entry.values[$0] }
            for _ in 0..<abs(entry.weight) {
                rows.append(row)
                changes.append(entry.weight < 0 ? -1 : 1)
            }
        }
        let hasRetraction = changes.contains(-1)
        return TopologyTestTable(
            fields, rows, changes: withChanges || hasRetraction ? changes : nil)
    }
}
