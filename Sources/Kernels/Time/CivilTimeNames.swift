// The words of dates: months, weekdays, AM, BC and the zone abbreviations of PostgreSQL's default
// set.

enum CivilTimeNames {
    enum Word { case beforeChrist, annoDomini, morning, afternoon, infinity, epoch, midnight }

    static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    ]

    /// Monday first.
    static let weekdays = [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ]

    private static let monthBytes = months.map { Array($0.utf8) }
    private static let weekdayBytes = weekdays.map { Array($0.utf8) }

    /// The month (1 … 12) named by `bytes[start..<end]`: in full, by three letters, or `sept`.
    static func month(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int64? {
        for number in monthBytes.indices
        where isName(monthBytes[number], bytes, start, end, extra: 4, of: 8, number) {
            return Int64(number + 1)
        }
        return nil
    }

    static func isWeekday(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        for number in weekdayBytes.indices
        where isName(weekdayBytes[number], bytes, start, end, extra: 4, of: 3, number) {
            return true
        }
        return false
    }

    /// Whether the text is the whole name or its first three letters (`extra` letters for name
    /// `of`).
    private static func isName(
        _ name: [UInt8], _ bytes: Span<UInt8>, _ start: Int, _ end: Int, extra: Int, of which: Int,
        _ number: Int
    ) -> Bool {
        let length = end - start
        guard length == name.count || length == 3 || (length == extra && number == which),
            length <= name.count
        else { return false }
        for index in 0..<length where bytes[start + index] | 0x20 != name[index] { return false }
        return true
    }

    static func word(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Word? {
        switch end - start {
        case 2:
            let first = bytes[start] | 0x20
            let second = bytes[start + 1] | 0x20
            switch (first, second) {
            case (UInt8(ascii: "b"), UInt8(ascii: "c")): return .beforeChrist
            case (UInt8(ascii: "a"), UInt8(ascii: "d")): return .annoDomini
            case (UInt8(ascii: "a"), UInt8(ascii: "m")): return .morning
            case (UInt8(ascii: "p"), UInt8(ascii: "m")): return .afternoon
            default: return nil
            }
        case 5 where matches("epoch", bytes, start): return .epoch
        case 8 where matches("infinity", bytes, start): return .infinity
        case 8 where matches("allballs", bytes, start): return .midnight
        default: return nil
        }
    }

    private static func matches(_ word: StaticString, _ bytes: Span<UInt8>, _ start: Int) -> Bool {
        var index = start
        for scalar in String(describing: word).utf8 {
            guard bytes[index] | 0x20 == scalar else { return false }
            index += 1
        }
        return true
    }

    /// An abbreviation's offset, seconds east of UTC.
    static func zoneOffset(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int64? {
        guard end - start <= 5 else { return nil }
        var name: UInt64 = 0
        for index in start..<end {
            guard (bytes[index] | 0x20) &- 97 <= 25 else { return nil }
            name = name << 8 | UInt64(bytes[index] | 0x20)
        }
        return abbreviations[name].map { Int64($0 * 60) }
    }

    /// By the name's bytes; minutes east of UTC.
    private static let abbreviations: [UInt64: Int] = {
        let table: [(String, Int)] = [
            ("z", 0), ("utc", 0), ("gmt", 0), ("ut", 0), ("zulu", 0), ("wet", 0), ("west", 60),
            ("bst", 60), ("cet", 60), ("cest", 120), ("met", 60), ("mest", 120), ("eet", 120),
            ("eest", 180), ("msk", 180), ("ist", 120), ("idt", 180), ("sast", 120), ("eat", 180),
            ("pkt", 300), ("jst", 540), ("kst", 540), ("hkt", 480), ("awst", 480), ("acst", 570),
            ("acdt", 630), ("aest", 600), ("aedt", 660), ("nzst", 720), ("nzdt", 780),
            ("ast", -240), ("adt", -180), ("est", -300), ("edt", -240), ("cst", -360),
            ("cdt", -300), ("mst", -420), ("mdt", -360), ("pst", -480), ("pdt", -420),
            ("akst", -540), ("akdt", -480), ("hst", -600), ("nst", -210), ("ndt", -150),
            ("brt", -180), ("art", -180), ("clt", -240), ("sgt", 480),
        ]
        return Dictionary(
            uniqueKeysWithValues: table.map { name, minutes in
                (name.utf8.reduce(0) { $0 << 8 | UInt64($1) }, minutes)
            })
    }()
}
