// Nexmark's stream: its proportions, its ids, and that it can be read from anywhere.

import Columns
import Contracts
import Formats
import Planning
import Testing
import Types

private func generator(
    _ fields: [(String, LogicalType)], events: Int64? = nil, partitions: Int = 1,
    outOfOrder: Int = 1, rate: Int64 = 10_000, seed: Int64 = 1
) throws -> NexmarkGenerator {
    let options = NexmarkOptions(
        events: events, rate: rate, seed: seed, startTime: 1_767_225_600_000_000,
        partitions: partitions, outOfOrder: outOfOrder, isPaced: false)
    let decoded = fields.enumerated().map {
        DecodedColumn(.field(name: $1.0, position: $0), $1.1)
    }
    return try NexmarkGenerator(options, decoded: decoded, declared: [], source: "n")
}

private let bid: [(String, LogicalType)] = [
    ("auction", .bigint), ("bidder", .bigint), ("price", .bigint), ("channel", .text),
    ("url", .text), ("date_time", .timestamptz), ("extra", .text),
]

private func rows(_ batch: Batch) -> [[Scalar]] {
    (0..<batch.rowCount).map { row in batch.columns.map { $0.scalar(row) } }
}

@Suite struct NexmarkTests {
    @Test func proportionsAndTypes() throws {
        let made = try generator([("event_type", .integer), ("date_time", .timestamptz)])
            .rows(partition: 0, from: 0, count: 5000)
        let types = (0..<5000).map { made.batch.columns[0].scalar($0) }
        #expect(types.filter { $0 == .int64(0) }.count == 100)
        #expect(types.filter { $0 == .int64(1) }.count == 300)
        #expect(made.batch.columns[1].scalar(3) == .int64(1_767_225_600_000_300))
    }

    @Test func flatTablesPassOverOtherEvents() throws {
        let made = try generator(bid).rows(partition: 0, from: 0, count: 1000)
        #expect(made.batch.rowCount == 920 && made.nextOffset == 1000 && !made.isEnd)
        #expect(made.offsets.first == 4)
        let people = try generator([("id", .bigint), ("name", .text), ("city", .text)])
            .rows(partition: 0, from: 0, count: 1000)
        #expect(people.batch.rowCount == 20)
        #expect(people.batch.columns[0].scalar(19) == .int64(1019))
        let auctions = try generator([
            ("id", .bigint), ("seller", .bigint), ("expires", .timestamptz),
        ]).rows(partition: 0, from: 0, count: 1000)
        #expect(auctions.batch.columns[0].scalar(59) == .int64(1059))
    }

    @Test func wideRowsAreNullForOtherEvents() throws {
        let type = LogicalType.row(
            RowType(name: nil, fields: [Field("price", .bigint), Field("dateTime", .timestamptz)]))
        let made = try generator([("bid", type), ("person.name", .text)])
            .rows(partition: 0, from: 0, count: 50)
        #expect((0..<50).map { made.batch.columns[0].isValid($0) }.filter { $0 }.count == 46)
        #expect(made.batch.columns[1].isValid(0) && !made.batch.columns[1].isValid(1))
    }

    /// The same rows however the stream is cut, and by whoever reads it.
    @Test(arguments: [1, 7, 64]) func readsOnFromAnywhere(_ outOfOrder: Int) throws {
        let made = try generator(bid, events: 10_000, partitions: 3, outOfOrder: outOfOrder)
        var total = 0
        for partition in 0..<3 {
            let whole = made.rows(partition: partition, from: 0, count: 20_000)
            #expect(whole.isEnd)
            total += Int(whole.nextOffset)
            var pieces: [[Scalar]] = []
            var offset: Int64 = 0
            var step = 1
            while offset < whole.nextOffset {
                let piece = made.rows(partition: partition, from: offset, count: step)
                pieces += rows(piece.batch)
                offset = piece.nextOffset
                step = step * 3 % 997
            }
            #expect(pieces == rows(whole.batch))
        }
        #expect(total == 10_000)
    }

    @Test func idsStayWithinWhatExists() throws {
        let made = try generator(bid).rows(partition: 0, from: 0, count: 100_000).batch
        var hot: [Scalar: Int] = [:]
        for row in 0..<made.rowCount {
            guard case .int64(let auction) = made.columns[0].scalar(row),
                case .int64(let price) = made.columns[2].scalar(row)
            else {
                Issue.record("a NULL")
                return
            }
            #expect(auction >= 1000 && auction <= 1000 + 6000 + 10)
            #expect(price >= 100 && price <= 100_000_000)
            hot[.int64(auction), default: 0] += 1
        }
        // Half of the bids go to 60 hot auctions.
        let hottest = hot.values.sorted(by: >).prefix(61).reduce(0, +)
        #expect(abs(hottest - made.rowCount / 2) < made.rowCount / 20)
    }

    @Test func pricesAreLogUniform() throws {
        let made = try generator([("price", .bigint), ("bidder", .bigint)])
            .rows(partition: 0, from: 0, count: 50_000).batch
        guard case .int64(let prices) = made.columns[0].values else { return }
        let below = prices.filter { $0 < 100_000 }.count
        #expect(abs(below - prices.count / 2) < prices.count / 50)
    }

    @Test func seedsDiffer() throws {
        let one = try generator(bid).rows(partition: 0, from: 0, count: 100).batch
        let other = try generator(bid, seed: 2).rows(partition: 0, from: 0, count: 100).batch
        #expect(rows(one) != rows(other))
    }

    @Test func unknownColumnsAreRefused() throws {
        #expect(throws: Failure.self) { try generator([("auctoin", .bigint)]) }
        #expect(throws: Failure.self) { try generator([("price", .text), ("bidder", .bigint)]) }
    }
}
