// Every aggregate against a naive recomputation over the rows that stand, under random changes,
// batch sizes and restarts.

import Columns
import Contracts
import Operators
import Planning
import Testing
import Types

private let inputTypes: [LogicalType] = [
    .text, .bigint, .double, .numeric(precision: 20, scale: 2), .text, .boolean, .text,
]

private func call(
    _ function: AggregateFunction, _ argument: Int?, _ type: LogicalType, isDistinct: Bool = false,
    filter: Int? = nil, ordering: [Int] = []
) -> AggregateCall {
    var arguments = argument.map { [$0] } ?? []
    if function == .stringAggregate { arguments.append(6) }
    return AggregateCall(
        function: function, arguments: arguments,
        argumentTypes: arguments.map { inputTypes[$0] }, isDistinct: isDistinct, filter: filter,
        ordering: ordering.map { .init(column: $0, isDescending: false, nullsFirst: false) },
        type: type, place: nil)
}

private let wide = LogicalType.numeric(precision: 38, scale: 2)
private let calls: [AggregateCall] = [
    call(.countStar, nil, .bigint), call(.count, 1, .bigint),
    call(.sum, 1, .numeric(precision: 38, scale: 0)), call(.sum, 3, wide),
    call(.sum, 2, .double), call(.avg, 1, .numeric(precision: 38, scale: 16)),
    call(.avg, 2, .double), call(.min, 1, .bigint), call(.max, 2, .double),
    call(.min, 4, .text), call(.max, 3, inputTypes[3]), call(.boolAnd, 5, .boolean),
    call(.boolOr, 5, .boolean), call(.count, 4, .bigint, isDistinct: true),
    call(.sum, 1, .numeric(precision: 38, scale: 0), isDistinct: true),
    call(.first, 4, .text, ordering: [1, 4]), call(.last, 4, .text, ordering: [1, 4]),
    call(.arrayAggregate, 1, .array(.bigint), ordering: [1]),
    call(.stringAggregate, 4, .text, ordering: [4]),
    call(.sum, 1, .numeric(precision: 38, scale: 0), filter: 5),
    call(.variancePopulation, 1, .double), call(.stddevSample, 2, .double),
]

private func integer(_ scalar: Scalar) -> Int128? {
    switch scalar {
    case .int64(let value): Int128(value)
    case .int128(let value): value
    default: nil
    }
}

private func float(_ scalar: Scalar) -> Double? {
    switch scalar {
    case .float64(let value): value
    case .int64(let value): Double(value)
    default: nil
    }
}

/// Text order is by bytes; NULLs last.
private func precedes(_ left: Scalar, _ right: Scalar) -> Bool {
    switch (left, right) {
    case (.null, _): false
    case (_, .null): true
    case (.int64(let left), .int64(let right)): left < right
    case (.int128(let left), .int128(let right)): left < right
    case (.float64(let left), .float64(let right)): left < right
    case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
    default: false
    }
}

/// The naive answer over a group's rows. Values are small, so plain sums of doubles are exact.
private func naive(_ call: AggregateCall, _ all: [[Scalar]]) -> Scalar {
    let rows = all.filter { row in call.filter.map { row[$0] == .bool(true) } ?? true }
    guard let argument = call.arguments.first else { return .int64(Int64(rows.count)) }
    var values = rows.map { $0[argument] }.filter { !$0.isNull }
    if call.isDistinct { values = Array(Set(values)) }
    let sorted = values.sorted(by: precedes)
    let count = Double(values.count)
    switch call.function {
    case .countStar, .count, .approximateCountDistinct: return .int64(Int64(values.count))
    case .sum, .avg:
        guard !values.isEmpty else { return .null }
        if call.type == .double {
            let sum = values.compactMap(float).reduce(0, +)
            return .float64(call.function == .avg ? sum / count : sum)
        }
        let sum = values.compactMap(integer).reduce(0, +)
        guard call.function == .avg else { return .int128(sum) }
        let scaled = sum * 10_000_000_000_000_000
        let whole = Int128(values.count)
        let rounded = (2 * scaled.magnitude + whole.magnitude) / (2 * whole.magnitude)
        return .int128(sum < 0 ? -Int128(rounded) : Int128(rounded))
    case .min: return sorted.first ?? .null
    case .max: return sorted.last ?? .null
    case .boolAnd: return values.isEmpty ? .null : .bool(!values.contains(.bool(false)))
    case .boolOr: return values.isEmpty ? .null : .bool(values.contains(.bool(true)))
    case .first, .last, .arrayAggregate, .stringAggregate:
        let ordered = rows.sorted { left, right in
            for order in call.ordering {
                if precedes(left[order.column], right[order.column]) { return true }
                if precedes(right[order.column], left[order.column]) { return false }
            }
            return false
        }.map { $0[argument] }
        if call.function == .first { return ordered.first ?? .null }
        if call.function == .last { return ordered.last ?? .null }
        if call.function == .arrayAggregate { return ordered.isEmpty ? .null : .list(ordered) }
        let texts = ordered.compactMap { scalar -> [UInt8]? in
            if case .bytes(let bytes) = scalar { bytes } else { nil }
        }
        return texts.isEmpty ? .null : .bytes(Array(texts.joined(separator: Array(",".utf8))))
    default:
        let numbers = values.compactMap(float)
        let isSample = call.function == .stddevSample
        guard numbers.count > (isSample ? 1 : 0) else { return .null }
        let sum = numbers.reduce(0, +)
        let squares = numbers.reduce(0) { $0 + $1 * $1 }
        let variance = (count * squares - sum * sum) / (count * (isSample ? count - 1 : count))
        return .float64(isSample ? variance.squareRoot() : variance)
    }
}

private func isNear(_ left: Scalar, _ right: Scalar) -> Bool {
    guard case .float64(let left) = left, case .float64(let right) = right else {
        return left == right
    }
    return abs(left - right) <= 1e-12 * max(1, abs(left))
}

private func randomRow(_ random: inout Seeded) -> [Scalar] {
    func sometimes(_ value: Scalar, _ random: inout Seeded) -> Scalar {
        Int.random(in: 0..<8, using: &random) == 0 ? .null : value
    }
    let words = ["", "a", "ab", "b\u{0}c", "zebra", "ä"]
    return [
        sometimes(.text(["x", "y", "zz"].randomElement(using: &random) ?? ""), &random),
        sometimes(.int64(.random(in: -20...20, using: &random)), &random),
        sometimes(.float64(Double(Int.random(in: -40...40, using: &random)) / 4), &random),
        sometimes(.int128(Int128(Int.random(in: -900...900, using: &random))), &random),
        sometimes(.text(words.randomElement(using: &random) ?? ""), &random),
        sometimes(.bool(.random(using: &random)), &random),
        .text(","),
    ]
}

private func batch(_ rows: [[Scalar]], _ changes: [Int8]?) -> Batch {
    Batch(
        rowCount: rows.count,
        columns: inputTypes.indices.map { column in
            Column(inputTypes[column], scalars: rows.map { $0[column] })
        }, changes: changes)
}

@Suite struct AggregateTests {
    @Test(arguments: 0..<12)
    func matchesARecomputation(_ seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let isUpdating = seed % 2 == 0
        let isGlobal = seed % 3 == 0
        let keys = isGlobal ? [] : [0]
        let schema = Schema(
            keys.map { Field("k\($0)", inputTypes[$0]) }
                + calls.map { Field($0.function.rawValue, $0.type) })
        var driver = OperatorDriver(
            .aggregate(Aggregate(keys: keys, aggregates: calls, inputIsUpdating: isUpdating)),
            schema: schema, change: .updating(key: Array(keys.indices)), restarts: seed % 4 < 2)
        try driver.barrier()
        var standing: [[Scalar]] = []
        for _ in 0..<12 {
            var rows: [[Scalar]] = []
            var changes: [Int8] = []
            for _ in 0..<[1, 3, 40][seed % 3] {
                if isUpdating, !standing.isEmpty, Bool.random(using: &random) {
                    rows.append(
                        standing.remove(at: .random(in: 0..<standing.count, using: &random)))
                    changes.append(-1)
                } else {
                    rows.append(randomRow(&random))
                    standing.append(rows[rows.count - 1])
                    changes.append(1)
                }
            }
            try driver.push(batch(rows, isUpdating ? changes : nil))
            if Bool.random(using: &random) { try driver.barrier() }
        }
        try driver.barrier()
        let result = try #require(driver.standing, "a −1 met no row, seed \(seed)")
        var groups = Dictionary(grouping: standing) { isGlobal ? [] : [$0[0]] }
        if isGlobal, groups.isEmpty { groups[[]] = [] }
        #expect(result.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(result.count == groups.count, "seed \(seed)")
        for row in result.keys {
            let group = groups[Array(row.prefix(keys.count))] ?? []
            for (index, call) in calls.enumerated() {
                let expected = naive(call, group)
                #expect(
                    isNear(row[keys.count + index], expected),
                    "seed \(seed): \(call.function.rawValue) \(row[keys.count + index]) \(expected)"
                )
            }
        }
        #expect(driver.isConserved, "seed \(seed): \(driver.counters)")
    }
}
