// Which types go together: common types and which casts exist.

package import Contracts
package import Kernels
package import Types

/// PostgreSQL's three contexts of a cast; each includes those before it.
package enum CastContext: Int, Sendable, Comparable {
    case implicit, assignment, explicit

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

package enum TypeRules {
    /// The context from which on `source` casts to `target`; nil: never. The same type: implicit.
    /// The table is PostgreSQL's pg_cast with its rule for text: everything to text on assignment,
    /// text to everything explicitly.
    package static func cast(from source: LogicalType, to target: LogicalType) -> CastContext? {
        if source == target || source == .unknown { return .implicit }
        if let context = composite(from: source, to: target) { return context }
        if source.isNumber, target.isNumber { return number(from: source, to: target) }
        switch (source, target) {
        case (.date, .timestamp), (.date, .timestamptz), (.timestamp, .timestamptz),
            (.time, .interval):
            return .implicit
        case (.timestamptz, .timestamp), (.timestamp, .date), (.timestamptz, .date),
            (.timestamp, .time), (.timestamptz, .time), (.interval, .time), (_, .text):
            return .assignment
        case (.integer, .boolean), (.boolean, .integer): return .explicit
        case (.text, _): return isRow(target) ? nil : .explicit
        default: return nil
        }
    }

    private static func composite(
        from source: LogicalType, to target: LogicalType
    ) -> CastContext? {
        switch (source, target) {
        case (.array(let from), .array(let to)): return cast(from: from, to: to)
        case (.row(let from), .row(let to)):
            guard from.fields.count == to.fields.count else { return nil }
            var needed = CastContext.assignment
            for (field, wanted) in zip(from.fields, to.fields) {
                guard let context = cast(from: field.type, to: wanted.type) else { return nil }
                needed = max(needed, context)
            }
            return needed
        default: return nil
        }
    }

    private static func isRow(_ type: LogicalType) -> Bool {
        if case .row = type { return true }
        return false
    }

    private static func number(from source: LogicalType, to target: LogicalType) -> CastContext {
        if case .numeric(let precision, let scale) = source,
            case .numeric(let wanted, let wantedScale) = target
        {
            let isWider = wantedScale >= scale && wanted - wantedScale >= precision - scale
            return isWider ? .implicit : .assignment
        }
        if source.isInteger, case .numeric(let precision, let scale) = target {
            return precision - scale >= integerDigits(source) ? .implicit : .assignment
        }
        return rank(source) < rank(target) ? .implicit : .assignment
    }

    /// Where a number stands in smallint → integer → bigint → numeric → real → double.
    static func rank(_ type: LogicalType) -> Int {
        switch type {
        case .smallint: 0
        case .integer: 1
        case .bigint: 2
        case .numeric: 3
        case .real: 4
        default: 5
        }
    }

    /// The decimal digits that an integer type counts as beside a numeric (dialect.md §3.1).
    static func integerDigits(_ type: LogicalType) -> Int {
        switch type {
        case .smallint: 5
        case .integer: 10
        default: 19
        }
    }

    /// An exact type as numeric; nil for other types.
    package static func asNumeric(_ type: LogicalType) -> (precision: Int, scale: Int)? {
        switch type {
        case .numeric(let precision, let scale): (precision, scale)
        case .smallint, .integer, .bigint: (integerDigits(type), 0)
        default: nil
        }
    }

    /// The type that values of all these types take together in CASE, UNION, GREATEST, VALUES
    /// (dialect.md §3.1); `unknown` if all are. nil: they don't go together.
    package static func commonType(_ types: [LogicalType]) -> LogicalType? {
        var common = LogicalType.unknown
        for type in types {
            guard let next = commonType(common, type) else { return nil }
            common = next
        }
        return common
    }

    private static func commonType(_ left: LogicalType, _ right: LogicalType) -> LogicalType? {
        if left == right || right == .unknown { return left }
        if left == .unknown { return right }
        if left.isNumber, right.isNumber { return commonNumber(left, right) }
        let times: [LogicalType] = [.date, .timestamp, .timestamptz]
        if let first = times.firstIndex(of: left), let second = times.firstIndex(of: right) {
            return times[max(first, second)]
        }
        if case .array(let first) = left, case .array(let second) = right {
            return commonType(first, second).map { .array($0) }
        }
        if case .row(let first) = left, case .row(let second) = right {
            return commonRow(first, second).map { .row($0) }
        }
        return nil
    }

    private static func commonNumber(_ left: LogicalType, _ right: LogicalType) -> LogicalType {
        if left.isFloat || right.isFloat { return .double }
        if left.isInteger, right.isInteger { return rank(left) > rank(right) ? left : right }
        guard let first = asNumeric(left), let second = asNumeric(right) else {
            bug("\(left) and \(right) are exact numbers")
        }
        let scale = max(first.scale, second.scale)
        let digits = max(first.precision - first.scale, second.precision - second.scale)
        return .numeric(
            precision: min(LogicalType.maximumPrecision, digits + scale), scale: scale)
    }

    /// Rows of the same shape: named fields win over `f1`, `f2` of ROW(…).
    private static func commonRow(_ left: RowType, _ right: RowType) -> RowType? {
        guard left.fields.count == right.fields.count else { return nil }
        if left.name != nil, right.name != nil { return nil }
        let named = right.name == nil ? left : right
        let other = right.name == nil ? right : left
        for (field, wanted) in zip(other.fields, named.fields)
        where cast(from: field.type, to: wanted.type) != .implicit {
            return nil
        }
        return named
    }

    /// `expression` as `type` where an INSERT or a sink column wants it (dialect.md §2.8).
    /// Throws `sql.type_mismatch` naming `column`, with a cast as hint, if only an explicit cast
    /// exists.
    package static func assignmentCast(
        _ expression: Expression, to type: LogicalType, column: String, place: SourcePlace
    ) throws(Failure) -> Expression {
        guard let context = cast(from: expression.type, to: type), context <= .assignment else {
            throw Failure(
                .invalid, "sql.type_mismatch",
                "column \"\(column)\" is \(type), but the expression is \(expression.type)",
                hint: cast(from: expression.type, to: type) == nil
                    ? nil : "write an explicit cast: (…)::\(type)",
                place: place)
        }
        return converted(expression, to: type, place: place)
    }

    /// `expression` as `type`, implicitly; for UNION's branches once `commonType` has said so.
    /// A numeric may be cast to a narrower one here: 38 digits can be all that a common type has.
    package static func implicitCast(
        _ expression: Expression, to type: LogicalType, place: SourcePlace
    ) throws(Failure) -> Expression {
        let context = cast(from: expression.type, to: type)
        let isExact = asNumeric(expression.type) != nil && type.isNumeric
        guard context == .implicit || isExact || commonType([expression.type, type]) == type else {
            throw Failure(
                .invalid, "sql.type_mismatch",
                "\(expression.type) is not \(type)",
                hint: context == nil ? nil : "write an explicit cast: (…)::\(type)", place: place)
        }
        return converted(expression, to: type, place: place)
    }

    /// The cast without asking whether it may be.
    static func converted(
        _ expression: Expression, to type: LogicalType, place: SourcePlace
    ) -> Expression {
        if expression.type == type { return expression }
        if expression.type == .unknown, case .constant = expression {
            return .constant(.null, type)
        }
        return .cast(expression, to: type, place: place)
    }
}
