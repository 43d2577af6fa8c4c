// Recordings of the real Debezium through the whole engine: what the last row of a key knows, a
// record need not carry.

import Foundation
import PythonSupport
import Testing

@Suite(.enabled(if: Shared.isUsable, "no recordings of other projects beside the repository"))
struct DebeziumSourceTests {
    @Test(arguments: ["default", "full"], ["default.plain", "default.schema"])
    func unchangedLargeValuesComeFromTheLastRow(identity: String, run: String) throws {
        let folder = "conformance/debezium/toast_identity_\(identity)"
        let names = ["id", "title", "body", "data", "meta", "words", "nums", "small"]
        var text = """
            ==== sql
            CREATE TABLE docs (
                id integer PRIMARY KEY, title text NOT NULL, body text, data bytea, meta json,
                words text[], nums integer[], small integer
            ) USING kafka WITH (
                topic = 'docs', bootstrap_servers = 'none', format = 'debezium_json',
                dead_letter = 'dead');
            CREATE TABLE dead (reason text, "constraint" text) USING print;
            CREATE MATERIALIZED VIEW rows USING print AS SELECT \(names.joined(separator: ", "))
            FROM docs;
            ==== input docs

            """
        for line in try lines("\(folder)/\(run)") {
            let message = try object(line)
            guard message["topic"] as? String == "dbz.public.docs" else { continue }
            text += (message["value"] as? String ?? "(none)") + "\n"
        }
        let file = CorpusFile(name: "toast", text: text)
        #expect(file.inputs.count > 10)
        var expected = try lines("\(folder)/docs.expected").map { line in
            let row = try object(line)
            return names.map { row[$0] as? String ?? "NULL" }.joined(separator: "|")
        }
        // Under REPLICA IDENTITY DEFAULT a row that moved to another key comes without them.
        if identity == "default" { expected.removeAll { $0.hasPrefix("22|") } }
        for configuration in CorpusConfiguration.pairwise {
            let result = try CorpusRun(file: file, configuration: configuration).run(file.inputs)
            let rows = SQLCorpusTests().content(result, "rows")
            #expect(rows == expected.sorted(), "\(configuration)")
            let dead = SQLCorpusTests().content(result, "dead")
            #expect(dead == (identity == "default" ? ["value_missing|body"] : []))
            #expect(result.imbalances.isEmpty)
        }
    }

    private func lines(_ name: String) throws -> [String] {
        let path = try Shared.path("\(name).jsonl")
        return try String(contentsOf: path, encoding: .utf8).components(separatedBy: "\n")
            .filter { !$0.isEmpty }
    }

    private func object(_ line: String) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
        return try #require(value as? [String: Any])
    }
}
