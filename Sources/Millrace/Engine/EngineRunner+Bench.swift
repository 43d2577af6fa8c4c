// `millrace bench`: each query in a child process, the figures side by side.

import Contracts
import Environment
import Foundation
import Planning

extension EngineRunner {
    public func bench(_ command: BenchCommand, _ terminal: Terminal) async throws -> Int32 {
        if let part = BenchmarkPart.ofThisProcess {
            let figures = try await measure(part, command, terminal)
            let line = try JSONEncoder().encode(figures)
            terminal.write(String(decoding: line, as: UTF8.self) + "\n")
            return 0
        }
        let report = try await onThread { () throws(Failure) in
            try benchmarkReport(command, terminal)
        }
        terminal.write(command.printsJSON ? report.json : report.table)
        return 0
    }

    private func measure(
        _ part: BenchmarkPart, _ command: BenchCommand, _ terminal: Terminal
    ) async throws -> BenchmarkFigures {
        let workers = benchmarkWorkers(command)
        if part == .consume {
            return try await onThread { () throws(Failure) in
                try command.topic.runConsume(workers: workers)
            }
        }
        guard let name = command.queries?.first else { bug("a measured child without a query") }
        let query =
            command.source == .kafka
            ? command.topic.query(name)
            : .generated(name, bids: command.eventCount, partitions: workers)
        let measurement = BenchmarkMeasurement(
            plan: try query.plan(command.engine.settings), workers: workers)
        let log = EventLog(command.engine, terminal).line
        return try await onThread { () throws(Failure) in
            part == .generator
                ? try measurement.runGenerator() : try measurement.runQuery(log: log)
        }
    }

    private func benchmarkReport(
        _ command: BenchCommand, _ terminal: Terminal
    ) throws(Failure) -> BenchmarkReport {
        var ceiling: BenchmarkFigures?
        if command.source == .kafka {
            try command.topic.load(progress: terminal.writeError)
            terminal.writeError("measuring raw consumption\n")
            ceiling = try child(.consume, benchmarkQueries[0], command)
        }
        var rows: [BenchmarkRow] = []
        for name in command.queries ?? benchmarkQueries {
            terminal.writeError("measuring \(name)\n")
            var generatorSeconds = 0.0
            if command.source == .nexmark {
                generatorSeconds = try child(.generator, name, command).cpuSeconds
            }
            let figures = try child(.query, name, command)
            rows.append(
                BenchmarkRow(query: name, figures: figures, generatorSeconds: generatorSeconds))
        }
        return BenchmarkReport(
            source: command.source, workers: benchmarkWorkers(command), rows: rows,
            ceiling: ceiling)
    }

    private func benchmarkWorkers(_ command: BenchCommand) -> Int {
        command.engine.workers ?? defaultWorkers
    }

    /// Runs this binary again for one part and waits for its figures.
    private func child(
        _ part: BenchmarkPart, _ query: String, _ command: BenchCommand
    ) throws(Failure) -> BenchmarkFigures {
        var words = [
            "bench", "--queries", query, "--events", String(command.eventCount),
            "--source", command.source.rawValue,
            "--workers", String(benchmarkWorkers(command)),
        ]
        if let kafka = command.kafka { words += ["--kafka", kafka] }
        for setting in command.engine.settings {
            words += ["--set", "\(setting.name)=\(setting.value)"]
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.merging(
            [BenchmarkPart.variable: part.rawValue]) { $1 }
        ParentWatch.attach(process)
        let output = Pipe()
        process.standardOutput = output
        do {
            try process.run()
            let text = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            if process.terminationStatus == 0 {
                return try JSONDecoder().decode(BenchmarkFigures.self, from: text)
            }
        } catch {
            throw Failure(.failed, "bench.child", "could not measure \(query): \(error)")
        }
        throw Failure(
            .failed, "bench.child",
            "measuring \(query) ended with status \(process.terminationStatus)",
            hint: "what went wrong stands above")
    }
}

extension BenchCommand {
    /// Bids a query; enough for some seconds.
    var eventCount: Int { events ?? 10_000_000 }

    var topic: BenchmarkTopic {
        BenchmarkTopic(bootstrapServers: kafka ?? "localhost:9092", bids: eventCount)
    }
}
