// Reading TZif files (RFC 8536) and the POSIX rule in their last line.

import Glibc

extension TimeZoneRules {
    private static let directory = "/usr/share/zoneinfo/"
    /// The largest file of tzdata has under 4 kB.
    private static let fileLimit = 1 << 18

    /// The zone in tzdata's file `name`; nil if there is none, or it is not a TZif file.
    convenience init?(file name: String) {
        let isPlain = name.utf8.allSatisfy { byte in
            (byte | 0x20) &- 97 <= 25 || byte &- 48 <= 9 || "/_+-".utf8.contains(byte)
        }
        guard isPlain, !name.isEmpty, !name.hasPrefix("/"),
            let bytes = Self.contents(of: Self.directory + name)
        else { return nil }
        self.init(tzif: bytes)
    }

    private static func contents(of path: String) -> [UInt8]? {
        guard let file = unsafe fopen(path, "rbe") else { return nil }
        // SAFETY: `file` is open until here and used by this function alone.
        defer { unsafe fclose(file) }
        // SAFETY: the closure gets `fileLimit` writable bytes, and no more are asked for.
        return unsafe [UInt8](unsafeUninitializedCapacity: fileLimit) { buffer, count in
            unsafe count = fread(buffer.baseAddress, 1, fileLimit, file)
        }
    }

    /// The second part of the file has 64-bit times; RFC 8536 §3.1.
    convenience init?(tzif bytes: [UInt8]) {
        guard let first = Header(bytes, at: 0), first.version >= 50,
            let header = Header(bytes, at: 44 + first.byteCount(timeSize: 4))
        else { return nil }
        let start = 44 + first.byteCount(timeSize: 4) + 44
        let end = start + header.byteCount(timeSize: 8)
        guard end <= bytes.count, header.typeCount > 0 else { return nil }
        let body = Body(bytes: bytes, start: start, header: header)
        guard let types = body.types else { return nil }
        var transitions: [Int64] = []
        var phases = [types[0]]
        for index in 0..<header.timeCount {
            let type = body.type(of: index)
            guard type < types.count else { return nil }
            transitions.append(body.time(index))
            phases.append(types[type])
        }
        let footer = Array(bytes[end...].drop { $0 == 10 }.prefix { $0 != 10 })
        if let rule = PosixZone(footer) {
            let whole = rule.expanded(after: transitions, phases: phases)
            self.init(transitions: whole.transitions, phases: whole.phases)
        } else {
            self.init(transitions: transitions, phases: phases)
        }
    }
}

private struct Header {
    let version: UInt8
    let universalCount: Int
    let standardCount: Int
    let leapCount: Int
    let timeCount: Int
    let typeCount: Int
    let characterCount: Int

    init?(_ bytes: [UInt8], at start: Int) {
        guard start + 44 <= bytes.count, bytes[start..<start + 4].elementsEqual("TZif".utf8)
        else { return nil }
        version = bytes[start + 4]
        let counts = (0..<6).map { Int(bigEndian(bytes, start + 20 + $0 * 4, 4)) }
        guard counts.allSatisfy({ $0 >= 0 && $0 < 1 << 20 }) else { return nil }
        universalCount = counts[0]
        standardCount = counts[1]
        leapCount = counts[2]
        timeCount = counts[3]
        typeCount = counts[4]
        characterCount = counts[5]
    }

    /// The length of the data behind the header.
    func byteCount(timeSize: Int) -> Int {
        timeCount * (timeSize + 1) + typeCount * 6 + characterCount + leapCount * (timeSize + 4)
            + standardCount + universalCount
    }
}

/// The arrays of a version 2 data block.
private struct Body {
    let bytes: [UInt8]
    let start: Int
    let header: Header

    func time(_ index: Int) -> Int64 { bigEndian(bytes, start + index * 8, 8) }
    func type(of index: Int) -> Int { Int(bytes[start + header.timeCount * 8 + index]) }

    var types: [TimeZoneRules.Phase]? {
        let table = start + header.timeCount * 9
        let names = table + header.typeCount * 6
        let end = names + header.characterCount
        var phases: [TimeZoneRules.Phase] = []
        for index in 0..<header.typeCount {
            let offset = bigEndian(bytes, table + index * 6, 4)
            let name = names + Int(bytes[table + index * 6 + 5])
            guard name < end else { return nil }
            let text = bytes[name..<end].prefix { $0 != 0 }
            phases.append(
                TimeZoneRules.Phase(
                    offset: offset, abbreviation: String(decoding: text, as: UTF8.self)))
        }
        return phases
    }
}

private func bigEndian(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64 {
    var value: UInt64 = 0
    for index in start..<start + count { value = value << 8 | UInt64(bytes[index]) }
    return count == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
}

/// A POSIX TZ rule: `CET-1CEST,M3.5.0,M10.5.0/3` (IEEE 1003.1, "TZ").
struct PosixZone {
    let standard: TimeZoneRules.Phase
    let summer: TimeZoneRules.Phase?
    private let begin: Day
    private let end: Day

    private struct Day {
        /// Jn, n, Mm.w.d.
        enum Kind {
            case julian(Int64), zeroBased(Int64), week(month: Int64, week: Int64, day: Int64)
        }
        let kind: Kind
        /// Seconds of local time.
        let second: Int64

        func seconds(year: Int64) -> Int64 {
            let newYear = CivilTime.daysFromCivil(year: year, month: 1, day: 1)
            let days: Int64
            switch kind {
            case .zeroBased(let number): days = newYear + number
            case .julian(let number):
                days = newYear + number - 1 + (CivilTime.isLeap(year) && number >= 60 ? 1 : 0)
            case .week(let month, let week, let day):
                let first = CivilTime.daysFromCivil(year: year, month: month, day: 1)
                let ahead = (day - CivilTime.isoWeekday(first) % 7 + 7) % 7
                let last = first + CivilTime.daysInMonth(year: year, month: month)
                var candidate = first + ahead + (week - 1) * 7
                if candidate >= last { candidate -= 7 }
                days = candidate
            }
            return days * 86_400 + second
        }
    }

    init?(_ text: [UInt8]) {
        var cursor = Cursor(text: text)
        guard let name = cursor.name(), let offset = cursor.offset() else { return nil }
        standard = TimeZoneRules.Phase(offset: -offset, abbreviation: name)
        guard !cursor.isAtEnd else {
            summer = nil
            begin = Day(kind: .zeroBased(0), second: 0)
            end = begin
            return
        }
        guard let summerName = cursor.name() else { return nil }
        var summerOffset = 3600 - offset
        if !cursor.isAtEnd, cursor.next != UInt8(ascii: ",") {
            guard let value = cursor.offset() else { return nil }
            summerOffset = -value
        }
        summer = TimeZoneRules.Phase(offset: summerOffset, abbreviation: summerName)
        guard !cursor.isAtEnd else {
            begin = Day(kind: .week(month: 3, week: 2, day: 0), second: 7200)
            end = Day(kind: .week(month: 11, week: 1, day: 0), second: 7200)
            return
        }
        guard let begin = cursor.day(), let end = cursor.day(), cursor.isAtEnd else { return nil }
        self.begin = begin
        self.end = end
    }

    /// The transitions of this rule behind those given, up to 2437.
    func expanded(
        after known: [Int64], phases: [TimeZoneRules.Phase]
    ) -> TimeZoneRules {
        guard let summer else {
            return TimeZoneRules(transitions: known, phases: phases)
        }
        var transitions = known
        var phases = phases
        let firstYear =
            known.last.map { CivilTime.civil(fromDays: $0 / 86_400).year } ?? 1970
        for year in firstYear...2437 {
            let pair = [
                (begin.seconds(year: year) - standard.offset, summer),
                (end.seconds(year: year) - summer.offset, standard),
            ]
            for (time, phase) in pair.sorted(by: { $0.0 < $1.0 })
            where time > transitions.last ?? .min {
                transitions.append(time)
                phases.append(phase)
            }
        }
        return TimeZoneRules(transitions: transitions, phases: phases)
    }

    private struct Cursor {
        let text: [UInt8]
        var index = 0

        init(text: [UInt8]) { self.text = text }

        var isAtEnd: Bool { index >= text.count }
        var next: UInt8? { isAtEnd ? nil : text[index] }

        /// `CET` or `<+03>`; empty only before a sign.
        mutating func name() -> String? {
            var name: [UInt8] = []
            if next == UInt8(ascii: "<") {
                index += 1
                while let byte = next, byte != UInt8(ascii: ">") {
                    name.append(byte)
                    index += 1
                }
                guard next != nil else { return nil }
                index += 1
                return String(decoding: name, as: UTF8.self)
            }
            while let byte = next, (byte | 0x20) &- 97 <= 25 {
                name.append(byte)
                index += 1
            }
            if name.isEmpty, next != UInt8(ascii: "+"), next != UInt8(ascii: "-") { return nil }
            return String(decoding: name, as: UTF8.self)
        }

        /// `[±]h[:m[:s]]` in seconds; west is positive.
        mutating func offset() -> Int64? {
            var sign: Int64 = 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") {
                sign = next == UInt8(ascii: "-") ? -1 : 1
                index += 1
            }
            guard let hours = number() else { return nil }
            var total = hours * 3600
            for unit: Int64 in [60, 1] {
                guard next == UInt8(ascii: ":") else { break }
                index += 1
                guard let part = number() else { return nil }
                total += part * unit
            }
            guard total <= 168 * 3600 else { return nil }
            return sign * total
        }

        mutating func number() -> Int64? {
            let start = index
            var value: Int64 = 0
            while let byte = next, byte &- 48 <= 9, index - start < 9 {
                value = value * 10 + Int64(byte - 48)
                index += 1
            }
            return index > start ? value : nil
        }

        /// `,Mm.w.d[/time]`, `,Jn`, `,n`.
        mutating func day() -> Day? {
            guard next == UInt8(ascii: ",") else { return nil }
            index += 1
            guard let kind = dayKind() else { return nil }
            guard next == UInt8(ascii: "/") else { return Day(kind: kind, second: 7200) }
            index += 1
            return offset().map { Day(kind: kind, second: $0) }
        }

        private mutating func dayKind() -> Day.Kind? {
            if next == UInt8(ascii: "J") {
                index += 1
                return number().map { .julian($0) }
            }
            guard next == UInt8(ascii: "M") else { return number().map { .zeroBased($0) } }
            index += 1
            guard let month = number(), next == UInt8(ascii: ".") else { return nil }
            index += 1
            guard let week = number(), next == UInt8(ascii: ".") else { return nil }
            index += 1
            guard let day = number(), (1...12).contains(month), (1...5).contains(week), day < 7
            else { return nil }
            return .week(month: month, week: week, day: day)
        }
    }
}
