// The RLE / bit-packing hybrid of Encodings.md ("RLE = 3"): levels and dictionary indices.

import Contracts

/// Bits needed for values 0 … `maximum`.
func bitWidth(of maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

/// Appends `values` as hybrid runs. Eight or more equal values become a run; all else is bit-packed
/// in groups of eight, of which only the last may be filled up with zeros.
func appendHybridRuns<Value: FixedWidthInteger>(
    _ values: ArraySlice<Value>, bitWidth width: Int, to output: inout [UInt8]
) {
    var position = values.startIndex
    let end = values.endIndex
    var literalStart = position
    while position < end {
        let value = values[position]
        var runEnd = position + 1
        while runEnd < end, values[runEnd] == value { runEnd += 1 }
        // A run may only start on a boundary of eight literals: give the first ones to them.
        let pending = position - literalStart
        let fill = (8 - pending & 7) & 7
        if runEnd - position - fill >= 8 {
            appendLiterals(values[literalStart..<(position + fill)], width, to: &output)
            let length = runEnd - position - fill
            output.append(varint: UInt64(length) << 1)
            var rest = UInt64(truncatingIfNeeded: value)
            for _ in 0..<((width + 7) / 8) {
                output.append(UInt8(truncatingIfNeeded: rest))
                rest >>= 8
            }
            literalStart = runEnd
        }
        position = runEnd
    }
    appendLiterals(values[literalStart..<end], width, to: &output)
}

private func appendLiterals<Value: FixedWidthInteger>(
    _ values: ArraySlice<Value>, _ width: Int, to output: inout [UInt8]
) {
    guard !values.isEmpty else { return }
    let groups = (values.count + 7) / 8
    output.append(varint: UInt64(groups) << 1 | 1)
    let target = output.count + groups * width
    var buffer: UInt64 = 0
    var bits: UInt64 = 0
    let step = UInt64(width)
    for value in values {
        buffer |= UInt64(truncatingIfNeeded: value) << bits
        bits += step
        while bits >= 8 {
            output.append(UInt8(truncatingIfNeeded: buffer))
            buffer >>= 8
            bits -= 8
        }
    }
    if bits > 0 { output.append(UInt8(truncatingIfNeeded: buffer)) }
    while output.count < target { output.append(0) }
}

/// Reads `count` values of hybrid runs from the cursor's bytes.
func readHybridRuns(
    _ cursor: inout ByteCursor, bitWidth width: Int, count: Int
) throws(Failure) -> [UInt32] {
    guard width <= 32 else { throw corrupt("runs of \(width) bits") }
    var output: [UInt32] = []
    output.reserveCapacity(count)
    while output.count < count {
        let header = try cursor.varint()
        let left = count - output.count
        if header & 1 == 0 {
            let length = Int(min(header >> 1, UInt64(left)))
            guard length > 0 else { throw corrupt("an empty run") }
            var value: UInt32 = 0
            for byte in 0..<((width + 7) / 8) {
                value |= UInt32(try cursor.byte()) << UInt32(byte * 8)
            }
            output.append(contentsOf: repeatElement(value, count: length))
        } else {
            let groups = header >> 1
            guard groups > 0, groups <= UInt64(ParquetLimit.chunkValues) else {
                throw corrupt("a bit-packed run of \(groups) groups")
            }
            // The last run may be cut short by writers that do not fill up its last group.
            let bytes = min(Int(groups) * width, cursor.remaining)
            let take = min(Int(groups) * 8, left)
            guard bytes * 8 >= take * width else { throw corrupt("a bit-packed run ends early") }
            unpack(cursor.bytes, try cursor.take(bytes), width: width, count: take, &output)
        }
    }
    return output
}

/// Appends `count` values of `width` ≤ 32 bits each, least significant bit first. The caller has
/// checked that the range holds them.
private func unpack(
    _ bytes: [UInt8], _ range: Range<Int>, width: Int, count: Int, _ output: inout [UInt32]
) {
    var buffer: UInt64 = 0
    var bits = 0
    var position = range.lowerBound
    let mask: UInt64 = (1 << UInt64(width)) - 1
    for _ in 0..<count {
        while bits < width {
            buffer |= UInt64(bytes[position]) << UInt64(bits)
            position += 1
            bits += 8
        }
        output.append(UInt32(truncatingIfNeeded: buffer & mask))
        buffer >>= UInt64(width)
        bits -= width
    }
}
