// A changelog in Debezium's envelope, without schema: an insert is `c` with `after`, a retraction
// `d` with `before`; an update is its `d` and its `c`, as they stand in the batch.

public import Columns
import Contracts
public import Types

/// Encodes the changes of one schema.
public struct DebeziumRowEncoder: Sendable {
    private let rows: JSONRowEncoder
    private static let texts = Array(
        (#"{"before":null,"after":"# + #","op":"c"}"# + #"{"before":"#
            + #","after":null,"op":"d"}"#).utf8)
    private static let insertStart = ValueRange(start: 0, length: 23)
    private static let insertEnd = ValueRange(start: 23, length: 10)
    private static let deleteStart = ValueRange(start: 33, length: 10)
    private static let deleteEnd = ValueRange(start: 43, length: 23)

    /// `columns`: those of the batch that are written, in order; nil: all.
    public init(_ schema: Schema, columns: [Int]? = nil) {
        rows = JSONRowEncoder(quotingJSON: schema, columns: columns)
    }

    /// One message a row, each followed by a newline that is not part of its range. A batch without
    /// changes holds inserts.
    public func encode(_ batch: Batch) -> EncodedText {
        let count = batch.rowCount
        let changes = batch.changes ?? Array(repeating: 1, count: count)
        require(changes.count == count, "\(changes.count) changes, \(count) rows")
        let starts = changes.map { $0 < 0 ? Self.deleteStart : Self.insertStart }
        let ends = changes.map { $0 < 0 ? Self.deleteEnd : Self.insertEnd }
        let opening = RowPiece.texts(ByteColumn(ranges: starts, data: Self.texts))
        let closing = RowPiece.texts(ByteColumn(ranges: ends, data: Self.texts))
        return stitch([opening] + rows.pieces(batch) + [closing], count: count)
    }
}
