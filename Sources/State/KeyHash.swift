// The hash of a row's key: decides its worker and key group, and finds it in tables.
//
// Stored state is laid out by this function (KeyGroups), so it never changes. Each value's words are
// folded in by a 64 × 64 → 128 bit multiplication (as in wyhash); equal keys, as `RowCodec.Form.canonical`
// defines them, have equal hashes.

public import Columns
import Types

public enum KeyHash {
    /// One hash a row over `columns`; no columns: the same for all. Complexity: a loop a column.
    public static func hashes(_ columns: [Column], rowCount: Int) -> [UInt64] {
        var hashes: [UInt64] = Array(repeating: seed, count: rowCount)
        for column in columns { fold(column, into: &hashes) }
        return hashes
    }

    private static let seed: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let null: UInt64 = 0xD6E8_FEB8_6659_FD93

    private static func fold(_ column: Column, into hashes: inout [UInt64]) {
        switch column.values {
        case .int64(let values):
            for row in hashes.indices {
                hashes[row] = mix(
                    hashes[row], column.isNullAt(row) ? null : UInt64(bitPattern: values[row]))
            }
        case .bool(let values):
            for row in hashes.indices {
                hashes[row] = mix(hashes[row], column.isNullAt(row) ? null : values[row] ? 2 : 1)
            }
        case .float64(let values):
            for row in hashes.indices {
                let bits = canonicalFloat(values[row]).bitPattern
                hashes[row] = mix(hashes[row], column.isNullAt(row) ? null : bits)
            }
        case .int128(let values):
            for row in hashes.indices {
                let bits = UInt128(bitPattern: values[row])
                let once = mix(hashes[row], UInt64(truncatingIfNeeded: bits))
                hashes[row] =
                    column.isNullAt(row)
                    ? mix(hashes[row], null) : mix(once, UInt64(truncatingIfNeeded: bits >> 64))
            }
        case .bytes(let bytes):
            for row in hashes.indices {
                hashes[row] =
                    column.isNullAt(row)
                    ? mix(hashes[row], null)
                    : hash(bytes.data, bytes.ranges[row].lowerBound, bytes.ranges[row].count,
                        seed: hashes[row])
            }
        case .null: for row in hashes.indices { hashes[row] = mix(hashes[row], null) }
        case .interval, .list, .row:
            let encoded = RowCodec([column.type], form: .canonical)
                .encode([column], rowCount: column.count)
            for row in hashes.indices {
                hashes[row] = hash(
                    encoded.bytes, encoded.offsets[row],
                    encoded.offsets[row + 1] - encoded.offsets[row], seed: hashes[row])
            }
        }
    }

    @inline(__always)
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = (left ^ 0xA076_1D64_78BD_642F)
            .multipliedFullWidth(by: right ^ 0xE703_7ED1_A0B4_28DB)
        return product.high ^ product.low
    }

    /// The hash of `count` bytes from `start`, eight at a time; the length goes in last.
    package static func hash(
        _ data: [UInt8], _ start: Int, _ count: Int, seed: UInt64 = seed
    ) -> UInt64 {
        var hash = seed
        var position = start
        let end = start + count
        while position < end {
            var word: UInt64 = 0
            let width = min(8, end - position)
            for index in 0..<width { word |= UInt64(data[position + index]) << UInt64(8 * index) }
            hash = mix(hash, word)
            position += width
        }
        return mix(hash, UInt64(count) ^ 0x5851_F42D_4C95_7F2D)
    }
}

extension Column {
    @inline(__always)
    fileprivate func isNullAt(_ row: Int) -> Bool {
        if let validity { return !validity[row] }
        return false
    }
}
