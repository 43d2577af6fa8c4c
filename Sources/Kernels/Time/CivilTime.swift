// The proleptic Gregorian calendar: days and microseconds since 1970-01-01 to and from civil
// fields.
//
// Days are counted by Howard Hinnant's method ("chrono-Compatible Low-Level Date Algorithms"):
// years start in March, so that the leap day is a year's last, and an era is 400 years of 146,097
// days.

/// Calendar arithmetic, parsing and formatting of date, time, timestamp and timestamptz.
///
/// Dates are days since 1970-01-01, times µs since midnight, timestamps µs since 1970-01-01 00:00
/// (timestamptz: UTC). Years are astronomical: 0 is 1 BC. All three know `infinity`.
public enum CivilTime {
    public static let infinity = Int64.max
    public static let minusInfinity = Int64.min
    public static let microsecondsPerSecond: Int64 = 1_000_000
    public static let microsecondsPerMinute: Int64 = 60_000_000
    public static let microsecondsPerHour: Int64 = 3_600_000_000
    public static let microsecondsPerDay: Int64 = 86_400_000_000

    /// PostgreSQL's first day, Julian day 0: 4714-11-24 BC.
    public static let firstDay = daysFromCivil(year: -4713, month: 11, day: 24)
    /// PostgreSQL's last day: 5874897-12-31.
    public static let lastDay = daysFromCivil(year: 5_874_897, month: 12, day: 31)
    /// The first finite timestamp; the last is `Int64.max − 1`, in January 294247.
    public static let firstTimestamp = firstDay * microsecondsPerDay

    /// A day's date. Any Int64 day within ± 10¹² is fine.
    public struct Date: Sendable, Hashable, BitwiseCopyable {
        public var year: Int64
        public var month: Int64
        public var day: Int64

        @inlinable
        public init(year: Int64, month: Int64, day: Int64) {
            self.year = year
            self.month = month
            self.day = day
        }
    }

    /// Days since 1970-01-01. The day may lie outside its month; the month is 1 … 12.
    @inlinable
    public static func daysFromCivil(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year &- 1 : year
        let era = (shifted >= 0 ? shifted : shifted &- 399) / 400
        let yearOfEra = shifted &- era &* 400
        let monthFromMarch = month > 2 ? month &- 3 : month &+ 9
        let dayOfYear = (153 &* monthFromMarch &+ 2) / 5 &+ day &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return era &* 146_097 &+ dayOfEra &- 719_468
    }

    /// The date of a day since 1970-01-01.
    @inlinable
    public static func civil(fromDays days: Int64) -> Date {
        let shifted = days &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra =
            (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let monthFromMarch = (5 &* dayOfYear &+ 2) / 153
        let day = dayOfYear &- (153 &* monthFromMarch &+ 2) / 5 &+ 1
        let month = monthFromMarch < 10 ? monthFromMarch &+ 3 : monthFromMarch &- 9
        let year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
        return Date(year: year, month: month, day: day)
    }

    @inlinable
    public static func isLeap(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// The length of a month (1 … 12).
    @inlinable
    public static func daysInMonth(year: Int64, month: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// A finite timestamp's day and its µs since midnight (0 ..< a day), also before 1970.
    @inlinable
    public static func split(_ timestamp: Int64) -> (days: Int64, microseconds: Int64) {
        var days = timestamp / microsecondsPerDay
        var rest = timestamp % microsecondsPerDay
        if rest < 0 {
            rest &+= microsecondsPerDay
            days &-= 1
        }
        return (days, rest)
    }

    /// A timestamp from a day and µs of it (any number); nil outside the range.
    @inlinable
    public static func timestamp(days: Int64, microseconds: Int64) -> Int64? {
        let (scaled, overflow) = days.multipliedReportingOverflow(by: microsecondsPerDay)
        let (sum, carry) = scaled.addingReportingOverflow(microseconds)
        guard !carry else { return nil }
        guard !overflow, isFinite(sum), sum >= firstTimestamp else { return nil }
        return sum
    }

    @inlinable
    public static func isFinite(_ value: Int64) -> Bool {
        value != infinity && value != minusInfinity
    }

    /// Monday 1 … Sunday 7.
    @inlinable
    public static func isoWeekday(_ days: Int64) -> Int64 {
        let fromMonday = (days &+ 3) % 7
        return (fromMonday < 0 ? fromMonday &+ 7 : fromMonday) &+ 1
    }

    /// 1 … 366.
    public static func dayOfYear(_ days: Int64) -> Int64 {
        days - daysFromCivil(year: civil(fromDays: days).year, month: 1, day: 1) + 1
    }

    /// The ISO 8601 week (1 … 53) and the year that it belongs to: that of its Thursday.
    public static func isoWeek(_ days: Int64) -> (year: Int64, week: Int64) {
        let thursday = days - isoWeekday(days) + 4
        let year = civil(fromDays: thursday).year
        let first = daysFromCivil(year: year, month: 1, day: 1)
        return (year, (thursday - first) / 7 + 1)
    }

    /// The Monday on which an ISO year begins.
    public static func firstDay(ofISOYear year: Int64) -> Int64 {
        let fourth = daysFromCivil(year: year, month: 1, day: 4)
        return fourth - isoWeekday(fourth) + 1
    }
}
