// Keys of an upsert as bytes, equal where SQL's IS NOT DISTINCT FROM says so: NULL equals NULL, −0
// equals 0, NaN equals NaN (failure case F15).

import Columns
import Contracts
import Types

/// Encodes rows' keys into one buffer.
struct KeyEncoder {
    private let columns: [Column]

    init(_ columns: [Column]) { self.columns = columns }

    /// Appends the key of a row.
    func append(_ row: Int, to output: inout [UInt8]) throws(Failure) {
        for column in columns {
            guard column.isValid(row) else {
                output.append(0)
                continue
            }
            output.append(1)
            switch column.values {
            case .bool(let values): output.append(values[row] ? 1 : 0)
            case .int64(let values): append(UInt64(bitPattern: values[row]), &output)
            case .float64(let values):
                let value = values[row]
                let canonical = value.isNaN ? Double.nan : value == 0 ? 0 : value
                append(canonical.bitPattern, &output)
            case .int128(let values):
                append(UInt64(truncatingIfNeeded: values[row]), &output)
                append(UInt64(truncatingIfNeeded: values[row] >> 64), &output)
            case .bytes(let bytes):
                let value = bytes[row]
                append(UInt64(value.count), &output)
                output.append(contentsOf: value)
            case .interval, .list, .row, .null:
                throw Failure(
                    .invalid, "delta.key", "a key column of type \(column.type) is not supported",
                    hint: "use columns of simple types as the key")
            }
        }
    }

    private func append(_ value: UInt64, _ output: inout [UInt8]) {
        var rest = value
        for _ in 0..<8 {
            output.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }
}

/// Keys → position of the last row that has it; open addressing over one buffer.
struct KeyTable {
    private var data: [UInt8] = []
    private var starts: [Int] = [0]
    private var hashes: [UInt64] = []
    private var slots: [Int32] = Array(repeating: -1, count: 1 << 8)
    /// The last row of each key, by order of entry.
    private(set) var lastRow: [Int32] = []

    /// Enters a row's key; a key that is there already now means this row.
    mutating func insert(_ key: [UInt8], row: Int) {
        let hash = Self.hash(key)
        let (slot, entry) = find(key, hash)
        if let entry {
            lastRow[entry] = Int32(row)
            return
        }
        slots[slot] = Int32(lastRow.count)
        lastRow.append(Int32(row))
        hashes.append(hash)
        data += key
        starts.append(data.count)
        if lastRow.count * 2 >= slots.count { grow() }
    }

    func contains(_ key: [UInt8]) -> Bool { find(key, Self.hash(key)).entry != nil }

    private func find(_ key: [UInt8], _ hash: UInt64) -> (slot: Int, entry: Int?) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash >> 20) & mask
        while slots[slot] >= 0 {
            let entry = Int(slots[slot])
            if hashes[entry] == hash, data[starts[entry]..<starts[entry + 1]].elementsEqual(key) {
                return (slot, entry)
            }
            slot = (slot + 1) & mask
        }
        return (slot, nil)
    }

    private static func hash(_ key: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash ^= hash >> 29
        return hash &* 0xbf58_476d_1ce4_e5b9
    }

    private mutating func grow() {
        let count = slots.count * 2
        slots = Array(repeating: -1, count: count)
        for (index, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash >> 20) & (count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (count - 1) }
            slots[slot] = Int32(index)
        }
    }
}
