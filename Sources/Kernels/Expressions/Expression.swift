// A typed expression over the columns of one batch: what the planner makes and kernels evaluate.
//
// Every implicit cast is explicit here; every function is resolved to one overload; NULL logic and
// the order of evaluation are PostgreSQL's (dialect.md §3.5).

public import Contracts
public import Types

/// An expression. Equality ignores where it was written.
public indirect enum Expression: Sendable, Hashable {
    /// A column of the input, by position.
    case column(Int, LogicalType)
    case constant(Scalar, LogicalType)
    /// A function or operator; all arguments are evaluated.
    case call(Call)
    /// Left to right; stops where the result is known, so what stands right of it cannot fail
    /// there.
    case and([Expression])
    case or([Expression])
    case not(Expression)
    case isNull(Expression)
    case cases(Cases)
    case coalesce([Expression], LogicalType)
    /// An explicit or implicit conversion between different types.
    case cast(Expression, to: LogicalType, place: SourcePlace)
    case makeRow([Expression], RowType)
    case makeArray([Expression], element: LogicalType)
    /// `(row).field`, by position.
    case field(Expression, Int, LogicalType)

    public struct Call: Sendable, Hashable {
        public let function: Function
        public let arguments: [Expression]
        public let type: LogicalType
        public let place: SourcePlace

        public init(
            _ function: Function, _ arguments: [Expression], type: LogicalType, place: SourcePlace
        ) {
            self.function = function
            self.arguments = arguments
            self.type = type
            self.place = place
        }
    }

    /// `CASE WHEN condition THEN result … ELSE otherwise END`; conditions are boolean.
    public struct Cases: Sendable, Hashable {
        public let branches: [Branch]
        public let otherwise: Expression
        public let type: LogicalType

        public init(branches: [Branch], otherwise: Expression, type: LogicalType) {
            self.branches = branches
            self.otherwise = otherwise
            self.type = type
        }
    }

    public struct Branch: Sendable, Hashable {
        public let condition: Expression
        public let result: Expression

        public init(_ condition: Expression, _ result: Expression) {
            self.condition = condition
            self.result = result
        }
    }

    public var type: LogicalType {
        switch self {
        case .column(_, let type), .constant(_, let type), .coalesce(_, let type),
            .field(_, _, let type), .cast(_, let type, _):
            type
        case .call(let call): call.type
        case .and, .or, .not, .isNull: .boolean
        case .cases(let cases): cases.type
        case .makeRow(_, let row): .row(row)
        case .makeArray(_, let element): .array(element)
        }
    }

    /// The parts directly under this one, in order of evaluation.
    public var children: [Expression] {
        switch self {
        case .column, .constant: []
        case .call(let call): call.arguments
        case .and(let parts), .or(let parts), .coalesce(let parts, _), .makeRow(let parts, _),
            .makeArray(let parts, _):
            parts
        case .not(let part), .isNull(let part), .cast(let part, _, _), .field(let part, _, _):
            [part]
        case .cases(let cases):
            cases.branches.flatMap { [$0.condition, $0.result] } + [cases.otherwise]
        }
    }

    /// The input columns read, by position.
    public var columnsRead: Set<Int> {
        if case .column(let index, _) = self { return [index] }
        return children.reduce(into: []) { $0.formUnion($1.columnsRead) }
    }

    /// The same expression with each part, bottom up, replaced by what `change` makes of it.
    public func rewritten(_ change: (Expression) -> Expression) -> Expression {
        func inside(_ part: Expression) -> Expression { part.rewritten(change) }
        let rebuilt: Expression =
            switch self {
            case .column, .constant: self
            case .call(let call):
                .call(
                    Call(
                        call.function, call.arguments.map(inside), type: call.type,
                        place: call.place))
            case .and(let parts): .and(parts.map(inside))
            case .or(let parts): .or(parts.map(inside))
            case .not(let part): .not(inside(part))
            case .isNull(let part): .isNull(inside(part))
            case .cases(let cases):
                .cases(
                    Cases(
                        branches: cases.branches.map {
                            Branch(inside($0.condition), inside($0.result))
                        },
                        otherwise: inside(cases.otherwise), type: cases.type))
            case .coalesce(let parts, let type): .coalesce(parts.map(inside), type)
            case .cast(let part, let type, let place): .cast(inside(part), to: type, place: place)
            case .makeRow(let parts, let row): .makeRow(parts.map(inside), row)
            case .makeArray(let parts, let element): .makeArray(parts.map(inside), element: element)
            case .field(let part, let index, let type): .field(inside(part), index, type)
            }
        return change(rebuilt)
    }

    /// The same expression over columns at other positions.
    public func remapped(_ position: (Int) -> Int) -> Expression {
        rewritten { part in
            if case .column(let index, let type) = part { return .column(position(index), type) }
            return part
        }
    }
}

extension Expression: CustomStringConvertible {
    /// Stable text: operator ids are hashes of it (design.md §4), so a change here loses state.
    public var description: String {
        func list(_ parts: [Expression]) -> String {
            parts.map(\.description).joined(separator: ", ")
        }
        switch self {
        case .column(let index, _): return "#\(index)"
        case .constant(let scalar, let type): return "\(scalar)::\(type)"
        case .call(let call): return "\(call.function.name)(\(list(call.arguments)))"
        case .and(let parts): return "and(\(list(parts)))"
        case .or(let parts): return "or(\(list(parts)))"
        case .not(let part): return "not(\(part))"
        case .isNull(let part): return "is_null(\(part))"
        case .cases(let cases):
            let branches = cases.branches.map { "when \($0.condition) then \($0.result)" }
            return "case(\(branches.joined(separator: " ")) else \(cases.otherwise))"
        case .coalesce(let parts, _): return "coalesce(\(list(parts)))"
        case .cast(let part, let type, _): return "cast(\(part) as \(type))"
        case .makeRow(let parts, _): return "row(\(list(parts)))"
        case .makeArray(let parts, _): return "array(\(list(parts)))"
        case .field(let part, let index, _): return "\(part).\(index)"
        }
    }
}
