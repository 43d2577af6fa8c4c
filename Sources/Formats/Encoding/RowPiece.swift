// Rows put together from pieces: columns are encoded each in its own loop and stitched here, so
// that no loop over rows asks for types.

import Columns
import Contracts

/// A part of each row: the same bytes everywhere, or a text a row.
enum RowPiece {
    case constant([UInt8])
    case texts(ByteColumn)
}

/// The rows, each followed by a newline outside its range. Complexity: one copy a byte.
func stitch(_ pieces: [RowPiece], count: Int) -> EncodedText {
    var lengths = Array(repeating: 0, count: count)
    for piece in pieces {
        switch piece {
        case .constant(let bytes): for row in 0..<count { lengths[row] += bytes.count }
        case .texts(let texts):
            require(texts.ranges.count == count, "\(texts.ranges.count) texts, \(count) rows")
            for row in 0..<count { lengths[row] += texts.ranges[row].count }
        }
    }
    var cursors = Array(repeating: 0, count: count)
    var ranges: [ValueRange] = []
    ranges.reserveCapacity(count)
    var total = 0
    for row in 0..<count {
        ranges.append(ValueRange(start: total, length: lengths[row]))
        cursors[row] = total
        total += lengths[row] + 1
    }
    let data = unsafe [UInt8](unsafeUninitializedCapacity: total) { output, written in
        for piece in pieces + [.constant([0x0a])] {
            switch piece {
            case .constant(let bytes):
                unsafe fill(output, &cursors, bytes) { _ in (0, bytes.count) }
            case .texts(let texts):
                unsafe fill(output, &cursors, texts.data) {
                    (texts.ranges[$0].lowerBound, texts.ranges[$0].count)
                }
            }
        }
        written = total
    }
    return EncodedText(bytes: data, ranges: ranges)
}

@inline(__always)
private func fill(
    _ output: UnsafeMutableBufferPointer<UInt8>, _ cursors: inout [Int], _ bytes: [UInt8],
    _ part: (Int) -> (start: Int, count: Int)
) {
    unsafe bytes.withUnsafeBufferPointer { source in
        guard let first = output.baseAddress, let origin = source.baseAddress else {
            return
        }
        for row in cursors.indices {
            let (start, count) = part(row)
            let end = cursors[row] + count
            require(start + count <= source.count && end <= output.count, "a piece out of bounds")
            // SAFETY: both ranges were checked above; every byte of the output is written once, as
            // each row's cursor goes over the sum of its pieces' lengths.
            unsafe (first + cursors[row]).initialize(from: origin + start, count: count)
            cursors[row] = end
        }
    }
}
