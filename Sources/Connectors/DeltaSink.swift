// A Delta table as a sink: writers make files or folded rows, the committer puts log entries.

import Columns
import Contracts
import DeltaTable
import Environment
import Parquet
import Planning
import Progress
import State
import Synchronization
import Types

/// What both sides of a Delta output share.
struct DeltaOutput: Sendable {
    let plan: OutputPlan
    let options: DeltaSinkOptions
    let store: LocalDeltaStore
    let shape: TableShape
    /// Of this process: names of files never repeat.
    let numbers: FileNumbers

    init(
        _ plan: OutputPlan, _ options: DeltaSinkOptions, numbers: FileNumbers
    ) throws(Failure) {
        self.plan = plan
        self.options = options
        self.numbers = numbers
        store = LocalDeltaStore(try DeltaOutput.path(options.location, plan))
        shape = TableShape(schema: plan.schema, partitionColumns: options.partitionColumns)
    }

    /// A path of the local file system; other schemes are for a later issue.
    static func path(_ location: String, _ plan: OutputPlan) throws(Failure) -> String {
        if location.hasPrefix("file://") { return String(location.dropFirst(7)) }
        guard !location.contains("://") else {
            throw Failure(
                .invalid, "delta.location",
                "\"\(location)\" is not on the local file system, which is all there is so far",
                hint: "give a path, or file:///path", place: plan.place)
        }
        return location
    }

    var writeOptions: DeltaWriteOptions {
        let compression: ParquetCompression =
            switch options.compression {
            case .zstd: .zstd(level: 1)
            case .snappy: .snappy
            case .none: .none
            }
        return DeltaWriteOptions(
            compression: compression, targetFileBytes: Int(options.targetFileSize))
    }

    var target: TargetID { TargetIdentity.output(plan.outputID) }
}

/// Writes an epoch's rows into data files that no log entry names yet.
final class DeltaAppendWriter: SinkWriter {
    private let output: DeltaOutput
    private let identity: Identity
    private let clock: Clock
    private var nextEpoch: UInt64
    private var writer: DeltaEpochWriter?

    init(_ output: DeltaOutput, _ context: ConnectorContext) {
        self.output = output
        identity = context.identity
        clock = context.clock
        nextEpoch = context.nextEpoch
    }

    func write(_ batch: Batch) throws(Failure) -> [RowError] {
        let clock = clock
        let open =
            writer
            ?? DeltaEpochWriter(
                store: output.store, shape: output.shape,
                marker: identity.marker(epoch: nextEpoch), numbers: output.numbers,
                options: output.writeOptions, now: { clock.now() / 1_000 })
        writer = open
        try open.write(batch)
        return []
    }

    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] {
        nextEpoch = marker.epoch + 1
        guard let closing = writer else { return [] }
        writer = nil
        Failpoint.pass("delta.before_files_closed", output.plan.name)
        let files = try closing.close()
        Failpoint.pass("delta.files_durable", output.plan.name)
        guard !files.isEmpty else { return [] }
        let bytes = DeltaAction.entry(files.map { .add($0) })
        return [IntentPart(target: output.target, bytes: bytes)]
    }

    /// Files count by their names only.
    var pendingBytes: Int { 0 }
}

/// Folds an epoch's rows by key, the last wins; the rows themselves are the intent.
final class DeltaUpsertWriter: SinkWriter {
    private let output: DeltaOutput
    private let key: [Int]
    private let codec: RowCodec
    private var table: GroupTable
    private var batches: [Batch] = []
    /// Per group: batch and row of the last change, in the order of first arrival.
    private var last: [(batch: Int32, row: Int32)] = []
    private(set) var pendingBytes = 0

    /// A row in the intent, about: what `epoch_bytes` counts before it is encoded.
    private static let bytesPerValue = 12

    init(_ output: DeltaOutput, key: [Int]) {
        self.output = output
        self.key = key
        codec = RowCodec(output.plan.schema.types, form: .exact)
        table = GroupTable(key.map { output.plan.schema[$0].type })
    }

    func write(_ batch: Batch) throws(Failure) -> [RowError] {
        let columns = key.map { batch.columns[$0] }
        let hashes = KeyHash.hashes(columns, rowCount: batch.rowCount)
        let rows = (0..<Int32(batch.rowCount)).map { $0 }
        let groups = table.groups(
            columns, rowCount: batch.rowCount, hashes: hashes, rows: rows)
        for row in 0..<batch.rowCount {
            let group = Int(groups[row])
            let place = (batch: Int32(batches.count), row: Int32(row))
            if group < last.count { last[group] = place } else { last.append(place) }
        }
        batches.append(batch)
        pendingBytes += batch.rowCount * batch.columns.count * DeltaUpsertWriter.bytesPerValue
        return []
    }

    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] {
        guard !last.isEmpty else { return [] }
        var writer = RecordWriter()
        writer.varint(UInt64(last.count))
        var encoded: [EncodedRows] = []
        for batch in batches {
            encoded.append(codec.encode(batch.columns, rowCount: batch.rowCount))
        }
        for place in last {
            let changes = batches[Int(place.batch)].changes
            let isDeleted = changes.map { $0[Int(place.row)] < 0 } ?? false
            writer.byte(isDeleted ? 1 : 0)
            writer.counted(encoded[Int(place.batch)][Int(place.row)])
        }
        batches = []
        last = []
        pendingBytes = 0
        table = GroupTable(key.map { output.plan.schema[$0].type })
        return [IntentPart(target: output.target, bytes: writer.bytes)]
    }

    /// The rows of intents, in epoch order: of each key the last one counts.
    static func rows(
        of intents: [Intent], _ schema: Schema, key: [Int]
    ) throws(Failure) -> DeltaUpsertRows {
        var rows: [ArraySlice<UInt8>] = []
        var isDeleted: [Bool] = []
        for part in intents.flatMap(\.parts) {
            var reader = RecordReader(part, subject: "upsert intent")
            for _ in 0..<(try reader.varint()) {
                isDeleted.append(try reader.byte() == 1)
                rows.append(try reader.counted()[...])
            }
        }
        let columns = try RowCodec(schema.types, form: .exact).decode(rows)
        return DeltaUpsertRows(
            rows: Batch(rowCount: rows.count, columns: columns), isDeleted: isDeleted, key: key)
    }
}
