// What the tests of kernels share: columns from literals, and calls by name.

import Columns
import Contracts
import Kernels
import Testing
import Types

let somewhere = SourcePlace(file: "test.sql", offset: 7)

func column(_ type: LogicalType, _ scalars: [Scalar]) -> Column { Column(type, scalars: scalars) }

func int(_ value: Int64) -> Scalar { .int64(value) }

/// `#0 name #1 …` over columns of these types, by the first overload that takes them.
func call(_ name: String, _ types: [LogicalType]) throws -> Expression {
    try call(
        name, types.enumerated().map { Expression.column($0.offset, $0.element) })
}

func call(_ name: String, _ arguments: [Expression]) throws -> Expression {
    let types = arguments.map(\.type)
    let function = try #require(
        FunctionTable.overloads(of: name).first { accepts($0, types) },
        "no \(name)(\(types))")
    let described = arguments.map { argument in
        if case .constant(let scalar, let type) = argument {
            return ArgumentType(type, constant: scalar)
        }
        return ArgumentType(argument.type)
    }
    let type = try function.resultType(described)
    return .call(Expression.Call(function, arguments, type: type, place: somewhere))
}

private func accepts(_ function: Function, _ types: [LogicalType]) -> Bool {
    guard
        types.count == function.parameters.count
            || (function.isVariadic && types.count >= function.parameters.count)
    else { return false }
    return types.enumerated().allSatisfy { index, type in
        let parameter = function.parameters[min(index, function.parameters.count - 1)]
        switch parameter {
        case .exactly(let exact): return exact == type
        case .anyNumeric: return type.isNumeric
        case .same: return types.allSatisfy { $0 == types[0] }
        case .any: return true
        case .anyArray:
            if case .array = type { return true }
            return false
        }
    }
}

/// The value of an expression without columns.
struct Outcome: Equatable {
    var value: Scalar
    var reason: DataErrorReason?
}

func outcome(_ expression: Expression, _ columns: [Column] = []) -> Outcome {
    var errors = RowErrors()
    let batch = Batch(rowCount: 1, columns: columns)
    let result = expression.evaluate(batch, errors: &errors)
    if let error = errors.errors[0] { return Outcome(value: .null, reason: error.reason) }
    return Outcome(value: result.scalar(0), reason: nil)
}

/// A call over constants, evaluated both as constants and as columns: the answers must agree.
func evaluated(_ name: String, _ arguments: [(LogicalType, Scalar)]) throws -> Outcome {
    let constant = outcome(try call(name, arguments.map { .constant($0.1, $0.0) }))
    let columns = arguments.map { Column($0.0, repeating: $0.1, count: 1) }
    let byColumns = outcome(try call(name, arguments.map(\.0)), columns)
    if arguments.allSatisfy({ !$0.1.isNull }) { #expect(constant == byColumns) }
    return byColumns
}

/// The text of a value cast from text, or the reason it is refused.
func cast(_ text: String, _ types: LogicalType...) -> String {
    var expression = Expression.constant(.text(text), .text)
    for type in types + [.text] where type != expression.type {
        expression = .cast(expression, to: type, place: somewhere)
    }
    let result = outcome(expression)
    if let reason = result.reason { return "error: \(reason.rawValue)" }
    guard case .bytes(let bytes) = result.value else { return "NULL" }
    return String(decoding: bytes, as: UTF8.self)
}
