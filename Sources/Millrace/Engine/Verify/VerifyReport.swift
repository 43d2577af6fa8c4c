// What `millrace verify` found, for people and for scripts.

import Connectors
import Contracts
import Progress

/// One output, checked.
struct VerifiedOutput: Sendable {
    let name: String
    /// A table's log: first version that was read, newest, commits of ours, live files of ours.
    var log: (first: Int64, newest: Int64, commits: Int, files: Int)?
    /// Rows that are there, and rows that the same input makes again.
    var rows: RowsDigest?
    var recomputed: RowsDigest?
    /// What does not agree, the first one first.
    var differences: [String] = []
    /// What could not be compared, and why.
    var notes: [String] = []

    var agrees: Bool { differences.isEmpty }
}

struct VerifyReport: Sendable {
    let outputs: [VerifiedOutput]
    /// Where reading began (nil: not known) and where it stands.
    let ranges: [(begin: Int64?, position: PartitionOffset)]

    var agrees: Bool { outputs.allSatisfy(\.agrees) }

    /// The first difference of all.
    var first: String? {
        outputs.lazy.compactMap { output in
            output.differences.first.map { "\(output.name): \($0)" }
        }.first
    }

    private static let shownDifferences = 10

    var text: String {
        var lines: [String] = []
        for output in outputs {
            var facts: [String] = []
            if let log = output.log {
                facts.append("versions \(log.first) to \(log.newest), \(log.commits) commits")
                facts.append("\(log.files) files")
            }
            if let rows = output.rows { facts.append("\(rows.count) rows") }
            if let again = output.recomputed { facts.append("\(again.count) recomputed") }
            let verdict = output.agrees ? "agrees" : "DIFFERS"
            lines.append("\(output.name): \((facts + [verdict]).joined(separator: ", "))")
            let shown = output.differences.prefix(VerifyReport.shownDifferences)
            lines += shown.map { "  difference: \($0)" }
            if output.differences.count > shown.count {
                lines.append("  and \(output.differences.count - shown.count) more")
            }
            lines += output.notes.map { "  not compared: \($0)" }
        }
        for range in ranges {
            let begin = range.begin.map(String.init) ?? "?"
            lines.append(
                "\(range.position.source)/\(range.position.partition): offsets \(begin) to "
                    + "\(range.position.next)")
        }
        lines.append(
            first.map { "verify: DIFFERENT: \($0)" }
                ?? "verify: offsets, epochs and rows agree")
        return lines.joined(separator: "\n") + "\n"
    }

    var json: String {
        func list(_ texts: [String]) -> String {
            "[\(texts.map(JSONText.quoted).joined(separator: ","))]"
        }
        func number(_ value: Int64?) -> String { value.map(String.init) ?? "null" }
        let outputs = outputs.map { output in
            "{\"name\":\(JSONText.quoted(output.name)),\"agrees\":\(output.agrees),"
                + "\"first_version\":\(number(output.log?.first)),"
                + "\"version\":\(number(output.log?.newest)),"
                + "\"commits\":\(number(output.log.map { Int64($0.commits) })),"
                + "\"files\":\(number(output.log.map { Int64($0.files) })),"
                + "\"rows\":\(number(output.rows?.count)),"
                + "\"recomputed_rows\":\(number(output.recomputed?.count)),"
                + "\"differences\":\(list(output.differences)),"
                + "\"not_compared\":\(list(output.notes))}"
        }
        let sources = ranges.map { range in
            "{\"source\":\(JSONText.quoted(range.position.source)),"
                + "\"partition\":\(JSONText.quoted(range.position.partition)),"
                + "\"from\":\(number(range.begin)),\"to\":\(range.position.next)}"
        }
        return "{\"agrees\":\(agrees),\"first\":\(first.map(JSONText.quoted) ?? "null"),"
            + "\"outputs\":[\(outputs.joined(separator: ","))],"
            + "\"sources\":[\(sources.joined(separator: ","))]}\n"
    }
}
