// Where an operator's evicted keys are, and how they are asked for: those of a batch together.

import Contracts
import State

/// The stored entries of one operator.
struct StoredState {
    let reader: any StateReader
    let operatorID: UInt64

    /// Calls `body` with each of `wanted` that has an entry, in the order of keys, so that reads of
    /// neighbours meet the same blocks.
    func forEachFound(
        _ wanted: [(group: Int32, key: StateKey)],
        _ body: (_ group: Int32, _ key: StateKey, _ value: [UInt8]) throws -> Void
    ) throws {
        guard !wanted.isEmpty else { return }
        let sorted = wanted.sorted { left, right in
            if left.key.group != right.key.group { return left.key.group < right.key.group }
            return left.key.key.lexicographicallyPrecedes(right.key.key)
        }
        let values = try reader.values(operatorID: operatorID, keys: sorted.map(\.key))
        for (entry, value) in zip(sorted, values) {
            if let value { try body(entry.group, entry.key, value) }
        }
    }

    /// Every entry under a key, itself first.
    func forEach(_ key: StateKey, _ body: ([UInt8], [UInt8]) throws -> Void) throws {
        try reader.forEach(
            operatorID: operatorID, group: key.group, prefix: key.key, body)
    }
}

/// How much a restore may take into memory: looked at now and then, as it is asked for every key.
struct RestoreRoom {
    private let limit: Int
    private var untilLook = 0
    private var isFull = false

    /// Keys between two looks.
    private static let interval = 64

    init(limit: Int) {
        self.limit = limit
        isFull = limit <= 0
    }

    /// Whether the next key has to stay in the store. `bytes`: what is in memory.
    mutating func isFull(_ bytes: () -> Int) -> Bool {
        if isFull { return true }
        untilLook -= 1
        if untilLook < 0 {
            untilLook = RestoreRoom.interval
            isFull = bytes() >= limit
        }
        return isFull
    }
}
