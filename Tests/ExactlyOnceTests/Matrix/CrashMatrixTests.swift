// The crash matrix (`scripts/crash-matrix`): every failpoint, every fault, each alone, on a real
// Kafka. The ordinary test run has each failpoint once and the faults that do not take long.

import Foundation
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized, .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
    struct CrashMatrixTests {
        static let cases = CrashPlace.all.flatMap(MatrixCase.cases) + MatrixCase.faults
            + MatrixCase.mutants

        @Test func theMatrix() throws {
            let servers = try #require(KafkaScenario.servers, "MILLRACE_KAFKA names no broker")
            let cases = CrashMatrixTests.cases.filter(MatrixRequest.isWanted)
            let brokers = BrokerCase.all.filter {
                MatrixRequest.isWanted($0.name, isQuick: $0.isQuick)
                    && (Toxiproxy.isThere || !$0.name.contains("connection"))
            }
            try #require(!cases.isEmpty || !brokers.isEmpty, "no case is called so")
            var results: [MatrixResult] = []
            if !cases.isEmpty {
                results += MatrixRun.run(cases, on: try MatrixBench(servers: servers))
            }
            if !brokers.isEmpty, OwnBroker.isWanted {
                results += MatrixRun.run(brokers, on: try MatrixBroker())
            } else if !brokers.isEmpty {
                print("matrix: left out, as there is no KAFKA_HOME: \(brokers.map(\.name))")
            }
            if !Toxiproxy.isThere { print("matrix: no toxiproxy: connections are not disturbed") }
            print("matrix: \(MatrixRun.summary(results))")
            if let file = MatrixRequest.jsonFile {
                try MatrixRun.json(results).write(to: URL(filePath: file))
            }
            if MatrixRequest.isWhole || MatrixRequest.only != nil {
                print(MatrixRun.table(results))
            }
            if MatrixRequest.writesDocument { try MatrixRun.writeDocument(results) }
            for result in results {
                #expect(result.isGreen, "\(result.entry.name): \(result.outcome.faults)")
            }
        }
    }

    @Suite struct FailpointInventoryTests {
        @Test func everyFailpointOfTheSourcesHasACase() throws {
            let used = try FailpointInventory.used()
            #expect(used.count > 80)
            let listed = Set(CrashPlace.all.map(\.failpoint))
            let missing = used.keys.filter {
                !listed.contains($0) && CrashPlace.elsewhere[$0] == nil
            }
            #expect(missing.isEmpty, "without a case: \(missing.sorted())")
            let gone = listed.union(CrashPlace.elsewhere.keys).subtracting(used.keys)
            #expect(gone.isEmpty, "no failpoint of the sources: \(gone.sorted())")
            for (name, file) in CrashPlace.elsewhere {
                let text = try String(
                    contentsOf: Python.root.appending(path: file), encoding: .utf8)
                #expect(text.contains(name), "\(file) does not name \(name)")
            }
        }

        /// A place that can fail says how the run takes it; the others cannot be asked to.
        @Test func placesThatCanFailAreTriedSo() throws {
            let used = try FailpointInventory.used()
            for place in CrashPlace.all {
                let canFail = used[place.failpoint] == true
                #expect(canFail == (place.failure != .cannot), "\(place.name)")
            }
        }

        @Test func namesAreListedOnce() {
            let names = CrashPlace.all.map(\.name)
            #expect(names.count == Set(names).count)
        }
    }
}

enum FailpointInventory {
    /// The failpoints of the sources, and whether each can be asked to fail.
    static func used() throws -> [String: Bool] {
        let sources = Python.root.appending(path: "Sources")
        let paths = FileManager.default.enumerator(atPath: sources.path)?
            .compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") } ?? []
        var used: [String: Bool] = [:]
        for path in paths where path != "Environment/Failpoint.swift" {
            let text = try String(contentsOf: sources.appending(path: path), encoding: .utf8)
            guard text.contains("Failpoint.") else { continue }
            for match in text.matches(of: /Failpoint\.(pass|passOrFail|fails)\(\s*"([^"]+)"/) {
                used[String(match.2), default: false] = match.1 != "pass"
            }
        }
        return used
    }
}

/// The table of failure cases in docs/EXACTLY_ONCE.md names tests that exist.
@Suite struct FailureCaseTableTests {
    @Test func everyListedTestExists() throws {
        let document = try String(
            contentsOf: Python.root.appending(path: "docs/EXACTLY_ONCE.md"), encoding: .utf8)
        // The generated table above it has cases that begin so, too.
        let table = try #require(document.split(separator: "## Cases that other").last)
        let rows = table.split(separator: "\n").filter { $0.hasPrefix("| F") }
        let wanted = ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F11", "F13", "F18"]
            + (20...30).map { "F\($0)" }
        #expect(rows.map { String($0.dropFirst(2).prefix { $0 != " " }) } == wanted)
        let texts = try testTexts()
        let names = ExactlyOnceTests.CrashMatrixTests.cases.map(\.name) + BrokerCase.all.map(\.name)
        for row in rows {
            let tests = row.matches(of: /`(\w+)\.(\w+)`/)
            #expect(!tests.isEmpty, "\(row) names no test")
            for test in tests {
                let text = texts["\(test.1).swift"] ?? ""
                #expect(text.contains("func \(test.2)("), "no \(test.1).\(test.2)")
            }
            for quoted in row.matches(of: /"([^"]+)"/) {
                #expect(names.contains { $0.hasPrefix(quoted.1) }, "no case \(quoted.1)")
            }
        }
    }

    private func testTexts() throws -> [String: String] {
        let folder = Python.root.appending(path: "Tests")
        var texts: [String: String] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: folder.path) ?? .init()
        where path.hasSuffix(".swift") {
            let file = folder.appending(path: path)
            texts[file.lastPathComponent, default: ""] += try String(
                contentsOf: file, encoding: .utf8)
        }
        return texts
    }
}
