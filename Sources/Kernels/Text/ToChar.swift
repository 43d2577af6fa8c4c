// to_char of times and intervals, as PostgreSQL's formatting.c writes them.

import Columns
import Contracts
import Types

/// The fields of a time as to_char wants them.
struct ToCharTime {
    var year: Int64
    var month: Int64
    var day: Int64
    /// Since midnight; of an interval all of its µs.
    var microseconds: Int64
    /// Days since 1970; 0 of an interval.
    var days: Int64
    var isInterval: Bool
    var hasZone: Bool
    /// Seconds east of UTC.
    var zoneOffset: Int64 = 0
    var zoneName = "UTC"

    init(timestamp: Int64, in phase: TimeZoneRules.Phase) {
        self.init(
            timestamp: timestamp + phase.offset * CivilTime.microsecondsPerSecond, hasZone: true)
        zoneOffset = phase.offset
        zoneName = phase.abbreviation
    }

    init(timestamp: Int64, hasZone: Bool) {
        let (days, microseconds) = CivilTime.split(timestamp)
        let date = CivilTime.civil(fromDays: days)
        year = date.year
        month = date.month
        day = date.day
        self.days = days
        self.microseconds = microseconds
        isInterval = false
        self.hasZone = hasZone
    }

    init(_ interval: IntervalValue) {
        year = Int64(interval.months / 12)
        month = Int64(interval.months % 12)
        day = Int64(interval.days)
        days = 0
        microseconds = interval.microseconds
        isInterval = true
        hasZone = false
    }

    var hour: Int64 { microseconds / CivilTime.microsecondsPerHour }
    var minute: Int64 { microseconds / CivilTime.microsecondsPerMinute % 60 }
    var second: Int64 { microseconds / CivilTime.microsecondsPerSecond % 60 }
    var fraction: Int64 { microseconds % CivilTime.microsecondsPerSecond }
    /// Counted from 1 BC backwards: to_char shows no year 0.
    var shownYear: Int64 { isInterval || year > 0 ? year : 1 - year }

    var dayOfYear: Int64 {
        isInterval ? year * 360 + month * 30 + day : CivilTime.dayOfYear(days)
    }
}

enum ToChar {
    static func time(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        timeByClock(call, nil, &errors)
    }

    /// A timestamptz by the clock of `zone`; nil: of UTC.
    static func timeByClock(
        _ call: KernelCall, _ zone: TimeZoneRules?, _ errors: inout RowErrors
    ) -> Column {
        let patterns = call.bytes(1)
        let constant = call.constantBytes(1).map { ToCharPattern($0) }
        let column = call.arguments[0]
        var output = TextOutput(rowCount: call.rowCount)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                output.endEmpty()
                continue
            }
            guard let time = time(column, row, zone), patterns.ranges[row].count > 0 else {
                output.endNull()
                continue
            }
            let pattern = constant ?? ToCharPattern(patterns[row])
            guard append(time, by: pattern, to: &output.data) else {
                errors.note(
                    row, .invalidArgument, "the pattern has a part that an interval lacks",
                    in: call)
                output.endEmpty()
                continue
            }
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    /// nil for infinity.
    private static func time(
        _ column: Column, _ row: Int, _ zone: TimeZoneRules?
    ) -> ToCharTime? {
        switch column.values {
        case .interval(let values): return ToCharTime(values[row])
        case .int64(let values) where CivilTime.isFinite(values[row]):
            if let phase = zone?.phase(atTime: values[row]) {
                return ToCharTime(timestamp: values[row], in: phase)
            }
            return ToCharTime(timestamp: values[row], hasZone: column.type == .timestamptz)
        default: return nil
        }
    }

    /// false: the pattern has a field that intervals do not.
    private static func append(
        _ time: ToCharTime, by pattern: ToCharPattern, to output: inout [UInt8]
    ) -> Bool {
        for part in pattern.parts {
            switch part {
            case .literal(let bytes, _): output.append(contentsOf: bytes)
            case .field(let field, let style):
                if time.isInterval, !isOfInterval(field) { return false }
                let start = output.count
                append(field, style, time, to: &output)
                if let letters = style.ordinal, field.isNumber {
                    let text = ordinal(output[start...])
                    output.append(contentsOf: (letters == .upper ? text.uppercased() : text).utf8)
                }
            }
        }
        return true
    }

    private static func isOfInterval(_ field: ToCharPattern.Field) -> Bool {
        switch field {
        case .era, .monthName, .monthShort, .dayName, .dayShort, .dayOfWeek, .isoDayOfWeek,
            .zoneName, .zoneHours, .zoneMinutes, .zoneOffset:
            false
        default: true
        }
    }

    /// Padded with zeros unless FM; a negative number gets one place more.
    private static func number(
        _ value: Int64, _ width: Int, _ style: ToCharPattern.Style, to output: inout [UInt8]
    ) {
        padded(value, style.fills ? (value < 0 ? width + 1 : width) : 0, to: &output)
    }

    /// At least `width` bytes, zeros behind the sign.
    private static func padded(_ value: Int64, _ width: Int, to output: inout [UInt8]) {
        let digits = Array(String(value.magnitude).utf8)
        if value < 0 { output.append(UInt8(ascii: "-")) }
        let missing = width - digits.count - (value < 0 ? 1 : 0)
        output.append(contentsOf: repeatElement(48, count: max(0, missing)))
        output.append(contentsOf: digits)
    }

    private static func word(
        _ text: String, width: Int = 0, _ style: ToCharPattern.Style, to output: inout [UInt8]
    ) {
        let shown =
            switch style.letters {
            case .upper: text.uppercased()
            case .capitalized: text.prefix(1).uppercased() + text.dropFirst()
            case .lower: text
            }
        output.append(contentsOf: shown.utf8)
        if style.fills {
            output.append(contentsOf: repeatElement(32, count: max(0, width - text.utf8.count)))
        }
    }

    private static func append(
        _ field: ToCharPattern.Field, _ style: ToCharPattern.Style, _ time: ToCharTime,
        to output: inout [UInt8]
    ) {
        switch field {
        case .hour24: number(time.hour, 2, style, to: &output)
        case .hour12:
            let hour = time.hour % 12
            number(hour == 0 ? 12 : hour, 2, style, to: &output)
        case .minute: number(time.minute, 2, style, to: &output)
        case .second: number(time.second, 2, style, to: &output)
        case .millisecond: padded(time.fraction / 1000, 3, to: &output)
        case .microsecond: padded(time.fraction, 6, to: &output)
        case .fraction(let digits):
            padded(time.fraction / Int64(Numeric.powerOfTen(6 - digits)), digits, to: &output)
        case .secondOfDay: padded(time.microseconds / 1_000_000, 0, to: &output)
        case .halfDay(let dotted):
            let isLate = time.hour % 24 >= 12
            word(isLate ? (dotted ? "p.m." : "pm") : (dotted ? "a.m." : "am"), style, to: &output)
        case .era(let dotted):
            let isEarly = time.year <= 0
            word(isEarly ? (dotted ? "b.c." : "bc") : (dotted ? "a.d." : "ad"), style, to: &output)
        case .zoneName:
            if time.hasZone {
                let name = time.zoneName
                output.append(
                    contentsOf: (style.letters == .upper ? name : name.lowercased()).utf8)
            }
        case .zoneHours, .zoneOffset:
            output.append(UInt8(ascii: time.zoneOffset < 0 ? "-" : "+"))
            CivilTime.appendPair(abs(time.zoneOffset) / 3600, to: &output)
            if field == .zoneOffset, time.zoneOffset % 3600 != 0 {
                output.append(UInt8(ascii: ":"))
                CivilTime.appendPair(abs(time.zoneOffset) % 3600 / 60, to: &output)
            }
        case .zoneMinutes: CivilTime.appendPair(abs(time.zoneOffset) % 3600 / 60, to: &output)
        case .yearWithComma, .year, .isoYear, .century: appendYear(field, style, time, to: &output)
        default: appendDay(field, style, time, to: &output)
        }
    }

    private static func appendYear(
        _ field: ToCharPattern.Field, _ style: ToCharPattern.Style, _ time: ToCharTime,
        to output: inout [UInt8]
    ) {
        let year = time.shownYear
        switch field {
        case .yearWithComma:
            padded(year / 1000, 0, to: &output)
            output.append(UInt8(ascii: ","))
            padded(year % 1000, 3, to: &output)
        case .year(let digits): lastDigits(year, digits, style, to: &output)
        case .isoYear(let digits):
            var year = year
            if !time.isInterval {
                let iso = CivilTime.isoWeek(time.days).year
                year = iso > 0 ? iso : 1 - iso
            }
            lastDigits(year, digits, style, to: &output)
        default:
            let century =
                time.isInterval
                ? time.year / 100
                : time.year > 0 ? (time.year - 1) / 100 + 1 : time.year / 100 - 1
            number(century, 2, style, to: &output)
        }
    }

    private static func lastDigits(
        _ year: Int64, _ digits: Int, _ style: ToCharPattern.Style, to output: inout [UInt8]
    ) {
        let value = digits == 4 ? year : year % Int64(Numeric.powerOfTen(digits))
        number(value, digits, style, to: &output)
    }

    private static func appendDay(
        _ field: ToCharPattern.Field, _ style: ToCharPattern.Style, _ time: ToCharTime,
        to output: inout [UInt8]
    ) {
        let month = Int(time.month)
        let weekday = Int(CivilTime.isoWeekday(time.days))
        switch field {
        case .monthName: word(CivilTimeNames.months[month - 1], width: 9, style, to: &output)
        case .monthShort:
            word(String(CivilTimeNames.months[month - 1].prefix(3)), style, to: &output)
        case .month: number(time.month, 2, style, to: &output)
        case .monthRoman:
            guard month != 0 else { return }
            word(romanMonths[(month > 0 ? month : month + 12) - 1], width: 4, style, to: &output)
        case .dayName: word(CivilTimeNames.weekdays[weekday - 1], width: 9, style, to: &output)
        case .dayShort:
            word(String(CivilTimeNames.weekdays[weekday - 1].prefix(3)), style, to: &output)
        case .day: number(time.day, 2, style, to: &output)
        case .dayOfYear: number(time.dayOfYear, 3, style, to: &output)
        case .isoDayOfYear:
            let first = CivilTime.firstDay(ofISOYear: CivilTime.isoWeek(time.days).year)
            number(time.days - first + 1, 3, style, to: &output)
        case .dayOfWeek: number(Int64(weekday % 7 + 1), 0, style, to: &output)
        case .isoDayOfWeek: number(Int64(weekday), 0, style, to: &output)
        case .weekOfMonth: number((time.day - 1) / 7 + 1, 0, style, to: &output)
        case .weekOfYear: number((time.dayOfYear - 1) / 7 + 1, 2, style, to: &output)
        case .isoWeek: number(CivilTime.isoWeek(time.days).week, 2, style, to: &output)
        case .quarter:
            if month != 0 { number(Int64((month - 1) / 3 + 1), 0, style, to: &output) }
        case .julian: number(time.days + 2_440_588, 0, style, to: &output)
        default: break
        }
    }

    static let romanMonths = [
        "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii",
    ]

    /// `st`, `nd`, `rd` or `th`, by a number's last digits.
    static func ordinal(_ digits: some BidirectionalCollection<UInt8>) -> String {
        guard digits.dropLast().last != UInt8(ascii: "1") else { return "th" }
        switch digits.last {
        case UInt8(ascii: "1"): return "st"
        case UInt8(ascii: "2"): return "nd"
        case UInt8(ascii: "3"): return "rd"
        default: return "th"
        }
    }
}
