// Rows of a live data file in the shape of the table: columns by name, partition columns from the
// log, missing columns NULL (PROTOCOL.md "Reader Requirements"), stored types brought to ours.

public import Columns
public import Contracts
import Parquet
import Types

/// One open data file.
public struct DataFileReader {
    private let reader: ParquetReader
    private let file: AddFile
    private let shape: TableShape
    private let path: String

    public init(
        _ file: AddFile, _ shape: TableShape, store: any DeltaStore
    ) throws(Failure) {
        let path = Self.storePath(file.path)
        guard let byteCount = try store.byteCount(path) else {
            throw Failure(
                .failed, "delta.file_missing", "the live data file \(path) is missing",
                hint: "was it removed by hand or by a vacuum that is too eager?")
        }
        self.path = path
        self.file = file
        self.shape = shape
        reader = try ParquetReader(byteCount: byteCount) { (range) throws(Failure) in
            try store.read(path, range)
        }
    }

    /// Relative as it is; absolute `file:` URIs without their scheme.
    static func storePath(_ path: String) -> String {
        let decoded = FilePath.decode(path)
        for scheme in ["file://", "file:"] where decoded.hasPrefix(scheme) {
            return String(decoded.dropFirst(scheme.utf8.count))
        }
        return decoded
    }

    /// Rows of a file as its own footer tells them.
    static func footerRowCount(
        _ path: String, byteCount: Int, _ store: any DeltaStore
    ) throws(Failure) -> Int {
        try ParquetReader(byteCount: byteCount) { (range) throws(Failure) in
            try store.read(path, range)
        }.rowCount
    }

    public var rowGroupCount: Int { reader.rowGroupCount }

    /// The rows of one row group: these columns of the shape, in this order; nil for all.
    public func read(_ group: Int, columns: [Int]? = nil) throws(Failure) -> Batch {
        let wanted = columns ?? Array(shape.schema.fields.indices)
        let stored = wanted.map { index in
            shape.partitionColumns.contains(index)
                ? nil : reader.schema.index(of: shape.schema[index].name)
        }
        let batch = try reader.readRowGroup(group, columns: stored.compactMap { $0 })
        var next = 0
        var output: [Column] = []
        for (position, index) in wanted.enumerated() {
            let field = shape.schema[index]
            if shape.partitionColumns.contains(index) {
                let text = file.partitionValues[field.name] ?? nil
                let value = try PartitionValue.parse(text, field.type)
                output.append(Column(field.type, repeating: value, count: batch.rowCount))
            } else if stored[position] != nil {
                output.append(try aligned(batch.columns[next], field.type, field.name))
                next += 1
            } else {
                output.append(.nulls(field.type, count: batch.rowCount))
            }
        }
        return Batch(rowCount: batch.rowCount, columns: output)
    }

    private func aligned(
        _ column: Column, _ type: LogicalType, _ name: String
    ) throws(Failure) -> Column {
        if column.type == type { return column }
        let misfit = Failure(
            .failed, "delta.file_type",
            "column \"\(name)\" of \(path) is \(column.type), the table says \(type)")
        switch (column.values, type) {
        case (.null(let count), _): return .nulls(type, count: count)
        case (.bytes(let bytes), .uuid):
            var values: [Int128] = []
            for row in 0..<column.count {
                guard column.isValid(row) else {
                    values.append(0)
                    continue
                }
                guard let value = parseUUID(bytes[row]) else { throw misfit }
                values.append(value)
            }
            return Column(type, .int128(values), validity: column.validity)
        case (.int128, .numeric(_, let scale)):
            guard case .numeric(_, scale) = column.type else { throw misfit }
            return Column(type, column.values, validity: column.validity)
        case (.list(let list), .array(let element)):
            let inner = try aligned(list.element, element, name + ".element")
            return Column(
                type, .list(ListColumn(ranges: list.ranges, element: inner)),
                validity: column.validity)
        case (.row(let row), .row(let rowType)):
            guard case .row(let stored) = column.type else { throw misfit }
            var fields: [Column] = []
            for field in rowType.fields {
                if let index = stored.index(of: field.name) {
                    fields.append(
                        try aligned(row.fields[index], field.type, "\(name).\(field.name)"))
                } else {
                    fields.append(.nulls(field.type, count: row.count))
                }
            }
            return Column(
                type, .row(RowColumn(fields: fields, count: row.count)),
                validity: column.validity)
        default:
            // Same layout, other annotation: text and bytes, timestamps with and without a zone,
            // narrower integers.
            guard column.type.physical == type.physical, !type.isNumeric, type != .uuid else {
                throw misfit
            }
            return Column(type, column.values, validity: column.validity)
        }
    }
}
