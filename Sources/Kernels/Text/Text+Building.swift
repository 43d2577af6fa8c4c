// Functions that make new text, in one buffer a batch.

import Columns
import Contracts
import Types

enum TextBuilding {
    /// `left || right`, of text and of bytea.
    static func concatenation(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let left = call.bytes(0)
        let right = call.bytes(1)
        var output = TextOutput(rowCount: call.rowCount)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                output.endEmpty()
                continue
            }
            output.data.append(contentsOf: left[row])
            output.data.append(contentsOf: right[row])
            output.endRow(row, &errors, in: call)
        }
        return output.column(call.type)
    }

    /// `concat(…)`: the texts of all arguments, NULLs left out.
    static func concat(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        var output = TextOutput(rowCount: call.rowCount)
        for row in 0..<call.rowCount {
            for argument in call.arguments { appendOutput(argument, row, to: &output.data) }
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    /// `concat_ws(separator, …)`; NULL if the separator is.
    static func concatWithSeparator(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let separators = call.arguments[0]
        var output = TextOutput(rowCount: call.rowCount)
        for row in 0..<call.rowCount {
            guard case .bytes(let separator) = separators.values, separators.isValid(row) else {
                output.endNull()
                continue
            }
            var isFirst = true
            for argument in call.arguments.dropFirst() where isPresent(argument, row) {
                if !isFirst { output.data.append(contentsOf: separator[row]) }
                appendOutput(argument, row, to: &output.data)
                isFirst = false
            }
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    static func isPresent(_ column: Column, _ row: Int) -> Bool {
        if case .null = column.values { return false }
        return column.isValid(row)
    }

    /// A value by its type's output function: a boolean is `t` or `f`, unlike its cast to text.
    static func appendOutput(_ column: Column, _ row: Int, to output: inout [UInt8]) {
        if case .bool(let values) = column.values {
            if column.isValid(row) { output.append(values[row] ? 0x74 : 0x66) }
        } else {
            ValueText.append(column, row: row, to: &output)
        }
    }

    static func replace(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (input, from, to) = (call.bytes(0), call.bytes(1), call.bytes(2))
        var output = TextOutput(rowCount: call.rowCount, capacity: input.data.count)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                output.endEmpty()
                continue
            }
            let range = input.ranges[row]
            let (pattern, text) = (from.ranges[row], to.ranges[row])
            var index = range.lowerBound
            var hasRoom = true
            while pattern.count > 0, hasRoom,
                let found = Text.find(
                    from.data, pattern.lowerBound, pattern.upperBound, in: input.data,
                    from: index, end: range.upperBound)
            {
                hasRoom = output.hasRoom(for: found - index + text.count)
                guard hasRoom else { break }
                output.append(input.data, index, found)
                output.append(to.data, text.lowerBound, text.upperBound)
                index = found + pattern.count
            }
            guard hasRoom else {
                output.failRow(row, &errors, in: call)
                continue
            }
            output.append(input.data, index, range.upperBound)
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    /// `lpad`, `rpad`: exactly n code points.
    static func pad(atFront: Bool) -> Function.Kernel {
        { call, errors in
            let (input, lengths) = (call.bytes(0), call.int64s(1))
            let space = ByteColumn(ranges: [ValueRange(start: 0, length: 1)], data: [32])
            let fills = call.arguments.count == 3 ? call.bytes(2) : nil
            var output = TextOutput(rowCount: call.rowCount, capacity: input.data.count)
            for row in 0..<call.rowCount {
                guard call.isWanted(row) else {
                    output.endEmpty()
                    continue
                }
                let range = input.ranges[row]
                let length = Int(max(0, lengths[row]))
                guard output.hasRoom(for: length) else {
                    output.failRow(row, &errors, in: call)
                    continue
                }
                let end = Text.index(
                    input.data, range.lowerBound, range.upperBound, after: length)
                let missing = length - Text.count(input.data, range.lowerBound, end)
                let fill = fills ?? space
                let fillRange = fills == nil ? fill.ranges[0] : fill.ranges[row]
                if atFront { appendFill(fill.data, fillRange, missing, to: &output.data) }
                output.append(input.data, range.lowerBound, end)
                if !atFront { appendFill(fill.data, fillRange, missing, to: &output.data) }
                output.endRow(row, &errors, in: call)
            }
            return output.column(.text)
        }
    }

    /// `count` code points of a text over and over; none of an empty one.
    private static func appendFill(
        _ data: [UInt8], _ range: ValueRange, _ count: Int, to output: inout [UInt8]
    ) {
        guard range.count > 0 else { return }
        var index = range.lowerBound
        for _ in 0..<max(0, count) {
            let next = Text.next(data, index, end: range.upperBound)
            output.append(contentsOf: data[index..<next])
            index = next == range.upperBound ? range.lowerBound : next
        }
    }

    /// `overlay(text placing new from n [for count])`.
    static func overlay(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (input, news, starts) = (call.bytes(0), call.bytes(1), call.int64s(2))
        let counts = call.arguments.count == 4 ? call.int64s(3) : nil
        var output = TextOutput(rowCount: call.rowCount, capacity: input.data.count)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                output.endEmpty()
                continue
            }
            let (range, new) = (input.ranges[row], news.ranges[row])
            let (low, high) = (range.lowerBound, range.upperBound)
            let length = Text.count(news.data, new.lowerBound, new.upperBound)
            let rest = starts[row] + (counts?[row] ?? Int64(length))
            guard starts[row] > 0 else {
                errors.note(
                    row, .invalidArgument, "negative substring length not allowed", in: call)
                output.endEmpty()
                continue
            }
            let head = Text.index(input.data, low, high, after: Int(starts[row] - 1))
            output.append(input.data, low, head)
            output.append(news.data, new.lowerBound, new.upperBound)
            let tail = Text.index(input.data, low, high, after: Int(max(0, rest - 1)))
            output.append(input.data, tail, high)
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    static func repeated(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (input, counts) = (call.bytes(0), call.int64s(1))
        var output = TextOutput(rowCount: call.rowCount)
        for row in 0..<call.rowCount {
            let range = input.ranges[row]
            let count = Int(max(0, counts[row]))
            guard call.isWanted(row) else {
                output.endEmpty()
                continue
            }
            let (size, overflow) = range.count.multipliedReportingOverflow(by: count)
            guard !overflow, output.hasRoom(for: size) else {
                output.failRow(row, &errors, in: call)
                continue
            }
            if size > 0 {
                for _ in 0..<count {
                    output.append(input.data, range.lowerBound, range.upperBound)
                }
            }
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    static func reverse(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let input = call.bytes(0)
        var output = TextOutput(rowCount: call.rowCount, capacity: input.data.count)
        for row in 0..<call.rowCount {
            let range = input.ranges[row]
            var end = range.upperBound
            while end > range.lowerBound {
                let start = Text.previous(input.data, end, start: range.lowerBound)
                output.append(input.data, start, end)
                end = start
            }
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    static func character(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let codes = call.int64s(0)
        var output = TextOutput(rowCount: call.rowCount, capacity: call.rowCount)
        for row in 0..<call.rowCount {
            let code = call.isWanted(row) ? codes[row] : 32
            guard code > 0, code <= 0x10FFFF, Unicode.Scalar(UInt32(code)) != nil else {
                errors.note(
                    row, .invalidArgument, "\(code) is no character code", in: call)
                output.endEmpty()
                continue
            }
            Text.append(UInt32(code), to: &output.data)
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    /// `translate(text, from, to)`: each code point of `from` becomes the one of `to` at its place,
    /// or goes.
    static func translate(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (input, from, to) = (call.bytes(0), call.bytes(1), call.bytes(2))
        let isConstant = call.constants[1] != nil && call.constants[2] != nil
        var table: [UInt32: UInt32] = [:]
        var isFilled = false
        var output = TextOutput(rowCount: call.rowCount, capacity: input.data.count)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                output.endEmpty()
                continue
            }
            if !isFilled || !isConstant {
                table = translation(from, to, row)
                isFilled = true
            }
            let range = input.ranges[row]
            var index = range.lowerBound
            while index < range.upperBound {
                let (scalar, next) = Text.scalar(input.data, index, end: range.upperBound)
                let mapped = table[scalar] ?? scalar
                if mapped != removed { Text.append(mapped, to: &output.data) }
                index = next
            }
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    /// No code point.
    private static let removed = UInt32.max

    private static func translation(
        _ from: ByteColumn, _ to: ByteColumn, _ row: Int
    ) -> [UInt32: UInt32] {
        let targets = scalars(to, row)
        var table: [UInt32: UInt32] = [:]
        for (position, scalar) in scalars(from, row).enumerated() where table[scalar] == nil {
            table[scalar] = position < targets.count ? targets[position] : removed
        }
        return table
    }

    private static func scalars(_ column: ByteColumn, _ row: Int) -> [UInt32] {
        let range = column.ranges[row]
        var result: [UInt32] = []
        var index = range.lowerBound
        while index < range.upperBound {
            let (scalar, next) = Text.scalar(column.data, index, end: range.upperBound)
            result.append(scalar)
            index = next
        }
        return result
    }
}
