// to_char of numbers: PostgreSQL's picture language, walked place by place as its formatting.c does
// (NUM_processor), for the finer rules of blanks and signs stand nowhere else.

import Columns
import Contracts
import Glibc
import Types

/// A numeric pattern.
struct ToCharNumberPattern {
    enum Part: Equatable {
        case nine, zero, point, comma, minus, plus, sign, currency
        case ordinal(isUpper: Bool)
        case roman(isUpper: Bool)
        case literal([UInt8])
        /// S, PR, V, FM: they say what the number is like, not where.
        case mark
    }

    enum LeadingSign { case none, before, after }

    private(set) var parts: [Part] = []
    /// Places before and behind the point; behind a V.
    private(set) var before = 0
    private(set) var behind = 0
    private(set) var shift = 0
    private(set) var fills = true
    private(set) var hasPoint = false
    private(set) var hasShift = false
    private(set) var hasZero = false
    private(set) var zeroStart = 0
    private(set) var zeroEnd = 0
    private(set) var hasSign = false
    private(set) var signPlace = LeadingSign.none
    private var signBefore = 0
    private(set) var hasPlus = false
    private(set) var hasMinus = false
    private(set) var hasBracket = false
    private(set) var isRoman = false

    struct Refusal: Error { let message: String }

    init(_ pattern: some Collection<UInt8>) throws(Refusal) {
        let text = Array(pattern)
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "\"") {
                readQuoted(text, &index)
                continue
            }
            guard let (length, keyword) = Self.keyword(text, index) else {
                if text[index] == UInt8(ascii: "\\"), index + 1 < text.count { index += 1 }
                let start = index
                index = Text.next(text, index, end: text.count)
                parts.append(.literal(Array(text[start..<index])))
                continue
            }
            try add(keyword, text[index])
            index += length
        }
        // A leading S directly before the end of the places is a trailing one.
        if signPlace == .before, before == signBefore { signPlace = .after }
        if zeroStart > 0 { zeroStart -= 1 }
    }

    /// Fewer places behind the point than the pattern asks: a double has no more digits.
    mutating func limit(behind places: Int) { behind = min(behind, places) }

    private mutating func readQuoted(_ text: [UInt8], _ index: inout Int) {
        index += 1
        var bytes: [UInt8] = []
        while index < text.count, text[index] != UInt8(ascii: "\"") {
            if text[index] == UInt8(ascii: "\\"), index + 1 < text.count { index += 1 }
            bytes.append(text[index])
            index += 1
        }
        index += 1
        parts.append(.literal(bytes))
    }

    private static let keywords: [(name: String, bytes: [UInt8])] = [
        "eeee", "fm", "mi", "pl", "pr", "rn", "sg", "th", "9", "0", ".", ",", "d", "g", "l", "s",
        "v",
    ].map { ($0, Array($0.utf8)) }

    private static func keyword(_ text: [UInt8], _ index: Int) -> (Int, String)? {
        for (name, bytes) in keywords where index + bytes.count <= text.count {
            let isSame = bytes.indices.allSatisfy { offset in
                let byte = text[index + offset]
                return (byte &- 65 < 26 ? byte | 0x20 : byte) == bytes[offset]
            }
            if isSame { return (bytes.count, name) }
        }
        return nil
    }

    private mutating func add(_ keyword: String, _ first: UInt8) throws(Refusal) {
        switch keyword {
        case "9":
            if hasBracket { throw Refusal(message: "\"9\" must be ahead of \"PR\"") }
            if hasShift { shift += 1 } else if hasPoint { behind += 1 } else { before += 1 }
            parts.append(.nine)
        case "0":
            if hasBracket { throw Refusal(message: "\"0\" must be ahead of \"PR\"") }
            if !hasZero, !hasPoint {
                hasZero = true
                zeroStart = before + 1
            }
            if hasPoint { behind += 1 } else { before += 1 }
            zeroEnd = before + behind
            parts.append(.zero)
        case ".", "d":
            if hasPoint { throw Refusal(message: "multiple decimal points") }
            if hasShift { throw Refusal(message: "\"V\" and decimal point together") }
            hasPoint = true
            parts.append(.point)
        case ",", "g": parts.append(.comma)
        case "fm":
            fills = false
            parts.append(.mark)
        case "l": parts.append(.currency)
        case "v":
            if hasPoint { throw Refusal(message: "\"V\" and decimal point together") }
            hasShift = true
            parts.append(.mark)
        case "th": parts.append(.ordinal(isUpper: first == UInt8(ascii: "T")))
        case "rn":
            isRoman = true
            parts.append(.roman(isUpper: first == UInt8(ascii: "R")))
        case "eeee": throw Refusal(message: "to_char with EEEE is not supported")
        default: try addSign(keyword)
        }
    }

    private mutating func addSign(_ keyword: String) throws(Refusal) {
        if hasSign || (keyword == "s" && (hasPlus || hasMinus || hasBracket)) {
            throw Refusal(message: "\"S\" and another sign, or two of them, together")
        }
        switch keyword {
        case "s":
            hasSign = true
            signPlace = hasPoint ? .after : .before
            signBefore = before
            parts.append(.mark)
        case "mi":
            hasMinus = true
            parts.append(.minus)
        case "pl":
            hasPlus = true
            parts.append(.plus)
        case "sg":
            hasMinus = true
            hasPlus = true
            parts.append(.sign)
        default:
            if hasPlus || hasMinus { throw Refusal(message: "\"PR\" and another sign together") }
            hasBracket = true
            parts.append(.mark)
        }
    }
}

/// One number being written.
private struct ToCharNumberWriter {
    let pattern: ToCharNumberPattern
    /// Digits with the point, without the sign.
    let number: [UInt8]
    let isNegative: Bool
    /// Places of the pattern before the number's first digit.
    let blankCount: Int
    private var placeCount: Int
    private var needsSign = true
    private var hasBracket: Bool
    /// With FM: the last digit that shows.
    private var lastRelevant: Int?
    private var hasDigit = false
    private var place = 0
    private var next = 0

    init(_ pattern: ToCharNumberPattern, number: [UInt8], isNegative: Bool, blankCount: Int) {
        self.pattern = pattern
        self.number = number
        self.isNegative = isNegative
        self.blankCount = blankCount
        hasBracket = pattern.hasBracket
        if pattern.hasPlus || pattern.hasMinus {
            needsSign = pattern.hasPlus && !pattern.hasMinus
        } else {
            if !isNegative, !pattern.fills { hasBracket = false }
            needsSign = isNegative || pattern.fills || pattern.hasSign
        }
        placeCount = pattern.behind + pattern.before + pattern.shift - 1
        if !pattern.fills, pattern.hasPoint {
            lastRelevant = Self.lastRelevant(number)
            if let last = lastRelevant, pattern.zeroEnd > blankCount {
                let lastZero = min(number.count - 1, pattern.zeroEnd - blankCount)
                if last < lastZero { lastRelevant = lastZero }
            }
        }
        if needsSign, blankCount == 0 { placeCount += 1 }
    }

    private static func lastRelevant(_ number: [UInt8]) -> Int? {
        guard let point = number.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        return number.indices.last { $0 > point && number[$0] != 48 } ?? point
    }

    private var pointIsLast: Bool {
        lastRelevant.map { number[$0] == UInt8(ascii: ".") } ?? false
    }

    /// `9.9` of 0.1: the zero before the point is a blank.
    private var isBlankZero: Bool {
        !pattern.hasZero && next == 0 && number.first == 48 && pattern.behind != 0
    }

    mutating func write(to output: inout [UInt8]) {
        for part in pattern.parts {
            switch part {
            case .nine, .zero, .point: writePlace(part, to: &output)
            case .comma:
                if hasDigit {
                    output.append(UInt8(ascii: ","))
                } else if pattern.fills {
                    output.append(32)
                }
            case .minus: writeSign(isNegative, UInt8(ascii: "-"), to: &output)
            case .plus: writeSign(!isNegative, UInt8(ascii: "+"), to: &output)
            case .sign: output.append(UInt8(ascii: isNegative ? "-" : "+"))
            case .currency: output.append(32)
            case .ordinal(let isUpper):
                if number.first != UInt8(ascii: "#"), !isNegative, !pattern.hasPoint {
                    let text = ToChar.ordinal(number)
                    output.append(contentsOf: (isUpper ? text.uppercased() : text).utf8)
                }
            case .literal(let bytes): output.append(contentsOf: bytes)
            case .mark, .roman: break
            }
        }
    }

    private func writeSign(_ isShown: Bool, _ sign: UInt8, to output: inout [UInt8]) {
        if isShown { output.append(sign) } else if pattern.fills { output.append(32) }
    }

    private mutating func writePlace(
        _ part: ToCharNumberPattern.Part, to output: inout [UInt8]
    ) {
        if needsSign,
            place >= blankCount || (pattern.hasZero && pattern.zeroStart == place),
            !isBlankZero || pointIsLast
        {
            writeLeadingSign(to: &output)
        }
        if place < blankCount, !pattern.hasZero || pattern.zeroStart > place {
            if pattern.fills { output.append(32) }
        } else if place < blankCount {
            output.append(48)
            hasDigit = true
        } else {
            writeDigit(part, to: &output)
            if next < number.count { next += 1 }
        }
        var end = placeCount + (blankCount > 0 ? 1 : 0) + (pattern.hasPoint ? 1 : 0)
        if let lastRelevant, lastRelevant == next { end = place }
        if place + 1 == end { writeTrailingSign(to: &output) }
        place += 1
    }

    private mutating func writeDigit(
        _ part: ToCharNumberPattern.Part, to output: inout [UInt8]
    ) {
        guard next < number.count else { return }
        if number[next] == UInt8(ascii: ".") {
            output.append(UInt8(ascii: "."))
        } else if let lastRelevant, next > lastRelevant, part != .zero {
            return
        } else if isBlankZero {
            if pattern.fills {
                output.append(32)
            } else if pointIsLast {
                output.append(48)
            }
        } else {
            output.append(number[next])
            hasDigit = true
        }
    }

    private mutating func writeLeadingSign(to output: inout [UInt8]) {
        if pattern.hasSign {
            guard pattern.signPlace == .before else { return }
            output.append(UInt8(ascii: isNegative ? "-" : "+"))
        } else if hasBracket {
            output.append(isNegative ? UInt8(ascii: "<") : 32)
        } else if isNegative {
            output.append(UInt8(ascii: "-"))
        } else if pattern.fills {
            output.append(32)
        }
        needsSign = false
    }

    private func writeTrailingSign(to output: inout [UInt8]) {
        if !needsSign, hasBracket {
            output.append(isNegative ? UInt8(ascii: ">") : 32)
        } else if pattern.hasSign, pattern.signPlace == .after {
            output.append(UInt8(ascii: isNegative ? "-" : "+"))
        }
    }
}

extension ToChar {
    static func number(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let patterns = call.bytes(1)
        let column = call.arguments[0]
        var prepared: ToCharNumberPattern?
        let isConstant = call.constants[1] != nil
        var output = TextOutput(rowCount: call.rowCount)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                output.endEmpty()
                continue
            }
            do throws(ToCharNumberPattern.Refusal) {
                let pattern: ToCharNumberPattern
                if isConstant, let prepared {
                    pattern = prepared
                } else {
                    pattern = try ToCharNumberPattern(patterns[row])
                    prepared = pattern
                }
                append(column, row, pattern, to: &output.data)
                output.endRow(row, &errors, in: call)
            } catch {
                errors.note(row, .invalidArgument, error.message, in: call)
                output.endEmpty()
            }
        }
        return output.column(.text)
    }

    private static func append(
        _ column: Column, _ row: Int, _ pattern: ToCharNumberPattern, to output: inout [UInt8]
    ) {
        if pattern.isRoman { return appendRoman(column, row, pattern, to: &output) }
        var pattern = pattern
        var digits: [UInt8] = []
        switch column.values {
        case .int64(let values):
            digits = decimal(Int128(values[row]), scale: 0, pattern)
        case .int128(let values):
            digits = decimal(values[row], scale: column.type.scale, pattern)
        case .float64(let values): digits = decimal(values[row], &pattern)
        default: bug("to_char of \(column.type)")
        }
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits.removeFirst() }
        let width = pattern.before + pattern.shift
        let wholeCount = digits.firstIndex(of: UInt8(ascii: ".")) ?? digits.count
        if wholeCount > width {
            digits = Array(repeating: UInt8(ascii: "#"), count: width + pattern.behind + 1)
            digits[width] = UInt8(ascii: ".")
        }
        var writer = ToCharNumberWriter(
            pattern, number: digits, isNegative: isNegative,
            blankCount: max(0, width - wholeCount))
        writer.write(to: &output)
    }

    /// The digits at the pattern's scale, half away from zero; overflow has too many.
    private static func decimal(
        _ value: Int128, scale: Int, _ pattern: ToCharNumberPattern
    ) -> [UInt8] {
        var output: [UInt8] = []
        let target = pattern.behind
        let shifted = max(0, scale - pattern.shift)
        var unscaled = value
        if scale < pattern.shift {
            guard let scaled = Numeric.rescale(value, from: scale, to: pattern.shift) else {
                return Array(repeating: 57, count: 40)
            }
            unscaled = scaled
        }
        if target > shifted {
            NumberText.append(unscaled, scale: shifted, to: &output)
            if shifted == 0 { output.append(UInt8(ascii: ".")) }
            output.append(contentsOf: repeatElement(48, count: target - shifted))
        } else if let rounded = Numeric.rescale(unscaled, from: shifted, to: target) {
            NumberText.append(rounded, scale: target, to: &output)
        }
        return output
    }

    /// A double as C's printf writes it; with at most 15 digits, as PostgreSQL.
    private static func decimal(
        _ value: Double, _ pattern: inout ToCharNumberPattern
    ) -> [UInt8] {
        let scaled = value * pow(10, Double(pattern.shift))
        guard scaled.isFinite else { return Array(repeating: UInt8(ascii: "9"), count: 400) }
        pattern.limit(behind: max(0, 15 - printed(scaled.magnitude, 0).count))
        return printed(scaled, pattern.behind)
    }

    private static func printed(_ value: Double, _ places: Int) -> [UInt8] {
        // SAFETY: the longest double has 309 digits before the point, and at most 15 follow.
        unsafe [UInt8](unsafeUninitializedCapacity: 400) { buffer, count in
            let length = unsafe withVaList([Int32(places), value]) { list in
                unsafe vsnprintf(
                    UnsafeMutableRawPointer(buffer.baseAddress)?
                        .assumingMemoryBound(to: CChar.self), 400, "%.*f", list)
            }
            count = max(0, min(399, Int(length)))
        }
    }

    /// RN: 1 … 3999, else fifteen `#`.
    private static func appendRoman(
        _ column: Column, _ row: Int, _ pattern: ToCharNumberPattern, to output: inout [UInt8]
    ) {
        var value: Int128 = 0
        switch column.values {
        case .int64(let values): value = Int128(values[row])
        case .int128(let values):
            value = Numeric.rescale(values[row], from: column.type.scale, to: 0) ?? 0
        case .float64(let values):
            value = Int128(exactly: values[row].rounded(.toNearestOrEven)) ?? 0
        default: break
        }
        var text = String(repeating: "#", count: 15)
        if value >= 1, value <= 3999 { text = roman(Int(value)) }
        let isUpper = pattern.parts.contains(.roman(isUpper: true))
        let padding = pattern.fills ? max(0, 15 - text.utf8.count) : 0
        output.append(contentsOf: repeatElement(32, count: padding))
        output.append(contentsOf: (isUpper ? text : text.lowercased()).utf8)
    }

    private static func roman(_ value: Int) -> String {
        let symbols = [
            (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
            (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
        ]
        var rest = value
        var text = ""
        for (size, symbol) in symbols {
            while rest >= size {
                text += symbol
                rest -= size
            }
        }
        return text
    }
}
