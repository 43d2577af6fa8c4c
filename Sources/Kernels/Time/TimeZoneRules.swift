// A time zone: its transitions from the system's tzdata, and the rule that goes on behind the last.
//
// Transitions up to the year 2437 are written out from the zone's POSIX rule when the file is read;
// later years repeat after 400 years (146,097 days are whole weeks), so they are looked up in an
// earlier cycle. Reading (RFC 8536, "TZif") stands in TimeZoneRules+File.swift.

import Synchronization

/// The offsets of one zone through time.
package final class TimeZoneRules: Sendable {
    /// Seconds since 1970 UTC at which `phases[index + 1]` begins, ascending.
    let transitions: [Int64]
    /// One more than transitions.
    let phases: [Phase]

    /// What holds between two transitions.
    struct Phase: Sendable, Hashable {
        /// Seconds east of UTC.
        let offset: Int64
        let abbreviation: String
    }

    init(transitions: [Int64], phases: [Phase]) {
        self.transitions = transitions
        self.phases = phases
    }

    /// A zone without transitions, `offset` seconds east of UTC.
    package convenience init(offset: Int64) {
        var name: [UInt8] = []
        CivilTime.appendOffset(offset, to: &name)
        let phase = Phase(
            offset: offset,
            abbreviation: offset == 0 ? "UTC" : String(decoding: name, as: UTF8.self))
        self.init(transitions: [], phases: [phase])
    }

    // MARK: Lookup

    private static let cycle: Int64 = 146_097 * 86_400
    /// 2400-01-01: from here on times are looked up one or more cycles earlier.
    private static let cycleStart: Int64 = 13_569_465_600

    /// The offset in force at `second` (since 1970 UTC), seconds east of UTC.
    package func offset(at second: Int64) -> Int64 { phase(at: second).offset }

    func phase(at second: Int64) -> Phase { phases[position(of: second)] }

    /// The number of transitions at or before `second`.
    private func position(of second: Int64) -> Int {
        var time = second
        if time >= Self.cycleStart {
            time -= ((time - Self.cycleStart) / Self.cycle + 1) * Self.cycle
        }
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The local time of a timestamptz, both in µs; nil beyond the range.
    package func local(fromUTC timestamp: Int64) -> Int64? {
        guard CivilTime.isFinite(timestamp) else { return timestamp }
        let shift = offset(at: floorSeconds(timestamp)) * CivilTime.microsecondsPerSecond
        return inRange(timestamp.addingReportingOverflow(shift))
    }

    /// The timestamptz of a local time, both in µs; nil beyond the range. A time that a zone skips
    /// counts by the offset before, one that it repeats by the offset after, as in PostgreSQL.
    package func utc(fromLocal timestamp: Int64) -> Int64? {
        guard CivilTime.isFinite(timestamp) else { return timestamp }
        let shift = offset(atLocal: floorSeconds(timestamp)) * CivilTime.microsecondsPerSecond
        return inRange(timestamp.subtractingReportingOverflow(shift))
    }

    private func offset(atLocal local: Int64) -> Int64 {
        var time = local
        if time >= Self.cycleStart {
            time -= ((time - Self.cycleStart) / Self.cycle + 1) * Self.cycle
        }
        let next = position(of: time - 86_400)
        let before = phases[next].offset
        guard next < transitions.count else { return before }
        let boundary = transitions[next]
        let after = phases[next + 1].offset
        let byBefore = time - before
        let byAfter = time - after
        if byBefore < boundary, byAfter < boundary { return before }
        if byBefore > boundary, byAfter >= boundary { return after }
        return byBefore > byAfter ? before : after
    }

    private func inRange(_ sum: (partialValue: Int64, overflow: Bool)) -> Int64? {
        guard !sum.overflow, CivilTime.isFinite(sum.partialValue),
            sum.partialValue >= CivilTime.firstTimestamp
        else { return nil }
        return sum.partialValue
    }

    private func floorSeconds(_ timestamp: Int64) -> Int64 {
        let second = timestamp / CivilTime.microsecondsPerSecond
        return timestamp % CivilTime.microsecondsPerSecond < 0 ? second - 1 : second
    }

    // MARK: Names

    package static let utc = TimeZoneRules(offset: 0)

    /// Zones read so far; nil: there is none of the name. Bounded by `cacheLimit` names.
    private static let cache = Mutex<[String: TimeZoneRules?]>([:])
    /// More names than tzdata has; a stream of wrong names empties the cache instead of growing it.
    private static let cacheLimit = 1000

    /// The zone called `name`: a tzdata name in any case (`Europe/Berlin`), an abbreviation
    /// (`EST`), an ISO 8601 offset of AT TIME ZONE is a POSIX one (`+02` lies west), as in
    /// PostgreSQL.
    package static func named(_ name: String) -> TimeZoneRules? {
        if let known = cache.withLock({ $0[name] }) { return known }
        let found = lookUp(name)
        cache.withLock { zones in
            if zones.count >= cacheLimit { zones.removeAll() }
            zones[name] = .some(found)
        }
        return found
    }

    private static func lookUp(_ name: String) -> TimeZoneRules? {
        let bytes = Array(name.utf8)
        if let seconds = CivilTimeNames.zoneOffset(bytes.span, 0, bytes.count), !bytes.isEmpty {
            return seconds == 0 ? utc : TimeZoneRules(offset: seconds)
        }
        for candidate in [name, capitalized(name), name.uppercased()] {
            if let zone = TimeZoneRules(file: candidate) { return zone }
        }
        return PosixZone(bytes).map { $0.expanded(after: [], phases: [$0.standard]) }
    }

    /// `america/new_york` → `America/New_York`.
    private static func capitalized(_ name: String) -> String {
        var startsWord = true
        return String(
            name.map { character in
                defer { startsWord = "/_-".contains(character) }
                let text = startsWord ? character.uppercased() : character.lowercased()
                return Character(text)
            })
    }
}
