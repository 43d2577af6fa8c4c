// The bids of the demo: Nexmark's, as JSON, some of them late, a few broken. The same number of
// bids and partitions gives the same records, byte for byte.

import Columns
package import Contracts
import Formats
import Planning
import Types

/// A bid as the recomputation sees it.
package struct DemoBid: Sendable, Hashable {
    package let auction: Int64
    /// Cents.
    package let price: Int64
    /// Event time, µs.
    package let time: Int64

    package init(auction: Int64, price: Int64, time: Int64) {
        self.auction = auction
        self.price = price
        self.time = time
    }
}

/// A record of the topic, and what is true of it.
package struct DemoRecord: Sendable {
    package let partition: Int32
    package let key: [UInt8]
    package let value: [UInt8]
    package let fact: Fact

    package init(partition: Int32, key: [UInt8], value: [UInt8], fact: Fact) {
        self.partition = partition
        self.key = key
        self.value = value
        self.fact = fact
    }

    package enum Fact: Sendable, Hashable {
        case bid(DemoBid)
        /// Breaks the contract of `bids`, for this reason.
        case broken(DataErrorReason)
    }
}

/// Makes records in the order in which they are sent.
package struct DemoStream {
    /// Event time that all bids together span: thirty windows of the topology.
    static let spanSeconds: Int64 = 300
    /// One bid in so many is sent so late that its window has closed; primes, so that the choices
    /// fall on all partitions.
    static let lateEach = 401
    /// One bid in so many is sent a little late, which the watermark's delay forgives.
    static let tardyEach = 19
    /// One bid in so many breaks the contract, in one way after the other.
    static let brokenEach = 997

    let count: Int
    let partitions: Int
    private let generator: NexmarkGenerator
    private let encoder: JSONRowEncoder
    private var nextEvent: Int64 = 0
    /// Bids made so far.
    private var made = 0
    /// Records that wait, by the number of the bid behind which they are sent.
    private var held: [Int: [DemoRecord]] = [:]

    private static let fields = [
        Field("auction", .bigint), Field("bidder", .bigint), Field("price", .bigint),
        Field("channel", .text), Field("date_time", .timestamptz),
    ]
    /// Of 50 Nexmark events 46 are bids.
    private static let eventsPerBid = 50.0 / 46.0
    /// 2026-01-01 00:00 UTC, µs.
    private static let startTime: Int64 = 1_767_225_600_000_000
    private static let chunk = 1024

    package init(count: Int, partitions: Int) throws(Failure) {
        self.count = count
        self.partitions = partitions
        let rate = Double(count) * Self.eventsPerBid / Double(Self.spanSeconds)
        let options = NexmarkOptions(
            events: nil, rate: max(1, Int64(rate)), seed: 1, startTime: Self.startTime,
            partitions: 1, outOfOrder: 1, isPaced: false)
        generator = try NexmarkGenerator(
            options,
            decoded: Self.fields.enumerated().map {
                DecodedColumn(.field(name: $1.name, position: $0), $1.type)
            }, declared: Self.fields, source: "bids")
        encoder = JSONRowEncoder(Schema(Self.fields))
    }

    /// The next records, some thousand at most; empty at the end.
    package mutating func next() -> [DemoRecord] {
        guard made < count else { return takeHeld() }
        let rows = generator.rows(partition: 0, from: nextEvent, count: Self.chunk)
        nextEvent = rows.nextOffset
        guard case .int64(let auctions) = rows.batch.columns[0].values,
            case .int64(let prices) = rows.batch.columns[2].values,
            case .int64(let times) = rows.batch.columns[4].values
        else { bug("nexmark's bids have other columns") }
        let text = encoder.encode(rows.batch)
        var records: [DemoRecord] = []
        for row in 0..<min(rows.batch.rowCount, count - made) {
            let bid = DemoBid(auction: auctions[row], price: prices[row], time: times[row])
            add(bid, Array(text[row]), to: &records)
            records += held.removeValue(forKey: made) ?? []
            made += 1
        }
        return records
    }

    /// Sends, holds back or breaks one bid.
    private mutating func add(_ bid: DemoBid, _ text: [UInt8], to records: inout [DemoRecord]) {
        let key = Array(String(bid.auction).utf8)
        let partition = Int32(made % partitions)
        if made % Self.brokenEach == Self.brokenEach / 2 {
            let (value, reason) = broken(bid, text)
            return records.append(
                DemoRecord(
                    partition: partition, key: key, value: value, fact: .broken(reason)))
        }
        let record = DemoRecord(partition: partition, key: key, value: text, fact: .bid(bid))
        let perSecond = max(1, count / Int(Self.spanSeconds))
        if made % Self.lateEach == Self.lateEach / 2 {
            held[made + perSecond * (15 + made % 15), default: []].append(record)
        } else if made % Self.tardyEach == Self.tardyEach / 2 {
            held[made + 1 + made % perSecond, default: []].append(record)
        } else {
            records.append(record)
        }
    }

    private func broken(_ bid: DemoBid, _ text: [UInt8]) -> ([UInt8], DataErrorReason) {
        func object(_ auction: String, _ price: Int64) -> [UInt8] {
            let time = "2026-01-01T00:00:00Z"
            return Array(
                "{\(auction)\"bidder\":1,\"price\":\(price),\"date_time\":\"\(time)\"}".utf8)
        }
        switch made / Self.brokenEach % 4 {
        case 0: return (Array(text.dropLast(9)), .malformed)
        case 1: return (object("\"auction\":\(bid.auction),", -bid.price), .check)
        case 2: return (object("", bid.price), .notNull)
        default: return (object("\"auction\":\"none\",", bid.price), .wrongType)
        }
    }

    /// What waited beyond the last bid.
    private mutating func takeHeld() -> [DemoRecord] {
        defer { held = [:] }
        return held.sorted { $0.key < $1.key }.flatMap(\.value)
    }
}
