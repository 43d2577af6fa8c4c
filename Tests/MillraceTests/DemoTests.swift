// The demo's own parts: a stream that repeats, a recomputation by hand-made cases, a verdict that
// sees each kind of difference.

import Contracts
import Foundation
import Millrace
import Planning
import SQLSyntax
import Testing

@Suite struct DemoTests {
    private func records(_ count: Int, partitions: Int = 6) throws -> [DemoRecord] {
        var stream = try DemoStream(count: count, partitions: partitions)
        var all: [DemoRecord] = []
        while true {
            let next = stream.next()
            if next.isEmpty { return all }
            all += next
        }
    }

    private func expectation(_ records: [DemoRecord]) -> DemoExpectation {
        var expectation = DemoExpectation()
        for record in records { expectation.add(record) }
        return expectation
    }

    @Test func theStreamIsTheSameEachTime() throws {
        let first = try records(5_000)
        let second = try records(5_000)
        #expect(first.count == 5_000)
        #expect(first.map(\.value) == second.map(\.value))
        #expect(Set(first.map(\.partition)) == [0, 1, 2, 3, 4, 5])
    }

    @Test func someAreLateAndSomeBrokenInEachWay() throws {
        let expected = expectation(try records(20_000))
        #expect(expected.records == 20_000)
        #expect(expected.late > 20)
        #expect(Set(expected.broken.keys) == [.malformed, .check, .notNull, .wrongType])
        #expect(expected.bids + expected.late + expected.dead == 20_000)
    }

    /// The window [0, 10) stands open until its partition has seen 12 s; another partition's time
    /// doesn't count.
    @Test func aBidIsLateByItsOwnPartition() throws {
        let seconds: [(partition: Int32, time: Int64, isLate: Bool)] = [
            (0, 1, false), (0, 11, false), (0, 9, false), (0, 12, false), (0, 9, true),
            (1, 9, false), (1, 30, false), (1, 19, true), (1, 20, false), (0, 10, false),
        ]
        let late = seconds.count { $0.isLate }
        var expected = DemoExpectation()
        for (index, second) in seconds.enumerated() {
            let bid = DemoBid(auction: 7, price: Int64(index + 1), time: second.time * 1_000_000)
            expected.add(
                DemoRecord(partition: second.partition, key: [], value: [], fact: .bid(bid)))
        }
        #expect(expected.late == Int64(late))
        let first = expected.groups[.init(windowStart: 0, auction: 7)]
        #expect(first == .init(bids: 3, total: 1 + 3 + 6, top: 6))
        #expect(expected.groups.count == 4)
    }

    @Test func theTopologyIsTheOneThatIsRecomputed() throws {
        var options = PlanningOptions()
        options.environment = [:]
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "topologies/hot_auctions.sql")
        let plan = try Planner.plan(
            try parseTopology(readTopology(file.path)), name: "hot_auctions", options: options)
        #expect(plan.sources.map(\.watermarkDelay) == [DemoExpectation.watermarkDelay])
        let windows = plan.nodes.compactMap { node in
            if case .windowAggregate(let aggregate) = node.kind { return aggregate.window.kind }
            return nil
        }
        #expect(windows == [.tumble(size: DemoExpectation.windowSize, origin: 0)])
        #expect(plan.sources[0].lateOutput != nil && plan.sources[0].deadLetterOutput != nil)
    }

    @Test func theVerdictSeesEachDifference() throws {
        let expected = expectation(try records(5_000))
        func isRight(
            groups: [DemoExpectation.Group: DemoExpectation.Result]? = nil, rows: Int64 = 0,
            late: Int64 = 0, dead: [DataErrorReason: Int64]? = nil, engineLate: Int64 = 0,
            isConserved: Bool = true
        ) -> Bool {
            let found = DemoTables(
                groups: groups ?? expected.groups, rows: Int64(expected.groups.count) + rows,
                files: 1, version: 1, late: expected.late + late, dead: dead ?? expected.broken)
            return DemoVerdict(
                expected: expected, found: found, engineLate: expected.late + engineLate,
                isConserved: isConserved
            ).isRight
        }
        #expect(isRight())
        #expect(!isRight(rows: 1))
        #expect(!isRight(late: -1))
        #expect(!isRight(dead: [:]))
        #expect(!isRight(engineLate: 1))
        #expect(!isRight(isConserved: false))
        var groups = expected.groups
        let (group, result) = try #require(groups.min { $0.key < $1.key })
        groups[group] = .init(bids: result.bids, total: result.total, top: result.top + 1)
        #expect(!isRight(groups: groups))
        groups[group] = nil
        #expect(!isRight(groups: groups))
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567"),
    ])
    func numbersAreGrouped(number: Int, text: String) {
        #expect(DemoText.grouped(number) == text)
    }
}
