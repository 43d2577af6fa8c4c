// A file of Tests/SQLCorpus: rows in, SQL, rows out.
//
//     # What the file shows, in a sentence.
//     ==== sql
//     CREATE TABLE t (k bigint, ts timestamptz) USING files WITH (path = 't.json', event_time =
//       'ts');
//     CREATE MATERIALIZED VIEW out USING print AS SELECT …;
//     ==== input t/0              source and partition; sections are read in this order
//     {"k": 1, "ts": "2026-01-01T00:00:00Z"}
//     ==== so far out             rows by now, windows still open
//     ==== output out             rows once all input has ended; values as text, between bars
//     1|2
//     ==== counters               sums over all operators
//     late 1
//
// `==== refused CODE` and `==== fails CODE` stand for files that must not plan, or not run through.
// `==== one order REASON` excludes a file from interleavings. A line `KEY => VALUE` of an input
// has a record key; the value `(none)` is a tombstone.

import Foundation
import Testing

struct CorpusFile: Sendable, CustomTestStringConvertible {
    let name: String
    var sql = ""
    var inputs: [InputRow] = []
    /// Rows expected once `after` input rows have been read; nil: at the end.
    var outputs: [Expected] = []
    var counters: [String: Int64] = [:]
    var refusal: String?
    var failure: String?
    var hasOneOrder = false

    struct InputRow: Sendable {
        let source: String
        let partition: Int
        let key: [UInt8]?
        let value: [UInt8]?
    }

    struct Expected: Sendable {
        let output: String
        let after: Int?
        var rows: [String] = []
    }

    var testDescription: String { name }

    /// The files of the corpus by name, those whose name contains MILLRACE_CORPUS if that is set.
    static let all: [CorpusFile] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("SQLCorpus")
        let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap {
            $0 as? String
        }
        let wanted = ProcessInfo.processInfo.environment["MILLRACE_CORPUS"]
        return (files ?? []).filter { $0.hasSuffix(".slt") }.sorted()
            .filter { name in wanted.map { name.contains($0) } ?? true }
            .map { name in
                let path = folder.appendingPathComponent(name)
                let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
                return CorpusFile(name: String(name.dropLast(4)), text: text)
            }
    }()

    init(name: String, text: String) {
        self.name = name
        var section = ""
        var words: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("==== ") {
                words = line.dropFirst(5).split(separator: " ").map(String.init)
                section = words.first ?? ""
                open(words)
            } else if section == "sql" {
                sql += line + "\n"
            } else if !line.isEmpty, !line.hasPrefix("#") {
                add(line, section, words)
            }
        }
    }

    private mutating func open(_ words: [String]) {
        switch (words[0], words.last ?? "") {
        case ("output", let name): outputs.append(Expected(output: name, after: nil))
        case ("so", let name): outputs.append(Expected(output: name, after: inputs.count))
        case ("refused", let code): refusal = code
        case ("fails", let code): failure = code
        case ("one", _): hasOneOrder = true
        default: break
        }
    }

    private mutating func add(_ line: String, _ section: String, _ words: [String]) {
        switch section {
        case "input": inputs.append(CorpusFile.row(line, of: words[1]))
        case "output", "so": outputs[outputs.count - 1].rows.append(line)
        case "counters":
            let parts = line.split(separator: " ")
            counters[String(parts[0])] = Int64(parts[1]) ?? -1
        default: preconditionFailure("\(name): \(line) stands in no section")
        }
    }

    private static func row(_ line: String, of place: String) -> InputRow {
        let parts = place.split(separator: "/")
        let partition = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let halves = line.components(separatedBy: " => ")
        let value = halves[halves.count - 1]
        return InputRow(
            source: String(parts[0]), partition: partition,
            key: halves.count == 2 ? Array(halves[0].utf8) : nil,
            value: value == "(none)" ? nil : Array(value.utf8))
    }

    /// Every order of the inputs that keeps each partition's own, if there are two partitions with
    /// at most eight rows together; else none.
    var interleavings: [[InputRow]] {
        let places = Set(inputs.map { "\($0.source)/\($0.partition)" })
        guard !hasOneOrder, places.count == 2, inputs.count <= 8 else { return [] }
        let first = "\(inputs[0].source)/\(inputs[0].partition)"
        let left = inputs.filter { "\($0.source)/\($0.partition)" == first }
        let right = inputs.filter { "\($0.source)/\($0.partition)" != first }
        return CorpusFile.merges(left[...], right[...])
    }

    private static func merges(
        _ left: ArraySlice<InputRow>, _ right: ArraySlice<InputRow>
    ) -> [[InputRow]] {
        guard let leftFirst = left.first else { return [Array(right)] }
        guard let rightFirst = right.first else { return [Array(left)] }
        return merges(left.dropFirst(), right).map { [leftFirst] + $0 }
            + merges(left, right.dropFirst()).map { [rightFirst] + $0 }
    }
}
