// The smallest topology from a topic to a topic, for cases that need a broker and a whole process.

import Columns
import Contracts
import Foundation
import KafkaIO
import PythonSupport
import Testing

/// `SELECT n FROM numbers` from `…-in` to `…-out`: what came out is what went in, each once.
final class KafkaFixture {
    let folder: TemporaryFolder
    let name = "case-\(UUID().uuidString)"
    let servers: String
    /// Of the test's own clients, and of both tables of the topology.
    let properties: [String: String]
    private(set) var starts = 0

    init(
        partitions: Int = 1, servers own: String? = nil, properties: [String: String] = [:],
        in settings: [String: String] = [:]
    ) throws {
        servers = try own ?? #require(KafkaScenario.servers, "MILLRACE_KAFKA names no broker")
        self.properties = properties
        folder = try TemporaryFolder()
        try makeTopic("in", partitions: partitions, settings)
        try makeTopic("out")
        try writeTopology()
    }

    func topic(_ end: String) -> String { "\(name)-\(end)" }

    var configuration: KafkaClientConfiguration {
        KafkaClientConfiguration(
            bootstrapServers: servers, properties: properties, groupID: name)
    }

    var administration: KafkaAdministration {
        get throws { try KafkaAdministration(configuration) }
    }

    func makeTopic(
        _ end: String, partitions: Int = 1, _ settings: [String: String] = [:]
    ) throws {
        let made = try administration.createTopic(
            topic(end), partitions: partitions, replication: 1, settings: settings)
        try #require(made)
    }

    /// Options are given as in `WITH`, each behind a comma.
    func writeTopology(source: String = "", sink: String = "") throws {
        let passed = properties.sorted { $0.key < $1.key }
            .map { ", \"kafka.\($0.key)\" = '\($0.value)'" }.joined()
        let text = """
            SET checkpoint_interval = '100 milliseconds';

            CREATE TABLE numbers (n bigint NOT NULL) USING kafka WITH (
                topic = '\(topic("in"))', bootstrap_servers = '\(servers)',
                format = 'json'\(source)\(passed)
            );

            CREATE MATERIALIZED VIEW copies USING kafka WITH (
                topic = '\(topic("out"))', bootstrap_servers = '\(servers)'\(sink)\(passed)
            ) AS SELECT n FROM numbers;
            """
        try text.write(to: folder.url.appending(path: "t.sql"), atomically: true, encoding: .utf8)
    }

    // MARK: what goes in

    static func text(_ numbers: some Sequence<Int>) -> [String] {
        numbers.map { "{\"n\":\($0)}" }
    }

    func send(_ numbers: some Sequence<Int>, partition: Int32 = 0) throws {
        try send(KafkaFixture.text(numbers), to: "in", partition: partition)
    }

    /// nil: a tombstone.
    func send(
        _ values: [String?], to end: String, partition: Int32 = 0, key: String? = nil
    ) throws {
        try sendBytes(
            values.map { $0.map { Array($0.utf8) } }, to: end, partition: partition, key: key)
    }

    func sendBytes(
        _ values: [[UInt8]?], to end: String, partition: Int32 = 0, key: String? = nil
    ) throws {
        let producer = try KafkaProducer(configuration)
        for value in values {
            let refusal = try producer.produce(
                KafkaRecord(
                    topic: topic(end), partition: partition, key: key.map { Array($0.utf8) },
                    value: value))
            try #require(refusal == nil)
        }
        try #require(producer.flush(timeout: .seconds(20)))
        try #require(producer.counts.isComplete)
    }

    // MARK: what comes out

    /// Behind the last record that a reader with read_committed gets.
    func stableEnd(_ end: String, partition: Int32 = 0) throws -> Int64 {
        try ends(end, partition, .readCommitted).end
    }

    /// A broker that has just come up, or a topic just made, may not be known at once.
    private func ends(
        _ end: String, _ partition: Int32, _ isolation: KafkaIsolation
    ) throws -> (low: Int64, end: Int64) {
        var failure: (any Error)?
        for _ in 0..<50 {
            do {
                return try KafkaConsumer(configuration, topic: topic(end), isolation: isolation)
                    .watermarks(partition: partition)
            } catch {
                failure = error
                usleep(200_000)
            }
        }
        throw try #require(failure)
    }

    /// What `committed` gives once no transaction hides anything: a commit is answered before its
    /// markers stand in the partitions.
    func settled(_ end: String = "out", partition: Int32 = 0) throws -> [String] {
        let isSettled = try KafkaFixture.wait {
            let written = try ends(end, partition, .readUncommitted).end
            return try stableEnd(end, partition: partition) == written
        }
        try #require(isSettled, "a transaction is still open")
        return try committed(end, partition: partition)
    }

    /// Values of one partition as a reader with read_committed gets them now.
    func committed(_ end: String = "out", partition: Int32 = 0) throws -> [String] {
        let consumer = try KafkaConsumer(
            configuration, topic: topic(end), isolation: .readCommitted)
        let (low, last) = try ends(end, partition, .readCommitted)
        guard low < last else { return [] }
        try consumer.assign([KafkaAssignment(partition: partition, offset: low, queue: 0)])
        var values: [String] = []
        var next = low
        let deadline = ContinuousClock.now + .seconds(20)
        while next < last {
            try #require(ContinuousClock.now < deadline, "read up to \(next) of \(last)")
            let poll = consumer.queues[0].poll(maximumMessages: 1000, timeout: .milliseconds(20))
            for message in 0..<poll.messages.count {
                values.append(
                    poll.messages.value(message).map { String(decoding: $0, as: UTF8.self) } ?? "∅")
            }
            next = poll.positions.last?.next ?? next
        }
        return values
    }

    /// Waits until a condition holds; false: not within the time.
    static func wait(
        within seconds: Double = 30, until isDone: () throws -> Bool
    ) rethrows -> Bool {
        let deadline = Date.now.addingTimeInterval(seconds)
        while try !isDone() {
            guard Date.now < deadline else { return false }
            usleep(50_000)
        }
        return true
    }

    // MARK: the process

    var log: URL { folder.url.appending(path: "passed-\(starts)") }
    var passed: FailpointLog { FailpointLog(log) }

    func start(
        _ more: [String] = [], failpoint: String? = nil, binary: Binary = .millrace,
        mutant: String? = nil, variables: [String: String] = [:]
    ) throws -> RunningCommand {
        starts += 1
        return try RunningCommand(
            ["run", "t.sql", "--state", "state", "--workers", "2", "--json"] + more,
            in: folder.url, binary: binary, failpoint: failpoint, log: log, mutant: mutant,
            variables: variables)
    }

    /// Runs up to the present end.
    func catchUp(_ more: [String] = []) throws -> Ending {
        try start(["--available-now"] + more).end()
    }

    /// The id under which this topology's process is known, as its log says.
    static func pipelineID(_ ending: Ending) throws -> String {
        let word = ending.errors.split(whereSeparator: \.isWhitespace)
            .first { $0.hasPrefix("pipeline=") }
        return String(try #require(word).dropFirst("pipeline=".count))
    }
}
