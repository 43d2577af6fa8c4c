// One plan node on one worker: its operator or sink, its inputs' alignment, its consumers.

import Columns
import Connectors
import Contracts
import Operators
import Planning
import Progress

/// Where a node's output goes.
struct Edge {
    let consumer: Int
    let input: Int
    let route: Route

    enum Route {
        /// Straight into the consumer on this worker, as its producer of that slot.
        case local(slot: Int)
        /// By key group; one channel a worker.
        case exchange(columns: [Int], channels: [Channel])
    }

    var isFull: Bool {
        if case .exchange(_, let channels) = route { return channels.contains { $0.isFull } }
        return false
    }
}

/// An inbound channel of a worker.
struct Inlet {
    let node: Int
    let slot: Int
    let input: Int
    let channel: Channel
}

/// State of one node on one worker; used on its thread only.
final class NodeInstance {
    let node: PlanNode
    let work: Work
    /// Which input each producer slot feeds.
    let slotInputs: [Int]
    var edges: [Edge] = []
    var minimum: MinimumWatermark
    var announced: Watermark = .at(EventTime.never)
    /// The same by the clock.
    var clock: MinimumWatermark
    var announcedClock = EventTime.never
    var counters = Counters()
    /// Of a sink.
    var tally = OutputTally()
    var alignment: Alignment

    enum Work {
        /// The runtime feeds it from a reader.
        case source(Int)
        case transform(any Operator)
        case sink(output: Int, any SinkWriter)
    }

    init(node: PlanNode, work: Work, slotInputs: [Int], restoredMinimum: Int64) {
        self.node = node
        self.work = work
        self.slotInputs = slotInputs
        let isByClock = node.window?.isByClock ?? false
        self.isByClock = isByClock
        minimum = MinimumWatermark(
            producers: slotInputs.count, restored: isByClock ? EventTime.never : restoredMinimum)
        clock = MinimumWatermark(
            producers: slotInputs.count, restored: isByClock ? restoredMinimum : EventTime.never)
        alignment = Alignment(slots: slotInputs.count)
    }

    /// Whether it acts on the clock instead of event time.
    let isByClock: Bool

    /// M: what it has acted on.
    var acted: Int64 { isByClock ? clock.minimum : minimum.minimum }

    /// Whether it keeps rows, so that it never steps out of the minimum (dialect.md §1.6).
    var isStateless: Bool {
        switch node.kind {
        case .source, .project, .filter, .unionAll, .assignWindows, .results, .sink: true
        case .upsertSource, .sessionRows, .windowAggregate, .aggregate, .distinct: false
        }
    }
}

/// Holds back what comes behind a barrier until the barrier has come from every producer.
struct Alignment {
    private var hasBarrier: [Bool]
    private var held: [[Message]]
    private(set) var epoch: UInt64?

    init(slots: Int) {
        hasBarrier = Array(repeating: false, count: slots)
        held = Array(repeating: [], count: slots)
    }

    /// Whether messages of this slot must wait.
    func isBlocked(_ slot: Int) -> Bool { hasBarrier[slot] }

    mutating func hold(_ message: Message, slot: Int) { held[slot].append(message) }

    /// Notes a barrier; true when it was the last one missing.
    mutating func arrived(_ epoch: UInt64, slot: Int) -> Bool {
        require(self.epoch ?? epoch == epoch, "two barriers at once in one operator")
        require(!hasBarrier[slot], "a barrier came twice from one producer")
        self.epoch = epoch
        hasBarrier[slot] = true
        return hasBarrier.allSatisfy { $0 }
    }

    /// Opens the slots; gives what was held, in order within each slot.
    mutating func release() -> [(slot: Int, message: Message)] {
        defer {
            epoch = nil
            for slot in hasBarrier.indices {
                hasBarrier[slot] = false
                held[slot] = []
            }
        }
        return held.enumerated().flatMap { slot, messages in messages.map { (slot, $0) } }
    }
}
