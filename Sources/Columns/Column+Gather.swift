// Picking and joining rows: filter, exchange and merges are made of these.

public import Types

extension Column {
    /// The rows at `rows`, in that order; repeats allowed. Text shares its buffer.
    public func gather(_ rows: [Int32]) -> Column {
        Column(type, values.gather(rows), validity: validity.map { gathered($0, rows) })
    }

    /// `count` NULLs of a type.
    public static func nulls(_ type: LogicalType, count: Int) -> Column {
        Column(type, .filler(type, count: count), validity: Array(repeating: false, count: count))
    }
}

extension ColumnValues {
    fileprivate func gather(_ rows: [Int32]) -> ColumnValues {
        switch self {
        case .bool(let values): .bool(gathered(values, rows))
        case .int64(let values): .int64(gathered(values, rows))
        case .float64(let values): .float64(gathered(values, rows))
        case .int128(let values): .int128(gathered(values, rows))
        case .bytes(let bytes):
            .bytes(ByteColumn(ranges: gathered(bytes.ranges, rows), data: bytes.data))
        case .interval(let values): .interval(gathered(values, rows))
        case .list(let list):
            .list(ListColumn(ranges: gathered(list.ranges, rows), element: list.element))
        case .row(let row):
            .row(RowColumn(fields: row.fields.map { $0.gather(rows) }, count: rows.count))
        case .null: .null(rows.count)
        }
    }

    /// Harmless values to stand under NULLs.
    static func filler(_ type: LogicalType, count: Int) -> ColumnValues {
        switch type.physical {
        case .bool: return .bool(Array(repeating: false, count: count))
        case .int64: return .int64(Array(repeating: 0, count: count))
        case .float64: return .float64(Array(repeating: 0, count: count))
        case .int128: return .int128(Array(repeating: 0, count: count))
        case .bytes:
            let empty = ValueRange(start: 0, length: 0)
            return .bytes(ByteColumn(ranges: Array(repeating: empty, count: count), data: []))
        case .interval: return .interval(Array(repeating: IntervalValue(), count: count))
        case .list:
            guard case .array(let element) = type else { return .null(count) }
            let empty = ValueRange(start: 0, length: 0)
            return .list(
                ListColumn(
                    ranges: Array(repeating: empty, count: count),
                    element: .nulls(element, count: 0)))
        case .row:
            guard case .row(let row) = type else { return .null(count) }
            let fields = row.fields.map { Column.nulls($0.type, count: count) }
            return .row(RowColumn(fields: fields, count: count))
        case .null: return .null(count)
        }
    }
}

private func gathered<Value: BitwiseCopyable>(_ values: [Value], _ rows: [Int32]) -> [Value] {
    [Value](capacity: rows.count) { output in
        for row in rows { output.append(values[Int(row)]) }
    }
}

extension Batch {
    /// The rows at `rows`, in that order.
    public func gather(_ rows: [Int32]) -> Batch {
        Batch(
            rowCount: rows.count, columns: columns.map { $0.gather(rows) },
            changes: changes.map { gathered($0, rows) },
            watermarks: watermarks.map { gathered($0, rows) })
    }
}
