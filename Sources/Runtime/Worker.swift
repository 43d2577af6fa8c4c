// One worker: a thread with its partitions, its instance of every operator, and its share of the
// key groups. Workers share nothing; they talk through channels (design.md §4).

import Columns
import Connectors
import Contracts
import Environment
import Operators
import Planning
import Progress
import State
import Synchronization

/// What a worker hands over at a barrier.
struct WorkerEpoch: Sendable {
    let worker: Int
    let epoch: UInt64
    /// As they stood when the barrier left the sources.
    let offsets: [PartitionOffset]
    let deltas: [StateDelta]
    let parts: [IntentPart]
    /// M of each stateful operator.
    let minima: [UInt64: Int64]
    /// Of this process, absolute, by node.
    let counters: [Counters]
    let sources: [SourceCounters]
    /// Of this process, absolute, by output.
    let tallies: [OutputTally]
    /// Rows that each node holds now.
    let held: [Int64]
}

/// What a source has delivered on one worker, since the process began.
struct SourceCounters: Sendable, Hashable {
    var records: Int64 = 0
    var rows: Int64 = 0
    var refused: Int64 = 0
    var skipped: Int64 = 0
}

/// What a worker tells the control thread.
enum WorkerReport: Sendable {
    case epoch(WorkerEpoch)
    /// All its partitions stand at their bounded end, or at the present end.
    case atEnd(worker: Int)
    /// Everything that +∞ closes has been emitted.
    case drained(worker: Int)
    case failed(worker: Int, Failure)
}

/// What the control thread tells a worker.
enum WorkerCommand: Sendable {
    case barrier(UInt64)
    case add(source: Int, PartitionOffset)
    /// Every partition of the source has seen this event time, without a row that says so.
    case raise(source: Int, time: Int64)
    /// No more rows come: all partitions are at +∞.
    case endInput
    /// No more barriers come: leave.
    case stop
}

final class Worker {
    let index: Int
    let workers: Int
    let plan: Plan
    /// `bounded` also from `endInput` on.
    var mode: RunMode
    let clock: Clock
    let inbox: Inbox
    let inlets: [Inlet]
    let report: @Sendable (WorkerReport) -> Void
    let refusals: RefusalRouter
    let shared: WorkerGauges
    let room: EpochRoom
    var nodes: [NodeInstance]
    var feeds: [SourceFeed]
    /// Whether a window is closed by the clock.
    let usesClock: Bool
    /// For each node, the exchanges that rows pushed into it can reach on this worker.
    let reach: [[Edge]]
    /// What outputs of an adopted pipeline have already.
    let floors: AdoptionFloors?
    var eviction: EvictionState

    var epoch: EpochInProgress?
    var isStopping = false
    private var hasStarted = false
    var hasReportedEnd = false
    var hasReportedDrained = false
    /// Looks in vain since there was work.
    private var idleSteps = 0
    private var nextInlet = 0
    private var nextFeed = 0

    init(
        index: Int, workers: Int, plan: Plan, mode: RunMode, clock: Clock, inbox: Inbox,
        inlets: [Inlet], nodes: [NodeInstance], feeds: [SourceFeed], refusals: RefusalRouter,
        floors: AdoptionFloors?, shared: WorkerGauges, room: EpochRoom,
        memoryShare: Int,
        report: @escaping @Sendable (WorkerReport) -> Void
    ) {
        self.index = index
        self.workers = workers
        self.plan = plan
        self.mode = mode
        self.clock = clock
        self.inbox = inbox
        self.inlets = inlets
        self.nodes = nodes
        self.feeds = feeds
        self.refusals = refusals
        self.floors = floors
        self.shared = shared
        self.room = room
        eviction = EvictionState(share: memoryShare)
        self.report = report
        usesClock = nodes.contains(where: \.isByClock)
        reach = Worker.reach(of: nodes)
    }

    /// A thread's body: runs until told to stop or until something fails.
    func run() {
        while true {
            switch turn() {
            case .worked: continue
            case .parked(let milliseconds): inbox.wake.wait(milliseconds: milliseconds)
            case .ended: return dissolve()
            }
        }
    }

    /// A bounded amount of work. A failure is reported, and is the end.
    func turn() -> Turn {
        if isStopping { return .ended }
        do {
            if !hasStarted {
                hasStarted = true
                try start()
                return .worked
            }
            if try step() {
                idleSteps = 0
                return .worked
            }
            idleSteps = min(idleSteps + 1, Worker.idleStepLimit)
            let isQuiet = idleSteps == Worker.idleStepLimit
            return .parked(
                milliseconds: isQuiet ? Worker.quietParkMilliseconds : Worker.parkMilliseconds)
        } catch {
            isStopping = true
            report(.failed(worker: index, error))
            return .ended
        }
    }

    /// A parked worker looks at its sources so often: readers that cannot signal wait no longer.
    private static let parkMilliseconds = 1
    /// After so many looks in vain it is quiet, and looks less often: an idle run costs little.
    private static let idleStepLimit = 50
    private static let quietParkMilliseconds = 5

    /// Restored state first closes what the restored minima make due; then everybody learns them.
    private func start() throws(Failure) {
        for node in nodes.indices where nodes[node].acted > EventTime.never {
            try advance(node, to: nodes[node].acted)
            try announce(node)
        }
        for feed in feeds.indices { try announceSource(feed) }
    }

    /// A bounded amount of work. False: there was nothing to do.
    private func step() throws(Failure) -> Bool {
        var progressed = false
        while let command = inbox.take() {
            try obey(command)
            progressed = true
        }
        if try receive() { progressed = true }
        if epoch == nil, !isStopping, !shared.isHeld, !room.isUsedUp, try pollSources() {
            progressed = true
        }
        if progressed { noteState() }
        evictIfOver(hasWorked: progressed)
        reportDrained()
        return progressed
    }

    private func obey(_ command: WorkerCommand) throws(Failure) {
        switch command {
        case .barrier(let number): try begin(epoch: number)
        case .add(let source, let partition):
            for feed in feeds.indices where feeds[feed].source == source {
                try feeds[feed].add(partition)
                try announceSource(feed)
            }
        case .raise(let source, let time): try raise(source, to: time)
        case .endInput: try endInput()
        case .stop: isStopping = true
        }
    }

    /// Takes messages that others sent, unless what they lead to is full.
    private func receive() throws(Failure) -> Bool {
        var progressed = false
        for step in inlets.indices {
            let inlet = inlets[(nextInlet + step) % inlets.count]
            for _ in 0..<Channel.limit {
                if nodes[inlet.node].alignment.isBlocked(inlet.slot) { break }
                if reach[inlet.node].contains(where: \.isFull) { break }
                guard let message = inlet.channel.receive() else { break }
                try deliver(message, to: inlet.node, slot: inlet.slot)
                progressed = true
            }
        }
        if !inlets.isEmpty { nextInlet = (nextInlet + 1) % inlets.count }
        return progressed
    }

    /// Polls each source once, in turn, unless what it leads to is full.
    private func pollSources() throws(Failure) -> Bool {
        var progressed = false
        for step in feeds.indices {
            let feed = (nextFeed + step) % feeds.count
            if reach[feeds[feed].node].contains(where: \.isFull) { continue }
            if try poll(feed) { progressed = true }
        }
        if !feeds.isEmpty { nextFeed = (nextFeed + 1) % feeds.count }
        if !hasReportedEnd, feeds.allSatisfy(\.isAtEnd) {
            hasReportedEnd = true
            report(.atEnd(worker: index))
        }
        return progressed
    }

    /// Shows the control thread what this worker holds: what the next barrier will hand over is
    /// dirty state, records for the outbox, and rows that wait in writers (design.md §3.11).
    func noteState() {
        var pending = refusals.pendingBytes
        for instance in nodes {
            if case .transform(let transform) = instance.work { pending += transform.dirtyBytes }
        }
        for writer in refusals.writers.values { pending += writer.pendingBytes }
        shared.pendingBytes.store(pending, ordering: .relaxed)
        let records = feeds.reduce(0) { $0 + $1.counters.records }
        shared.records.store(Int(records), ordering: .relaxed)
        let lowest = feeds.compactMap { feed -> Int64? in
            guard case .at(let time) = feed.watermark(isBounded: false) else { return nil }
            return time
        }.min()
        shared.watermark.store(Int(lowest ?? EventTime.never), ordering: .relaxed)
    }

    private func reportDrained() {
        guard mode == .bounded, !hasReportedDrained else { return }
        guard nodes.allSatisfy({ $0.acted == EventTime.end || $0.isSource }) else { return }
        guard feeds.allSatisfy(\.isAtEnd) else { return }
        hasReportedDrained = true
        report(.drained(worker: index))
    }

    private static func reach(of nodes: [NodeInstance]) -> [[Edge]] {
        var reach: [[Edge]] = Array(repeating: [], count: nodes.count)
        for index in nodes.indices.reversed() {
            for edge in nodes[index].edges {
                if case .local = edge.route { reach[index] += reach[edge.consumer] }
                if case .exchange = edge.route { reach[index].append(edge) }
            }
        }
        return reach
    }
}

extension NodeInstance {
    var isSource: Bool {
        if case .source = work { return true }
        return false
    }
}
