// The control side of a run: start, barriers, checkpoints, commits, end.
//
// One thread, this one, decides; workers and committers report. The order of the one rule
// (design.md §3) is the order of this code: all workers have passed the barrier → one synced write
// → committers are offered the intents → what landed is trimmed by a later write.

public import Connectors
public import Contracts
import Environment
public import Planning
import Progress
import RocksState
import Synchronization

/// A running topology. Used from one thread; `requestStop` from any.
public final class Pipeline {
    let plan: Plan
    let options: RunOptions
    let store: any EpochStore
    let factory: any ConnectorFactory
    var context: ConnectorContext
    let reports = ReportQueue<Report>()
    let stopRequested: StopRequest

    var sources: [any Source] = []
    var partitions: [[PartitionOffset]] = []
    var wiring: Wiring
    var gauges: [WorkerGauges] = []
    var commits: [CommitThread] = []
    let crew: any Crew

    /// The newest durable epoch's number.
    var epoch: UInt64 = 0
    var gathering: GatheringEpoch?
    /// Whether barriers come early: not where the caller asks for them.
    var bringsBarriers = true
    /// Barriers that come early leave the workers as much time as they take: µs.
    var earliestEarlyBarrier: Int64 = 0
    /// A bounded run that had ended before this process began: only its sinks are behind.
    var hadEnded = false
    var trims: [TargetID: Marker] = [:]
    var baseCounters: [String: Int64] = [:]
    var counters: [String: Int64] = [:]
    var latest: [Int: WorkerEpoch] = [:]
    var isLookingForPartitions = false
    var atEnd: Set<Int> = []
    var drained: Set<Int> = []
    var waiting: [TargetID: Failure] = [:]
    var imbalances: [(place: String, difference: Int64)] = []
    var sweptTargets: Set<TargetID> = []
    var versions: [TargetID: Int64] = [:]
    var commitCounts: [TargetID: Int64] = [:]
    var lastCheckpointBytes: Int64 = 0
    var offsets: [PartitionOffset] = []
    /// What adopted outputs have already, beyond where reading began.
    var ownFloors: AdoptionFloors?
    /// Of partitions that are new to the pipeline; they go with the next write.
    var beginnings: [PartitionOffset] = []

    enum Report: Sendable {
        case worker(WorkerReport)
        case commit(CommitReport)
        case partitions(Result<[NewPartition], Failure>)
    }

    public init(
        plan: Plan, options: RunOptions, store: any EpochStore, factory: any ConnectorFactory,
        stop: StopRequest
    ) {
        self.plan = plan
        self.options = options
        self.store = store
        self.factory = factory
        stopRequested = stop
        crew = options.turnOrder.map(TurnCrew.init) ?? ThreadCrew()
        context = ConnectorContext(
            identity: store.identity, mode: options.mode, clock: options.clock,
            workers: options.workers, failFast: options.failFast,
            foreignTable: options.foreignTable, log: options.log)
        wiring = Wiring(plan: plan, workers: options.workers)
        context.isStopping = { stop.isRequested }
    }

    /// Runs to the end of the mode, or until stop is requested.
    public func run() throws(Failure) -> RunSummary {
        do {
            try start()
            if !hadEnded {
                try loop()
                try takeFinalCheckpoint()
            }
            return try finish()
        } catch {
            stopWorkers()
            stopCommitters(waitMilliseconds: 2_000)
            throw error
        }
    }

    private func loop() throws(Failure) {
        var nextBarrier = now + plan.settings.checkpointIntervalMicroseconds
        var progress = ProgressMeter(startedAt: now)
        var nextDiscovery = now + options.discoveryInterval
        while !isDone {
            try attend(milliseconds: 20)
            holdIfBehind()
            if gathering == nil, !isHeld,
                now >= nextBarrier || isEpochFull
            {
                beginEpoch()
                nextBarrier = now + plan.settings.checkpointIntervalMicroseconds
            }
            if options.mode == .live, now >= nextDiscovery {
                lookForPartitions()
                nextDiscovery = now + options.discoveryInterval
            }
            if let report = progress.tick(now: now, self) { options.onProgress(report) }
        }
    }

    private var isDone: Bool {
        if stopRequested.isRequested { return true }
        switch options.mode {
        case .live: return false
        case .bounded: return drained.count == options.workers
        case .availableNow: return atEnd.count == options.workers
        }
    }

    /// The last epoch of this process; then the workers stop.
    private func takeFinalCheckpoint() throws(Failure) {
        while gathering != nil { try attend(milliseconds: 20) }
        let hasEnded = options.mode == .bounded && drained.count == options.workers
        beginEpoch(hasEnded: hasEnded)
        while gathering != nil { try attend(milliseconds: 20) }
        stopWorkers()
        Failpoint.pass("run.final_checkpoint")
    }

    /// Sinks take what is left, and that is noted.
    private func finish() throws(Failure) -> RunSummary {
        for commit in commits { commit.drain() }
        let deadline = now + Pipeline.drainMicroseconds
        while commits.contains(where: { !$0.isSettled }) {
            try attend(milliseconds: 20)
            guard stopRequested.isRequested else { continue }
            if now >= deadline || commits.allSatisfy(\.isEmpty) { break }
        }
        stopCommitters(waitMilliseconds: 1_000)
        try attend(milliseconds: 0)
        Failpoint.pass("run.before_trims")
        if !trims.isEmpty { try store.write(trims: trims) }
        Failpoint.pass("run.trims_written")
        return summary()
    }

    /// After SIGTERM a sink that can't commit for so long leaves its intents (dialect.md §6).
    static let drainMicroseconds: Int64 = 8_000_000

    func stopWorkers() {
        for inbox in wiring.inboxes { inbox.send(.stop) }
        crew.dismissWorkers()
    }

    /// After the commits in hand; waits so long at most for each.
    func stopCommitters(waitMilliseconds: Int) {
        for commit in commits {
            commit.stop()
            crew.dismiss(commit, waitMilliseconds: waitMilliseconds)
        }
    }

    var now: Int64 { Int64(options.clock.monotonicNanoseconds() / 1_000) }
}

/// A flag that a signal handler's thread sets.
public final class StopRequest: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    public func request() { flag.store(true, ordering: .relaxed) }
    public var isRequested: Bool { flag.load(ordering: .relaxed) }
}

/// Makes a progress report about once a second.
struct ProgressMeter {
    private var lastTime: Int64
    private var lastRecords: Int64 = 0

    init(startedAt: Int64) { lastTime = startedAt }

    mutating func tick(now: Int64, _ pipeline: Pipeline) -> ProgressReport? {
        guard now - lastTime >= 1_000_000 else { return nil }
        let report = pipeline.progress(
            since: lastRecords, seconds: Double(now - lastTime) / 1_000_000)
        lastTime = now
        lastRecords = report.records
        return report
    }
}
