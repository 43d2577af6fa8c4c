// Start and recovery: markers read before anything is touched, offsets resolved before a row is
// read.

import Connectors
import Contracts
import Environment
import Planning
import Progress
import RocksState

extension Pipeline {
    func start() throws(Failure) {
        let stored = try store.currentEpoch()
        epoch = stored?.marker.epoch ?? 0
        baseCounters = stored?.counters ?? [:]
        Failpoint.pass("start.opened")
        let owesCommits = try startCommitters()
        if let stored, stored.hasEnded { return try startEnded(owesCommits: owesCommits) }
        let floors = try store.adoptedOffsets()
        context.wantsRowOffsets =
            AdoptionFloors(floors, above: try store.offsets()) != nil
        for source in plan.sources { sources.append(try factory.makeSource(source, context)) }
        Failpoint.pass("start.sources_made")
        try resolvePartitions(isNew: stored == nil)
        Failpoint.pass("start.resolved")
        context.nextEpoch = epoch + 1
        ownFloors = AdoptionFloors(floors, above: offsets)
        // Rows then stay on their worker: which targets drop them is known while they are pushed.
        if ownFloors != nil {
            wiring = Wiring(plan: plan, workers: options.workers, exchanges: false)
        }
        try startWorkers(minima: stored?.minima ?? [:])
        Failpoint.pass("start.running")
    }

    /// A bounded run that was stopped between its last checkpoint and its sinks' last commits has
    /// only these left to do (F1). Where nothing is left, going on is refused.
    private func startEnded(owesCommits: Bool) throws(Failure) {
        if !owesCommits {
            throw Failure(
                .invalid, "state.ended",
                "this state directory holds a bounded run that has ended: "
                    + "all its windows are closed",
                hint: "start with a new --state; to go on reading later use --available-now")
        }
        hadEnded = true
        offsets = try store.offsets()
    }

    /// All markers are read before any sink is touched (design.md §3.7). Returns whether intents
    /// were open: soon after, they may have landed.
    private func startCommitters() throws(Failure) -> Bool {
        let committers = try factory.makeCommitters(of: plan, context)
        var threads: [CommitThread] = []
        for committer in committers {
            let history = try store.history(of: committer.target)
            let marker = try committer.readMarker()
            let mayBeOld = committer.firstReadMayBeOld
            if case .stale = history.judge(marker, mayBeOld: mayBeOld), !isAccepted(marker, history)
            {
                throw history.stale(committer.name, found: marker, code: "state.stale")
            }
            threads.append(
                CommitThread(
                    committer: committer, history: history,
                    open: try store.openIntents(of: committer.target),
                    leftovers: store.leftovers, store: store, clock: options.clock,
                    report: { [reports] in reports.send(.commit($0)) }))
        }
        Failpoint.pass("start.markers_read")
        commits = threads
        for commit in commits where !commit.isEmpty {
            let epochs = commit.openEpochs.map(String.init).joined(separator: " ")
            Failpoint.pass("start.open_intents", "\(commit.committer.name) \(epochs)")
        }
        if commits.isEmpty, !store.leftovers.isEmpty { try store.forget(store.leftovers) }
        let owesCommits = commits.contains { !$0.isEmpty }
        for commit in commits { crew.employ(commit) }
        return owesCommits
    }

    /// What the mutant breaks: a marker that is not known counts as ours unless it lies below.
    private func isAccepted(_ marker: Marker?, _ history: TargetHistory) -> Bool {
        Mutant.markerNotBelow.isActive && marker.map { $0 >= history.trimmed } ?? false
    }

    /// Resolves where every partition begins and ends, and stores that before a row is read.
    private func resolvePartitions(isNew: Bool) throws(Failure) {
        let stored = try store.offsets()
        var changed = isNew
        for (index, source) in sources.enumerated() {
            let name = plan.sources[index].name
            var resolved: [PartitionOffset] = []
            try source.begin(stored: stored.filter { $0.source == name })
            for partition in try source.discover() {
                let known = stored.first { $0.source == name && $0.partition == partition }
                let offset = try source.resolve(
                    partition: partition, stored: known, mode: options.mode)
                if durable(offset) != known { changed = true }
                if known == nil { beginnings.append(offset) }
                resolved.append(offset)
            }
            partitions.append(resolved)
        }
        offsets = partitions.flatMap { $0 }
        guard changed else { return }
        Failpoint.pass("start.before_offsets")
        if !isNew { epoch += 1 }
        let minima = try store.currentEpoch()?.minima ?? [:]
        var write = EpochWrite(
            record: record(minima: minima, hasEnded: false), offsets: offsets.map(durable),
            deltas: [], intents: [], trims: [:], historyLimit: plan.settings.checkpointHistory)
        write.beginnings = beginnings
        beginnings = []
        _ = try store.write(write)
        Failpoint.pass("start.offsets_written")
        try store.retain(keeping: plan.settings.checkpointHistory)
    }

    /// What is stored of a partition's place. Only a bounded run's end is resolved once for all its
    /// processes (design.md §3.10); the present end of `--available-now` means nothing to the next.
    func durable(_ offset: PartitionOffset) -> PartitionOffset {
        let isReread = Mutant.rereadRecord.isActive && offset.next > 0
        let keepsEnd = options.mode == .bounded || offset.end == nil
        guard isReread || !keepsEnd else { return offset }
        return PartitionOffset(
            source: offset.source, partition: offset.partition,
            next: isReread ? offset.next - 1 : offset.next, fingerprint: offset.fingerprint,
            highestTime: offset.highestTime, end: keepsEnd ? offset.end : nil,
            detail: offset.detail)
    }

    private func startWorkers(minima: [UInt64: Int64]) throws(Failure) {
        gauges = (0..<options.workers).map { _ in WorkerGauges() }
        let builder = WorkerBuilder(
            plan: plan, options: options, store: store, sources: sources, factory: factory,
            context: context, wiring: wiring, minima: minima, partitions: partitions,
            gauges: gauges, room: EpochRoom(gauges, bringsBarriers ? epochLimit : .max),
            floors: ownFloors,
            report: { [reports] in reports.send(.worker($0)) })
        var workers: [Worker] = []
        for index in 0..<options.workers { workers.append(try builder.makeWorker(index)) }
        for worker in workers { crew.employ(worker) }
    }
}
