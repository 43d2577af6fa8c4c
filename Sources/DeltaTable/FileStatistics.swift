// Per-file statistics (PROTOCOL.md "Per-file Statistics"): what a written file holds, as JSON, and
// what the JSON of any writer rules out.

import Contracts
import Parquet
import Types

enum FileStatistics {
    /// Statistics cover this many leaf columns (delta.dataSkippingNumIndexedCols' default).
    static let columnLimit = 32
    /// Text is cut to this many characters, as Delta's own writer does.
    static let textLimit = 32

    /// The `stats` of a file just written.
    static func encode(_ summary: ParquetFileSummary, columnLimit: Int = columnLimit) -> String {
        var lowest = StatisticsTree()
        var highest = StatisticsTree()
        var nulls = StatisticsTree()
        for column in summary.columns.prefix(columnLimit) where !column.isInList {
            nulls.insert(.integer(column.nullCount), column.path[...])
            guard !column.hasNaN, let minimum = column.minimum, let maximum = column.maximum,
                let low = bound(minimum, column.type, isUpper: false),
                let high = bound(maximum, column.type, isUpper: true)
            else { continue }
            lowest.insert(low, column.path[...])
            highest.insert(high, column.path[...])
        }
        return JSONValue.object([
            .init("numRecords", .integer(summary.rowCount)),
            .init("minValues", lowest.json), .init("maxValues", highest.json),
            .init("nullCount", nulls.json), .init("tightBounds", .bool(true)),
        ]).text
    }

    /// One bound; nil where JSON has none that every reader agrees on.
    private static func bound(
        _ value: Scalar, _ type: LogicalType, isUpper: Bool
    ) -> JSONValue? {
        switch (value, type) {
        case (.int64(let days), .date):
            guard DeltaRange.partition.days.contains(days) else { return nil }
            return .string(dateText(days: days))
        case (.int64(let time), .timestamptz), (.int64(let time), .timestamp):
            // Cut to ms; the upper bound is rounded up.
            guard writableTimes.contains(time), writableTimes.contains(time &+ 999) else {
                return nil
            }
            let rounded = isUpper ? time + 999 : time
            let text = timestampText(microseconds: rounded, separator: "T", digits: 3)
            return .string(type == .timestamptz ? text + "Z" : text)
        case (.int64(let number), _): return .integer(number)
        case (.float64(let number), .real):
            return number.isFinite ? .number(String(Float(number))) : nil
        case (.float64(let number), _): return number.isFinite ? .number(String(number)) : nil
        case (.int128(let number), .numeric(_, let scale)):
            return .number(decimalText(number, scale))
        case (.bytes(let bytes), .text), (.bytes(let bytes), .json), (.bytes(let bytes), .uuid):
            return text(String(decoding: bytes, as: UTF8.self), isUpper: isUpper)
        default: return nil
        }
    }

    private static func text(_ text: String, isUpper: Bool) -> JSONValue? {
        let scalars = text.unicodeScalars
        guard scalars.count > textLimit else { return .string(text) }
        var prefix = String(String.UnicodeScalarView(scalars.prefix(textLimit)))
        if isUpper {
            // The highest character there is stands above whatever was cut, unless it was cut.
            guard let next = scalars.dropFirst(textLimit).first, next.value < 0x10FFFF else {
                return nil
            }
            prefix.unicodeScalars.append("\u{10FFFF}")
        }
        return .string(prefix)
    }

    static func rowCount(_ statistics: String?) -> Int64? {
        guard let statistics, let document = try? JSONValue(parsing: statistics) else { return nil }
        return document["numRecords"]?.int64
    }
}

/// Nested names to nested objects, in the order of insertion.
private struct StatisticsTree {
    private enum Node {
        case value(JSONValue)
        case tree([(name: String, node: Node)])
    }
    private var root: [(name: String, node: Node)] = []

    mutating func insert(_ value: JSONValue, _ path: ArraySlice<String>) {
        root = Self.inserting(value, path, into: root)
    }

    private static func inserting(
        _ value: JSONValue, _ path: ArraySlice<String>, into nodes: [(name: String, node: Node)]
    ) -> [(name: String, node: Node)] {
        guard let name = path.first else { return nodes }
        var result = nodes
        guard path.count > 1 else { return nodes + [(name, .value(value))] }
        if let index = nodes.firstIndex(where: { $0.name == name }),
            case .tree(let children) = nodes[index].node
        {
            result[index].node = .tree(inserting(value, path.dropFirst(), into: children))
        } else {
            result.append((name, .tree(inserting(value, path.dropFirst(), into: []))))
        }
        return result
    }

    var json: JSONValue { Self.json(root) }

    private static func json(_ nodes: [(name: String, node: Node)]) -> JSONValue {
        .object(
            nodes.map { entry in
                switch entry.node {
                case .value(let value): .init(entry.name, value)
                case .tree(let children): .init(entry.name, json(children))
                }
            })
    }
}
