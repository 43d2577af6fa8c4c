// to_timestamp and to_date: text read by a pattern.
//
// Blanks before a field are skipped; a separator of the pattern takes one separator of the text if
// there is one. A number has as many digits as there are, at most the field's own if another field
// follows directly. (PostgreSQL 15, "Data Type Formatting Functions", usage notes.)

import Columns
import Contracts
import Types

enum FromChar {
    static func timestamp(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        read(call, .timestamptz, &errors) { $0.timestamp }
    }

    /// A text without a zone is told by the clock of `zone`.
    static func timestampByClock(
        _ call: KernelCall, _ zone: TimeZoneRules, _ errors: inout RowErrors
    ) -> Column {
        read(call, .timestamptz, &errors) { fields in
            fields.hasZone ? fields.timestamp : fields.timestamp.flatMap(zone.utc(fromLocal:))
        }
    }

    static func date(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        read(call, .date, &errors) { $0.days }
    }

    private static func read(
        _ call: KernelCall, _ type: LogicalType, _ errors: inout RowErrors,
        _ value: (FromCharFields) -> Int64?
    ) -> Column {
        let (texts, patterns) = (call.bytes(0), call.bytes(1))
        let constant = call.constantBytes(1).map { ToCharPattern($0) }
        let values = TimeFunctions.rows(
            call, &errors, filler: Int64(0), "the text does not fit the pattern"
        ) { row in
            var fields = FromCharFields(texts.data, texts.ranges[row])
            guard fields.read(by: constant ?? ToCharPattern(patterns[row])) else { return nil }
            return value(fields)
        }
        return Column(type, .int64(values))
    }
}

/// The fields of one text.
struct FromCharFields {
    private let data: [UInt8]
    private let end: Int
    private var index: Int
    private var year: Int64?
    private var yearDigits = 4
    private var isoYear: Int64?
    private var month: Int64?
    private var day: Int64?
    private var dayOfYear: Int64?
    private var isoWeek: Int64?
    private var isoDay: Int64?
    private var weekOfYear: Int64?
    private var century: Int64?
    private var julianDay: Int64?
    private var hour: Int64 = 0
    private var hour12: Int64?
    private var minute: Int64 = 0
    private var second: Int64 = 0
    private var fraction: Int64 = 0
    private var secondOfDay: Int64?
    private var isAfternoon: Bool?
    private var isBeforeChrist = false
    private var zoneSign: Int64 = 1
    private var zoneSeconds: Int64 = 0
    private(set) var hasZone = false

    init(_ data: [UInt8], _ range: ValueRange) {
        self.data = data
        index = range.lowerBound
        end = range.upperBound
    }

    mutating func read(by pattern: ToCharPattern) -> Bool {
        let parts = pattern.parts
        for position in parts.indices {
            guard index < end else { return true }
            switch parts[position] {
            case .literal(let bytes, let isQuoted): skip(bytes, isQuoted: isQuoted)
            case .field(let field, let style):
                while index < end, isSpace(data[index]) { index += 1 }
                guard index < end else { return true }
                let isFixed = style.fills && isNumberNext(parts, position + 1)
                guard read(field, isFixed: isFixed) else { return false }
                if style.ordinal != nil { index = min(end, index + 2) }
            }
        }
        return true
    }

    private func isNumberNext(_ parts: [ToCharPattern.Part], _ position: Int) -> Bool {
        guard position < parts.count, case .field(let field, _) = parts[position] else {
            return false
        }
        return field.isNumber
    }

    private mutating func skip(_ bytes: [UInt8], isQuoted: Bool) {
        guard let first = bytes.first else { return }
        if isQuoted || isWordByte(first) {
            index = min(end, index + bytes.count)
            return
        }
        if isSpace(first) {
            while index < end, isSpace(data[index]) { index += 1 }
            return
        }
        while index < end, isSpace(data[index]) { index += 1 }
        if index < end, !isWordByte(data[index]) { index += 1 }
    }

    private mutating func read(_ field: ToCharPattern.Field, isFixed: Bool) -> Bool {
        switch field {
        case .hour24: return set(\.hour, 2, isFixed, 0...24)
        case .hour12:
            var value: Int64 = 0
            guard number(2, isFixed, &value), (1...12).contains(value) else { return false }
            hour12 = value
            return true
        case .minute: return set(\.minute, 2, isFixed, 0...59)
        case .second: return set(\.second, 2, isFixed, 0...59)
        case .millisecond: return readFraction(3, isFixed)
        case .microsecond: return readFraction(6, isFixed)
        case .fraction(let digits): return readFraction(digits, isFixed)
        case .secondOfDay: return setOptional(\.secondOfDay, 5, isFixed)
        case .halfDay(let dotted):
            guard let found = word(dotted ? ["a.m.", "p.m."] : ["am", "pm"]) else { return false }
            isAfternoon = found == 1
            return true
        case .era(let dotted):
            guard let found = word(dotted ? ["a.d.", "b.c."] : ["ad", "bc"]) else { return false }
            isBeforeChrist = found == 1
            return true
        case .zoneHours: return readZone()
        case .zoneMinutes:
            var value: Int64 = 0
            guard number(2, isFixed, &value) else { return false }
            zoneSeconds += zoneSign * value * 60
            return true
        case .zoneName, .zoneOffset: return false
        default: return readDate(field, isFixed)
        }
    }

    private mutating func readDate(_ field: ToCharPattern.Field, _ isFixed: Bool) -> Bool {
        switch field {
        case .year(let digits): return readYear(digits, isFixed)
        case .yearWithComma:
            var thousands: Int64 = 0
            var rest: Int64 = 0
            guard number(3, true, &thousands), index < end, data[index] == UInt8(ascii: ",") else {
                return false
            }
            index += 1
            guard number(3, true, &rest) else { return false }
            year = thousands * 1000 + rest
            return true
        case .isoYear(let digits):
            var value: Int64 = 0
            guard number(digits, isFixed, &value) else { return false }
            isoYear = value
            return true
        case .monthName, .monthShort:
            guard let found = name(CivilTimeNames.months, isShort: field == .monthShort) else {
                return false
            }
            month = Int64(found + 1)
            return true
        case .monthRoman:
            guard let found = word(ToChar.romanMonths.reversed()) else { return false }
            month = Int64(12 - found)
            return true
        case .dayName, .dayShort:
            return name(CivilTimeNames.weekdays, isShort: field == .dayShort) != nil
        case .month: return setOptional(\.month, 2, isFixed)
        case .day: return setOptional(\.day, 2, isFixed)
        case .dayOfYear: return setOptional(\.dayOfYear, 3, isFixed)
        case .isoWeek: return setOptional(\.isoWeek, 2, isFixed)
        case .isoDayOfWeek: return setOptional(\.isoDay, 1, isFixed)
        case .weekOfYear: return setOptional(\.weekOfYear, 2, isFixed)
        case .century: return setOptional(\.century, 2, isFixed)
        case .julian: return setOptional(\.julianDay, 9, isFixed)
        case .dayOfWeek, .quarter:
            var ignored: Int64 = 0
            return number(1, isFixed, &ignored)
        default: return false
        }
    }

    /// A year of fewer than four digits lies nearest to 2020.
    private mutating func readYear(_ digits: Int, _ isFixed: Bool) -> Bool {
        let start = index
        var value: Int64 = 0
        guard number(digits, isFixed, &value) else { return false }
        let length = index - start
        if digits < 4, length < 4 {
            switch (digits, value) {
            case (_, ..<70): value += 2000
            case (_, ..<100): value += 1900
            case (_, ..<520): value += 2000
            case (_, ..<1000): value += 1000
            default: break
            }
        }
        year = value
        yearDigits = digits
        return true
    }

    private mutating func readFraction(_ digits: Int, _ isFixed: Bool) -> Bool {
        let start = index
        var value: Int64 = 0
        guard number(digits, isFixed, &value) else { return false }
        for _ in (index - start)..<max(digits, index - start) { value *= 10 }
        for _ in digits..<6 { value *= 10 }
        guard value < 1_000_000 else { return false }
        fraction += value
        return true
    }

    private mutating func readZone() -> Bool {
        hasZone = true
        zoneSign = 1
        if data[index] == UInt8(ascii: "+") || data[index] == UInt8(ascii: "-") {
            zoneSign = data[index] == UInt8(ascii: "-") ? -1 : 1
            index += 1
        }
        var value: Int64 = 0
        guard number(2, true, &value), value <= 15 else { return false }
        zoneSeconds += zoneSign * value * 3600
        return true
    }

    private mutating func set(
        _ path: WritableKeyPath<Self, Int64>, _ digits: Int, _ isFixed: Bool,
        _ range: ClosedRange<Int64>
    ) -> Bool {
        var value: Int64 = 0
        guard number(digits, isFixed, &value), range.contains(value) else { return false }
        self[keyPath: path] = value
        return true
    }

    private mutating func setOptional(
        _ path: WritableKeyPath<Self, Int64?>, _ digits: Int, _ isFixed: Bool
    ) -> Bool {
        var value: Int64 = 0
        guard number(digits, isFixed, &value) else { return false }
        self[keyPath: path] = value
        return true
    }

    private mutating func number(_ digits: Int, _ isFixed: Bool, _ value: inout Int64) -> Bool {
        let start = index
        value = 0
        while index < end, data[index] &- 48 <= 9, index - start < (isFixed ? digits : 9) {
            value = value * 10 + Int64(data[index] - 48)
            index += 1
        }
        return index > start
    }

    /// Which of the words stands here, in any case.
    private mutating func word(_ words: [String]) -> Int? {
        for (position, word) in words.enumerated() {
            let bytes = Array(word.utf8)
            guard index + bytes.count <= end else { continue }
            let isSame = bytes.indices.allSatisfy {
                TextCase.lower.mapping(UInt32(data[index + $0])) == UInt32(bytes[$0])
            }
            if isSame {
                index += bytes.count
                return position
            }
        }
        return nil
    }

    private mutating func name(_ names: [String], isShort: Bool) -> Int? {
        if !isShort, let found = word(names) { return found }
        return isShort ? word(names.map { String($0.prefix(3)) }) : nil
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte &- 9 <= 4 }

    private func isWordByte(_ byte: UInt8) -> Bool {
        byte &- 48 <= 9 || (byte | 0x20) &- 97 <= 25 || byte >= 0x80
    }

    // MARK: The value

    /// Days since 1970; what the pattern lacks is the first of its kind, the year 1 BC.
    var days: Int64? {
        let found = unchecked
        guard let found, found >= CivilTime.firstDay, found <= CivilTime.lastDay else { return nil }
        return found
    }

    private var unchecked: Int64? {
        if let julianDay { return julianDay - 2_440_588 }
        if let isoYear {
            let first = CivilTime.firstDay(ofISOYear: isoYear)
            guard (1...53).contains(isoWeek ?? 1), (1...7).contains(isoDay ?? 1) else {
                return nil
            }
            return first + ((isoWeek ?? 1) - 1) * 7 + (isoDay ?? 1) - 1
        }
        var year = year ?? 0
        if let century, self.year == nil || yearDigits <= 2 {
            year = self.year == nil ? (century - 1) * 100 + 1 : (century - 1) * 100 + year % 100
        }
        if isBeforeChrist { year = 1 - year }
        if let dayOfYear, month == nil, day == nil {
            guard (1...(CivilTime.isLeap(year) ? 366 : 365)).contains(dayOfYear) else { return nil }
            return CivilTime.daysFromCivil(year: year, month: 1, day: 1) + dayOfYear - 1
        }
        if let weekOfYear, month == nil, day == nil {
            guard (1...53).contains(weekOfYear) else { return nil }
            return CivilTime.daysFromCivil(year: year, month: 1, day: 1) + (weekOfYear - 1) * 7
        }
        let month = month ?? 1
        let day = day ?? 1
        guard (1...12).contains(month), day >= 1,
            day <= CivilTime.daysInMonth(year: year, month: month)
        else { return nil }
        return CivilTime.daysFromCivil(year: year, month: month, day: day)
    }

    /// µs since 1970 UTC.
    var timestamp: Int64? {
        guard let days else { return nil }
        var hours = hour12 ?? hour
        if let isAfternoon {
            guard hours >= 1, hours <= 12 else { return nil }
            hours = hours % 12 + (isAfternoon ? 12 : 0)
        } else if hour12 != nil {
            hours %= 12
        }
        let seconds = secondOfDay ?? (hours * 60 + minute) * 60 + second
        guard seconds <= 86_400 else { return nil }
        return CivilTime.timestamp(
            days: days, microseconds: (seconds - zoneSeconds) * 1_000_000 + fraction)
    }
}
