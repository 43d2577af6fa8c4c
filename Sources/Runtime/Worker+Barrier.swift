// Barriers on one worker: from the sources through every node, then one report.

import Connectors
import Contracts
import Environment
import Operators
import Planning
import Progress
import State
import Synchronization

/// An epoch that is passing through a worker.
struct EpochInProgress {
    let number: UInt64
    let offsets: [PartitionOffset]
    var remainingNodes: Int
    var deltas: [StateDelta] = []
}

extension Worker {
    /// Lets the barrier leave all sources at once. No source is polled until it has passed every
    /// node of this worker, so what alignment holds back is bounded by what others had in flight.
    func begin(epoch number: UInt64) throws(Failure) {
        require(epoch == nil, "a barrier while another is passing")
        Failpoint.pass("barrier.begin")
        let inner = nodes.count { !$0.isSource }
        epoch = EpochInProgress(
            number: number, offsets: feeds.flatMap(\.offsets), remainingNodes: inner)
        for feed in feeds.indices { try send(.barrier(number), from: feeds[feed].node) }
        try finishEpochIfDone()
    }

    /// A barrier has come from all producers of a node.
    func pass(barrier number: UInt64, through node: Int) throws(Failure) {
        let instance = nodes[node]
        switch instance.work {
        case .source: bug("a barrier was delivered to a source")
        case .transform(let transform):
            var output = OperatorOutput()
            transform.flush(into: &output)
            try forward(&output, from: node)
            let delta = transform.snapshot()
            if !delta.isEmpty { epoch?.deltas.append(delta) }
        case .sink: break
        }
        epoch?.remainingNodes -= 1
        try send(.barrier(number), from: node)
        try finishEpochIfDone()
    }

    /// Sinks are prepared when all nodes have passed: a row that a later node refuses may still go
    /// to a table of this epoch.
    private func finishEpochIfDone() throws(Failure) {
        guard let done = epoch, done.remainingNodes == 0 else { return }
        try refusals.flushTables()
        let marker = refusals.identity.marker(epoch: done.number)
        var parts: [IntentPart] = []
        for output in plan.outputs.indices {
            if let writer = refusals.writers[output] { parts += try writer.prepare(marker) }
        }
        parts += refusals.takeOutboxes()
        shared.stateBytes.store(heldBytes, ordering: .relaxed)
        eviction.handedOver = done.number
        epoch = nil
        // Before the report: else the control thread would find the epoch full that it has just
        // got.
        noteState()
        Failpoint.pass("barrier.passed")
        report(
            .epoch(
                WorkerEpoch(
                    worker: index, epoch: done.number, offsets: done.offsets, deltas: done.deltas,
                    parts: parts, minima: minima, counters: nodes.map(\.counters),
                    sources: feeds.map(\.counters),
                    tallies: plan.outputs.indices.map { tally(of: $0) },
                    held: nodes.map(\.heldRows))))
        try release()
    }

    /// Opens the nodes again, only now: had one gone on before the others had passed, its refused
    /// rows would have slipped into an epoch whose offsets don't cover them.
    private func release() throws(Failure) {
        for node in nodes.indices {
            for (slot, message) in nodes[node].alignment.release() {
                try deliver(message, to: node, slot: slot)
            }
        }
    }

    private var heldBytes: Int {
        nodes.reduce(0) { bytes, instance in
            guard case .transform(let transform) = instance.work else { return bytes }
            return bytes + Int(transform.held.bytes)
        }
    }

    private var minima: [UInt64: Int64] {
        var minima: [UInt64: Int64] = [:]
        for instance in nodes where !instance.isStateless {
            minima[instance.node.operatorID] = instance.acted
        }
        return minima
    }

    /// Rows that came down the plan, and those that were refused into the output's table.
    private func tally(of output: Int) -> OutputTally {
        var tally = refusals.tallies[output] ?? OutputTally()
        for instance in nodes {
            if case .sink(output, _) = instance.work { tally = tally + instance.tally }
        }
        return tally
    }
}

extension NodeInstance {
    /// Rows in state that will still show in output.
    fileprivate var heldRows: Int64 {
        if case .transform(let transform) = work { return transform.held.rows }
        return 0
    }
}

extension StateDelta {
    var isEmpty: Bool { entries.isEmpty && removedPrefixes.isEmpty }
}
