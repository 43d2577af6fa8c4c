// The last line of a run: what was read, what became of it, where it lies.

import Contracts
import Progress
import Runtime

struct RunReport {
    private let summary: RunSummary

    init(_ summary: RunSummary) { self.summary = summary }

    func text(asJSON: Bool) -> String { asJSON ? json + "\n" : words + "\n" }

    private var words: String {
        let outputs = summary.outputs.map { output in
            let version = output.version.map { ", version \($0)" } ?? ""
            return "\(output.name) \(output.rows) rows in \(output.commits) commits\(version)"
        }
        var parts = ["epoch \(summary.epoch)"] + outputs
        parts.append("late \(summary.lateRows), dead \(summary.deadRows)")
        for target in summary.openEpochs {
            let epochs = target.epochs.map(String.init).joined(separator: ", ")
            parts.append("left open for \(target.name): epochs \(epochs)")
        }
        for place in summary.imbalances {
            parts.append("NOT CONSERVED at \(place.place): \(place.difference)")
        }
        return parts.joined(separator: "; ")
    }

    private var json: String {
        let sources = summary.sources.map { source in
            let offsets = source.offsets.map {
                "{\"partition\":\(JSONText.quoted($0.partition)),\"next\":\($0.next)}"
            }
            let counters = source.counters.sorted { $0.key < $1.key }.map {
                "\(JSONText.quoted($0.key)):\($0.value)"
            }
            return "{\"name\":\(JSONText.quoted(source.name)),\(counters.joined(separator: ","))"
                + "\(counters.isEmpty ? "" : ",")\"late\":\(source.late),"
                + "\"dead\":\(source.dead),\"filtered\":\(source.filtered),"
                + "\"offsets\":[\(offsets.joined(separator: ","))]}"
        }
        let outputs = summary.outputs.map { output in
            let digest = output.digest.map { JSONText.quoted(RunReport.hexadecimal($0)) }
            return "{\"name\":\(JSONText.quoted(output.name)),\"rows\":\(output.rows),"
                + "\"commits\":\(output.commits),"
                + "\"version\":\(output.version.map(String.init) ?? "null"),"
                + "\"digest\":\(digest ?? "null")}"
        }
        let operators = summary.operators.map { place in
            let counts = place.counts.map { "\"\($0.name)\":\($0.count)" }
            return "{\"node\":\(place.node),\"kind\":\(JSONText.quoted(place.kind)),"
                + "\(counts.joined(separator: ","))}"
        }
        let open = summary.openEpochs.map { target in
            "{\"name\":\(JSONText.quoted(target.name)),"
                + "\"epochs\":[\(target.epochs.map(String.init).joined(separator: ","))]}"
        }
        return "{\"epoch\":\(summary.epoch),\"sources\":[\(sources.joined(separator: ","))],"
            + "\"outputs\":[\(outputs.joined(separator: ","))],"
            + "\"operators\":[\(operators.joined(separator: ","))],\"late\":\(summary.lateRows),"
            + "\"dead\":\(summary.deadRows),\"open\":[\(open.joined(separator: ","))],"
            + "\"conserved\":\(summary.imbalances.isEmpty)}"
    }

    /// Sixteen digits.
    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
