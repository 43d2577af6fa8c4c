// Dates and times as Delta writes them: ISO 8601, proleptic Gregorian, UTC.

/// Times that ISO 8601's four-digit years can say: 0001-01-01 to 9999-12-31, µs since 1970.
let writableTimes: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

/// Dates and times that a table can hold; what lies outside must not reach a writer.
public struct DeltaRange: Sendable {
    /// Since 1970.
    public let days: ClosedRange<Int64>
    public let microseconds: ClosedRange<Int64>

    /// In data files: what INT32 and INT64 hold, without the ends that stand for infinity.
    public static let stored = DeltaRange(
        days: Int64(Int32.min)...Int64(Int32.max), microseconds: (Int64.min + 1)...(Int64.max - 1))
    /// As values of partitions, which are text with four digits of a year.
    public static let partition = DeltaRange(
        days: -719_162...2_932_896, microseconds: writableTimes)
}

private let microsecondsPerDay: Int64 = 86_400_000_000

/// Howard Hinnant's civil_from_days.
func civilDate(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
        (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (
        yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
        dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    )
}

/// Its inverse, days_from_civil.
func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// `2026-11-23`.
func dateText(days: Int64) -> String {
    let date = civilDate(days: days)
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
}

/// `2026-11-23`, the separator, `17:00:00.123456` with 3 or 6 digits of a second.
func timestampText(microseconds: Int64, separator: String, digits: Int) -> String {
    let day = floorDivided(microseconds, microsecondsPerDay)
    let time = microseconds - day * microsecondsPerDay
    let fraction = time % 1_000_000
    let seconds = time / 1_000_000
    let clock =
        "\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
    let shown = digits == 3 ? padded(fraction / 1_000, 3) : padded(fraction, 6)
    return "\(dateText(days: day))\(separator)\(clock).\(shown)"
}

func floorDivided(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
}

/// `[-]yyyy-mm-dd` to days since 1970; nil if it is something else.
func parseDate(_ text: some StringProtocol) -> Int64? {
    let isNegative = text.hasPrefix("-")
    let parts = text.dropFirst(isNegative ? 1 : 0).split(
        separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let year = Int64(parts[0]), let month = Int64(parts[1]),
        let day = Int64(parts[2]), (1...12).contains(month), (1...31).contains(day),
        year <= 300_000
    else { return nil }
    return days(year: isNegative ? -year : year, month: month, day: day)
}

/// A date, `T` or a space, a time, and `Z` or nothing; to µs since 1970.
func parseTimestamp(_ text: String) -> Int64? {
    var body = text[...]
    if body.hasSuffix("Z") { body = body.dropLast() }
    if body.hasSuffix("+00:00") { body = body.dropLast(6) }
    guard let middle = body.firstIndex(where: { $0 == "T" || $0 == " " }) else {
        return parseDate(body).map { $0 * microsecondsPerDay }
    }
    guard let day = parseDate(body[..<middle]) else { return nil }
    let clock = body[body.index(after: middle)...].split(
        separator: ":", omittingEmptySubsequences: false)
    guard clock.count >= 2, let hour = Int64(clock[0]), let minute = Int64(clock[1]) else {
        return nil
    }
    var microseconds: Int64 = 0
    if clock.count == 3 {
        let second = clock[2].split(separator: ".", omittingEmptySubsequences: false)
        guard second.count <= 2, let whole = Int64(second[0]) else { return nil }
        microseconds = whole * 1_000_000
        if second.count == 2 {
            let digits = String(second[1].prefix(6))
            guard let fraction = Int64(digits), fraction >= 0 else { return nil }
            var scaled = fraction
            for _ in digits.count..<6 { scaled *= 10 }
            microseconds += scaled
        }
    }
    return day * microsecondsPerDay + hour * 3_600_000_000 + minute * 60_000_000 + microseconds
}
