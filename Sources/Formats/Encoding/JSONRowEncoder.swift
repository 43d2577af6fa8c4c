// Rows to JSON objects (dialect.md §5.4): columns by name, integers and numerics as numbers,
// timestamps ISO 8601 in UTC, bytea base64, arrays and rows nested, json as it is.
//
// JSON has no NaN and no infinities: a float that is one becomes the string "NaN", "Infinity" or
// "-Infinity", as PostgreSQL's to_json writes it; an infinite time "infinity" or "-infinity".

public import Columns
public import Types

/// Encodes the rows of one schema. The names are escaped once.
public struct JSONRowEncoder: Sendable {
    private let types: [LogicalType]
    /// `{"a":`, `,"b":` …
    private let openings: [[UInt8]]
    private let columns: [Int]

    /// `columns`: those of the batch that are written, in order; nil: all.
    public init(_ schema: Schema, columns: [Int]? = nil) {
        let columns = columns ?? Array(0..<schema.count)
        self.columns = columns
        types = columns.map { schema[$0].type }
        openings = columns.enumerated().map { index, column in
            var opening: [UInt8] = [index == 0 ? 0x7b : 0x2c]
            JSONValueText.appendString(Array(schema[column].name.utf8)[...], to: &opening)
            opening.append(0x3a)
            return opening
        }
    }

    /// Debezium carries json in strings.
    init(quotingJSON schema: Schema, columns: [Int]?) {
        let fields = schema.fields.map {
            Field($0.name, $0.type.withJSONAsText, isNullable: $0.isNullable)
        }
        self.init(Schema(fields), columns: columns)
    }

    /// One object a row, each followed by a newline that is not part of its range. Complexity: one
    /// loop a column and one copy a byte, no allocation a row.
    public func encode(_ batch: Batch) -> EncodedText {
        stitch(pieces(batch), count: batch.rowCount)
    }

    func pieces(_ batch: Batch) -> [RowPiece] {
        var pieces: [RowPiece] = []
        for (index, column) in columns.enumerated() {
            pieces.append(.constant(openings[index]))
            pieces.append(.texts(batch.columns[column].jsonTexts(types[index])))
        }
        pieces.append(.constant(Array((columns.isEmpty ? "{}" : "}").utf8)))
        return pieces
    }

    /// One row's object.
    public func append(_ batch: Batch, row: Int, to bytes: inout [UInt8]) {
        if columns.isEmpty { bytes.append(0x7b) }
        for index in columns.indices {
            bytes.append(contentsOf: openings[index])
            JSONValueText.append(
                batch.columns[columns[index]], row: row, type: types[index], to: &bytes)
        }
        bytes.append(0x7d)
    }
}

extension LogicalType {
    fileprivate var withJSONAsText: LogicalType {
        switch self {
        case .json: .text
        case .array(let element): .array(element.withJSONAsText)
        case .row(let row):
            .row(
                RowType(
                    name: row.name,
                    fields: row.fields.map {
                        Field($0.name, $0.type.withJSONAsText, isNullable: $0.isNullable)
                    }))
        default: self
        }
    }
}
