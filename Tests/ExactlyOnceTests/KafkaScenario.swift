// Kafka in, two Delta tables, a topic and dead letters out: the main job, on a real broker.

import Contracts
import Foundation
import KafkaIO
import PythonSupport
import Testing

/// Events in four partitions, some late, some broken, all made by a script that the engine never
/// sees.
final class KafkaScenario {
    static let servers = ProcessInfo.processInfo.environment["MILLRACE_KAFKA"]
    static let isWanted =
        servers != nil || ProcessInfo.processInfo.environment["MILLRACE_NO_SKIP"] == "1"
    static let partitions = 4
    static let sinks: Set<String> = ["by_window", "by_auction", "kafka"]

    let folder: TemporaryFolder
    let name = "kill-\(UUID().uuidString)"
    let servers: String
    private(set) var starts = 0
    private(set) var falls: [Fall] = []

    init(events: Int) throws {
        servers = try #require(KafkaScenario.servers, "MILLRACE_KAFKA names no broker")
        folder = try TemporaryFolder()
        let administration = try KafkaAdministration(
            KafkaClientConfiguration(
                bootstrapServers: servers, properties: [:], groupID: name))
        for (topic, partitions) in [("in", KafkaScenario.partitions), ("out", 2), ("dead", 1)] {
            let made = try administration.createTopic(
                "\(name)-\(topic)", partitions: partitions, replication: 1, settings: [:])
            try #require(made)
        }
        try topology.write(
            to: folder.url.appending(path: "t.sql"), atomically: true, encoding: .utf8)
        _ = try Python.run(
            KafkaScenario.generator,
            [folder.url.path, servers, "\(name)-in", String(KafkaScenario.partitions), "\(events)"])
    }

    /// Small fetches with a second between them: the run lasts until all kills have fallen.
    private var topology: String {
        """
        SET checkpoint_interval = '100 milliseconds';

        CREATE TABLE bids (
            auction bigint NOT NULL, bidder bigint NOT NULL, price bigint NOT NULL CHECK (price > 0),
            date_time timestamptz NOT NULL
        ) USING kafka WITH (
            topic = '\(name)-in', bootstrap_servers = '\(servers)', format = 'json',
            event_time = 'date_time', watermark_delay = '1 second',
            on_error = 'dead_letter', dead_letter_topic = '\(name)-dead',
            "kafka.queued.min.messages" = '1', "kafka.fetch.message.max.bytes" = '400000'
        );

        CREATE MATERIALIZED VIEW by_window
        USING delta WITH (location = '\(folder.path("by_window"))') AS
        SELECT window_start, auction, count(*) AS bids, max(price) AS top
        FROM tumble(bids, date_time, INTERVAL '10 seconds')
        GROUP BY window_start, auction;

        CREATE MATERIALIZED VIEW by_auction
        USING delta WITH (location = '\(folder.path("by_auction"))') AS
        SELECT auction, count(*) AS bids, max(price) AS top
        FROM bids GROUP BY auction HAVING count(*) % 5 <> 0;

        CREATE MATERIALIZED VIEW high
        USING kafka WITH (topic = '\(name)-out', bootstrap_servers = '\(servers)') AS
        SELECT auction, bidder, price, date_time FROM bids WHERE price > 90000;
        """
    }

    var log: URL { folder.url.appending(path: "passed-\(starts)") }

    func start(
        failpoint: String? = nil, binary: Binary = .millrace, mutant: String? = nil
    ) throws -> RunningCommand {
        starts += 1
        return try RunningCommand(
            ["run", "t.sql", "--bounded", "--state", "state", "--workers", "2", "--json"],
            in: folder.url, binary: binary, failpoint: failpoint, log: log, mutant: mutant)
    }

    func note(isRandom: Bool) { falls.append(FailpointLog(log).fall(isRandom: isRandom)) }

    func differences(late: Int, dead: Int) throws -> [String] {
        try Python.lines(
            Oracle.tableFaults + KafkaScenario.judge,
            [folder.url.path, servers, name, String(late), String(dead)])
    }

    /// Writes events to the topic (kcat) and the sound ones to `events.csv`.
    private static let generator = script("kafka_events.py")

    /// What is wrong, a line each.
    private static let judge = script("kafka_judge.py")

    /// A script beside this file; empty, which fails whoever runs it, if it is not there.
    private static func script(_ name: String) -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let url = folder.appendingPathComponent("Python/\(name)")
        return (try? String(contentsOf: url, encoding: .utf8)) ?? "raise SystemExit('no script')"
    }
}
