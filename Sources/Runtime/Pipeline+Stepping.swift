// A run step by step: `millrace test` feeds rows, asks for a barrier, looks, goes on.
//
// Everything behind the sources is what `run` uses; only who decides when a barrier comes differs.

public import Connectors
public import Contracts
import Environment
public import Planning
import Progress

/// A pipeline whose barriers the caller asks for. Used from one thread; after a throw it has
/// stopped.
public final class SteppedPipeline {
    private let pipeline: Pipeline
    private var isRunning = false

    /// `options.mode` is live: an input ends when `endInput` says so.
    public init(
        plan: Plan, options: RunOptions, store: any EpochStore, factory: any ConnectorFactory
    ) {
        require(options.mode == .live, "a stepped pipeline runs live")
        pipeline = Pipeline(
            plan: plan, options: options, store: store, factory: factory, stop: StopRequest())
        pipeline.bringsBarriers = false
    }

    public func start() throws(Failure) {
        isRunning = true
        try guarded { () throws(Failure) in try pipeline.start() }
    }

    /// Lets the workers run until `isDone`, which is asked every few milliseconds.
    public func wait(until isDone: () -> Bool) throws(Failure) {
        try guarded { () throws(Failure) in
            while !isDone() { try pipeline.attend(milliseconds: 1) }
        }
    }

    /// A barrier: what was read before it is durable and in the sinks when this returns.
    public func checkpoint() throws(Failure) { try checkpoint(hasEnded: false) }

    /// Raises what each partition of a source has seen, in µs. Rows fed before must have been read.
    public func raise(source: Int, to time: Int64) {
        for inbox in pipeline.wiring.inboxes { inbox.send(.raise(source: source, time: time)) }
    }

    /// Ends all input: windows close, and a last barrier hands their rows over.
    public func endInput() throws(Failure) {
        for inbox in pipeline.wiring.inboxes { inbox.send(.endInput) }
        try wait { pipeline.drained.count == pipeline.options.workers }
        try checkpoint(hasEnded: true)
    }

    /// Stops the workers and tells what was counted up to the last barrier.
    public func stop() -> RunSummary {
        halt()
        return pipeline.summary()
    }

    private func checkpoint(hasEnded: Bool) throws(Failure) {
        try guarded { () throws(Failure) in
            pipeline.beginEpoch(hasEnded: hasEnded)
            while pipeline.gathering != nil || pipeline.commits.contains(where: { !$0.isEmpty }) {
                try pipeline.attend(milliseconds: 1)
            }
        }
    }

    private func guarded(_ work: () throws(Failure) -> Void) throws(Failure) {
        require(isRunning, "a step of a pipeline that does not run")
        do {
            try work()
        } catch {
            halt()
            throw error
        }
    }

    private func halt() {
        guard isRunning else { return }
        isRunning = false
        pipeline.stopWorkers()
        pipeline.stopCommitters(waitMilliseconds: 1_000)
    }
}

extension Worker {
    /// Time passes for a source whose partitions have no row to show it.
    func raise(_ source: Int, to time: Int64) throws(Failure) {
        for feed in feeds.indices where feeds[feed].source == source {
            for partition in feeds[feed].partitions.indices {
                _ = feeds[feed].partitions[partition].watermark.advance(over: [time])
            }
            try announceSource(feed)
        }
    }

    func endInput() throws(Failure) {
        mode = .bounded
        for feed in feeds.indices {
            for partition in feeds[feed].partitions.indices {
                feeds[feed].partitions[partition].isAtEnd = true
            }
            try announceSource(feed)
        }
    }
}
