// Which types go together: common types, which casts exist, results of arithmetic and aggregates.

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
    package static func cast(from source: LogicalType, to target: LogicalType) -> CastContext? {
        bug("not there")
    }

    /// The type that values of all these types take together in CASE, UNION, GREATEST, VALUES
    /// (dialect.md §3.1); `unknown` if all are. nil: they don't go together, or numeric needs more
    /// than 38 digits before the point.
    package static func commonType(_ types: [LogicalType]) -> LogicalType? {
        bug("not there")
    }

    /// `expression` as `type` where an INSERT or a sink column wants it (dialect.md §2.8).
    /// Throws `sql.type_mismatch` naming `column`, with a cast as hint, if only an explicit cast exists.
    package static func assignmentCast(
        _ expression: Expression, to type: LogicalType, column: String, place: SourcePlace
    ) throws(Failure) -> Expression {
        bug("not there")
    }

    /// `expression` as `type`, implicitly; for UNION's branches once `commonType` has said so.
    package static func implicitCast(
        _ expression: Expression, to type: LogicalType, place: SourcePlace
    ) throws(Failure) -> Expression {
        bug("not there")
    }

    /// The result of an aggregate (dialect.md §3.1: sum, avg …) and the types that its arguments are
    /// cast to first. Throws `sql.function_unknown` with the types if it does not take them.
    package static func aggregateType(
        _ function: AggregateFunction, arguments: [LogicalType], place: SourcePlace
    ) throws(Failure) -> (result: LogicalType, arguments: [LogicalType]) {
        bug("not there")
    }
}
