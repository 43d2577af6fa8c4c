// Casts and functions whose meaning depends on the session's time zone, for a zone other than UTC.
//
// The plain ones count in UTC. The planner puts those of the session's zone in their places, so
// that an expression says all that it depends on and the evaluator knows no session.

import Columns
import Contracts
package import Types

/// `SET time_zone` of a zone other than UTC.
package struct SessionZone: Sendable {
    package let name: String
    private let rules: TimeZoneRules

    /// nil: there is no such zone.
    package init?(_ name: String) {
        guard let rules = TimeZoneRules.named(name) else { return nil }
        self.name = name
        self.rules = rules
    }

    /// The cast by this zone's clock; nil where the zone makes no difference.
    package func cast(from: LogicalType, to: LogicalType) -> Function? {
        guard from != to, from.holdsZonedTime != to.holdsZonedTime || from.isText || to.isText,
            from.holdsZonedTime || to.holdsZonedTime
        else { return nil }
        let rules = rules
        return Function(
            "cast to \(to) at \(name)", [.exactly(from)], canFail: true, summary: "",
            resultType: { _ in to },
            kernel: { call, errors in
                ZonedCast(rules: rules, place: call.place)
                    .column(call.arguments[0], to: to, errors: &errors)
            })
    }

    /// The function by this zone's clock; nil where the zone makes no difference.
    package func version(of function: Function) -> Function? {
        guard let kernel = kernel(of: function) else { return nil }
        return Function(
            "\(function.name) at \(name)", function.parameters, isStrict: function.isStrict,
            canFail: true, summary: "", resultType: function.resultType, kernel: kernel)
    }

    /// A zoned time as an instant: what a literal without a zone means.
    package func instant(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        return CivilTime.parseTimestampTZ(bytes.span, in: rules)
    }

    /// The local time of an instant.
    package func local(_ time: Int64) -> Int64? { rules.local(fromUTC: time) }

    private func kernel(of function: Function) -> Function.Kernel? {
        let rules = rules
        let types = function.parameters
        let zoned = Parameter.exactly(.timestamptz)
        switch function.name {
        case "extract" where types.last == zoned:
            return TimeFunctions.field(in: rules, TimeFunctions.extract)
        case "date_part" where types.last == zoned:
            return TimeFunctions.field(in: rules, TimeFunctions.datePart)
        case "date_trunc" where types.count == 2 && types.last == zoned:
            return { TimeFunctions.truncateByClock($0, rules, &$1) }
        case "age" where types.first == zoned:
            return { call, errors in TimeFunctions.age(call.local(in: rules), &errors) }
        case "+" where types == [zoned, .exactly(.interval)]:
            return TimeFunctions.shiftByClock(interval: 1, in: rules)
        case "+" where types == [.exactly(.interval), zoned]:
            return TimeFunctions.shiftByClock(interval: 0, in: rules)
        case "-" where types == [zoned, .exactly(.interval)]:
            return TimeFunctions.shiftByClock(interval: 1, isNegative: true, in: rules)
        case "to_char" where types.first == zoned:
            return { ToChar.timeByClock($0, rules, &$1) }
        case "to_timestamp" where types.count == 2:
            return { FromChar.timestampByClock($0, rules, &$1) }
        case "make_timestamptz" where types.count == 6:
            return { call, errors in
                TimeFunctions.instants(
                    TimeMaking.timestamp(call, &errors), call, in: rules, &errors)
            }
        default: return nil
        }
    }
}

extension LogicalType {
    fileprivate var isText: Bool { self == .text }

    /// Whether it is a timestamptz or has one inside.
    fileprivate var holdsZonedTime: Bool {
        switch self {
        case .timestamptz: true
        case .array(let element): element.holdsZonedTime
        case .row(let row): row.fields.contains { $0.type.holdsZonedTime }
        default: false
        }
    }

    /// The type with text in the place of each timestamptz.
    fileprivate var withTexts: LogicalType {
        switch self {
        case .timestamptz: .text
        case .array(let element): .array(element.withTexts)
        case .row(let row):
            .row(
                RowType(
                    name: row.name, fields: row.fields.map { Field($0.name, $0.type.withTexts) }))
        default: self
        }
    }
}

/// Casts of columns in which some value is a timestamptz.
private struct ZonedCast {
    let rules: TimeZoneRules
    let place: SourcePlace?

    func column(_ source: Column, to type: LogicalType, errors: inout RowErrors) -> Column {
        switch (source.type, type) {
        case (.timestamptz, .text): return texts(source)
        case (.timestamptz, .timestamp), (.timestamptz, .date), (.timestamptz, .time):
            return plain(local(source, &errors), to: type, &errors)
        case (.timestamp, .timestamptz), (.date, .timestamptz):
            return instants(plain(source, to: .timestamp, &errors), &errors)
        case (.text, .timestamptz): return parsed(source, &errors)
        case (.array, .array(let element)):
            guard case .list(let list) = source.values else { break }
            var inner = RowErrors()
            let values = column(list.element, to: element, errors: &inner)
            for (row, range) in list.ranges.enumerated() where !inner.isEmpty {
                let failed = (range.lowerBound..<range.upperBound).lazy.compactMap {
                    inner.errors[$0]
                }
                if let first = failed.first { note(row, first, source, &errors) }
            }
            return Column(
                type, .list(ListColumn(ranges: list.ranges, element: values)),
                validity: source.validity)
        case (.row, .row(let row)):
            guard case .row(let fields) = source.values else { break }
            let values = zip(fields.fields, row.fields).map { field, target in
                column(field, to: target.type, errors: &errors)
            }
            return Column(
                type, .row(RowColumn(fields: values, count: fields.count)),
                validity: source.validity)
        case (let from, .text) where from.holdsZonedTime:
            let inner = column(source, to: from.withTexts, errors: &errors)
            return plain(inner, to: .text, &errors)
        case (.text, let to) where to.holdsZonedTime:
            let inner = plain(source, to: to.withTexts, &errors)
            return column(inner, to: to, errors: &errors)
        default: break
        }
        return plain(source, to: type, &errors)
    }

    private func plain(
        _ source: Column, to type: LogicalType, _ errors: inout RowErrors
    ) -> Column {
        Cast.column(source, to: type, place: place, errors: &errors)
    }

    private func note(
        _ row: Int, _ error: RowError, _ source: Column, _ errors: inout RowErrors
    ) {
        guard source.isValid(row) else { return }
        errors.note(RowError(row: row, reason: error.reason, detail: error.detail, place: place))
    }

    private func local(_ source: Column, _ errors: inout RowErrors) -> Column {
        moved(source, to: .timestamp, &errors, rules.local(fromUTC:))
    }

    private func instants(_ source: Column, _ errors: inout RowErrors) -> Column {
        moved(source, to: .timestamptz, &errors, rules.utc(fromLocal:))
    }

    private func moved(
        _ source: Column, to type: LogicalType, _ errors: inout RowErrors,
        _ move: (Int64) -> Int64?
    ) -> Column {
        guard case .int64(let times) = source.values else {
            return Column.nulls(type, count: source.count)
        }
        var results: [Int64] = []
        results.reserveCapacity(times.count)
        for row in times.indices {
            let result = source.isValid(row) ? move(times[row]) : 0
            if result == nil {
                errors.note(
                    RowError(
                        row: row, reason: .outOfRange, detail: "timestamp out of range",
                        place: place))
            }
            results.append(result ?? 0)
        }
        return Column(type, .int64(results), validity: source.validity)
    }

    private func texts(_ source: Column) -> Column {
        guard case .int64(let times) = source.values else {
            return Column.nulls(.text, count: source.count)
        }
        var data: [UInt8] = []
        var ranges: [ValueRange] = []
        for row in times.indices {
            let start = data.count
            if source.isValid(row) {
                CivilTime.appendTimestampTZ(
                    times[row], offset: rules.offset(atTime: times[row]), to: &data)
            }
            ranges.append(ValueRange(start: start, length: data.count - start))
        }
        return Column(
            .text, .bytes(ByteColumn(ranges: ranges, data: data)), validity: source.validity)
    }

    private func parsed(_ source: Column, _ errors: inout RowErrors) -> Column {
        guard case .bytes(let texts) = source.values else {
            return Column.nulls(.timestamptz, count: source.count)
        }
        var times: [Int64] = []
        times.reserveCapacity(source.count)
        // Forms that are no time at all are told by the plain cast, in its words.
        var plainErrors = RowErrors()
        _ = plain(source, to: .timestamptz, &plainErrors)
        for row in 0..<source.count {
            let text = source.isValid(row) ? Array(texts[row]) : []
            let time = CivilTime.parseTimestampTZ(text.span, in: rules)
            if source.isValid(row), time == nil || plainErrors.errors[row] != nil {
                errors.note(
                    plainErrors.errors[row]
                        ?? RowError(
                            row: row, reason: .outOfRange, detail: "timestamp out of range",
                            place: place))
            }
            times.append(time ?? 0)
        }
        return Column(.timestamptz, .int64(times), validity: source.validity)
    }
}

extension TimeZoneRules {
    /// The offset at a time in µs, seconds east of UTC; 0 at infinity.
    func offset(atTime timestamp: Int64) -> Int64 { phase(atTime: timestamp)?.offset ?? 0 }

    /// nil at infinity.
    func phase(atTime timestamp: Int64) -> Phase? {
        guard CivilTime.isFinite(timestamp) else { return nil }
        let second = timestamp / CivilTime.microsecondsPerSecond
        let isBehind = timestamp % CivilTime.microsecondsPerSecond < 0
        return phase(at: isBehind ? second - 1 : second)
    }

    /// The start of a field's period by the zone's clock. Below a day the offset stays, as in
    /// PostgreSQL: an hour that the clock shows twice is two hours.
    func truncated(_ timestamp: Int64, to field: CivilTimeField) -> Int64? {
        guard let local = local(fromUTC: timestamp), let start = field.truncated(local) else {
            return nil
        }
        return field.isBelowDay ? timestamp - (local - start) : utc(fromLocal: start)
    }

    /// timestamp + interval: months and days by the zone's calendar, the rest as time that passes.
    func adding(_ interval: IntervalValue, to timestamp: Int64) -> Int64? {
        guard CivilTime.isFinite(timestamp) else { return timestamp }
        var value = timestamp
        if interval.months != 0 || interval.days != 0 {
            let dates = IntervalValue(
                months: interval.months, days: interval.days, microseconds: 0)
            guard let local = local(fromUTC: value), let moved = CivilTime.adding(dates, to: local),
                let instant = utc(fromLocal: moved)
            else { return nil }
            value = instant
        }
        return CivilTime.adding(
            IntervalValue(months: 0, days: 0, microseconds: interval.microseconds), to: value)
    }
}

extension KernelCall {
    /// The call with each timestamptz as the zone's clock shows it. The type stays: the same fields
    /// are known of it.
    func local(in rules: TimeZoneRules) -> KernelCall {
        let arguments = arguments.map { column -> Column in
            guard column.type == .timestamptz, case .int64(let times) = column.values else {
                return column
            }
            let local = times.map { rules.local(fromUTC: $0) ?? $0 }
            return Column(.timestamptz, .int64(local), validity: column.validity)
        }
        return KernelCall(
            arguments: arguments, constants: constants, rowCount: rowCount, type: type,
            place: place, validity: validity)
    }
}

extension TimeFunctions {
    /// `extract` or `date_part` by a zone's clock.
    static func field(
        in rules: TimeZoneRules, _ plain: @escaping Function.Kernel
    ) -> Function.Kernel {
        { call, errors in
            let local = plain(call.local(in: rules), &errors)
            let names = call.bytes(0)
            let times = call.int64s(1)
            let constant = call.constantBytes(0).map { CivilTimeField($0) }
            func field(_ row: Int) -> CivilTimeField? { constant ?? CivilTimeField(names[row]) }
            let isPlain = constant.map { $0.map { !$0.isOfInstant } ?? true } ?? false
            if isPlain { return local }
            var dropped = RowErrors()
            let universal = plain(call, &dropped)
            var builder = ColumnBuilder(call.type, capacity: call.rowCount)
            for row in 0..<call.rowCount {
                guard call.isWanted(row), let field = field(row), field.isOfInstant else {
                    builder.append(local.scalar(row))
                    continue
                }
                guard field != .epoch, CivilTime.isFinite(times[row]) else {
                    builder.append(universal.scalar(row))
                    continue
                }
                let offset = rules.offset(atTime: times[row])
                let value =
                    switch field {
                    case .zoneHour: offset / 3600
                    case .zoneMinute: offset % 3600 / 60
                    default: offset
                    }
                builder.append(
                    call.type == .double ? .float64(Double(value)) : .int128(Int128(value)))
            }
            return builder.finish()
        }
    }

    /// timestamptz ± interval by a zone's calendar.
    static func shiftByClock(
        interval: Int, isNegative: Bool = false, in rules: TimeZoneRules
    ) -> Function.Kernel {
        { call, errors in
            let times = call.int64s(1 - interval)
            let intervals = call.intervals(interval)
            let values = rows(call, &errors, filler: Int64(0), "timestamp out of range") { row in
                let interval = isNegative ? intervals[row].negated : intervals[row]
                return interval.flatMap { rules.adding($0, to: times[row]) }
            }
            return Column(call.type, .int64(values))
        }
    }

    static func truncateByClock(
        _ call: KernelCall, _ rules: TimeZoneRules, _ errors: inout RowErrors
    ) -> Column {
        let times = call.int64s(1)
        var unknown = RowErrors()
        // What a field is, and which rows have none, is the plain kernel's to say.
        let plain = truncate(call, &unknown)
        let constant = call.constantBytes(0).map { CivilTimeField($0) }
        let names = call.bytes(0)
        for error in unknown.errors.values { errors.note(error) }
        let values = rows(call, &errors, filler: Int64(0), "timestamp out of range") { row in
            guard unknown.errors[row] == nil, CivilTime.isFinite(times[row]),
                let field = constant ?? CivilTimeField(names[row])
            else { return times[row] }
            return rules.truncated(times[row], to: field)
        }
        return Column(call.type, .int64(values), validity: plain.validity)
    }

    /// Local times, made by a kernel, as instants.
    static func instants(
        _ local: Column, _ call: KernelCall, in rules: TimeZoneRules, _ errors: inout RowErrors
    ) -> Column {
        guard case .int64(let times) = local.values else { return local }
        let values = rows(call, &errors, filler: Int64(0), "timestamp out of range") { row in
            rules.utc(fromLocal: times[row])
        }
        return Column(call.type, .int64(values), validity: local.validity)
    }
}

extension CivilTimeField {
    /// Told of an instant or of its zone, not by a clock.
    fileprivate var isOfInstant: Bool {
        switch self {
        case .epoch, .zone, .zoneHour, .zoneMinute: true
        default: false
        }
    }

    fileprivate var isBelowDay: Bool {
        switch self {
        case .microsecond, .millisecond, .second, .minute, .hour: true
        default: false
        }
    }
}
