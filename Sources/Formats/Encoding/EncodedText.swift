// Rows as text: one buffer a batch, a range a row.

public import Columns

/// The bytes that a batch of rows was encoded to.
public struct EncodedText: Sendable {
    public let bytes: [UInt8]
    /// One a row, ascending; separators lie between.
    public let ranges: [ValueRange]

    public init(bytes: [UInt8], ranges: [ValueRange]) {
        self.bytes = bytes
        self.ranges = ranges
    }

    public subscript(row: Int) -> ArraySlice<UInt8> {
        bytes[ranges[row].lowerBound..<ranges[row].upperBound]
    }
}
