// Functions whose result is a part of their argument: only ranges are made, no text is copied.

import Columns
import Contracts
import Types

enum TextSlices {
    /// The same buffer with other ranges.
    @inline(__always)
    private static func sliced(
        _ call: KernelCall,
        _ slice: (_ row: Int, _ data: [UInt8], _ range: ValueRange) -> ValueRange
    ) -> Column {
        let input = call.bytes(0)
        let data = input.data
        let ranges = [ValueRange](capacity: call.rowCount) { output in
            for row in 0..<call.rowCount { output.append(slice(row, data, input.ranges[row])) }
        }
        return Column(call.type, .bytes(ByteColumn(ranges: ranges, data: data)))
    }

    @inline(__always)
    private static func part(_ start: Int, _ end: Int) -> ValueRange {
        ValueRange(start: start, length: max(0, end &- start))
    }

    /// `substring(text from n [for count])`, in code points from 1.
    static func substring(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let from = call.int64s(1)
        let counts = call.arguments.count == 3 ? call.int64s(2) : nil
        let isBinary = call.type == .bytea
        noteNegativeLengths(counts, call, &errors)
        return sliced(call) { row, data, range in
            let first = max(1, from[row])
            var count = Int64.max
            if let counts { count = max(0, max(0, counts[row]) &+ from[row] &- first) }
            let (low, high) = (range.lowerBound, range.upperBound)
            if isBinary {
                let start = min(high, low &+ Int(min(first &- 1, Int64(range.count))))
                return part(start, start &+ Int(min(count, Int64(high &- start))))
            }
            let start = Text.index(data, low, high, after: Int(first &- 1))
            return part(start, Text.index(data, start, high, after: Int(count)))
        }
    }

    private static func noteNegativeLengths(
        _ counts: [Int64]?, _ call: KernelCall, _ errors: inout RowErrors
    ) {
        guard let counts else { return }
        for row in 0..<call.rowCount where counts[row] < 0 && call.isWanted(row) {
            errors.note(row, .invalidArgument, "negative substring length not allowed", in: call)
        }
    }

    /// The first n code points; of n < 0: all but the last −n.
    static func left(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let counts = call.int64s(1)
        return sliced(call) { row, data, range in
            let (low, high) = (range.lowerBound, range.upperBound)
            var count = Int(counts[row])
            if count < 0 { count = max(0, Text.count(data, low, high) &+ count) }
            return part(low, Text.index(data, low, high, after: count))
        }
    }

    /// The last n code points; of n < 0: all but the first −n.
    static func right(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let counts = call.int64s(1)
        return sliced(call) { row, data, range in
            let (low, high) = (range.lowerBound, range.upperBound)
            let count = Int(counts[row])
            let skipped = count < 0 ? -count : max(0, Text.count(data, low, high) &- count)
            return part(Text.index(data, low, high, after: skipped), high)
        }
    }

    enum Side { case both, left, right }

    /// Drops code points of a set (the second argument; a space without one) at the ends.
    static func trim(_ side: Side) -> Function.Kernel {
        { call, _ in
            let sets = call.arguments.count == 2 ? call.bytes(1) : nil
            let isBinary = call.type == .bytea
            return sliced(call) { row, data, range in
                var low = range.lowerBound
                var high = range.upperBound
                guard let sets else {
                    if side != .right { while low < high, data[low] == 32 { low &+= 1 } }
                    if side != .left { while low < high, data[high &- 1] == 32 { high &-= 1 } }
                    return part(low, high)
                }
                let set = sets.ranges[row]
                while side != .right, low < high {
                    let next = isBinary ? low &+ 1 : Text.next(data, low, end: high)
                    guard contains(sets.data, set, data, low, next) else { break }
                    low = next
                }
                while side != .left, low < high {
                    let before = isBinary ? high &- 1 : Text.previous(data, high, start: low)
                    guard contains(sets.data, set, data, before, high) else { break }
                    high = before
                }
                return part(low, high)
            }
        }
    }

    /// Whether the code point `data[start..<end]` is one of the set.
    private static func contains(
        _ set: [UInt8], _ range: ValueRange, _ data: [UInt8], _ start: Int, _ end: Int
    ) -> Bool {
        // A code point's bytes are never a part of another's, so any place in the set will do.
        Text.find(data, start, end, in: set, from: range.lowerBound, end: range.upperBound) != nil
    }

    /// `split_part(text, delimiter, n)`: the n-th part from 1, from the end for n < 0.
    static func splitPart(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let delimiters = call.bytes(1)
        let numbers = call.int64s(2)
        for row in 0..<call.rowCount where numbers[row] == 0 && call.isWanted(row) {
            errors.note(row, .invalidArgument, "field position must not be zero", in: call)
        }
        return sliced(call) { row, data, range in
            let delimiter = delimiters.ranges[row]
            let number = numbers[row]
            let empty = part(range.lowerBound, range.lowerBound)
            if delimiter.count == 0 { return number == 1 || number == -1 ? range : empty }
            if range.count == 0 || number == 0 { return empty }
            return field(number, data, range, delimiters.data, delimiter) ?? empty
        }
    }

    private static func field(
        _ number: Int64, _ data: [UInt8], _ range: ValueRange, _ delimiters: [UInt8],
        _ delimiter: ValueRange
    ) -> ValueRange? {
        var wanted = number
        if number < 0 {
            var count: Int64 = 1
            var index = range.lowerBound
            while let found = Text.find(
                delimiters, delimiter.lowerBound, delimiter.upperBound, in: data, from: index,
                end: range.upperBound)
            {
                count += 1
                index = found + delimiter.count
            }
            wanted = count + number + 1
        }
        guard wanted >= 1 else { return nil }
        var start = range.lowerBound
        while true {
            let found = Text.find(
                delimiters, delimiter.lowerBound, delimiter.upperBound, in: data, from: start,
                end: range.upperBound)
            wanted -= 1
            if wanted == 0 { return part(start, found ?? range.upperBound) }
            guard let found else { return nil }
            start = found + delimiter.count
        }
    }
}
