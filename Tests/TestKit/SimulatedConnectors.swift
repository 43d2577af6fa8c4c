// The production sinks over simulated files, and simulated topics.

import Columns
import Connectors
import Contracts
import DeltaTable
import Planning
import Types

/// One process's connectors; topics and tables outlive it.
struct SimulatedConnectors: ConnectorFactory {
    let topics: [String: SimulatedTopic]
    let world: SimulatedWorld
    private let live: LiveConnectors

    init(
        topics: [String: SimulatedTopic], tables: [String: SimulatedTable], world: SimulatedWorld
    ) {
        self.topics = topics
        self.world = world
        live = LiveConnectors(tables: { location in
            tables[location].required("no simulated table at \(location)")
        })
    }

    func makeSource(_ plan: SourcePlan, _ context: ConnectorContext) throws(Failure) -> any Source {
        let topic = topics[plan.name].required("no simulated topic \(plan.name)")
        return SimulatedSource(plan, topic, world: world)
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
