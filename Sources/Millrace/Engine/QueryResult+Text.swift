// A query's rows as a table, JSON lines or CSV.

import Columns
import Formats
import Kernels
import Types

extension QueryResult {
    func text(_ format: QueryCommand.Format) -> String {
        switch format {
        case .table: table
        case .json: json
        case .csv: csv
        }
    }

    private func value(_ column: Column, _ row: Int) -> String? {
        guard column.isValid(row) else { return nil }
        var bytes: [UInt8] = []
        ValueText.append(column, row: row, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As psql draws it: a header, numbers to the right, the count.
    private var table: String {
        let texts = rows.columns.map { column in
            (0..<rows.rowCount).map { value(column, $0) ?? "" }
        }
        let widths = zip(schema.fields, texts).map { field, cells in
            cells.reduce(field.name.count) { max($0, $1.count) }
        }
        func line(_ cells: [String], _ align: (Int, String, Int) -> String) -> String {
            cells.enumerated().map { " " + align($0.offset, $0.element, widths[$0.offset]) + " " }
                .joined(separator: "|").trimmingEnd
        }
        var lines = [line(schema.fields.map(\.name)) { _, text, width in centered(text, width) }]
        lines.append(widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+"))
        for row in 0..<rows.rowCount {
            lines.append(
                line(texts.map { $0[row] }) { column, text, width in
                    schema[column].type.isNumber
                        ? leftPadded(text, width) : rightPadded(text, width)
                })
        }
        lines.append("(\(rows.rowCount) row\(rows.rowCount == 1 ? "" : "s"))")
        return lines.joined(separator: "\n") + "\n"
    }

    private var csv: String {
        func quoted(_ text: String) -> String {
            let needsQuotes = text.isEmpty || text.contains { ",\"\n\r".contains($0) }
            return needsQuotes
                ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
        }
        var lines = [schema.fields.map { quoted($0.name) }.joined(separator: ",")]
        for row in 0..<rows.rowCount {
            lines.append(
                rows.columns.map { value($0, row).map(quoted) ?? "" }.joined(separator: ","))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var json: String {
        String(decoding: JSONRowEncoder(schema).encode(rows).bytes, as: UTF8.self)
    }
}

private func leftPadded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

private func rightPadded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

private func centered(_ text: String, _ width: Int) -> String {
    let space = max(0, width - text.count)
    return String(repeating: " ", count: space / 2) + text
        + String(repeating: " ", count: space - space / 2)
}

extension String {
    fileprivate var trimmingEnd: String {
        String(reversed().drop { $0 == " " }.reversed())
    }
}
