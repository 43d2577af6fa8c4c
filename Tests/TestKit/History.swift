// One random history: a topology over random input, run by processes that are killed, started again
// with other workers and batch sizes, and compared with the naive reference at the end.

import Connectors
import Contracts
import Environment
import Planning
import Progress
import Runtime
import SQLSyntax

/// What a history is drawn from; smaller limits make a smaller history of the same seed.
public struct HistoryLimits: Sendable, Hashable {
    public var records = 60
    public var crashes = 6
    public var queries = 3
    public var workers = 4
    public var phases = 3

    public init() {}
}

/// What a history went through.
public enum HistoryFeature: String, Sendable, CaseIterable {
    case lateRow, partLateRow, refusedRow, retraction, secondWindow, earlyResult
    case openIntentAtCrash, crashInRecovery, powerLoss, syncFault, rescale, stop, foreignCommit
}

public struct HistoryResult: Sendable {
    public let seed: UInt64
    public var differences: [String] = []
    public var features: Set<HistoryFeature> = []
    /// Where each process was struck.
    public var strikes: [String] = []
    /// A hash over all effects, in order.
    public var trace: UInt64 = 0
    public var sql = ""
}

/// Runs one history. Single-threaded; any number may run side by side.
public final class History {
    private let limits: HistoryLimits
    private let world: SimulatedWorld
    private let topology: RandomTopology
    private let input: RandomInput
    private let topic: SimulatedTopic
    private let tables: [String: SimulatedTable]
    private let state: MemoryEpochStore
    private var result: HistoryResult
    private var lastWorkers: Int?
    private var isRecovering = false

    public init(seed: UInt64, limits: HistoryLimits = HistoryLimits()) {
        self.limits = limits
        let world = SimulatedWorld(seed: seed)
        self.world = world
        topology = RandomTopology(&world.random, queryLimit: limits.queries)
        input = RandomInput(&world.random, recordLimit: limits.records)
        topic = input.topic
        tables = Dictionary(
            uniqueKeysWithValues: topology.locations.map {
                ($0, SimulatedTable($0, world: world))
            })
        state = MemoryEpochStore(
            identity: Identity(
                pipelineID: "00000000-0000-4000-8000-000000000000", generation: 1, incarnation: 0))
        result = HistoryResult(seed: seed)
        result.sql = topology.sql(batchRows: 2_048)
    }

    public func run() -> HistoryResult {
        do {
            var crashes = world.random.below(limits.crashes + 1)
            for _ in 0...world.random.below(limits.phases + 1) {
                try run(isLast: false, &crashes)
            }
            topic.visible = topic.partitions.map(\.count)
            try run(isLast: true, &crashes)
            try compare()
        } catch {
            result.differences.append("failed: \(error)")
        }
        result.trace = world.trace
        return result
    }

    // MARK: Processes

    /// Starts processes until one comes to its end alive.
    private func run(isLast: Bool, _ crashes: inout Int) throws {
        for partition in topic.visible.indices {
            let left = topic.partitions[partition].count - topic.visible[partition]
            topic.visible[partition] += world.random.below(left + 1)
        }
        while true {
            let mayCrash = crashes > 0
            crashes -= mayCrash ? 1 : 0
            if try runProcess(isLast: isLast, mayCrash: mayCrash) { return }
        }
    }

    /// One process. Whether it came to its end.
    private func runProcess(isLast: Bool, mayCrash: Bool) throws -> Bool {
        let longest = isRecovering ? 8 : 60
        world.boot(
            effectsUntilCrash: mayCrash ? world.random.below(longest) : nil,
            syncFailsOneIn: mayCrash && world.random.isOneIn(3) ? 12 : 0)
        let stop = StopRequest()
        let isLive = !isLast && world.random.isOneIn(2)
        planTurns(stop: isLive ? stop : nil)
        do {
            let pipeline = try makePipeline(isLast: isLast, isLive: isLive, stop)
            let summary = try pipeline.run()
            if isLive { result.features.insert(.stop) }
            isRecovering = false
            for imbalance in summary.imbalances {
                result.differences.append(
                    "not conserved: \(imbalance.place) by \(imbalance.difference)")
            }
            return true
        } catch let failure as Failure {
            if failure.code == "state.ended", isLast { return true }
            guard [SimulatedWorld.crashCode, SimulatedWorld.faultCode].contains(failure.code) else {
                throw failure
            }
            noteStrike(failure)
            return false
        }
    }

    private func noteStrike(_ failure: Failure) {
        result.strikes.append(world.struckAt ?? "?")
        let isFault = failure.code == SimulatedWorld.faultCode
        let kind: CrashKind = !isFault && world.random.isOneIn(2) ? .powerLoss : .kill
        if isFault { result.features.insert(.syncFault) }
        if kind == .powerLoss { result.features.insert(.powerLoss) }
        if isRecovering { result.features.insert(.crashInRecovery) }
        if state.hasOpenIntents { result.features.insert(.openIntentAtCrash) }
        isRecovering = true
        for location in topology.locations { tables[location]?.crash(kind) }
    }

    /// What happens between turns: a request to stop, other writers' commits.
    private func planTurns(stop: StopRequest?) {
        var turnsLeft = stop == nil ? Int.max : 1 + world.random.below(400)
        let foreignOneIn = world.random.pick([0, 0, 40, 200])
        let locations = topology.locations
        world.onTurn = { [unowned self] in
            turnsLeft -= 1
            if turnsLeft == 0 { stop?.request() }
            if foreignOneIn > 0, world.random.isOneIn(foreignOneIn) {
                tables[world.random.pick(locations)]?.commitForeign()
                result.features.insert(.foreignCommit)
            }
        }
    }

    private func makePipeline(
        isLast: Bool, isLive: Bool, _ stop: StopRequest
    ) throws -> Pipeline {
        let workers = world.random.within(1...limits.workers)
        if let lastWorkers, lastWorkers != workers { result.features.insert(.rescale) }
        lastWorkers = workers
        let sql = topology.sql(batchRows: world.random.pick([1, 3, 2_048]))
        var planning = PlanningOptions()
        planning.isOptimizerOn = topology.isOptimizerOn
        let plan = try Planner.plan(
            try parseTopology(SourceText(file: "seed.sql", text: sql)), name: "seed",
            options: planning)
        var options = RunOptions(
            mode: isLast ? .bounded : isLive ? .live : .availableNow, workers: workers)
        options.clock = world.clock
        options.turnOrder = world
        return Pipeline(
            plan: plan, options: options,
            store: try SimulatedEpochStore(
                state, incarnation: world.random.next() >> 1, world: world),
            factory: SimulatedConnectors(topics: ["s": topic], tables: tables, world: world),
            stop: stop)
    }

    // MARK: The end

    private func compare() throws {
        world.boot(effectsUntilCrash: nil, syncFailsOneIn: 0)
        let reference = Reference(input, watermarkDelay: topology.watermarkDelay)
        for (index, query) in topology.queries.enumerated() {
            let expected = reference.rows(of: query)
            note(query, expected)
            try compare(RandomTopology.name(index), expected)
        }
        let late = topology.queries.map(reference.late)
        let windowed = topology.queries.filter(\.hasWindow)
        if windowed.count <= 1 { try compare("lost", late.flatMap { $0 }.sorted()) }
        try compare("refused", input.refused.sorted())
        noteRows(late.flatMap { $0 })
    }

    private func compare(_ location: String, _ expected: [RowText]) throws {
        let found = try tables[location].required("a table").rows().sorted()
        guard found != expected else { return }
        let (missing, extra) = (expected.subtracting(found), found.subtracting(expected))
        result.differences.append(
            "\(location): \(missing.count) rows missing, \(extra.count) too many: "
                + "missing \(missing.prefix(3)), too many \(extra.prefix(3))")
    }

    private func note(_ query: RandomQuery, _ expected: [RowText]) {
        switch query {
        case .windowOfWindow where !expected.isEmpty: result.features.insert(.secondWindow)
        case .group where !expected.isEmpty, .groupOfGroup where !expected.isEmpty:
            result.features.insert(.retraction)
        case .window(_, _, true) where !expected.isEmpty: result.features.insert(.earlyResult)
        default: break
        }
    }

    private func noteRows(_ late: [RowText]) {
        if late.contains(where: { $0.hasSuffix("|late") }) { result.features.insert(.lateRow) }
        if late.contains(where: { $0.hasSuffix("|part_late") }) {
            result.features.insert(.partLateRow)
        }
        if !input.refused.isEmpty { result.features.insert(.refusedRow) }
    }
}

extension RandomQuery {
    fileprivate var hasWindow: Bool {
        switch self {
        case .window, .windowOfWindow: true
        default: false
        }
    }
}

extension [RowText] {
    /// What is here more often than there.
    fileprivate func subtracting(_ other: [RowText]) -> [RowText] {
        var counts: [RowText: Int] = [:]
        for row in other { counts[row, default: 0] += 1 }
        return filter { row in
            counts[row, default: 0] -= 1
            return counts[row, default: 0] < 0
        }
    }
}
