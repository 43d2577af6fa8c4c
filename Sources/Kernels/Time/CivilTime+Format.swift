// Writing dates and times into a buffer: PostgreSQL's text (DateStyle ISO) and ISO 8601.

extension CivilTime {
    /// `2026-01-01`, `0044-03-15 BC`, `infinity`.
    public static func appendDate(_ days: Int64, to output: inout [UInt8]) {
        guard isFinite(days) else { return appendInfinity(days, to: &output) }
        let date = civil(fromDays: days)
        appendDateFields(date, to: &output)
        if date.year <= 0 { output.append(contentsOf: " BC".utf8) }
    }

    /// `12:34:56.789`; `24:00:00` at the end of the day.
    public static func appendTime(_ microseconds: Int64, to output: inout [UInt8]) {
        let seconds = microseconds / microsecondsPerSecond
        appendPair(seconds / 3600, to: &output)
        output.append(UInt8(ascii: ":"))
        appendPair(seconds / 60 % 60, to: &output)
        output.append(UInt8(ascii: ":"))
        appendPair(seconds % 60, to: &output)
        appendFraction(microseconds % microsecondsPerSecond, to: &output)
    }

    /// `2026-01-01 12:34:56.789`, ` BC` behind it where it must be.
    public static func appendTimestamp(_ timestamp: Int64, to output: inout [UInt8]) {
        guard isFinite(timestamp) else { return appendInfinity(timestamp, to: &output) }
        let (days, microseconds) = split(timestamp)
        let date = civil(fromDays: days)
        appendDateAndTime(date, " ", microseconds, to: &output)
        if date.year <= 0 { output.append(contentsOf: " BC".utf8) }
    }

    /// `2026-01-01 12:34:56.789+00`: the time at `offset` seconds east of UTC, and that offset.
    public static func appendTimestampTZ(
        _ timestamp: Int64, offset: Int64 = 0, to output: inout [UInt8]
    ) {
        guard isFinite(timestamp) else { return appendInfinity(timestamp, to: &output) }
        let local = timestamp.addingReportingOverflow(offset &* microsecondsPerSecond)
        let (days, microseconds) = split(local.overflow ? timestamp : local.partialValue)
        let date = civil(fromDays: days)
        appendDateAndTime(date, " ", microseconds, to: &output)
        appendOffset(local.overflow ? 0 : offset, to: &output)
        if date.year <= 0 { output.append(contentsOf: " BC".utf8) }
    }

    /// `2026-01-01T12:34:56.789Z` (timestamptz). Years outside 1 … 9999 keep PostgreSQL's form.
    public static func appendISOTimestampTZ(_ timestamp: Int64, to output: inout [UInt8]) {
        guard isFinite(timestamp) else { return appendInfinity(timestamp, to: &output) }
        appendISOTimestamp(timestamp, zone: true, to: &output)
    }

    /// `2026-01-01T12:34:56.789` (timestamp).
    public static func appendISOTimestamp(_ timestamp: Int64, to output: inout [UInt8]) {
        guard isFinite(timestamp) else { return appendInfinity(timestamp, to: &output) }
        appendISOTimestamp(timestamp, zone: false, to: &output)
    }

    private static func appendISOTimestamp(
        _ timestamp: Int64, zone: Bool, to output: inout [UInt8]
    ) {
        let (days, microseconds) = split(timestamp)
        let date = civil(fromDays: days)
        appendDateAndTime(date, "T", microseconds, to: &output)
        if zone { output.append(UInt8(ascii: "Z")) }
        if date.year <= 0 { output.append(contentsOf: " BC".utf8) }
    }

    /// The usual years in one piece, which is twice as fast as byte by byte.
    @inline(__always)
    private static func appendDateAndTime(
        _ date: Date, _ separator: Unicode.Scalar, _ microseconds: Int64,
        to output: inout [UInt8]
    ) {
        if date.year >= 1, date.year <= 9999 {
            output.append(addingCapacity: 27) { write(date, separator, microseconds, to: &$0) }
            return
        }
        appendDateFields(date, to: &output)
        output.append(UInt8(ascii: separator))
        appendTime(microseconds, to: &output)
    }

    /// `YYYY-MM-DD`, the separator, `HH:MM:SS[.f]`: at most 26 bytes.
    @inline(__always)
    private static func write(
        _ date: Date, _ separator: Unicode.Scalar, _ microseconds: Int64,
        to output: inout OutputSpan<UInt8>
    ) {
        let dash = UInt8(ascii: "-")
        let colon = UInt8(ascii: ":")
        let seconds = UInt32(truncatingIfNeeded: microseconds / microsecondsPerSecond)
        let year = UInt32(truncatingIfNeeded: date.year)
        writePair(year / 100, to: &output)
        writePair(year % 100, to: &output)
        output.append(dash)
        writePair(UInt32(truncatingIfNeeded: date.month), to: &output)
        output.append(dash)
        writePair(UInt32(truncatingIfNeeded: date.day), to: &output)
        output.append(UInt8(ascii: separator))
        writePair(seconds / 3600, to: &output)
        output.append(colon)
        writePair(seconds / 60 % 60, to: &output)
        output.append(colon)
        writePair(seconds % 60, to: &output)
        var rest = UInt32(truncatingIfNeeded: microseconds % microsecondsPerSecond)
        guard rest != 0 else { return }
        output.append(UInt8(ascii: "."))
        var unit: UInt32 = 100_000
        while rest != 0 {
            output.append(UInt8(truncatingIfNeeded: 48 &+ rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    @inline(__always)
    private static func writePair(_ value: UInt32, to output: inout OutputSpan<UInt8>) {
        output.append(UInt8(truncatingIfNeeded: 48 &+ value / 10))
        output.append(UInt8(truncatingIfNeeded: 48 &+ value % 10))
    }

    /// `+00`, `-03:30`, `+00:19:32`.
    public static func appendOffset(_ seconds: Int64, to output: inout [UInt8]) {
        let size = seconds.magnitude
        output.append(seconds < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        appendPair(Int64(size / 3600), to: &output)
        let minutes = size / 60 % 60
        if size % 3600 != 0 {
            output.append(UInt8(ascii: ":"))
            appendPair(Int64(minutes), to: &output)
        }
        if size % 60 != 0 {
            output.append(UInt8(ascii: ":"))
            appendPair(Int64(size % 60), to: &output)
        }
    }

    private static func appendInfinity(_ value: Int64, to output: inout [UInt8]) {
        if value < 0 { output.append(UInt8(ascii: "-")) }
        output.append(contentsOf: "infinity".utf8)
    }

    /// `YYYY-MM-DD`, the year with as many digits as it needs, at least four, counted from 1 BC
    /// backwards.
    private static func appendDateFields(_ date: Date, to output: inout [UInt8]) {
        let year = date.year > 0 ? date.year : 1 - date.year
        if year > 9999 {
            output.append(contentsOf: String(year).utf8)
        } else {
            appendPair(year / 100, to: &output)
            appendPair(year % 100, to: &output)
        }
        output.append(UInt8(ascii: "-"))
        appendPair(date.month, to: &output)
        output.append(UInt8(ascii: "-"))
        appendPair(date.day, to: &output)
    }

    /// Two digits, or as many as a larger number has.
    static func appendPair(_ value: Int64, to output: inout [UInt8]) {
        if value > 99 {
            output.append(contentsOf: String(value).utf8)
        } else {
            output.append(UInt8(truncatingIfNeeded: 48 &+ value / 10))
            output.append(UInt8(truncatingIfNeeded: 48 &+ value % 10))
        }
    }

    /// `.789`: six digits without their last zeros; nothing for none.
    static func appendFraction(_ microseconds: Int64, to output: inout [UInt8]) {
        guard microseconds != 0 else { return }
        output.append(UInt8(ascii: "."))
        var rest = microseconds
        var unit: Int64 = 100_000
        while rest != 0 {
            output.append(UInt8(truncatingIfNeeded: 48 &+ rest / unit))
            rest %= unit
            unit /= 10
        }
    }
}
