// Two bags of rows compared, and the difference as people read it.

import Columns
import Contracts
import Kernels
import State
import Types

extension RowCodec {
    /// The values of some columns as bytes that are equal where the values are.
    static func canonical(_ batch: Batch, _ columns: [Int], _ schema: Schema) -> [[UInt8]] {
        let codec = RowCodec(columns.map { schema[$0].type }, form: .canonical)
        let rows = codec.encode(columns.map { batch.columns[$0] }, rowCount: batch.rowCount)
        return (0..<batch.rowCount).map { Array(rows[$0]) }
    }
}

/// Rows as they are compared and shown.
struct TopologyTestTable {
    struct Row {
        /// Equal where the rows are.
        let key: [UInt8]
        let cells: [String]
    }

    let names: [String]
    let rows: [Row]

    init(names: [String], rows: [Row]) {
        self.names = names
        self.rows = rows
    }

    /// `changes`: shown and compared as a column in front.
    init(_ fields: [Field], _ values: [[Scalar]], changes: [Int8]?) {
        let columns = fields.enumerated().map { index, field in
            Column(field.type, scalars: values.map { $0[index] })
        }
        let batch = Batch(rowCount: values.count, columns: columns)
        let keys = RowCodec.canonical(batch, Array(fields.indices), Schema(fields))
        names = (changes == nil ? [] : ["_change"]) + fields.map(\.name)
        rows = values.indices.map { row in
            let cells = columns.map { TopologyTestTable.text($0, row) }
            guard let changes else { return Row(key: keys[row], cells: cells) }
            let sign = changes[row] < 0 ? "-1" : "1"
            return Row(key: Array(sign.utf8) + keys[row], cells: [sign] + cells)
        }
    }

    init(_ expectation: TopologyTestExpectation) {
        self.init(expectation.fields, expectation.rows, changes: expectation.changes)
    }

    private static func text(_ column: Column, _ row: Int) -> String {
        guard column.isValid(row) else { return "NULL" }
        var bytes: [UInt8] = []
        ValueText.append(column, row: row, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What is missing and what is unexpected.
struct TopologyTestDifference {
    private let names: [String]
    private let missing: [[String]]
    private let unexpected: [[String]]
    private let matchCount: Int

    /// Rows of each kind that are shown; the rest is counted.
    static let limit = 20

    /// nil: there is none.
    init?(expected: TopologyTestTable, actual: TopologyTestTable) {
        var wanted: [[UInt8]: Int] = [:]
        for row in expected.rows { wanted[row.key, default: 0] += 1 }
        var unexpected: [[String]] = []
        var matches = 0
        for row in actual.rows {
            if let count = wanted[row.key], count > 0 {
                wanted[row.key] = count - 1
                matches += 1
            } else {
                unexpected.append(row.cells)
            }
        }
        var missing: [[String]] = []
        for row in expected.rows {
            guard let count = wanted[row.key], count > 0 else { continue }
            wanted[row.key] = count - 1
            missing.append(row.cells)
        }
        if missing.isEmpty, unexpected.isEmpty { return nil }
        let names = actual.names.count >= expected.names.count ? actual.names : expected.names
        self.names = names
        self.missing = missing.map { TopologyTestDifference.widened($0, to: names) }
        self.unexpected = unexpected.map { TopologyTestDifference.widened($0, to: names) }
        matchCount = matches
    }

    /// A row without `_change` beside rows that have it.
    private static func widened(_ cells: [String], to names: [String]) -> [String] {
        cells.count < names.count ? ["1"] + cells : cells
    }

    var text: String {
        let shown =
            missing.sorted(by: before).prefix(TopologyTestDifference.limit).map { ("-", $0) }
            + unexpected.sorted(by: before).prefix(TopologyTestDifference.limit).map { ("+", $0) }
        var widths = names.map(\.count)
        for (_, cells) in shown {
            for (index, cell) in cells.enumerated() {
                widths[index] = max(widths[index], cell.count)
            }
        }
        var text = line(" ", names, widths)
        for (mark, cells) in shown { text += line(mark, cells, widths) }
        let hidden = missing.count + unexpected.count - shown.count
        if hidden > 0 { text += "      … and \(hidden) more\n" }
        text += "    - missing: \(missing.count), + unexpected: \(unexpected.count), "
        return text + "as expected: \(matchCount)\n"
    }

    private func before(_ left: [String], _ right: [String]) -> Bool {
        left.lexicographicallyPrecedes(right)
    }

    private func line(_ mark: String, _ cells: [String], _ widths: [Int]) -> String {
        let padded = zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: width - cell.count)
        }
        var line = "    \(mark) " + padded.joined(separator: " | ")
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}
