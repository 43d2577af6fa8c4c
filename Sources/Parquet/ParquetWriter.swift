// Writes one Parquet file: batches in, bytes out. The writer does no I/O: its owner takes the bytes
// that are ready and writes them where the file stands.

public import Columns
public import Contracts
public import Types

/// How a file is written; the defaults are those of the field (lakehouse.md §3: zstd as Delta's
/// protocol asks, V1 pages of 1 MiB or 20,000 rows, row groups of 128 MB or 1 Mi rows).
public struct ParquetWriteOptions: Sendable {
    public var compression = ParquetCompression.zstd(level: 1)
    public var profile = ParquetProfile.standard
    public var rowGroupRows = 1 << 20
    public var rowGroupBytes = 128 << 20
    public var pageRows = 20_000
    public var pageBytes = 1 << 20
    public var dictionaryBytes = 1 << 20
    /// Footer metadata of the owner's.
    public var keyValues: [(key: String, value: String)] = []
    /// One a column, for Iceberg.
    public var fieldIDs: [Int32]?
    public var createdBy = "millrace version 1.0.0"

    public init() {}
}

/// What is known of a written column, for a table's log.
public struct ParquetColumnSummary: Sendable {
    /// Names from the table's column to the leaf; a list's element is called `element`.
    public let path: [String]
    public let type: LogicalType
    public let isInList: Bool
    public let nullCount: Int
    /// Whole, never shortened; nil if there is no value. NaN is in neither: see `hasNaN`. A uuid
    /// under the Delta profile is its text.
    public let minimum: Scalar?
    public let maximum: Scalar?
    public let hasNaN: Bool
}

/// What is known of a written file.
public struct ParquetFileSummary: Sendable {
    public let rowCount: Int
    public let byteCount: Int
    public let columns: [ParquetColumnSummary]
    /// Where row groups start (Iceberg's `split_offsets`).
    public let rowGroupOffsets: [Int]
}

/// One file being written: `append` … `append`, `finish`; after each call `takeOutput` gives what
/// is ready for the file. Not for use from two threads at once.
public struct ParquetWriter: ~Copyable {
    public let schema: Schema
    private let options: ParquetWriteOptions
    private let columns: [ColumnNode]
    private let elements: [SchemaElement]
    private let leaves: [LeafWriter]
    private var rowGroups: [RowGroup] = []
    private var output: [UInt8]
    private var takenBytes = 0
    public private(set) var rowCount = 0
    private var groupRows = 0

    /// Throws for a type that no file stores.
    public init(_ schema: Schema, options: ParquetWriteOptions = ParquetWriteOptions())
        throws(Failure)
    {
        require(options.pageRows > 0 && options.rowGroupRows > 0, "page and row group need rows")
        var builder = ColumnTreeBuilder(profile: options.profile)
        columns = try builder.columns(schema, fieldIDs: options.fieldIDs)
        elements = builder.elements
        let compressor = PageCompressor(options.compression)
        leaves = columns.flatMap(\.leaves).map { LeafWriter($0, options, compressor) }
        self.schema = schema
        self.options = options
        output = Array("PAR1".utf8)
    }

    /// Bytes of the file so far, about, with what is still being encoded.
    public var estimatedByteCount: Int { fileOffset + pendingBytes }

    private var fileOffset: Int { takenBytes + output.count }
    private var pendingBytes: Int { leaves.reduce(0) { $0 + $1.byteCount } }

    /// Adds a batch's rows; its columns are the schema's. Throws when a NOT NULL column has a NULL:
    /// the file is then of no use.
    public mutating func append(_ batch: Batch) throws(Failure) {
        require(batch.columns.count == columns.count, "a batch of another schema")
        var start = 0
        while start < batch.rowCount {
            let count = min(batch.rowCount - start, options.rowGroupRows - groupRows)
            try append(batch, start, count)
            start += count
            if groupRows >= options.rowGroupRows || pendingBytes >= options.rowGroupBytes {
                try closeRowGroup()
            }
        }
    }

    private mutating func append(_ batch: Batch, _ start: Int, _ count: Int) throws(Failure) {
        var part = batch
        if count < batch.rowCount {
            part = batch.gather((Int32(start)..<Int32(start + count)).map { $0 })
        }
        var leaf = 0
        let leaves = leaves
        for (index, column) in part.columns.enumerated() {
            try shred(column, columns[index], name: schema[index].name) {
                (entries) throws(Failure) in
                try leaves[leaf].append(entries)
                leaf += 1
            }
        }
        groupRows += count
        rowCount += count
    }

    private mutating func closeRowGroup() throws(Failure) {
        guard groupRows > 0 else { return }
        var group = RowGroup(rowCount: groupRows, fileOffset: fileOffset)
        for leaf in leaves {
            let (bytes, chunk) = try leaf.finishChunk(at: fileOffset)
            output += bytes
            group.byteCount += chunk.uncompressedBytes
            group.compressedBytes += chunk.compressedBytes
            group.columns.append(chunk)
        }
        rowGroups.append(group)
        groupRows = 0
    }

    /// The bytes that have become ready since the last call, to be appended to the file.
    public mutating func takeOutput() -> [UInt8] {
        let bytes = output
        output = []
        takenBytes += bytes.count
        return bytes
    }

    /// Ends the file. The last bytes are in `takeOutput`; nothing may be appended any more.
    public mutating func finish() throws(Failure) -> ParquetFileSummary {
        try closeRowGroup()
        var footer = FileMetadata()
        footer.schema = elements
        footer.rowCount = rowCount
        footer.rowGroups = rowGroups
        footer.keyValues = options.keyValues
        footer.createdBy = options.createdBy
        let bytes = footer.encoded()
        output += bytes
        output.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
        output += Array("PAR1".utf8)
        let summaries = leaves.map { writer in
            let statistics = writer.fileStatistics
            return ParquetColumnSummary(
                path: writer.leaf.columnPath, type: writer.leaf.type,
                isInList: writer.leaf.isInList, nullCount: statistics.nullCount,
                minimum: statistics.minimum, maximum: statistics.maximum,
                hasNaN: statistics.hasNaN)
        }
        return ParquetFileSummary(
            rowCount: rowCount, byteCount: fileOffset, columns: summaries,
            rowGroupOffsets: rowGroups.map(\.fileOffset))
    }
}
