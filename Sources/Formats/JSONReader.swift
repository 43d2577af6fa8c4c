// `format = 'json'`: one object a message; with a primary key the last record of a key wins and a
// null value removes it (dialect.md §2.4, §3.3, §5.2).

import Columns
import Contracts
import Planning
import Types

final class JSONReader: ValueReader {
    private let wanted: WantedColumns
    private let fields: JSONFields
    private let keys: RecordKeys?
    private let checksAll: Bool

    init(_ format: SourceFormat, _ wanted: WantedColumns) throws(Failure) {
        try wanted.checkKey()
        self.wanted = wanted
        checksAll = format.isStrictJSON
        let settings = JSONSettings(format.timestampFormat)
        for field in wanted.fields { try checkNesting(field.type, field.name) }
        fields = JSONFields(wanted.fields.map { JSONField($0.name, $0.type, settings) })
        keys = try RecordKeys(format, wanted, settings)
    }

    func read(_ messages: MessageBatch) throws(Failure) -> FieldRows {
        var sorter = RowSorter(count: messages.count)
        var decoded = try fields.decode(
            messages.values, messages.valueRanges, isNull: messages.valueIsNull,
            checksAll: checksAll)
        sorter.fail(decoded.errors, in: messages.values)
        parseIntervals(&decoded.columns, wanted, &sorter)
        let hasTombstones = messages.valueIsNull.contains(1)
        guard wanted.isKeyed else {
            if hasTombstones {
                for message in 0..<messages.count where messages.valueIsNull[message] == 1 {
                    sorter.skip(message)
                }
            }
            return sorter.rows(decoded.columns)
        }
        if let keys {
            try keys.apply(messages, &decoded.columns, &sorter)
        } else {
            for message in 0..<messages.count where messages.valueIsNull[message] == 1 {
                sorter.fail(message, .noKey, nil, "a null value, and no key_format to say whose")
            }
        }
        return sorter.rows(
            decoded.columns, changes: messages.valueIsNull.map { $0 == 1 ? -1 : 1 })
    }
}

extension RowSorter {
    /// Takes over the errors of a decode of `arena`, one entry a message.
    mutating func fail(_ errors: [JSONError], in arena: [UInt8]) {
        for error in errors { fail(error.rowError(arena)) }
    }
}

/// Intervals are decoded as text (IntervalText knows PostgreSQL's and ISO's), so only as columns.
func checkNesting(_ type: LogicalType, _ column: String) throws(Failure) {
    guard type != .interval, type.holdsInterval else { return }
    throw Failure(
        .invalid, "format.nested_interval",
        "column \"\(column)\": an interval inside an array or row is not read from messages",
        hint: "declare the inner field as text and cast it")
}

extension LogicalType {
    fileprivate var holdsInterval: Bool {
        switch self {
        case .interval: true
        case .array(let element): element.holdsInterval
        case .row(let row): row.fields.contains { $0.type.holdsInterval }
        default: false
        }
    }
}
