// A checked cursor over untrusted bytes: each read asks first whether the bytes are there.

import Contracts

/// Reads forward in `bytes[position..<end]`.
struct ByteCursor {
    let bytes: [UInt8]
    private(set) var position: Int
    let end: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    /// Part of a buffer; the range is checked.
    init(_ bytes: [UInt8], _ range: Range<Int>) throws(Failure) {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else {
            throw corrupt("a range \(range) lies outside its \(bytes.count) bytes")
        }
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var remaining: Int { end - position }

    mutating func byte() throws(Failure) -> UInt8 {
        guard position < end else { throw corrupt("it ends early") }
        defer { position += 1 }
        return bytes[position]
    }

    /// The range of the next `count` bytes, passed over.
    mutating func take(_ count: Int) throws(Failure) -> Range<Int> {
        guard count >= 0, count <= remaining else {
            throw corrupt("\(count) bytes are announced where \(remaining) follow")
        }
        defer { position += count }
        return position..<(position + count)
    }

    mutating func littleEndian32() throws(Failure) -> UInt32 {
        let range = try take(4)
        return loadLittleEndian32(bytes, at: range.lowerBound)
    }

    /// LEB128, at most 64 bits.
    mutating func varint() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let next = try byte()
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
            shift += 7
        }
        throw corrupt("a varint is longer than 10 bytes")
    }

    /// A varint that counts something: never negative as Int.
    mutating func count(atMost limit: Int) throws(Failure) -> Int {
        let value = try varint()
        guard value <= UInt64(limit) else {
            throw corrupt("a count of \(value) passes the limit of \(limit)")
        }
        return Int(value)
    }

    mutating func zigzag() throws(Failure) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}

/// Four bytes at an index the caller has checked (the array checks again).
@inline(__always)
func loadLittleEndian32(_ bytes: [UInt8], at index: Int) -> UInt32 {
    UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
        | UInt32(bytes[index + 3]) << 24
}

@inline(__always)
func loadLittleEndian64(_ bytes: [UInt8], at index: Int) -> UInt64 {
    UInt64(loadLittleEndian32(bytes, at: index))
        | UInt64(loadLittleEndian32(bytes, at: index + 4)) << 32
}

extension [UInt8] {
    mutating func append(littleEndian value: UInt32) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value >> 16))
        append(UInt8(truncatingIfNeeded: value >> 24))
    }

    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
