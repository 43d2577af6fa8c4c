// Rows to CSV records (RFC 4180): NULL is `nullText`, values as PostgreSQL writes them.

public import Columns
import Kernels
public import Types

/// Encodes the rows of one schema.
public struct CSVRowEncoder: Sendable {
    private let schema: Schema
    private let delimiter: UInt8
    private let nullText: [UInt8]

    public init(_ schema: Schema, delimiter: UInt8 = 0x2c, nullText: [UInt8] = []) {
        self.schema = schema
        self.delimiter = delimiter
        self.nullText = nullText
    }

    /// The record of column names, with its newline.
    public var header: [UInt8] {
        var bytes: [UInt8] = []
        for (index, field) in schema.fields.enumerated() {
            if index > 0 { bytes.append(delimiter) }
            append(Array(field.name.utf8), to: &bytes)
        }
        bytes.append(0x0a)
        return bytes
    }

    /// One record a row, each followed by a newline that is not part of its range.
    public func encode(_ batch: Batch) -> EncodedText {
        var bytes: [UInt8] = []
        var ranges: [ValueRange] = []
        var value: [UInt8] = []
        for row in 0..<batch.rowCount {
            let start = bytes.count
            for (index, column) in batch.columns.prefix(schema.count).enumerated() {
                if index > 0 { bytes.append(delimiter) }
                guard column.isValid(row) else {
                    bytes.append(contentsOf: nullText)
                    continue
                }
                value.removeAll(keepingCapacity: true)
                ValueText.append(column, row: row, to: &value)
                append(value, to: &bytes)
            }
            ranges.append(ValueRange(start: start, length: bytes.count - start))
            bytes.append(0x0a)
        }
        return EncodedText(bytes: bytes, ranges: ranges)
    }

    /// Quoted where it must be: also an empty text, and one that would read as NULL.
    private func append(_ value: [UInt8], to bytes: inout [UInt8]) {
        let needsQuotes =
            value.isEmpty || value == nullText
            || value.contains { $0 == delimiter || $0 == 0x22 || $0 == 0x0a || $0 == 0x0d }
        guard needsQuotes else { return bytes.append(contentsOf: value) }
        bytes.append(0x22)
        for byte in value {
            if byte == 0x22 { bytes.append(0x22) }
            bytes.append(byte)
        }
        bytes.append(0x22)
    }
}
