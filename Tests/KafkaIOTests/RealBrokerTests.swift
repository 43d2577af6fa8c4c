// What only a real broker shows: transactions, read_committed, fencing, compaction, times, limits.

import Columns
import Contracts
import Foundation
import KafkaIO
import Testing

@Suite(.enabled(if: Broker.isWanted, "MILLRACE_KAFKA names no broker"))
struct RealBrokerTests {
    private func transactional(
        _ id: String, _ properties: [String: String] = [:]
    ) throws -> KafkaProducer {
        let producer = try KafkaProducer(
            Broker.configuration(properties), transactionalID: "millrace-\(id)")
        #expect(producer.initializeTransactions(timeout: .seconds(20)).isDone)
        return producer
    }

    @Test func abortedRecordsStayHiddenAndEndMovesOverTheirMarkers() throws {
        let topic = try Broker.topic()
        let producer = try transactional(topic)
        #expect(producer.begin().isDone)
        try producer.send(topic, ["a", "b"])
        #expect(producer.commit(rows: 2, timeout: .seconds(20)).isDone)
        #expect(producer.begin().isDone)
        try producer.send(topic, ["x", "y"])
        #expect(producer.flush(timeout: .seconds(20)))
        #expect(producer.abort(timeout: .seconds(20)).isDone)
        // a b commit x y abort: positions 0 … 5.
        let consumer = try KafkaConsumer(Broker.configuration(), topic: topic)
        try consumer.assign([KafkaAssignment(partition: 0, offset: 0, queue: 0)])
        let received = consumer.queues[0].receive { $0.ended == [0] }
        #expect(received.values == [0: ["a", "b"]])
        #expect(received.next == [0: 6])
        #expect(try consumer.watermarks(partition: 0).end == 6)
        let all = try KafkaConsumer(
            Broker.configuration(), topic: topic, isolation: .readUncommitted)
        try all.assign([KafkaAssignment(partition: 0, offset: 0, queue: 0)])
        #expect(
            all.queues[0].receive { $0.next[0] == 6 }.values == [0: ["a", "b", "x", "y"]])
    }

    @Test func anOpenTransactionHoldsTheEndBack() throws {
        let topic = try Broker.topic()
        let producer = try transactional(topic)
        #expect(producer.begin().isDone)
        try producer.send(topic, ["a"], key: "k")
        #expect(producer.flush(timeout: .seconds(20)))
        let committed = try KafkaConsumer(Broker.configuration(), topic: topic)
        let uncommitted = try KafkaConsumer(
            Broker.configuration(), topic: topic, isolation: .readUncommitted)
        #expect(try committed.watermarks(partition: 0).end == 0)
        #expect(try uncommitted.watermarks(partition: 0).end == 1)
        let reader = try KafkaTopicReader(Broker.configuration(), topic: topic)
        let failure = #expect(throws: Failure.self) {
            try reader.newestByKey(timeout: .seconds(2))
        }
        #expect(failure?.code == "kafka.timed_out")
        #expect(producer.commit(rows: 1, timeout: .seconds(20)).isDone)
        #expect(try reader.newestByKey(timeout: .seconds(20)) == [Array("k".utf8): Array("a".utf8)])
    }

    @Test func aSecondProducerFencesTheFirst() throws {
        let topic = try Broker.topic()
        let first = try transactional(topic)
        #expect(first.begin().isDone)
        try first.send(topic, ["old"])
        #expect(first.flush(timeout: .seconds(20)))
        let second = try transactional(topic)
        let failure = first.commit(rows: 1, timeout: .seconds(20)).fatal
        #expect(failure?.kind == .fenced)
        #expect(second.begin().isDone)
        try second.send(topic, ["new"])
        #expect(second.commit(rows: 1, timeout: .seconds(20)).isDone)
        let consumer = try KafkaConsumer(Broker.configuration(), topic: topic)
        try consumer.assign([KafkaAssignment(partition: 0, offset: 0, queue: 0)])
        #expect(consumer.queues[0].receive { $0.ended == [0] }.values == [0: ["new"]])
    }

    @Test func aRefusedRowAbortsInsteadOfCommittingTheRest() throws {
        let topic = try Broker.topic(partitions: 1, ["max.message.bytes": "1000"])
        #expect(
            try KafkaAdministration(Broker.configuration()).maximumMessageBytes(ofTopic: topic)
                == 1000)
        let producer = try transactional(topic, ["compression.type": "none"])
        #expect(producer.begin().isDone)
        try producer.send(topic, ["small", String(repeating: "x", count: 5000)])
        let failure = try #require(producer.commit(rows: 2, timeout: .seconds(20)).mustAbort)
        #expect(failure.code == "kafka.msg_size_too_large")
        #expect(producer.abort(timeout: .seconds(20)).isDone)
        #expect(producer.begin().isDone)
        try producer.send(topic, ["again"])
        // A row that was lost on the way here is noticed as well.
        #expect(producer.commit(rows: 2, timeout: .seconds(20)).mustAbort != nil)
        #expect(producer.abort(timeout: .seconds(20)).isDone)
        #expect(producer.begin().isDone)
        try producer.send(topic, ["again"])
        #expect(producer.commit(rows: 1, timeout: .seconds(20)).isDone)
        let consumer = try KafkaConsumer(Broker.configuration(), topic: topic)
        try consumer.assign([KafkaAssignment(partition: 0, offset: 0, queue: 0)])
        #expect(consumer.queues[0].receive { $0.ended == [0] }.values == [0: ["again"]])
    }

    @Test func offsetsByTime() throws {
        let topic = try Broker.topic(partitions: 2)
        let producer = try KafkaProducer(Broker.configuration())
        let now: Int64 = 1_767_225_600_000
        for second in 0..<5 {
            try producer.produce(
                KafkaRecord(
                    topic: topic, partition: 0, key: nil, value: [1],
                    timestamp: now + Int64(second) * 1000))
        }
        #expect(producer.flush(timeout: .seconds(20)))
        let consumer = try KafkaConsumer(Broker.configuration(), topic: topic)
        let found = try consumer.offsets(atOrAfter: now + 2500, partitions: [0, 1])
        #expect(found == [0: 3])
        #expect(try consumer.offsets(atOrAfter: now + 9000, partitions: [0]) .isEmpty)
    }

    @Test func lookupsTellGapsFromEnds() throws {
        let topic = try Broker.topic()
        let producer = try transactional(topic)
        #expect(producer.begin().isDone)
        try producer.send(topic, ["a", "b", "c"], key: "k")
        #expect(producer.commit(rows: 3, timeout: .seconds(20)).isDone)
        #expect(producer.begin().isDone)
        try producer.send(topic, ["d"], key: "k")
        #expect(producer.commit(rows: 1, timeout: .seconds(20)).isDone)
        let administration = try KafkaAdministration(Broker.configuration())
        try administration.deleteRecords(topic, partition: 0, before: 1)
        let reader = try KafkaTopicReader(Broker.configuration(), topic: topic)
        guard case .belowStart(1) = try reader.record(partition: 0, at: 0) else {
            Issue.record("offset 0 is deleted")
            return
        }
        guard case .found(let record) = try reader.record(partition: 0, at: 2) else {
            Issue.record("offset 2 is there")
            return
        }
        #expect(record.value(0) == [0x63] && record.key(0) == [0x6b] && record.offsets == [2])
        #expect(record.timestamps[0] > 1_700_000_000_000)
        guard case .compactedAway = try reader.record(partition: 0, at: 3) else {
            Issue.record("offset 3 is a commit marker")
            return
        }
        guard case .beyondEnd(6) = try reader.record(partition: 0, at: 6) else {
            Issue.record("6 is the end")
            return
        }
    }

    /// The log cleaner leaves gaps; positions go over them, and the newest of each key is read.
    @Test func compactionLeavesGaps() throws {
        let topic = try Broker.topic(
            partitions: 1,
            [
                "cleanup.policy": "compact", "segment.ms": "100",
                "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "100",
            ])
        let producer = try KafkaProducer(Broker.configuration())
        for round in 0..<10 {
            try producer.send(topic, ["a\(round)"], key: "a")
            try producer.send(topic, ["b\(round)"], key: "b")
        }
        try producer.produce(KafkaRecord(topic: topic, partition: 0, key: [0x62], value: nil))
        #expect(producer.flush(timeout: .seconds(20)))
        let reader = try KafkaTopicReader(Broker.configuration(), topic: topic)
        #expect(try reader.newestByKey(timeout: .seconds(20)) == [[0x61]: Array("a9".utf8)])
        // The cleaner wakes every 15 s, and leaves the segment that is written to alone.
        let deadline = ContinuousClock.now + .seconds(60)
        var isCompacted = false
        while !isCompacted, ContinuousClock.now < deadline {
            try producer.send(topic, ["c"], key: "c")
            #expect(producer.flush(timeout: .seconds(20)))
            Thread.sleep(forTimeInterval: 0.5)
            if case .compactedAway = try reader.record(partition: 0, at: 2) { isCompacted = true }
        }
        #expect(isCompacted)
        let consumer = try KafkaConsumer(Broker.configuration(), topic: topic)
        try consumer.assign([KafkaAssignment(partition: 0, offset: 2, queue: 0)])
        let received = consumer.queues[0].receive { $0.ended == [0] }
        let first = try #require(received.offsets[0]?.first)
        #expect(first > 2 && received.lost.isEmpty)
        #expect(received.next[0] == (try consumer.watermarks(partition: 0).end))
    }

    @Test func administration() throws {
        let topic = try Broker.topic(partitions: 3, ["cleanup.policy": "compact"])
        let administration = try KafkaAdministration(Broker.configuration())
        #expect(try administration.partitions(topic) == [0, 1, 2])
        #expect(try administration.settings(ofTopic: topic)["cleanup.policy"] == "compact")
        #expect(try !administration.createTopic(topic))
        let failure = #expect(throws: Failure.self) { try administration.partitions("no-\(topic)") }
        #expect(failure?.code == "kafka.topic_missing")
        #expect(throws: Failure.self) { try administration.settings(ofTopic: "no-\(topic)") }
    }

    @Test func groupOffsetsAreForToolsThatWatchLag() throws {
        let topic = try Broker.topic()
        let configuration = try Broker.configuration()
        let consumer = try KafkaConsumer(configuration, topic: topic)
        try consumer.assign([KafkaAssignment(partition: 0, offset: 0, queue: 0)])
        try consumer.commitForLag([0: 42])
        let deadline = ContinuousClock.now + .seconds(15)
        var committed: [Int32: Int64] = [:]
        while committed.isEmpty, ContinuousClock.now < deadline {
            committed = try consumer.committed(partitions: [0])
        }
        #expect(committed == [0: 42])
    }
}
