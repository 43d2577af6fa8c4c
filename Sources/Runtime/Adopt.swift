// `run --adopt`: a fresh state directory asks its outputs whose they are, and goes on for them.

public import Connectors
public import Contracts
import Environment
public import Planning
import Progress
public import RocksState

/// Takes over outputs that another pipeline of the same topology has filled (design.md §3.8).
public struct Adopter {
    private let plan: Plan
    private let options: RunOptions
    private let factory: any ConnectorFactory

    /// `factory` is used for this only: connectors made under the old identity are not kept.
    public init(plan: Plan, options: RunOptions, factory: any ConnectorFactory) {
        self.plan = plan
        self.options = options
        self.factory = factory
    }

    /// The directory under the identity that it goes on with. One that has epochs of its own, or
    /// has adopted before, and one whose outputs nobody has filled, stays what it is.
    public func adopt(into directory: StateDirectory) throws(Failure) -> StateDirectory {
        if try directory.currentEpoch() != nil { return directory }
        if try !directory.adoptedOffsets().isEmpty { return directory }
        try refuseState()
        let context = ConnectorContext(
            identity: directory.identity, mode: options.mode, clock: options.clock,
            workers: options.workers, failFast: options.failFast,
            foreignTable: options.foreignTable, log: options.log)
        var targets: [Adoption.Target] = []
        for committer in try factory.makeCommitters(of: plan, context) {
            targets.append(
                Adoption.Target(
                    id: committer.target, name: committer.name, filled: try committer.filled()))
        }
        let sources = plan.sources.map { ($0.name, $0.beginsAtPresentEnd) }
        guard
            let adoption = try Adoption(
                of: targets, sources: Dictionary(sources) { first, _ in first })
        else {
            options.log(LogLine(.info, "nothing to adopt: nobody has filled these outputs"))
            return directory
        }
        report(adoption, targets)
        return try directory.adopt(adoption)
    }

    /// No table holds what operators remember: a restart without it would give other rows.
    private func refuseState() throws(Failure) {
        guard let node = plan.nodes.first(where: { $0.stateThatNoOutputHolds != nil }) else {
            return
        }
        let place = node.place.map { " at \(options.describe($0))" } ?? ""
        throw Failure(
            .invalid, "adopt.state",
            "\(node.stateThatNoOutputHolds ?? "an operator")\(place) holds state, which no output "
                + "can give back: this topology can't adopt",
            hint: "restore the state directory, or run into new outputs", place: node.place)
    }

    private func report(_ adoption: Adoption, _ targets: [Adoption.Target]) {
        for target in targets {
            let found = adoption.taken[target.id].map {
                "generation \($0.marker.generation), epoch \($0.marker.epoch)"
            }
            options.log(
                LogLine(
                    .info, "adopting \(target.name) at \(found ?? "its beginning")",
                    [
                        ("pipeline", adoption.pipelineID),
                        ("generation", String(adoption.generation)),
                    ]))
        }
    }
}

extension PlanNode {
    /// What the operator is called if it remembers rows or times; nil if it remembers nothing.
    fileprivate var stateThatNoOutputHolds: String? {
        switch kind {
        case .source, .project, .filter, .unionAll, .results, .sink: nil
        case .upsertSource: "the PRIMARY KEY of a source"
        case .assignWindows: "a window, which judges lateness,"
        case .sessionRows: "a session"
        case .windowAggregate: "an aggregate by windows"
        case .aggregate: "an aggregate"
        case .distinct: "DISTINCT"
        }
    }
}

extension SourcePlan {
    /// Whether a partition without a stored offset is read from its present end.
    fileprivate var beginsAtPresentEnd: Bool {
        guard case .kafka(let options) = connector else { return false }
        return options.start == .latest
    }
}
