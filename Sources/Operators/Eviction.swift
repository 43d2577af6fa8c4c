// Choosing what to evict: the keys that no snapshot has handed over for longest.
//
// Ages are counted in snapshots, which costs nothing per row. One pass makes a histogram of the
// bytes of clean groups by age, which gives the age to cut at; a second pass evicts. A pass is
// O(capacity), and frees enough that the next is far away (Worker+Eviction).

import Contracts
import State

/// A table of keys whose clean groups can leave memory.
protocol Evictable: AnyObject {
    var table: GroupTable { get }
    var residency: Residency { get }
    /// Of the arrays that are indexed by group.
    var byteCount: Int { get }
    /// Whether a clean group has something to do soon in memory.
    func isNeeded(_ group: Int32) -> Bool
    /// Drops a clean group from memory.
    func evict(_ group: Int32)
    /// All groups are gone: gives the arrays back.
    func release()
    /// All that was handed over by snapshots is durable.
    func noteDurable()
}

extension Evictable {
    func isNeeded(_ group: Int32) -> Bool { false }

    /// Bytes of a group, about.
    private var groupBytes: Int { max(1, byteCount / max(1, table.capacity)) }

    /// Bytes of the groups in memory: what an eviction can bring down.
    var tableBytes: Int { groupBytes * table.count }

    /// Bytes of clean groups, by age.
    fileprivate func addAges(to histogram: inout [Int]) {
        let (table, residency, bytes) = (self.table, self.residency, groupBytes)
        for group in 0..<table.capacity where table.isLive(Int32(group)) {
            guard residency.isClean(group) else { continue }
            histogram[EvictionPass.age(residency, group)] += bytes
        }
    }

    /// Clean groups of at least an age: all that are older, and of this age until `bytes` are
    /// freed. A table that is mostly holes is emptied, and so becomes small.
    fileprivate func victims(atLeast age: Int, _ bytes: inout Int) -> [Int32] {
        let (table, residency, each) = (self.table, self.residency, groupBytes)
        let isWasteful = table.capacity > EvictionPass.smallCapacity
            && table.count < table.capacity / 4
        var victims: [Int32] = []
        for group in 0..<table.capacity where table.isLive(Int32(group)) {
            guard residency.isClean(group) else { continue }
            let own = EvictionPass.age(residency, group)
            guard own > age || isWasteful || (own == age && bytes > 0) else { continue }
            guard !isNeeded(Int32(group)) else { continue }
            victims.append(Int32(group))
            if own == age { bytes -= each }
        }
        return victims
    }
}

/// One pass over the tables of an operator.
enum EvictionPass {
    fileprivate static let ageLimit = 15
    /// Holes in a table of so few groups are not worth a thought.
    fileprivate static let smallCapacity = 1024

    @inline(__always)
    fileprivate static func age(_ residency: Residency, _ group: Int) -> Int {
        min(ageLimit, Int(residency.clock &- residency.usedAt[group]))
    }

    /// Evicts clean groups, the longest unchanged first, until the tables take `target` bytes or
    /// have nothing clean.
    static func run(_ tables: [any Evictable], to target: Int) {
        for table in tables { table.noteDurable() }
        let excess = tables.reduce(0) { $0 + $1.tableBytes } - target
        guard excess > 0 else { return }
        var histogram = Array(repeating: 0, count: ageLimit + 1)
        for table in tables { table.addAges(to: &histogram) }
        var (age, older) = (ageLimit, 0)
        while age > 0, older + histogram[age] < excess {
            older += histogram[age]
            age -= 1
        }
        var rest = excess - older
        for table in tables {
            for group in table.victims(atLeast: age, &rest) { table.evict(group) }
            if table.table.count == 0, table.residency.dirtyCount == 0 { table.release() }
        }
    }
}
