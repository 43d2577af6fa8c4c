// One random history: a topology over random input, run by processes that are killed, copied,
// started again with other workers and batch sizes, and compared with the naive reference: after
// each process up to where each output says it stands, and at the end whole.
//
// Each part of a history draws from a stream of chance of its own, so that parts can be left out
// (`HistoryCuts`) without changing what the others are.

import Connectors
import Contracts
import Environment
import Foundation
import Planning
import Progress
import RocksState
import Runtime
import SQLSyntax

/// Runs one history. Once; any number may run one after the other.
// because: only the thread that holds the world's baton touches it.
public final class History: @unchecked Sendable {
    let limits: HistoryLimits
    let cuts: HistoryCuts
    let origin: SeededRandom
    let world: SimulatedWorld
    var topology: RandomTopology
    let topics: [String: SimulatedTopic]
    let tables: [String: SimulatedTable]
    let cluster: SimulatedCluster
    var directory: SimulatedDirectory
    /// A copy of the directory that may run.
    var copy: SimulatedDirectory?
    /// A copy has run that was not stale when it started: outputs may stand at different epochs.
    var hadLiveCopy = false
    var hadLoss = false
    /// A log was cut: going back to an older checkpoint may need what is gone.
    var hasCut = false
    /// A window's end came by the end of input.
    var isLast = false
    var result: HistoryResult
    private let folder: String
    private let crashingProcesses: Int
    private var lastWorkers: Int?
    /// Live processes, and when they are told to stop.
    private var stops: [(stop: StopRequest, turnsLeft: Int)] = []
    /// Of the plan.
    private var targets: [TargetID] = []
    var isRecovering = false
    /// Outputs are compared whenever something has landed, not only after each process.
    let isWatched: Bool
    private var landedBefore = 0

    /// `folder`: for state directories; it is made and removed.
    public init(
        seed: UInt64, limits: HistoryLimits = HistoryLimits(), cuts: HistoryCuts = HistoryCuts(),
        folder: String? = nil
    ) {
        self.limits = limits
        self.cuts = cuts
        origin = SeededRandom(seed: seed)
        let world = SimulatedWorld(seed: seed)
        self.world = world
        let topology = RandomTopology(seed: seed, limits, cuts)
        self.topology = topology
        topics = Dictionary(
            uniqueKeysWithValues: topology.sources.indices.map { number in
                let name = RandomTopology.sourceName(number)
                return (name, SimulatedTopic(name, topology.sources[number], topology.columns))
            })
        tables = Dictionary(
            uniqueKeysWithValues: topology.locations.map {
                ($0, SimulatedTable($0, world: world))
            })
        cluster = SimulatedCluster(world: world)
        // In memory where the system has such a file system: a sync then costs nothing.
        let root = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"
        self.folder = folder ?? "\(root)/millrace-simulation-\(Entropy.system.uuid())"
        var random = origin.stream("history")
        let isOnDisk = random.isOneIn(3) && !cuts.hazards.contains(.disk)
        directory = SimulatedDirectory(self.folder + "/state", isOnDisk: isOnDisk)
        crashingProcesses = random.below(limits.crashes + 1)
        isWatched = random.isOneIn(5)
        result = HistoryResult(seed: seed)
        result.sql = topology.sql(batchRows: 2_048)
    }

    /// Each effect as it happens, for people.
    public var log: ((String) -> Void)? {
        get { world.log }
        set { world.log = newValue }
    }

    public func run() -> HistoryResult {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            try runPhases()
            try compareEnd()
        } catch is HistoryEnd {
            // Two live copies have stopped each other; what they left has been compared.
        } catch {
            result.differences.append("failed: \(error)")
        }
        try? FileManager.default.removeItem(atPath: folder)
        noteCluster()
        result.trace = world.trace
        result.effects = world.effectCount
        return result
    }

    private func runPhases() throws {
        var random = origin.stream("phases")
        for phase in 0...random.below(limits.phases + 1) where !cuts.phases.contains(phase) {
            var own = origin.stream("phase", phase)
            grow(&own)
            try perhapsLose(&own)
            try runUntilDone()
        }
        for topic in topics.values {
            for partition in topic.partitions.indices {
                topic.partitions[partition].visible = topic.partitions[partition].records.count
            }
        }
        isLast = true
        try runUntilDone()
    }

    private func grow(_ random: inout SeededRandom) {
        for (_, topic) in topics.sorted(by: { $0.key < $1.key }) {
            for partition in topic.partitions.indices {
                let at = topic.partitions[partition]
                let left = at.records.count - at.visible
                topic.partitions[partition].visible += random.below(left + 1)
            }
        }
    }

    // MARK: Processes

    /// Starts processes until one comes to its end alive.
    private func runUntilDone() throws {
        while true {
            let number = result.processes
            result.processes += 1
            require(number < 200, "a history does not come to its end")
            stops = []
            var random = origin.stream("process", number)
            world.begin(origin.stream("run", number))
            try perhapsCopy(&random)
            try perhapsRewind(&random)
            let outcome = try runWithCopy(number, &random)
            try comparePrefix()
            switch outcome {
            case .done: return
            case .struck: break
            case .lost: topology.onOffsetLost = "earliest"
            case .fenced(let failure): try goOnWithCopy(failure)
            }
        }
    }

    enum Outcome {
        case done
        case struck
        /// The source's log was cut, and the user is asked.
        case lost
        case fenced(Failure)
    }

    func hazards(_ number: Int, _ random: inout SeededRandom) -> ProcessHazards {
        var hazards = ProcessHazards()
        let (crash, longest) = (random.below(isRecovering ? 8 : 60), random.pick([1, 1, 4]))
        let (sync, table) = (random.isOneIn(3), random.isOneIn(4))
        let (cluster, pause) = (random.pick([0, 0, 12, 40]), random.pick([0, 0, 6, 30]))
        if !cuts.hazards.contains(.sink) { hazards.clusterFailsOneIn = cluster }
        if !cuts.hazards.contains(.transaction) { hazards.pauseOneIn = pause }
        let race = random.pick([0, 0, 3, 10])
        if !cuts.hazards.contains(.foreign) { hazards.raceOneIn = race }
        guard number < crashingProcesses, !cuts.quietProcesses.contains(number) else {
            return hazards
        }
        if !cuts.hazards.contains(.crash) { hazards.effectsUntilCrash = crash * longest }
        if !cuts.hazards.contains(.fault) {
            hazards.syncFailsOneIn = sync ? 12 : 0
            hazards.tableFailsOneIn = table ? 12 : 0
        }
        return hazards
    }

    /// One process on a directory, on the calling thread.
    func runProcess(
        _ process: SimulatedProcess, on directory: SimulatedDirectory,
        _ random: SeededRandom
    ) throws -> Outcome {
        var random = random
        let stop = StopRequest()
        let isLive = !isLast && random.isOneIn(2) && !cuts.hazards.contains(.live)
        if isLive { stops.append((stop, 1 + random.below(400))) }
        planTurns(&random)
        do {
            let pipeline = try makePipeline(directory, process, isLive: isLive, stop, &random)
            let summary = try pipeline.run()
            if isLive { result.features.insert(.stop) }
            for imbalance in summary.imbalances {
                result.differences.append(
                    "not conserved: \(imbalance.place) by \(imbalance.difference)")
            }
            return .done
        } catch let failure as Failure {
            return try outcome(failure, process, stop)
        }
    }

    private func outcome(
        _ failure: Failure, _ process: SimulatedProcess, _ stop: StopRequest
    ) throws -> Outcome {
        switch failure.code {
        case "state.ended" where isLast: return .done
        case "kafka.offset_lost" where hadLoss: return .lost
        case "kafka.transport" where stop.isRequested: return .struck
        case SimulatedProcess.crashCode, SimulatedProcess.faultCode:
            result.strikes.append("\(process.name): \(process.struckAt ?? "?")")
            if failure.code == SimulatedProcess.faultCode {
                let isSync = process.struckAt?.hasPrefix("failed") ?? false
                result.features.insert(isSync ? .syncFault : .tableFault)
            }
            return .struck
        default:
            guard failure.kind == .fenced else { throw failure }
            result.strikes.append("\(process.name): \(failure.code)")
            return .fenced(failure)
        }
    }

    /// After a process was struck: what the machine forgets.
    func noteStrike(_ random: inout SeededRandom) throws {
        let isPower = random.isOneIn(2) && !cuts.hazards.contains(.power)
        if isPower { result.features.insert(.powerLoss) }
        if isRecovering { result.features.insert(.crashInRecovery) }
        if try directory.hasOpenIntents(of: targets) { result.features.insert(.openIntentAtCrash) }
        isRecovering = true
        for location in topology.locations {
            tables[location]?.crash(isPower ? .powerLoss : .kill)
        }
    }

    /// What happens between turns: a request to stop, other writers' commits, a cluster that goes
    /// away.
    private func planTurns(_ random: inout SeededRandom) {
        let foreign = random.pick([0, 0, 40, 200])
        let away = random.pick([0, 0, 300])
        let hiding = random.pick([0, 0, 60])
        let foreignOneIn = cuts.hazards.contains(.foreign) ? 0 : foreign
        let awayOneIn = cuts.hazards.contains(.sink) ? 0 : away
        let hidingOneIn = cuts.hazards.contains(.transaction) ? 0 : hiding
        world.onTurn = { [unowned self] in
            for index in stops.indices {
                stops[index].turnsLeft -= 1
                if stops[index].turnsLeft == 0 { stops[index].stop.request() }
            }
            cluster.expire()
            compareIfLanded()
            perhapsCopyLive()
            if foreignOneIn > 0, world.random.isOneIn(foreignOneIn) { commitForeign() }
            if awayOneIn > 0, world.random.isOneIn(awayOneIn) {
                cluster.goAway(for: Int64(world.random.below(3_000_000)))
                result.features.insert(.clusterAway)
            }
            if hidingOneIn > 0, world.random.isOneIn(hidingOneIn) {
                cluster.beginForeign(on: "millrace.progress")
            }
        }
    }

    private func compareIfLanded() {
        guard isWatched, world.landings != landedBefore else { return }
        landedBefore = world.landings
        result.features.insert(.watched)
        do { try comparePrefix() } catch { result.differences.append("while it ran: \(error)") }
    }

    private func commitForeign() {
        let location = world.random.pick(topology.locations)
        do {
            guard let isCompaction = try tables[location]?.commitForeign() else { return }
            result.features.insert(isCompaction ? .foreignCompaction : .foreignCommit)
        } catch {
            result.differences.append("another writer cannot read \(location): \(error)")
        }
    }

    private func makePipeline(
        _ directory: SimulatedDirectory, _ process: SimulatedProcess, isLive: Bool,
        _ stop: StopRequest, _ random: inout SeededRandom
    ) throws -> Pipeline {
        let drawn = random.within(1...limits.workers)
        let rows = random.pick([1, 3, 2_048])
        let workers = cuts.hazards.contains(.workers) ? 1 : drawn
        if let lastWorkers, lastWorkers != workers { result.features.insert(.rescale) }
        lastWorkers = workers
        let plan = try makePlan(batchRows: cuts.hazards.contains(.batch) ? 2_048 : rows)
        targets = plan.outputs.map(\.target) + [TargetIdentity.kafka(bootstrapServers: "none")]
        var options = RunOptions(
            mode: isLast ? .bounded : isLive ? .live : .availableNow, workers: workers)
        options.clock = world.clock
        options.turnOrder = process
        options.discoveryInterval = .max / 2
        return Pipeline(
            plan: plan, options: options,
            store: try SimulatedStore(directory, entropy: entropy(random), by: process),
            factory: connectors(process), stop: stop)
    }

    func makePlan(batchRows: Int) throws -> Plan {
        var planning = PlanningOptions()
        planning.isOptimizerOn = topology.isOptimizerOn
        let text = SourceText(file: "seed.sql", text: topology.sql(batchRows: batchRows))
        return try Planner.plan(try parseTopology(text), name: "seed", options: planning)
    }

    func connectors(_ process: SimulatedProcess) -> SimulatedConnectors {
        SimulatedConnectors(topics: topics, tables: tables, cluster: cluster, process: process)
    }

    func entropy(_ random: SeededRandom) -> Entropy {
        let stream = EntropyStream(random.stream("entropy"))
        return Entropy { stream.next() }
    }
}

/// Ends a history before its end, as it may.
struct HistoryEnd: Error {}

/// because: only the thread that holds the world's baton touches it.
private final class EntropyStream: @unchecked Sendable {
    private var random: SeededRandom

    init(_ random: SeededRandom) { self.random = random }

    func next() -> UInt64 { random.next() }
}
