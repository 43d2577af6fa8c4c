// Smallest and largest value and NULLs of a column chunk, under the rules of parquet.thrift
// `Statistics` and `ColumnOrder`: NaN never enters and leaves a chunk without bounds, a zero
// minimum is written −0.0 and a zero maximum +0.0, and what is shortened says so.

import Contracts
import Types

/// Collected while values pass; later merged over row groups.
struct LeafStatistics {
    var nullCount = 0
    var hasNaN = false
    private(set) var minimum: Scalar?
    private(set) var maximum: Scalar?

    mutating func merge(_ other: LeafStatistics) {
        nullCount += other.nullCount
        hasNaN = hasNaN || other.hasNaN
        if let low = other.minimum, let high = other.maximum { widen(low, high) }
    }

    private mutating func widen(_ low: Scalar, _ high: Scalar) {
        guard let minimum, let maximum else {
            self.minimum = low
            self.maximum = high
            return
        }
        if precedes(low, minimum) { self.minimum = low }
        if precedes(maximum, high) { self.maximum = high }
    }

    mutating func note(_ values: [Bool]) {
        if let first = values.first {
            let other = values.contains(!first)
            widen(.bool(other ? false : first), .bool(other ? true : first))
        }
    }

    mutating func note(_ values: [Int64]) {
        guard var low = values.first else { return }
        var high = low
        for value in values {
            low = min(low, value)
            high = max(high, value)
        }
        widen(.int64(low), .int64(high))
    }

    mutating func note(_ values: [Int128]) {
        guard var low = values.first else { return }
        var high = low
        for value in values {
            low = min(low, value)
            high = max(high, value)
        }
        widen(.int128(low), .int128(high))
    }

    mutating func note(_ values: [Double]) {
        var low = Double.infinity
        var high = -Double.infinity
        var numbers = 0
        for value in values {
            if value.isNaN { continue }
            numbers += 1
            low = value < low ? value : low
            high = value > high ? value : high
        }
        hasNaN = hasNaN || numbers < values.count
        if numbers > 0 { widen(.float64(low == 0 ? -0.0 : low), .float64(high == 0 ? 0.0 : high)) }
    }

    /// One value among `data`; kept only when it is a new bound.
    mutating func note(_ data: [UInt8], _ range: Range<Int>) {
        guard case .bytes(let low)? = minimum, case .bytes(let high)? = maximum else {
            let value = Scalar.bytes(Array(data[range]))
            minimum = value
            maximum = value
            return
        }
        if isLess(data, range, low, 0..<low.count) { minimum = .bytes(Array(data[range])) }
        if isLess(high, 0..<high.count, data, range) { maximum = .bytes(Array(data[range])) }
    }
}

/// Byte order.
private func isLess(
    _ left: [UInt8], _ leftRange: Range<Int>, _ right: [UInt8], _ rightRange: Range<Int>
) -> Bool {
    let shared = min(leftRange.count, rightRange.count)
    for offset in 0..<shared {
        let a = left[leftRange.lowerBound + offset]
        let b = right[rightRange.lowerBound + offset]
        if a != b { return a < b }
    }
    return leftRange.count < rightRange.count
}

/// Order of two values of one type.
private func precedes(_ left: Scalar, _ right: Scalar) -> Bool {
    switch (left, right) {
    case (.bool(let a), .bool(let b)): !a && b
    case (.int64(let a), .int64(let b)): a < b
    case (.int128(let a), .int128(let b)): a < b
    case (.float64(let a), .float64(let b)): a < b
    case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
    default: false
    }
}

extension LeafStatistics {
    /// As the footer wants them, in PLAIN bytes; strings cut to a prefix, the maximum rounded up.
    func encoded(_ leaf: Leaf) -> ChunkStatistics {
        var result = ChunkStatistics(nullCount: Int64(nullCount))
        // Bounds say nothing of NaN, but readers that order it above all numbers leave out chunks
        // by them all the same.
        guard let minimum, let maximum, !hasNaN else { return result }
        if case .bytes(let low) = minimum, case .bytes(let high) = maximum {
            let isText = leaf.annotation == .string
            let limit = ParquetLimit.statisticsBytes
            result.minimum = truncated(low, limit, isText: isText)
            result.isMinimumExact = low.count <= limit
            let upper = roundedUp(high, limit, isText: isText)
            result.maximum = upper
            result.isMaximumExact = high.count <= limit
            return result
        }
        result.minimum = plainBytes(minimum, leaf)
        result.maximum = plainBytes(maximum, leaf)
        return result
    }
}

/// At most `limit` bytes of a value, cut between code points when it is text.
private func truncated(_ bytes: [UInt8], _ limit: Int, isText: Bool) -> [UInt8] {
    guard bytes.count > limit else { return bytes }
    var end = limit
    if isText { while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 } }
    return Array(bytes[..<end])
}

/// An upper bound of at most `limit` bytes, nil if there is none: the prefix with its last byte
/// (for text its last ASCII character, so that it stays UTF-8) raised by one.
private func roundedUp(_ bytes: [UInt8], _ limit: Int, isText: Bool) -> [UInt8]? {
    guard bytes.count > limit else { return bytes }
    var prefix = truncated(bytes, limit, isText: isText)
    let highest: UInt8 = isText ? 0x7e : 0xfe
    while let last = prefix.last {
        if last <= highest {
            prefix[prefix.count - 1] = last + 1
            return prefix
        }
        prefix.removeLast()
        if isText {
            // What was removed may have been the tail of a character: remove all of it.
            while let byte = prefix.last, last & 0xc0 == 0x80, byte & 0x80 != 0 {
                prefix.removeLast()
                if byte & 0xc0 == 0xc0 { break }
            }
        }
    }
    return nil
}

/// One value as PLAIN writes it (without a length in front).
private func plainBytes(_ value: Scalar, _ leaf: Leaf) -> [UInt8] {
    func littleEndian(_ bits: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: bits >> UInt64($0 * 8)) }
    }
    switch value {
    case .bool(let value): return [value ? 1 : 0]
    case .int64(let value):
        return littleEndian(UInt64(bitPattern: value), leaf.storage == .int32 ? 4 : 8)
    case .float64(let value):
        return leaf.storage == .float
            ? littleEndian(UInt64(Float(value).bitPattern), 4)
            : littleEndian(value.bitPattern, 8)
    case .int128(let value):
        switch leaf.storage {
        case .int32: return littleEndian(UInt64(truncatingIfNeeded: value), 4)
        case .int64: return littleEndian(UInt64(truncatingIfNeeded: value), 8)
        default:
            var bytes: [UInt8] = []
            bytes.append(fixed: value, count: leaf.typeLength, isUUID: leaf.annotation == .uuid)
            return bytes
        }
    case .bytes(let bytes): return bytes
    case .null, .interval, .list, .row: return []
    }
}

extension [UInt8] {
    /// Big-endian two's complement of `count` bytes; a uuid has its first bit flipped in memory.
    mutating func append(fixed value: Int128, count: Int, isUUID: Bool) {
        var bits = UInt128(truncatingIfNeeded: value)
        if isUUID { bits ^= UInt128(1) << 127 }
        var shift = (count - 1) * 8
        while shift >= 0 {
            append(UInt8(truncatingIfNeeded: bits >> UInt128(shift)))
            shift -= 8
        }
    }
}
