// The binder's currency: an expression that may still be a constant without a type.

import Contracts
import Kernels
import SQLSyntax
import Types

/// A bound part with what a literal needs to take its neighbour's type.
struct Operand {
    var expression: Expression
    let place: SourcePlace
    var literal: Literal?

    enum Literal {
        /// A string constant without a type: `expression` is its text.
        case string(String)
        case null
        /// A number as written: its digits, which is what it counts as beside a numeric.
        case number(precision: Int, scale: Int)
    }

    init(_ expression: Expression, _ place: SourcePlace, literal: Literal? = nil) {
        self.expression = expression
        self.place = place
        self.literal = literal
    }

    /// `unknown` for a string constant and NULL.
    var type: LogicalType { isUntyped ? .unknown : expression.type }

    var isUntyped: Bool {
        switch literal {
        case .string, .null: true
        case .number, nil: false
        }
    }

    /// The type beside a numeric (dialect.md §3.1); nil if it is no exact number.
    var asNumeric: LogicalType? {
        switch literal {
        case .number(let precision, let scale): return .numeric(precision: precision, scale: scale)
        case .string(let text):
            return NumberLiteral(text).map { .numeric(precision: $0.precision, scale: $0.scale) }
        case .null: return .numeric(precision: 1, scale: 0)
        case nil:
            return TypeRules.asNumeric(expression.type).map {
                .numeric(precision: $0.precision, scale: $0.scale)
            }
        }
    }
}

/// A decimal number's own digits: `0.10` is (2,2), `1e3` is (4,0) (dialect.md §3.1).
struct NumberLiteral {
    let unscaled: Int128
    let precision: Int
    let scale: Int

    /// nil: no number, or more than 38 digits.
    init?(_ text: String) {
        var bytes = Array(text.utf8).filter { $0 != UInt8(ascii: "_") }
        var isNegative = false
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        let parts = bytes.split(omittingEmptySubsequences: false) { $0 | 0x20 == UInt8(ascii: "e") }
        guard let mantissa = parts.first, parts.count <= 2 else { return nil }
        var exponent = 0
        if parts.count == 2 {
            guard let value = Int(String(decoding: parts[1], as: UTF8.self)), abs(value) <= 1000
            else { return nil }
            exponent = value
        }
        let halves = mantissa.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard halves.count <= 2, let whole = halves.first else { return nil }
        let fraction = halves.count == 2 ? halves[1] : []
        var digits = Array(whole) + Array(fraction)
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        var scale = fraction.count - exponent
        digits = Array(digits.drop { $0 == 0x30 })
        if scale < 0 {
            if !digits.isEmpty { digits += Array(repeating: 0x30, count: -scale) }
            scale = 0
        }
        guard digits.count <= LogicalType.maximumPrecision, scale <= LogicalType.maximumPrecision
        else { return nil }
        let magnitude = digits.reduce(Int128(0)) { $0 * 10 + Int128($1 - 0x30) }
        self.unscaled = isNegative ? -magnitude : magnitude
        self.precision = max(1, digits.count, scale)
        self.scale = scale
    }
}

extension ExpressionBinder {
    /// `operand` as `type` without asking whether it may be: a literal takes the type, an error in
    /// its text is at its place; everything else gets a cast.
    func coerce(_ operand: Operand, to type: LogicalType) throws(Failure) -> Expression {
        switch operand.literal {
        case .null: return .constant(.null, type)
        case .string(let text): return try literal(text, type, operand.place)
        case .number(let precision, let scale):
            // Its own digits are exact in every numeric that has room: no cast is left behind.
            if case .numeric(let wanted, let wantedScale) = type, wantedScale >= scale,
                wanted - wantedScale >= precision - scale,
                let unscaled = unscaledValue(operand.expression)
            {
                let factor = (0..<(wantedScale - scale)).reduce(Int128(1)) { power, _ in power * 10
                }
                return .constant(.int128(unscaled * factor), type)
            }
        case nil: break
        }
        return TypeRules.converted(operand.expression, to: type, place: operand.place)
    }

    private func unscaledValue(_ expression: Expression) -> Int128? {
        switch expression {
        case .constant(.int64(let value), _): Int128(value)
        case .constant(.int128(let value), _): value
        default: nil
        }
    }

    /// A string constant read as a type: `'10 s'` as interval.
    func literal(
        _ text: String, _ type: LogicalType, _ place: SourcePlace
    ) throws(Failure) -> Expression {
        if type == .text { return .constant(.text(text), .text) }
        guard TypeRules.cast(from: .text, to: type) != nil else {
            throw Failure(
                .invalid, "sql.invalid_literal", "a string constant cannot be \(type)",
                place: place)
        }
        return .constant(
            try literalValue(text, type, place, settings: context.settings), type)
    }

    /// `operand` as `type` where only an implicit conversion may stand.
    func implicitly(
        _ operand: Operand, _ type: LogicalType, for what: String
    ) throws(Failure) -> Expression {
        guard
            operand.isUntyped || operand.type == type
                || TypeRules.cast(from: operand.type, to: type) == .implicit
                || TypeRules.commonType([operand.type, type]) == type
                || (operand.asNumeric != nil && type.isNumeric)
        else {
            throw Failure(
                .invalid, "sql.type_mismatch", "\(what) must be \(type), this is \(operand.type)",
                hint: TypeRules.cast(from: operand.type, to: type) == nil
                    ? nil : "write an explicit cast: (…)::\(type)",
                place: operand.place)
        }
        return try coerce(operand, to: type)
    }

    /// A condition: boolean or an untyped literal.
    func boolean(_ syntax: ExpressionSyntax, of what: String) throws(Failure) -> Expression {
        let operand = try operand(syntax)
        guard operand.isUntyped || operand.type == .boolean else {
            throw Failure(
                .invalid, "sql.not_boolean",
                "the argument of \(what) must be boolean, this is \(operand.type)",
                place: syntax.place)
        }
        return try coerce(operand, to: .boolean)
    }

    /// All operands as their common type; `what` names the construct: CASE, COALESCE.
    func unified(
        _ operands: [Operand], in what: String
    ) throws(Failure) -> (expressions: [Expression], type: LogicalType) {
        let type = try commonType(operands, in: what)
        var expressions: [Expression] = []
        for operand in operands { expressions.append(try coerce(operand, to: type)) }
        return (expressions, type)
    }

    /// The operands' common type: literals count by their digits beside a numeric; all untyped:
    /// text.
    func commonType(_ operands: [Operand], in what: String) throws(Failure) -> LogicalType {
        let hasNumeric = operands.contains { !$0.isUntyped && $0.type.isNumeric }
        var common = LogicalType.unknown
        for operand in operands where !operand.isUntyped {
            let type = hasNumeric ? operand.asNumeric ?? operand.type : operand.type
            guard let next = TypeRules.commonType([common, type]) else {
                throw Failure(
                    .invalid, "sql.type_mismatch",
                    "\(what) types \(common) and \(operand.type) cannot be matched",
                    hint: "cast one side", place: operand.place)
            }
            common = next
        }
        if hasNumeric, case .numeric = common {
            // A string constant beside a numeric brings its own digits, as a number would.
            for operand in operands {
                guard case .string = operand.literal, let type = operand.asNumeric else { continue }
                common = TypeRules.commonType([common, type]) ?? common
            }
        }
        return common == .unknown ? .text : common
    }
}

/// The value of a constant's text as `type`, by the code that casts text in rows.
/// `settings`: those of the session, whose zone a time without one is of. Throws
/// `sql.invalid_literal` at `place`.
func literalValue(
    _ text: String, _ type: LogicalType, _ place: SourcePlace,
    settings: StatementSettings = StatementSettings()
) throws(Failure) -> Scalar {
    let bytes = Array(text.utf8)
    let value: Scalar?
    switch type {
    case .interval: value = IntervalText.parse(text).map { .interval($0) }
    case .timestamptz:
        let time = settings.zone.map { $0.instant(text) } ?? CivilTime.parseTimestampTZ(bytes.span)
        value = time.map { .int64($0) }
    case .timestamp: value = CivilTime.parseTimestamp(bytes.span).map { .int64($0) }
    case .date: value = CivilTime.parseDate(bytes.span).map { .int64($0) }
    case .time: value = CivilTime.parseTime(bytes.span).map { .int64($0) }
    default:
        let cast = Expression.cast(.constant(.text(text), .text), to: type, place: place)
            .inZone(of: settings)
        switch cast.constantValue() {
        case .value(let scalar): value = scalar
        case .failed(let error):
            throw Failure(
                .invalid, "sql.invalid_literal",
                "'\(text)' is no valid \(type): \(error.detail)", place: place)
        }
    }
    if let value { return value }
    throw Failure(
        .invalid, "sql.invalid_literal", "'\(text)' is no valid \(type)", place: place)
}
