// The record that says how far a pipeline's epochs are in a cluster: one a pipeline on a compacted
// topic, written in the transaction of each epoch (design.md §3.6).

import Contracts
import DeltaTable
import Progress

/// What one transaction says of itself.
struct ProgressRecord: Hashable {
    let marker: Marker
    /// Next to read, −1 where no number says it: for a directory that adopts the outputs.
    let offsets: [PartitionOffset]
    /// The topology's name and the topics that it writes to in the cluster.
    let topology: String?
    let topics: [String]

    init(_ intent: Intent, topology: String, topics: [String]) {
        marker = intent.marker
        offsets = intent.offsets
        self.topology = topology
        self.topics = topics
    }

    var encoded: [UInt8] {
        let stood = offsets.map { offset in
            JSONValue.object([
                .init("source", .string(offset.source)),
                .init("partition", .string(offset.partition)),
                .init("next", .integer(offset.detail == nil ? offset.next : -1)),
            ])
        }
        let record = JSONValue.object([
            .init("generation", .integer(marker.generation)),
            .init("epoch", .integer(marker.epoch)),
            .init("incarnation", .integer(marker.incarnation)),
            .init("topology", topology.map { .string($0) } ?? .null),
            .init("topics", .array(topics.map { .string($0) })),
            .init("offsets", .array(stood)),
        ])
        return Array(record.text.utf8)
    }

    init(_ value: [UInt8]) throws(Failure) {
        guard let record = try? JSONValue(parsing: value),
            let generation = record["generation"]?.unsigned,
            let epoch = record["epoch"]?.unsigned,
            let incarnation = record["incarnation"]?.unsigned
        else {
            throw Failure(
                .failed, "kafka.progress_damaged",
                "the progress record in \(KafkaCluster.progressTopic) cannot be read",
                hint: "another program wrote to that topic")
        }
        marker = Marker(generation: generation, epoch: epoch, incarnation: incarnation)
        topology = record["topology"]?.string
        topics = (record["topics"]?.array ?? []).compactMap(\.string)
        offsets = (record["offsets"]?.array ?? []).compactMap { offset in
            guard let source = offset["source"]?.string,
                let partition = offset["partition"]?.string, let next = offset["next"]?.int64
            else { return nil }
            return PartitionOffset(
                source: source, partition: partition, next: next, fingerprint: nil,
                highestTime: EventTime.never, end: nil)
        }
    }
}

extension JSONValue {
    fileprivate var unsigned: UInt64? {
        if case .number(let text) = self { return UInt64(text) }
        return nil
    }
}
