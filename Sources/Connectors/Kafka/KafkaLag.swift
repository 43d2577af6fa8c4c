// How far readers are behind: positions that readers store, and the control thread reads.

import Contracts
import KafkaIO
import Progress
import Synchronization

/// Where the reader of one partition stands.
final class KafkaReadPosition: Sendable {
    let partition: Int32
    /// Of a bounded run.
    private let end: Int64?
    private let next: Atomic<Int64>

    init(_ partition: Int32, _ offset: PartitionOffset) {
        self.partition = partition
        end = offset.end
        next = Atomic(offset.next)
    }

    func move(to offset: Int64) { next.store(offset, ordering: .relaxed) }

    /// Records between here and the end: the bounded one, else the newest that is known.
    func lag(knownEnd: Int64?) -> Int64? {
        guard let last = end ?? knownEnd else { return nil }
        return max(0, last - next.load(ordering: .relaxed))
    }
}

/// The positions of all readers of one topic.
final class KafkaLag: Sendable {
    private let positions = Mutex<[KafkaReadPosition]>([])

    /// Starts to watch a partition; its reader moves what is returned.
    func watch(_ partition: Int32, _ offset: PartitionOffset) -> KafkaReadPosition {
        let position = KafkaReadPosition(partition, offset)
        positions.withLock { $0.append(position) }
        return position
    }

    /// Records that wait, over all partitions; nil until one of the ends is known.
    func total(_ consumer: KafkaConsumer) -> Int64? {
        let known = positions.withLock { $0 }.compactMap { position in
            position.lag(knownEnd: consumer.knownEnd(partition: position.partition))
        }
        return known.isEmpty ? nil : known.reduce(0, +)
    }
}
