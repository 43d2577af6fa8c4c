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
        guard let name = command.queries?.first else { bug("a measured child without a query") }
        let query = BenchmarkQuery.generated(
            name, bids: command.eventCount, partitions: benchmarkWorkers(command))
        let measurement = BenchmarkMeasurement(
            plan: try query.plan(command.engine.settings), workers: benchmarkWorkers(command))
        let log = EventLog(command.engine, terminal).line
        return try await onThread { () throws(Failure) in
            switch part {
            case .query: try measurement.runQuery(log: log)
            case .generator: try measurement.runGenerator()
            }
        }
    }

    private func benchmarkReport(
        _ command: BenchCommand, _ terminal: Terminal
    ) throws(Failure) -> BenchmarkReport {
        guard command.source == .nexmark else {
            throw Failure(
                .invalid, "usage.unavailable", "this build cannot measure from a topic",
                hint: "millrace bench measures from the generator in this process")
        }
        var rows: [BenchmarkRow] = []
        for name in command.queries ?? benchmarkQueries {
            terminal.writeError("measuring \(name)\n")
            let generator = try child(.generator, name, command)
            let figures = try child(.query, name, command)
            rows.append(
                BenchmarkRow(
                    query: name, figures: figures, generatorSeconds: generator.cpuSeconds))
        }
        return BenchmarkReport(
            source: command.source, workers: benchmarkWorkers(command), rows: rows, ceiling: nil)
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
}
