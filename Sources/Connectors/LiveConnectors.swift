// The connectors of the shipped binary.

public import Columns
public import Contracts
public import DeltaTable
import Formats
public import Planning
import Progress
public import Types

/// Makes the real thing for each `USING` of a plan.
public struct LiveConnectors: ConnectorFactory {
    /// Where the rows of a `collect` output go; only `query` has one.
    private let collected: CollectedRows?
    /// Where a table's files are, by its path; nil: the local file system.
    private let tables: (@Sendable (String) -> any DeltaStore)?
    private let numbers = FileNumbers()
    private let clusters: KafkaClusters

    public init(
        collected: CollectedRows? = nil,
        tables: (@Sendable (String) -> any DeltaStore)? = nil
    ) {
        self.collected = collected
        self.tables = tables
        clusters = KafkaClusters { LiveKafkaEndpoint(configuration: $0) }
    }

    /// Simulated tables, by path, and a simulated cluster behind the real sinks.
    package init(
        tables: @escaping @Sendable (String) -> any DeltaStore, kafka: any KafkaEndpoint
    ) {
        collected = nil
        self.tables = tables
        clusters = KafkaClusters { _ in kafka }
    }

    public func makeSource(
        _ plan: SourcePlan, _ context: ConnectorContext
    ) throws(Failure) -> any Source {
        switch plan.connector {
        case .nexmark(let options):
            return try NexmarkSource(
                plan, options, clock: context.clock, wantsRowOffsets: context.wantsRowOffsets)
        case .values(let rows):
            let source = ValuesSource(plan)
            source.append(LiveConnectors.batch(rows, plan), partition: 0)
            return source
        case .files(let options): return try FilesSource(plan, options, context)
        case .kafka(let options): return try KafkaSource(plan, options, context)
        }
    }

    private static func batch(_ rows: [[Scalar]], _ plan: SourcePlan) -> Batch {
        let columns = plan.decoded.enumerated().map { index, column in
            Column(column.type, scalars: rows.map { $0[index] })
        }
        return Batch(rowCount: rows.count, columns: columns)
    }

    public func makeWriter(
        output: Int, of plan: Plan, worker: Int, _ context: ConnectorContext
    ) throws(Failure) -> any SinkWriter {
        let output = plan.outputs[output]
        switch output.connector {
        case .blackhole: return BlackholeWriter()
        case .collect:
            return CollectWriter(collected.required("a collect output outside of a query"))
        case .print:
            var isChangelog = false
            if case .changelog = output.mode { isChangelog = true }
            return PrintWriter(
                schema: output.schema, isChangelog: isChangelog,
                encode: { [self] in encodeAsJSON($0, schema: $1) })
        case .delta(let options):
            let delta = try deltaOutput(output, options, context)
            if case .upsert(let key) = output.mode { return DeltaUpsertWriter(delta, key: key) }
            return DeltaAppendWriter(delta, context)
        case .files(let options):
            return try FilesWriter(
                output, options, identity: context.identity, worker: worker,
                workers: context.workers)
        case .kafka(let options):
            let cluster = try cluster(options.bootstrapServers, of: plan, context)
            return try KafkaSinkWriter(output, options, cluster)
        }
    }

    private func deltaOutput(
        _ output: OutputPlan, _ options: DeltaSinkOptions, _ context: ConnectorContext
    ) throws(Failure) -> DeltaOutput {
        try DeltaOutput(output, options, numbers: numbers) { path in
            tables?(path)
                ?? LocalDeltaStore(path, incarnation: context.identity.incarnation)
        }
    }

    private func cluster(
        _ servers: String, of plan: Plan, _ context: ConnectorContext
    ) throws(Failure) -> KafkaCluster {
        let found = clusters.all(of: plan, context).first { $0.bootstrapServers == servers }
            .required("an output of a cluster that the plan does not have")
        try Patience(context: context).wait { () throws(Failure) in try found.makeTopics() }
        return found
    }

    public func encodeAsJSON(_ rows: Batch, schema: Schema) -> [[UInt8]] {
        let text = JSONRowEncoder(schema).encode(rows)
        return text.ranges.indices.map { Array(text[$0]) }
    }

    public func makeCommitters(
        of plan: Plan, _ context: ConnectorContext
    ) throws(Failure) -> [any SinkCommitter] {
        var committers: [any SinkCommitter] = []
        for output in plan.outputs {
            if case .delta(let options) = output.connector {
                let delta = try deltaOutput(output, options, context)
                committers.append(DeltaSinkCommitter(delta, context))
            }
            if case .files(let options) = output.connector {
                committers.append(FilesCommitter(output, options, context))
            }
        }
        let intervals = plan.outputs.map(\.commitIntervalMicroseconds)
        for cluster in clusters.all(of: plan, context) {
            committers.append(
                KafkaCommitter(cluster, commitInterval: intervals.min() ?? 0))
        }
        return committers
    }
}
