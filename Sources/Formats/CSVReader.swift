// `format = 'csv'`: one record a message, by RFC 4180; NULL is the unquoted `null_text`, as in
// PostgreSQL's COPY. A record has as many fields as the table declares, or as its header names.

import CSimdJSON
import Columns
import Contracts
import Planning
import Types

final class CSVReader: ValueReader {
    private let wanted: WantedColumns
    private let format: SourceFormat
    private let fields: JSONFields
    private let keys: RecordKeys?
    /// Fields of a record.
    private var fieldCount: Int
    /// The wanted column that a field of the record fills; −1: none.
    private var slots: [Int]

    init(_ format: SourceFormat, _ wanted: WantedColumns) throws(Failure) {
        try wanted.checkKey()
        for field in wanted.fields { try checkText(field.type, field.name) }
        self.wanted = wanted
        self.format = format
        let settings = JSONSettings(format.timestampFormat)
        fields = JSONFields(wanted.fields.map { JSONField($0.name, $0.type, settings) })
        keys = try RecordKeys(format, wanted, settings)
        fieldCount = format.declared.count
        slots = Array(repeating: -1, count: fieldCount)
        for (index, field) in wanted.fields.enumerated() {
            require(
                slots.indices.contains(field.position),
                "column \(field.name) at \(field.position) of \(fieldCount)")
            slots[field.position] = index
        }
    }

    /// Takes the order of the fields from a header record. Throws when a wanted column is missing.
    func readHeader(_ line: [UInt8]) throws(Failure) {
        var messages = MessageBatch()
        messages.append(partition: 0, offset: 0, key: [UInt8]?.none, value: line)
        var splitter = CSVSplitter(format, messages.values)
        guard let parts = splitter.split(messages.valueRanges[0]) else {
            throw Failure(.failed, "csv.header", "the csv header is broken")
        }
        let names = parts.map { String(decoding: splitter.bytes($0.range), as: UTF8.self) }
        slots = names.map { name in wanted.fields.firstIndex { $0.name == name } ?? -1 }
        fieldCount = names.count
        for field in wanted.fields where !names.contains(field.name) {
            throw Failure(
                .failed, "csv.header_column", "the csv header has no column \"\(field.name)\"",
                hint: nearestName(to: field.name, among: names).map { "it has \"\($0)\"" })
        }
    }

    func read(_ messages: MessageBatch) throws(Failure) -> FieldRows {
        var sorter = RowSorter(count: messages.count)
        var splitter = CSVSplitter(format, messages.values)
        let width = wanted.fields.count
        let nothing = ValueRange(start: 0, length: 0)
        var ranges = Array(repeating: nothing, count: messages.count * width)
        var isNull = Array(repeating: UInt8(1), count: messages.count * width)
        for message in 0..<messages.count {
            guard messages.valueIsNull[message] == 0 else {
                if !wanted.isKeyed { sorter.skip(message) }
                continue
            }
            guard messages.valueRanges[message].count > 0 else {
                sorter.fail(message, .emptyValue, nil, "the value is empty")
                continue
            }
            guard let parts = splitter.split(messages.valueRanges[message]) else {
                sorter.fail(message, .malformed, nil, "a quote is not closed, or text follows it")
                continue
            }
            guard parts.count == fieldCount else {
                sorter.fail(
                    message, .malformed, nil,
                    "the record has \(parts.count) fields, not \(fieldCount)")
                continue
            }
            for (index, part) in parts.enumerated() where slots[index] >= 0 {
                ranges[message * width + slots[index]] = part.range
                isNull[message * width + slots[index]] = part.isNull ? 1 : 0
            }
        }
        return try finish(messages, splitter.data, ranges, isNull, sorter)
    }

    private func finish(
        _ messages: MessageBatch, _ data: [UInt8], _ ranges: [ValueRange], _ isNull: [UInt8],
        _ rows: RowSorter
    ) throws(Failure) -> FieldRows {
        var sorter = rows
        guard !wanted.fields.isEmpty else { return sorter.rows([]) }
        var decoded = try fields.decodeText(data, ranges, isNull: isNull)
        sorter.fail(decoded.errors, in: data)
        parseIntervals(&decoded.columns, wanted, &sorter)
        guard wanted.isKeyed else { return sorter.rows(decoded.columns) }
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

/// Cuts records into fields; unescaped fields go behind the arena.
struct CSVSplitter {
    struct Part {
        var range: ValueRange
        var isNull: Bool
    }

    /// The arena, and behind it the fields that had doubled quotes.
    private(set) var data: [UInt8]
    private let delimiter: UInt8
    private let nullText: [UInt8]
    private var parts: [Part] = []

    init(_ format: SourceFormat, _ arena: [UInt8]) {
        data = arena
        delimiter = format.delimiter
        nullText = format.nullText
    }

    func bytes(_ range: ValueRange) -> ArraySlice<UInt8> {
        data[range.lowerBound..<range.upperBound]
    }

    /// The fields of a record; nil: its quotes are broken.
    mutating func split(_ record: ValueRange) -> [Part]? {
        parts.removeAll(keepingCapacity: true)
        var end = record.upperBound
        if end > record.lowerBound, data[end - 1] == 0x0a { end -= 1 }
        if end > record.lowerBound, data[end - 1] == 0x0d { end -= 1 }
        var next = record.lowerBound
        while true {
            if next < end, data[next] == 0x22 {
                guard let behind = quoted(next + 1, end) else { return nil }
                next = behind
            } else {
                next = plain(next, end)
            }
            if next == end { return parts }
            guard data[next] == delimiter else { return nil }
            next += 1
        }
    }

    private mutating func plain(_ start: Int, _ end: Int) -> Int {
        var next = start
        while next < end, data[next] != delimiter { next += 1 }
        let isNull = data[start..<next].elementsEqual(nullText)
        parts.append(
            Part(range: ValueRange(start: start, length: next - start), isNull: isNull))
        return next
    }

    /// Takes the field whose content begins at `start`; answers the place behind its closing quote.
    private mutating func quoted(_ start: Int, _ end: Int) -> Int? {
        var next = start
        var doubled = false
        while true {
            guard next < end else { return nil }
            guard data[next] == 0x22 else {
                next += 1
                continue
            }
            guard next + 1 < end, data[next + 1] == 0x22 else { break }
            doubled = true
            next += 2
        }
        var range = ValueRange(start: start, length: next - start)
        if doubled {
            let copy = data.count
            var index = start
            while index < next {
                data.append(data[index])
                index += data[index] == 0x22 ? 2 : 1
            }
            range = ValueRange(start: copy, length: data.count - copy)
        }
        parts.append(Part(range: range, isNull: false))
        return next + 1
    }
}
