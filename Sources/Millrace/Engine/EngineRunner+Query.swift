// `millrace query`: the production planner, operators and exchange over a bounded read.

import Columns
import Connectors
import Contracts
import Environment
import Kernels
import Planning
import Progress
import Runtime
import SQLSyntax
import State
import Types

extension EngineRunner {
    public func query(_ command: QueryCommand, _ terminal: Terminal) async throws -> Int32 {
        let query = try queryPlan(command)
        let collected = CollectedRows()
        let identity = Identity(pipelineID: "query", generation: 1, incarnation: 1)
        let stop = StopRequest()
        SignalThread.start(stop, whatEndsAtOnce: "the query was stopped before it had a result")
        var options = RunOptions(
            mode: .bounded, workers: command.engine.workers ?? defaultWorkers)
        options.log = EventLog(command.engine, terminal).line
        let pipeline = Pipeline(
            plan: query.plan, options: options, store: MemoryEpochStore(identity: identity),
            factory: LiveConnectors(collected: collected), stop: stop)
        let summary = try await onThread { () throws(Failure) in try pipeline.run() }
        var result = try QueryResult(collected.take(), query)
        if let limit = command.limit { result.truncate(to: limit) }
        terminal.write(result.text(command.format))
        return summary.deadRows > 0 ? 1 : 0
    }

    private func queryPlan(_ command: QueryCommand) throws(Failure) -> QueryPlan {
        var options = LoadedTopology.options(command.engine.settings)
        options.commandTime = Clock.system.now()
        options.randomSeed = Entropy.system.next()
        let statements = try parseTopology(SourceText(file: queryFileName, text: command.query))
        guard let statement = statements.first, statements.count == 1 else {
            throw Failure(
                .invalid, "query.statements", "query takes one SELECT",
                hint: "millrace query \"SELECT 1 + 1\"")
        }
        var topology: [Statement] = []
        if let file = command.file { topology = try parseTopology(readTopology(file)) }
        return try Planner.planQuery(statement, over: topology, options: options)
    }
}

/// The rows of a query as they are shown: changes folded, sorted, cut.
struct QueryResult {
    let schema: Schema
    private(set) var rows: Batch

    init(_ batches: [Batch], _ query: QueryPlan) throws(Failure) {
        let all = query.plan.outputs[0].schema
        let folded = QueryResult.folded(batches, types: all.types)
        let keys = query.ordering.map {
            SortKey(
                folded.columns[$0.column], isDescending: $0.isDescending,
                nullsFirst: $0.nullsFirst)
        }
        var order =
            keys.isEmpty
            ? (0..<Int32(folded.rowCount)).map { $0 }
            : sortedRows(keys, rowCount: folded.rowCount)
        order = Array(order.dropFirst(Int(query.offset)))
        if let limit = query.limit { order = Array(order.prefix(Int(limit))) }
        let visible = Array(folded.columns.prefix(query.visibleColumns))
        schema = query.schema
        rows = Batch(rowCount: folded.rowCount, columns: visible).gather(order)
    }

    mutating func truncate(to limit: Int) {
        rows = rows.gather((0..<Int32(min(limit, rows.rowCount))).map { $0 })
    }

    /// What is left when every −1 has taken back its +1, in the order of arrival.
    private static func folded(_ batches: [Batch], types: [LogicalType]) -> Batch {
        let rowCount = batches.reduce(0) { $0 + $1.rowCount }
        let columns = types.indices.map { index in
            batches.isEmpty
                ? Column.nulls(types[index], count: 0)
                : Column.concatenated(batches.map { $0.columns[index] })
        }
        let whole = Batch(rowCount: rowCount, columns: columns)
        guard batches.contains(where: { $0.changes != nil }) else { return whole }
        let changes = batches.flatMap { batch in
            batch.changes ?? Array(repeating: 1, count: batch.rowCount)
        }
        let encoded = RowCodec(types, form: .canonical).encode(columns, rowCount: rowCount)
        var standing: [ArraySlice<UInt8>: [Int32]] = [:]
        for row in 0..<rowCount {
            if changes[row] > 0 {
                standing[encoded[row], default: []].append(Int32(row))
            } else {
                _ = standing[encoded[row]]?.popLast()
            }
        }
        return whole.gather(standing.values.flatMap { $0 }.sorted())
    }
}
