// PostgreSQL's date and time input, word by word: the forms that the fast path does not know.
//
// A text is a row of words: a date with its separators, a time with colons, numbers, names, an
// offset. Each fills fields of which none may be filled twice; what they mean together is judged at
// the end. (PostgreSQL 15, "Date/Time Input Interpretation"; DateStyle ISO, MDY.) Words that depend
// on the clock (now, today) are not among them.

/// The fields of one text.
struct CivilTimeReader {
    private var year: Int64?
    private var month: Int64?
    private var day: Int64?
    private var dayOfYear: Int64?
    private var wholeDays: Int64?  // from `J2451187`, `epoch`
    private var microseconds: Int64?
    private var offset: Int64?  // seconds east of UTC
    private var zone: TimeZoneRules?
    private var isBeforeChrist = false
    private var yearDigits = 0
    private var halfDay: UInt8 = 0  // a or p
    private var special: Int64?  // ± infinity

    private var index = 0
    /// A number alone is a time of day: the text is a `time`.
    private let isTime: Bool

    init(isTime: Bool = false) { self.isTime = isTime }

    /// Whether the whole text was understood.
    mutating func read(_ bytes: Span<UInt8>) -> Bool {
        var wordCount = 0
        while true {
            skipSpace(bytes)
            guard index < bytes.count else { break }
            guard readWord(bytes) else { return false }
            wordCount += 1
        }
        return wordCount > 0 && applyHalfDay()
    }

    var timestamp: Int64? {
        if let special { return microseconds == nil && wholeDays == nil ? special : nil }
        guard let days = days else { return nil }
        return CivilTime.timestamp(days: days, microseconds: microseconds ?? 0)
    }

    var timestampTZ: Int64? {
        guard let local = timestamp, special == nil else { return timestamp }
        if let zone { return zone.utc(fromLocal: local) }
        let (value, overflow) =
            local.subtractingReportingOverflow((offset ?? 0) * CivilTime.microsecondsPerSecond)
        guard !overflow, CivilTime.isFinite(value), value >= CivilTime.firstTimestamp else {
            return nil
        }
        return value
    }

    /// Whether the text says by whose clock it is; `epoch` is an instant.
    var hasZone: Bool { zone != nil || offset != nil || special != nil }

    var date: Int64? {
        if let special { return special }
        guard let days, days >= CivilTime.firstDay, days <= CivilTime.lastDay else { return nil }
        return days
    }

    var time: Int64? {
        guard special == nil, let microseconds, microseconds <= CivilTime.microsecondsPerDay
        else { return nil }
        return microseconds
    }

    /// Days since 1970, if the date's fields make one that exists.
    private var days: Int64? {
        if let wholeDays {
            return year == nil && month == nil && day == nil ? wholeDays : nil
        }
        guard var year else { return nil }
        if isBeforeChrist {
            guard year > 0 else { return nil }
            year = 1 - year
        } else if yearDigits <= 2 {
            year += year < 70 ? 2000 : 1900
        } else if year == 0 {
            return nil
        }
        guard year <= 5_874_897, year >= -4713 else { return nil }
        if let dayOfYear {
            guard month == nil, dayOfYear >= 1, dayOfYear <= (CivilTime.isLeap(year) ? 366 : 365)
            else { return nil }
            return CivilTime.daysFromCivil(year: year, month: 1, day: 1) + dayOfYear - 1
        }
        guard let month, let day, month >= 1, month <= 12, day >= 1,
            day <= CivilTime.daysInMonth(year: year, month: month)
        else { return nil }
        return CivilTime.daysFromCivil(year: year, month: month, day: day)
    }

    // MARK: Words

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < bytes.count, isSpace(bytes[index]) || bytes[index] == UInt8(ascii: ",") {
            index += 1
        }
    }

    private mutating func readWord(_ bytes: Span<UInt8>) -> Bool {
        let byte = bytes[index]
        if isDigit(byte) { return readNumber(bytes) }
        if isLetter(byte) { return readName(bytes) }
        if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { return readSigned(bytes) }
        return false
    }

    /// A word that starts with a digit: its next separator tells what it is.
    private mutating func readNumber(_ bytes: Span<UInt8>) -> Bool {
        let start = index
        guard let number = digits(bytes) else { return false }
        let length = index - start
        guard index < bytes.count else { return placeNumber(number, length) }
        switch bytes[index] {
        case UInt8(ascii: ":"): return readTime(bytes, hour: number)
        case UInt8(ascii: "-"), UInt8(ascii: "/"):
            if hasDate, microseconds == nil, length == 4 || length == 6,
                bytes[index] == UInt8(ascii: "-")
            {
                return placeNumber(number, length)  // 20260101T1200-05
            }
            return readDate(bytes, first: number, length)
        case UInt8(ascii: "."):
            if hasDate || isTime, length == 6 { return placeCompactTime(bytes, number, length) }
            return readDottedDate(bytes, first: number, length)
        case UInt8(ascii: "+"), UInt8(ascii: ","): return placeNumber(number, length)
        case let byte where isSpace(byte) || isLetter(byte): return placeNumber(number, length)
        default: return false
        }
    }

    private var hasDate: Bool {
        wholeDays != nil || dayOfYear != nil || (year != nil && month != nil && day != nil)
    }

    /// A number alone: `20260131`, `123456` after a date, a day, a year.
    private mutating func placeNumber(_ number: Int64, _ length: Int) -> Bool {
        if hasDate || (isTime && (length == 4 || length == 6)) {
            guard length == 4 || length == 6, microseconds == nil else { return false }
            let seconds = length == 6 ? number % 100 : 0
            let rest = length == 6 ? number / 100 : number
            return setTime(rest / 100, rest % 100, seconds, 0)
        }
        if length == 8, year == nil, month == nil {
            year = number / 10000
            yearDigits = 4
            month = number / 100 % 100
            day = number % 100
            return true
        }
        if length == 6, year == nil, month == nil {
            year = number / 10000
            yearDigits = 2
            month = number / 100 % 100
            day = number % 100
            return true
        }
        if length >= 3 || day != nil {
            guard year == nil else { return false }
            year = number
            yearDigits = length
            return true
        }
        guard day == nil else { return false }
        day = number
        return true
    }

    /// `123456.789` after a date.
    private mutating func placeCompactTime(
        _ bytes: Span<UInt8>, _ number: Int64, _ length: Int
    ) -> Bool {
        guard microseconds == nil, let fraction = fraction(bytes) else { return false }
        return setTime(number / 10000, number / 100 % 100, number % 100, fraction)
    }

    /// `HH:MM[:SS[.f]]` behind its first number.
    private mutating func readTime(_ bytes: Span<UInt8>, hour: Int64) -> Bool {
        guard microseconds == nil else { return false }
        index += 1
        guard let minute = digits(bytes) else { return false }
        var second: Int64 = 0
        var fractionOfSecond: Int64 = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: ":") {
            index += 1
            guard let value = digits(bytes) else { return false }
            second = value
            if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
                guard let value = fraction(bytes) else { return false }
                fractionOfSecond = value
            }
        }
        return setTime(hour, minute, second, fractionOfSecond)
    }

    private mutating func setTime(
        _ hour: Int64, _ minute: Int64, _ second: Int64, _ fraction: Int64
    ) -> Bool {
        guard hour <= 24, minute < 60, second <= 60 else { return false }
        let total =
            ((hour * 60 + minute) * 60 + second) * CivilTime.microsecondsPerSecond + fraction
        guard total <= CivilTime.microsecondsPerDay, second < 60 || fraction == 0 else {
            return false
        }
        microseconds = total
        return true
    }

    /// `2026-1-31`, `1/31/2026`, `31-Jan-2026`, `2026-Jan-31`, `2026-031` behind its first number.
    private mutating func readDate(
        _ bytes: Span<UInt8>, first: Int64, _ firstLength: Int
    ) -> Bool {
        guard year == nil, month == nil, day == nil, wholeDays == nil else { return false }
        let separator = bytes[index]
        index += 1
        guard index < bytes.count else { return false }
        var second: Int64 = 0
        var secondLength = 0
        var isNamed = false
        if isLetter(bytes[index]) {
            let start = index
            while index < bytes.count, isLetter(bytes[index]) { index += 1 }
            guard let found = CivilTimeNames.month(bytes, start, index) else { return false }
            second = found
            isNamed = true
        } else {
            let start = index
            guard let number = digits(bytes) else { return false }
            second = number
            secondLength = index - start
        }
        guard index < bytes.count, bytes[index] == separator else {
            guard !isNamed, firstLength >= 3, secondLength == 3 else { return false }
            year = first
            yearDigits = firstLength
            dayOfYear = second
            return true
        }
        index += 1
        let start = index
        guard let third = digits(bytes) else { return false }
        return placeDate(
            (first, firstLength), second, isNamed: isNamed, (third, index - start))
    }

    private mutating func placeDate(
        _ first: (value: Int64, length: Int), _ second: Int64, isNamed: Bool,
        _ third: (value: Int64, length: Int)
    ) -> Bool {
        if first.length >= 3 {
            (year, yearDigits, month, day) = (first.value, first.length, second, third.value)
        } else if isNamed {
            (day, month, year, yearDigits) = (first.value, second, third.value, third.length)
        } else {
            (month, day, year, yearDigits) = (first.value, second, third.value, third.length)
        }
        return true
    }

    /// `2026.031` (day of the year) or `1.31.2026` behind its first number.
    private mutating func readDottedDate(
        _ bytes: Span<UInt8>, first: Int64, _ length: Int
    ) -> Bool {
        guard length < 4 || length == 4 else { return false }
        return readDate(bytes, first: first, length)
    }

    // MARK: Names and signs

    private mutating func readName(_ bytes: Span<UInt8>) -> Bool {
        let start = index
        while index < bytes.count, isLetter(bytes[index]) { index += 1 }
        if index - start == 1, index < bytes.count, isDigit(bytes[index]) {
            let letter = bytes[start] | 0x20
            if letter == UInt8(ascii: "t") { return true }
            if letter == UInt8(ascii: "j") { return readJulianDay(bytes) }
        }
        if let found = CivilTimeNames.month(bytes, start, index) {
            return placeMonth(bytes, found)
        }
        if CivilTimeNames.isWeekday(bytes, start, index) { return true }
        switch CivilTimeNames.word(bytes, start, index) {
        case .beforeChrist:
            isBeforeChrist = true
            return true
        case .annoDomini: return true
        case .morning: return setHalfDay(UInt8(ascii: "a"))
        case .afternoon: return setHalfDay(UInt8(ascii: "p"))
        case .infinity: return setSpecial(CivilTime.infinity)
        case .epoch:
            wholeDays = 0
            offset = 0
            return year == nil && microseconds == nil
        case .midnight:
            guard microseconds == nil else { return false }
            microseconds = 0
            return true
        case nil: return readZoneName(bytes, start)
        }
    }

    /// A month's name: alone (`Jan 8, 1999`) or with `-08-1999` behind it.
    private mutating func placeMonth(_ bytes: Span<UInt8>, _ number: Int64) -> Bool {
        guard month == nil else { return false }
        month = number
        guard index < bytes.count, bytes[index] == UInt8(ascii: "-") else { return true }
        index += 1
        guard day == nil, year == nil, let dayNumber = digits(bytes), index < bytes.count,
            bytes[index] == UInt8(ascii: "-")
        else { return false }
        index += 1
        let start = index
        guard let yearNumber = digits(bytes) else { return false }
        day = dayNumber
        year = yearNumber
        yearDigits = index - start
        return true
    }

    private mutating func setHalfDay(_ letter: UInt8) -> Bool {
        guard halfDay == 0 else { return false }
        halfDay = letter
        return true
    }

    private mutating func setSpecial(_ value: Int64) -> Bool {
        guard special == nil, year == nil, month == nil else { return false }
        special = value
        return true
    }

    /// AM and PM move the hour; 12 is the half day's first.
    private mutating func applyHalfDay() -> Bool {
        guard halfDay != 0 else { return true }
        guard let value = microseconds, value < 13 * CivilTime.microsecondsPerHour else {
            return false
        }
        let half = 12 * CivilTime.microsecondsPerHour
        microseconds = value % half + (halfDay == UInt8(ascii: "p") ? half : 0)
        return true
    }

    private mutating func readJulianDay(_ bytes: Span<UInt8>) -> Bool {
        guard wholeDays == nil, year == nil, let number = digits(bytes) else { return false }
        wholeDays = number - 2_440_588
        return true
    }

    /// `America/New_York`, `UTC`, `EST5EDT`: letters so far from `start`.
    private mutating func readZoneName(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        while index < bytes.count, isZoneByte(bytes[index]) { index += 1 }
        guard offset == nil, zone == nil else { return false }
        if let seconds = CivilTimeNames.zoneOffset(bytes, start, index) {
            offset = seconds
            return true
        }
        var name: [UInt8] = []
        for position in start..<index { name.append(bytes[position]) }
        guard let rules = TimeZoneRules.named(String(decoding: name, as: UTF8.self)) else {
            return false
        }
        zone = rules
        return true
    }

    /// `+02`, `-0330`, `+01:30:00` behind a time; `-infinity`.
    private mutating func readSigned(_ bytes: Span<UInt8>) -> Bool {
        let isNegative = bytes[index] == UInt8(ascii: "-")
        index += 1
        guard index < bytes.count else { return false }
        if isLetter(bytes[index]) {
            let start = index
            while index < bytes.count, isLetter(bytes[index]) { index += 1 }
            guard CivilTimeNames.word(bytes, start, index) == .infinity else { return false }
            return setSpecial(isNegative ? CivilTime.minusInfinity : CivilTime.infinity)
        }
        guard offset == nil, zone == nil, microseconds != nil || hasDate else { return false }
        let start = index
        guard var hours = digits(bytes) else { return false }
        let length = index - start
        var minutes: Int64 = 0
        var seconds: Int64 = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: ":") {
            index += 1
            guard let value = digits(bytes) else { return false }
            minutes = value
            if index < bytes.count, bytes[index] == UInt8(ascii: ":") {
                index += 1
                guard let value = digits(bytes) else { return false }
                seconds = value
            }
        } else if length > 2 {
            minutes = hours % 100
            hours /= 100
        }
        guard hours <= 15, minutes < 60, seconds < 60 else { return false }
        let total = (hours * 60 + minutes) * 60 + seconds
        offset = isNegative ? -total : total
        return true
    }

    // MARK: Bytes

    /// A run of 1 … 9 digits.
    private mutating func digits(_ bytes: Span<UInt8>) -> Int64? {
        let start = index
        var value: Int64 = 0
        while index < bytes.count, isDigit(bytes[index]) {
            guard index - start < 9 else { return nil }
            value = value * 10 + Int64(bytes[index] - 48)
            index += 1
        }
        return index > start ? value : nil
    }

    /// `.digits` in µs, rounded half to even as PostgreSQL's rint does.
    private mutating func fraction(_ bytes: Span<UInt8>) -> Int64? {
        index += 1
        var value: Int64 = 0
        var count = 0
        var isMore = false
        var next: UInt8 = 0
        while index < bytes.count, isDigit(bytes[index]) {
            if count < 6 {
                value = value * 10 + Int64(bytes[index] - 48)
            } else if count == 6 {
                next = bytes[index] - 48
            } else if bytes[index] != 48 {
                isMore = true
            }
            count += 1
            index += 1
        }
        for _ in min(count, 6)..<6 { value *= 10 }
        if next > 5 || (next == 5 && (isMore || value % 2 == 1)) { value += 1 }
        return value
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 48 <= 9 }
    private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 <= 25 }
    private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte &- 9 <= 4 }

    private func isZoneByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
    }
}
