// Records of a Kafka output, hashed: as they would be produced, and as they lie in the topic.

import Columns
public import Contracts
import Formats
import KafkaIO
public import Planning
import Types

/// Hashes the records that an output's rows become.
struct RecordHashing: Sendable {
    private let plan: OutputPlan
    private let options: KafkaSinkOptions
    private let values: JSONRowEncoder
    private let keys: JSONRowEncoder?
    private let isUpsert: Bool

    init(_ plan: OutputPlan, _ options: KafkaSinkOptions) {
        self.plan = plan
        self.options = options
        values = JSONRowEncoder(plan.schema)
        keys = options.keyColumns.map { JSONRowEncoder(plan.schema, columns: $0) }
        if case .upsert = plan.mode { isUpsert = true } else { isUpsert = false }
    }

    func add(_ batch: Batch, to rows: RecomputedRows) {
        let texts = values.encode(batch)
        let keyTexts = keys?.encode(batch)
        var changes: [(key: [UInt8], hash: UInt64?)] = []
        for row in 0..<batch.rowCount {
            let isDeleted = batch.changes.map { $0[row] < 0 } ?? false
            var value = Array(texts[row])
            if options.format == .debeziumJSON {
                value = KafkaSinkWriter.envelope(value, isDeletion: isDeleted)
            }
            let key = keyTexts.map { Array($0[row]) }
            let hash = RecordHashing.hash(key, value)
            changes.append((key ?? [], isUpsert && isDeleted ? nil : hash))
        }
        if isUpsert { rows.put(changes) } else { rows.append(changes.compactMap(\.hash)) }
    }

    /// FNV-1a over both, with their lengths.
    static func hash(_ key: [UInt8]?, _ value: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func take(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for byte in key ?? [] { take(byte) }
        take(key == nil ? 0xff : 0xfe)
        for byte in value { take(byte) }
        return hash ^ (hash >> 29)
    }
}

/// What an output's topic holds.
public struct TopicContent: Sendable {
    /// Readers with `read_committed` see this; of an updating output, the last record of each key.
    public let rows: RowsDigest
    /// Whether the topic's beginning is gone, by retention.
    public let isCut: Bool

    public init(
        of output: OutputPlan, _ options: KafkaSinkOptions, _ context: ConnectorContext
    ) throws(Failure) {
        let configuration = KafkaClientConfiguration(
            bootstrapServers: options.bootstrapServers, properties: options.properties,
            groupID: "millrace-verify")
        let reader = KafkaTopicReader(configuration, topic: options.topic)
        let content = RecomputedRows()
        var isUpsert = false
        if case .upsert = output.mode { isUpsert = true }
        isCut = try reader.forEachCommitted(timeout: .seconds(600)) { messages in
            var changes: [(key: [UInt8], hash: UInt64?)] = []
            for message in 0..<messages.count {
                let key = messages.key(message).map { Array($0) }
                let hash = messages.value(message).map { RecordHashing.hash(key, Array($0)) }
                changes.append((key ?? [], hash))
            }
            if isUpsert {
                content.put(changes)
            } else {
                content.append(changes.compactMap(\.hash))
            }
        }
        rows = content.digest
    }
}
