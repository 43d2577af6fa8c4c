// `bench`: its queries run through the production pipeline and its report adds up.

import Foundation
import Millrace
import Testing

@Suite struct BenchmarkTests {
    private let bids = 46_000

    private func figures(_ name: String, workers: Int = 1) throws -> BenchmarkFigures {
        let query = BenchmarkQuery.generated(name, bids: bids, partitions: workers)
        return try BenchmarkMeasurement(plan: try query.plan(), workers: workers).runQuery()
    }

    @Test(arguments: ["q0", "q1"]) func everyBidComesOut(_ name: String) throws {
        let figures = try figures(name)
        #expect(figures.events == Int64(bids))
        #expect(figures.outputRows == Int64(bids))
        #expect(figures.checkpoints >= 1)
        #expect(figures.cpuSeconds > 0)
        #expect(figures.peakMemoryBytes > 1 << 20)
    }

    @Test func filterKeepsFew() throws {
        let figures = try figures("q2")
        #expect(figures.events == Int64(bids))
        #expect(figures.outputRows > 0)
        #expect(figures.outputRows < Int64(bids) / 20)
    }

    @Test func tumbleGivesTheSameRowsForAnyNumberOfWorkers() throws {
        let one = try figures("tumble")
        let two = try figures("tumble", workers: 2)
        #expect(one.outputRows > 0)
        #expect(one.outputRows == two.outputRows)
        #expect(two.events == Int64(bids))
    }

    @Test func generatorMakesWhatTheQueryReads() throws {
        let query = BenchmarkQuery.generated("q0", bids: bids, partitions: 1)
        let figures = try BenchmarkMeasurement(plan: try query.plan(), workers: 1).runGenerator()
        #expect(figures.events == Int64(bids))
    }

    @Test func reportTakesTheGeneratorAwayAndIsJSON() throws {
        let measured = BenchmarkFigures(
            events: 1_000_000, seconds: 0.5, cpuSeconds: 0.7, peakMemoryBytes: 64 << 20)
        let report = BenchmarkReport(
            source: .nexmark, workers: 1,
            rows: [BenchmarkRow(query: "q0", figures: measured, generatorSeconds: 0.2)],
            ceiling: nil)
        #expect(report.table.contains("2000000           500"))
        let object = try JSONSerialization.jsonObject(with: Data(report.json.utf8))
        let queries = (object as? [String: Any])?["queries"] as? [[String: Any]]
        #expect(queries?.first?["cpu_ns_per_event"] as? Double == 500)
        #expect(queries?.first?["events_per_second"] as? Double == 2_000_000)
    }

    @Test func ratioSetsTheQueryBesideTheRawClient() throws {
        let raw = BenchmarkFigures(
            events: 1000, seconds: 1, cpuSeconds: 0.001, peakMemoryBytes: 1)
        let query = BenchmarkFigures(
            events: 1000, seconds: 1, cpuSeconds: 0.002, peakMemoryBytes: 1)
        let report = BenchmarkReport(
            source: .kafka, workers: 1,
            rows: [BenchmarkRow(query: "q0", figures: query, generatorSeconds: 0)], ceiling: raw)
        #expect(report.table.contains("50 %"))
    }
}
