// Kernels of time arithmetic and of fields.

import Columns
import Contracts
import Types

enum TimeFunctions {
    /// A result a row that may be out of range.
    @inline(__always)
    static func rows<Value: BitwiseCopyable>(
        _ call: KernelCall, _ errors: inout RowErrors, filler: Value,
        _ detail: String, _ value: (Int) -> Value?
    ) -> [Value] {
        var output: [Value] = []
        output.reserveCapacity(call.rowCount)
        for row in 0..<call.rowCount {
            // What stands under a NULL may overflow: it is not computed with.
            guard call.isWanted(row) else {
                output.append(filler)
                continue
            }
            let value = value(row)
            if value == nil { errors.note(row, .outOfRange, detail, in: call) }
            output.append(value ?? filler)
        }
        return output
    }

    // MARK: Times and intervals

    /// timestamp ± interval; the interval is argument `interval`.
    static func shift(
        interval: Int, isNegative: Bool = false
    ) -> Function.Kernel {
        { call, errors in
            let times = call.int64s(1 - interval)
            let intervals = call.intervals(interval)
            let isDate = call.arguments[1 - interval].type == .date
            let values = rows(call, &errors, filler: Int64(0), "timestamp out of range") { row in
                var time: Int64? = times[row]
                if isDate { time = dayStart(times[row]) }
                let interval = isNegative ? intervals[row].negated : intervals[row]
                guard let time, let interval else { return nil }
                return CivilTime.adding(interval, to: time)
            }
            return Column(call.type, .int64(values))
        }
    }

    private static func dayStart(_ days: Int64) -> Int64? {
        CivilTime.isFinite(days) ? CivilTime.timestamp(days: days, microseconds: 0) : days
    }

    /// date ± integer; the integer is argument `count`.
    static func shiftDays(count: Int, isNegative: Bool = false) -> Function.Kernel {
        { call, errors in
            let days = call.int64s(1 - count)
            let counts = call.int64s(count)
            let values = rows(call, &errors, filler: Int64(0), "date out of range") { row in
                guard CivilTime.isFinite(days[row]) else { return days[row] }
                let sum = isNegative ? days[row] &- counts[row] : days[row] &+ counts[row]
                return sum >= CivilTime.firstDay && sum <= CivilTime.lastDay ? sum : nil
            }
            return Column(.date, .int64(values))
        }
    }

    static func dayDifference(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (left, right) = (call.int64s(0), call.int64s(1))
        let values = rows(call, &errors, filler: Int64(0), "cannot subtract infinite dates") {
            row in
            CivilTime.isFinite(left[row]) && CivilTime.isFinite(right[row])
                ? left[row] - right[row] : nil
        }
        return Column(.integer, .int64(values))
    }

    /// date + time; the date is argument `date`.
    static func dateAndTime(date: Int) -> Function.Kernel {
        { call, errors in
            let (days, times) = (call.int64s(date), call.int64s(1 - date))
            let values = rows(call, &errors, filler: Int64(0), "timestamp out of range") { row in
                CivilTime.isFinite(days[row])
                    ? CivilTime.timestamp(days: days[row], microseconds: times[row]) : days[row]
            }
            return Column(.timestamp, .int64(values))
        }
    }

    static func difference(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        between(call, &errors) { CivilTime.difference($0, $1) }
    }

    static func age(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        between(call, &errors) { CivilTime.age($0, $1) }
    }

    /// The interval between two finite times.
    @inline(__always)
    private static func between(
        _ call: KernelCall, _ errors: inout RowErrors, _ interval: (Int64, Int64) -> IntervalValue?
    ) -> Column {
        let (left, right) = (call.int64s(0), call.int64s(1))
        let values = rows(
            call, &errors, filler: IntervalValue(), "interval out of range"
        ) { row in
            CivilTime.isFinite(left[row]) && CivilTime.isFinite(right[row])
                ? interval(left[row], right[row]) : nil
        }
        return Column(.interval, .interval(values))
    }

    /// time ± interval, around the clock.
    static func shiftTime(interval: Int, isNegative: Bool = false) -> Function.Kernel {
        { call, _ in
            let times = call.int64s(1 - interval)
            let intervals = call.intervals(interval)
            let day = CivilTime.microsecondsPerDay
            let values = (0..<call.rowCount).map { row in
                let rest = intervals[row].microseconds % day
                let sum = (times[row] &+ (isNegative ? -rest : rest)) % day
                return sum < 0 ? sum + day : sum
            }
            return Column(.time, .int64(values))
        }
    }

    static func timeDifference(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (left, right) = (call.int64s(0), call.int64s(1))
        let values = (0..<call.rowCount).map {
            IntervalValue(microseconds: left[$0] &- right[$0])
        }
        return Column(.interval, .interval(values))
    }

    static func intervalSum(isNegative: Bool) -> Function.Kernel {
        { call, errors in
            let (left, right) = (call.intervals(0), call.intervals(1))
            let values = rows(
                call, &errors, filler: IntervalValue(), "interval out of range"
            ) { row in
                (isNegative ? right[row].negated : right[row]).flatMap(left[row].adding)
            }
            return Column(.interval, .interval(values))
        }
    }

    /// A function of one interval.
    static func interval(_ change: @escaping @Sendable (IntervalValue) -> IntervalValue?)
        -> Function.Kernel
    {
        { call, errors in
            let input = call.intervals(0)
            let values = rows(
                call, &errors, filler: IntervalValue(), "interval out of range"
            ) { change(input[$0]) }
            return Column(.interval, .interval(values))
        }
    }

    /// interval × double (in either order), interval ÷ double.
    static func scale(interval: Int, divides: Bool = false) -> Function.Kernel {
        { call, errors in
            let intervals = call.intervals(interval)
            let factors = call.float64s(1 - interval)
            if divides {
                for row in 0..<call.rowCount where factors[row] == 0 && call.isWanted(row) {
                    errors.note(row, .divisionByZero, "division by zero", in: call)
                }
            }
            let values = rows(
                call, &errors, filler: IntervalValue(), "interval out of range"
            ) { row in intervals[row].scaled(by: factors[row], divides: divides) }
            return Column(.interval, .interval(values))
        }
    }

    // MARK: Fields

    /// The field that an argument names, prepared once if it is constant.
    private struct RowFields {
        private let names: ByteColumn
        private let constant: CivilTimeField?
        private let isConstant: Bool

        init(_ call: KernelCall) {
            names = call.bytes(0)
            let bytes = call.constantBytes(0)
            isConstant = bytes != nil
            constant = bytes.flatMap { CivilTimeField($0) }
        }

        @inline(__always)
        func field(_ row: Int) -> CivilTimeField? {
            isConstant ? constant : CivilTimeField(names[row])
        }

        func noteUnknown(_ row: Int, _ call: KernelCall, _ errors: inout RowErrors) {
            guard call.isWanted(row) else { return }
            let name = String(decoding: names[row], as: UTF8.self)
            errors.note(
                row, .invalidArgument,
                "unit \"\(name)\" is not known for type \(call.arguments[1].type)", in: call)
        }
    }

    /// The field of a row's value at the field's scale; nil for infinity.
    @inline(__always)
    private static func value(
        _ field: CivilTimeField, _ column: Column, _ row: Int
    ) -> Int128? {
        switch column.values {
        case .interval(let values): return field.value(interval: values[row])
        case .int64(let values):
            let value = values[row]
            if column.type == .time { return field.value(time: value) }
            guard CivilTime.isFinite(value) else { return nil }
            if column.type == .date {
                // Days may lie outside the range of timestamps.
                if field == .epoch { return Int128(value) * 86_400_000_000 }
                return field.value(days: value)
            }
            return field.value(timestamp: value)
        default: return nil
        }
    }

    /// The type of `extract(field from value)` (dialect.md §3.1).
    static func extractType(_ arguments: [ArgumentType]) throws(Failure) -> LogicalType {
        let type = arguments[1].type
        guard case .bytes(let name) = arguments[0].constant else {
            throw Failure(
                .invalid, "sql.not_constant", "the field of extract must be a constant",
                hint: "date_part takes any text")
        }
        guard let field = CivilTimeField(name), field.isKnown(of: type) else {
            throw Failure(
                .invalid, "sql.field_unknown",
                "extract knows no \"\(String(decoding: name, as: UTF8.self))\" of \(type)")
        }
        switch field {
        case .julian: return .double
        case .epoch where type == .date: return .numeric(precision: 12, scale: 0)
        case .epoch: return .numeric(precision: 20, scale: 6)
        case .second: return .numeric(precision: 8, scale: 6)
        case .millisecond: return .numeric(precision: 11, scale: 3)
        default: return .numeric(precision: 10, scale: 0)
        }
    }

    static func extract(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let fields = RowFields(call)
        let source = call.arguments[1]
        if case .double = call.type { return datePart(call, &errors) }
        guard case .numeric(let precision, _) = call.type else { bug("extract is \(call.type)") }
        let divisor: Int128 = source.type == .date ? 1_000_000 : 1
        let limit = Numeric.powerOfTen(precision)
        var values: [Int128] = []
        values.reserveCapacity(call.rowCount)
        var validity: [Bool] = []
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                values.append(0)
                continue
            }
            guard let field = fields.field(row) else {
                fields.noteUnknown(row, call, &errors)
                values.append(0)
                continue
            }
            guard var value = value(field, source, row) else {
                if validity.isEmpty { validity = Array(repeating: true, count: call.rowCount) }
                validity[row] = false
                values.append(0)
                if field.isMonotonic, call.isWanted(row) {
                    errors.note(
                        row, .outOfRange, "an infinite time has no exact number", in: call)
                }
                continue
            }
            if field == .epoch { value /= divisor }
            if value >= limit || value <= -limit {
                if call.isWanted(row) {
                    errors.note(row, .outOfRange, "epoch out of range", in: call)
                }
                value = 0
            }
            values.append(value)
        }
        return Column(call.type, .int128(values), validity: validity.isEmpty ? nil : validity)
    }

    static func datePart(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let fields = RowFields(call)
        let source = call.arguments[1]
        var values: [Double] = []
        values.reserveCapacity(call.rowCount)
        var validity: [Bool] = []
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                values.append(0)
                continue
            }
            guard let field = fields.field(row), field.isKnown(of: partType(source.type)) else {
                fields.noteUnknown(row, call, &errors)
                values.append(0)
                continue
            }
            if field == .julian, case .int64(let times) = source.values,
                CivilTime.isFinite(times[row])
            {
                values.append(
                    source.type == .date
                        ? Double(times[row] + 2_440_588)
                        : CivilTimeField.julian(timestamp: times[row]))
            } else if let value = value(field, source, row) {
                values.append(double(value, field))
            } else if field.isMonotonic, case .int64(let times) = source.values {
                values.append(times[row] < 0 ? -.infinity : .infinity)
            } else {
                if validity.isEmpty { validity = Array(repeating: true, count: call.rowCount) }
                validity[row] = false
                values.append(0)
            }
        }
        return Column(.double, .float64(values), validity: validity.isEmpty ? nil : validity)
    }

    /// A field's value as double, by the same sums as PostgreSQL, so that the last bit agrees.
    private static func double(_ value: Int128, _ field: CivilTimeField) -> Double {
        switch field {
        case .second: Double(value / 1_000_000) + Double(value % 1_000_000) / 1e6
        case .millisecond: Double(value / 1_000_000) * 1000 + Double(value % 1_000_000) / 1000
        default: Double(value) / Numeric.doublePowers[field.scale]
        }
    }

    /// `date_part` of a date knows what it knows of a timestamp.
    private static func partType(_ type: LogicalType) -> LogicalType {
        type == .date ? .timestamp : type
    }

    // MARK: Truncation and bins

    /// `date_trunc(field, timestamp [, zone])`.
    static func truncate(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let fields = RowFields(call)
        let times = call.int64s(1)
        var zones = call.arguments.count == 3 ? RowZones(call, argument: 2) : nil
        var values: [Int64] = []
        values.reserveCapacity(call.rowCount)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                values.append(0)
                continue
            }
            let time = times[row]
            guard let field = fields.field(row), field.truncates else {
                fields.noteUnknown(row, call, &errors)
                values.append(0)
                continue
            }
            guard CivilTime.isFinite(time) else {
                values.append(time)
                continue
            }
            var result: Int64?
            if zones != nil {
                guard let zone = zones?.zone(row, call, &errors) else {
                    values.append(0)
                    continue
                }
                result = zone.truncated(time, to: field)
            } else {
                result = field.truncated(time)
            }
            if result == nil, call.isWanted(row) {
                errors.note(row, .outOfRange, "timestamp out of range", in: call)
            }
            values.append(result ?? 0)
        }
        return Column(call.type, .int64(values))
    }

    static func truncateInterval(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let fields = RowFields(call)
        let intervals = call.intervals(1)
        let values = (0..<call.rowCount).map { row in
            guard call.isWanted(row) else { return IntervalValue() }
            guard let field = fields.field(row), field.truncates, field != .week else {
                fields.noteUnknown(row, call, &errors)
                return IntervalValue()
            }
            return field.truncated(intervals[row])
        }
        return Column(.interval, .interval(values))
    }

    /// `date_bin(stride, timestamp, origin)`.
    static func bin(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let strides = call.intervals(0)
        let (times, origins) = (call.int64s(1), call.int64s(2))
        let values = rows(
            call, &errors, filler: Int64(0),
            "a stride must be positive and without months, and the times finite"
        ) { row in
            guard CivilTime.isFinite(times[row]) else { return times[row] }
            let stride = strides[row]
            guard CivilTime.isFinite(origins[row]), stride.months == 0, stride.span > 0,
                stride.span < Int128(Int64.max)
            else { return nil }
            let width = Int64(stride.span)
            let (distance, overflow) = times[row].subtractingReportingOverflow(origins[row])
            if overflow { return nil }
            let rest = distance % width
            let (start, carry) = times[row].subtractingReportingOverflow(
                rest < 0 ? rest + width : rest)
            return carry || start < CivilTime.firstTimestamp ? nil : start
        }
        return Column(call.type, .int64(values))
    }

    // MARK: Zones

    /// The zone of each row, looked up once if it is constant.
    struct RowZones {
        private let names: ByteColumn
        private let argument: Int
        private let isConstant: Bool
        private var last: TimeZoneRules?
        private var lastName: ArraySlice<UInt8> = []

        init(_ call: KernelCall, argument: Int) {
            names = call.bytes(argument)
            self.argument = argument
            isConstant = call.constants[argument] != nil
        }

        mutating func zone(
            _ row: Int, _ call: KernelCall, _ errors: inout RowErrors
        ) -> TimeZoneRules? {
            if let last, isConstant || names[row] == lastName { return last }
            let name = names[row]
            last =
                call.isWanted(row)
                ? TimeZoneRules.named(String(decoding: name, as: UTF8.self)) : nil
            lastName = name
            if last == nil, call.isWanted(row) {
                let shown = String(decoding: name, as: UTF8.self)
                errors.note(
                    row, .invalidArgument, "time zone \"\(shown)\" is not known", in: call)
            }
            return last
        }
    }

    /// `timezone(zone, timestamptz)` → timestamp, `timezone(zone, timestamp)` → timestamptz.
    static func atTimeZone(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        var zones = RowZones(call, argument: 0)
        let times = call.int64s(1)
        let isLocal = call.arguments[1].type == .timestamp
        var values: [Int64] = []
        values.reserveCapacity(call.rowCount)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                values.append(0)
                continue
            }
            guard let zone = zones.zone(row, call, &errors) else {
                values.append(0)
                continue
            }
            let result = isLocal ? zone.utc(fromLocal: times[row]) : zone.local(fromUTC: times[row])
            if result == nil, call.isWanted(row) {
                errors.note(row, .outOfRange, "timestamp out of range", in: call)
            }
            values.append(result ?? 0)
        }
        return Column(call.type, .int64(values))
    }

    /// The same with the zone as an interval east of UTC.
    static func atOffset(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let offsets = call.intervals(0)
        let times = call.int64s(1)
        let sign: Int64 = call.arguments[1].type == .timestamp ? -1 : 1
        let values = rows(
            call, &errors, filler: Int64(0), "a zone's interval has no months or days"
        ) { row in
            guard offsets[row].months == 0, offsets[row].days == 0 else { return nil }
            let shift = offsets[row].microseconds / 1_000_000 &* 1_000_000
            return CivilTime.adding(
                IntervalValue(microseconds: sign * shift), to: times[row])
        }
        return Column(call.type, .int64(values))
    }
}

extension CivilTimeField {
    /// The value of a day at midnight; not of `epoch` and `julian`.
    func value(days: Int64) -> Int128 { Int128(calendar(days: days)) }
}
