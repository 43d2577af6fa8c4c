// Aggregate calls drawn from a seed: as SQL, and what they must give.

/// One call over the drawn columns.
enum RandomAggregate: Sendable, Hashable {
    case count
    case countOf(String)
    case countDistinct(String)
    case sumV, minV, maxV, averageV, arrayV
    case sumX, minX, maxX, allX, anyX
    /// Of v, where a NULL stands for −1,000; only asked of models.
    case sumOfValues
    case countAbove(Int64)
    case sumAbove(Int64)

    static func draw(_ random: inout SeededRandom, _ columns: RandomColumns) -> Self {
        var choices: [Self] = [
            .countOf("v"), .countOf("x"), .countDistinct("k"), .countDistinct("v"), .sumV, .minV,
            .maxV, .averageV, .arrayV, .countAbove(Int64(random.within(-2...12))),
            .sumAbove(Int64(random.within(-2...12))),
        ]
        let type = columns.x
        if type.isCountedDistinct { choices.append(.countDistinct("x")) }
        if type.isOrdered { choices += [.minX, .maxX] }
        if type.values[0].unscaled != nil || type.values[0].float != nil { choices.append(.sumX) }
        if type == .boolean { choices += [.allX, .anyX] }
        return random.pick(choices)
    }

    var sql: String {
        switch self {
        case .count: "count(*)"
        case .countOf(let column): "count(\(column))"
        case .countDistinct(let column): "count(DISTINCT \(column))"
        case .sumV: "sum(v)"
        case .minV: "min(v)"
        case .maxV: "max(v)"
        case .averageV: "avg(v)"
        case .arrayV: "array_agg(v ORDER BY v)"
        case .sumOfValues: "sum(coalesce(v, -1000))"
        case .sumX: "sum(x)"
        case .minX: "min(x)"
        case .maxX: "max(x)"
        case .allX: "bool_and(x)"
        case .anyX: "bool_or(x)"
        case .countAbove(let bound): "count(*) FILTER (WHERE v > \(bound))"
        case .sumAbove(let bound): "sum(v) FILTER (WHERE v > \(bound))"
        }
    }

    func result(_ events: [Event], _ columns: RandomColumns) -> Cell {
        let values = events.compactMap(\.v)
        let xs = events.compactMap(\.x).sorted()
        switch self {
        case .count: return Cell(Int64(events.count))
        case .countOf(let column):
            return Cell(Int64(column == "v" ? values.count : xs.count))
        case .countDistinct("k"): return Cell(Int64(Set(events.map(\.k)).count))
        case .countDistinct("v"): return Cell(Int64(Set(values).count))
        case .countDistinct: return Cell(Int64(Set(xs).count))
        case .sumV: return Self.sum(values)
        case .sumOfValues: return Self.sum(events.map { $0.v ?? -1_000 })
        case .minV: return Cell(values.min())
        case .maxV: return Cell(values.max())
        case .averageV: return Self.average(values)
        case .arrayV: return Self.array(events)
        case .sumX: return Self.sum(xs.map { columns.x.values[$0] }, columns.x)
        case .minX: return xs.first.map { columns.x.values[$0].cell } ?? .null
        case .maxX: return xs.last.map { columns.x.values[$0].cell } ?? .null
        // false is 0 and true is 1.
        case .allX: return xs.first.map { columns.x.values[$0].cell } ?? .null
        case .anyX: return xs.last.map { columns.x.values[$0].cell } ?? .null
        case .countAbove(let bound): return Cell(Int64(values.filter { $0 > bound }.count))
        case .sumAbove(let bound): return Self.sum(values.filter { $0 > bound })
        }
    }

    private static func sum(_ values: [Int64]) -> Cell {
        values.isEmpty ? .null : Cell(values.reduce(0, +))
    }

    private static func sum(_ values: [RandomType.Value], _ type: RandomType) -> Cell {
        guard let first = values.first else { return .null }
        if first.float != nil {
            let total = values.reduce(0) { $0 + ($1.float ?? 0) }
            return Cell("\(total)", RandomType.floatText(total))
        }
        let total = values.reduce(Int128(0)) { $0 + ($1.unscaled ?? 0) }
        return Cell(unscaled: total, scale: type == .numeric ? 3 : 0)
    }

    /// numeric(38,16), half away from zero.
    private static func average(_ values: [Int64]) -> Cell {
        guard !values.isEmpty else { return .null }
        let scaled = Int128(values.reduce(0, +)) * 10_000_000_000_000_000
        let count = Int128(values.count)
        let (quotient, rest) = (scaled / count, scaled % count)
        let isUp = rest.magnitude * 2 >= count.magnitude
        return Cell(unscaled: quotient + (isUp ? (scaled < 0 ? -1 : 1) : 0), scale: 16)
    }

    /// Ascending, NULLs last.
    private static func array(_ events: [Event]) -> Cell {
        guard !events.isEmpty else { return .null }
        let values = events.compactMap(\.v).sorted().map(String.init)
        let missing = events.count - values.count
        let stored = values + Array(repeating: nullText, count: missing)
        let json = values + Array(repeating: "null", count: missing)
        return Cell(
            "[" + stored.joined(separator: ", ") + "]", "[" + json.joined(separator: ",") + "]")
    }
}
