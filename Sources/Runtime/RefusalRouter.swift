// Where refused rows go on one worker: a dead-letter topic, a table of the file, or nowhere.
//
// Everything it takes belongs to the epoch that is passing: its records and rows are handed over
// with the worker's other parts, so that a dead letter is written exactly as often as its offset is
// passed.

import Columns
import Connectors
import Contracts
import Operators
import Planning
import Progress
import Types

final class RefusalRouter {
    let identity: Identity
    private let plan: Plan
    /// By output that one source alone feeds: that source.
    private let onlySources: [Int: Int]
    /// `file:line:column` of a place, for the header `millrace.place`.
    private let describe: @Sendable (SourcePlace) -> String
    /// The rows as JSON, one text each.
    private let encodeRows: @Sendable (Batch, Schema) -> [[UInt8]]
    private var outboxes: [TargetID: OutboxPart] = [:]
    private var letters: [Int: [DeadLetter]] = [:]
    /// This worker's writers, by output.
    var writers: [Int: any SinkWriter] = [:]
    /// Rows refused by expressions and sinks since the process began: for `--strict` and the last
    /// line.
    private(set) var failedRows: Int64 = 0
    /// Rows written to the tables of refused rows, by output.
    private(set) var tallies: [Int: OutputTally] = [:]
    /// Targets that have what is passing now: nothing of it goes there again.
    var satisfied: Set<TargetID> = []

    init(
        identity: Identity, plan: Plan, describe: @escaping @Sendable (SourcePlace) -> String,
        encodeRows: @escaping @Sendable (Batch, Schema) -> [[UInt8]]
    ) {
        self.identity = identity
        self.plan = plan
        onlySources = RefusalRouter.onlySources(plan)
        self.describe = describe
        self.encodeRows = encodeRows
    }

    private static func onlySources(_ plan: Plan) -> [Int: Int] {
        var feeding: [Int: Set<Int>] = [:]
        var only: [Int: Int] = [:]
        for node in plan.nodes {
            var sources = node.inputs.reduce(into: Set<Int>()) {
                $0.formUnion(feeding[$1] ?? [])
            }
            if case .source(let source) = node.kind { sources.insert(source) }
            feeding[node.index] = sources
            if case .sink(let output) = node.kind, sources.count == 1 {
                only[output] = sources.first
            }
        }
        return only
    }

    var pendingBytes: Int { outboxes.values.reduce(0) { $0 + $1.byteCount } }

    /// A record that broke its source's contract.
    func recordRefused(_ record: RefusedRecord, source: SourcePlan) throws(Failure) {
        let letter = DeadLetter(record, pipeline: identity.pipelineID, describe: describe)
        try route(
            letter, onError: source.onError, topic: source.deadLetterTopic,
            table: source.deadLetterOutput, cluster: RefusalRouter.cluster(of: source.connector))
    }

    /// Rows that failed in an expression of node `node`, or at the sink of `output`.
    func rowsFailed(
        _ failed: FailedRows, schema: Schema, node: Int? = nil, output: Int? = nil
    ) throws(Failure) {
        guard !failed.errors.isEmpty else { return }
        failedRows += Int64(failed.errors.count)
        let rows = encodeRows(failed.rows, schema)
        let blamed = output ?? node.flatMap(firstOutput)
        for (index, error) in failed.errors.enumerated() {
            let letter = DeadLetter(
                value: rows[index], error: error,
                operatorName: blamed.map { plan.outputs[$0].name },
                pipeline: identity.pipelineID, describe: describe)
            try route(letter, blamed: blamed)
        }
    }

    /// Rows that an operator refused, for all of their windows or for some (part_late); counted by
    /// it, and kept if the source declares a table.
    func rowsLate(_ late: LateRows, node: PlanNode) throws(Failure) {
        guard let (route, name) = node.lateRoute else { return }
        let output = plan.outputs[route.output]
        let count = late.rows.rowCount
        let columns = zip(route.columns, output.schema.fields).map { column, field in
            switch column {
            case .input(let index): late.rows.columns[index]
            case .lateIn:
                Column(
                    .text, repeating: .text(name), count: count)
            case .lateMicroseconds: Column(.bigint, .int64(late.lateBy))
            case .lateKind:
                Column(.text, scalars: late.kinds.map { .text($0.rawValue) })
            case .null: Column.nulls(field.type, count: count)
            }
        }
        try write(Batch(rowCount: count, columns: columns), toTable: route.output)
    }

    /// What the epoch of `marker` hands over. Table rows go into their writers first, which the
    /// caller prepares after this.
    func flushTables() throws(Failure) {
        for (output, letters) in letters.sorted(by: { $0.key < $1.key }) {
            let schema = plan.outputs[output].schema
            try write(DeadLetter.batch(letters, schema: schema), toTable: output)
        }
        letters = [:]
    }

    /// The outbox records of the epoch, one part a cluster.
    func takeOutboxes() -> [IntentPart] {
        var parts: [IntentPart] = []
        for target in outboxes.keys.sorted() {
            if let part = outboxes[target]?.take() { parts.append(part) }
        }
        return parts
    }

    private func write(_ batch: Batch, toTable output: Int) throws(Failure) {
        let writer = writers[output].required("an output without a writer on this worker")
        let refused = try writer.write(batch)
        tallies[output, default: OutputTally()].add(
            batch, refused: refused, isHashed: plan.outputs[output].hasDigest)
        if let first = refused.first {
            throw Failure(
                .badRow, "refusal.refused",
                "\(plan.outputs[output].name), which takes refused rows, refused one: "
                    + first.detail)
        }
    }

    /// A violation at a sink goes to the sink's destination, else to its only source's (dialect.md
    /// §4.5).
    private func route(_ letter: DeadLetter, blamed: Int?) throws(Failure) {
        var only = plan.sources.count == 1 ? 0 : nil
        if let blamed {
            let output = plan.outputs[blamed]
            only = onlySources[blamed]
            if output.deadLetterTopic != nil || output.deadLetterOutput != nil
                || output.onError != .fail || only == nil
            {
                return try route(
                    letter, onError: output.onError, topic: output.deadLetterTopic,
                    table: output.deadLetterOutput,
                    cluster: RefusalRouter.cluster(of: output.connector))
            }
        }
        guard let only else { return try fail(letter) }
        let source = plan.sources[only]
        try route(
            letter, onError: source.onError, topic: source.deadLetterTopic,
            table: source.deadLetterOutput, cluster: RefusalRouter.cluster(of: source.connector))
    }

    private func route(
        _ letter: DeadLetter, onError: OnError, topic: String?, table: Int?, cluster: String?
    ) throws(Failure) {
        switch onError {
        case .skip: return
        case .fail: try fail(letter)
        case .deadLetter:
            if let table, !satisfied.contains(plan.outputs[table].target) {
                letters[table, default: []].append(letter)
            }
            if let topic, let cluster {
                let target = TargetIdentity.kafka(bootstrapServers: cluster)
                if satisfied.contains(target) { return }
                outboxes[target, default: OutboxPart(target: target)]
                    .append(letter.record(topic: topic))
            }
        }
    }

    private func fail(_ letter: DeadLetter) throws(Failure) {
        throw Failure(
            .badRow, "row.\(letter.reason)", letter.sentence,
            hint: "on_error = 'dead_letter' with a dead_letter_topic keeps such rows apart")
    }

    /// The first output that a node's rows reach. Not by way of early results: where one of them
    /// fails it is left out for now, and no dead letter.
    private func firstOutput(from node: Int) -> Int? {
        var reached: Set<Int> = [node]
        for next in plan.nodes where next.inputs.contains(where: reached.contains) {
            if case .results(.early) = next.kind { continue }
            reached.insert(next.index)
            if case .sink(let output) = next.kind { return output }
        }
        return nil
    }

    private static func cluster(of connector: SourceConnector) -> String? {
        if case .kafka(let options) = connector { return options.bootstrapServers }
        return nil
    }

    private static func cluster(of connector: SinkConnector) -> String? {
        if case .kafka(let options) = connector { return options.bootstrapServers }
        return nil
    }
}

extension PlanNode {
    /// Where its late rows go, and whose they are.
    fileprivate var lateRoute: (LateRoute, name: String)? {
        switch kind {
        case .windowAggregate(let aggregate):
            aggregate.lateRoute.map { ($0, aggregate.lateOutput ?? "") }
        case .assignWindows(let window): window.lateRoute.map { ($0, window.lateOutput ?? "") }
        case .sessionRows(let rows):
            rows.window.lateRoute.map { ($0, rows.window.lateOutput ?? "") }
        default: nil
        }
    }
}
