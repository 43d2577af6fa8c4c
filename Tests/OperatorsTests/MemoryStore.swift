// State in memory, for tests: what the RocksDB store does with deltas.

import State

final class MemoryStore: StateReader {
    private struct Place: Hashable {
        let operatorID: UInt64
        let group: Int
    }

    private var places: [Place: [[UInt8]: [UInt8]]] = [:]

    func copy() -> MemoryStore {
        let copy = MemoryStore()
        copy.places = places
        return copy
    }

    var entryCount: Int { places.values.reduce(0) { $0 + $1.count } }

    func apply(_ delta: StateDelta) {
        for (group, prefix) in delta.removedPrefixes {
            let place = Place(operatorID: delta.operatorID, group: Int(group))
            for key in (places[place] ?? [:]).keys where key.starts(with: prefix) {
                places[place]?[key] = nil
            }
        }
        for entry in delta.entries {
            let place = Place(operatorID: delta.operatorID, group: Int(entry.group))
            places[place, default: [:]][entry.key] = entry.value
        }
    }

    func value(operatorID: UInt64, group: Int, key: [UInt8]) throws -> [UInt8]? {
        places[Place(operatorID: operatorID, group: group)]?[key]
    }

    func forEach(
        operatorID: UInt64, group: Int, _ body: ([UInt8], [UInt8]) throws -> Void
    ) throws {
        try forEach(operatorID: operatorID, group: group, prefix: [], body)
    }

    func forEach(
        operatorID: UInt64, group: Int, prefix: [UInt8],
        _ body: ([UInt8], [UInt8]) throws -> Void
    ) throws {
        let entries = (places[Place(operatorID: operatorID, group: group)] ?? [:])
            .filter { $0.key.starts(with: prefix) }
        for (key, value) in entries.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            try body(key, value)
        }
    }
}
