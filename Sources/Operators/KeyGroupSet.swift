// A set of key groups: which groups have entries in the store.

import State

struct KeyGroupSet {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    mutating func insert(_ group: Int) {
        if group < 64 { low |= 1 << UInt64(group) } else { high |= 1 << UInt64(group - 64) }
    }

    mutating func formUnion(_ other: KeyGroupSet) {
        low |= other.low
        high |= other.high
    }

    func contains(_ group: Int) -> Bool {
        (group < 64 ? low >> UInt64(group) : high >> UInt64(group - 64)) & 1 == 1
    }

    var groups: [Int] { (0..<KeyGroups.count).filter(contains) }
}
