// One pipeline of the crash matrix: all kinds of sinks at once, small, in a folder and topics of its
// own; what it reads is shared by all, and so is the judge.

import Contracts
import Foundation
import KafkaIO
import PythonSupport
import Testing

/// What the cases of one matrix share: a broker, a topic of events, and the judge.
final class MatrixBench: Sendable {
    static let partitions = 4
    static let events = 3_000

    let servers: String
    let input: String
    let judge: MatrixJudge
    private let folder: TemporaryFolder

    init(servers: String) throws {
        self.servers = servers
        input = "matrix-\(UUID().uuidString)"
        folder = try TemporaryFolder()
        let administration = try KafkaAdministration(
            KafkaClientConfiguration(bootstrapServers: servers, properties: [:], groupID: input))
        try #require(
            try administration.createTopic(
                input, partitions: MatrixBench.partitions, replication: 1, settings: [:]))
        _ = try Python.run(
            MatrixJudge.script("matrix_events.py"),
            [folder.url.path, servers, input, "\(MatrixBench.partitions)", "\(MatrixBench.events)"])
        judge = try MatrixJudge(events: folder.path("events.csv"))
    }
}

/// A topology, its outputs and its state directory. Used by one thread.
final class MatrixRig {
    enum Kind: String, Sendable {
        /// Late and broken rows, a stateful window, an append table, an upsert table, a topic, dead
        /// letters, files.
        case everything
        /// Without state, as `--adopt` wants it: an append table, a topic, dead letters.
        case adoption
    }

    let kind: Kind
    let bench: MatrixBench
    let folder: TemporaryFolder
    let name = "matrix-\(UUID().uuidString)"
    /// By which the engine reaches the broker: the broker's own, or a proxy's.
    let servers: String
    /// Settings and options that a fault needs.
    struct Options: Sendable {
        var settings = ""
        var source = ""
        var kafkaSink = ""
        var lake: String?
        /// Between two fetches of 75 records.
        var fetchMilliseconds = 15
    }
    private let options: Options
    private(set) var starts = 0

    init(
        _ kind: Kind, _ bench: MatrixBench, servers: String? = nil, options: Options = Options()
    ) throws {
        self.kind = kind
        self.bench = bench
        self.servers = servers ?? bench.servers
        self.options = options
        folder = try TemporaryFolder()
        let administration = try KafkaAdministration(configuration)
        for (end, partitions) in MatrixRig.topics {
            let made = try administration.createTopic(
                "\(name)-\(end)", partitions: partitions, replication: 1, settings: [:])
            try #require(made)
        }
        try writeTopology()
    }

    static let topics: [(String, Int)] = [("out", 2), ("dead", 1)]

    private var configuration: KafkaClientConfiguration {
        KafkaClientConfiguration(
            bootstrapServers: bench.servers, properties: [:], groupID: name)
    }

    /// Where the tables and files are.
    var lake: String { options.lake ?? folder.path("lake") }

    func writeTopology() throws {
        try topology.write(
            to: folder.url.appending(path: "t.sql"), atomically: true, encoding: .utf8)
    }

    /// Small fetches with a few milliseconds between them: some twenty epochs, each with rows.
    private var topology: String {
        let source = """
            SET checkpoint_interval = '30 milliseconds';
            \(options.settings)
            CREATE TABLE bids (
                auction bigint NOT NULL, bidder bigint NOT NULL,
                price bigint NOT NULL CHECK (price > 0), date_time timestamptz NOT NULL
            ) USING kafka WITH (
                topic = '\(bench.input)', bootstrap_servers = '\(servers)', format = 'json',
                \(kind == .everything ? "event_time = 'date_time', watermark_delay = '1 second'," : "")
                on_error = 'dead_letter', dead_letter_topic = '\(name)-dead',
                "kafka.fetch.message.max.bytes" = '2000', "kafka.fetch.min.bytes" = '50000000',
                "kafka.fetch.wait.max.ms" = '\(options.fetchMilliseconds)'\(options.source)
            );

            CREATE MATERIALIZED VIEW high
            USING kafka WITH (topic = '\(name)-out', bootstrap_servers = '\(servers)'\(options.kafkaSink)) AS
            SELECT auction, bidder, price FROM bids WHERE price > 70000;


            """
        switch kind {
        case .everything:
            return source + """
                CREATE MATERIALIZED VIEW by_window
                USING delta WITH (location = '\(lake)/by_window') AS
                SELECT window_start, auction, count(*) AS bids, max(price) AS top
                FROM tumble(bids, date_time, INTERVAL '10 seconds')
                GROUP BY window_start, auction;

                CREATE MATERIALIZED VIEW by_auction
                USING delta WITH (location = '\(lake)/by_auction') AS
                SELECT auction, count(*) AS bids, max(price) AS top
                FROM bids GROUP BY auction HAVING count(*) % 5 <> 0;

                CREATE MATERIALIZED VIEW low
                USING files WITH (path = '\(lake)/low', format = 'json') AS
                SELECT auction, bidder, price FROM bids WHERE price <= 20000;
                """
        case .adoption:
            return source + """
                CREATE MATERIALIZED VIEW middle
                USING delta WITH (location = '\(lake)/middle') AS
                SELECT auction, bidder, price FROM bids WHERE price > 20000 AND price <= 70000;
                """
        }
    }

    // MARK: The process

    /// The failpoint log of the newest start.
    var log: URL { folder.url.appending(path: "passed-\(starts)") }
    var passed: FailpointLog { FailpointLog(log) }

    func start(
        failpoint: String? = nil, state: String = "state", arguments: [String] = ["--bounded"],
        binary: Binary = .millrace, mutant: String? = nil, variables: [String: String] = [:],
        wrapper: [String] = []
    ) throws -> RunningCommand {
        starts += 1
        return try RunningCommand(
            ["run", "t.sql", "--state", state, "--workers", "2", "--json"] + arguments,
            in: folder.url, binary: binary, failpoint: failpoint, log: log, mutant: mutant,
            variables: variables, wrapper: wrapper)
    }

    /// Starts, and kills itself at a failpoint; whether it came to that.
    func die(
        at trigger: String, state: String = "state", arguments: [String] = ["--bounded"],
        binary: Binary = .millrace, mutant: String? = nil
    ) throws -> (hasDied: Bool, ending: Ending) {
        let ending = try start(
            failpoint: trigger, state: state, arguments: arguments, binary: binary, mutant: mutant
        ).end()
        let deadly = trigger.split(separator: ",").filter { !$0.contains("=") }
        return (ending.wasKilled && deadly.contains { passed.hasReached(String($0)) }, ending)
    }

    // MARK: The verdict

    /// What is wrong after the run that ended so: with its ending, its counters, its outputs, and
    /// what it left open. Empty: nothing.
    func faults(_ ending: Ending) throws -> [String] {
        var faults: [String] = []
        var counts: (late: Int, dead: Int)?
        if ending.status == 2, ending.errors.contains("has ended") {
            // The kill fell behind the end: the last checkpoint had noted all that the sinks took.
        } else if ending.status == 0 {
            let report = try ending.report()
            if report["conserved"] as? Bool != true { faults.append("not conserved: \(report)") }
            if (report["open"] as? [Any])?.isEmpty != true { faults.append("open: \(report)") }
            if let late = report["late"] as? Int, let dead = report["dead"] as? Int {
                counts = (late, dead)
            } else {
                faults.append("no counts: \(ending)")
            }
        } else {
            return ["the last start ended with \(ending)"]
        }
        faults += try openTransactions()
        return try faults + bench.judge.faults(of: self, counts: counts)
    }

    /// What stands twice or should not stand at all, where outputs may be at different epochs.
    func doubles() throws -> [String] {
        try openTransactions() + bench.judge.faults(of: self, counts: nil, isPartial: true)
    }

    /// Partitions whose readers with read_committed are held back.
    func openTransactions() throws -> [String] {
        var open: [String] = []
        for (end, partitions) in MatrixRig.topics {
            for partition in 0..<Int32(partitions) {
                // A commit is answered before its markers stand in the partitions.
                let isClosed = try KafkaFixture.wait(within: 10) {
                    try self.end("\(name)-\(end)", partition, .readCommitted)
                        == self.end("\(name)-\(end)", partition, .readUncommitted)
                }
                if !isClosed { open.append("\(end)/\(partition): a transaction is still open") }
            }
        }
        return open
    }

    func end(
        _ topic: String, _ partition: Int32, _ isolation: KafkaIsolation
    ) throws -> Int64 {
        var failure: (any Error)?
        for _ in 0..<50 {
            do {
                return try KafkaConsumer(configuration, topic: topic, isolation: isolation)
                    .watermarks(partition: partition).end
            } catch {
                failure = error
                usleep(200_000)
            }
        }
        throw try #require(failure)
    }
}

extension FailpointLog {
    /// Whether a trigger (`name`, `name:subject`, each with `@n`) has been come by so often.
    func hasReached(_ trigger: String) -> Bool {
        let pieces = trigger.split(separator: "=")[0].split(separator: "@").map(String.init)
        let hit = pieces.count > 1 ? Int(pieces[1]) ?? 1 : 1
        let words = pieces[0].split(separator: ":", maxSplits: 1).map(String.init)
        let passes = places.count {
            $0.name == words[0] && (words.count < 2 || $0.sink == words[1])
        }
        return passes >= hit
    }
}
