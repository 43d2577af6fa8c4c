// Kernels that make dates, times and intervals out of numbers.

import Columns
import Contracts
import Types

enum TimeMaking {
    /// A year as PostgreSQL counts: −1 is 1 BC.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
        guard year != 0, year >= -4714, year <= 5_874_897 else { return nil }
        let astronomical = year < 0 ? year + 1 : year
        guard month >= 1, month <= 12, day >= 1,
            day <= CivilTime.daysInMonth(year: astronomical, month: month)
        else { return nil }
        let days = CivilTime.daysFromCivil(year: astronomical, month: month, day: day)
        return days >= CivilTime.firstDay && days <= CivilTime.lastDay ? days : nil
    }

    /// µs of a time of day; seconds may be 60.
    private static func time(_ hour: Int64, _ minute: Int64, _ seconds: Double) -> Int64? {
        guard hour >= 0, hour <= 24, minute >= 0, minute < 60, seconds >= 0, seconds <= 60 else {
            return nil
        }
        let micros = Int64((seconds * 1e6).rounded(.toNearestOrEven))
        let total = (hour * 60 + minute) * CivilTime.microsecondsPerMinute + micros
        return total <= CivilTime.microsecondsPerDay ? total : nil
    }

    static func date(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (years, months, days) = (call.int64s(0), call.int64s(1), call.int64s(2))
        let values = TimeFunctions.rows(
            call, &errors, filler: Int64(0), "date field value out of range"
        ) { self.days(years[$0], months[$0], days[$0]) }
        return Column(.date, .int64(values))
    }

    static func time(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (hours, minutes, seconds) = (call.int64s(0), call.int64s(1), call.float64s(2))
        let values = TimeFunctions.rows(
            call, &errors, filler: Int64(0), "time field value out of range"
        ) { time(hours[$0], minutes[$0], seconds[$0]) }
        return Column(.time, .int64(values))
    }

    /// `make_timestamp(year, month, day, hour, minute, seconds)`, `make_timestamptz(… [, zone])`.
    static func timestamp(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let parts = (0..<5).map(call.int64s)
        let seconds = call.float64s(5)
        var zones =
            call.arguments.count == 7 ? TimeFunctions.RowZones(call, argument: 6) : nil
        var values: [Int64] = []
        values.reserveCapacity(call.rowCount)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                values.append(0)
                continue
            }
            var result: Int64?
            if let days = days(parts[0][row], parts[1][row], parts[2][row]),
                let time = time(parts[3][row], parts[4][row], seconds[row])
            {
                result = CivilTime.timestamp(days: days, microseconds: time)
            }
            if zones != nil {
                guard let zone = zones?.zone(row, call, &errors) else {
                    values.append(0)
                    continue
                }
                result = result.flatMap(zone.utc(fromLocal:))
            }
            if result == nil, call.isWanted(row) {
                errors.note(row, .outOfRange, "timestamp field value out of range", in: call)
            }
            values.append(result ?? 0)
        }
        return Column(call.type, .int64(values))
    }

    /// `make_interval(years, months, weeks, days, hours, minutes, seconds)`, the last ones left
    /// out.
    static func interval(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let whole = (0..<min(6, call.arguments.count)).map(call.int64s)
        let seconds = call.arguments.count == 7 ? call.float64s(6) : nil
        func part(_ index: Int, _ row: Int) -> Int64 {
            index < whole.count ? whole[index][row] : 0
        }
        let values = TimeFunctions.rows(
            call, &errors, filler: IntervalValue(), "interval out of range"
        ) { row in
            let months = part(0, row) * 12 + part(1, row)
            let days = part(2, row) * 7 + part(3, row)
            let minutes = part(4, row) * 60 + part(5, row)
            let micros = ((seconds?[row] ?? 0) * 1e6).rounded(.toNearestOrEven)
            guard let months = Int32(exactly: months), let days = Int32(exactly: days),
                abs(micros) < 0x1p62
            else { return nil }
            let (time, overflow) = (minutes * CivilTime.microsecondsPerMinute)
                .addingReportingOverflow(Int64(micros))
            return overflow
                ? nil : IntervalValue(months: months, days: days, microseconds: time)
        }
        return Column(.interval, .interval(values))
    }

    /// `to_timestamp(seconds since 1970)`.
    static func fromEpoch(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let seconds = call.float64s(0)
        // By way of 2000-01-01, so that the double's rounding is PostgreSQL's.
        let century = 946_684_800.0
        let values = TimeFunctions.rows(
            call, &errors, filler: Int64(0), "timestamp out of range"
        ) { row in
            let value = seconds[row]
            if value.isInfinite {
                return value < 0 ? CivilTime.minusInfinity : CivilTime.infinity
            }
            let micros = ((value - century) * 1e6).rounded(.toNearestOrEven)
            guard abs(micros) < 0x1p63 else { return nil }
            let (sum, overflow) = Int64(micros).addingReportingOverflow(946_684_800_000_000)
            return overflow || !CivilTime.isFinite(sum) || sum < CivilTime.firstTimestamp
                ? nil : sum
        }
        return Column(.timestamptz, .int64(values))
    }

    static func isFinite(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        guard case .int64(let values) = call.arguments[0].values else {
            return Column(.boolean, .bool(Array(repeating: true, count: call.rowCount)))
        }
        return Column(.boolean, .bool(values.map(CivilTime.isFinite)))
    }
}
