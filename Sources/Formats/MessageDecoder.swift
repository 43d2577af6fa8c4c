// From a batch of messages to columns: the door of this module for sources.

public import Columns
public import Contracts
public import Planning
import Types

/// What a batch of messages came to.
public struct DecodedMessages: Sendable {
    /// The columns of `SourcePlan.decoded`, in that order. Of a source with a primary key each row
    /// carries its change: +1 puts the row under its key, −1 removes the key (only the key's
    /// columns count then).
    public let batch: Batch
    /// The message that each row of `batch` came from, ascending; a message that changes its row's
    /// key gives two rows, the removal of the old key first.
    public let messages: [Int32]
    /// Messages that broke the contract, ascending; `row` is the message's index.
    public let errors: [RowError]
    /// Messages that hold no row and break nothing: tombstones of a source without a key,
    /// Debezium's tombstones and logical messages. rows + errors + skipped = messages, but for
    /// those.
    public let skipped: Int
}

/// Decodes the messages of one source. Not Sendable: one a worker.
public final class MessageDecoder {
    private let decoded: [DecodedColumn]
    private let topic: [UInt8]
    private let source: [UInt8]
    fileprivate let reader: any ValueReader

    /// Throws for a format that has no messages (parquet, columns) and for types that a format does
    /// not carry.
    public convenience init(_ plan: SourcePlan, topic: String) throws(Failure) {
        try self.init(
            format: plan.format, decoded: plan.decoded,
            primaryKey: plan.primaryKey.map { plan.schema[$0].name }, source: plan.name,
            topic: topic)
    }

    /// `primaryKey`: names of columns; empty for a source without a key.
    public init(
        format: SourceFormat, decoded: [DecodedColumn], primaryKey: [String], source: String,
        topic: String
    ) throws(Failure) {
        self.decoded = decoded
        self.topic = Array(topic.utf8)
        self.source = Array(source.utf8)
        let wanted = WantedColumns(decoded, primaryKey: primaryKey)
        switch format.kind {
        case .json: reader = try JSONReader(format, wanted)
        case .debeziumJSON: reader = try DebeziumReader(format, wanted, topic: topic)
        case .csv: reader = try CSVReader(format, wanted)
        case .raw: reader = try RawReader(format, wanted)
        case .parquet, .columns:
            throw Failure(
                .invalid, "format.no_messages",
                "format '\(format.kind.rawValue)' is not a format of messages")
        }
    }

    /// Decodes a batch; `extractedAt` in µs. Throws only when memory runs out.
    public func decode(
        _ messages: MessageBatch, extractedAt: Int64
    ) throws(Failure) -> DecodedMessages {
        let rows = try reader.read(messages)
        let kept = rows.kept ?? (0..<Int32(messages.count)).map { $0 }
        var fields = rows.columns.makeIterator()
        var columns: [Column] = []
        for column in decoded {
            if case .metadata(let metadata) = column.origin {
                let whole = self.column(metadata, messages, extractedAt)
                columns.append(rows.kept == nil ? whole : whole.gather(kept))
            } else if column.origin == .incomplete {
                columns.append(rows.incomplete ?? Column(.bytea, .null(kept.count)))
            } else {
                columns.append(fields.next().required("a column a field"))
            }
        }
        require(
            kept.count - rows.removals + rows.errors.count + rows.skipped == messages.count,
            "\(messages.count) messages are not \(kept.count) rows with \(rows.removals) removals, "
                + "\(rows.errors.count) errors, \(rows.skipped) skipped")
        return DecodedMessages(
            batch: Batch(rowCount: kept.count, columns: columns, changes: rows.changes),
            messages: kept, errors: rows.errors, skipped: rows.skipped)
    }

    private func column(
        _ metadata: MetadataColumn, _ messages: MessageBatch, _ extractedAt: Int64
    ) -> Column {
        let count = messages.count
        switch metadata {
        case .topic: return Column(.text, repeating: .bytes(topic), count: count)
        case .source: return Column(.text, repeating: .bytes(source), count: count)
        case .extractedAt:
            return Column(.timestamptz, repeating: .int64(extractedAt), count: count)
        case .partition: return Column(.integer, .int64(messages.partitions.map { Int64($0) }))
        case .offset: return Column(.bigint, .int64(messages.offsets))
        case .timestamp:
            let known = messages.timestamps.map { $0 >= 0 }
            return Column(
                .timestamptz, .int64(messages.timestamps.map { $0 &* 1000 }),
                validity: known.contains(false) ? known : nil)
        case .key:
            return Column(
                .bytea, .bytes(ByteColumn(ranges: messages.keyRanges, data: messages.keys)),
                validity: validity(messages.keyIsNull))
        case .value:
            return Column(
                .bytea, .bytes(ByteColumn(ranges: messages.valueRanges, data: messages.values)),
                validity: validity(messages.valueIsNull))
        case .headers: return headers(messages)
        }
    }

    private func validity(_ isNull: [UInt8]) -> Validity {
        isNull.contains(1) ? isNull.map { $0 == 0 } : nil
    }

    private func headers(_ messages: MessageBatch) -> Column {
        var ranges: [ValueRange] = []
        var names: [ValueRange] = []
        var values: [ValueRange] = []
        var valid: [Bool] = []
        for message in 0..<messages.count {
            let headers = messages.headers(message)
            ranges.append(ValueRange(start: names.count, length: headers.count))
            for header in headers {
                names.append(header.name)
                values.append(header.value ?? ValueRange(start: 0, length: 0))
                valid.append(header.value != nil)
            }
        }
        let name = Column(.text, .bytes(ByteColumn(ranges: names, data: messages.keys)))
        let value = Column(
            .bytea, .bytes(ByteColumn(ranges: values, data: messages.keys)),
            validity: valid.contains(false) ? valid : nil)
        let type = LogicalType.row(
            RowType(name: nil, fields: [Field("key", .text), Field("value", .bytea)]))
        let element = Column(type, .row(RowColumn(fields: [name, value], count: names.count)))
        return Column(.array(type), .list(ListColumn(ranges: ranges, element: element)))
    }
}

extension MessageDecoder {
    /// Takes the order of a csv source's fields from a header record, for the records that follow.
    public func readHeader(_ line: [UInt8]) throws(Failure) {
        guard let csv = reader as? CSVReader else { return }
        try csv.readHeader(line)
    }
}
