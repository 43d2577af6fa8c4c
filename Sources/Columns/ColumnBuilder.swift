// Building a column value by value: sources, aggregates and merges end here.

public import Types

/// Grows one column. A class would cost a retain a row; a noncopyable struct makes sure that
/// `finish()` takes the memory over instead of copying it.
public struct ColumnBuilder: ~Copyable {
    public let type: LogicalType
    /// Read and grown directly by decoders, which have switched on the type already.
    public var bools: [Bool] = []
    public var int64s: [Int64] = []
    public var float64s: [Double] = []
    public var int128s: [Int128] = []
    public var intervals: [IntervalValue] = []
    public var ranges: [ValueRange] = []
    public var data: [UInt8] = []
    private var nested: [NestedBuilder] = []
    private var validity: [Bool] = []
    private var nullCount = 0
    public private(set) var count = 0

    public init(_ type: LogicalType, capacity: Int = 0) {
        self.type = type
        switch type {
        case .array(let element): nested = [NestedBuilder(element)]
        case .row(let row): nested = row.fields.map { NestedBuilder($0.type) }
        default: reserve(capacity)
        }
    }

    private mutating func reserve(_ capacity: Int) {
        switch type.physical {
        case .bool: bools.reserveCapacity(capacity)
        case .int64: int64s.reserveCapacity(capacity)
        case .float64: float64s.reserveCapacity(capacity)
        case .int128: int128s.reserveCapacity(capacity)
        case .bytes: ranges.reserveCapacity(capacity)
        case .interval: intervals.reserveCapacity(capacity)
        case .list, .row, .null: break
        }
    }

    @inlinable
    public mutating func append(_ value: Bool) {
        bools.append(value)
        noteValid()
    }

    @inlinable
    public mutating func append(_ value: Int64) {
        int64s.append(value)
        noteValid()
    }

    @inlinable
    public mutating func append(_ value: Double) {
        float64s.append(value)
        noteValid()
    }

    @inlinable
    public mutating func append(_ value: Int128) {
        int128s.append(value)
        noteValid()
    }


    @inlinable
    public mutating func append(_ value: IntervalValue) {
        intervals.append(value)
        noteValid()
    }

    /// Text or bytes, copied into this builder's buffer.
    @inlinable
    public mutating func append(bytes: some Collection<UInt8>) {
        let start = data.count
        data.append(contentsOf: bytes)
        ranges.append(ValueRange(start: start, length: data.count - start))
        noteValid()
    }

    public mutating func append(_ value: String) { append(bytes: value.utf8) }

    /// A row of another column of the same type.
    public mutating func append(_ column: Column, row: Int) {
        guard column.isValid(row) else { return appendNull() }
        switch column.values {
        case .bool(let values): append(values[row])
        case .int64(let values): append(values[row])
        case .float64(let values): append(values[row])
        case .int128(let values): append(values[row])
        case .interval(let values): append(values[row])
        case .bytes(let bytes): append(bytes: bytes[row])
        case .list(let list):
            let range = list.ranges[row]
            let start = nested[0].builder.count
            for index in range.lowerBound..<range.upperBound {
                nested[0].builder.append(list.element, row: index)
            }
            ranges.append(ValueRange(start: start, length: range.count))
            noteValid()
        case .row(let fields):
            for (index, field) in fields.fields.enumerated() {
                nested[index].builder.append(field, row: row)
            }
            noteValid()
        case .null: appendNull()
        }
    }

    /// A scalar of this type.
    public mutating func append(_ scalar: Scalar) {
        switch scalar {
        case .null: appendNull()
        case .bool(let value): append(value)
        case .int64(let value): append(value)
        case .float64(let value): append(value)
        case .int128(let value): append(value)
        case .interval(let value): append(value)
        case .bytes(let value): append(bytes: value)
        case .list(let elements):
            let start = nested[0].builder.count
            for element in elements { nested[0].builder.append(element) }
            ranges.append(ValueRange(start: start, length: elements.count))
            noteValid()
        case .row(let fields):
            for (index, field) in fields.enumerated() { nested[index].builder.append(field) }
            noteValid()
        }
    }

    public mutating func appendNull() {
        if nullCount == 0 { validity = Array(repeating: true, count: count) }
        switch type.physical {
        case .bool: bools.append(false)
        case .int64: int64s.append(0)
        case .float64: float64s.append(0)
        case .int128: int128s.append(0)
        case .interval: intervals.append(IntervalValue())
        case .bytes, .list: ranges.append(ValueRange(start: 0, length: 0))
        case .row: for index in nested.indices { nested[index].builder.appendNull() }
        case .null: break
        }
        validity.append(false)
        nullCount += 1
        count += 1
    }

    /// Counts a value that a decoder has put into its array itself.
    @inlinable
    public mutating func noteValid() {
        if hasNulls { appendValid() }
        advance()
    }

    @usableFromInline var hasNulls: Bool { nullCount > 0 }
    @usableFromInline mutating func appendValid() { validity.append(true) }
    @usableFromInline mutating func advance() { count += 1 }

    /// The column; the builder is gone.
    public consuming func finish() -> Column {
        let validity: Validity = nullCount > 0 ? self.validity : nil
        let values: ColumnValues =
            switch type.physical {
            case .bool: .bool(bools)
            case .int64: .int64(int64s)
            case .float64: .float64(float64s)
            case .int128: .int128(int128s)
            case .interval: .interval(intervals)
            case .bytes: .bytes(ByteColumn(ranges: ranges, data: data))
            case .list: .list(ListColumn(ranges: ranges, element: nested[0].take()))
            case .row: .row(RowColumn(fields: nested.map { $0.take() }, count: count))
            case .null: .null(count)
            }
        return Column(type, values, validity: validity)
    }
}

/// Holds the builder of an element or field: a noncopyable struct cannot hold an array of its kind.
private final class NestedBuilder {
    var builder: ColumnBuilder

    init(_ type: LogicalType) { builder = ColumnBuilder(type) }

    func take() -> Column {
        let type = builder.type
        let taken = exchange(&builder, with: ColumnBuilder(type))
        return taken.finish()
    }
}

private func exchange(
    _ builder: inout ColumnBuilder, with new: consuming ColumnBuilder
) -> ColumnBuilder {
    let old = builder
    builder = new
    return old
}
