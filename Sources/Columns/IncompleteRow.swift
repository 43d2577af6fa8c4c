// A row of which a record did not carry every value, on its way to where the last row of its key
// is kept (Debezium: a large value that an update did not touch is not in the log).

public import Contracts

/// Which values are missing, and the record itself, should nobody know them. Travels as the bytes
/// of a hidden column that is NULL for a whole row; empty bytes mark a row that takes the old key
/// away, right before the row that the same record puts under another key.
public struct IncompleteRow: Sendable, Hashable {
    /// Positions among the decoder's fields, ascending.
    public let missing: [Int]
    public let topic: String
    public let partition: Int32
    public let offset: Int64
    /// ms since 1970; −1: the record has none.
    public let timestamp: Int64
    public let key: [UInt8]?
    public let value: [UInt8]?

    public static let columnName = "_incomplete"

    public init(
        missing: [Int], topic: String, partition: Int32, offset: Int64, timestamp: Int64,
        key: [UInt8]?, value: [UInt8]?
    ) {
        self.missing = missing
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
    }

    public var bytes: [UInt8] {
        var writer = RecordWriter()
        writer.varint(UInt64(missing.count))
        for field in missing { writer.varint(UInt64(field)) }
        writer.string(topic)
        writer.signed(Int64(partition))
        writer.signed(offset)
        writer.signed(timestamp)
        writer.optional(key)
        writer.optional(value)
        return writer.bytes
    }

    public init(bytes: [UInt8]) throws(Failure) {
        var reader = RecordReader(bytes, subject: "incomplete row")
        var missing: [Int] = []
        for _ in 0..<(try reader.varint()) { missing.append(Int(try reader.varint())) }
        self.missing = missing
        topic = try reader.string()
        partition = Int32(truncatingIfNeeded: try reader.signed())
        offset = try reader.signed()
        timestamp = try reader.signed()
        key = try reader.optional()
        value = try reader.optional()
    }
}

extension IncompleteRow {
    /// Why a row that lacks a column's value is refused.
    public static func unknown(_ column: String) -> String {
        "the record lacks the unchanged large value of \"\(column)\", and no row of its key is "
            + "known that has it (REPLICA IDENTITY FULL sends it)"
    }

    /// The incomplete rows of a batch, by row; markers left out. Nothing is done for a column of
    /// NULLs, which is the usual one.
    public static func rows(of column: Column) -> [Int: IncompleteRow] {
        guard case .bytes(let values) = column.values else { return [:] }
        var rows: [Int: IncompleteRow] = [:]
        for row in 0..<column.count
        where column.isValid(row) && values.ranges[row].count > 0 {
            do {
                rows[row] = try IncompleteRow(bytes: Array(values[row]))
            } catch {
                bug("an incomplete row does not decode: \(error)")
            }
        }
        return rows
    }

    /// Whether a row takes the old key away for the row behind it.
    public static func isMarker(_ column: Column, _ row: Int) -> Bool {
        guard case .bytes(let values) = column.values else { return false }
        return column.isValid(row) && values.ranges[row].count == 0
    }
}
