// Kernels of regular expressions. A constant pattern is looked up once a batch, others are kept
// for the batch.

import Columns
import Contracts
import Types

/// The pattern of each row of one call.
private struct RowPatterns {
    private let call: KernelCall
    private let patterns: ByteColumn
    private let flags: ByteColumn?
    private let baseOptions: RegularExpression.Options
    private let isConstant: Bool
    private var last: RegularExpression?
    private var lastFlags: ArraySlice<UInt8> = []
    private var lastRow = 0
    /// Whether the row's flags hold a `g`, and whether that is allowed.
    private(set) var isGlobal = false
    private let allowsGlobal: Bool

    init(
        _ call: KernelCall, flagsArgument: Int? = nil, allowsGlobal: Bool = false,
        options: RegularExpression.Options = .init()
    ) {
        self.call = call
        self.allowsGlobal = allowsGlobal
        patterns = call.bytes(1)
        let hasFlags = flagsArgument.map { $0 < call.arguments.count } ?? false
        flags = hasFlags ? flagsArgument.map(call.bytes) : nil
        isConstant =
            call.constants[1] != nil
            && (!hasFlags || (flagsArgument.map { call.constants[$0] != nil } ?? true))
        baseOptions = options
    }

    /// The row's pattern; nil after an error was noted.
    mutating func expression(_ row: Int, _ errors: inout RowErrors) -> RegularExpression? {
        let rowFlags = flags?[row] ?? []
        if let last, isConstant || isSameAsLast(row, rowFlags) { return last }
        last = nil
        isGlobal = false
        var options: RegularExpression.Options? = baseOptions
        if flags != nil {
            isGlobal = allowsGlobal && rowFlags.contains(UInt8(ascii: "g"))
            options = RegularExpression.Options(
                flags: rowFlags.filter { !allowsGlobal || $0 != UInt8(ascii: "g") })
        }
        guard let options else {
            let shown = String(decoding: rowFlags, as: UTF8.self)
            errors.note(
                row, .invalidArgument, "invalid regular expression flags \"\(shown)\"", in: call)
            return nil
        }
        do {
            let found = try RegularExpression.compiled(Array(patterns[row]), options)
            last = found
            lastFlags = rowFlags
            lastRow = row
            return found
        } catch {
            errors.note(row, .invalidArgument, error.message, in: call)
            return nil
        }
    }

    private func isSameAsLast(_ row: Int, _ rowFlags: ArraySlice<UInt8>) -> Bool {
        rowFlags == lastFlags
            && bytesEqual(
                patterns.data, patterns.ranges[row], patterns.data, patterns.ranges[lastRow])
    }
}

enum RegularExpressions {
    private static func noteLimit(_ row: Int, _ call: KernelCall, _ errors: inout RowErrors) {
        errors.note(
            row, .limit, "the regular expression takes too many steps on this text", in: call)
    }

    /// `text ~ pattern`, `~*`, `regexp_like(text, pattern [, flags])`.
    static func test(ignoresCase: Bool) -> Function.Kernel {
        { call, errors in
            var options = RegularExpression.Options()
            options.isCaseInsensitive = ignoresCase
            var patterns = RowPatterns(call, flagsArgument: 2, options: options)
            var matcher = RegularExpressionMatcher(groupCount: 0)
            let input = call.bytes(0)
            let data = input.data
            var answers = Array(repeating: false, count: call.rowCount)
            for row in 0..<call.rowCount where call.isWanted(row) {
                guard let expression = patterns.expression(row, &errors) else { continue }
                let range = input.ranges[row]
                switch matcher.match(expression, data, range, from: range.lowerBound) {
                case .found: answers[row] = true
                case .absent: break
                case .limit: noteLimit(row, call, &errors)
                }
            }
            return Column(.boolean, .bool(answers))
        }
    }

    /// A call with a start: its index in the text, nil behind the end. From 1, in code points.
    private static func start(
        _ call: KernelCall, _ argument: Int, _ row: Int, _ data: [UInt8], _ range: ValueRange,
        _ errors: inout RowErrors
    ) -> Int? {
        guard argument < call.arguments.count else { return range.lowerBound }
        let number = call.int64s(argument)[row]
        guard number > 0 else {
            errors.note(
                row, .invalidArgument, "invalid value for parameter start: \(number)", in: call)
            return nil
        }
        let length = Text.count(data, range.lowerBound, range.upperBound)
        guard number <= length + 1 else { return nil }
        return Text.index(data, range.lowerBound, range.upperBound, after: Int(number - 1))
    }

    /// Where the search goes on after a match: behind it, one code point further if it was empty.
    private static func next(
        _ found: Range<Int>, _ data: [UInt8], _ range: ValueRange
    ) -> Int? {
        let end = range.lowerBound + found.upperBound
        guard found.isEmpty else { return end }
        return end < range.upperBound ? Text.next(data, end, end: range.upperBound) : nil
    }

    /// `regexp_count(text, pattern [, start [, flags]])`.
    static func count(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        var patterns = RowPatterns(call, flagsArgument: 3)
        var matcher = RegularExpressionMatcher(groupCount: 0)
        let input = call.bytes(0)
        let data = input.data
        var counts = Array(repeating: Int64(0), count: call.rowCount)
        for row in 0..<call.rowCount where call.isWanted(row) {
            guard let expression = patterns.expression(row, &errors) else { continue }
            let range = input.ranges[row]
            var from = start(call, 2, row, data, range, &errors)
            while let index = from {
                let outcome = matcher.match(expression, data, range, from: index)
                if outcome == .limit { noteLimit(row, call, &errors) }
                guard outcome == .found, let found = matcher.group(0) else { break }
                counts[row] += 1
                from = next(found, data, range)
            }
        }
        return Column(.integer, .int64(counts))
    }

    /// Finds the n-th match of a row from its start on; the matcher then holds it.
    private static func find(
        _ matcher: inout RegularExpressionMatcher, _ expression: RegularExpression,
        _ data: [UInt8], _ range: ValueRange, from start: Int, number: Int64
    ) -> RegularExpressionMatcher.Outcome {
        var index = start
        var rest = number
        while true {
            let outcome = matcher.match(expression, data, range, from: index)
            guard outcome == .found, let found = matcher.group(0) else { return outcome }
            rest -= 1
            if rest == 0 { return .found }
            guard let next = next(found, data, range) else { return .absent }
            index = next
        }
    }

    /// `substring(text from pattern)`: the first group, or the whole match. A part of the
    /// argument's buffer; NULL without a match.
    static func substring(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        var patterns = RowPatterns(call)
        return part(call, &patterns, startArgument: .max, numberArgument: .max, &errors) {
            $0.groupCount > 0 ? 1 : 0
        }
    }

    /// `regexp_substr(text, pattern [, start [, n [, flags [, group]]]])`.
    static func substr(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        var patterns = RowPatterns(call, flagsArgument: 4)
        let groups = call.arguments.count > 5 ? call.int64s(5) : nil
        if let groups {
            for row in 0..<call.rowCount where groups[row] < 0 && call.isWanted(row) {
                errors.note(
                    row, .invalidArgument, "invalid value for parameter subexpr: \(groups[row])",
                    in: call)
            }
        }
        return part(call, &patterns, startArgument: 2, numberArgument: 3, &errors) { _ in 0 }
    }

    private static func part(
        _ call: KernelCall, _ patterns: inout RowPatterns, startArgument: Int,
        numberArgument: Int, _ errors: inout RowErrors, group: (RegularExpression) -> Int
    ) -> Column {
        var matcher = RegularExpressionMatcher(groupCount: 1)
        let input = call.bytes(0)
        let data = input.data
        let numbers = numberArgument < call.arguments.count ? call.int64s(numberArgument) : nil
        let groups = call.arguments.count > 5 ? call.int64s(5) : nil
        var ranges = Array(repeating: ValueRange(start: 0, length: 0), count: call.rowCount)
        var validity = Array(repeating: false, count: call.rowCount)
        for row in 0..<call.rowCount where call.isWanted(row) {
            guard let expression = patterns.expression(row, &errors) else { continue }
            let range = input.ranges[row]
            let number = numbers?[row] ?? 1
            guard number > 0 else {
                errors.note(
                    row, .invalidArgument, "invalid value for parameter n: \(number)", in: call)
                continue
            }
            guard let from = start(call, startArgument, row, data, range, &errors) else { continue }
            let outcome = find(&matcher, expression, data, range, from: from, number: number)
            if outcome == .limit { noteLimit(row, call, &errors) }
            let wanted = groups.map { Int($0[row]) } ?? group(expression)
            guard outcome == .found, wanted >= 0, wanted <= expression.groupCount,
                let found = matcher.group(wanted)
            else { continue }
            ranges[row] = ValueRange(
                start: range.lowerBound + found.lowerBound, length: found.count)
            validity[row] = true
        }
        return Column(
            .text, .bytes(ByteColumn(ranges: ranges, data: data)), validity: validity)
    }

    /// `regexp_match(text, pattern [, flags])`: the groups of the first match, or the whole match.
    static func match(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        var patterns = RowPatterns(call, flagsArgument: 2)
        var matcher = RegularExpressionMatcher(groupCount: 1)
        let input = call.bytes(0)
        let data = input.data
        var lists: [ValueRange] = []
        var validity = Array(repeating: false, count: call.rowCount)
        var ranges: [ValueRange] = []
        var present: [Bool] = []
        for row in 0..<call.rowCount {
            let first = ranges.count
            if call.isWanted(row), let expression = patterns.expression(row, &errors) {
                let range = input.ranges[row]
                let outcome = matcher.match(expression, data, range, from: range.lowerBound)
                if outcome == .limit { noteLimit(row, call, &errors) }
                if outcome == .found {
                    validity[row] = true
                    let groups = expression.groupCount
                    for group in groups == 0 ? 0...0 : 1...groups {
                        let found = matcher.group(group)
                        present.append(found != nil)
                        ranges.append(
                            ValueRange(
                                start: range.lowerBound + (found?.lowerBound ?? 0),
                                length: found?.count ?? 0))
                    }
                }
            }
            lists.append(ValueRange(start: first, length: ranges.count - first))
        }
        let element = Column(
            .text, .bytes(ByteColumn(ranges: ranges, data: data)), validity: present)
        return Column(
            .array(.text), .list(ListColumn(ranges: lists, element: element)), validity: validity)
    }

    /// `regexp_split_to_array(text, pattern [, flags])`: empty matches at an end, or right behind
    /// the last match, split nothing.
    static func split(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        var patterns = RowPatterns(call, flagsArgument: 2)
        var matcher = RegularExpressionMatcher(groupCount: 0)
        let input = call.bytes(0)
        let data = input.data
        var lists: [ValueRange] = []
        var ranges: [ValueRange] = []
        for row in 0..<call.rowCount {
            let first = ranges.count
            if call.isWanted(row), let expression = patterns.expression(row, &errors) {
                let range = input.ranges[row]
                var partStart = range.lowerBound
                var from: Int? = range.lowerBound
                while let index = from {
                    let outcome = matcher.match(expression, data, range, from: index)
                    if outcome == .limit { noteLimit(row, call, &errors) }
                    guard outcome == .found, let found = matcher.group(0) else { break }
                    let start = range.lowerBound + found.lowerBound
                    let isIdle = found.isEmpty && (start == partStart || start == range.upperBound)
                    if !isIdle {
                        ranges.append(ValueRange(start: partStart, length: start - partStart))
                        partStart = range.lowerBound + found.upperBound
                    }
                    from = next(found, data, range)
                }
                ranges.append(ValueRange(start: partStart, length: range.upperBound - partStart))
            }
            lists.append(ValueRange(start: first, length: ranges.count - first))
        }
        let element = Column(.text, .bytes(ByteColumn(ranges: ranges, data: data)))
        return Column(.array(.text), .list(ListColumn(ranges: lists, element: element)))
    }

    /// `regexp_replace(text, pattern, replacement [, flags])`, or with `start [, n [, flags]]`.
    static func replace(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let hasStart = call.arguments.count > 3 && call.arguments[3].type == .integer
        var patterns = RowPatterns(
            call, flagsArgument: hasStart ? 5 : 3, allowsGlobal: true)
        let numbers = hasStart && call.arguments.count > 4 ? call.int64s(4) : nil
        var matcher = RegularExpressionMatcher(groupCount: 9)
        let input = call.bytes(0)
        let replacements = call.bytes(2)
        var output = TextOutput(rowCount: call.rowCount, capacity: input.data.count)
        for row in 0..<call.rowCount {
            guard call.isWanted(row), let expression = patterns.expression(row, &errors) else {
                output.endEmpty()
                continue
            }
            let range = input.ranges[row]
            var from =
                hasStart ? start(call, 3, row, input.data, range, &errors) : range.lowerBound
            var copied = range.lowerBound
            // Without a number: the first match, or all with the flag g; number 0: all.
            var skipped = max(1, numbers?[row] ?? 1) - 1
            let isGlobal = numbers.map { $0[row] == 0 } ?? patterns.isGlobal
            if let numbers, numbers[row] < 0 {
                errors.note(
                    row, .invalidArgument, "invalid value for parameter n: \(numbers[row])",
                    in: call)
            }
            var fits = true
            while let index = from {
                let outcome = matcher.match(expression, input.data, range, from: index)
                if outcome == .limit { noteLimit(row, call, &errors) }
                guard outcome == .found, let found = matcher.group(0) else { break }
                from = next(found, input.data, range)
                if skipped > 0 {
                    skipped -= 1
                    continue
                }
                output.append(input.data, copied, range.lowerBound + found.lowerBound)
                append(replacements[row], matcher, input.data, range, to: &output)
                copied = range.lowerBound + found.upperBound
                fits = output.hasRoom(for: 0)
                if !isGlobal || !fits { break }
            }
            guard fits else {
                output.failRow(row, &errors, in: call)
                continue
            }
            output.append(input.data, copied, range.upperBound)
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    /// The replacement with `\1` … `\9` and `\&` filled in.
    private static func append(
        _ replacement: ArraySlice<UInt8>, _ matcher: borrowing RegularExpressionMatcher,
        _ data: [UInt8], _ range: ValueRange, to output: inout TextOutput
    ) {
        let backslash = UInt8(ascii: "\\")
        var index = replacement.startIndex
        while index < replacement.endIndex {
            let byte = replacement[index]
            index += 1
            guard byte == backslash, index < replacement.endIndex else {
                output.append(byte)
                continue
            }
            let code = replacement[index]
            if code == backslash {
                output.append(backslash)
                index += 1
            } else if code == UInt8(ascii: "&") || (code >= 0x31 && code <= 0x39) {
                let group = code == UInt8(ascii: "&") ? 0 : Int(code - 0x30)
                if let found = matcher.group(group) {
                    output.append(
                        data, range.lowerBound + found.lowerBound,
                        range.lowerBound + found.upperBound)
                }
                index += 1
            } else {
                output.append(backslash)
            }
        }
    }
}
