// Epochs: a barrier to all workers, their reports gathered, one write, then the sinks.

import Connectors
import Contracts
import Environment
import Planning
import Progress
import RocksState
import Synchronization

/// An epoch whose barrier is on its way through the workers.
struct GatheringEpoch {
    let number: UInt64
    let hasEnded: Bool
    /// By the monotonic clock, µs.
    let beganAt: Int64
    var reports: [WorkerEpoch] = []
}

extension Pipeline {
    func beginEpoch(hasEnded: Bool = false) {
        Failpoint.pass("epoch.begin")
        gathering = GatheringEpoch(
            number: epoch + 1, hasEnded: hasEnded, beganAt: now)
        for inbox in wiring.inboxes { inbox.send(.barrier(epoch + 1)) }
    }

    /// Lets workers and committers go on until one of them reports, or so long.
    func attend(milliseconds: Int) throws(Failure) {
        for report in crew.await(reports, milliseconds: milliseconds) {
            switch report {
            case .worker(let report): try handle(report)
            case .commit(let report): try handle(report)
            case .partitions(let found): try take(found)
            }
        }
    }

    private func handle(_ report: WorkerReport) throws(Failure) {
        switch report {
        case .epoch(let passed):
            latest[passed.worker] = passed
            gathering?.reports.append(passed)
            if let complete = gathering, complete.reports.count == options.workers {
                try write(complete)
                gathering = nil
                earliestEarlyBarrier = now + (now - complete.beganAt)
            }
        case .atEnd(let worker): atEnd.insert(worker)
        case .drained(let worker): drained.insert(worker)
        case .failed(_, let failure): throw failure
        }
    }

    private func handle(_ report: CommitReport) throws(Failure) {
        switch report {
        case .landed(let target, let marker, let version):
            trims[target] = marker
            Failpoint.pass("trim.noted")
            waiting[target] = nil
            commitCounts[target, default: 0] += 1
            if let version { versions[target] = version }
        case .takenOver(let target): waiting[target] = nil
        case .waiting(let target, let failure):
            if waiting[target] == nil {
                options.log(LogLine(.warning, failure.description, [("code", failure.code)]))
            }
            waiting[target] = failure
        case .failed(_, let failure): throw failure
        case .swept(let target, let failure): try noteSwept(target, failure)
        }
    }

    /// Once no target has anything left of dead processes, they are forgotten. What could not be
    /// removed is looked for again at the next start.
    private func noteSwept(_ target: TargetID, _ failure: Failure?) throws(Failure) {
        if let failure {
            options.log(LogLine(.warning, failure.description, [("code", failure.code)]))
            return
        }
        sweptTargets.insert(target)
        if sweptTargets.count == commits.count { try store.forget(store.leftovers) }
    }

    /// The one write of an epoch, and only then the sinks.
    private func write(_ complete: GatheringEpoch) throws(Failure) {
        Failpoint.pass("epoch.gathered")
        epoch = complete.number
        let reports = complete.reports.sorted { $0.worker < $1.worker }
        offsets = reports.flatMap(\.offsets)
        let marker = context.identity.marker(epoch: epoch)
        let intents = makeIntents(reports, marker)
        if Mutant.commitBeforeWrite.isActive { try commitFirst(intents) }
        counters = total(reports)
        checkConservation()
        let minima = reports.reduce(into: [UInt64: Int64]()) { minima, report in
            minima.merge(report.minima) { max($0, $1) }
        }
        var taken = trims
        if Mutant.trimEarly.isActive {
            for intent in intents { taken[intent.target] = intent.marker }
        }
        var write = EpochWrite(
            record: record(minima: minima, hasEnded: complete.hasEnded),
            offsets: offsets.map(durable), deltas: reports.flatMap(\.deltas), intents: intents,
            trims: taken, historyLimit: plan.settings.checkpointHistory)
        write.beginnings = beginnings
        beginnings = []
        lastCheckpointBytes = try store.write(write)
        for gauge in gauges { gauge.durableEpoch.store(epoch, ordering: .releasing) }
        trims = [:]
        if !Mutant.commitBeforeWrite.isActive { offer(intents) }
        try store.retain(keeping: plan.settings.checkpointHistory)
        Failpoint.pass("checkpoint.before_group_offsets")
        for source in sources {
            source.checkpointed(offsets.filter { $0.source == source.plan.name })
        }
        Failpoint.pass("checkpoint.group_offsets")
        logEpoch(intents)
    }

    /// At every epoch; the first break is kept for the last line.
    private func checkConservation() {
        let found = Conservation(plan: plan, counters: counters).imbalances
        guard imbalances.isEmpty, !found.isEmpty else { return }
        imbalances = found
        for imbalance in found {
            options.log(
                LogLine(
                    .error, "rows are not conserved: a bug of millrace",
                    [
                        ("epoch", String(epoch)), ("place", imbalance.place),
                        ("difference", String(imbalance.difference)),
                    ]))
        }
    }

    private func offer(_ intents: [Intent]) {
        for intent in intents {
            let commit = commits.first { $0.committer.target == intent.target }
                .required("an intent without a committer")
            Failpoint.pass("intent.offered", "\(commit.committer.name) \(intent.marker.epoch)")
            commit.offer(intent)
        }
    }

    /// What the mutant breaks: the sinks take the epoch, and only then it is written.
    private func commitFirst(_ intents: [Intent]) throws(Failure) {
        offer(intents)
        while commits.contains(where: { !$0.isEmpty }) {
            try attend(milliseconds: 1)
        }
    }

    /// The workers' parts by target; a target without a part has no intent (an epoch without output
    /// makes no commit).
    private func makeIntents(_ reports: [WorkerEpoch], _ marker: Marker) -> [Intent] {
        let parts = reports.flatMap(\.parts)
        let targets = Set(parts.map(\.target)).sorted()
        return targets.map { target in
            Intent(
                target: target, marker: marker,
                offsets: ownFloors?.raised(offsets, of: target) ?? offsets,
                parts: parts.filter { $0.target == target }.map(\.bytes))
        }
    }

    func record(minima: [UInt64: Int64], hasEnded: Bool) -> EpochRecord {
        EpochRecord(
            marker: context.identity.marker(epoch: epoch), writtenAt: options.clock.now(),
            minima: minima, counters: counters.isEmpty ? baseCounters : counters,
            hasEnded: hasEnded, byteCount: 0,
            outputRows: latest.values.reduce(0) { $0 + $1.tallies.reduce(0) { $0 + $1.rows } })
    }

    private func logEpoch(_ intents: [Intent]) {
        options.log(
            LogLine(
                .debug, "checkpoint",
                [
                    ("pipeline", context.identity.pipelineID),
                    ("generation", String(context.identity.generation)),
                    ("epoch", String(epoch)), ("bytes", String(lastCheckpointBytes)),
                    ("intents", String(intents.count)),
                ]))
    }

    /// Whether what the next barrier hands over has grown enough to take it early (design.md
    /// §3.11): at once if workers wait for it, else not before they have had as much time as the
    /// last one took.
    var isEpochFull: Bool {
        if now < earliestEarlyBarrier { return EpochRoom(gauges, epochLimit).isUsedUp }
        return EpochRoom(gauges, epochLimit).pendingBytes >= epochLimit
    }

    var epochLimit: Int64 {
        plan.settings.epochBytes
            ?? min(
                max(plan.settings.memoryLimit / 4, Pipeline.leastEpochBytes),
                Pipeline.defaultEpochBytes)
    }

    /// However small `state_memory` is, so much is worth a barrier.
    static let leastEpochBytes: Int64 = 1 << 20
    static let defaultEpochBytes: Int64 = 256 << 20

    var isHeld: Bool {
        commits.contains { Int64($0.pendingBytes) >= plan.settings.pendingLimit }
    }

    /// A sink that is too far behind stops the sources until it has caught up; others' rows that
    /// are under way still flow.
    func holdIfBehind() {
        let held = isHeld
        for gauge in gauges where gauge.isHeld != held { gauge.hold(held) }
    }
}
