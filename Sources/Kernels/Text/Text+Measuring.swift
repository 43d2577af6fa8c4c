// Functions of text whose result is a number or a truth value.

import Columns
import Types

enum TextMeasures {
    /// Code points.
    static func length(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let input = call.bytes(0)
        let data = input.data
        let counts = [Int64](capacity: call.rowCount) { output in
            for range in input.ranges {
                output.append(Int64(Text.count(data, range.lowerBound, range.upperBound)))
            }
        }
        return Column(.integer, .int64(counts))
    }

    static func byteLength(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        Column(.integer, .int64(call.bytes(0).ranges.map { Int64($0.count) }))
    }

    static func bitLength(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        Column(.integer, .int64(call.bytes(0).ranges.map { Int64($0.count) &* 8 }))
    }

    /// The place of the second argument in the first, from 1 in code points (bytea: bytes); 0:
    /// nowhere.
    static func position(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (input, pattern) = (call.bytes(0), call.bytes(1))
        let isBinary = call.arguments[0].type == .bytea
        let (data, patternData) = (input.data, pattern.data)
        let places = [Int64](capacity: call.rowCount) { output in
            for row in 0..<call.rowCount {
                let (range, wanted) = (input.ranges[row], pattern.ranges[row])
                guard
                    let found = Text.find(
                        patternData, wanted.lowerBound, wanted.upperBound, in: data,
                        from: range.lowerBound, end: range.upperBound)
                else {
                    output.append(0)
                    continue
                }
                let before =
                    isBinary
                    ? found - range.lowerBound : Text.count(data, range.lowerBound, found)
                output.append(Int64(before) + 1)
            }
        }
        return Column(.integer, .int64(places))
    }

    static func startsWith(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (input, pattern) = (call.bytes(0), call.bytes(1))
        let answers = [Bool](capacity: call.rowCount) { output in
            for row in 0..<call.rowCount {
                let (range, prefix) = (input.ranges[row], pattern.ranges[row])
                output.append(
                    prefix.count <= range.count
                        && Text.matches(
                            pattern.data, prefix.lowerBound, prefix.count, input.data,
                            range.lowerBound)
                )
            }
        }
        return Column(.boolean, .bool(answers))
    }

    /// The first code point; 0 of an empty text.
    static func code(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let input = call.bytes(0)
        let codes = input.ranges.map { range in
            range.count == 0
                ? 0 : Int64(Text.scalar(input.data, range.lowerBound, end: range.upperBound).value)
        }
        return Column(.integer, .int64(codes))
    }
}
