// Idle partitions, which only a live run knows (dialect.md §1.4): one steps out of the minimum, and
// what it sends later is judged by the time that passed without it.

import Columns
import Connectors
import Contracts
import Foundation
import Planning
import Progress
import Runtime
import Testing
import Types

@Suite("Idle partitions")
struct SQLCorpusIdleTests {
    private let file = CorpusFile(
        name: "idle",
        text: """
            ==== sql
            CREATE TABLE t (v bigint, ts timestamptz) USING files WITH (path = 't.json',
                event_time = 'ts', idle_timeout = '20 ms', late = 'lost');
            CREATE TABLE lost (v bigint, _late_kind text, _late_us bigint) USING print;
            CREATE MATERIALIZED VIEW out USING print AS
            SELECT window_end, count(*) AS n FROM tumble(t, ts, INTERVAL '10 seconds')
            WHERE v < 100 GROUP BY window_end;
            ==== input t/0
            {"v": 1, "ts": "2026-01-01T00:00:05Z"}
            {"v": 2, "ts": "2026-01-01T00:00:25Z"}
            ==== input t/1
            {"v": 3, "ts": "2026-01-01T00:00:01Z"}
            ==== input t/0
            {"v": 100, "ts": "2026-01-01T00:00:25Z"}
            ==== input t/1
            {"v": 4, "ts": "2026-01-01T00:00:02Z"}
            {"v": 5, "ts": "2026-01-01T00:00:21Z"}
            """)

    @Test("F28: a partition without rows stops holding windows back; its old rows are idle_late")
    func stepsOut() throws {
        let run = CorpusRun(file: file, configuration: CorpusConfiguration())
        let plan = try run.plan()
        let batches = try decode(file.inputs[...], plan, batchRows: 1)
        let source = ValuesSource(plan.sources[0], partitions: ["0", "1"])
        let rows = CorpusRows()
        let stop = StopRequest()
        let feeder = Thread {
            for (index, partition) in [(0, 0), (1, 0), (2, 1)] {
                source.append(batches[index].rows, partition: partition)
            }
            // Partition 0 lives on; a row that WHERE excludes has moved its watermark.
            let deadline = Date().addingTimeInterval(30)
            while rows.take()["out"] == nil, Date() < deadline {
                source.append(batches[3].rows, partition: 0)
                usleep(2_000)
            }
            source.append(batches[4].rows, partition: 1)
            source.append(batches[5].rows, partition: 1)
            while !source.isConsumed, Date() < deadline { usleep(2_000) }
            stop.request()
        }
        feeder.start()
        let store = MemoryEpochStore(
            identity: Identity(pipelineID: "idle", generation: 1, incarnation: 1))
        let pipeline = Pipeline(
            plan: plan, options: RunOptions(mode: .live, workers: 1), store: store,
            factory: FedConnectors(source: source, rows: rows), stop: stop)
        let summary = try pipeline.run()
        let found = rows.take().mapValues { $0.flatMap { texts($0.batch) } }
        #expect(found["out"] == ["2026-01-01 00:00:10+00|2"])
        #expect(found["lost"] == ["4|idle_late|15000000"])
        #expect(summary.lateRows == 1)
        #expect(summary.imbalances.isEmpty)
    }
}

/// One source that a test feeds while the pipeline runs.
struct FedConnectors: ConnectorFactory {
    let source: ValuesSource
    let rows: CorpusRows

    func makeSource(_ plan: SourcePlan, _ context: ConnectorContext) throws(Failure) -> any Source {
        source
    }

    func makeWriter(
        output: Int, of plan: Plan, worker: Int, _ context: ConnectorContext
    ) throws(Failure) -> any SinkWriter {
        CorpusWriter(rows, output: plan.outputs[output].name, worker: worker)
    }

    func encodeAsJSON(_ rows: Batch, schema: Schema) -> [[UInt8]] {
        texts(rows).map { Array($0.utf8) }
    }

    func makeCommitters(
        of plan: Plan, _ context: ConnectorContext
    ) throws(Failure) -> [any SinkCommitter] { [] }
}
