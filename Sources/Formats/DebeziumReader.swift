// `format = 'debezium_json'`: Debezium's envelope, plain or with Kafka Connect's schema around it.
//
// The engine keeps the last row of each key (dialect.md §2.4), so of `before` only the key's
// columns are read: under REPLICA IDENTITY DEFAULT the others are made up. c, r and u put `after`,
// d removes `before`'s key; a u whose keys differ does both, removal first. A large value that an
// update did not touch is not in PostgreSQL's log: Debezium sends a placeholder, and the row goes
// on as incomplete, to be made whole from the last row of its key.
//
// With a schema the encodings of decimals and times follow it, message by message; without, a
// number for a timestamp or a time of day is in the unit of `timestamp_format` (µs by default, as
// Debezium's for PostgreSQL), a date in days, and a decimal in a string is text if it has a point,
// else base64. A value that may be either is refused rather than guessed.

import CSimdJSON
import Columns
import Contracts
import Planning
import Types

final class DebeziumReader: ValueReader {
    private let wanted: WantedColumns
    private let topic: String
    private let placeholders: [String]
    private let rowType: RowType
    private let keyType: RowType
    private let plain: [String: JSONSettings]
    private let probe: DebeziumSchemaProbe
    /// Decoders by the schema they are for; empty: no schema.
    private var decoders: [[UInt8]: JSONFields] = [:]
    /// More schemas than this at a time are forgotten: a topic has few.
    private static let maximumDecoders = 64
    private let checksAll: Bool
    private let opIndex = 0, afterIndex = 1, beforeIndex = 2

    init(_ format: SourceFormat, _ wanted: WantedColumns, topic: String) throws(Failure) {
        try wanted.checkKey()
        guard wanted.isKeyed else {
            throw Failure(
                .invalid, "format.debezium_key", "format 'debezium_json' needs a PRIMARY KEY",
                hint: "declare PRIMARY KEY (column, …)")
        }
        for field in wanted.fields { try checkNesting(field.type, field.name) }
        self.wanted = wanted
        self.topic = topic
        placeholders = DebeziumPlaceholder.forms(of: format.unavailableValue)
        checksAll = format.isStrictJSON
        let fields = wanted.fields.map { Field($0.name, $0.type) }
        rowType = RowType(name: nil, fields: fields)
        keyType = RowType(name: nil, fields: wanted.key.map { fields[$0] })
        plain = Self.plainSettings(fields, format.timestampFormat)
        probe = DebeziumSchemaProbe()
    }

    private static let baseFlags = MILLRACE_JSON_LENIENT.rawValue
    private static let afterFlags = baseFlags | MILLRACE_JSON_MAY_BE_PLACEHOLDER.rawValue

    private static func plainSettings(
        _ fields: [Field], _ format: TimestampFormat
    ) -> [String: JSONSettings] {
        var result: [String: JSONSettings] = [:]
        for field in fields {
            var settings = JSONSettings(format)
            var type = field.type
            if case .array(let element) = type { type = element }
            if type == .date { settings.unit = MILLRACE_JSON_DAYS }
            settings.flags = afterFlags
            result[field.name] = settings
        }
        return result
    }

    func read(_ messages: MessageBatch) throws(Failure) -> FieldRows {
        var sorter = RowSorter(count: messages.count)
        let schemas = try probe.schemas(messages)
        var columns: [Column]?
        var missing: [Int: [Int]] = [:]
        for group in groups(schemas, messages.count) {
            let decoder = try decoder(for: schemas.bytes(group.first))
            let isNull = (0..<messages.count).map {
                group.members[$0] ? messages.valueIsNull[$0] : 1
            }
            let part = try decoder.decode(
                messages.values, messages.valueRanges, isNull: isNull, checksAll: checksAll)
            sorter.fail(part.errors, in: messages.values)
            for (message, field) in part.missing { missing[message, default: []].append(field) }
            columns =
                columns.map { whole in
                    zip(whole, part.columns).map { $0.replacing(with: $1, where: group.members) }
                } ?? part.columns
        }
        guard let columns else {
            return sorter.rows(
                wanted.fields.map { Column.nulls($0.type, count: 0) }, changes: [])
        }
        return rows(messages, columns, missing, sorter)
    }

    /// The messages of each schema; mostly there is one.
    private func groups(
        _ schemas: DebeziumSchemaProbe.Schemas, _ count: Int
    ) -> [(first: Int, members: [Bool])] {
        var groups: [(first: Int, members: [Bool])] = []
        var last = 0
        for message in 0..<count {
            if groups.isEmpty || !schemas.same(groups[last].first, message) {
                let known = groups.firstIndex { schemas.same($0.first, message) }
                last = known ?? groups.count
                if known == nil {
                    groups.append((message, Array(repeating: false, count: count)))
                }
            }
            groups[last].members[message] = true
        }
        return groups
    }

    private func decoder(for schema: ArraySlice<UInt8>) throws(Failure) -> JSONFields {
        let key = Array(schema)
        if let known = decoders[key] { return known }
        if decoders.count >= Self.maximumDecoders { decoders.removeAll() }
        var settings = plain
        if !key.isEmpty {
            for (name, said) in try probe.settings(key, Self.afterFlags, rowType) {
                settings[name] = said
            }
        }
        var after = JSONField("after", .row(rowType), plainSettings)
        after.fieldSettings = settings
        var before = JSONField("before", .row(keyType), plainSettings)
        before.fieldSettings = settings.mapValues(\.ofAPart)
        let made = JSONFields([
            JSONField("op", .text), after, before, JSONField(inline: "payload"),
        ])
        try made.setPlaceholders(placeholders)
        decoders[key] = made
        return made
    }

    private var plainSettings: JSONSettings {
        var settings = JSONSettings()
        settings.flags = Self.baseFlags
        return settings
    }

    private func rows(
        _ messages: MessageBatch, _ columns: [Column], _ missing: [Int: [Int]],
        _ sorted: RowSorter
    ) -> FieldRows {
        var sorter = sorted
        var changes = Array(repeating: Int8(1), count: messages.count)
        guard case .bytes(let operations) = columns[opIndex].values,
            case .row(let after) = columns[afterIndex].values,
            case .row(let before) = columns[beforeIndex].values
        else { bug("debezium columns of other types") }
        for message in 0..<messages.count {
            guard messages.valueIsNull[message] == 0 else {
                sorter.skip(message)
                continue
            }
            guard sorter.isRow(message) else { continue }
            let operation =
                columns[opIndex].isValid(message) && operations.ranges[message].count == 1
                ? operations.data[operations.ranges[message].lowerBound] : 0
            if operation == UInt8(ascii: "d") { changes[message] = -1 }
            sort(
                message, operation, hasBefore: columns[beforeIndex].isValid(message),
                hasAfter: columns[afterIndex].isValid(message), &sorter)
        }
        var fields = after.fields
        let isDelete = changes.map { $0 < 0 }
        if isDelete.contains(true) {
            let nothing = wanted.fields.map { Column.nulls($0.type, count: messages.count) }
            for (index, field) in fields.enumerated() {
                let other = wanted.key.firstIndex(of: index).map { before.fields[$0] }
                fields[index] = field.replacing(with: other ?? nothing[index], where: isDelete)
            }
        }
        checkKeys(fields, &sorter)
        parseIntervals(&fields, wanted, &sorter)
        let moved = movedMessages(columns, fields, before, changes).filter(sorter.isRow)
        refuseUnknown(missing, moved: Set(moved), changes, &sorter)
        var rows = sorter.rows(fields, changes: changes)
        let stillMoved = Set(moved.filter(sorter.isRow))
        if !stillMoved.isEmpty { rows = adding(removalsOf: stillMoved, before, to: rows) }
        rows.incomplete = incomplete(rows, messages, missing)
        return rows
    }

    /// A missing value stands in the last row of the key: a new key has none. Without a place to
    /// tell that a row is incomplete, none may be.
    private func refuseUnknown(
        _ missing: [Int: [Int]], moved: Set<Int>, _ changes: [Int8], _ sorter: inout RowSorter
    ) {
        for (message, fields) in missing where sorter.isRow(message) && changes[message] > 0 {
            guard !wanted.tellsIncomplete || moved.contains(message) else { continue }
            let name = wanted.fields[fields[0]].name
            sorter.fail(message, .valueMissing, name, IncompleteRow.unknown(name))
        }
    }

    /// Bytes of an `IncompleteRow` for rows that lack values, and for what goes before a moved row;
    /// nil: there are none, or nobody wants to know.
    private func incomplete(
        _ rows: FieldRows, _ messages: MessageBatch, _ missing: [Int: [Int]]
    ) -> Column? {
        guard wanted.tellsIncomplete, !missing.isEmpty || rows.removals > 0 else { return nil }
        let kept = rows.kept ?? (0..<Int32(messages.count)).map { $0 }
        let scalars = kept.indices.map { row -> Scalar in
            let message = Int(kept[row])
            if rows.changes?[row] ?? 1 < 0 {
                let goesBefore = row + 1 < kept.count && kept[row + 1] == kept[row]
                return goesBefore ? .bytes([]) : .null
            }
            guard let fields = missing[message] else { return .null }
            return .bytes(
                IncompleteRow(
                    missing: fields.sorted(), topic: topic,
                    partition: messages.partitions[message], offset: messages.offsets[message],
                    timestamp: messages.timestamps[message],
                    key: messages.key(message).map { Array($0) },
                    value: messages.value(message).map { Array($0) }
                ).bytes)
        }
        return Column(.bytea, scalars: scalars)
    }

    /// Messages that put a row under another key than `before`'s.

    /// What a message of an operation comes to.
    private func sort(
        _ message: Int, _ operation: UInt8, hasBefore: Bool, hasAfter: Bool,
        _ sorter: inout RowSorter
    ) {
        switch operation {
        case UInt8(ascii: "c"), UInt8(ascii: "r"), UInt8(ascii: "u"):
            if !hasAfter { sorter.fail(message, .malformed, nil, "no \"after\" in the change") }
        case UInt8(ascii: "d"):
            if !hasBefore { sorter.fail(message, .noKey, nil, "a delete without \"before\"") }
        case UInt8(ascii: "m"): sorter.skip(message)
        case UInt8(ascii: "t"):
            sorter.fail(
                message, .noKey, nil,
                "a TRUNCATE names no rows, so it removes none here (Debezium leaves truncates out "
                    + "with skipped.operations=t, its default)")
        default:
            sorter.fail(message, .malformed, nil, "no \"op\" of Debezium's in the message")
        }
    }

    /// Messages that put a row under another key than `before`'s.
    private func movedMessages(
        _ columns: [Column], _ fields: [Column], _ before: RowColumn, _ changes: [Int8]
    ) -> [Int] {
        let old = columns[beforeIndex]
        return changes.indices.filter { message in
            guard changes[message] > 0, old.isValid(message) else { return false }
            let isKnown = before.fields.allSatisfy { $0.isValid(message) }
            return isKnown
                && !zip(wanted.key, before.fields).allSatisfy { index, key in
                    fields[index].equals(key, message)
                }
        }
    }

    /// The rows with a −1 of the old key in front of each moved message's row.
    private func adding(
        removalsOf moved: Set<Int>, _ before: RowColumn, to rows: FieldRows
    ) -> FieldRows {
        let messages = rows.kept ?? (0..<Int32(before.count)).map { $0 }
        var picks: [Int32] = []
        var kept: [Int32] = []
        var changes: [Int8] = []
        for (row, message) in messages.enumerated() {
            if moved.contains(Int(message)) {
                picks.append(Int32(messages.count) + message)
                kept.append(message)
                changes.append(-1)
            }
            picks.append(Int32(row))
            kept.append(message)
            changes.append(rows.changes?[row] ?? 1)
        }
        let columns = rows.columns.enumerated().map { index, column in
            let old =
                wanted.key.firstIndex(of: index).map { before.fields[$0] }
                ?? Column.nulls(column.type, count: before.count)
            return Column.concatenated([column, old]).gather(picks)
        }
        return FieldRows(
            columns: columns, kept: kept, changes: changes, errors: rows.errors,
            skipped: rows.skipped, removals: moved.count)
    }

    private func checkKeys(_ fields: [Column], _ sorter: inout RowSorter) {
        for index in wanted.key {
            guard let validity = fields[index].validity else { continue }
            let name = wanted.fields[index].name
            for message in validity.indices where !validity[message] && sorter.isRow(message) {
                sorter.fail(message, .noKey, name, "key column \"\(name)\" is missing or NULL")
            }
        }
    }
}
