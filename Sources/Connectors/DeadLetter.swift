// A refused row as others see it: a Kafka record with headers, or a row of a table (dialect.md
// §5.3).

public import Columns
public import Contracts
public import Types

/// One dead letter.
public struct DeadLetter: Sendable {
    public let reason: String
    /// For the log and for `on_error = 'fail'`.
    public let sentence: String
    private let key: [UInt8]?
    private let value: [UInt8]?
    /// Name without `millrace.`, and text.
    private let facts: [(name: String, text: String)]

    /// Of a record that broke its source's contract.
    public init(
        _ record: RefusedRecord, pipeline: String, describe: (SourcePlace) -> String
    ) {
        let error = record.error
        key = record.key
        value = record.value
        reason = error.reason.rawValue
        sentence =
            "\(record.topic)/\(record.partition)/\(record.offset): \(error.detail) "
            + "(\(error.reason.rawValue))"
        facts =
            [
                ("topic", record.topic), ("partition", record.partition),
                ("offset", String(record.offset)), ("timestamp", String(record.timestamp)),
            ] + DeadLetter.facts(error, pipeline: pipeline, describe: describe)
    }

    /// Of a row that failed behind the source: `value` is the row as JSON.
    public init(
        value: [UInt8], error: RowError, operatorName: String?, pipeline: String,
        describe: (SourcePlace) -> String
    ) {
        key = nil
        self.value = value
        reason = error.reason.rawValue
        let place = error.place.map { describe($0) + ": " } ?? ""
        sentence = "\(place)\(error.detail) (\(error.reason.rawValue))"
        facts =
            (operatorName.map { [("operator", $0)] } ?? [])
            + DeadLetter.facts(error, pipeline: pipeline, describe: describe)
    }

    private static func facts(
        _ error: RowError, pipeline: String, describe: (SourcePlace) -> String
    ) -> [(name: String, text: String)] {
        var facts = [("reason", error.reason.rawValue)]
        if let constraint = error.constraint { facts.append(("constraint", constraint)) }
        facts.append(("detail", error.detail))
        facts.append(("pipeline", pipeline))
        if let place = error.place { facts.append(("place", describe(place))) }
        return facts
    }

    /// As a record of a dead-letter topic: the record's own key and value, the facts as headers.
    public func record(topic: String) -> OutboxRecord {
        OutboxRecord(
            topic: topic, key: key, value: value,
            headers: facts.map {
                .init(name: "millrace.\($0.name)", value: Array($0.text.utf8))
            })
    }

    /// As rows of a table: columns by name (`topic`, `reason` …, `key`, `value`); a column that a
    /// letter says nothing about is NULL.
    public static func batch(_ letters: [DeadLetter], schema: Schema) -> Batch {
        let columns = schema.fields.map { field in
            Column(field.type, scalars: letters.map { $0.scalar(field) })
        }
        return Batch(rowCount: letters.count, columns: columns)
    }

    private func scalar(_ field: Field) -> Scalar {
        let name = field.name.hasPrefix("millrace.") ? String(field.name.dropFirst(9)) : field.name
        if name == "key" { return key.map(Scalar.bytes) ?? .null }
        if name == "value" { return value.map(Scalar.bytes) ?? .null }
        guard let text = facts.first(where: { $0.name == name })?.text else { return .null }
        switch field.type.physical {
        case .bytes: return .text(text)
        case .int64:
            guard let number = Int64(text) else { return .null }
            return .int64(field.type == .timestamptz ? number * 1_000 : number)
        default: return .null
        }
    }
}
