// The text of intervals as PostgreSQL writes it (IntervalStyle postgres); reading stands in
// IntervalReader.swift.

public import Types

/// Interval text.
public enum IntervalText {
    /// Reads PostgreSQL's interval input: `10 seconds`, `1 day 02:03:04`, `1-2`, `P1DT2H`, `… ago`,
    /// fractions. nil when malformed or out of range.
    public static func parse(_ bytes: Span<UInt8>) -> IntervalValue? {
        var reader = IntervalReader()
        return reader.read(bytes)
    }

    /// As `parse` of a string's UTF-8; for options and constants.
    public static func parse(_ text: String) -> IntervalValue? {
        let bytes = Array(text.utf8)
        return parse(bytes.span)
    }

    /// `1 year 2 mons -3 days +04:05:06.789`; `00:00:00` for nothing.
    public static func append(_ interval: IntervalValue, to output: inout [UInt8]) {
        var writer = Writer()
        writer.append(Int64(interval.months / 12), "year", to: &output)
        writer.append(Int64(interval.months % 12), "mon", to: &output)
        writer.append(Int64(interval.days), "day", to: &output)
        writer.appendTime(interval.microseconds, to: &output)
    }

    /// PostgreSQL's AddPostgresIntPart: a positive part behind a negative one gets a plus.
    private struct Writer {
        var isFirst = true
        var wasNegative = false

        mutating func append(_ value: Int64, _ unit: StaticString, to output: inout [UInt8]) {
            guard value != 0 else { return }
            if !isFirst { output.append(UInt8(ascii: " ")) }
            if wasNegative, value > 0 { output.append(UInt8(ascii: "+")) }
            output.append(contentsOf: String(value).utf8)
            output.append(UInt8(ascii: " "))
            output.append(contentsOf: unit.description.utf8)
            if value != 1 { output.append(UInt8(ascii: "s")) }
            isFirst = false
            wasNegative = value < 0
        }

        mutating func appendTime(_ microseconds: Int64, to output: inout [UInt8]) {
            guard isFirst || microseconds != 0 else { return }
            if !isFirst { output.append(UInt8(ascii: " ")) }
            if microseconds < 0 {
                output.append(UInt8(ascii: "-"))
            } else if wasNegative {
                output.append(UInt8(ascii: "+"))
            }
            let size = microseconds.magnitude
            let seconds = Int64(size / 1_000_000)
            CivilTime.appendPair(seconds / 3600, to: &output)
            output.append(UInt8(ascii: ":"))
            CivilTime.appendPair(seconds / 60 % 60, to: &output)
            output.append(UInt8(ascii: ":"))
            CivilTime.appendPair(seconds % 60, to: &output)
            CivilTime.appendFraction(Int64(size % 1_000_000), to: &output)
        }
    }
}
