// A batch: a few thousand rows that travel together.

/// Rows as columns. Sent whole between operators, workers and threads; never changed.
public struct Batch: Sendable {
    public let rowCount: Int
    public let columns: [Column]
    /// +1 insert, −1 retract, one a row; nil in an append-only stream (design.md §4).
    public let changes: [Int8]?
    /// Each row's own watermark W, µs: its partition's just before it (dialect.md §1.2). nil when
    /// no row is behind it, which is the usual case, or when an operator made the rows.
    public let watermarks: [Int64]?

    public init(
        rowCount: Int, columns: [Column], changes: [Int8]? = nil, watermarks: [Int64]? = nil
    ) {
        self.rowCount = rowCount
        self.columns = columns
        self.changes = changes
        self.watermarks = watermarks
    }

    /// The same rows with other columns.
    public func replacing(columns: [Column]) -> Batch {
        Batch(rowCount: rowCount, columns: columns, changes: changes, watermarks: watermarks)
    }
}
