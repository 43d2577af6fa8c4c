// `*.test.sql`: what a test file says (docs/testing.md), checked against its topology.

import Contracts
import Environment
import Foundation
import Kernels
import Planning
import SQLSyntax
import Types

/// A test file with the plan that it tests.
struct TopologyTestFile: Sendable {
    let path: String
    let source: SourceText
    let topology: LoadedTopology
    let cases: [TopologyTestCase]

    /// `revenue.test.sql` tests `revenue.sql` beside it. Throws for what does not parse, and for
    /// names and types that the topology does not have.
    init(_ path: String, settings: [SettingOverride]) throws(Failure) {
        self.path = path
        source = try readTopology(path)
        let statements = try parseTopology(source)
        topology = try LoadedTopology(TopologyTestFile.topologyPath(path), settings: settings)
        var reader = try TopologyTestReader(topology, settings: settings, path: path)
        for statement in statements { try reader.read(statement) }
        cases = try reader.finish()
    }

    static let suffix = ".test.sql"

    private static func topologyPath(_ path: String) -> String {
        String(path.dropLast(suffix.count)) + ".sql"
    }

    /// The test files that a path of the command line stands for, in order.
    static func files(_ path: String) throws(Failure) -> [String] {
        if LocalFiles.isFolder(path) {
            let found = below(path)
            if !found.isEmpty { return found }
            throw Failure(
                .invalid, "test.none", "\(path) holds no *\(suffix) file",
                hint: "revenue\(suffix) beside revenue.sql tests it")
        }
        let file =
            path.hasSuffix(suffix) || !path.hasSuffix(".sql")
            ? path : String(path.dropLast(4)) + suffix
        guard LocalFiles.exists(file) else {
            throw Failure(
                .invalid, "test.missing", "there is no \(file)",
                hint: "give a test file, its topology, or a folder")
        }
        return [file]
    }

    private static func below(_ folder: String) -> [String] {
        var files: [String] = []
        for name in LocalFiles.list(folder) where !name.hasPrefix(".") {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if LocalFiles.isFolder(path) {
                files += below(path)
            } else if name.hasSuffix(suffix) {
                files.append(path)
            }
        }
        return files
    }

    /// `file:line` of a place in this file.
    func line(_ place: SourcePlace) -> String {
        "\(path):\(source.lineAndColumn(place.offset).line)"
    }
}

/// From one `SET test = '…'` to the next.
struct TopologyTestCase: Sendable {
    let name: String
    let place: SourcePlace
    var steps: [Step] = []

    struct Step: Sendable {
        let action: Action
        let place: SourcePlace
    }

    enum Action: Sendable {
        case rows(TopologyTestRows)
        /// µs: the source's watermark becomes this.
        case watermark(source: Int, time: Int64)
        case checkpoint
        case finish
        case expect(TopologyTestExpectation)
    }

    /// Partitions of each source: as many as its rows name, at least one.
    func partitionCount(source: Int) -> Int {
        var count = 1
        for case .rows(let rows) in steps.map(\.action) where rows.source == source {
            for row in rows.rows { count = max(count, row.partition + 1) }
        }
        return count
    }
}

/// Rows for a source.
struct TopologyTestRows: Sendable {
    let source: Int
    let rows: [Row]

    struct Row: Sendable {
        let partition: Int
        /// −1 deletes the row's key.
        let change: Int8
        /// By column name; what is missing is NULL.
        let values: [String: Scalar]
    }
}

/// What an output must have got.
struct TopologyTestExpectation: Sendable {
    let target: Target
    /// Those that are compared.
    let fields: [Field]
    let rows: [[Scalar]]
    /// One a row, where the expectation has `_change`.
    let changes: [Int8]?

    enum Target: Sendable, Hashable {
        /// Position in the plan's outputs.
        case output(Int)
        /// A dead-letter topic.
        case topic(String)
    }
}
