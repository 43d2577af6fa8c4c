// Values as a page stores them, decoded: PLAIN and the encodings built on it. What they mean is the
// annotation's affair (RawValues+Column.swift).

import Columns
import Contracts

/// The values of a chunk, NULLs left out.
struct RawValues {
    enum Kind { case bools, integers, floats, bytes }

    let kind: Kind
    var bools: [Bool] = []
    /// INT32 with its sign, INT64, INT96 as µs since 1970.
    var integers: [Int64] = []
    var floats: [Double] = []
    var ranges: [ValueRange] = []
    var data: [UInt8] = []

    init(_ storage: StorageType) {
        switch storage {
        case .boolean: kind = .bools
        case .int32, .int64, .int96: kind = .integers
        case .float, .double: kind = .floats
        case .byteArray, .fixed: kind = .bytes
        }
    }

    var count: Int {
        switch kind {
        case .bools: bools.count
        case .integers: integers.count
        case .floats: floats.count
        case .bytes: ranges.count
        }
    }

    /// PLAIN (Encodings.md): `count` values from the cursor.
    mutating func appendPlain(
        _ cursor: inout ByteCursor, _ leaf: Leaf, count: Int
    ) throws(Failure) {
        switch leaf.storage {
        case .boolean: try appendBits(&cursor, count: count)
        case .int32:
            let range = try cursor.take(count * 4)
            integers.reserveCapacity(integers.count + count)
            for at in stride(from: range.lowerBound, to: range.upperBound, by: 4) {
                integers.append(
                    Int64(Int32(bitPattern: loadLittleEndian32(cursor.bytes, at: at))))
            }
        case .int64:
            let range = try cursor.take(count * 8)
            integers.reserveCapacity(integers.count + count)
            for at in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                integers.append(Int64(bitPattern: loadLittleEndian64(cursor.bytes, at: at)))
            }
        case .int96:
            let range = try cursor.take(count * 12)
            for at in stride(from: range.lowerBound, to: range.upperBound, by: 12) {
                integers.append(microseconds(int96: cursor.bytes, at: at))
            }
        case .float:
            let range = try cursor.take(count * 4)
            floats.reserveCapacity(floats.count + count)
            for at in stride(from: range.lowerBound, to: range.upperBound, by: 4) {
                floats.append(
                    Double(Float(bitPattern: loadLittleEndian32(cursor.bytes, at: at))))
            }
        case .double:
            let range = try cursor.take(count * 8)
            floats.reserveCapacity(floats.count + count)
            for at in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                floats.append(Double(bitPattern: loadLittleEndian64(cursor.bytes, at: at)))
            }
        case .fixed:
            let range = try cursor.take(count * leaf.typeLength)
            let start = try addData(cursor.bytes, range)
            for index in 0..<count {
                ranges.append(
                    ValueRange(start: start + index * leaf.typeLength, length: leaf.typeLength))
            }
        case .byteArray: try appendPlainBytes(&cursor, count: count)
        }
    }

    private mutating func appendBits(_ cursor: inout ByteCursor, count: Int) throws(Failure) {
        let range = try cursor.take((count + 7) / 8)
        bools.reserveCapacity(bools.count + count)
        for index in 0..<count {
            let byte = cursor.bytes[range.lowerBound + index / 8]
            bools.append(byte & (1 << UInt8(index & 7)) != 0)
        }
    }

    /// Lengths and bytes in turns: the region is kept as a whole, the ranges point between.
    private mutating func appendPlainBytes(
        _ cursor: inout ByteCursor, count: Int
    ) throws(Failure) {
        let first = cursor.position
        let base = data.count - first
        ranges.reserveCapacity(ranges.count + min(count, cursor.remaining / 4))
        for _ in 0..<count {
            let length = Int(try cursor.littleEndian32())
            let range = try cursor.take(length)
            guard base + range.upperBound <= ParquetLimit.chunkBytes else { throw tooLarge }
            ranges.append(ValueRange(start: base + range.lowerBound, length: length))
        }
        _ = try addData(cursor.bytes, first..<cursor.position)
    }

    /// Copies bytes into the shared buffer; gives where they start.
    mutating func addData(_ bytes: [UInt8], _ range: Range<Int>) throws(Failure) -> Int {
        let start = data.count
        guard start + range.count <= ParquetLimit.chunkBytes else { throw tooLarge }
        data.append(contentsOf: bytes[range])
        return start
    }

    private var tooLarge: Failure { unsupported("a column chunk of more than 2 GiB of bytes") }

    /// The dictionary's entries at `indices`; bytes stay where the dictionary has them, so the
    /// dictionary must be what this chunk's data starts with.
    mutating func append(_ dictionary: RawValues, _ indices: [UInt32]) throws(Failure) {
        let limit = dictionary.count
        for index in indices where index >= limit {
            throw corrupt("a dictionary index of \(index) where \(limit) entries are")
        }
        switch kind {
        case .bools: for index in indices { bools.append(dictionary.bools[Int(index)]) }
        case .integers:
            integers.reserveCapacity(integers.count + indices.count)
            for index in indices { integers.append(dictionary.integers[Int(index)]) }
        case .floats:
            floats.reserveCapacity(floats.count + indices.count)
            for index in indices { floats.append(dictionary.floats[Int(index)]) }
        case .bytes:
            ranges.reserveCapacity(ranges.count + indices.count)
            for index in indices { ranges.append(dictionary.ranges[Int(index)]) }
        }
    }

    /// BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones, … .
    mutating func appendByteStreamSplit(
        _ cursor: inout ByteCursor, _ leaf: Leaf, count: Int
    ) throws(Failure) {
        let width: Int
        switch leaf.storage {
        case .int32, .float: width = 4
        case .int64, .double: width = 8
        case .fixed: width = leaf.typeLength
        default: throw corrupt("BYTE_STREAM_SPLIT of \(leaf.storage)")
        }
        let range = try cursor.take(count * width)
        var joined = [UInt8](repeating: 0, count: range.count)
        for byte in 0..<width {
            for index in 0..<count {
                joined[index * width + byte] =
                    cursor.bytes[range.lowerBound + byte * count + index]
            }
        }
        var values = ByteCursor(joined)
        try appendPlain(&values, leaf, count: count)
    }
}

/// INT96 of Impala and Spark: nanoseconds of the day, then the Julian day; instants are UTC.
private func microseconds(int96 bytes: [UInt8], at: Int) -> Int64 {
    let nanoseconds = Int64(bitPattern: loadLittleEndian64(bytes, at: at))
    let day = Int64(Int32(bitPattern: loadLittleEndian32(bytes, at: at + 8)))
    return (day - 2_440_588) &* 86_400_000_000 &+ nanoseconds / 1_000
}
