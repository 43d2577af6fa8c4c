// The naive reference, which every history is compared with, against the executable specification
// of the time rules (dialect.md §1): random rows of the simulation, its windows, filters and unions.

import Foundation
import PythonSupport
import TestKit
import Testing

@Suite struct TimeModelOracleTests {
    /// Reads questions, one a line, and answers rows and late rows, one line each.
    private static let script = """
        import json, sys
        sys.path.insert(0, sys.argv[1])
        from time_model import run
        for line in open(sys.argv[2]):
            asked = json.loads(line)
            partitions = {name: [tuple(row) for row in rows]
                          for name, rows in asked["partitions"].items()}
            result = run(asked["query"], partitions)
            rows = [r[1] for r in result.rows]
            base = asked["base"]
            print(json.dumps([[r["key"], base + r["window_start"], base + r["window_end"],
                               r["count"], r["value"]] for r in rows]))
            print(json.dumps([[late[1], base + late[3]] for late in result.late if late[1] != "filtered"]))
        """

    @Test(.enabled(if: Python.isUsable && Shared.isUsable))
    func theReferenceIsTheTimeModel() throws {
        let questions = (1...60 as ClosedRange<UInt64>).flatMap(TimeModelQuestion.all)
        #expect(questions.count > 40)
        #expect(questions.contains { $0.isOverWindows })
        #expect(questions.contains { !$0.expectedLate.isEmpty })
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "questions")
        try Data(questions.map { $0.json + "\n" }.joined().utf8).write(to: file)
        let model = try Shared.path("time-model")
        let answers = try Python.lines(Self.script, [model.path, file.path])
        #expect(answers.count == 2 * questions.count)
        for (number, question) in questions.enumerated() {
            let rows = try JSONDecoder().decode([[Int64]].self, from: Data(answers[2 * number].utf8))
            let late = try JSONDecoder().decode([[Word]].self, from: Data(answers[2 * number + 1].utf8))
            #expect(Self.rows(rows, question) == question.expectedRows, "\(question.json)")
            let found = late.map { $0.map(\.text).joined(separator: " ") }.sorted()
            #expect(found == question.expectedLate, "\(question.json)")
        }
    }

    /// As the question has them. The model's windows over windows keep the keys apart.
    private static func rows(_ rows: [[Int64]], _ question: TimeModelQuestion) -> [String] {
        guard question.isOverWindows else {
            return rows.map { $0.map(String.init).joined(separator: " ") }.sorted()
        }
        var windows: [Int64: Int64] = [:]
        for row in rows { windows[row[2], default: 0] += row[3] }
        return windows.map { "\($0.key) \($0.value)" }.sorted()
    }

    private enum Word: Decodable {
        case name(String), number(Int64)

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let number = try? value.decode(Int64.self) {
                self = .number(number)
            } else {
                self = .name(try value.decode(String.self))
            }
        }

        var text: String {
            switch self {
            case .name(let name): name
            case .number(let number): String(number)
            }
        }
    }
}
