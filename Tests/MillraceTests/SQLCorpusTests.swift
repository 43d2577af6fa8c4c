// The corpus under its configurations: results depend on neither batch size, workers, optimizer,
// barriers, restarts nor the order in which partitions are read.

import Columns
import Contracts
import Foundation
import Planning
import Testing
import Types

@Suite("SQL corpus")
struct SQLCorpusTests {
    @Test("every file under every pair of settings", arguments: CorpusFile.all)
    func configurations(_ file: CorpusFile) throws {
        let isFull = ProcessInfo.processInfo.environment["MILLRACE_CORPUS_ALL"] == "1"
        let configurations = isFull ? CorpusConfiguration.all : CorpusConfiguration.pairwise
        for configuration in configurations {
            let run = CorpusRun(file: file, configuration: configuration)
            if let code = file.refusal ?? file.failure {
                expectFailure(code, of: run)
                continue
            }
            let result = try run.run(file.inputs)
            expect(file.outputs.filter { $0.after == nil }, in: result, "\(configuration)")
            expectCounters(result, file, "\(configuration)")
        }
    }

    @Test("open windows are not shown", arguments: CorpusFile.all)
    func prefixes(_ file: CorpusFile) throws {
        for expected in file.outputs {
            guard let count = expected.after else { continue }
            for configuration in [
                CorpusConfiguration(batchRows: 1),
                CorpusConfiguration(
                    batchRows: 1, workers: 4, isOptimizerOn: false, state: .evicting,
                    restarts: .withOtherWorkers),
            ] {
                let run = CorpusRun(file: file, configuration: configuration)
                let result = try run.run(Array(file.inputs.prefix(count)), closes: false)
                expect([expected], in: result, "after \(count) rows, \(configuration)")
            }
        }
    }

    @Test("every order of two partitions", arguments: CorpusFile.all)
    func interleavings(_ file: CorpusFile) throws {
        for (index, rows) in file.interleavings.enumerated() {
            let configuration = CorpusConfiguration(
                batchRows: index % 3 == 0 ? 3 : 1, workers: index % 4 == 0 ? 4 : 1)
            let run = CorpusRun(file: file, configuration: configuration)
            let order = rows.map { "\($0.source)/\($0.partition)" }.joined(separator: " ")
            let result = try run.run(rows)
            expect(
                file.outputs.filter { $0.after == nil }, in: result, "\(order), \(configuration)")
            expectCounters(result, file, order)
        }
    }

    @Test("four workers each own keys")
    func ownership() throws {
        let rows = (0..<64).map { #"{"k": \#($0 % 32)}"# }.joined(separator: "\n")
        let file = CorpusFile(
            name: "ownership",
            text: """
                ==== sql
                CREATE TABLE t (k bigint) USING files WITH (path = 't.json');
                CREATE MATERIALIZED VIEW out USING blackhole AS
                SELECT k, count(*) AS n FROM t GROUP BY k;
                ==== input t
                \(rows)
                """)
        let run = CorpusRun(file: file, configuration: CorpusConfiguration(workers: 4))
        let result = try run.run(file.inputs)
        var owners: [String: Set<Int>] = [:]
        var all: Set<Int> = []
        for (worker, batch) in result.rows["out"] ?? [] {
            for text in texts(batch.replacing(columns: [batch.columns[0]])) {
                owners[text, default: []].insert(worker)
                all.insert(worker)
            }
        }
        #expect(owners.count == 32)
        #expect(owners.values.allSatisfy { $0.count == 1 }, "a key has one owner")
        #expect(all == [0, 1, 2, 3], "every worker owns keys")
    }

    private func expectFailure(_ code: String, of run: CorpusRun) {
        do {
            _ = try run.run(run.file.inputs)
            Issue.record("\(run.file.name) ended well instead of with \(code)")
        } catch let failure as Failure {
            #expect(failure.code == code, "\(failure)")
        } catch {
            Issue.record("\(error)")
        }
    }

    private func expect(
        _ expected: [CorpusFile.Expected], in result: CorpusResult, _ how: String
    ) {
        for expected in expected {
            let found = content(result, expected.output)
            let wanted = expected.rows.sorted()
            #expect(found == wanted, "\(expected.output): \(how)")
        }
        #expect(result.imbalances.isEmpty, "conservation: \(how)")
    }

    private func expectCounters(_ result: CorpusResult, _ file: CorpusFile, _ how: String) {
        for (name, count) in file.counters {
            #expect(result.counters[name, default: 0] == count, "\(name): \(how)")
        }
    }

    /// The rows of an output, sorted; changes folded, each −1 against a live row, and at the end of
    /// a batch no key with two rows.
    func content(_ result: CorpusResult, _ name: String) -> [String] {
        guard let output = result.plan.outputs.first(where: { $0.name == name }) else {
            Issue.record("no output \(name)")
            return []
        }
        var live: [String: Int] = [:]
        for batch in result.batches(of: name) {
            for (row, text) in texts(batch).enumerated() {
                let change = batch.changes.map { Int($0[row]) } ?? 1
                live[text, default: 0] += change
                #expect(
                    live[text, default: 0] >= 0, "\(name) takes back \(text), which is not there")
            }
            live = live.filter { $0.value != 0 }
        }
        if case .changelog(let key) = output.mode {
            let keys = live.keys.map { text in
                let values = text.components(separatedBy: "|")
                return key.map { values[$0] }
            }
            #expect(Set(keys).count == keys.count, "\(name) has a key twice: \(live.keys.sorted())")
            #expect(live.values.allSatisfy { $0 == 1 }, "\(name) has a row twice")
        }
        return live.flatMap { Array(repeating: $0.key, count: $0.value) }.sorted()
    }
}
