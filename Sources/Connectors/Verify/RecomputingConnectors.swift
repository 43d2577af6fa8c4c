// `millrace verify` runs a topology again over the range that its outputs cover: sources that begin
// and end where they are told, outputs that keep a digest, nothing else touched.

public import Columns
public import Contracts
import DeltaTable
import Formats
public import Planning
public import Progress
public import Types

/// What a pipeline has read of one partition.
public struct ReadRange: Sendable, Hashable {
    /// Where it began.
    public let begin: Int64
    /// Where it stands; nil: as far as there is something (a series of files).
    public let position: PartitionOffset

    public init(begin: Int64, position: PartitionOffset) {
        self.begin = begin
        self.position = position
    }

    /// Files one after the other: no number says where the position is.
    var isSeries: Bool { position.detail != nil }
}

public struct RecomputingConnectors: ConnectorFactory {
    private let ranges: [ReadRange]
    private let live = LiveConnectors()
    /// By output.
    public let rows: [RecomputedRows]

    public init(_ plan: Plan, ranges: [ReadRange]) {
        self.ranges = ranges
        rows = plan.outputs.map { _ in RecomputedRows() }
    }

    public func makeSource(
        _ plan: SourcePlan, _ context: ConnectorContext
    ) throws(Failure) -> any Source {
        let own = ranges.filter { $0.position.source == plan.name }
        var wanted = context
        if case .files = plan.connector {
            // The layout that the pipeline read by.
            wanted = context.reading(own.contains(where: \.isSeries) ? .availableNow : .bounded)
        }
        if case .nexmark(let options) = plan.connector {
            wanted.wantsRowOffsets = true
            let source = try NexmarkSource(
                plan, options.unpaced, clock: context.clock, wantsRowOffsets: true)
            return RangeSource(source, own, cutsChunks: true)
        }
        if case .values = plan.connector { return try live.makeSource(plan, wanted) }
        return RangeSource(try live.makeSource(plan, wanted), own, cutsChunks: false)
    }

    public func makeWriter(
        output: Int, of plan: Plan, worker: Int, _ context: ConnectorContext
    ) throws(Failure) -> any SinkWriter {
        RecomputingWriter(plan.outputs[output], rows[output])
    }

    public func encodeAsJSON(_ rows: Batch, schema: Schema) -> [[UInt8]] {
        live.encodeAsJSON(rows, schema: schema)
    }

    /// Dead-letter topics get records by the runtime itself: they go nowhere.
    public func makeCommitters(
        of plan: Plan, _ context: ConnectorContext
    ) throws(Failure) -> [any SinkCommitter] {
        try live.makeCommitters(of: plan, context).map { NowhereCommitter($0.target, $0.name) }
    }
}

extension ConnectorContext {
    fileprivate func reading(_ mode: RunMode) -> ConnectorContext {
        var context = ConnectorContext(
            identity: identity, mode: mode, clock: clock, workers: workers, failFast: failFast,
            foreignTable: foreignTable, log: log)
        context.isStopping = isStopping
        return context
    }
}

extension NexmarkOptions {
    fileprivate var unpaced: NexmarkOptions {
        NexmarkOptions(
            events: events, rate: rate, seed: seed, startTime: startTime, partitions: partitions,
            outOfOrder: outOfOrder, isPaced: false)
    }
}

/// Takes what the sink would take, keeps its digest.
private final class RecomputingWriter: SinkWriter {
    private let hashing: RowHashing
    private let records: RecordHashing?
    private let check: DeltaRowCheck?
    private let rows: RecomputedRows

    init(_ plan: OutputPlan, _ rows: RecomputedRows) {
        self.rows = rows
        hashing = RowHashing(plan)
        var check: DeltaRowCheck?
        var records: RecordHashing?
        if case .delta(let options) = plan.connector {
            check = DeltaRowCheck(plan, partitionColumns: options.partitionColumns)
        }
        if case .kafka(let options) = plan.connector { records = RecordHashing(plan, options) }
        self.check = check
        self.records = records
    }

    func write(_ batch: Batch) throws(Failure) -> [RowError] {
        if let records {
            records.add(batch, to: rows)
            return []
        }
        let refused = check?.refused(batch) ?? []
        let bad = Set(refused.map { Int32($0.row) })
        let kept = (0..<Int32(batch.rowCount)).filter { !bad.contains($0) }
        hashing.add(bad.isEmpty ? batch : batch.gather(kept), to: rows)
        return refused
    }

    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] { [] }
    var pendingBytes: Int { 0 }
}

/// Says that it has taken what comes.
private final class NowhereCommitter: SinkCommitter {
    let target: TargetID
    let name: String
    let commitInterval: Int64 = 0

    init(_ target: TargetID, _ name: String) {
        self.target = target
        self.name = name
    }

    func readMarker() throws(Failure) -> Marker? { nil }

    func commit(_ intents: [Intent], history: TargetHistory) throws(Failure) -> CommitOutcome {
        .committed(version: nil)
    }
}
