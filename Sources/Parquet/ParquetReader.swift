// Reads Parquet files of any writer: the footer first, then row groups, columns as wanted. Bytes
// are not trusted; a damaged file is a `Failure`, never a trap.

public import Columns
public import Contracts
public import Types

/// An open file. Maps are read as arrays of (key, value) rows; types that this engine does not have
/// are read as what they are stored as.
public struct ParquetReader {
    public let schema: Schema
    public let rowCount: Int
    public let keyValues: [(key: String, value: String)]
    public let createdBy: String
    private let nodes: [ColumnNode]
    private let rowGroups: [RowGroup]
    private let byteCount: Int
    private let read: (Range<Int>) throws(Failure) -> [UInt8]

    /// A file in memory.
    public init(_ bytes: [UInt8]) throws(Failure) {
        try self.init(byteCount: bytes.count) { range in Array(bytes[range]) }
    }

    /// A file that `read` gives parts of: exactly the bytes of the range, which is inside the file.
    public init(
        byteCount: Int, read: @escaping (Range<Int>) throws(Failure) -> [UInt8]
    ) throws(Failure) {
        self.byteCount = byteCount
        self.read = read
        guard byteCount >= 12 else { throw corrupt("it has \(byteCount) bytes") }
        let tail = try read((byteCount - 8)..<byteCount)
        guard tail.count == 8 else { throw corrupt("it ends early") }
        let magic = String(decoding: tail[4...], as: UTF8.self)
        if magic == "PARE" { throw unsupported("encryption") }
        guard magic == "PAR1" else { throw corrupt("it does not end with PAR1") }
        let footerBytes = Int(loadLittleEndian32(tail, at: 0))
        guard footerBytes <= byteCount - 12, footerBytes <= ParquetLimit.footerBytes else {
            throw corrupt("a footer of \(footerBytes) bytes")
        }
        let footer = try read((byteCount - 8 - footerBytes)..<(byteCount - 8))
        let metadata = try FileMetadata(footer)
        let (nodes, schema) = try SchemaTreeReader.read(metadata.schema)
        self.nodes = nodes
        self.schema = schema
        rowGroups = metadata.rowGroups
        rowCount = metadata.rowCount
        keyValues = metadata.keyValues
        createdBy = metadata.createdBy
    }

    public var rowGroupCount: Int { rowGroups.count }

    public func rowCount(ofRowGroup index: Int) -> Int { rowGroups[index].rowCount }

    /// One row group's rows: the columns at these positions of `schema`, in this order; nil for
    /// all.
    public func readRowGroup(_ index: Int, columns: [Int]? = nil) throws(Failure) -> Batch {
        let group = rowGroups[index]
        guard group.rowCount <= ParquetLimit.chunkValues else {
            throw unsupported("a row group of \(group.rowCount) rows")
        }
        var output: [Column] = []
        for column in columns ?? Array(nodes.indices) {
            var chunks: [Int: LeafChunk] = [:]
            for leaf in nodes[column].leaves {
                chunks[leaf.index] = try readChunk(leaf, group)
            }
            let assembler = Assembler(chunks: chunks)
            output.append(
                try assembler.column(
                    nodes[column], schema[column].type, rowCount: group.rowCount))
        }
        return Batch(rowCount: group.rowCount, columns: output)
    }

    private func readChunk(_ leaf: Leaf, _ group: RowGroup) throws(Failure) -> LeafChunk {
        guard leaf.index < group.columns.count else { throw corrupt("a row group lacks a column") }
        let chunk = group.columns[leaf.index]
        if let refusal = chunk.refusal { throw unsupported(refusal) }
        var start = chunk.dataPageOffset
        // An offset of 0 stands for none in files of old writers.
        if let dictionary = chunk.dictionaryPageOffset, dictionary > 0 {
            start = min(start, dictionary)
        }
        guard start <= byteCount, chunk.compressedBytes <= byteCount - start else {
            throw corrupt("a column chunk lies outside the file")
        }
        let bytes = try read(start..<(start + chunk.compressedBytes))
        guard bytes.count == chunk.compressedBytes else { throw corrupt("it ends early") }
        return try ChunkReader.read(leaf, chunk, bytes)
    }
}
