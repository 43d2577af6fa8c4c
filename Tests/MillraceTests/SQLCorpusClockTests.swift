// Windows that the clock closes (dialect.md §1.11), under a clock that the test sets.

import Columns
import Connectors
import Contracts
import Environment
import Foundation
import Planning
import Progress
import Runtime
import Synchronization
import Testing
import Types

@Suite("Clock windows")
struct SQLCorpusClockTests {
    private let file = CorpusFile(
        name: "clock",
        text: """
            ==== sql
            CREATE TABLE t (v bigint) USING files WITH (path = 't.json');
            CREATE MATERIALIZED VIEW out USING print AS
            SELECT window_end, sum(v) AS total, max(n) AS most FROM (
                SELECT window_end, v % 10 AS k, sum(v) AS v, count(*) AS n
                FROM tumble(t, _extracted_at, INTERVAL '20 seconds') GROUP BY window_end, k) AS x
            GROUP BY window_end;
            ==== input t
            {"v": 1}
            {"v": 11}
            {"v": 2}
            {"v": 100}
            """)

    @Test(
        "no row closes a window, only the clock; what is extracted then goes into the next",
        arguments: [1, 3])
    func closes(workers: Int) throws {
        let time = SetClock(10)
        let run = CorpusRun(file: file, configuration: CorpusConfiguration())
        let plan = try run.plan()
        let source = ValuesSource(plan.sources[0], partitions: ["0", "1"])
        let rows = CorpusRows()
        let stop = StopRequest()
        let early = Mutex(-1)
        let first = try decode(file.inputs[..<3], plan, batchRows: 1, extractedAt: 10_000_000)
        let second = try decode(file.inputs[3...], plan, batchRows: 1, extractedAt: 21_000_000)
        let feeder = Thread {
            let deadline = Date().addingTimeInterval(30)
            for (number, batch) in first.enumerated() {
                source.append(batch.rows, partition: number % 2)
            }
            while !source.isConsumed, Date() < deadline { usleep(2_000) }
            time.set(19.9)
            usleep(20_000)
            early.withLock { $0 = rows.take()["out"]?.count ?? 0 }
            time.set(21)
            while rows.take()["out"] == nil, Date() < deadline { usleep(2_000) }
            source.append(second[0].rows, partition: 0)
            while !source.isConsumed, Date() < deadline { usleep(2_000) }
            stop.request()
        }
        feeder.start()
        let store = MemoryEpochStore(
            identity: Identity(pipelineID: "clock", generation: 1, incarnation: 1))
        var options = RunOptions(mode: .live, workers: workers)
        options.clock = time.clock
        let pipeline = Pipeline(
            plan: plan, options: options, store: store,
            factory: FedConnectors(source: source, rows: rows), stop: stop)
        let summary = try pipeline.run()
        #expect(early.withLock { $0 } == 0, "nothing is shown before the clock says so")
        let found = rows.take().mapValues { $0.flatMap { texts($0.batch) } }
        #expect(found["out"] == ["1970-01-01 00:00:20+00|14|2"])
        #expect(summary.lateRows == 0)
        #expect(summary.imbalances.isEmpty)
    }
}

/// A wall clock that stands where it is put; seconds since 1970.
private final class SetClock: Sendable {
    private let now: Mutex<Int64>

    init(_ seconds: Double) { now = Mutex(Int64(seconds * 1_000_000)) }

    func set(_ seconds: Double) { now.withLock { $0 = Int64(seconds * 1_000_000) } }

    var clock: Clock {
        Clock(
            now: { self.now.withLock { $0 } },
            monotonicNanoseconds: Clock.system.monotonicNanoseconds)
    }
}
