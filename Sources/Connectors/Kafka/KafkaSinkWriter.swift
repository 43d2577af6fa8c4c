// One worker's side of a Kafka output: rows to records, records to the outbox.

import Columns
import Contracts
import Formats
import Planning
import Progress
import Types

final class KafkaSinkWriter: SinkWriter {
    private let plan: OutputPlan
    private let options: KafkaSinkOptions
    private let values: JSONRowEncoder
    private let keys: JSONRowEncoder?
    private let byteLimit: Int
    private var outbox: OutboxPart
    /// Of an upsert output: the last row of each key within the epoch.
    private var fold: KeyFold?
    private let foldKey: [Int]

    /// What a record batch adds to its record, at most: batch header, attributes, lengths.
    private static let overheadBytes = 128

    init(
        _ plan: OutputPlan, _ options: KafkaSinkOptions, _ cluster: KafkaCluster
    ) throws(Failure) {
        self.plan = plan
        self.options = options
        values = JSONRowEncoder(plan.schema)
        keys = options.keyColumns.map { JSONRowEncoder(plan.schema, columns: $0) }
        byteLimit = try cluster.limit(of: options.topic) - KafkaSinkWriter.overheadBytes
        outbox = OutboxPart(target: cluster.target)
        if case .upsert(let key) = plan.mode {
            foldKey = key
            fold = KeyFold(key.map { plan.schema[$0].type })
        } else {
            foldKey = []
        }
    }

    var pendingBytes: Int { outbox.byteCount + foldedBytes }
    private var foldedBytes = 0

    func write(_ batch: Batch) throws(Failure) -> [RowError] {
        let text = values.encode(batch)
        let keyText = keys?.encode(batch)
        let refused = tooLarge(text, keyText)
        let bad = Set(refused.map(\.row))
        if fold != nil {
            let kept = (0..<batch.rowCount).filter { !bad.contains($0) }
            let taken = bad.isEmpty ? batch : batch.gather(kept.map { Int32($0) })
            fold?.add(taken, key: foldKey)
            foldedBytes += text.bytes.count
            return refused
        }
        for row in 0..<batch.rowCount where !bad.contains(row) {
            append(batch, row, text, keyText)
        }
        return refused
    }

    private func append(
        _ batch: Batch, _ row: Int, _ text: EncodedText, _ keyText: EncodedText?
    ) {
        var value = Array(text[row])
        if options.format == .debeziumJSON {
            let isDeletion = batch.changes.map { $0[row] < 0 } ?? false
            value = KafkaSinkWriter.envelope(value, isDeletion: isDeletion)
        }
        outbox.append(
            OutboxRecord(
                topic: options.topic, key: keyText.map { Array($0[row]) }, value: value))
    }

    /// A change as Debezium writes it: a retraction is a deletion with the row before, an insertion
    /// a creation with the row after; an update is the two, in this order.
    static func envelope(_ row: [UInt8], isDeletion: Bool) -> [UInt8] {
        let (before, after): ([UInt8], [UInt8]) =
            isDeletion ? (row, Array("null".utf8)) : (Array("null".utf8), row)
        return Array("{\"before\":".utf8) + before + Array(",\"after\":".utf8) + after
            + Array(",\"op\":\"\(isDeletion ? "d" : "c")\"}".utf8)
    }

    /// Rows that the topic would refuse: known here, so that no transaction ever meets one.
    private func tooLarge(_ text: EncodedText, _ keyText: EncodedText?) -> [RowError] {
        guard text.bytes.count + (keyText?.bytes.count ?? 0) > byteLimit else { return [] }
        return text.ranges.indices.compactMap { row in
            let size = text.ranges[row].count + (keyText?.ranges[row].count ?? 0)
            guard size > byteLimit else { return nil }
            return RowError(
                row: row, reason: .tooLarge,
                detail: "\(size) bytes, topic \"\(options.topic)\" takes \(byteLimit)",
                place: plan.place)
        }
    }

    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] {
        if let fold, !fold.isEmpty { appendFolded(fold) }
        fold?.removeAll()
        foldedBytes = 0
        return outbox.take().map { [$0] } ?? []
    }

    private func appendFolded(_ fold: KeyFold) {
        let texts = fold.batches.map { values.encode($0) }
        let keyTexts = fold.batches.map { keys?.encode($0) }
        for place in fold.last {
            let value = fold.isDeletion(place) ? nil : Array(texts[place.batch][place.row])
            let key = keyTexts[place.batch].map { Array($0[place.row]) }
            outbox.append(OutboxRecord(topic: options.topic, key: key, value: value))
        }
    }
}
