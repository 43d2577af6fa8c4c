// Rows to the bytes of a file.

import Columns
import Contracts
import Formats
import Parquet
import Planning
import Types

/// Encodes the rows of one file, in order.
struct FilesEncoder: ~Copyable {
    private var text: [UInt8] = []
    private let kind: Kind
    private var parquet: ParquetWriter?

    private enum Kind {
        case json(JSONRowEncoder)
        case csv(CSVRowEncoder)
        case changes(ChangelogEncoder)
        case parquet
    }

    /// `key`: of a changelog.
    init(_ format: FilesSinkOptions.Format, _ schema: Schema, key: [Int]) throws(Failure) {
        switch format {
        case .json: kind = .json(JSONRowEncoder(schema))
        case .debeziumJSON: kind = .changes(ChangelogEncoder(schema, key: key))
        case .csv:
            let encoder = CSVRowEncoder(schema)
            kind = .csv(encoder)
            text = encoder.header
        case .parquet:
            kind = .parquet
            parquet = try ParquetWriter(schema)
        }
    }

    mutating func append(_ batch: Batch) throws(Failure) {
        switch kind {
        case .json(let encoder): text += encoder.encode(batch).bytes
        case .csv(let encoder): text += encoder.encode(batch).bytes
        case .changes(let encoder): encoder.append(batch, to: &text)
        case .parquet:
            try parquet?.append(batch)
            if let bytes = parquet?.takeOutput() { text += bytes }
        }
    }

    /// Nothing may be appended any more.
    mutating func finish() throws(Failure) {
        _ = try parquet?.finish()
        if let bytes = parquet?.takeOutput() { text += bytes }
    }

    var readyBytes: Int { text.count }

    mutating func takeBytes() -> [UInt8] {
        defer { text = [] }
        return text
    }
}

/// Changes as Debezium's records: an insertion is `c`, a deletion `d`, a deletion and the insertion
/// of the same key that follows it `u`.
struct ChangelogEncoder: Sendable {
    private let rows: JSONRowEncoder
    private let keys: JSONRowEncoder

    init(_ schema: Schema, key: [Int]) {
        rows = JSONRowEncoder(schema)
        keys = JSONRowEncoder(schema, columns: key)
    }

    /// One record a line.
    func append(_ batch: Batch, to bytes: inout [UInt8]) {
        let changes = batch.changes ?? Array(repeating: 1, count: batch.rowCount)
        var row = 0
        while row < batch.rowCount {
            if changes[row] > 0 {
                append(batch, before: nil, after: row, "c", to: &bytes)
            } else if row + 1 < batch.rowCount, changes[row + 1] > 0, sameKey(batch, row) {
                append(batch, before: row, after: row + 1, "u", to: &bytes)
                row += 1
            } else {
                append(batch, before: row, after: nil, "d", to: &bytes)
            }
            row += 1
        }
    }

    private func sameKey(_ batch: Batch, _ row: Int) -> Bool {
        var first: [UInt8] = []
        var second: [UInt8] = []
        keys.append(batch, row: row, to: &first)
        keys.append(batch, row: row + 1, to: &second)
        return first == second
    }

    private func append(
        _ batch: Batch, before: Int?, after: Int?, _ operation: String, to bytes: inout [UInt8]
    ) {
        bytes += Array("{\"before\":".utf8)
        append(batch, before, to: &bytes)
        bytes += Array(",\"after\":".utf8)
        append(batch, after, to: &bytes)
        bytes += Array(",\"op\":\"\(operation)\"}\n".utf8)
    }

    private func append(_ batch: Batch, _ row: Int?, to bytes: inout [UInt8]) {
        if let row {
            rows.append(batch, row: row, to: &bytes)
        } else {
            bytes += Array("null".utf8)
        }
    }
}
