// Who wrote what: the identity of design.md §3.1.

/// One epoch of one pipeline as a sink knows it. Ordered by generation, then epoch.
public struct Marker: Sendable, Hashable, Comparable {
    public var generation: UInt64
    public var epoch: UInt64
    /// The random number of the process that made the intent.
    public var incarnation: UInt64

    public init(generation: UInt64, epoch: UInt64, incarnation: UInt64) {
        self.generation = generation
        self.epoch = epoch
        self.incarnation = incarnation
    }

    /// Before the first epoch.
    public static let none = Marker(generation: 0, epoch: 0, incarnation: 0)

    public static func < (left: Self, right: Self) -> Bool {
        (left.generation, left.epoch) < (right.generation, right.epoch)
    }
}

/// A pipeline's identity for as long as its process runs.
public struct Identity: Sendable, Hashable {
    /// A UUID, made once, kept in the state directory.
    public let pipelineID: String
    public let generation: UInt64
    public let incarnation: UInt64

    public init(pipelineID: String, generation: UInt64, incarnation: UInt64) {
        self.pipelineID = pipelineID
        self.generation = generation
        self.incarnation = incarnation
    }

    public func marker(epoch: UInt64) -> Marker {
        Marker(generation: generation, epoch: epoch, incarnation: incarnation)
    }
}

/// Where a source partition stands at a barrier (design.md §3.10).
public struct PartitionOffset: Sendable, Hashable {
    /// The source's name and the partition in it: `bids`, `3`; for files the path.
    public let source: String
    public let partition: String
    /// Next to read.
    public let next: Int64
    /// The record before `next`, to recognise a recreated topic.
    public let fingerprint: Fingerprint?
    /// Highest event time seen, µs; `EventTime.never` before the first row.
    public let highestTime: Int64
    /// Where a bounded run ends, resolved at epoch 0; nil when live.
    public let end: Int64?
    /// Where in the partition `next` counts, for a source whose partitions are series: of files the
    /// name of the one being read.
    public let detail: String?

    public struct Fingerprint: Sendable, Hashable {
        public let offset: Int64
        /// Of the record, in ms as Kafka has it.
        public let timestamp: Int64
        /// XXH3 of key and value.
        public let hash: UInt64

        public init(offset: Int64, timestamp: Int64, hash: UInt64) {
            self.offset = offset
            self.timestamp = timestamp
            self.hash = hash
        }
    }

    public init(
        source: String, partition: String, next: Int64, fingerprint: Fingerprint?,
        highestTime: Int64, end: Int64?, detail: String? = nil
    ) {
        self.source = source
        self.partition = partition
        self.next = next
        self.fingerprint = fingerprint
        self.highestTime = highestTime
        self.end = end
        self.detail = detail
    }
}
