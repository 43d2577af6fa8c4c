// Dates, times and intervals: text in, value out and back, against PostgreSQL's documented forms.

import Kernels
import Testing
import Types

@Suite struct CivilTimeTests {
    private func timestamp(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        return CivilTime.parseTimestampTZ(bytes.span)
    }

    private func text(_ append: (inout [UInt8]) -> Void) -> String {
        var bytes: [UInt8] = []
        append(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func everyDayOf800YearsGoesThereAndBack() {
        var expected = CivilTime.Date(year: 1600, month: 1, day: 1)
        var day = CivilTime.daysFromCivil(year: 1600, month: 1, day: 1)
        while expected.year < 2400 {
            #expect(CivilTime.civil(fromDays: day) == expected)
            day += 1
            expected.day += 1
            if expected.day > CivilTime.daysInMonth(year: expected.year, month: expected.month) {
                expected.day = 1
                expected.month += 1
            }
            if expected.month > 12 {
                expected.month = 1
                expected.year += 1
            }
        }
        #expect(CivilTime.daysFromCivil(year: 1970, month: 1, day: 1) == 0)
        #expect(CivilTime.daysFromCivil(year: 2000, month: 3, day: 1) == 11017)
    }

    @Test(arguments: [
        ("2026-01-01T12:34:56.789Z", "2026-01-01 12:34:56.789+00"),
        ("2026-01-01 12:34:56+02", "2026-01-01 10:34:56+00"),
        ("2026-01-01 12:34:56-0330", "2026-01-01 16:04:56+00"),
        ("2026-01-01T12:34:56.123456-08:00", "2026-01-01 20:34:56.123456+00"),
        ("2026-01-01T12:34:56.1234567Z", "2026-01-01 12:34:56.123457+00"),
        ("2026-01-01", "2026-01-01 00:00:00+00"),
        ("2026-01-01 24:00:00", "2026-01-02 00:00:00+00"),
        ("20260101T123456", "2026-01-01 12:34:56+00"),
        ("January 8, 1999 04:05:06 PM PST", "1999-01-09 00:05:06+00"),
        ("1999-Jan-08", "1999-01-08 00:00:00+00"), ("1/8/1999", "1999-01-08 00:00:00+00"),
        ("08-Jan-99", "1999-01-08 00:00:00+00"), ("1999.008", "1999-01-08 00:00:00+00"),
        ("J2451187", "1999-01-08 00:00:00+00"), ("epoch", "1970-01-01 00:00:00+00"),
        ("0044-03-15 12:00 BC", "0044-03-15 12:00:00+00 BC"),
        ("infinity", "infinity"), ("-infinity", "-infinity"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999999+00"),
        ("2026-07-01 12:00:00 America/New_York", "2026-07-01 16:00:00+00"),
        ("2026-03-29 02:30:00 Europe/Berlin", "2026-03-29 01:30:00+00"),
        ("2026-10-25 02:30:00 europe/berlin", "2026-10-25 01:30:00+00"),
        ("2950-07-01 12:00:00 Europe/Berlin", "2950-07-01 10:00:00+00"),
    ]) func timestampsAreReadAsPostgreSQLReadsThem(_ input: String, _ expected: String) {
        let value = timestamp(input)
        #expect(value != nil)
        let written = value.map { value in text { CivilTime.appendTimestampTZ(value, to: &$0) } }
        #expect(written == expected)
    }

    @Test(arguments: [
        "", " ", "2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-01T25:00:00Z",
        "2026-01-01T12:60:00Z", "2026-01-01T12:34:56+99", "2026-01-01T12:34:56.Zx", "0000-01-01",
        "yesterday", "2026-01-01T12:34:56 Mars/Olympus", "294248-01-01", "4800-01-01 BC",
        "2026-01-01 12:34:56 12:34", "2026-01-01T12:34:56+", "2026-01-01T12:34:56Z Z",
        "12:34:56", "99999999999999999999-01-01", "2026-01-01T12:34:56Zjunk", "../etc/passwd",
        "2026-01-01T24:00:01Z", "13:00:00 PM 2026-01-01",
    ]) func brokenTimestampsAreRefused(_ input: String) { #expect(timestamp(input) == nil) }

    @Test func isoFormatHasZ() {
        let value = timestamp("2026-01-01T12:34:56.789Z") ?? 0
        #expect(
            text { CivilTime.appendISOTimestampTZ(value, to: &$0) } == "2026-01-01T12:34:56.789Z")
    }

    @Test(arguments: [
        ("10 seconds", "00:00:10"), ("1 day 02:03:04", "1 day 02:03:04"), ("1-2", "1 year 2 mons"),
        ("P1DT2H", "1 day 02:00:00"), ("1 day ago", "-1 days"), ("1.5 days", "1 day 12:00:00"),
        ("1.5 months", "1 mon 15 days"), ("-1 day +02:03:04", "-1 days +02:03:04"),
        ("@ 1 minute", "00:01:00"), ("90", "00:01:30"), ("1 02:03", "1 day 02:03:00"),
        ("1 week", "7 days"), ("0", "00:00:00"),
        ("1 year 2 mons 3 days 4 hours", "1 year 2 mons 3 days 04:00:00"),
        ("1.234567 seconds", "00:00:01.234567"),
        ("P0001-02-03T04:05:06", "1 year 2 mons 3 days 04:05:06"),
        ("100 hours", "100:00:00"), ("10s", "00:00:10"), ("500ms", "00:00:00.5"),
        ("1 mon -1 day", "1 mon -1 days"), ("-1 mon 1 day", "-1 mons +1 day"),
        ("1:30.5", "00:01:30.5"), ("PT0.5S", "00:00:00.5"), ("1 decade", "10 years"),
    ]) func intervalsAreReadAsPostgreSQLReadsThem(_ input: String, _ expected: String) {
        let value = IntervalText.parse(input)
        #expect(value != nil)
        #expect(value.map { value in text { IntervalText.append(value, to: &$0) } } == expected)
    }

    @Test(arguments: [
        "", "day", "1 parsec", "1 day 1 day", "1 2 days", "P", "10 seconds later", "1:99",
        "99999999999 years", "ago", "1 day ago 2 hours", "--1 day",
    ]) func brokenIntervalsAreRefused(_ input: String) { #expect(IntervalText.parse(input) == nil) }
}
