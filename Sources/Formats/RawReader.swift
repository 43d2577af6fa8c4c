// `format = 'raw'`: the whole value is one bytea, text or json column.

import CSimdJSON
import Columns
import Contracts
import Planning
import Types

final class RawReader: ValueReader {
    private let wanted: WantedColumns
    private let fields: JSONFields
    private let keys: RecordKeys?

    init(_ format: SourceFormat, _ wanted: WantedColumns) throws(Failure) {
        try wanted.checkKey()
        if let whole = wanted.fields.first(where: { $0.position < 0 }),
            ![.bytea, .text, .json].contains(whole.type)
        {
            throw Failure(
                .invalid, "format.raw_type", "format 'raw' has no \(whole.type) column",
                hint: "one column of type bytea, text or json")
        }
        if wanted.fields.count > 1 {
            throw Failure(
                .invalid, "format.raw_columns",
                "format 'raw' has one column, not \(wanted.fields.count)")
        }
        self.wanted = wanted
        fields = JSONFields(wanted.fields.map { JSONField($0.name, $0.type) })
        keys = try RecordKeys(format, wanted, JSONSettings())
    }

    func read(_ messages: MessageBatch) throws(Failure) -> FieldRows {
        var sorter = RowSorter(count: messages.count)
        for message in 0..<messages.count where messages.valueIsNull[message] == 1 {
            sorter.skip(message)
        }
        guard let field = wanted.fields.first else { return sorter.rows([]) }
        if field.type == .bytea {
            let bytes = ByteColumn(ranges: messages.valueRanges, data: messages.values)
            return sorter.rows([Column(.bytea, .bytes(bytes))])
        }
        let decoded = try fields.decodeText(
            messages.values, messages.valueRanges, isNull: messages.valueIsNull)
        sorter.fail(decoded.errors, in: messages.values)
        return sorter.rows(decoded.columns)
    }
}
