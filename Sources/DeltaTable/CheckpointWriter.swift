// Classic checkpoints (PROTOCOL.md "Checkpoints", "Checkpoint Schema"): protocol, metaData, live
// files with their statistics, tombstones that vacuum may still need, txn, domains. No commitInfo.

import Columns
import Contracts
import Environment
import Parquet
import Types

struct CheckpointWriter {
    let store: any DeltaStore

    /// delta.checkpointInterval's default.
    static let interval: Int64 = 10
    /// delta.deletedFileRetentionDuration's default, ms.
    private static let tombstoneRetention: Int64 = 7 * 86_400_000

    /// Writes the checkpoint of a snapshot and the hint to it. `now` is ms since 1970.
    func write(_ snapshot: DeltaSnapshot, now: Int64) throws(Failure) {
        let retention =
            RetentionDuration.milliseconds(
                snapshot.metadata.configuration["delta.deletedFileRetentionDuration"])
            ?? Self.tombstoneRetention
        var actions: [DeltaAction] = [
            .tableProtocol(snapshot.tableProtocol), .metadata(snapshot.metadata),
        ]
        for transaction in snapshot.transactions.sorted(by: { $0.key < $1.key }) {
            actions.append(.transaction(transaction.value.identifier))
        }
        for domain in snapshot.domains.sorted(by: { $0.key < $1.key }) {
            actions.append(.domain(name: domain.key, configuration: domain.value, isRemoved: false))
        }
        for file in snapshot.files.sorted(by: { $0.key < $1.key }) {
            var file = file.value
            file.dataChange = false
            actions.append(.add(file))
        }
        for file in snapshot.tombstones.sorted(by: { $0.key < $1.key }) {
            guard (file.value.deletionTimestamp ?? 0) > now - retention else { continue }
            var file = file.value
            file.dataChange = false
            actions.append(.remove(file))
        }
        let bytes = try Self.encode(actions)
        let name = "\(DeltaLog.folder)/\(DeltaLog.padded(snapshot.version)).checkpoint.parquet"
        Failpoint.pass("delta.before_checkpoint")
        try Failpoint.passOrFail("delta.write_checkpoint")
        _ = try store.putIfAbsent(name, bytes)
        Failpoint.pass("delta.before_hint")
        let hint = JSONValue.object([
            .init("version", .integer(snapshot.version)), .init("size", .integer(actions.count)),
            .init("sizeInBytes", .integer(bytes.count)),
            .init("numOfAddFiles", .integer(snapshot.files.count)),
        ])
        try store.put("\(DeltaLog.folder)/_last_checkpoint", Array(hint.text.utf8))
        Failpoint.pass("delta.hint_written")
    }

    // MARK: Schema

    private static let textMap = ParquetMap.type(key: .text, value: .text)

    private static let schema = Schema([
        Field(
            "txn",
            .row(
                RowType(
                    name: nil,
                    fields: [
                        Field("appId", .text, isNullable: false),
                        Field("version", .bigint, isNullable: false),
                        Field("lastUpdated", .bigint),
                    ]))),
        Field(
            "add",
            .row(
                RowType(
                    name: nil,
                    fields: [
                        Field("path", .text, isNullable: false),
                        Field("partitionValues", textMap, isNullable: false),
                        Field("size", .bigint, isNullable: false),
                        Field("modificationTime", .bigint, isNullable: false),
                        Field("dataChange", .boolean, isNullable: false),
                        Field("stats", .text), Field("tags", textMap),
                    ]))),
        Field(
            "remove",
            .row(
                RowType(
                    name: nil,
                    fields: [
                        Field("path", .text, isNullable: false),
                        Field("deletionTimestamp", .bigint),
                        Field("dataChange", .boolean, isNullable: false),
                        Field("extendedFileMetadata", .boolean),
                        Field("partitionValues", textMap), Field("size", .bigint),
                    ]))),
        Field(
            "metaData",
            .row(
                RowType(
                    name: nil,
                    fields: [
                        Field("id", .text, isNullable: false), Field("name", .text),
                        Field("description", .text),
                        Field(
                            "format",
                            .row(
                                RowType(
                                    name: nil,
                                    fields: [
                                        Field("provider", .text, isNullable: false),
                                        Field("options", textMap, isNullable: false),
                                    ])), isNullable: false),
                        Field("schemaString", .text, isNullable: false),
                        Field("partitionColumns", .array(.text), isNullable: false),
                        Field("configuration", textMap, isNullable: false),
                        Field("createdTime", .bigint),
                    ]))),
        Field(
            "protocol",
            .row(
                RowType(
                    name: nil,
                    fields: [
                        Field("minReaderVersion", .integer, isNullable: false),
                        Field("minWriterVersion", .integer, isNullable: false),
                        Field("readerFeatures", .array(.text)),
                        Field("writerFeatures", .array(.text)),
                    ]))),
        Field(
            "domainMetadata",
            .row(
                RowType(
                    name: nil,
                    fields: [
                        Field("domain", .text, isNullable: false),
                        Field("configuration", .text, isNullable: false),
                        Field("removed", .boolean, isNullable: false),
                    ]))),
    ])

    /// One row an action; the action's JSON is laid into the struct of its name.
    private static func encode(_ actions: [DeltaAction]) throws(Failure) -> [UInt8] {
        var options = ParquetWriteOptions()
        options.compression = .snappy
        var writer = try ParquetWriter(schema, options: options)
        var output: [UInt8] = []
        for start in stride(from: 0, to: actions.count, by: 4_096) {
            let part = actions[start..<min(start + 4_096, actions.count)]
            let columns = schema.fields.map { field in
                Column(
                    field.type,
                    scalars: part.map { action in
                        action.json[field.name].map { scalar($0, field.type) } ?? .null
                    })
            }
            try writer.append(Batch(rowCount: part.count, columns: columns))
            output += writer.takeOutput()
        }
        _ = try writer.finish()
        return output + writer.takeOutput()
    }

    private static func scalar(_ value: JSONValue, _ type: LogicalType) -> Scalar {
        switch (value, type) {
        case (.bool(let flag), .boolean): return .bool(flag)
        case (.number(let text), .bigint), (.number(let text), .integer):
            return Int64(text).map { .int64($0) } ?? .null
        case (.string(let text), .text): return .text(text)
        case (.array(let values), .array(let element)):
            return .list(values.map { scalar($0, element) })
        case (.object(let members), .array):
            return .list(members.map { .row([.text($0.name), scalar($0.value, .text)]) })
        case (.object, .row(let row)):
            return .row(
                row.fields.map { field in
                    value[field.name].map { scalar($0, field.type) } ?? .null
                })
        default: return .null
        }
    }
}

/// Delta's durations: `interval 7 days`.
enum RetentionDuration {
    /// nil for what is missing or not understood.
    static func milliseconds(_ text: String?) -> Int64? {
        guard let text else { return nil }
        var words = text.lowercased().split(separator: " ").map(String.init)
        if words.first == "interval" { words.removeFirst() }
        guard words.count == 2, let count = Int64(words[0]), (0...1_000_000).contains(count) else {
            return nil
        }
        let unit = words[1].hasSuffix("s") ? String(words[1].dropLast()) : words[1]
        let units: [String: Int64] = [
            "millisecond": 1, "second": 1_000, "minute": 60_000, "hour": 3_600_000,
            "day": 86_400_000, "week": 7 * 86_400_000,
        ]
        return units[unit].map { $0 * count }
    }
}
