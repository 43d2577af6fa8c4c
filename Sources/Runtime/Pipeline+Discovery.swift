// Partitions that appear while a run goes on.

import Connectors
import Contracts
import Foundation
import Planning
import Progress

/// A partition that the run has not known.
struct NewPartition: Sendable {
    /// Of the plan.
    let source: Int
    let offset: PartitionOffset
}

extension Pipeline {
    /// Asks all sources, on a thread of its own: one that is away holds up neither checkpoints nor
    /// the end. The answer comes as a report.
    func lookForPartitions() {
        guard !isLookingForPartitions else { return }
        isLookingForPartitions = true
        let known = partitions.map { Set($0.map(\.partition)) }
        let thread = Thread { [sources, reports, mode = options.mode] in
            let found = Result { () throws(Failure) in
                try Pipeline.newPartitions(of: sources, known: known, mode)
            }
            reports.send(.partitions(found))
        }
        thread.name = "discovery"
        thread.stackSize = 8 << 20
        thread.start()
    }

    private static func newPartitions(
        of sources: [any Source], known: [Set<String>], _ mode: RunMode
    ) throws(Failure) -> [NewPartition] {
        var found: [NewPartition] = []
        for (index, source) in sources.enumerated() {
            for partition in try source.discover() where !known[index].contains(partition) {
                let offset = try source.resolve(partition: partition, stored: nil, mode: mode)
                found.append(NewPartition(source: index, offset: offset))
            }
        }
        return found
    }

    /// They are read from their beginning and never pull time back (dialect.md §1.4).
    func take(_ found: Result<[NewPartition], Failure>) throws(Failure) {
        isLookingForPartitions = false
        // The last checkpoint is on its way: the next start looks for itself.
        if stopRequested.isRequested { return }
        for new in try found.get() {
            let worker = partitions[new.source].count % options.workers
            partitions[new.source].append(new.offset)
            beginnings.append(new.offset)
            wiring.inboxes[worker].send(.add(source: new.source, new.offset))
            options.log(
                LogLine(
                    .info, "noticed a new partition",
                    [
                        ("source", plan.sources[new.source].name),
                        ("partition", new.offset.partition), ("next", String(new.offset.next)),
                    ]))
        }
    }
}
