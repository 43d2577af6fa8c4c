// The report of `bench`: a table for people, one JSON object for scripts.

import Contracts
import Environment
import Foundation

package struct BenchmarkReport {
    private let source: BenchCommand.Source
    private let workers: Int
    private let rows: [BenchmarkRow]
    /// Reading the same topic with the Kafka client alone; nil from the generator.
    private let ceiling: BenchmarkFigures?

    package init(
        source: BenchCommand.Source, workers: Int, rows: [BenchmarkRow],
        ceiling: BenchmarkFigures?
    ) {
        self.source = source
        self.workers = workers
        self.rows = rows
        self.ceiling = ceiling
    }

    /// How far the query comes towards the client's own rate, by CPU.
    private func ratio(_ row: BenchmarkRow) -> Double? {
        ceiling.map { $0.nanosecondsPerEvent / max(row.nanosecondsPerEvent, 1e-9) }
    }

    package var table: String {
        var lines = [
            ["query", "events", "events/s", "CPU ns/event", "events/CPU s", "peak memory"]
                + (ceiling == nil ? ["generator ns"] : ["of raw"])
        ]
        if let ceiling { lines.append(ceilingCells(ceiling)) }
        lines += rows.map(cells)
        let widths = lines[0].indices.map { column in
            lines.map { $0[column].count }.max() ?? 0
        }
        let text = lines.map { line in
            zip(line, widths).enumerated().map { index, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return index == 0 ? cell.0 + space : space + cell.0
            }.joined(separator: "  ")
        }
        return (text + notes).joined(separator: "\n") + "\n"
    }

    private func cells(_ row: BenchmarkRow) -> [String] {
        let generator =
            row.generatorSeconds * 1e9 / Double(max(row.figures.events, 1))
        return [
            row.query, String(row.figures.events), rounded(row.eventsPerSecond),
            rounded(row.nanosecondsPerEvent), rounded(row.eventsPerCPUSecond),
            mebibytes(row.figures.peakMemoryBytes),
            ratio(row).map { rounded($0 * 100) + " %" } ?? rounded(generator),
        ]
    }

    private func ceilingCells(_ figures: BenchmarkFigures) -> [String] {
        [
            "raw consume", String(figures.events),
            rounded(Double(figures.events) / max(figures.seconds, 1e-9)),
            rounded(figures.nanosecondsPerEvent),
            rounded(Double(figures.events) / max(figures.cpuSeconds, 1e-9)),
            mebibytes(figures.peakMemoryBytes), "100 %",
        ]
    }

    private var notes: [String] {
        var notes = ["\(workers) worker\(workers == 1 ? "" : "s"); \(BenchmarkReport.machine)"]
        if let ceiling, ceiling.events > 0 {
            notes.append("\(ceiling.valueBytes / ceiling.events) bytes a record")
        } else {
            notes.append("CPU is the process's without what the generator takes alone")
        }
        if BenchmarkReport.isDebugBuild {
            notes.append("This is a debug build: build with -c release to measure.")
        }
        return notes
    }

    private func rounded(_ number: Double) -> String { String(Int64(number.rounded())) }
    private func mebibytes(_ bytes: Int64) -> String { "\(bytes >> 20) MiB" }

    package var json: String {
        var fields = [
            "\"version\":\(JSONText.quoted(millraceVersion))",
            "\"debug_build\":\(BenchmarkReport.isDebugBuild)",
            "\"machine\":\(JSONText.quoted(BenchmarkReport.machine))",
            "\"source\":\(JSONText.quoted(source.rawValue))", "\"workers\":\(workers)",
        ]
        if let ceiling {
            fields.append(
                "\"raw_consume\":{\(common(ceiling)),"
                    + "\"cpu_ns_per_event\":\(decimal(ceiling.nanosecondsPerEvent)),"
                    + "\"value_bytes\":\(ceiling.valueBytes)}")
        }
        fields.append("\"queries\":[\(rows.map(json).joined(separator: ","))]")
        return "{\(fields.joined(separator: ","))}\n"
    }

    private func json(_ row: BenchmarkRow) -> String {
        var fields = [
            "\"query\":\(JSONText.quoted(row.query))", common(row.figures),
            "\"generator_cpu_seconds\":\(decimal(row.generatorSeconds))",
            "\"cpu_ns_per_event\":\(decimal(row.nanosecondsPerEvent))",
            "\"events_per_cpu_second\":\(decimal(row.eventsPerCPUSecond))",
            "\"output_rows\":\(row.figures.outputRows)",
            "\"checkpoints\":\(row.figures.checkpoints)",
            "\"checkpoint_bytes\":\(row.figures.checkpointBytes)",
        ]
        if let ratio = ratio(row) { fields.append("\"ratio_to_raw\":\(decimal(ratio))") }
        return "{\(fields.joined(separator: ","))}"
    }

    private func common(_ figures: BenchmarkFigures) -> String {
        "\"events\":\(figures.events),\"seconds\":\(decimal(figures.seconds)),"
            + "\"events_per_second\":"
            + decimal(Double(figures.events) / max(figures.seconds, 1e-9))
            + ",\"cpu_seconds\":\(decimal(figures.cpuSeconds)),"
            + "\"peak_memory_bytes\":\(figures.peakMemoryBytes)"
    }

    private func decimal(_ number: Double) -> String { String(format: "%.3f", number) }

    static var isDebugBuild: Bool {
        #if DEBUG
            true
        #else
            false
        #endif
    }

    /// The processor's name and how many cores this process may use.
    static var machine: String {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = lines.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = model?.split(separator: ":", maxSplits: 1).last.map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return "\(name ?? "unknown processor"), \(cores) cores"
    }
}
