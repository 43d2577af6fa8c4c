// PostgreSQL's interval input: pairs of number and unit, times with colons, years-months, ISO 8601.
//
// Fractions flow down as PostgreSQL 15's do: of years into whole months, of months into days (30)
// and µs, of weeks and days into µs. A number without a unit counts seconds at the end and days
// before a time. No unit may come twice.

import Types

struct IntervalReader {
    private var months: Int64 = 0
    private var days: Int64 = 0
    private var microseconds: Int64 = 0
    private var isOutOfRange = false
    private var seen: Set<Unit> = []
    private var index = 0

    private enum Unit: Hashable {
        case microsecond, millisecond, second, minute, hour, day, week, month, year
        case decade, century, millennium
    }

    /// A decimal number, its fraction apart: 1.5 is (1, 0.5), −0.5 is (0, −0.5).
    private struct Number {
        var whole: Int64
        var fraction: Double
    }

    init() {}

    mutating func read(_ bytes: Span<UInt8>) -> IntervalValue? {
        skipSpace(bytes)
        guard index < bytes.count else { return nil }
        let isISO = bytes[index] == UInt8(ascii: "P")
        guard isISO ? readISO(bytes) : readWords(bytes), !isOutOfRange,
            let months = Int32(exactly: months), let days = Int32(exactly: days)
        else { return nil }
        return IntervalValue(months: months, days: days, microseconds: microseconds)
    }

    // MARK: PostgreSQL's words

    private mutating func readWords(_ bytes: Span<UInt8>) -> Bool {
        if bytes[index] == UInt8(ascii: "@") { index += 1 }
        var count = 0
        while true {
            skipSpace(bytes)
            guard index < bytes.count else { return count > 0 }
            if isLetter(bytes[index]) {
                guard count > 0, readAgo(bytes) else { return false }
                negateAll()
                return true
            }
            guard readPart(bytes) else { return false }
            count += 1
        }
    }

    /// `ago` as the last word.
    private mutating func readAgo(_ bytes: Span<UInt8>) -> Bool {
        let start = index
        while index < bytes.count, isLetter(bytes[index]) { index += 1 }
        guard name(bytes, start) == "ago" else { return false }
        skipSpace(bytes)
        return index == bytes.count
    }

    private mutating func negateAll() {
        months = -months
        days = -days
        let (value, overflow) = Int64(0).subtractingReportingOverflow(microseconds)
        if overflow { isOutOfRange = true }
        microseconds = value
    }

    /// A time, a years-months, or a number with its unit.
    private mutating func readPart(_ bytes: Span<UInt8>) -> Bool {
        let isNegative = bytes[index] == UInt8(ascii: "-")
        let hasSign = isNegative || bytes[index] == UInt8(ascii: "+")
        let start = index
        if hasSign { index += 1 }
        guard index < bytes.count else { return false }
        let digitsStart = index
        while index < bytes.count, isDigit(bytes[index]) { index += 1 }
        if index < bytes.count, index > digitsStart {
            if bytes[index] == UInt8(ascii: ":") {
                return readTime(bytes, from: digitsStart, isNegative: isNegative)
            }
            if bytes[index] == UInt8(ascii: "-") {
                return readYearMonth(bytes, from: digitsStart, isNegative: isNegative)
            }
        }
        index = start
        guard let number = number(bytes) else { return false }
        skipSpace(bytes)
        let unitStart = index
        while index < bytes.count, isLetter(bytes[index]) { index += 1 }
        if index == unitStart {
            guard index < bytes.count else { return add(number, .second) }
            return isTimeNext(bytes) && add(number, .day)
        }
        guard let unit = Self.units[name(bytes, unitStart)] else {
            guard name(bytes, unitStart) == "ago" else { return false }
            index = unitStart
            return add(number, .second)
        }
        return add(number, unit)
    }

    /// Whether the next word is `[±]digits:`.
    private func isTimeNext(_ bytes: Span<UInt8>) -> Bool {
        var position = index
        if bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+") {
            position += 1
        }
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
        return position < bytes.count && bytes[position] == UInt8(ascii: ":")
    }

    /// `h:m`, `h:m:s[.f]`, or `m:s.f`.
    private mutating func readTime(
        _ bytes: Span<UInt8>, from start: Int, isNegative: Bool
    ) -> Bool {
        guard seen.isDisjoint(with: [.hour, .minute, .second, .millisecond, .microsecond]) else {
            return false
        }
        seen.formUnion([.hour, .minute, .second])
        index = start
        guard let first = digits(bytes), take(bytes, ":"), let second = digits(bytes) else {
            return false
        }
        var hours = first
        var minutes = second
        var seconds: Int64 = 0
        if take(bytes, ":") {
            guard let third = digits(bytes) else { return false }
            seconds = third
        } else if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            (hours, minutes, seconds) = (0, first, second)
        }
        var fraction = 0.0
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") { fraction = fractionOf(bytes) }
        guard minutes < 60, seconds <= 60, index == bytes.count || isSpace(bytes[index]) else {
            return false
        }
        let sign: Int64 = isNegative ? -1 : 1
        addMicroseconds(hours, CivilTime.microsecondsPerHour * sign)
        addMicroseconds(minutes, CivilTime.microsecondsPerMinute * sign)
        addMicroseconds(seconds, CivilTime.microsecondsPerSecond * sign)
        addMicroseconds(Int64((fraction * 1e6).rounded(.toNearestOrEven)), sign)
        return true
    }

    /// `1-2`: a year and two months.
    private mutating func readYearMonth(
        _ bytes: Span<UInt8>, from start: Int, isNegative: Bool
    ) -> Bool {
        guard seen.isDisjoint(with: [.year, .month]) else { return false }
        seen.formUnion([.year, .month])
        index = start
        guard let years = digits(bytes), take(bytes, "-"), let extra = digits(bytes), extra < 12,
            index == bytes.count || isSpace(bytes[index])
        else { return false }
        let sign: Int64 = isNegative ? -1 : 1
        addMonths(years, 12 * sign)
        addMonths(extra, sign)
        return true
    }

    // MARK: ISO 8601

    private mutating func readISO(_ bytes: Span<UInt8>) -> Bool {
        index += 1
        var isTime = false
        var count = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "T") {
                guard !isTime else { return false }
                isTime = true
                index += 1
                continue
            }
            let start = index
            guard let number = number(bytes) else { return false }
            guard index < bytes.count, isLetter(bytes[index]), bytes[index] != UInt8(ascii: "T")
            else {
                index = start
                return count == (isTime ? count : 0) && readISOAlternative(bytes, isTime: isTime)
            }
            guard let unit = isoUnit(bytes[index], isTime: isTime) else { return false }
            index += 1
            guard add(number, unit, canRepeat: true) else { return false }
            count += 1
        }
        return count > 0
    }

    private func isoUnit(_ letter: UInt8, isTime: Bool) -> Unit? {
        switch (letter, isTime) {
        case (UInt8(ascii: "Y"), false): .year
        case (UInt8(ascii: "M"), false): .month
        case (UInt8(ascii: "W"), false): .week
        case (UInt8(ascii: "D"), false): .day
        case (UInt8(ascii: "H"), true): .hour
        case (UInt8(ascii: "M"), true): .minute
        case (UInt8(ascii: "S"), true): .second
        default: nil
        }
    }

    /// `0001-02-03T04:05:06` behind the P.
    private mutating func readISOAlternative(_ bytes: Span<UInt8>, isTime: Bool) -> Bool {
        if !isTime {
            let start = index
            guard let years = number(bytes) else { return false }
            guard index - start != 8 else { return readISOBasic(years.whole, bytes) }
            guard add(years, .year) else { return false }
            if take(bytes, "-") {
                guard let months = number(bytes), add(months, .month) else { return false }
                if take(bytes, "-") {
                    guard let days = number(bytes), add(days, .day) else { return false }
                }
            }
            guard index < bytes.count else { return true }
            guard take(bytes, "T") else { return false }
        }
        guard let hours = number(bytes), add(hours, .hour) else { return false }
        if take(bytes, ":") {
            guard let minutes = number(bytes), add(minutes, .minute) else { return false }
            if take(bytes, ":") {
                guard let seconds = number(bytes), add(seconds, .second) else { return false }
            }
        }
        return index == bytes.count
    }

    /// `20010203T040506` behind the P: what stands before the T was read.
    private mutating func readISOBasic(_ date: Int64, _ bytes: Span<UInt8>) -> Bool {
        addMonths(date / 10_000, 12)
        addMonths(date / 100 % 100, 1)
        addDays(date % 100, 1)
        guard index < bytes.count else { return true }
        guard take(bytes, "T") else { return false }
        let start = index
        guard let time = digits(bytes), index - start == 6, index == bytes.count else {
            return false
        }
        addMicroseconds(time / 10_000, CivilTime.microsecondsPerHour)
        addMicroseconds(time / 100 % 100, CivilTime.microsecondsPerMinute)
        addMicroseconds(time % 100, CivilTime.microsecondsPerSecond)
        return true
    }

    // MARK: Adding up

    private mutating func add(_ number: Number, _ unit: Unit, canRepeat: Bool = false) -> Bool {
        guard seen.insert(unit).inserted || canRepeat else { return false }
        let whole = number.whole
        let fraction = number.fraction
        switch unit {
        case .microsecond:
            addMicroseconds(whole, 1)
            addMicroseconds(Int64(fraction.rounded(.toNearestOrEven)), 1)
        case .millisecond:
            addMicroseconds(whole, 1000)
            addFraction(fraction, 1000)
        case .second:
            addMicroseconds(whole, CivilTime.microsecondsPerSecond)
            addMicroseconds(Int64((fraction * 1e6).rounded(.toNearestOrEven)), 1)
        case .minute:
            addMicroseconds(whole, CivilTime.microsecondsPerMinute)
            addFraction(fraction, CivilTime.microsecondsPerMinute)
        case .hour:
            addMicroseconds(whole, CivilTime.microsecondsPerHour)
            addFraction(fraction, CivilTime.microsecondsPerHour)
        case .day:
            addDays(whole, 1)
            addFraction(fraction, CivilTime.microsecondsPerDay)
        case .week:
            addDays(whole, 7)
            addDayFraction(fraction, 7)
        case .month:
            addMonths(whole, 1)
            addDayFraction(fraction, 30)
        case .year: addYears(whole, fraction, 1)
        case .decade: addYears(whole, fraction, 10)
        case .century: addYears(whole, fraction, 100)
        case .millennium: addYears(whole, fraction, 1000)
        }
        return true
    }

    private mutating func addYears(_ whole: Int64, _ fraction: Double, _ scale: Int64) {
        addMonths(whole, 12 * scale)
        addMonths(Int64((fraction * Double(12 * scale)).rounded(.toNearestOrEven)), 1)
    }

    private mutating func addMonths(_ count: Int64, _ scale: Int64) {
        let (product, overflow) = count.multipliedReportingOverflow(by: scale)
        let (sum, carry) = months.addingReportingOverflow(product)
        if overflow || carry || Int32(exactly: sum) == nil { isOutOfRange = true }
        months = sum
    }

    private mutating func addDays(_ count: Int64, _ scale: Int64) {
        let (product, overflow) = count.multipliedReportingOverflow(by: scale)
        let (sum, carry) = days.addingReportingOverflow(product)
        if overflow || carry || Int32(exactly: sum) == nil { isOutOfRange = true }
        days = sum
    }

    private mutating func addMicroseconds(_ count: Int64, _ scale: Int64) {
        let (product, overflow) = count.multipliedReportingOverflow(by: scale)
        let (sum, carry) = microseconds.addingReportingOverflow(product)
        if overflow || carry { isOutOfRange = true }
        microseconds = sum
    }

    private mutating func addDayFraction(_ fraction: Double, _ scale: Double) {
        let scaled = fraction * scale
        let whole = scaled.rounded(.towardZero)
        addDays(Int64(whole), 1)
        addFraction(scaled - whole, CivilTime.microsecondsPerDay)
    }

    /// AdjustFractMicroseconds: half a microsecond or less is dropped.
    private mutating func addFraction(_ fraction: Double, _ scale: Int64) {
        guard fraction != 0 else { return }
        let scaled = fraction * Double(scale)
        var whole = Int64(scaled)
        let rest = scaled - Double(whole)
        if rest > 0.5 { whole += 1 } else if rest < -0.5 { whole -= 1 }
        addMicroseconds(whole, 1)
    }

    // MARK: Bytes

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < bytes.count, isSpace(bytes[index]) { index += 1 }
    }

    private mutating func take(_ bytes: Span<UInt8>, _ byte: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: byte) else { return false }
        index += 1
        return true
    }

    private mutating func digits(_ bytes: Span<UInt8>) -> Int64? {
        let start = index
        var value: Int64 = 0
        while index < bytes.count, isDigit(bytes[index]) {
            guard index - start < 18 else { return nil }
            value = value * 10 + Int64(bytes[index] - 48)
            index += 1
        }
        return index > start ? value : nil
    }

    /// `.digits` as a double; the point stands at `index`.
    private mutating func fractionOf(_ bytes: Span<UInt8>) -> Double {
        index += 1
        var value: Int64 = 0
        var scale = 1.0
        var count = 0
        while index < bytes.count, isDigit(bytes[index]) {
            if count < 17 {
                value = value * 10 + Int64(bytes[index] - 48)
                scale *= 10
            }
            count += 1
            index += 1
        }
        return Double(value) / scale
    }

    /// `[±]digits[.digits][e…]`.
    private mutating func number(_ bytes: Span<UInt8>) -> Number? {
        var isNegative = false
        if index < bytes.count, bytes[index] == 45 || bytes[index] == 43 {
            isNegative = bytes[index] == 45
            index += 1
        }
        let start = index
        var whole: Int64 = 0
        if index < bytes.count, isDigit(bytes[index]) {
            guard let value = digits(bytes) else { return nil }
            whole = value
        }
        var fraction = 0.0
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            fraction = fractionOf(bytes)
            guard index - start > 1 else { return nil }
        }
        guard index > start else { return nil }
        return Number(
            whole: isNegative ? -whole : whole, fraction: isNegative ? -fraction : fraction)
    }

    private func name(_ bytes: Span<UInt8>, _ start: Int) -> String {
        var letters: [UInt8] = []
        for position in start..<index { letters.append(bytes[position] | 0x20) }
        return String(decoding: letters, as: UTF8.self)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 48 <= 9 }
    private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 <= 25 }
    private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte &- 9 <= 4 }

    private static let units: [String: Unit] = {
        let names: [(Unit, String)] = [
            (.microsecond, "us usec usecs usecond useconds microsecond microseconds microsecon"),
            (.millisecond, "ms msec msecs msecond mseconds millisecond milliseconds millisecon"),
            (.second, "s sec secs second seconds"), (.minute, "m min mins minute minutes"),
            (.hour, "h hr hrs hour hours"), (.day, "d day days"), (.week, "w week weeks"),
            (.month, "mon mons month months"), (.year, "y yr yrs year years"),
            (.decade, "dec decs decade decades"), (.century, "c cent century centuries"),
            (.millennium, "mil mils millennia millennium"),
        ]
        var units: [String: Unit] = [:]
        for (unit, list) in names {
            for name in list.split(separator: " ") { units[String(name)] = unit }
        }
        return units
    }()
}
