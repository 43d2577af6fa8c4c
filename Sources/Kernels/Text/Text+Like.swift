// LIKE: a pattern prepared once, then matched greedily with one point of return.
//
// A `%` matches the shortest text first; on a mismatch only the last `%` takes one more code point
// (an earlier one never has to: what it could still take, the last one can). So the time is at
// worst the product of the lengths, without recursion.

import Columns
import Contracts
import Types

/// A LIKE pattern; `\` escapes.
struct LikePattern {
    private enum Part: Equatable {
        case byte(UInt8)
        case any
        case run
        /// A `\` at the end: an error if the match comes to it.
        case dangling
    }

    /// The frequent shapes need no part by part.
    private enum Shape { case equals, prefix, suffix, inside, general }

    private var parts: [Part] = []
    private let literal: [UInt8]
    private let shape: Shape

    init(_ pattern: ArraySlice<UInt8>) {
        var index = pattern.startIndex
        while index < pattern.endIndex {
            switch pattern[index] {
            case UInt8(ascii: "%"):
                if parts.last != .run { parts.append(.run) }
            case UInt8(ascii: "_"):
                parts.append(.any)
            case UInt8(ascii: "\\"):
                index += 1
                parts.append(index < pattern.endIndex ? .byte(pattern[index]) : .dangling)
            case let byte: parts.append(.byte(byte))
            }
            index += 1
        }
        let body = parts.filter { $0 != .run }
        let bytes = body.compactMap { part in if case .byte(let byte) = part { byte } else { nil } }
        let runs = parts.count - body.count
        let (first, last) = (parts.first == .run, parts.last == .run)
        literal = bytes
        if bytes.count != body.count {
            shape = .general
        } else if runs == 0 {
            shape = .equals
        } else if runs == 1, last {
            shape = .prefix
        } else if runs == 1, first {
            shape = .suffix
        } else if runs == 2, first, last {
            shape = .inside
        } else {
            shape = .general
        }
    }

    /// nil: the pattern ends with an escape character, and the match came to it.
    func matches(_ data: [UInt8], _ range: ValueRange) -> Bool? {
        let count = literal.count
        switch shape {
        case .equals:
            return count == range.count && Text.matches(literal, 0, count, data, range.lowerBound)
        case .prefix:
            return count <= range.count && Text.matches(literal, 0, count, data, range.lowerBound)
        case .suffix:
            return count <= range.count
                && Text.matches(literal, 0, count, data, range.upperBound - count)
        case .inside:
            return Text.find(
                literal, 0, count, in: data, from: range.lowerBound, end: range.upperBound) != nil
        case .general: return matchesParts(data, range.lowerBound, range.upperBound)
        }
    }

    private func matchesParts(_ data: [UInt8], _ start: Int, _ end: Int) -> Bool? {
        var index = start
        var part = 0
        var returnPart = -1
        var returnIndex = start
        while true {
            if part < parts.count, parts[part] == .run {
                part += 1
                if part == parts.count { return true }
                returnPart = part
                returnIndex = index
                continue
            }
            if index == end {
                return part == parts.count
            }
            if part < parts.count {
                switch parts[part] {
                case .byte(let byte) where data[index] == byte:
                    index += 1
                    part += 1
                    continue
                case .any:
                    index = Text.next(data, index, end: end)
                    part += 1
                    continue
                case .dangling: return nil
                default: break
                }
            }
            guard returnPart >= 0 else { return false }
            returnIndex = Text.next(data, returnIndex, end: end)
            index = returnIndex
            part = returnPart
        }
    }

    // MARK: Kernels

    static func like(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        matched(call, call.bytes(0), call.bytes(1), &errors)
    }

    static func likeIgnoringCase(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        matched(
            call, TextCase.lower.mapped(call.bytes(0)), TextCase.lower.mapped(call.bytes(1)),
            &errors)
    }

    private static func matched(
        _ call: KernelCall, _ input: ByteColumn, _ patterns: ByteColumn, _ errors: inout RowErrors
    ) -> Column {
        let isConstant = call.constants[1] != nil
        let data = input.data
        var answers: [Bool] = []
        answers.reserveCapacity(call.rowCount)
        var prepared: LikePattern?
        for row in 0..<call.rowCount {
            let pattern = (isConstant ? prepared : nil) ?? LikePattern(patterns[row])
            prepared = pattern
            let answer = pattern.matches(data, input.ranges[row])
            if answer == nil, call.isWanted(row) {
                errors.note(
                    row, .invalidArgument, "LIKE pattern must not end with escape character",
                    in: call)
            }
            answers.append(answer ?? false)
        }
        return Column(.boolean, .bool(answers))
    }

    /// `like_escape(pattern, escape)`: the pattern with `\` as its escape character.
    static func withEscape(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (patterns, escapes) = (call.bytes(0), call.bytes(1))
        var output = TextOutput(rowCount: call.rowCount)
        for row in 0..<call.rowCount {
            let escape = escapes[row]
            guard Text.count(escapes.data, escape.startIndex, escape.endIndex) <= 1 else {
                if call.isWanted(row) {
                    errors.note(
                        row, .invalidArgument, "an escape text must be empty or one character",
                        in: call)
                }
                output.endEmpty()
                continue
            }
            appendEscaped(patterns.data, patterns.ranges[row], escape, to: &output.data)
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    private static func appendEscaped(
        _ data: [UInt8], _ range: ValueRange, _ escape: ArraySlice<UInt8>,
        to output: inout [UInt8]
    ) {
        let backslash = UInt8(ascii: "\\")
        var index = range.lowerBound
        var isAfterEscape = false
        while index < range.upperBound {
            let next = Text.next(data, index, end: range.upperBound)
            if !isAfterEscape, !escape.isEmpty, data[index..<next] == escape {
                output.append(backslash)
                isAfterEscape = true
            } else {
                if data[index] == backslash, !isAfterEscape { output.append(backslash) }
                output.append(contentsOf: data[index..<next])
                isAfterEscape = false
            }
            index = next
        }
    }
}
