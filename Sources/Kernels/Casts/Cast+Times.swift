// Casts among dates and times. The session's zone is UTC here; where `SET time_zone` says
// otherwise, the planner puts the casts of SessionZone in their places.

import Columns
import Contracts
import Types

extension CastJob {
    mutating func times() -> ColumnValues {
        switch (source.type, type) {
        case (.date, .timestamp), (.date, .timestamptz): .int64(midnights())
        case (.timestamp, .date), (.timestamptz, .date): .int64(dates())
        case (.timestamp, .time), (.timestamptz, .time): .int64(timesOfDay())
        case (.time, .interval):
            .interval(mapped(source.values.int64s ?? []) { IntervalValue(microseconds: $0) })
        case (.interval, .time):
            .int64(
                mapped(source.values.intervals ?? []) {
                    CivilTime.split($0.microseconds).microseconds
                })
        case (.timestamp, .timestamptz), (.timestamptz, .timestamp): source.values
        default: bug("no cast from \(source.type) to \(type)")
        }
    }

    private mutating func midnights() -> [Int64] {
        let days = source.values.int64s ?? []
        var failed = false
        let results = mapped(days) { day in
            if !CivilTime.isFinite(day) { return day }
            let timestamp = CivilTime.timestamp(days: day, microseconds: 0)
            failed = failed || timestamp == nil
            return timestamp ?? 0
        }
        if failed {
            for (row, day) in days.enumerated() where CivilTime.isFinite(day) {
                if CivilTime.timestamp(days: day, microseconds: 0) == nil {
                    fail(row, .outOfRange, "date out of range for \(type)")
                }
            }
        }
        return results
    }

    private func dates() -> [Int64] {
        mapped(source.values.int64s ?? []) {
            CivilTime.isFinite($0) ? CivilTime.split($0).days : $0
        }
    }

    /// An infinite timestamp has no time of day: NULL.
    private mutating func timesOfDay() -> [Int64] {
        let timestamps = source.values.int64s ?? []
        if timestamps.contains(where: { !CivilTime.isFinite($0) }) {
            validity = mapped(timestamps) { CivilTime.isFinite($0) }
        }
        return mapped(timestamps) {
            CivilTime.isFinite($0) ? CivilTime.split($0).microseconds : 0
        }
    }
}
