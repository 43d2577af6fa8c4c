// What a table must not have for us to read or write it (PROTOCOL.md "Protocol Evolution", "Valid
// Feature Names in Table Features"). An unknown feature is refused, not hoped about.

public import Contracts
import Types

extension DeltaSnapshot {
    private static let readableFeatures: Set<String> = [
        "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck",
    ]
    private static let writableFeatures: Set<String> = [
        "timestampNtz", "appendOnly", "invariants", "checkConstraints", "generatedColumns",
        "identityColumns", "changeDataFeed",
    ]

    private func refusal(_ message: String, hint: String? = nil) -> Failure {
        Failure(.failed, "delta.feature", message, hint: hint)
    }

    /// Throws if rows of the table cannot be read rightly.
    public func checkReadable() throws(Failure) {
        guard tableProtocol.minimumReader <= 3 else {
            throw refusal("the table asks for reader version \(tableProtocol.minimumReader)")
        }
        if tableProtocol.minimumReader == 3 {
            for feature in tableProtocol.readerFeatures ?? []
            where !Self.readableFeatures.contains(feature) {
                throw refusal("the table uses the reader feature \(feature)")
            }
        }
        let mapping = metadata.configuration["delta.columnMapping.mode"] ?? "none"
        guard mapping == "none" else { throw refusal("the table maps its columns by \(mapping)") }
        for file in files.values where file.hasDeletionVector {
            throw refusal("the table uses deletion vectors")
        }
    }

    /// Throws if we would write the table against its own rules. `removes`: files will be replaced.
    public func checkWritable(removes: Bool) throws(Failure) {
        try checkReadable()
        guard tableProtocol.minimumWriter <= 7 else {
            throw refusal("the table asks for writer version \(tableProtocol.minimumWriter)")
        }
        if tableProtocol.minimumWriter == 7 {
            for feature in tableProtocol.writerFeatures ?? []
            where !Self.writableFeatures.contains(feature) {
                throw refusal("the table uses the writer feature \(feature)")
            }
        }
        let configuration = metadata.configuration
        if let name = configuration.keys.sorted().first(where: {
            $0.hasPrefix("delta.constraints.")
        }) {
            throw refusal("the table has the check constraint \(name.dropFirst(18))")
        }
        if configuration["delta.enableInCommitTimestamps"] == "true" {
            throw refusal("the table keeps in-commit timestamps")
        }
        if removes, configuration["delta.appendOnly"] == "true" {
            throw refusal(
                "the table is append-only (delta.appendOnly) and the output updates rows",
                hint: "unset the property or write to another table")
        }
        if removes, configuration["delta.enableChangeDataFeed"] == "true" {
            throw refusal("the table keeps a change data feed and the output updates rows")
        }
        try checkRetention()
        let document = try JSONValue(parsing: metadata.schemaString)
        if let column = Self.columnWithRule(document, path: "") {
            throw refusal("column \(column) is generated, an identity or has an invariant")
        }
    }

    /// A `txn` that expires takes our marker with it: duplicates after a long pause (F20).
    private func checkRetention() throws(Failure) {
        let name = "delta.setTransactionRetentionDuration"
        guard let text = metadata.configuration[name] else { return }
        let shortest: Int64 = 365 * 86_400_000
        guard let duration = RetentionDuration.milliseconds(text), duration >= shortest else {
            throw refusal(
                "the table forgets transaction identifiers after \"\(text)\": "
                    + "what was written could be written again",
                hint: "unset \(name), or set it to 365 days or more")
        }
    }

    /// The first field, at any depth, whose metadata is a rule that a writer must keep.
    private static func columnWithRule(_ value: JSONValue, path: String) -> String? {
        switch value {
        case .array(let values):
            for value in values {
                if let found = columnWithRule(value, path: path) { return found }
            }
        case .object(let members):
            let name = value["name"]?.string ?? path
            for member in value["metadata"]?.members ?? [] {
                if member.name == "delta.generationExpression" || member.name == "delta.invariants"
                    || member.name.hasPrefix("delta.identity")
                {
                    return name
                }
            }
            for member in members where member.name != "metadata" {
                if let found = columnWithRule(member.value, path: name) { return found }
            }
        default: break
        }
        return nil
    }
}
