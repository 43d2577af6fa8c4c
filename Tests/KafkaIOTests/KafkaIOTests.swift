// Reading and writing through the embedded broker.

import Columns
import Contracts
import KafkaIO
import Testing

@Suite struct MockClusterTests {
    @Test func recordsComeBackAsTheyWere() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 2)
        let producer = try KafkaProducer(cluster.configuration)
        try producer.produce(
            KafkaRecord(
                topic: "t", partition: 1, key: [0, 255], value: nil,
                headers: [KafkaHeader("h", [1]), KafkaHeader("n", nil)], timestamp: 1234))
        try producer.produce(KafkaRecord(topic: "t", partition: 1, key: [], value: []))
        try producer.produce(KafkaRecord(topic: "t", partition: 1, key: nil, value: [7]))
        #expect(producer.flush(timeout: .seconds(10)))
        #expect(producer.counts == KafkaProducer.Counts(requested: 3, delivered: 3))
        let consumer = try KafkaConsumer(cluster.configuration, topic: "t", readsHeaders: true)
        #expect(try consumer.partitions() == [0, 1])
        try consumer.assign([KafkaAssignment(partition: 1, offset: 0, queue: 0)])
        var all = MessageBatch()
        for _ in 0..<500 where all.count < 3 {
            all.append(consumer.queues[0].poll(maximumMessages: 10, timeout: .seconds(1)).messages)
        }
        try #require(all.count == 3)
        #expect(all.value(0) == nil && all.key(0) == [0, 255] && all.timestamps[0] == 1234)
        #expect(all.value(1) == [] && all.key(1) == [])
        #expect(all.value(2) == [7] && all.key(2) == nil)
        let headers = all.headers(0)
        #expect(headers.count == 2 && headers[1].value == nil)
        #expect(all.keys[headers[0].name.lowerBound] == 0x68)
    }

    /// Each record reaches the queue of its partition once and in order, also what was fetched
    /// before the partitions were forwarded, and after partitions have been added and given back.
    @Test func twoQueuesShareATopic() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 4)
        let producer = try KafkaProducer(cluster.configuration)
        let values = (0..<500).map { "v\($0)" }
        for partition in 0..<Int32(4) { try producer.send("t", values, partition: partition) }
        #expect(producer.flush(timeout: .seconds(10)))
        let consumer = try KafkaConsumer(cluster.configuration, topic: "t", queues: 2)
        try consumer.assign((0..<3).map {
            KafkaAssignment(partition: $0, offset: 10, queue: Int($0) % 2)
        })
        let even = consumer.queues[0].receive { $0.ended == [0, 2] }
        let odd = consumer.queues[1].receive { $0.ended == [1] }
        #expect(even.values == [0: Array(values[10...]), 2: Array(values[10...])])
        #expect(odd.values == [1: Array(values[10...])])
        #expect(even.next == [0: 500, 2: 500])

        try consumer.assign([KafkaAssignment(partition: 3, offset: 499, queue: 1)])
        try consumer.unassign([1])
        try producer.send("t", ["late"], partition: 1)
        try producer.send("t", ["later"], partition: 2)
        #expect(producer.flush(timeout: .seconds(10)))
        #expect(consumer.queues[1].receive { $0.ended == [3] }.values == [3: ["v499"]])
        #expect(consumer.queues[0].receive { $0.next[2] == 501 }.values == [2: ["later"]])
        for _ in 0..<20 {
            #expect(consumer.queues[1].poll(maximumMessages: 9, timeout: .seconds(1)).isEmpty)
        }

        try consumer.assign([KafkaAssignment(partition: 1, offset: 500, queue: 0)])
        #expect(consumer.queues[0].receive { $0.ended.contains(1) }.values == [1: ["late"]])
    }

    @Test func pausingKeepsOrderWithoutAGap() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 1)
        let producer = try KafkaProducer(cluster.configuration)
        let values = (0..<2000).map { "v\($0)" }
        try producer.send("t", values)
        #expect(producer.flush(timeout: .seconds(10)))
        let consumer = try KafkaConsumer(cluster.configuration, topic: "t")
        try consumer.assign([KafkaAssignment(partition: 0, offset: 0, queue: 0)])
        var received = Received()
        consumer.queues[0].receive(into: &received) { !$0.values.isEmpty }
        try consumer.pause([0])
        for _ in 0..<5 {
            received.take(consumer.queues[0].poll(maximumMessages: 100, timeout: .zero))
        }
        try consumer.resume([0])
        consumer.queues[0].receive(into: &received) { $0.next[0] == 2000 }
        #expect(received.values[0] == values)
    }

    @Test func aMissingOffsetIsLost() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 1)
        let consumer = try KafkaConsumer(cluster.configuration, topic: "t")
        try consumer.assign([KafkaAssignment(partition: 0, offset: 77, queue: 0)])
        let received = consumer.queues[0].receive { !$0.lost.isEmpty }
        #expect(received.lost == [0])
    }

    /// Partition numbers of Kafka's own murmur2 (org.apache.kafka.common.utils.UtilsTest's hashes).
    @Test func keysGoWhereJavaPutsThem() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 1000)
        let producer = try KafkaProducer(cluster.configuration)
        let hashes: [(String, Int32)] = [
            ("21", -973_932_308), ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ]
        for (key, _) in hashes {
            try producer.produce(KafkaRecord(topic: "t", key: Array(key.utf8), value: [1]))
        }
        #expect(producer.flush(timeout: .seconds(20)))
        let consumer = try KafkaConsumer(cluster.configuration, topic: "t")
        for (key, hash) in hashes {
            let partition = (hash & 0x7fff_ffff) % 1000
            #expect(try consumer.watermarks(partition: partition).end == 1, "\(key)")
        }
    }

    @Test func failuresNameWhatIsMissing() throws {
        let cluster = try MockCluster()
        #expect(throws: Failure.self) {
            try KafkaConsumer(
                KafkaClientConfiguration(
                    bootstrapServers: cluster.bootstrapServers,
                    properties: ["enable.auto.commit": "true"]), topic: "t")
        }
        let secret = KafkaClientConfiguration(
            bootstrapServers: "h:1",
            properties: ["sasl.password": "hunter2", "fetch.min.bytes": "x"])
        let failure = #expect(throws: Failure.self) { try KafkaConsumer(secret, topic: "t") }
        #expect(failure?.kind == .invalid)
        let shown = "\(secret) \(String(reflecting: secret)) \(failure.debugDescription)"
        #expect(!shown.contains("hunter2"))
        let away = KafkaClientConfiguration(bootstrapServers: "127.0.0.1:1")
        #expect(throws: Failure.self) {
            try KafkaConsumer(away, topic: "t").partitions(timeout: .milliseconds(200))
        }
    }
}
