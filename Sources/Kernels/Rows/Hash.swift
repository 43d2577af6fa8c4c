// Hashes of rows. They lay out stored state and name key groups (by their upper 7 bits), so they
// must never change: tests hold known answers.
//
// Keys that are equal hash alike: −0 as 0, every NaN as one, intervals by their span, a NULL by a
// word of its own. A row's hash is folded over its columns, in order: h ← mix(h × K + word).

public import Columns
import CXXHash
import Types

private let seed: UInt64 = 0x8A5C_D789_635D_2DFF
private let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
private let nullWord: UInt64 = 0xB492_B66F_BE98_F273

/// The hashes of the rows of some columns, as one key. No columns: the same for all.
/// Complexity: O(columns × rows + bytes).
public func hashRows(_ columns: [Column], rowCount: Int) -> [UInt64] {
    var hashes = Array(repeating: seed, count: rowCount)
    for column in columns { hashInto(&hashes, column) }
    return hashes
}

/// Folds one more column into the hashes of its rows.
public func hashInto(_ hashes: inout [UInt64], _ column: Column) {
    switch column.values {
    case .bool(let values): fold(&hashes, values, column.validity) { $0 ? 1 : 0 }
    case .int64(let values):
        fold(&hashes, values, column.validity) { UInt64(bitPattern: $0) }
    case .float64(let values): fold(&hashes, values, column.validity, canonicalBits)
    case .int128(let values): foldWide(&hashes, values, column.validity)
    case .interval(let values): foldWide(&hashes, values.map(\.span), column.validity)
    case .bytes(let bytes): fold(&hashes, byteHashes(bytes), column.validity) { $0 }
    case .list(let list): fold(&hashes, listHashes(list), column.validity) { $0 }
    case .row(let row):
        fold(&hashes, hashRows(row.fields, rowCount: row.count), column.validity) { $0 }
    case .null: for row in hashes.indices { hashes[row] = folded(hashes[row], nullWord) }
    }
}

/// The finalizer of MurmurHash3: each bit of the input changes each of the output with p ≈ ½.
@inline(__always)
private func mixed(_ word: UInt64) -> UInt64 {
    var word = word
    word ^= word >> 33
    word = word &* 0xFF51_AFD7_ED55_8CCD
    word ^= word >> 33
    word = word &* 0xC4CE_B9FE_1A85_EC53
    word ^= word >> 33
    return word
}

@inline(__always)
private func folded(_ hash: UInt64, _ word: UInt64) -> UInt64 { mixed(hash &* multiplier &+ word) }

private func canonicalBits(_ value: Double) -> UInt64 {
    value.isNaN ? Double.nan.bitPattern : value == 0 ? 0 : value.bitPattern
}

@inline(__always)
private func fold<Value: BitwiseCopyable>(
    _ hashes: inout [UInt64], _ values: [Value], _ validity: Validity, _ word: (Value) -> UInt64
) {
    if let validity {
        for row in hashes.indices {
            hashes[row] = folded(hashes[row], validity[row] ? word(values[row]) : nullWord)
        }
    } else {
        for row in hashes.indices { hashes[row] = folded(hashes[row], word(values[row])) }
    }
}

private func foldWide(_ hashes: inout [UInt64], _ values: [Int128], _ validity: Validity) {
    for row in hashes.indices {
        guard validity?[row] ?? true else {
            hashes[row] = folded(hashes[row], nullWord)
            continue
        }
        let low = folded(hashes[row], UInt64(truncatingIfNeeded: values[row]))
        hashes[row] = folded(low, UInt64(truncatingIfNeeded: values[row] >> 64))
    }
}

/// XXH3 of each value.
private func byteHashes(_ bytes: ByteColumn) -> [UInt64] {
    let ranges = bytes.ranges
    return unsafe bytes.data.withUnsafeBufferPointer { data in
        [UInt64](capacity: ranges.count) { output in
            for range in ranges {
                let part = unsafe UnsafeBufferPointer(
                    rebasing: data[range.lowerBound..<range.upperBound])
                // SAFETY: slicing checks the range against the buffer, which outlives the call.
                output.append(unsafe XXH3_64bits(part.baseAddress, part.count))
            }
        }
    }
}

private func listHashes(_ list: ListColumn) -> [UInt64] {
    let elements = hashRows([list.element], rowCount: list.element.count)
    return list.ranges.map { range in
        var hash = folded(seed, UInt64(range.count))
        for index in range.lowerBound..<range.upperBound { hash = folded(hash, elements[index]) }
        return hash
    }
}
