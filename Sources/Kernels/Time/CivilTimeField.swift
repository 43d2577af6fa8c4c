// The fields of `extract`, `date_part` and `date_trunc`.

import Types

/// A field's name as PostgreSQL knows it.
enum CivilTimeField: Sendable {
    case microsecond, millisecond, second, minute, hour, day, week, month, quarter, year, decade
    case century, millennium, isoYear, dayOfWeek, isoDayOfWeek, dayOfYear, julian, epoch
    case zone, zoneHour, zoneMinute

    init?(_ name: some Sequence<UInt8>) {
        let text = String(decoding: name.map { $0 &- 65 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
        guard let field = Self.names[text] else { return nil }
        self = field
    }

    private static let names: [String: CivilTimeField] = {
        let lists: [(CivilTimeField, String)] = [
            (.microsecond, "microseconds microsecond us usec usecs useconds usecond microsecon"),
            (.millisecond, "milliseconds millisecond ms msec msecs mseconds msecond millisecon"),
            (.second, "second seconds sec secs s"), (.minute, "minute minutes min mins m"),
            (.hour, "hour hours hr hrs h"), (.day, "day days d"), (.week, "week weeks w"),
            (.month, "month months mon mons"), (.quarter, "quarter qtr"),
            (.year, "year years yr yrs y"), (.decade, "decade decades dec decs"),
            (.century, "century centuries cent c"),
            (.millennium, "millennium millennia mil mils"), (.isoYear, "isoyear"),
            (.dayOfWeek, "dow"), (.isoDayOfWeek, "isodow"), (.dayOfYear, "doy"),
            (.julian, "julian jd j"), (.epoch, "epoch"), (.zone, "timezone"),
            (.zoneHour, "timezone_hour timezone_h"), (.zoneMinute, "timezone_minute timezone_m"),
        ]
        var names: [String: CivilTimeField] = [:]
        for (field, list) in lists {
            for name in list.split(separator: " ") { names[String(name)] = field }
        }
        return names
    }()

    /// Digits behind the point of an extracted value (dialect.md §3.1).
    var scale: Int {
        switch self {
        case .millisecond: 3
        case .second, .epoch: 6
        default: 0
        }
    }

    /// Fields that grow with time; of an infinite time they are infinite, others are NULL.
    var isMonotonic: Bool {
        switch self {
        case .year, .isoYear, .decade, .century, .millennium, .julian, .epoch: true
        default: false
        }
    }

    /// Whether `extract` takes it from a type.
    func isKnown(of type: LogicalType) -> Bool {
        switch (type, self) {
        case (.time, .microsecond), (.time, .millisecond), (.time, .second), (.time, .minute),
            (.time, .hour), (.time, .epoch):
            true
        case (.time, _): false
        case (.interval, .week), (.interval, .isoYear), (.interval, .dayOfWeek),
            (.interval, .isoDayOfWeek), (.interval, .dayOfYear), (.interval, .julian),
            (.interval, .zone), (.interval, .zoneHour), (.interval, .zoneMinute):
            false
        case (.date, .microsecond), (.date, .millisecond), (.date, .second), (.date, .minute),
            (.date, .hour), (.date, .zone), (.date, .zoneHour), (.date, .zoneMinute),
            (.timestamp, .zone), (.timestamp, .zoneHour), (.timestamp, .zoneMinute):
            false
        default: true
        }
    }

    /// The value at `scale` of a finite timestamp; not of `julian`.
    func value(timestamp: Int64) -> Int128 {
        if self == .epoch { return Int128(timestamp) }
        let (days, microseconds) = CivilTime.split(timestamp)
        return Int128(calendar(days: days, microseconds: microseconds))
    }

    /// The value of a day and µs since midnight; not of `julian` and `epoch`.
    @inline(__always)
    func calendar(days: Int64, microseconds: Int64 = 0) -> Int64 {
        switch self {
        case .microsecond, .millisecond, .second:
            return microseconds % CivilTime.microsecondsPerMinute
        case .minute: return microseconds / CivilTime.microsecondsPerMinute % 60
        case .hour: return microseconds / CivilTime.microsecondsPerHour
        case .week: return CivilTime.isoWeek(days).week
        case .isoYear:
            let year = CivilTime.isoWeek(days).year
            return year > 0 ? year : year - 1
        case .dayOfWeek: return CivilTime.isoWeekday(days) % 7
        case .isoDayOfWeek: return CivilTime.isoWeekday(days)
        case .dayOfYear: return CivilTime.dayOfYear(days)
        case .zone, .zoneHour, .zoneMinute: return 0
        case .julian, .epoch: return 0
        default: return calendarValue(CivilTime.civil(fromDays: days))
        }
    }

    private func calendarValue(_ date: CivilTime.Date) -> Int64 {
        let year = date.year
        switch self {
        case .day: return date.day
        case .month: return date.month
        case .quarter: return (date.month - 1) / 3 + 1
        case .year: return year > 0 ? year : year - 1
        case .decade: return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10)
        case .century: return year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100)
        case .millennium: return year > 0 ? (year + 999) / 1000 : -((999 - (year - 1)) / 1000)
        default: return 0
        }
    }

    /// The value at `scale` of µs since midnight.
    func value(time: Int64) -> Int128 {
        self == .epoch ? Int128(time) : Int128(calendar(days: 0, microseconds: time))
    }

    /// The value at `scale` of an interval.
    func value(interval: IntervalValue) -> Int128 {
        let years = Int64(interval.months / 12)
        let months = Int64(interval.months % 12)
        let time = interval.microseconds
        switch self {
        case .microsecond, .millisecond, .second:
            return Int128(time % CivilTime.microsecondsPerMinute)
        case .minute: return Int128(time / CivilTime.microsecondsPerMinute % 60)
        case .hour: return Int128(time / CivilTime.microsecondsPerHour)
        case .day: return Int128(interval.days)
        case .month: return Int128(months)
        case .quarter: return Int128(months / 3 + 1)
        case .year: return Int128(years)
        case .decade: return Int128(years / 10)
        case .century: return Int128(years / 100)
        case .millennium: return Int128(years / 1000)
        case .epoch:
            // A year is 365.25 days here: in quarters of a day all is whole.
            let quarters = Int128(1461 * years + 120 * months + 4 * Int64(interval.days))
            return quarters * Int128(CivilTime.microsecondsPerDay / 4) + Int128(time)
        default: return 0
        }
    }

    /// Julian day of a timestamp, with its fraction.
    static func julian(timestamp: Int64) -> Double {
        let (days, microseconds) = CivilTime.split(timestamp)
        return Double(days + 2_440_588) + Double(microseconds) / 86_400_000_000
    }

    // MARK: Truncation

    /// Whether `date_trunc` takes it.
    var truncates: Bool {
        switch self {
        case .isoYear, .dayOfWeek, .isoDayOfWeek, .dayOfYear, .julian, .epoch, .zone, .zoneHour,
            .zoneMinute:
            false
        default: true
        }
    }

    /// The start of the field's period that a finite timestamp lies in; nil beyond the range.
    func truncated(_ timestamp: Int64) -> Int64? {
        switch self {
        case .microsecond: return timestamp
        case .millisecond: return floored(timestamp, 1000)
        case .second: return floored(timestamp, CivilTime.microsecondsPerSecond)
        case .minute: return floored(timestamp, CivilTime.microsecondsPerMinute)
        case .hour: return floored(timestamp, CivilTime.microsecondsPerHour)
        case .day: return floored(timestamp, CivilTime.microsecondsPerDay)
        default:
            let (days, _) = CivilTime.split(timestamp)
            return CivilTime.timestamp(days: truncated(days: days), microseconds: 0)
        }
    }

    @inline(__always)
    private func floored(_ value: Int64, _ unit: Int64) -> Int64? {
        let rest = value % unit
        let (result, overflow) = value.subtractingReportingOverflow(rest < 0 ? rest + unit : rest)
        return overflow || result < CivilTime.firstTimestamp ? nil : result
    }

    private func truncated(days: Int64) -> Int64 {
        if self == .week { return days - CivilTime.isoWeekday(days) + 1 }
        var date = CivilTime.civil(fromDays: days)
        let year = date.year
        switch self {
        case .month: break
        case .quarter: date.month = (date.month - 1) / 3 * 3 + 1
        default: date.month = 1
        }
        switch self {
        case .decade: date.year = year > 0 ? year / 10 * 10 : -((8 - (year - 1)) / 10) * 10
        case .century:
            date.year =
                year > 0 ? (year + 99) / 100 * 100 - 99 : -((99 - (year - 1)) / 100) * 100 + 1
        case .millennium:
            date.year =
                year > 0
                ? (year + 999) / 1000 * 1000 - 999 : -((999 - (year - 1)) / 1000) * 1000 + 1
        default: break
        }
        return CivilTime.daysFromCivil(year: date.year, month: date.month, day: 1)
    }

    /// An interval without the parts below the field; not of a week.
    func truncated(_ interval: IntervalValue) -> IntervalValue {
        var result = interval
        func time(_ unit: Int64) { result.microseconds -= result.microseconds % unit }
        func months(_ unit: Int32) {
            result.months -= result.months % unit
            result.days = 0
            result.microseconds = 0
        }
        switch self {
        case .millisecond: time(1000)
        case .second: time(CivilTime.microsecondsPerSecond)
        case .minute: time(CivilTime.microsecondsPerMinute)
        case .hour: time(CivilTime.microsecondsPerHour)
        case .day: result.microseconds = 0
        case .month: months(1)
        case .quarter: months(3)
        case .year: months(12)
        case .decade: months(120)
        case .century: months(1200)
        case .millennium: months(12000)
        default: break
        }
        return result
    }
}
