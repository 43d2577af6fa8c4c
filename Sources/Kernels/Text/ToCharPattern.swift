// The patterns of to_char, to_timestamp and to_date for times, read once a batch.

/// A pattern as a row of parts.
struct ToCharPattern {
    enum Part {
        case field(Field, Style)
        /// Text to copy; `isQuoted` where it stood in double quotes or behind a backslash.
        case literal([UInt8], isQuoted: Bool)
    }

    struct Style {
        /// `FM`: no padding.
        var fills = true
        /// `TH`, `th`: the ordinal's letters.
        var ordinal: Ordinal?
        /// How the pattern's letters are written: `MONTH`, `Month`, `month`.
        var letters = Letters.capitalized
    }

    enum Ordinal { case upper, lower }
    enum Letters { case upper, capitalized, lower }

    enum Field: Equatable {
        case hour24, hour12, minute, second, millisecond, microsecond
        case fraction(Int)
        case secondOfDay
        case halfDay(dotted: Bool)
        case yearWithComma
        case year(digits: Int)
        case isoYear(digits: Int)
        case era(dotted: Bool)
        case monthName, monthShort, month, monthRoman
        case dayName, dayShort, dayOfYear, isoDayOfYear, day, dayOfWeek, isoDayOfWeek
        case weekOfMonth, weekOfYear, isoWeek, century, julian, quarter
        case zoneName, zoneHours, zoneMinutes, zoneOffset

        /// Whether its value is written in digits.
        var isNumber: Bool {
            switch self {
            case .halfDay, .era, .monthName, .monthShort, .monthRoman, .dayName, .dayShort,
                .zoneName, .zoneHours, .zoneMinutes, .zoneOffset:
                false
            default: true
            }
        }
    }

    private(set) var parts: [Part] = []

    init(_ pattern: some Collection<UInt8>) {
        let text = Array(pattern)
        var index = 0
        while index < text.count {
            if let part = readField(text, &index) {
                parts.append(part)
            } else if text[index] == UInt8(ascii: "\"") {
                readQuoted(text, &index)
            } else {
                if text[index] == UInt8(ascii: "\\"), index + 1 < text.count,
                    text[index + 1] == UInt8(ascii: "\"")
                {
                    index += 1
                }
                let start = index
                index = Text.next(text, index, end: text.count)
                parts.append(.literal(Array(text[start..<index]), isQuoted: false))
            }
        }
    }

    private mutating func readQuoted(_ text: [UInt8], _ index: inout Int) {
        index += 1
        while index < text.count, text[index] != UInt8(ascii: "\"") {
            if text[index] == UInt8(ascii: "\\"), index + 1 < text.count { index += 1 }
            let start = index
            index = Text.next(text, index, end: text.count)
            parts.append(.literal(Array(text[start..<index]), isQuoted: true))
        }
        index += 1
    }

    /// A field with what stands before and behind it.
    private func readField(_ text: [UInt8], _ index: inout Int) -> Part? {
        var style = Style()
        var position = index
        while Self.hasPrefix(text, position, "FM") || Self.hasPrefix(text, position, "FX")
            || Self.hasPrefix(text, position, "fm") || Self.hasPrefix(text, position, "fx")
        {
            if text[position] | 0x20 == UInt8(ascii: "f"), text[position + 1] | 0x20 == 0x6D {
                style.fills = false
            }
            position += 2
        }
        for (name, field) in Self.keywords where Self.matches(text, position, name) {
            guard let letters = Self.letters(text, position, name) else { continue }
            style.letters = letters
            position += name.count
            if Self.hasPrefix(text, position, "TH") || Self.hasPrefix(text, position, "th") {
                style.ordinal = text[position] == UInt8(ascii: "T") ? .upper : .lower
                position += 2
            }
            index = position
            return .field(field, style)
        }
        if position > index {
            // A lone FM or FX is nothing.
            index = position
            return .literal([], isQuoted: true)
        }
        return nil
    }

    private static func hasPrefix(_ text: [UInt8], _ index: Int, _ word: StaticString) -> Bool {
        text[min(index, text.count)...].starts(with: word.description.utf8)
    }

    private static func matches(_ text: [UInt8], _ index: Int, _ name: [UInt8]) -> Bool {
        guard index + name.count <= text.count else { return false }
        for offset in name.indices {
            let byte = text[index + offset]
            let lowered = byte &- 65 < 26 ? byte | 0x20 : byte
            if lowered != name[offset] { return false }
        }
        return true
    }

    /// The letters' shape, if all is upper, all lower, or only the first upper.
    private static func letters(_ text: [UInt8], _ index: Int, _ name: [UInt8]) -> Letters? {
        let written = text[index..<index + name.count].filter { ($0 | 0x20) &- 97 < 26 }
        let uppers = written.filter { $0 < 97 }.count
        if uppers == written.count { return .upper }
        if uppers == 0 { return .lower }
        return uppers == 1 && written.first.map({ $0 < 97 }) ?? false ? .capitalized : nil
    }

    /// Longer words before their beginnings.
    private static let keywords: [([UInt8], Field)] = {
        let words: [(String, Field)] = [
            ("a.d.", .era(dotted: true)), ("b.c.", .era(dotted: true)),
            ("a.m.", .halfDay(dotted: true)), ("p.m.", .halfDay(dotted: true)),
            ("ad", .era(dotted: false)), ("bc", .era(dotted: false)),
            ("am", .halfDay(dotted: false)), ("pm", .halfDay(dotted: false)),
            ("cc", .century), ("day", .dayName), ("ddd", .dayOfYear), ("dd", .day),
            ("dy", .dayShort), ("d", .dayOfWeek), ("ff1", .fraction(1)), ("ff2", .fraction(2)),
            ("ff3", .fraction(3)), ("ff4", .fraction(4)), ("ff5", .fraction(5)),
            ("ff6", .fraction(6)), ("hh24", .hour24), ("hh12", .hour12), ("hh", .hour12),
            ("iddd", .isoDayOfYear), ("id", .isoDayOfWeek), ("iw", .isoWeek),
            ("iyyy", .isoYear(digits: 4)), ("iyy", .isoYear(digits: 3)),
            ("iy", .isoYear(digits: 2)), ("i", .isoYear(digits: 1)), ("j", .julian),
            ("mi", .minute), ("mm", .month), ("month", .monthName), ("mon", .monthShort),
            ("ms", .millisecond), ("of", .zoneOffset), ("q", .quarter), ("rm", .monthRoman),
            ("sssss", .secondOfDay), ("ssss", .secondOfDay), ("ss", .second),
            ("tzh", .zoneHours), ("tzm", .zoneMinutes), ("tz", .zoneName), ("us", .microsecond),
            ("ww", .weekOfYear), ("w", .weekOfMonth), ("y,yyy", .yearWithComma),
            ("yyyy", .year(digits: 4)), ("yyy", .year(digits: 3)), ("yy", .year(digits: 2)),
            ("y", .year(digits: 1)),
        ]
        return words.map { (Array($0.utf8), $1) }
    }()
}
