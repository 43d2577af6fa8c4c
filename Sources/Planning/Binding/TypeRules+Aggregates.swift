// What aggregates take and give (dialect.md §3.1).

package import Contracts
package import Types

extension TypeRules {
    /// The result of an aggregate and the types that its arguments are cast to first. Throws
    /// `sql.function_unknown` with the types if it does not take them.
    package static func aggregateType(
        _ function: AggregateFunction, arguments: [LogicalType], place: SourcePlace
    ) throws(Failure) -> (result: LogicalType, arguments: [LogicalType]) {
        let types = arguments.map { $0 == .unknown ? .text : $0 }
        guard types.count == argumentCount(function) else {
            throw refused(function, arguments, place)
        }
        if let result = counted(function, types) { return (result, types) }
        guard let argument = types.first else { throw refused(function, arguments, place) }
        switch function {
        case .min, .max:
            guard isOrdered(argument) else { throw refused(function, arguments, place) }
            return (argument, types)
        case .boolAnd, .boolOr:
            guard argument == .boolean || arguments == [.unknown] else {
                throw refused(function, arguments, place)
            }
            return (.boolean, [.boolean])
        case .stringAggregate:
            guard types == [.text, .text] || types == [.bytea, .bytea] else {
                throw refused(function, arguments, place)
            }
            return (argument, types)
        default:
            guard let result = arithmetic(function, argument) else {
                throw refused(function, arguments, place)
            }
            return result
        }
    }

    private static func argumentCount(_ function: AggregateFunction) -> Int {
        switch function {
        case .countStar: 0
        case .stringAggregate: 2
        default: 1
        }
    }

    /// Aggregates that take every type.
    private static func counted(
        _ function: AggregateFunction, _ types: [LogicalType]
    ) -> LogicalType? {
        switch function {
        case .countStar, .count, .approximateCountDistinct: .bigint
        case .first, .last: types.first
        case .arrayAggregate: types.first.map { .array($0) }
        default: nil
        }
    }

    private static func arithmetic(
        _ function: AggregateFunction, _ type: LogicalType
    ) -> (result: LogicalType, arguments: [LogicalType])? {
        let whole = LogicalType.maximumPrecision
        switch (function, type) {
        case (.sum, .smallint), (.sum, .integer): return (.bigint, [type])
        case (.sum, .bigint): return (.numeric(precision: whole, scale: 0), [type])
        case (.sum, .numeric(_, let scale)):
            return (.numeric(precision: whole, scale: scale), [type])
        case (.sum, .real), (.sum, .double), (.sum, .interval), (.avg, .interval):
            return (type, [type])
        case (.avg, .real), (.avg, .double): return (.double, [type])
        case (.avg, _):
            guard let (_, scale) = asNumeric(type) else { return nil }
            return (.numeric(precision: whole, scale: max(16, scale)), [type])
        case (.stddevSample, _), (.stddevPopulation, _), (.varianceSample, _),
            (.variancePopulation, _):
            return type.isNumber ? (.double, [type]) : nil
        default: return nil
        }
    }

    /// Whether min and max know the type's order.
    private static func isOrdered(_ type: LogicalType) -> Bool {
        switch type {
        case .json, .row, .boolean: false
        case .array(let element): isOrdered(element)
        default: true
        }
    }

    private static func refused(
        _ function: AggregateFunction, _ types: [LogicalType], _ place: SourcePlace
    ) -> Failure {
        let name = function == .countStar ? "count" : function.rawValue
        let shown = types.map(\.description).joined(separator: ", ")
        var hint: String?
        if function == .min || function == .max, types == [.boolean] {
            hint = "bool_and and bool_or are the minimum and maximum of boolean"
        } else if function == .stringAggregate, types.count == 2 {
            hint = "cast to text"
        }
        return Failure(
            .invalid, "sql.function_unknown", "there is no aggregate \(name)(\(shown))",
            hint: hint, place: place)
    }
}
