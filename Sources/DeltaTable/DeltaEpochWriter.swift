// The data files of one epoch: one open Parquet file a partition, rolled at the target size.
// Nothing stays open over a barrier: `close` ends every file, durable with its name (design.md
// §3.3).

public import Columns
public import Contracts
import Environment
public import Parquet
public import Progress
import Synchronization
import Types

/// Counts the files of this process, so that no name is used twice.
public final class FileNumbers: Sendable {
    private let last = Mutex(0)

    public init() {}

    public func next() -> Int {
        last.withLock { last in
            last += 1
            return last
        }
    }
}

public struct DeltaWriteOptions: Sendable {
    public var compression: ParquetCompression
    /// An upper bound, about: a file is ended when it reaches it.
    public var targetFileBytes: Int
    /// Open files at a time; beyond it the largest is ended early.
    public var openFileLimit = 256

    public init(compression: ParquetCompression = .zstd(level: 1), targetFileBytes: Int = 512 << 20)
    {
        self.compression = compression
        self.targetFileBytes = targetFileBytes
    }
}

/// Writes rows of an output into files of one epoch. For one thread.
public final class DeltaEpochWriter {
    private let store: any DeltaStore
    private let shape: TableShape
    private let dataColumns: [Int]
    private let dataSchema: Schema
    private let marker: Marker
    private let numbers: FileNumbers
    private let options: DeltaWriteOptions
    private let now: @Sendable () -> Int64
    private var open: [[String?]: OpenFile] = [:]
    private var closed: [AddFile] = []
    public private(set) var rowCount = 0

    /// `now` gives ms since 1970.
    public init(
        store: any DeltaStore, shape: TableShape, marker: Marker, numbers: FileNumbers,
        options: DeltaWriteOptions, now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.shape = shape
        dataColumns = shape.dataColumns
        dataSchema = shape.dataSchema
        self.marker = marker
        self.numbers = numbers
        self.options = options
        self.now = now
    }

    /// Bytes written and still being encoded, about.
    public var estimatedByteCount: Int {
        open.values.reduce(0) { $0 + $1.writer.estimatedByteCount }
            + closed.reduce(0) { $0 + Int($1.byteCount) }
    }

    /// Adds rows; the batch has the shape's columns.
    public func write(_ batch: Batch) throws(Failure) {
        guard batch.rowCount > 0 else { return }
        require(batch.columns.count == shape.schema.count, "a batch of another shape")
        rowCount += batch.rowCount
        let data = batch.replacing(columns: dataColumns.map { batch.columns[$0] })
        guard !shape.partitionColumns.isEmpty else { return try write(data, partition: []) }
        let groups = PartitionGroups(shape.partitionColumns.map { batch.columns[$0] })
        for rows in groups.rows {
            var values: [String?] = []
            for index in shape.partitionColumns {
                let field = shape.schema[index]
                let value = try PartitionValue.serialize(
                    batch.columns[index].scalar(Int(rows[0])), field.type)
                guard value != nil || field.isNullable else {
                    throw Failure(
                        .failed, "delta.partition",
                        "partition column \"\(field.name)\" is NOT NULL and got a NULL or an "
                            + "empty text, which Delta cannot tell apart",
                        hint: "partition by another column, or allow NULL in this one")
                }
                values.append(value)
            }
            let part = rows.count == batch.rowCount ? data : data.gather(rows)
            try write(part, partition: values)
        }
    }

    private func write(_ batch: Batch, partition: [String?]) throws(Failure) {
        let file: OpenFile
        if let existing = open[partition] {
            file = existing
        } else {
            if open.count >= options.openFileLimit { try closeLargest() }
            file = try start(partition)
            open[partition] = file
        }
        try file.writer.append(batch)
        let bytes = file.writer.takeOutput()
        if !bytes.isEmpty { try file.output.append(bytes) }
        if file.writer.estimatedByteCount >= options.targetFileBytes { try close(partition) }
    }

    private func start(_ partition: [String?]) throws(Failure) -> OpenFile {
        let folder = FilePath.partitionFolder(shape.partitionNames, partition)
        let path = FilePath.dataFile(
            partitionFolder: folder, marker: marker, number: numbers.next())
        var parquet = ParquetWriteOptions()
        parquet.profile = .delta
        parquet.compression = options.compression
        let writer = try ParquetWriter(dataSchema, options: parquet)
        return OpenFile(path: path, writer: writer, output: try store.createDataFile(path))
    }

    private func closeLargest() throws(Failure) {
        let largest = open.max {
            $0.value.writer.estimatedByteCount < $1.value.writer.estimatedByteCount
        }
        if let largest { try close(largest.key) }
    }

    private func close(_ partition: [String?]) throws(Failure) {
        guard let file = open.removeValue(forKey: partition) else { return }
        let summary = try file.writer.finish()
        try file.output.append(file.writer.takeOutput())
        try file.output.finish()
        var values: [String: String?] = [:]
        for (name, value) in zip(shape.partitionNames, partition) {
            values.updateValue(value, forKey: name)
        }
        closed.append(
            AddFile(
                path: FilePath.encode(file.path), partitionValues: values,
                byteCount: Int64(summary.byteCount), modificationTime: now(),
                statistics: FileStatistics.encode(summary)))
    }

    /// Ends all files; each is durable with its name. The writer is of no use after it.
    public func close() throws(Failure) -> [AddFile] {
        let order: ([String?], [String?]) -> Bool = { left, right in
            left.map { $0 ?? "" }.lexicographicallyPrecedes(right.map { $0 ?? "" })
        }
        for partition in open.keys.sorted(by: order) { try close(partition) }
        Failpoint.pass("delta.files_closed")
        return closed
    }

    /// Removes what was written: the epoch will not name it. Files that cannot be removed stay for
    /// vacuum.
    public func abandon() {
        for file in open.values { try? store.remove(file.path) }
        for file in closed { try? store.remove(FilePath.decode(file.path)) }
        open = [:]
        closed = []
    }
}

private final class OpenFile {
    let path: String
    var writer: ParquetWriter
    let output: any DeltaDataFile

    init(path: String, writer: consuming ParquetWriter, output: any DeltaDataFile) {
        self.path = path
        self.writer = writer
        self.output = output
    }
}

/// The rows of a batch by equal partition values, in the order of their first row.
struct PartitionGroups {
    private(set) var rows: [[Int32]] = []

    init(_ columns: [Column]) {
        var ids = [Int32](repeating: 0, count: columns[0].count)
        for column in columns {
            var combined: [UInt64: Int32] = [:]
            let own = Self.ids(column)
            for row in ids.indices {
                let pair =
                    UInt64(UInt32(bitPattern: ids[row])) << 32
                    | UInt64(UInt32(bitPattern: own[row]))
                let next = Int32(combined.count)
                ids[row] = combined[pair, default: next]
                if ids[row] == next { combined[pair] = next }
            }
        }
        for (row, id) in ids.enumerated() {
            if Int(id) == rows.count { rows.append([]) }
            rows[Int(id)].append(Int32(row))
        }
    }

    private static func ids(_ column: Column) -> [Int32] {
        switch column.values {
        case .int64(let values):
            return number(values.indices.map { column.isValid($0) ? values[$0] : nil })
        case .bytes(let bytes):
            return number(bytes.ranges.indices.map { column.isValid($0) ? bytes[$0] : nil })
        default: return number((0..<column.count).map { column.scalar($0) })
        }
    }

    private static func number<Key: Hashable>(_ keys: [Key]) -> [Int32] {
        var known: [Key: Int32] = [:]
        return keys.map { key in
            if let id = known[key] { return id }
            let id = Int32(known.count)
            known[key] = id
            return id
        }
    }
}
