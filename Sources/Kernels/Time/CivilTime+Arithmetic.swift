// Time arithmetic as PostgreSQL's: months first, cut to the month's length, then days, then µs.

public import Types

extension CivilTime {
    /// timestamp + interval, in UTC for a timestamptz; nil beyond the range.
    public static func adding(_ interval: IntervalValue, to timestamp: Int64) -> Int64? {
        guard isFinite(timestamp) else { return timestamp }
        var value = timestamp
        if interval.months != 0 {
            let (days, microseconds) = split(value)
            guard
                let moved = addingMonths(Int64(interval.months), to: days),
                let sum = self.timestamp(days: moved, microseconds: microseconds)
            else { return nil }
            value = sum
        }
        if interval.days != 0 {
            let (sum, overflow) = value.addingReportingOverflow(
                Int64(interval.days) &* microsecondsPerDay)
            guard !overflow, isFinite(sum), sum >= firstTimestamp else { return nil }
            value = sum
        }
        let (sum, overflow) = value.addingReportingOverflow(interval.microseconds)
        guard !overflow, isFinite(sum), sum >= firstTimestamp else { return nil }
        return sum
    }

    /// The day so many months later, the last of its month if that is shorter.
    private static func addingMonths(_ months: Int64, to days: Int64) -> Int64? {
        var date = civil(fromDays: days)
        let total = date.year * 12 + date.month - 1 + months
        date.year = total >= 0 ? total / 12 : (total - 11) / 12
        date.month = total - date.year * 12 + 1
        date.day = min(date.day, daysInMonth(year: date.year, month: date.month))
        let result = daysFromCivil(year: date.year, month: date.month, day: date.day)
        return result >= firstDay && result <= lastDay ? result : nil
    }

    /// left − right of finite timestamps: whole days and µs.
    static func difference(_ left: Int64, _ right: Int64) -> IntervalValue? {
        let (value, overflow) = left.subtractingReportingOverflow(right)
        guard !overflow, let days = Int32(exactly: value / microsecondsPerDay) else { return nil }
        return IntervalValue(days: days, microseconds: value % microsecondsPerDay)
    }

    /// PostgreSQL's `age`: years, months and days by the calendar.
    static func age(_ left: Int64, _ right: Int64) -> IntervalValue {
        let isNegative = left < right
        let (later, earlier) = isNegative ? (right, left) : (left, right)
        let (laterDays, laterTime) = split(later)
        let (earlierDays, earlierTime) = split(earlier)
        let (to, from) = (civil(fromDays: laterDays), civil(fromDays: earlierDays))
        var time = laterTime - earlierTime
        var days = to.day - from.day
        var months = (to.year - from.year) * 12 + to.month - from.month
        if time < 0 {
            time += microsecondsPerDay
            days -= 1
        }
        // PostgreSQL borrows the length of the month of the earlier time.
        while days < 0 {
            days += daysInMonth(year: from.year, month: from.month)
            months -= 1
        }
        let sign: Int64 = isNegative ? -1 : 1
        return IntervalValue(
            months: Int32(truncatingIfNeeded: sign * months),
            days: Int32(truncatingIfNeeded: sign * days), microseconds: sign * time)
    }
}

extension IntervalValue {
    func adding(_ other: IntervalValue) -> IntervalValue? {
        let (months, first) = self.months.addingReportingOverflow(other.months)
        let (days, second) = self.days.addingReportingOverflow(other.days)
        let (time, third) = microseconds.addingReportingOverflow(other.microseconds)
        if first || second || third { return nil }
        return IntervalValue(months: months, days: days, microseconds: time)
    }

    var negated: IntervalValue? {
        if months == .min || days == .min || microseconds == .min { return nil }
        return IntervalValue(months: -months, days: -days, microseconds: -microseconds)
    }

    /// interval × factor (or ÷): what months lose goes to days (of 30), what days lose to µs, as in
    /// PostgreSQL's interval_mul.
    func scaled(by factor: Double, divides: Bool = false) -> IntervalValue? {
        @inline(__always) func scale(_ value: Double) -> Double {
            divides ? value / factor : value * factor
        }
        let exactMonths = scale(Double(months))
        let exactDays = scale(Double(days))
        guard let wholeMonths = Int32(exactlyTruncated: exactMonths),
            var wholeDays = Int32(exactlyTruncated: exactDays)
        else { return nil }
        let monthRest = rounded((exactMonths - Double(wholeMonths)) * 30)
        guard let monthDays = Int32(exactlyTruncated: monthRest) else { return nil }
        var seconds = rounded(
            (exactDays - Double(wholeDays) + monthRest - Double(monthDays)) * 86_400)
        if abs(seconds) >= 86_400 {
            guard let carried = Int32(exactlyTruncated: seconds / 86_400) else { return nil }
            wholeDays &+= carried
            seconds -= Double(carried) * 86_400
        }
        let (sum, overflow) = wholeDays.addingReportingOverflow(monthDays)
        let time = (scale(Double(microseconds)) + seconds * 1e6).rounded(.toNearestOrEven)
        guard !overflow, abs(time) < 0x1p63 else { return nil }
        return IntervalValue(months: wholeMonths, days: sum, microseconds: Int64(time))
    }

    private func rounded(_ value: Double) -> Double {
        (value * 1e6).rounded(.toNearestOrEven) / 1e6
    }

    /// 24 hours become a day.
    var justifyingHours: IntervalValue? {
        var result = self
        let (days, overflow) = Int64(self.days).addingReportingOverflow(
            microseconds / Self.microsecondsPerDay)
        result.microseconds %= Self.microsecondsPerDay
        guard !overflow, let days = Int32(exactly: days) else { return nil }
        result.days = days
        result.alignTimeWithDays()
        return result
    }

    /// 30 days become a month.
    var justifyingDays: IntervalValue? {
        var result = self
        guard let months = Int32(exactly: Int64(self.months) + Int64(days / 30)) else { return nil }
        result.months = months
        result.days %= 30
        if result.months > 0, result.days < 0 {
            result.days += 30
            result.months -= 1
        } else if result.months < 0, result.days > 0 {
            result.days -= 30
            result.months += 1
        }
        return result
    }

    /// Both, with one sign throughout.
    var justified: IntervalValue? {
        let allDays = Int64(days) + microseconds / Self.microsecondsPerDay
        guard let months = Int32(exactly: Int64(self.months) + allDays / 30) else { return nil }
        var result = IntervalValue(
            months: months, days: Int32(allDays % 30),
            microseconds: microseconds % Self.microsecondsPerDay)
        if result.months > 0, result.days < 0 || (result.days == 0 && result.microseconds < 0) {
            result.days += 30
            result.months -= 1
        } else if result.months < 0,
            result.days > 0 || (result.days == 0 && result.microseconds > 0)
        {
            result.days -= 30
            result.months += 1
        }
        result.alignTimeWithDays()
        return result
    }

    private mutating func alignTimeWithDays() {
        if days > 0, microseconds < 0 {
            microseconds += Self.microsecondsPerDay
            days -= 1
        } else if days < 0, microseconds > 0 {
            microseconds -= Self.microsecondsPerDay
            days += 1
        }
    }
}

extension Int32 {
    /// The integer part, if it is an Int32.
    fileprivate init?(exactlyTruncated value: Double) {
        guard value > -2_147_483_649, value < 2_147_483_648 else { return nil }
        self = Int32(value)
    }
}
