// Wires a plan for N workers: instances, channels between them, readers with their partitions.

import Connectors
import Contracts
import Environment
import Operators
import Planning
import Progress
import State

/// Channels of every exchanged edge: `[edge][from worker][to worker]`, made before the workers are.
struct Wiring {
    let inboxes: [Inbox]
    private var channels: [EdgeName: [[Channel]]] = [:]

    struct EdgeName: Hashable {
        let consumer: Int
        let input: Int
    }

    /// Without exchanges rows reach the writers of the worker that read them.
    init(plan: Plan, workers: Int, exchanges: Bool = true) {
        inboxes = (0..<workers).map { _ in Inbox() }
        guard workers > 1, exchanges else { return }
        for node in plan.nodes {
            for input in node.inputs.indices {
                guard case .hash = node.exchange[input] else { continue }
                let name = EdgeName(consumer: node.index, input: input)
                channels[name] = (0..<workers).map { _ in
                    (0..<workers).map { Channel(wake: inboxes[$0].wake) }
                }
            }
        }
    }

    subscript(consumer: Int, input: Int) -> [[Channel]]? {
        channels[EdgeName(consumer: consumer, input: input)]
    }
}

/// Makes one worker. Everything it makes stays on the worker's thread once that runs.
struct WorkerBuilder {
    let plan: Plan
    let options: RunOptions
    let store: any EpochStore
    let sources: [any Source]
    let factory: any ConnectorFactory
    let context: ConnectorContext
    let wiring: Wiring
    let minima: [UInt64: Int64]
    /// By source: what each worker reads.
    let partitions: [[PartitionOffset]]
    let gauges: [WorkerGauges]
    let room: EpochRoom
    let floors: AdoptionFloors?
    let report: @Sendable (WorkerReport) -> Void

    func makeWorker(_ index: Int) throws(Failure) -> Worker {
        let refusals = RefusalRouter(
            identity: context.identity, plan: plan, describe: options.describe,
            encodeRows: { [factory] in factory.encodeAsJSON($0, schema: $1) })
        for output in plan.outputs.indices {
            refusals.writers[output] = try factory.makeWriter(
                output: output, of: plan, worker: index, context)
        }
        var nodes: [NodeInstance] = []
        var memory = memoryShare
        for node in plan.nodes {
            nodes.append(try makeNode(node, worker: index, refusals, memory: &memory))
        }
        for node in plan.nodes { connect(node, nodes, worker: index) }
        return Worker(
            index: index, workers: options.workers, plan: plan, mode: options.mode,
            clock: options.clock, inbox: wiring.inboxes[index],
            inlets: inlets(of: index, nodes), nodes: nodes, feeds: try feeds(of: index),
            refusals: refusals, floors: floors, shared: gauges[index], room: room,
            memoryShare: memoryShare, report: report)
    }

    /// Each worker has an equal part: keys are spread evenly.
    private var memoryShare: Int {
        Int(clamping: plan.settings.memoryLimit) / options.workers
    }

    private func makeNode(
        _ node: PlanNode, worker: Int, _ refusals: RefusalRouter, memory: inout Int
    ) throws(Failure) -> NodeInstance {
        let restored = minima[node.operatorID] ?? EventTime.never
        let work: NodeInstance.Work
        switch node.kind {
        case .source(let source): work = .source(source)
        case .sink(let output):
            work = .sink(output: output, refusals.writers[output].required("no writer"))
        default:
            let transform = makeOperator(for: node, settings: plan.settings)
            let owner =
                Mutant.restoreElsewhere.isActive ? (worker + 1) % options.workers : worker
            let groups = KeyGroups.groups(ofWorker: owner, workers: options.workers)
            do {
                try transform.restore(
                    from: store.stateReader(), groups: groups, minimum: restored,
                    memoryLimit: memory)
                memory = max(0, memory - transform.residentBytes)
            } catch let failure as Failure {
                throw failure
            } catch {
                throw Failure(.failed, "state.restore", "could not restore state: \(error)")
            }
            work = .transform(transform)
        }
        return NodeInstance(
            node: node, work: work, slotInputs: slotInputs(of: node), restoredMinimum: restored)
    }

    /// One slot for a local input, one a worker for an exchanged one.
    private func slotInputs(of node: PlanNode) -> [Int] {
        node.inputs.indices.flatMap { input in
            let producers = wiring[node.index, input] == nil ? 1 : options.workers
            return Array(repeating: input, count: producers)
        }
    }

    private func firstSlot(of node: PlanNode, input: Int) -> Int {
        slotInputs(of: node).firstIndex(of: input).required("an input without a slot")
    }

    /// Adds the edges that lead into `node`.
    private func connect(_ node: PlanNode, _ nodes: [NodeInstance], worker: Int) {
        for (input, producer) in node.inputs.enumerated() {
            let route: Edge.Route
            if let channels = wiring[node.index, input],
                case .hash(let columns) = node.exchange[input]
            {
                route = .exchange(columns: columns, channels: channels[worker])
            } else {
                route = .local(slot: firstSlot(of: node, input: input))
            }
            nodes[producer].edges.append(Edge(consumer: node.index, input: input, route: route))
        }
    }

    private func inlets(of worker: Int, _ nodes: [NodeInstance]) -> [Inlet] {
        var inlets: [Inlet] = []
        for node in plan.nodes {
            for input in node.inputs.indices {
                guard let channels = wiring[node.index, input] else { continue }
                let first = firstSlot(of: node, input: input)
                for from in 0..<options.workers {
                    inlets.append(
                        Inlet(
                            node: node.index, slot: first + from, input: input,
                            channel: channels[from][worker]))
                }
            }
        }
        return inlets
    }

    private func feeds(of worker: Int) throws(Failure) -> [SourceFeed] {
        var feeds: [SourceFeed] = []
        for node in plan.nodes {
            guard case .source(let source) = node.kind else { continue }
            let own = partitions[source].enumerated()
                .filter { $0.offset % options.workers == worker }.map(\.element)
            let reader = try sources[source].makeReader(
                worker: worker, workers: options.workers, partitions: own)
            feeds.append(
                SourceFeed(
                    source: source, node: node.index, plan: plan.sources[source],
                    reader: reader, restored: own))
        }
        return feeds
    }
}
