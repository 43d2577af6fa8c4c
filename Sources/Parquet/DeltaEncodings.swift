// DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY (Encodings.md).

import Columns
import Contracts

/// Reads one DELTA_BINARY_PACKED sequence of exactly `count` numbers.
func readDeltaBinaryPacked(
    _ cursor: inout ByteCursor, count wanted: Int, is32Bit: Bool
) throws(Failure) -> [Int64] {
    let blockSize = try cursor.count(atMost: 1 << 24)
    let miniblockCount = try cursor.count(atMost: 1 << 16)
    let count = try cursor.count(atMost: ParquetLimit.chunkValues)
    guard count == wanted else {
        throw corrupt("\(count) packed numbers where \(wanted) are announced")
    }
    var value = try cursor.zigzag()
    guard count > 0 else { return [] }
    guard miniblockCount > 0, blockSize % miniblockCount == 0,
        (blockSize / miniblockCount) % 8 == 0, blockSize > 0
    else { throw corrupt("packed blocks of \(blockSize) in \(miniblockCount) parts") }
    let miniblockSize = blockSize / miniblockCount
    var output: [Int64] = []
    output.reserveCapacity(min(count, cursor.remaining * 64 + 1))
    output.append(value)
    while output.count < count {
        let least = try cursor.zigzag()
        let widths = Array(cursor.bytes[try cursor.take(miniblockCount)])
        for width in widths where output.count < count {
            let width = Int(width)
            guard width <= 64 else { throw corrupt("packed numbers of \(width) bits") }
            let take = min(miniblockSize, count - output.count)
            // The last part may be cut short by writers that do not fill it up.
            let bytes = min(miniblockSize / 8 * width, cursor.remaining)
            guard bytes * 8 >= take * width else { throw corrupt("packed numbers end early") }
            let range = try cursor.take(bytes)
            for index in 0..<take {
                let delta = bits(cursor.bytes, range.lowerBound, from: index * width, width)
                value = value &+ least &+ Int64(bitPattern: delta)
                if is32Bit { value = Int64(Int32(truncatingIfNeeded: value)) }
                output.append(value)
            }
        }
    }
    return output
}

/// `width` ≤ 64 bits that start `offset` bits behind byte `start`, least significant first.
private func bits(_ bytes: [UInt8], _ start: Int, from offset: Int, _ width: Int) -> UInt64 {
    var result: UInt64 = 0
    var taken = 0
    while taken < width {
        let bit = offset + taken
        let shift = bit & 7
        let part = min(8 - shift, width - taken)
        let byte = UInt64(bytes[start + bit / 8] >> UInt8(shift)) & ((1 << UInt64(part)) - 1)
        result |= byte << UInt64(taken)
        taken += part
    }
    return result
}

extension RawValues {
    mutating func appendDeltaLengths(
        _ cursor: inout ByteCursor, count: Int
    ) throws(Failure) {
        let lengths = try readDeltaBinaryPacked(&cursor, count: count, is32Bit: true)
        for length in lengths {
            let range = try cursor.take(Int(length))
            let start = try addData(cursor.bytes, range)
            ranges.append(ValueRange(start: start, length: range.count))
        }
    }

    /// Each value: how many bytes of the one before it starts with, and the rest.
    mutating func appendDeltaBytes(_ cursor: inout ByteCursor, count: Int) throws(Failure) {
        let prefixes = try readDeltaBinaryPacked(&cursor, count: count, is32Bit: true)
        let suffixes = try readDeltaBinaryPacked(&cursor, count: count, is32Bit: true)
        var last = ValueRange(start: data.count, length: 0)
        for index in 0..<count {
            let prefix = Int(prefixes[index])
            guard prefix >= 0, prefix <= last.count else {
                throw corrupt("a shared prefix longer than the value before")
            }
            let suffix = try cursor.take(Int(suffixes[index]))
            let start = data.count
            guard start + prefix + suffix.count <= ParquetLimit.chunkBytes else {
                throw unsupported("a column chunk of more than 2 GiB of bytes")
            }
            data.append(contentsOf: data[last.lowerBound..<(last.lowerBound + prefix)])
            data.append(contentsOf: cursor.bytes[suffix])
            last = ValueRange(start: start, length: data.count - start)
            ranges.append(last)
        }
    }
}
