// The record key of a source with a primary key: it names the row that a null value removes, and
// must agree with the value (dialect.md §2.4).

import CSimdJSON
import Columns
import Contracts
import Planning
import Types

final class RecordKeys {
    private let wanted: WantedColumns
    private let fields: JSONFields
    private let isRaw: Bool

    /// nil: the source has no key, or its records' keys are not to be read.
    init?(
        _ format: SourceFormat, _ wanted: WantedColumns, _ settings: JSONSettings
    ) throws(Failure) {
        guard wanted.isKeyed, let keyFormat = format.keyFormat else { return nil }
        self.wanted = wanted
        isRaw = keyFormat == .raw
        let columns = wanted.key.map { wanted.fields[$0] }
        if isRaw, columns.count != 1 {
            throw Failure(
                .invalid, "format.raw_key",
                "key_format = 'raw' takes one key column, the primary key has \(columns.count)",
                hint: "key_format = 'json'")
        }
        if isRaw { try checkText(columns[0].type, columns[0].name) }
        fields = JSONFields(columns.map { JSONField($0.name, $0.type, settings) })
    }

    /// The key's columns, one entry a message; a message without a key has NULLs.
    func columns(_ messages: MessageBatch) throws(Failure) -> JSONColumns {
        if isRaw, wanted.fields[wanted.key[0]].type == .bytea {
            let isNull = messages.keyIsNull.contains(1)
            let bytes = ByteColumn(ranges: messages.keyRanges, data: messages.keys)
            let valid = isNull ? messages.keyIsNull.map { $0 == 0 } : nil
            return JSONColumns(
                columns: [Column(.bytea, .bytes(bytes), validity: valid)], errors: [])
        }
        if isRaw {
            return try fields.decodeText(
                messages.keys, messages.keyRanges, isNull: messages.keyIsNull)
        }
        return try fields.decode(
            messages.keys, messages.keyRanges, isNull: messages.keyIsNull, checksAll: true)
    }

    /// Fills the key columns of null values and compares the others.
    func apply(
        _ messages: MessageBatch, _ columns: inout [Column], _ sorter: inout RowSorter
    ) throws(Failure) {
        let keys = try self.columns(messages)
        for error in keys.errors {
            var rowError = error.rowError(messages.keys)
            rowError = RowError(
                row: rowError.row, reason: rowError.reason, constraint: rowError.constraint,
                detail: "record key: \(rowError.detail)")
            sorter.fail(rowError)
        }
        let isTombstone = messages.valueIsNull.map { $0 == 1 }
        for message in 0..<messages.count where sorter.isRow(message) {
            if messages.keyIsNull[message] == 1 {
                sorter.fail(message, .noKey, nil, "the record has no key")
            }
        }
        for (key, field) in zip(keys.columns, wanted.key) {
            compare(key, columns[field], wanted.fields[field].name, isTombstone, &sorter)
            if isTombstone.contains(true) {
                columns[field] = columns[field].replacing(with: key, where: isTombstone)
            }
        }
    }

    private func compare(
        _ key: Column, _ value: Column, _ name: String, _ isTombstone: [Bool],
        _ sorter: inout RowSorter
    ) {
        for message in 0..<key.count where sorter.isRow(message) {
            if isTombstone[message] {
                if !key.isValid(message) {
                    sorter.fail(message, .noKey, name, "the record key lacks \"\(name)\"")
                }
            } else if !key.equals(value, message) {
                sorter.fail(
                    message, .keyMismatch, name,
                    "column \"\(name)\" differs between the record's key and its value")
            }
        }
    }
}
