// The structured log and the progress line, as text or JSON on standard error.

import Connectors
import Contracts
import Foundation
import Progress
import Runtime

struct EventLog: Sendable {
    private let format: LogFormat
    private let level: LogLine.Level
    private let terminal: Terminal

    init(_ options: EngineOptions, _ terminal: Terminal) {
        format = options.logFormat
        self.terminal = terminal
        level =
            switch options.logLevel {
            case .error: .error
            case .warning: .warning
            case .info: .info
            case .debug: .debug
            }
    }

    /// For `RunOptions.log`.
    var line: @Sendable (LogLine) -> Void {
        { line in
            guard line.level >= level else { return }
            write(line)
        }
    }

    func started(_ name: String, _ identity: Identity, _ path: String) {
        line(
            LogLine(
                .info, "started",
                [
                    ("topology", name), ("pipeline", identity.pipelineID),
                    ("generation", String(identity.generation)),
                    ("incarnation", String(identity.incarnation, radix: 16)), ("state", path),
                ]))
    }

    func progress(_ report: ProgressReport, name: String) {
        let watermark =
            report.watermark == EventTime.never || report.watermark == EventTime.end
            ? "-" : EventLog.time(report.watermark)
        var fields = [
            ("topology", name), ("events_per_s", String(Int(report.recordsPerSecond))),
            ("events", String(report.records)), ("watermark", watermark),
            ("epoch", String(report.epoch)), ("state_bytes", String(report.stateBytes)),
            ("checkpoint_bytes", String(report.checkpointBytes)),
        ]
        if let lag = report.lag { fields.insert(("lag", String(lag)), at: 3) }
        for sink in report.waiting { fields.append(("waiting", sink)) }
        line(LogLine(.info, "progress", fields))
    }

    private static func time(_ microseconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
        return date.formatted(.iso8601.dateSeparator(.dash).timeSeparator(.colon))
    }

    private func write(_ line: LogLine) {
        let time = Date().formatted(.iso8601)
        switch format {
        case .text:
            let fields = line.fields.map { " \($0.name)=\(quoted($0.value))" }.joined()
            terminal.writeError("\(time) \(line.level.word) \(line.message)\(fields)\n")
        case .json:
            let members =
                [("time", time), ("level", line.level.word), ("message", line.message)]
                + line.fields
            let text = members.map { "\(JSONText.quoted($0.0)):\(JSONText.quoted($0.1))" }
            terminal.writeError("{\(text.joined(separator: ","))}\n")
        }
    }

    private func quoted(_ value: String) -> String {
        value.contains(" ") ? JSONText.quoted(value) : value
    }
}

extension LogLine.Level {
    var word: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}
