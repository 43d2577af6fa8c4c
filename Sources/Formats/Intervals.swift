// Intervals arrive as text and are parsed here, once a batch.

import Columns
import Contracts
import Kernels
import Types

/// Replaces the text of interval columns by intervals; what is none is an error of its message.
func parseIntervals(_ columns: inout [Column], _ wanted: WantedColumns, _ sorter: inout RowSorter) {
    for index in columns.indices where wanted.fields[index].type == .interval {
        guard case .bytes(let texts) = columns[index].values else { continue }
        var builder = ColumnBuilder(.interval, capacity: columns[index].count)
        for row in 0..<columns[index].count {
            guard columns[index].isValid(row) else {
                builder.appendNull()
                continue
            }
            if let interval = IntervalText.parse(texts[row].span) {
                builder.append(interval)
            } else {
                builder.appendNull()
                let name = wanted.fields[index].name
                sorter.fail(
                    row, .wrongType, name, "field \"\(name)\": \(texts.string(row)) is no interval")
            }
        }
        columns[index] = builder.finish()
    }
}
