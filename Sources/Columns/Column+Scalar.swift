// Columns from and to single values: for constants, edges and tests, never in a loop over rows.

public import Types

extension Column {
    /// The value of one row. Complexity: O(size of the value).
    public func scalar(_ row: Int) -> Scalar {
        guard isValid(row) else { return .null }
        switch values {
        case .bool(let values): return .bool(values[row])
        case .int64(let values): return .int64(values[row])
        case .float64(let values): return .float64(values[row])
        case .int128(let values): return .int128(values[row])
        case .bytes(let bytes): return .bytes(Array(bytes[row]))
        case .interval(let values): return .interval(values[row])
        case .list(let list):
            let range = list.ranges[row]
            return .list((range.lowerBound..<range.upperBound).map(list.element.scalar))
        case .row(let fields): return .row(fields.fields.map { $0.scalar(row) })
        case .null: return .null
        }
    }

    /// `count` times the same value.
    public init(_ type: LogicalType, repeating scalar: Scalar, count: Int) {
        switch scalar {
        case .null: self = .nulls(type, count: count)
        case .bool(let value): self.init(type, .bool(Array(repeating: value, count: count)))
        case .int64(let value): self.init(type, .int64(Array(repeating: value, count: count)))
        case .float64(let value): self.init(type, .float64(Array(repeating: value, count: count)))
        case .int128(let value): self.init(type, .int128(Array(repeating: value, count: count)))
        case .interval(let value): self.init(type, .interval(Array(repeating: value, count: count)))
        case .bytes(let value):
            let range = ValueRange(start: 0, length: value.count)
            let ranges = Array(repeating: range, count: count)
            self.init(type, .bytes(ByteColumn(ranges: ranges, data: value)))
        case .list, .row:
            self = Column(type, scalars: [scalar])
                .gather(Array(repeating: 0, count: count))
        }
    }

    /// One value a row.
    public init(_ type: LogicalType, scalars: [Scalar]) {
        var builder = ColumnBuilder(type, capacity: scalars.count)
        for scalar in scalars { builder.append(scalar) }
        self = builder.finish()
    }

    /// The columns' rows one after the other; all of one type, at least one column.
    public static func concatenated(_ columns: [Column]) -> Column {
        guard columns.count > 1 else { return columns[0] }
        var builder = ColumnBuilder(
            columns[0].type, capacity: columns.reduce(0) { $0 + $1.count })
        for column in columns {
            for row in 0..<column.count { builder.append(column, row: row) }
        }
        return builder.finish()
    }
}
