// Reading dates and times from UTF-8 bytes. ISO 8601 with four-digit years takes a path without a
// branch a byte; whatever it does not know goes to CivilTimeReader, which knows PostgreSQL's forms.

extension CivilTime {
    /// A `timestamptz`: ISO 8601 or PostgreSQL's text; without a zone it is UTC. nil when malformed
    /// or out of range. No allocation.
    public static func parseTimestampTZ(_ bytes: Span<UInt8>) -> Int64? {
        if let value = fastTimestamp(bytes, appliesZone: true) { return value }
        var reader = CivilTimeReader()
        guard reader.read(bytes) else { return nil }
        return reader.timestampTZ
    }

    /// A `timestamptz` that without a zone is told by the clock of `zone`.
    static func parseTimestampTZ(_ bytes: Span<UInt8>, in zone: TimeZoneRules) -> Int64? {
        var reader = CivilTimeReader()
        guard reader.read(bytes), let time = reader.timestampTZ else { return nil }
        return reader.hasZone ? time : zone.utc(fromLocal: time)
    }

    /// A `timestamp`: as `parseTimestampTZ`, except that a zone is read and ignored, as PostgreSQL
    /// does.
    public static func parseTimestamp(_ bytes: Span<UInt8>) -> Int64? {
        if let value = fastTimestamp(bytes, appliesZone: false) { return value }
        var reader = CivilTimeReader()
        guard reader.read(bytes) else { return nil }
        return reader.timestamp
    }

    /// A `date`; a time of day behind it is read and dropped.
    public static func parseDate(_ bytes: Span<UInt8>) -> Int64? {
        if bytes.count == 10, let days = fastDate(bytes) { return days }
        var reader = CivilTimeReader()
        guard reader.read(bytes) else { return nil }
        return reader.date
    }

    /// A `time`: µs since midnight, `24:00:00` included; a date or zone with it is dropped.
    public static func parseTime(_ bytes: Span<UInt8>) -> Int64? {
        var reader = CivilTimeReader(isTime: true)
        guard reader.read(bytes) else { return nil }
        return reader.time
    }

    /// `YYYY-MM-DD` at the front.
    @inline(__always)
    private static func fastDate(_ bytes: Span<UInt8>) -> Int64? {
        guard bytes.count >= 10 else { return nil }
        var bad: UInt8 = (bytes[4] ^ UInt8(ascii: "-")) | (bytes[7] ^ UInt8(ascii: "-"))
        let year =
            pair(bytes, 0, &bad) &* 100 &+ pair(bytes, 2, &bad)
        let month = pair(bytes, 5, &bad)
        let day = pair(bytes, 8, &bad)
        guard bad == 0, year > 0, month >= 1, month <= 12, day >= 1,
            day <= 28 || day <= daysInMonth(year: year, month: month)
        else { return nil }
        return daysFromCivil(year: year, month: month, day: day)
    }

    /// `YYYY-MM-DD(T| )HH:MM:SS[.f…][Z|±hh[[:]mm]]`; nil for any other text, valid or not.
    @inline(__always)
    private static func fastTimestamp(_ bytes: Span<UInt8>, appliesZone: Bool) -> Int64? {
        guard bytes.count >= 19, let days = fastDate(bytes) else { return nil }
        let separator = bytes[10]
        guard separator == UInt8(ascii: "T") || separator == UInt8(ascii: " ") else { return nil }
        var bad: UInt8 = (bytes[13] ^ UInt8(ascii: ":")) | (bytes[16] ^ UInt8(ascii: ":"))
        let hour = pair(bytes, 11, &bad)
        let minute = pair(bytes, 14, &bad)
        let second = pair(bytes, 17, &bad)
        guard bad == 0, hour < 24, minute < 60, second < 60 else { return nil }
        var micros = ((hour &* 60 &+ minute) &* 60 &+ second) &* microsecondsPerSecond
        var index = 19
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index &+= 1
            let end = min(bytes.count, index &+ 7)
            var fraction: Int64 = 0
            var unit: Int64 = 1_000_000
            while index < end {
                let digit = bytes[index] &- 48
                guard digit <= 9 else { break }
                fraction = fraction &* 10 &+ Int64(digit)
                unit /= 10
                index &+= 1
            }
            // unit is 10^(6 − digits); none or a seventh digit: not here.
            guard unit > 0, unit < 1_000_000 else { return nil }
            micros &+= fraction &* unit
        }
        if index < bytes.count {
            guard let offset = fastZone(bytes, index) else { return nil }
            if appliesZone { micros &-= offset }
        }
        return days &* microsecondsPerDay &+ micros
    }

    /// `Z`, `±hh`, `±hhmm`, `±hh:mm` from `index` to the end, in µs east of UTC.
    @inline(__always)
    private static func fastZone(_ bytes: Span<UInt8>, _ index: Int) -> Int64? {
        let sign = bytes[index]
        let length = bytes.count &- index
        if sign == UInt8(ascii: "Z") { return length == 1 ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), length >= 3 else {
            return nil
        }
        var bad: UInt8 = 0
        let hours = pair(bytes, index &+ 1, &bad)
        var minutes: Int64 = 0
        if length == 6 {
            bad |= bytes[index &+ 3] ^ UInt8(ascii: ":")
            minutes = pair(bytes, index &+ 4, &bad)
        } else if length == 5 {
            minutes = pair(bytes, index &+ 3, &bad)
        } else if length != 3 {
            return nil
        }
        guard bad == 0, hours <= 15, minutes < 60 else { return nil }
        let offset = (hours &* 60 &+ minutes) &* microsecondsPerMinute
        return sign == UInt8(ascii: "-") ? -offset : offset
    }

    /// Two digits; `bad` becomes non-zero if they are not.
    @inline(__always)
    private static func pair(_ bytes: Span<UInt8>, _ index: Int, _ bad: inout UInt8) -> Int64 {
        let tens = bytes[index] &- 48
        let ones = bytes[index &+ 1] &- 48
        bad |= (tens > 9 ? 1 : 0) | (ones > 9 ? 1 : 0)
        return Int64(tens) &* 10 &+ Int64(ones)
    }
}
