// What the tables must hold, computed straight from the records as they are sent: a dictionary and
// the rule of lateness (dialect.md §1.2), nothing of the engine.

package import Contracts

/// A running recomputation of `topologies/hot_auctions.sql`.
package struct DemoExpectation: Sendable {
    /// As the topology says; a test holds it against the file.
    package static let watermarkDelay: Int64 = 2_000_000
    package static let windowSize: Int64 = 10_000_000

    package struct Group: Sendable, Hashable, Comparable {
        /// µs.
        package let windowStart: Int64
        package let auction: Int64

        package init(windowStart: Int64, auction: Int64) {
            self.windowStart = windowStart
            self.auction = auction
        }

        package static func < (left: Self, right: Self) -> Bool {
            (left.windowStart, left.auction) < (right.windowStart, right.auction)
        }
    }

    package struct Result: Sendable, Hashable {
        package var bids: Int64
        package var total: Int128
        package var top: Int64

        package init(bids: Int64, total: Int128, top: Int64) {
            self.bids = bids
            self.total = total
            self.top = top
        }
    }

    package private(set) var groups: [Group: Result] = [:]
    package private(set) var records: Int64 = 0
    package private(set) var late: Int64 = 0
    package private(set) var broken: [DataErrorReason: Int64] = [:]
    /// Highest event time by partition.
    private var highest: [Int32: Int64] = [:]

    package init() {}

    /// Takes the next record of its partition.
    package mutating func add(_ record: DemoRecord) {
        records += 1
        switch record.fact {
        case .broken(let reason): broken[reason, default: 0] += 1
        case .bid(let bid): add(bid, partition: record.partition)
        }
    }

    private mutating func add(_ bid: DemoBid, partition: Int32) {
        let start = bid.time - bid.time % Self.windowSize
        let end = start + Self.windowSize
        if let before = highest[partition], end <= before - Self.watermarkDelay {
            late += 1
            return
        }
        highest[partition] = max(highest[partition] ?? bid.time, bid.time)
        let group = Group(windowStart: start, auction: bid.auction)
        var result = groups[group] ?? Result(bids: 0, total: 0, top: bid.price)
        result.bids += 1
        result.total += Int128(bid.price)
        result.top = max(result.top, bid.price)
        groups[group] = result
    }

    package var bids: Int64 { groups.values.reduce(0) { $0 + $1.bids } }
    package var total: Int128 { groups.values.reduce(0) { $0 + $1.total } }
    package var dead: Int64 { broken.values.reduce(0, +) }
}
