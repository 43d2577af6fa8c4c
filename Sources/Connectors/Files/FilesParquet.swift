// Parquet files: one row group in memory at a time, handed out in batches; an offset is a row.

import Columns
import Contracts
import Environment
import Formats
import Kernels
import Parquet
import Planning
import Types

final class ParquetCursor: FilesCursor {
    private let context: FilesCursorPlan
    private let path: String
    private let reader: ParquetReader
    private let end: Int64
    /// The file's column of each decoded column that is a field, in order.
    private let fileColumns: [Int]
    /// From the file's type to the declared one; nil where they are the same.
    private let casts: [Expression?]
    private let fields: Schema
    private let encoder: JSONRowEncoder
    private let fileHash: UInt64
    private(set) var position: Int64
    /// Rows of the current group and the row at which it begins.
    private var group: Batch?
    private var groupStart: Int64 = 0
    private var nextGroup = 0

    var previous: (offset: Int64, hash: UInt64)? { position > 0 ? (position - 1, fileHash) : nil }

    /// A Parquet file never grows: it is whole when it is there.
    func finish() {}

    init(
        _ context: FilesCursorPlan, _ path: String, at offset: Int64, end: Int64?
    ) throws(Failure) {
        self.context = context
        self.path = path
        let file = try InputFile(path)
        reader = try ParquetCursor.open(file)
        fileHash = try ParquetCursor.hash(file)
        self.end = end ?? Int64(reader.rowCount)
        guard offset <= self.end, self.end <= Int64(reader.rowCount) else {
            throw LinesCursor.shrank(path, offset)
        }
        position = offset
        var fields: [Field] = []
        var columns: [Int] = []
        var casts: [Expression?] = []
        for column in context.plan.decoded {
            guard case .field(let name, _) = column.origin else { continue }
            let found = try ParquetCursor.find(name, reader.schema, path)
            let type = reader.schema[found].type
            let index = fields.count
            casts.append(try ParquetCursor.cast(index, from: type, to: column.type, name, path))
            columns.append(found)
            fields.append(Field(name, column.type))
        }
        self.casts = casts
        self.fields = Schema(fields)
        fileColumns = columns
        encoder = JSONRowEncoder(self.fields)
    }

    static func open(_ file: InputFile) throws(Failure) -> ParquetReader {
        do {
            return try ParquetReader(byteCount: Int(try file.facts().byteCount)) {
                (range) throws(Failure) in
                var bytes: [UInt8] = []
                _ = try file.read(
                    at: Int64(range.lowerBound), count: range.count, appendingTo: &bytes)
                return bytes
            }
        } catch {
            throw Failure(
                error.kind, error.code, "\(file.path): \(error.message)", hint: error.hint)
        }
    }

    /// Of size and last bytes, where the footer lies: places and statistics of all that is in the
    /// file.
    static func hash(_ file: InputFile) throws(Failure) -> UInt64 {
        let size = try file.facts().byteCount
        var bytes: [UInt8] = []
        let start = max(0, size - 64 << 10)
        _ = try file.read(at: start, count: Int(size - start), appendingTo: &bytes)
        return FilesHash.of(bytes[...], seed: UInt64(bitPattern: size))
    }

    private static func find(
        _ name: String, _ schema: Schema, _ path: String
    ) throws(Failure) -> Int {
        if let index = schema.index(of: name) { return index }
        let nearest = nearestName(to: name, among: schema.fields.map(\.name))
        throw Failure(
            .failed, "files.column_missing", "\(path) has no column \"\(name)\"",
            hint: nearest.map { "it has \"\($0)\"" })
    }

    /// Widening and renaming only, plus what an assignment would do among numbers: each value is
    /// checked, one that does not fit breaks its row.
    private static func cast(
        _ index: Int, from: LogicalType, to: LogicalType, _ name: String, _ path: String
    ) throws(Failure) -> Expression? {
        if from == to { return nil }
        let isText = [from, to].allSatisfy { $0 == .text || $0 == .json || $0 == .uuid }
        let isTime = [from, to].allSatisfy { $0 == .timestamp || $0 == .timestamptz || $0 == .date }
        guard from.isNumber && to.isNumber || isText || isTime || from == .bytea && to == .text
        else {
            throw Failure(
                .failed, "files.column_type",
                "\(path): column \"\(name)\" is \(from), the table declares \(to)",
                hint: "declare it as \(from) and cast it in the query")
        }
        let column = Expression.column(index, from)
        return .cast(column, to: to, place: SourcePlace(file: path, offset: 0))
    }

    func next(maximumRows: Int) throws(Failure) -> FilesRows? {
        guard position < end else { return nil }
        let rows = try currentGroup()
        let first = Int(position - groupStart)
        let count = min(maximumRows, rows.rowCount - first, Int(end - position))
        let isWhole = first == 0 && count == rows.rowCount
        let piece =
            isWhole ? rows : rows.gather((Int32(first)..<Int32(first + count)).map { $0 })
        let offsets = (position..<position + Int64(count)).map { $0 }
        position += Int64(count)
        return decode(piece, offsets)
    }

    private func currentGroup() throws(Failure) -> Batch {
        if let group, position < groupStart + Int64(group.rowCount) { return group }
        group = nil
        do {
            while true {
                require(nextGroup < reader.rowGroupCount, "\(path): row \(position) in no group")
                let count = Int64(reader.rowCount(ofRowGroup: nextGroup))
                let start = nextGroup == 0 ? 0 : nextStart
                nextStart = start + count
                nextGroup += 1
                guard position < nextStart else { continue }
                groupStart = start
                let batch = try reader.readRowGroup(nextGroup - 1, columns: fileColumns)
                group = batch
                return batch
            }
        } catch {
            throw Failure(error.kind, error.code, "\(path): \(error.message)", hint: error.hint)
        }
    }

    /// The row at which group `nextGroup` begins.
    private var nextStart: Int64 = 0

    private func decode(_ piece: Batch, _ offsets: [Int64]) -> FilesRows {
        var errors = RowErrors()
        let fields = casts.enumerated().map { index, cast in
            cast?.evaluate(piece, errors: &errors) ?? piece.columns[index]
        }
        let bad = errors.errors
        let whole = Batch(rowCount: piece.rowCount, columns: columns(fields, offsets))
        let refused = bad.values.sorted { $0.row < $1.row }.map { error in
            FilesRows.BadRecord(offset: offsets[error.row], value: nil, error: error)
        }
        let kept = (0..<piece.rowCount).filter { bad[$0] == nil }
        let batch = bad.isEmpty ? whole : whole.gather(kept.map { Int32($0) })
        return FilesRows(
            batch: batch, offsets: kept.map { offsets[$0] }, errors: refused,
            recordCount: piece.rowCount, skippedCount: 0,
            bytes: { [encoder] row in
                var bytes: [UInt8] = []
                encoder.append(
                    Batch(rowCount: piece.rowCount, columns: fields), row: kept[row], to: &bytes)
                return bytes
            })
    }

    /// The decoded columns: fields of the file, and metadata.
    private func columns(_ fields: [Column], _ offsets: [Int64]) -> [Column] {
        var fields = fields.makeIterator()
        let count = offsets.count
        return context.plan.decoded.map { column in
            guard case .metadata(let metadata) = column.origin else {
                return fields.next().required("a column a field")
            }
            switch metadata {
            case .topic: return Column(.text, repeating: .text(path), count: count)
            case .source: return Column(.text, repeating: .text(context.plan.name), count: count)
            case .partition:
                return Column(.integer, repeating: .int64(Int64(context.number)), count: count)
            case .offset: return Column(.bigint, .int64(offsets))
            case .extractedAt:
                return Column(.timestamptz, repeating: .int64(context.clock.now()), count: count)
            case .timestamp, .key, .value, .headers: return .nulls(column.type, count: count)
            }
        }
    }
}
