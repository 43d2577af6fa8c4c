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
    let store: any DeltaStore
    let shape: TableShape
    private let check: DeltaRowCheck
    /// Of this process: names of files never repeat.
    let numbers: FileNumbers

    init(
        _ plan: OutputPlan, _ options: DeltaSinkOptions, numbers: FileNumbers,
        store makeStore: (String) -> any DeltaStore
    ) throws(Failure) {
        self.plan = plan
        self.options = options
        self.numbers = numbers
        store = makeStore(try DeltaOutput.path(options.location, plan))
        shape = TableShape(schema: plan.schema, partitionColumns: options.partitionColumns)
        check = DeltaRowCheck(plan, partitionColumns: options.partitionColumns)
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

    /// The rows that the table can hold, and what is wrong with the others.
    func sorted(_ batch: Batch) -> (rows: Batch, refused: [RowError]) {
        let refused = check.refused(batch)
        if refused.isEmpty { return (batch, []) }
        let bad = Set(refused.map { Int32($0.row) })
        let kept = (0..<Int32(batch.rowCount)).filter { !bad.contains($0) }
        return (batch.gather(kept), refused)
    }
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
        let (rows, refused) = output.sorted(batch)
        let clock = clock
        let open =
            writer
            ?? DeltaEpochWriter(
                store: output.store, shape: output.shape,
                marker: identity.marker(epoch: nextEpoch), numbers: output.numbers,
                options: output.writeOptions, now: { clock.now() / 1_000 })
        writer = open
        try open.write(rows)
        return refused
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
    private var fold: KeyFold
    private(set) var pendingBytes = 0

    /// A value in the intent, about: what `epoch_bytes` counts before it is encoded.
    private static let bytesPerValue = 12

    init(_ output: DeltaOutput, key: [Int]) {
        self.output = output
        self.key = key
        codec = RowCodec(output.plan.schema.types, form: .exact)
        fold = KeyFold(key.map { output.plan.schema[$0].type })
    }

    func write(_ batch: Batch) throws(Failure) -> [RowError] {
        let (rows, refused) = output.sorted(batch)
        fold.add(rows, key: key)
        pendingBytes += rows.rowCount * rows.columns.count * DeltaUpsertWriter.bytesPerValue
        return refused
    }

    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] {
        guard !fold.isEmpty else { return [] }
        var writer = RecordWriter()
        writer.varint(UInt64(fold.last.count))
        let encoded = fold.batches.map { codec.encode($0.columns, rowCount: $0.rowCount) }
        for place in fold.last {
            writer.byte(fold.isDeletion(place) ? 1 : 0)
            writer.counted(encoded[place.batch][place.row])
        }
        fold.removeAll()
        pendingBytes = 0
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
