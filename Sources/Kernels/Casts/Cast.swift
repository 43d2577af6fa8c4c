// Casts, as PostgreSQL's (dialect.md §3.1). Which casts there are, which can fail, and the way from
// a pair of types to the loop that does the work.

public import Columns
public import Contracts
public import Types

public enum Cast {
    /// Whether there is a cast at all, be it explicit.
    public static func exists(from: LogicalType, to: LogicalType) -> Bool {
        switch (from, to) {
        case (.unknown, _), (_, .text), (.text, _): true
        case (.array(let from), .array(let to)): exists(from: from, to: to)
        case (.row(let from), .row(let to)):
            from.fields.count == to.fields.count
                && zip(from.fields, to.fields).allSatisfy { exists(from: $0.type, to: $1.type) }
        case (.boolean, .integer), (.integer, .boolean): true
        case (.date, .timestamp), (.date, .timestamptz), (.timestamp, .date), (.timestamp, .time),
            (.timestamp, .timestamptz), (.timestamptz, .date), (.timestamptz, .time),
            (.timestamptz, .timestamp), (.time, .interval), (.interval, .time):
            true
        default: from == to || (from.isNumber && to.isNumber)
        }
    }

    /// Whether a value can fail to be cast.
    public static func canFail(from: LogicalType, to: LogicalType) -> Bool {
        switch (from, to) {
        case (.unknown, _), (_, .text): return false
        case (.text, _), (.date, _): return from != to
        case (.array(let from), .array(let to)): return canFail(from: from, to: to)
        case (.row(let from), .row(let to)):
            return zip(from.fields, to.fields).contains { canFail(from: $0.type, to: $1.type) }
        default: return from.isNumber && to.isNumber && numbersCanFail(from, to)
        }
    }

    private static func numbersCanFail(_ from: LogicalType, _ to: LogicalType) -> Bool {
        if from == to || to == .double { return false }
        if from.isFloat { return true }
        if to == .real { return false }
        if from.isInteger, to.isInteger {
            return to.integerRange.lowerBound > from.integerRange.lowerBound
        }
        guard to.isNumeric, let (fromPrecision, fromScale) = from.exactDigits,
            let (toPrecision, toScale) = to.exactDigits
        else { return true }
        let whole = fromPrecision - fromScale + (toScale < fromScale ? 1 : 0)
        return whole > toPrecision - toScale
    }

    /// The column as values of another type. NULLs stay NULL; rows that fail are noted.
    public static func column(
        _ column: Column, to type: LogicalType, place: SourcePlace?, errors: inout RowErrors
    ) -> Column {
        if column.type == type { return column }
        var job = CastJob(source: column, type: type, place: place)
        let values = job.values()
        for row in job.failures.errors.values { errors.note(row) }
        return Column(type, values, validity: joined([column.validity, job.validity]))
    }

    /// One value; nil if it fails. For constants and options.
    public static func scalar(
        _ scalar: Scalar, from: LogicalType, to: LogicalType
    ) -> Scalar? {
        var errors = RowErrors()
        let source = Column(from, repeating: scalar, count: 1)
        let result = Cast.column(source, to: to, place: nil, errors: &errors)
        return errors.isEmpty ? result.scalar(0) : nil
    }
}

/// One cast of one column.
struct CastJob {
    let source: Column
    let type: LogicalType
    let place: SourcePlace?
    /// NULLs that the cast made (the time of an infinite timestamp).
    var validity: Validity
    var failures = RowErrors()

    init(source: Column, type: LogicalType, place: SourcePlace?) {
        self.source = source
        self.type = type
        self.place = place
        validity =
            if case .null(let count) = source.values {
                Array(repeating: false, count: count)
            } else {
                nil
            }
    }

    var count: Int { source.count }

    mutating func values() -> ColumnValues {
        if case .null(let count) = source.values {
            return Column.nulls(type, count: count).values
        }
        switch (source.type, type) {
        case (_, .text): return .bytes(text())
        case (.text, _):
            return source.values.byteColumn.map { parsed($0) } ?? .null(count)
        case (.array, .array(let element)): return lists(element)
        case (.row, .row(let row)): return rows(row)
        case (.boolean, _):
            return .int64(mapped(source.values.bools ?? []) { $0 ? 1 : 0 })
        case (_, .boolean):
            return .bool(mapped(source.values.int64s ?? []) { $0 != 0 })
        case let (from, to) where from.isNumber && to.isNumber: return numbers()
        default: return times()
        }
    }

    /// A row's error, unless the row is NULL.
    mutating func fail(_ row: Int, _ reason: DataErrorReason, _ detail: String) {
        guard source.isValid(row) else { return }
        failures.note(RowError(row: row, reason: reason, detail: detail, place: place))
    }

    private mutating func lists(_ element: LogicalType) -> ColumnValues {
        guard case .list(let list) = source.values else { return .null(count) }
        var job = CastJob(source: list.element, type: element, place: place)
        let values = job.values()
        if !job.failures.isEmpty {
            for (row, range) in list.ranges.enumerated() {
                for index in range.lowerBound..<range.upperBound {
                    guard let error = job.failures.errors[index] else { continue }
                    fail(row, error.reason, error.detail)
                }
            }
        }
        let validity = joined([list.element.validity, job.validity])
        return .list(
            ListColumn(
                ranges: list.ranges, element: Column(element, values, validity: validity)))
    }

    private mutating func rows(_ type: RowType) -> ColumnValues {
        guard case .row(let row) = source.values else { return .null(count) }
        var fields: [Column] = []
        for (field, target) in zip(row.fields, type.fields) {
            var job = CastJob(source: field, type: target.type, place: place)
            let values = field.type == target.type ? field.values : job.values()
            for (row, error) in job.failures.errors { fail(row, error.reason, error.detail) }
            let validity = joined([field.validity, job.validity])
            fields.append(Column(target.type, values, validity: validity))
        }
        return .row(RowColumn(fields: fields, count: row.count))
    }
}
