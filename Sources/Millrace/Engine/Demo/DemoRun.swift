// The demo from start to verdict. One thread drives it; the broker, the bids and the children's
// logs have their own.

import Contracts
import DeltaTable
import Foundation
import Glibc
import KafkaIO
import Runtime

struct DemoRun {
    private let command: DemoCommand
    private let terminal: Terminal
    private let stop: StopRequest
    private let folder: DemoFolder
    private let topology: String
    private let events: Int
    private let begun = ContinuousClock.now

    /// Small enough for the embedded broker's memory and a minute, large enough for many windows.
    static let defaultEvents = 120_000
    /// The child's checkpoints: each a chance for the kill to fall between.
    private static let checkpointInterval = "1 second"
    /// A process that does not come so far in this time never will.
    private static let patience = Duration.seconds(60)

    init(_ command: DemoCommand, _ terminal: Terminal, _ stop: StopRequest) throws(Failure) {
        self.command = command
        self.terminal = terminal
        self.stop = stop
        events = command.events ?? DemoRun.defaultEvents
        topology = try DemoFolder.topology()
        folder = try DemoFolder()
    }

    func run() throws(Failure) -> Int32 {
        let broker = try DemoBroker(command.kafka, events: events, folder: folder)
        defer { broker.close() }
        let producer = DemoProducer(broker, count: events, stop: stop)
        say(
            "broker    \(broker.configuration.bootstrapServers)"
                + (broker.isEmbedded ? ", embedded in this process" : "")
                + ", topic \(broker.topic), \(broker.partitions) partitions")
        say(
            "bids      \(DemoText.grouped(events)) in \(events / producer.rate) s, "
                + "some late, some broken")
        say("topology  \(topology), run as its own process, tables in \(folder.lake)\n")
        producer.start()
        try runAndKill(broker, producer)
        try runToTheEnd(of: producer, broker)
        let report = try finish(broker)
        guard !stop.isRequested else { return 130 }
        let verdict = try judge(producer.expectation, report)
        return try verify(broker) && verdict == 0 ? 0 : 1
    }

    /// `millrace verify`, while the bids can still be read again.
    private func verify(_ broker: DemoBroker) throws(Failure) -> Bool {
        let child = try process(
            broker, ["verify", topology, "--state", folder.state, "--log-format", "json"],
            onLine: { _ in })
        defer { child.end() }
        guard child.waits(seconds: 60) else {
            throw Failure(.failed, "demo.verify", "millrace verify did not end within a minute")
        }
        say("\nmillrace verify \(topology):\n\n" + child.text())
        return child.status == 0
    }

    /// The first process: killed when half of the bids are sent and some epochs are committed.
    private func runAndKill(_ broker: DemoBroker, _ producer: DemoProducer) throws(Failure) {
        let progress = DemoProgress(show)
        let child = try start(broker, [], progress)
        defer { child.end() }
        let deadline = ContinuousClock.now + DemoRun.patience + .seconds(events / producer.rate)
        while try producer.sent() < events / 2 || progress.current.epoch < 3 {
            if stop.isRequested { return }
            try watch(child, progress, deadline)
        }
        child.send(SIGKILL)
        guard child.waits(seconds: 5) else {
            throw Failure(.failed, "demo.kill", "the process survived kill -9")
        }
        say(
            "\nkill -9 \(child.identifier) in epoch \(progress.current.epoch + 1), with "
                + "\(DemoText.grouped(try producer.sent())) bids sent; started again:\n")
    }

    /// The second process: up to the last bid, then stopped by SIGTERM.
    private func runToTheEnd(
        of producer: DemoProducer, _ broker: DemoBroker
    ) throws(Failure) {
        guard !stop.isRequested else { return }
        let progress = DemoProgress(show)
        let child = try start(broker, [], progress)
        defer { child.end() }
        let deadline = ContinuousClock.now + DemoRun.patience + .seconds(events / producer.rate)
        while !producer.isDone || progress.current.epoch == 0 {
            _ = try producer.sent()
            if stop.isRequested { return }
            try watch(child, progress, deadline)
        }
        child.send(SIGTERM)
        guard child.waits(seconds: 15) else {
            throw failed(child, progress, "did not end within 15 s of SIGTERM")
        }
        guard child.status == 0 else {
            throw failed(child, progress, "ended with \(child.status) after SIGTERM")
        }
        say("\nSIGTERM: a final checkpoint, exit 0. What is left, as a bounded run:\n")
    }

    /// The third process reads what is left and closes all windows.
    private func finish(_ broker: DemoBroker) throws(Failure) -> JSONValue {
        guard !stop.isRequested else { return .null }
        let progress = DemoProgress(show)
        let child = try start(broker, ["--bounded", "--json"], progress)
        defer { child.end() }
        let deadline = ContinuousClock.now + DemoRun.patience
        while child.isRunning {
            if stop.isRequested { return .null }
            guard ContinuousClock.now < deadline else {
                throw failed(child, progress, "did not reach the end of the topic in time")
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        _ = child.waits(seconds: 1)
        guard child.status == 0, let line = child.text().split(separator: "\n").last else {
            throw failed(child, progress, "ended with \(child.status)")
        }
        return try JSONValue(parsing: String(line))
    }

    private func start(
        _ broker: DemoBroker, _ more: [String], _ progress: DemoProgress
    ) throws(Failure) -> DemoProcess {
        var arguments = [
            "run", topology, "--state", folder.state, "--log-format", "json",
            "--set", "checkpoint_interval=\(DemoRun.checkpointInterval)",
        ]
        if let workers = command.engine.workers { arguments += ["--workers", String(workers)] }
        return try process(broker, arguments + more, onLine: progress.take)
    }

    private func process(
        _ broker: DemoBroker, _ arguments: [String],
        onLine: @escaping @Sendable (String) -> Void
    ) throws(Failure) -> DemoProcess {
        try DemoProcess(
            arguments: arguments,
            environment: [
                "KAFKA_BOOTSTRAP_SERVERS": broker.configuration.bootstrapServers,
                "BIDS_TOPIC": broker.topic, "LAKE": folder.lake,
            ], onLine: onLine)
    }

    /// A moment's wait for a child that must not end by itself.
    private func watch(
        _ child: DemoProcess, _ progress: DemoProgress, _ deadline: ContinuousClock.Instant
    ) throws(Failure) {
        guard child.isRunning else {
            _ = child.waits(seconds: 1)
            throw failed(child, progress, "ended with \(child.status)")
        }
        guard ContinuousClock.now < deadline else {
            throw failed(child, progress, "came to epoch \(progress.current.epoch) only")
        }
        Thread.sleep(forTimeInterval: 0.05)
    }

    private func failed(
        _ child: DemoProcess, _ progress: DemoProgress, _ what: String
    ) -> Failure {
        let messages = progress.current.messages.joined(separator: "\n    ")
        return Failure(
            .failed, "demo.run",
            "millrace run \(what)" + (messages.isEmpty ? "" : "; its log:\n    \(messages)"),
            hint: "its state and tables are under \(folder.path)")
    }

    private func judge(
        _ expected: DemoExpectation, _ report: JSONValue
    ) throws(Failure) -> Int32 {
        let found = try DemoTables(lake: folder.lake)
        let verdict = DemoVerdict(
            expected: expected, found: found, engineLate: report["late"]?.int64 ?? -1,
            isConserved: report["conserved"]?.bool ?? false)
        say(
            "\nhot_auctions: \(DemoText.grouped(found.rows)) rows in \(found.files) files, version "
                + "\(found.version); the busiest:\n")
        terminal.write(verdict.topRows(8) + "\n" + verdict.comparison + "\n")
        let seconds = Int(begun.duration(to: .now) / .seconds(1))
        guard verdict.isRight else {
            say("verdict: WRONG: the tables are not what was sent (\(seconds) s)")
            return 1
        }
        say(
            "verdict: exact: every bid stands in one place, once, across a kill -9 "
                + "(\(seconds) s)\n\nLook around:\n"
                + "  millrace table show \(folder.lake)/hot_auctions\n"
                + "  millrace table history \(folder.lake)/hot_auctions --limit 5\n"
                + "  millrace checkpoint list --state \(folder.state)")
        return 0
    }

    private func say(_ text: String) { terminal.write(text + "\n") }

    private var show: @Sendable (String) -> Void {
        let terminal = terminal
        let begun = begun
        return { line in
            let tenths = Int(begun.duration(to: .now) / .milliseconds(100))
            let time = DemoText.padded("\(tenths / 10).\(tenths % 10)", 6)
            terminal.write("\(time) s \(line)\n")
        }
    }
}
