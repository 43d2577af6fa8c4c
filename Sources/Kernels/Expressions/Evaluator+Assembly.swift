// Puts a column together from pieces that cover different rows: the results of CASE, COALESCE and
// ARRAY[…]. Later pieces win; rows that no piece covers are NULL.

import Columns
import Types

/// Values for some rows of a column: `column[sources[i]]` (or `column[i]`) goes to row
/// `targets[i]`.
struct ColumnPiece {
    let column: Column
    let targets: [Int32]
    /// Where in `column` the values stand; nil: in order.
    let sources: [Int]?

    init(_ column: Column, targets: [Int32]) {
        self.column = column
        self.targets = targets
        sources = nil
    }

    /// A column of full length, of which only some rows are wanted.
    init(_ column: Column, rows: [Int32]) {
        self.column = column
        targets = rows
        sources = rows.map(Int.init)
    }

    /// Writes the piece's rows into `output`.
    @inline(__always)
    fileprivate func scatter<Value: BitwiseCopyable>(
        _ values: [Value], into output: inout [Value]
    ) {
        if let sources {
            for index in targets.indices { output[Int(targets[index])] = values[sources[index]] }
        } else {
            for index in targets.indices { output[Int(targets[index])] = values[index] }
        }
    }
}

extension Column {
    static func assembled(
        _ type: LogicalType, count: Int, from pieces: [ColumnPiece]
    ) -> Column {
        if let only = pieces.first(where: { $0.targets.count == count }), only.sources == nil,
            pieces.allSatisfy({ $0.targets.isEmpty || $0.targets.count == count }),
            pieces.filter({ !$0.targets.isEmpty }).count == 1, isInOrder(only.targets)
        {
            if case .null = only.column.values { return .nulls(type, count: count) }
            return Column(type, only.column.values, validity: only.column.validity)
        }
        let valued = pieces.filter {
            if case .null = $0.column.values { false } else { !$0.targets.isEmpty }
        }
        return Column(
            type, assembledValues(type, count, valued), validity: assembledValidity(count, pieces))
    }
}

private func isInOrder(_ targets: [Int32]) -> Bool {
    targets.indices.allSatisfy { targets[$0] == Int32($0) }
}

private func assembledValidity(_ count: Int, _ pieces: [ColumnPiece]) -> Validity {
    var validity = Array(repeating: false, count: count)
    for piece in pieces {
        let columnValidity: [Bool]
        if case .null(let count) = piece.column.values {
            columnValidity = Array(repeating: false, count: count)
        } else if let own = piece.column.validity {
            columnValidity = own
        } else {
            for target in piece.targets { validity[Int(target)] = true }
            continue
        }
        piece.scatter(columnValidity, into: &validity)
    }
    return validity.contains(false) ? validity : nil
}

private func assembledValues(
    _ type: LogicalType, _ count: Int, _ pieces: [ColumnPiece]
) -> ColumnValues {
    switch type.physical {
    case .bool: return .bool(scattered(count, false, pieces, \.bools))
    case .int64: return .int64(scattered(count, 0, pieces, \.int64s))
    case .float64: return .float64(scattered(count, 0, pieces, \.float64s))
    case .int128: return .int128(scattered(count, 0, pieces, \.int128s))
    case .interval: return .interval(scattered(count, IntervalValue(), pieces, \.intervals))
    case .bytes: return .bytes(assembledBytes(count, pieces))
    case .list: return assembledLists(type, count, pieces)
    case .row: return assembledRows(type, count, pieces)
    case .null: return .null(count)
    }
}

private func scattered<Value: BitwiseCopyable>(
    _ count: Int, _ filler: Value, _ pieces: [ColumnPiece], _ values: (ColumnValues) -> [Value]?
) -> [Value] {
    var output = Array(repeating: filler, count: count)
    for piece in pieces {
        if let values = values(piece.column.values) { piece.scatter(values, into: &output) }
    }
    return output
}

private func assembledBytes(_ count: Int, _ pieces: [ColumnPiece]) -> ByteColumn {
    var output = Array(repeating: ValueRange(start: 0, length: 0), count: count)
    var data: [UInt8] = []
    for piece in pieces {
        guard case .bytes(let bytes) = piece.column.values else { continue }
        let shift = data.count
        if pieces.count == 1 { data = bytes.data } else { data.append(contentsOf: bytes.data) }
        piece.scatter(shifted(bytes.ranges, by: shift), into: &output)
    }
    return ByteColumn(ranges: output, data: data)
}

private func assembledLists(
    _ type: LogicalType, _ count: Int, _ pieces: [ColumnPiece]
) -> ColumnValues {
    guard case .array(let elementType) = type else { return .null(count) }
    var output = Array(repeating: ValueRange(start: 0, length: 0), count: count)
    var elements: [ColumnPiece] = []
    var elementCount = 0
    for piece in pieces {
        guard case .list(let list) = piece.column.values else { continue }
        piece.scatter(shifted(list.ranges, by: elementCount), into: &output)
        let targets = (0..<list.element.count).map { Int32(elementCount + $0) }
        elements.append(ColumnPiece(list.element, targets: targets))
        elementCount += list.element.count
    }
    let element = Column.assembled(elementType, count: elementCount, from: elements)
    return .list(ListColumn(ranges: output, element: element))
}

private func assembledRows(
    _ type: LogicalType, _ count: Int, _ pieces: [ColumnPiece]
) -> ColumnValues {
    guard case .row(let row) = type else { return .null(count) }
    let fields = row.fields.indices.map { index in
        let parts = pieces.compactMap { piece -> ColumnPiece? in
            guard case .row(let row) = piece.column.values else { return nil }
            return piece.replacing(row.fields[index])
        }
        return Column.assembled(row.fields[index].type, count: count, from: parts)
    }
    return .row(RowColumn(fields: fields, count: count))
}

extension ColumnPiece {
    private init(_ column: Column, targets: [Int32], sources: [Int]?) {
        self.column = column
        self.targets = targets
        self.sources = sources
    }

    fileprivate func replacing(_ column: Column) -> ColumnPiece {
        ColumnPiece(column, targets: targets, sources: sources)
    }
}

private func shifted(_ ranges: [ValueRange], by shift: Int) -> [ValueRange] {
    shift == 0
        ? ranges : ranges.map { ValueRange(start: $0.lowerBound + shift, length: $0.count) }
}

extension ColumnValues {
    var bools: [Bool]? { if case .bool(let values) = self { values } else { nil } }
    var int64s: [Int64]? { if case .int64(let values) = self { values } else { nil } }
    var float64s: [Double]? { if case .float64(let values) = self { values } else { nil } }
    var int128s: [Int128]? { if case .int128(let values) = self { values } else { nil } }
    var intervals: [IntervalValue]? { if case .interval(let values) = self { values } else { nil } }
    var byteColumn: ByteColumn? { if case .bytes(let values) = self { values } else { nil } }
}
