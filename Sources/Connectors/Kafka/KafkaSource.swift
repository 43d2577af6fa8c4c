// A Kafka topic as a source: offsets resolved and checked here, records read in KafkaReader.

import Contracts
import KafkaIO
import Planning
import Progress
import Synchronization

final class KafkaSource: Source {
    let plan: SourcePlan
    let consumer: KafkaConsumer
    let context: ConnectorContext
    let readPositions = KafkaLag()
    /// The newest disturbance since records last came.
    private let disturbance = Mutex<String?>(nil)
    /// Offsets that were committed last for tools that watch lag.
    private let reported = Mutex<[Int32: Int64]>([:])
    /// Whether positions are known from an earlier checkpoint or readers run: a partition that
    /// appears from then on is read from its beginning, whatever `start` says.
    private let hasBegun = Atomic<Bool>(false)
    private let options: KafkaSourceOptions
    private let positions: KafkaPositions
    private let patience: Patience

    init(
        _ plan: SourcePlan, _ options: KafkaSourceOptions, _ context: ConnectorContext
    ) throws(Failure) {
        self.plan = plan
        self.options = options
        self.context = context
        patience = Patience(context: context)
        let configuration = KafkaClientConfiguration(
            bootstrapServers: options.bootstrapServers, properties: options.properties,
            groupID: "millrace-" + context.identity.pipelineID)
        let readsHeaders = plan.decoded.contains { $0.origin == .metadata(.headers) }
        consumer = try KafkaConsumer(
            configuration, topic: options.topic, queues: context.workers,
            readsHeaders: readsHeaders)
        positions = KafkaPositions(
            plan, options,
            log: LiveKafkaLog(
                consumer: consumer,
                reader: KafkaTopicReader(configuration, topic: options.topic)), context)
    }

    var topic: String { options.topic }

    func begin(stored: [PartitionOffset]) throws(Failure) {
        if !stored.isEmpty { hasBegun.store(true, ordering: .relaxed) }
    }

    func discover() throws(Failure) -> [String] {
        let all = try patience.wait { () throws(Failure) in try consumer.partitions() }
        note(trouble: nil)
        let wanted = all.filter { partition in
            options.partitions?.contains { $0.contains(partition) } ?? true
        }
        if wanted.isEmpty {
            throw Failure(
                .invalid, "kafka.no_partition",
                "topic \"\(topic)\" has none of the partitions that are asked for",
                place: plan.place)
        }
        return wanted.map(String.init)
    }

    func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        try positions.resolve(
            partition: try number(partition), stored: stored, mode: mode,
            hasBegun: hasBegun.load(ordering: .relaxed))
    }

    func number(_ partition: String) throws(Failure) -> Int32 {
        guard let number = Int32(partition) else {
            throw Failure(
                .failed, "kafka.partition", "\"\(partition)\" is no partition of a Kafka topic",
                hint: "was this state directory made for another kind of source?")
        }
        return number
    }

    /// What a running reader does about a position that left the log: where it goes on, and where
    /// the log ends.
    func recover(
        _ partition: Int32, at next: Int64, queue: Int
    ) throws(Failure) -> (next: Int64, end: Int64) {
        let (low, end) = try patience.wait { () throws(Failure) in
            try consumer.watermarks(partition: partition)
        }
        let new = try positions.afterLoss(of: partition, at: next, low: low, end: end)
        try consumer.unassign([partition])
        try consumer.assign([KafkaAssignment(partition: partition, offset: new, queue: queue)])
        return (new, end)
    }

    /// For the progress line: what disturbs reading, or nil when it goes on.
    func note(trouble: String?) {
        disturbance.withLock { $0 = trouble }
    }

    var trouble: String? { disturbance.withLock { $0 } }

    func makeReader(
        worker: Int, workers: Int, partitions: [PartitionOffset]
    ) throws(Failure) -> any SourceReader {
        hasBegun.store(true, ordering: .relaxed)
        return try KafkaReader(self, queue: worker, partitions)
    }

    func checkpointed(_ offsets: [PartitionOffset]) {
        var next: [Int32: Int64] = [:]
        for offset in offsets {
            if let partition = Int32(offset.partition) { next[partition] = offset.next }
        }
        // What waits for a coordinator that is away would pile up.
        let isNews = reported.withLock { reported in
            defer { reported = next }
            return reported != next
        }
        // Only tools that watch lag read it: a failure costs nothing.
        if isNews { try? consumer.commitForLag(next) }
    }

    var lag: Int64? { readPositions.total(consumer) }
}
