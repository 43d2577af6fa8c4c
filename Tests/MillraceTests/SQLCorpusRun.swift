// One run of a corpus file under one configuration, through the production planner, operators,
// exchange and barriers.

import Columns
import Connectors
import Contracts
import Environment
import Kernels
import Planning
import Progress
import Runtime
import SQLSyntax
import State
import Synchronization
import Types

/// What came out, by output: batches in order of arrival, by worker.
struct CorpusResult {
    let plan: Plan
    var rows: [String: [(worker: Int, batch: Batch)]] = [:]
    var counters: [String: Int64] = [:]
    var imbalances: [String] = []

    func batches(of output: String) -> [Batch] { (rows[output] ?? []).map(\.batch) }
}

struct CorpusRun {
    let file: CorpusFile
    let configuration: CorpusConfiguration

    func plan() throws -> Plan {
        let settings =
            "SET batch_rows = \(configuration.batchRows); "
            + (configuration.hasManyBarriers ? "SET checkpoint_interval = '1 ms'; " : "")
            + (configuration.state == .evicting ? "SET state_memory = '1B'; " : "")
        let statements = try parseTopology(
            SourceText(file: "\(file.name).slt", text: settings + file.sql))
        var options = PlanningOptions()
        options.isOptimizerOn = configuration.isOptimizerOn
        return try Planner.plan(statements, name: "corpus", options: options)
    }

    /// Reads `rows` in their order. `closes`: the input ends with them, so that all windows close.
    func run(_ rows: [CorpusFile.InputRow], closes: Bool = true) throws -> CorpusResult {
        let plan = try plan()
        let writers = CorpusRows()
        let store = MemoryEpochStore(
            identity: Identity(pipelineID: "corpus", generation: 1, incarnation: 1))
        var result = CorpusResult(plan: plan)
        var given: [ScriptedBatch] = []
        var workers = configuration.workers
        for segment in segments(rows) {
            let batches = try decode(segment, plan, batchRows: configuration.batchRows)
            given += batches
            let isLast = segment.endIndex == rows.count
            let pipeline = Pipeline(
                plan: plan,
                options: options(isLast && closes ? .bounded : .availableNow, workers),
                store: store,
                factory: CorpusConnectors(
                    given: given, script: Script(batches.map(\.step)), partitions: partitions,
                    writers: writers), stop: StopRequest())
            let summary = try pipeline.run()
            result.imbalances += summary.imbalances.map { "\($0.place): \($0.difference)" }
            if configuration.restarts == .withOtherWorkers {
                workers = workers == 4 ? 1 : workers == 1 ? 3 : 4
            }
        }
        for (counter, count) in try store.currentEpoch()?.counters ?? [:]
        where !counter.hasSuffix(".digest") {
            let name = counter.split(separator: ".").last.map(String.init) ?? counter
            result.counters[name, default: 0] += count
        }
        result.rows = writers.take()
        return result
    }

    private var partitions: [String: [String]] {
        var partitions: [String: Set<String>] = [:]
        for row in file.inputs { partitions[row.source, default: []].insert(String(row.partition)) }
        return partitions.mapValues { $0.sorted() }
    }

    private func segments(_ rows: [CorpusFile.InputRow]) -> [ArraySlice<CorpusFile.InputRow>] {
        guard configuration.restarts != .never, rows.count > 1 else { return [rows[...]] }
        let cut = (rows.count + 7) / 8
        return stride(from: 0, to: rows.count, by: cut).map { rows[$0..<min($0 + cut, rows.count)] }
    }

    /// The clock stands where the corpus' rows are extracted.
    private func options(_ mode: RunMode, _ workers: Int) -> RunOptions {
        var options = RunOptions(mode: mode, workers: workers)
        options.clock = Clock(now: { 0 }, monotonicNanoseconds: Clock.system.monotonicNanoseconds)
        return options
    }
}

/// Rows by output, kept over restarts.
final class CorpusRows: Sendable {
    private let rows = Mutex<[String: [(worker: Int, batch: Batch)]]>([:])

    func append(_ batch: Batch, output: String, worker: Int) {
        rows.withLock { $0[output, default: []].append((worker, batch)) }
    }

    func take() -> [String: [(worker: Int, batch: Batch)]] { rows.withLock { $0 } }
}

final class CorpusWriter: SinkWriter {
    let rows: CorpusRows
    let output: String
    let worker: Int

    init(_ rows: CorpusRows, output: String, worker: Int) {
        self.rows = rows
        self.output = output
        self.worker = worker
    }

    func write(_ batch: Batch) throws(Failure) -> [RowError] {
        rows.append(batch, output: output, worker: worker)
        return []
    }

    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] { [] }
    var pendingBytes: Int { 0 }
}

/// Scripted sources, collected outputs.
private struct CorpusConnectors: ConnectorFactory {
    let given: [ScriptedBatch]
    let script: Script
    let partitions: [String: [String]]
    let writers: CorpusRows

    func makeSource(_ plan: SourcePlan, _ context: ConnectorContext) throws(Failure) -> any Source {
        if case .values(let rows) = plan.connector {
            let source = ValuesSource(plan)
            let columns = plan.decoded.enumerated().map { index, column in
                Column(column.type, scalars: rows.map { $0[index] })
            }
            source.append(Batch(rowCount: rows.count, columns: columns), partition: 0)
            return source
        }
        return ScriptedSource(
            plan, given.filter { $0.step.source == plan.name },
            partitions: partitions[plan.name] ?? ["0"], script: script)
    }

    func makeWriter(
        output: Int, of plan: Plan, worker: Int, _ context: ConnectorContext
    ) throws(Failure) -> any SinkWriter {
        CorpusWriter(writers, output: plan.outputs[output].name, worker: worker)
    }

    func encodeAsJSON(_ rows: Batch, schema: Schema) -> [[UInt8]] {
        texts(rows).map { Array($0.utf8) }
    }

    func makeCommitters(
        of plan: Plan, _ context: ConnectorContext
    ) throws(Failure) -> [any SinkCommitter] { [] }
}

/// Each row's values as PostgreSQL's text, between bars.
func texts(_ batch: Batch) -> [String] {
    (0..<batch.rowCount).map { row in
        batch.columns.map { column in
            guard column.isValid(row) else { return "NULL" }
            var bytes: [UInt8] = []
            ValueText.append(column, row: row, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }.joined(separator: "|")
    }
}
