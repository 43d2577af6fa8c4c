// The topic of `bench --source kafka`: filled once with generated JSON bids, and read raw.

import Columns
import Connectors
import Contracts
import Environment
import Foundation
import Formats
import KafkaIO
import Planning
import Progress
import Synchronization
import Types

/// A topic of generated bids. Its name tells how many, so that a second run finds it filled.
struct BenchmarkTopic {
    let bootstrapServers: String
    let bids: Int

    static let partitions = 4

    var name: String { "millrace-bench-bids-\(bids)" }
    private var configuration: KafkaClientConfiguration {
        KafkaClientConfiguration(bootstrapServers: bootstrapServers, groupID: "millrace-bench")
    }

    /// The query over this topic.
    func query(_ query: String) -> BenchmarkQuery {
        BenchmarkQuery(
            name: query,
            connector: """
                kafka WITH (topic = '\(name)', bootstrap_servers = '\(bootstrapServers)', \
                format = 'json', event_time = 'date_time', watermark_delay = '0 seconds', \
                start = 'earliest', on_error = 'fail')
                """)
    }

    /// Makes and fills the topic, unless it holds the bids already.
    func load(progress: (String) -> Void) throws(Failure) {
        let administration = try KafkaAdministration(configuration)
        let isNew = try administration.createTopic(
            name, partitions: BenchmarkTopic.partitions, settings: ["retention.ms": "-1"])
        if !isNew {
            let held = try heldRecords()
            if held == Int64(bids) { return }
            guard held == 0 else {
                throw Failure(
                    .invalid, "bench.topic",
                    "the topic \(name) holds \(held) records, not \(bids)",
                    hint: "delete it, or give another --events")
            }
        }
        progress("loading \(bids) bids into the topic \(name)\n")
        try fill()
        let held = try heldRecords()
        guard held == Int64(bids) else {
            throw Failure(
                .failed, "bench.topic", "the topic \(name) holds \(held) records after loading")
        }
    }

    private func heldRecords() throws(Failure) -> Int64 {
        let consumer = try KafkaConsumer(configuration, topic: name)
        var held: Int64 = 0
        for partition in try consumer.partitions() {
            let (low, end) = try consumer.watermarks(partition: partition)
            held += end - low
        }
        return held
    }

    private func fill() throws(Failure) {
        let generated = BenchmarkQuery.generated(
            BenchmarkQuery.load, bids: bids, partitions: BenchmarkTopic.partitions)
        let source = try generated.plan().sources[0]
        let encoder = JSONRowEncoder(source.schema)
        let producer = try KafkaProducer(configuration)
        var refusal: Failure?
        try BenchmarkReading(source).forEach { chunk throws(Failure) in
            let text = encoder.encode(chunk.batch)
            for row in text.ranges.indices {
                refusal = try producer.produce(
                    KafkaRecord(
                        topic: name, partition: Int32(chunk.partition), key: nil,
                        value: Array(text[row]))) ?? refusal
            }
        }
        let isFlushed = producer.flush(timeout: .seconds(120))
        if let failure = refusal ?? producer.firstFailure { throw failure }
        guard isFlushed else {
            throw Failure(.failed, "bench.topic", "the broker took too long to take the bids")
        }
    }

    /// Reads the topic to its end on `workers` threads and drops it.
    func runConsume(workers: Int) throws(Failure) -> BenchmarkFigures {
        let meter = BenchmarkMeter()
        let consumer = try KafkaConsumer(configuration, topic: name, queues: workers)
        let partitions = try consumer.partitions()
        try consumer.assign(
            partitions.enumerated().map { index, partition in
                KafkaAssignment(partition: partition, offset: 0, queue: index % workers)
            })
        let results = Mutex<[Result<KafkaCount, Failure>]>([])
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            let own = partitions.indices.count { $0 % workers == worker }
            let result = Result { () throws(Failure) in
                var count = KafkaCount()
                while count.ended.count < own {
                    try consumer.queues[worker].count(
                        maximumMessages: KafkaQueue.maximumMessages,
                        timeout: KafkaQueue.longestWait, into: &count)
                }
                return count
            }
            results.withLock { $0.append(result) }
        }
        var messages: Int64 = 0
        var bytes: Int64 = 0
        for result in results.withLock({ $0 }) {
            let count = try result.get()
            messages += Int64(count.messages)
            bytes += Int64(count.valueBytes)
        }
        var figures = meter.figures(events: messages)
        figures.valueBytes = bytes
        return figures
    }
}
