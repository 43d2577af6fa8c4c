// The function table: every scalar function and operator that SQL can name, in one place.
//
// The planner resolves overloads from it, the evaluator runs its kernels, the SQL reference is
// generated from it, and a test asks for each entry's corpus file.

public import Columns
public import Contracts
public import Types

/// One overload of a scalar function or operator (operators go by their symbol: `+`, `<=`, `||`).
public struct Function: Sendable {
    public let name: String
    public let parameters: [Parameter]
    /// The last parameter may repeat (`concat`).
    public let isVariadic: Bool
    /// NULL in, NULL out: the evaluator joins the validities, the kernel never sees the question.
    public let isStrict: Bool
    /// Whether a row can fail; what cannot fail may be evaluated early.
    public let canFail: Bool
    /// The kernel takes a constant as a column of one row, which spares filling a whole one; at
    /// least one argument is always of full length.
    public let broadcasts: Bool
    /// The result's type from the arguments' types, after coercion, and from the values of
    /// arguments that are constants (`round(numeric, 2)` needs its 2). A Failure refuses the call.
    public let resultType: @Sendable (_ arguments: [ArgumentType]) throws(Failure) -> LogicalType
    public let kernel: Kernel
    /// A sentence and an example for the SQL reference.
    public let summary: String

    /// Evaluates a whole batch. Rows that fail are reported to `errors`, their result is
    /// unspecified.
    public typealias Kernel = @Sendable (_ call: KernelCall, _ errors: inout RowErrors) -> Column

    public init(
        _ name: String, _ parameters: [Parameter], isVariadic: Bool = false, isStrict: Bool = true,
        canFail: Bool = false, broadcasts: Bool = false, summary: String,
        resultType: @escaping @Sendable ([ArgumentType]) throws(Failure) -> LogicalType,
        kernel: @escaping Kernel
    ) {
        self.name = name
        self.parameters = parameters
        self.isVariadic = isVariadic
        self.isStrict = isStrict
        self.canFail = canFail
        self.broadcasts = broadcasts
        self.summary = summary
        self.resultType = resultType
        self.kernel = kernel
    }

    /// `name(parameter, …)`; unique in the table.
    public var signature: String {
        "\(name)(\(parameters.map(\.description).joined(separator: ", "))\(isVariadic ? "…" : ""))"
    }
}

extension Function: Hashable {
    public static func == (left: Self, right: Self) -> Bool { left.signature == right.signature }
    public func hash(into hasher: inout Hasher) { hasher.combine(signature) }
}

/// What a parameter takes.
public enum Parameter: Sendable, Hashable, CustomStringConvertible {
    /// Exactly this type.
    case exactly(LogicalType)
    /// numeric of any precision and scale; an integer argument is cast to numeric(5|10|19, 0).
    case anyNumeric
    /// Any type; all `same` arguments of a call get one common type (`=`, `greatest`).
    case same
    /// Any type at all, as it is.
    case any
    /// An array of any element type.
    case anyArray

    public var description: String {
        switch self {
        case .exactly(let type): type.description
        case .anyNumeric: "numeric"
        case .same: "anycompatible"
        case .any: "any"
        case .anyArray: "anyarray"
        }
    }
}

/// An argument as the planner knows it.
public struct ArgumentType: Sendable {
    public let type: LogicalType
    /// Its value, if it is a constant.
    public let constant: Scalar?

    public init(_ type: LogicalType, constant: Scalar? = nil) {
        self.type = type
        self.constant = constant
    }
}

/// What a kernel is given: whole columns of `rowCount` rows. An argument that is constant in the
/// expression comes with its value too, so that patterns and units are prepared once a batch.
public struct KernelCall: Sendable {
    public let arguments: [Column]
    public let constants: [Scalar?]
    public let rowCount: Int
    public let type: LogicalType
    public let place: SourcePlace?
    /// Of a strict function: the rows without a NULL argument. An error of another row is dropped,
    /// so a kernel may look here to spare itself the making of one.
    public let validity: Validity

    public init(
        arguments: [Column], constants: [Scalar?], rowCount: Int, type: LogicalType,
        place: SourcePlace?, validity: Validity = nil
    ) {
        self.arguments = arguments
        self.constants = constants
        self.rowCount = rowCount
        self.type = type
        self.place = place
        self.validity = validity
    }
}

/// The rows of a batch that failed, at most one error a row: the first that evaluation met.
public struct RowErrors: Sendable {
    public private(set) var errors: [Int: RowError] = [:]

    public init() {}

    public var isEmpty: Bool { errors.isEmpty }

    /// Those errors for which `isKept` holds.
    public func filter(_ isKept: (RowError) -> Bool) -> RowErrors {
        var result = RowErrors()
        for error in errors.values where isKept(error) { result.note(error) }
        return result
    }

    /// Notes an error unless the row has one.
    public mutating func note(_ error: RowError) {
        if errors[error.row] == nil { errors[error.row] = error }
    }

    /// The same for a kernel: an error of its call at `row`.
    public mutating func note(
        _ row: Int, _ reason: DataErrorReason, _ detail: String, in call: KernelCall
    ) {
        note(RowError(row: row, reason: reason, detail: detail, place: call.place))
    }
}
