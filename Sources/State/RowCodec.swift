// Rows of typed columns as bytes: keys and rows of state, upsert intents.
//
// A value is self-delimiting, so a row needs no index and the code of a key is never the beginning
// of another key's (state removes whole groups by prefix). A value begins with a tag; 0 is NULL.
// Then:
//
//     bool      1 false, 2 true
//     int64     1 + n, then the n ≤ 8 bytes of the zigzag number, little-endian
//     int128    1, then 16 bytes little-endian
//     float64   1, then 8 bytes little-endian
//     bytes     varint of length + 1 (the tag), then the bytes
//     interval  1, then months, days, microseconds, each one byte of width and its zigzag bytes
//     list      varint of count + 1 (the tag), then the elements
//     row       1, then the fields
//
// The canonical form gives equal keys equal bytes: −0.0 becomes 0.0, every NaN the same NaN, an
// interval the longest months and days that make up its span. The exact form keeps values as they
// are.

public import Columns
public import Contracts
public import Types

/// Encodes and decodes rows of columns of fixed types.
public struct RowCodec: Sendable {
    public enum Form: Sendable {
        /// For keys: equal values, equal bytes.
        case canonical
        case exact
    }

    /// Stands in front of stored values (not of keys); raised when a layout changes.
    public static let version: UInt8 = 1

    public let types: [LogicalType]
    public let form: Form

    public init(_ types: [LogicalType], form: Form) {
        self.types = types
        self.form = form
    }

    /// The rows at `rows` (nil: all) as bytes. Complexity: two loops a column.
    public func encode(_ columns: [Column], rowCount: Int, rows: [Int32]? = nil) -> EncodedRows {
        let rows = rows ?? (0..<Int32(rowCount)).map { $0 }
        let parts = columns.map { EncodingColumn($0, form: form) }
        var offsets = Array(repeating: 0, count: rows.count + 1)
        for part in parts { part.addSizes(rows, to: &offsets) }
        var total = 0
        for index in rows.indices {
            let size = offsets[index]
            offsets[index] = total
            total += size
        }
        offsets[rows.count] = total
        var bytes: [UInt8] = Array(repeating: 0, count: total)
        var cursors = offsets
        for part in parts { part.write(rows, into: &bytes, cursors: &cursors) }
        return EncodedRows(bytes: bytes, offsets: offsets)
    }

    /// Decodes one row and appends it to `builders`, one a column.
    public func decode(_ reader: inout ByteReader, into builders: RowBuilders) throws(Failure) {
        for (index, type) in types.enumerated() {
            builders.append(try decodeScalar(type, &reader), to: index)
        }
        builders.noteRow()
    }

    /// Moves behind one row.
    public func skip(_ reader: inout ByteReader) throws(Failure) {
        for type in types { _ = try decodeScalar(type, &reader) }
    }

    /// The columns of encoded rows, one row a slice.
    public func decode(_ rows: some Sequence<ArraySlice<UInt8>>) throws(Failure) -> [Column] {
        let builders = RowBuilders(types)
        for row in rows {
            var reader = ByteReader(row)
            try decode(&reader, into: builders)
        }
        return builders.finish()
    }
}

/// Encoded rows, one after the other.
public struct EncodedRows: Sendable {
    public let bytes: [UInt8]
    /// Where each row begins, and the end.
    public let offsets: [Int]

    public init(bytes: [UInt8], offsets: [Int]) {
        self.bytes = bytes
        self.offsets = offsets
    }

    public var count: Int { offsets.count - 1 }

    @inlinable
    public subscript(row: Int) -> ArraySlice<UInt8> { bytes[offsets[row]..<offsets[row + 1]] }
}

/// One builder a column of a row; a class, because builders cannot stand in arrays.
public final class RowBuilders {
    private let columns: [Slot]
    public private(set) var rowCount = 0

    private final class Slot {
        var builder: ColumnBuilder
        init(_ type: LogicalType) { builder = ColumnBuilder(type) }

        func take() -> Column {
            let type = builder.type
            return swapBuilder(&builder, with: ColumnBuilder(type)).finish()
        }
    }

    public init(_ types: [LogicalType]) { columns = types.map { Slot($0) } }

    func append(_ scalar: Scalar, to column: Int) { columns[column].builder.append(scalar) }

    /// Appends a row of columns of these types.
    public func append(_ source: [Column], row: Int) {
        for (index, column) in source.enumerated() {
            columns[index].builder.append(column, row: row)
        }
        rowCount += 1
    }

    func noteRow() { rowCount += 1 }

    /// The columns; the builders begin again, empty.
    public func finish() -> [Column] {
        rowCount = 0
        return columns.map { $0.take() }
    }
}

private func swapBuilder(
    _ builder: inout ColumnBuilder, with new: consuming ColumnBuilder
) -> ColumnBuilder {
    let old = builder
    builder = new
    return old
}
