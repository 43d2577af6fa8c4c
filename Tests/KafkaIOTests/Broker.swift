// The real broker of the tests: MILLRACE_KAFKA=HOST:PORT, started by scripts/test.

import Columns
import Contracts
import Foundation
import KafkaIO
import Testing

enum Broker {
    /// nil: there is none.
    static let servers = ProcessInfo.processInfo.environment["MILLRACE_KAFKA"]
    /// Whether tests that need it run; where nothing may be skipped they run and fail.
    static let isWanted =
        servers != nil || ProcessInfo.processInfo.environment["MILLRACE_NO_SKIP"] == "1"

    static func configuration(_ properties: [String: String] = [:]) throws
        -> KafkaClientConfiguration
    {
        let servers = try #require(servers, "MILLRACE_KAFKA names no broker")
        return KafkaClientConfiguration(
            bootstrapServers: servers, properties: properties, groupID: "millrace-\(UUID())")
    }

    /// A new topic, with a name of its own.
    static func topic(
        partitions: Int = 1, _ settings: [String: String] = [:]
    ) throws -> String {
        let name = "wire-\(UUID())"
        let made = try KafkaAdministration(configuration())
            .createTopic(name, partitions: partitions, replication: 1, settings: settings)
        #expect(made)
        return name
    }
}

/// Messages as text, so that a test shows what it expects.
struct Received: Equatable {
    var values: [Int32: [String]] = [:]
    var offsets: [Int32: [Int64]] = [:]
    var next: [Int32: Int64] = [:]
    var ended: Set<Int32> = []
    var lost: [Int32] = []
    var failures: [String] = []

    mutating func take(_ poll: KafkaPoll) {
        let messages = poll.messages
        for message in 0..<messages.count {
            let partition = messages.partitions[message]
            values[partition, default: []].append(
                messages.value(message).map { String(decoding: $0, as: UTF8.self) } ?? "∅")
            offsets[partition, default: []].append(messages.offsets[message])
        }
        for position in poll.positions {
            next[position.partition] = position.next
            if position.isEnd { ended.insert(position.partition) } else {
                ended.remove(position.partition)
            }
        }
        for event in poll.events {
            if case .offsetLost(let partition, _) = event { lost.append(partition) }
            failures.append(event.failure.code)
        }
    }
}

extension KafkaQueue {
    /// Polls until `isDone` or ten seconds have passed.
    func receive(
        into received: inout Received, until isDone: (Received) -> Bool
    ) {
        let deadline = ContinuousClock.now + .seconds(10)
        while !isDone(received), ContinuousClock.now < deadline {
            received.take(poll(maximumMessages: 1000, timeout: .milliseconds(20)))
        }
    }

    func receive(until isDone: (Received) -> Bool) -> Received {
        var received = Received()
        receive(into: &received, until: isDone)
        return received
    }
}

extension KafkaProducer {
    func send(
        _ topic: String, _ values: [String], partition: Int32 = 0, key: String? = nil
    ) throws {
        for value in values {
            let refused = try produce(
                KafkaRecord(
                    topic: topic, partition: partition, key: key.map { Array($0.utf8) },
                    value: Array(value.utf8)))
            #expect(refused == nil)
        }
    }
}

extension KafkaTransactionOutcome {
    var isDone: Bool { if case .done = self { true } else { false } }
    var mustAbort: Failure? { if case .mustAbort(let failure) = self { failure } else { nil } }
    var fatal: Failure? { if case .fatal(let failure) = self { failure } else { nil } }
}
