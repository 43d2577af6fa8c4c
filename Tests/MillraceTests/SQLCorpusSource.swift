// Sources of the corpus: rows of several partitions, handed out in one given order whatever worker
// reads them.

import Columns
import Connectors
import Contracts
import Formats
import Kernels
import Planning
import Progress
import Synchronization
import Types

/// The order in which all readers of a run hand out batches.
final class Script: Sendable {
    struct Step: Sendable, Hashable {
        let source: String
        let partition: String
    }

    private let steps: Mutex<ArraySlice<Step>>

    init(_ steps: [Step]) { self.steps = Mutex(steps[...]) }

    /// The step at hand; nil: all rows have been handed out.
    var next: Step? { steps.withLock { $0.first } }
    func advance() { steps.withLock { $0 = $0.dropFirst() } }
}

/// Consecutive rows of one partition.
struct ScriptedBatch: Sendable {
    let step: Script.Step
    let rows: Batch
    let errors: [RowError]
}

/// `ValuesSource` behind a script, with the records that the decoder refused.
final class ScriptedSource: Source {
    private let values: ValuesSource
    private let script: Script
    private let errors: [String: [[RowError]]]

    /// `batches`: all of this source since the pipeline began.
    init(_ plan: SourcePlan, _ batches: [ScriptedBatch], partitions: [String], script: Script) {
        values = ValuesSource(plan, partitions: partitions)
        self.script = script
        var errors: [String: [[RowError]]] = [:]
        for batch in batches {
            guard let partition = partitions.firstIndex(of: batch.step.partition) else { continue }
            values.append(batch.rows, partition: partition)
            errors[batch.step.partition, default: []].append(batch.errors)
        }
        self.errors = errors
    }

    var plan: SourcePlan { values.plan }
    var lag: Int64? { nil }
    func discover() throws(Failure) -> [String] { try values.discover() }
    func checkpointed(_ offsets: [PartitionOffset]) {}

    func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        try values.resolve(partition: partition, stored: stored, mode: mode)
    }

    func makeReader(
        worker: Int, workers: Int, partitions: [PartitionOffset]
    ) throws(Failure) -> any SourceReader {
        var readers: [any SourceReader] = []
        for partition in partitions {
            readers.append(
                try values.makeReader(worker: worker, workers: workers, partitions: [partition]))
        }
        return ScriptedReader(plan, readers, script, errors)
    }
}

private final class ScriptedReader: SourceReader {
    private let plan: SourcePlan
    /// One a partition.
    private let readers: [any SourceReader]
    private let script: Script
    private let errors: [String: [[RowError]]]

    init(
        _ plan: SourcePlan, _ readers: [any SourceReader], _ script: Script,
        _ errors: [String: [[RowError]]]
    ) {
        self.plan = plan
        self.readers = readers
        self.script = script
        self.errors = errors
    }

    var positions: [PartitionOffset] { readers.flatMap(\.positions) }

    func add(_ partition: PartitionOffset) throws(Failure) {
        bug("a scripted source has its partitions from the start")
    }

    func poll(maximumRows: Int) throws(Failure) -> SourceChunk? {
        let step = script.next
        if let step, step.source != plan.name { return nil }
        for (index, reader) in readers.enumerated() {
            let position = reader.positions[0]
            if let step, step.partition != position.partition { continue }
            guard let chunk = try reader.poll(maximumRows: maximumRows) else { continue }
            if step != nil { script.advance() }
            return whole(chunk, at: position, partition: index)
        }
        return nil
    }

    private func whole(
        _ chunk: SourceChunk, at position: PartitionOffset, partition: Int
    ) -> SourceChunk {
        let own = errors[position.partition] ?? []
        let number = Int(position.next)
        let found = chunk.isAtEnd || number >= own.count ? [] : own[number]
        let refused = found.map { error in
            RefusedRecord(
                source: plan.name, topic: plan.name, partition: position.partition,
                offset: position.next, timestamp: -1, key: nil, value: nil, error: error)
        }
        return SourceChunk(
            partition: partition, batch: chunk.batch, refused: chunk.refused + refused,
            recordCount: chunk.recordCount + refused.count, skippedCount: 0,
            isAtEnd: chunk.isAtEnd)
    }
}

/// Decodes the rows of a file with the production decoders, as many a batch as the configuration
/// says.
func decode(
    _ rows: ArraySlice<CorpusFile.InputRow>, _ plan: Plan, batchRows: Int, extractedAt: Int64 = 0
) throws -> [ScriptedBatch] {
    var decoders: [String: MessageDecoder] = [:]
    for source in plan.sources where source.format.kind != .columns {
        decoders[source.name] = try MessageDecoder(source, topic: source.name)
    }
    var batches: [ScriptedBatch] = []
    var run: [CorpusFile.InputRow] = []
    func finish() throws {
        guard let first = run.first, let decoder = decoders[first.source] else {
            run = []
            return
        }
        var messages = MessageBatch()
        for (offset, row) in run.enumerated() {
            messages.append(
                partition: Int32(first.partition), offset: Int64(offset), key: row.key,
                value: row.value)
        }
        let decoded = try decoder.decode(messages, extractedAt: extractedAt)
        batches.append(
            ScriptedBatch(
                step: Script.Step(source: first.source, partition: String(first.partition)),
                rows: decoded.batch, errors: decoded.errors))
        run = []
    }
    for row in rows {
        if let first = run.first,
            run.count == batchRows || first.source != row.source
                || first.partition != row.partition
        {
            try finish()
        }
        run.append(row)
    }
    try finish()
    return batches
}
