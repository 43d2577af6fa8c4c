// The production sinks over simulated files and a simulated cluster, and simulated topics.

import Columns
import Connectors
import Contracts
import DeltaTable
import Planning
import Types

/// One process's connectors; topics and tables outlive it.
struct SimulatedConnectors: ConnectorFactory {
    let topics: [String: SimulatedTopic]
    let process: SimulatedProcess
    private let live: LiveConnectors

    init(
        topics: [String: SimulatedTopic], tables: [String: SimulatedTable],
        cluster: SimulatedCluster, process: SimulatedProcess
    ) {
        self.topics = topics
        self.process = process
        let views = tables.mapValues { SimulatedTableView($0, by: process) }
        live = LiveConnectors(
            tables: { location in views[location].required("no simulated table at \(location)") },
            kafka: SimulatedEndpoint(cluster: cluster, process: process))
    }

    func makeSource(_ plan: SourcePlan, _ context: ConnectorContext) throws(Failure) -> any Source {
        let topic = topics[plan.name].required("no simulated topic \(plan.name)")
        guard case .kafka(let options) = plan.connector else { bug("a source of another kind") }
        return SimulatedSource(plan, options, topic, process, context)
    }

    func makeWriter(
        output: Int, of plan: Plan, worker: Int, _ context: ConnectorContext
    ) throws(Failure) -> any SinkWriter {
        try live.makeWriter(output: output, of: plan, worker: worker, context)
    }

    func encodeAsJSON(_ rows: Batch, schema: Schema) -> [[UInt8]] {
        live.encodeAsJSON(rows, schema: schema)
    }

    func makeCommitters(
        of plan: Plan, _ context: ConnectorContext
    ) throws(Failure) -> [any SinkCommitter] {
        try live.makeCommitters(of: plan, context)
    }
}
