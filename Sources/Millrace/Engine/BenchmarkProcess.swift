// The measured side of `bench`: one query, or the generator alone, in a process of its own.
//
// A child is this binary with the same command line and `MILLRACE_BENCH_PART` set; it prints its
// figures as one line of JSON. So each peak of memory is one query's, and no allocator state, page
// cache of code or thread of one query helps or hinders the next.

import Columns
package import Connectors
package import Contracts
import Environment
import Foundation
package import Planning
import Progress
import RocksState
import Runtime

/// What a child measures.
enum BenchmarkPart: String {
    /// The query through the production pipeline.
    case query
    /// The events of the query without the query.
    case generator
    /// The topic without the query.
    case consume

    static let variable = "MILLRACE_BENCH_PART"

    /// Set in a child only.
    static var ofThisProcess: BenchmarkPart? {
        environmentValue(variable).flatMap(BenchmarkPart.init)
    }
}

/// Measures in this process.
package struct BenchmarkMeasurement {
    private let plan: Plan
    private let workers: Int

    package init(plan: Plan, workers: Int) {
        self.plan = plan
        self.workers = workers
    }

    /// Runs the plan to its end, with a state directory that is gone afterwards.
    package func runQuery(
        log: @escaping @Sendable (LogLine) -> Void = { _ in }
    ) throws(Failure) -> BenchmarkFigures {
        let folder = NSTemporaryDirectory() + "/millrace-bench-\(Entropy.system.uuid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let meter = BenchmarkMeter()
        let store = try StateDirectory.open(path: folder, entropy: .system)
        var options = RunOptions(mode: .bounded, workers: workers)
        options.log = log
        let pipeline = Pipeline(
            plan: plan, options: options, store: store, factory: LiveConnectors(),
            stop: StopRequest())
        let summary = try pipeline.run()
        var figures = meter.figures(
            events: summary.sources.reduce(0) { $0 + ($1.counters["rows"] ?? 0) })
        if let place = summary.imbalances.first {
            throw Failure(
                .failed, "bench.not_conserved",
                "rows got lost at \(place.place): \(place.difference)")
        }
        figures.outputRows = summary.outputs.reduce(0) { $0 + $1.rows }
        let history = try store.history()
        figures.checkpoints = history.count
        figures.checkpointBytes = history.reduce(0) { $0 + $1.byteCount }
        return figures
    }

    /// Reads the plan's sources to their end and drops the rows.
    package func runGenerator() throws(Failure) -> BenchmarkFigures {
        let meter = BenchmarkMeter()
        var rows: Int64 = 0
        for source in plan.sources {
            try BenchmarkReading(source, batchRows: plan.settings.batchRows).forEach { chunk in
                rows += Int64(chunk.batch.rowCount)
            }
        }
        return meter.figures(events: rows)
    }
}

/// Reads one source to its end in this thread, without a pipeline.
struct BenchmarkReading {
    private let plan: SourcePlan
    private let batchRows: Int

    init(_ plan: SourcePlan, batchRows: Int = 2048) {
        self.plan = plan
        self.batchRows = batchRows
    }

    func forEach(_ body: (SourceChunk) throws(Failure) -> Void) throws(Failure) {
        let context = ConnectorContext(
            identity: Identity(pipelineID: "bench", generation: 1, incarnation: 1),
            mode: .bounded, clock: .system, workers: 1, failFast: true, foreignTable: .refuse,
            log: { _ in })
        let source = try LiveConnectors().makeSource(plan, context)
        var partitions: [PartitionOffset] = []
        for name in try source.discover() {
            partitions.append(try source.resolve(partition: name, stored: nil, mode: .bounded))
        }
        let reader = try source.makeReader(worker: 0, workers: 1, partitions: partitions)
        while let chunk = try reader.poll(maximumRows: batchRows) { try body(chunk) }
    }
}

/// Time and CPU since it was made, and the process's memory.
struct BenchmarkMeter {
    private let startedAt = Clock.system.monotonicNanoseconds()
    private let startCPU = Clock.processCPUMicroseconds()

    func figures(events: Int64) -> BenchmarkFigures {
        let cpu = Clock.processCPUMicroseconds() - startCPU
        return BenchmarkFigures(
            events: events,
            seconds: Double(Clock.system.monotonicNanoseconds() - startedAt) / 1e9,
            cpuSeconds: Double(cpu) / 1e6, peakMemoryBytes: BenchmarkMeter.peakMemoryBytes)
    }

    /// VmHWM of /proc/self/status, which counts in KiB.
    static var peakMemoryBytes: Int64 {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let number = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        return number.flatMap { Int64($0) }.map { $0 << 10 } ?? 0
    }
}
