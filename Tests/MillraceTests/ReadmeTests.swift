// What the README shows is what is there.

import Foundation
import Planning
import SQLSyntax
import Testing

@Suite struct ReadmeTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ name: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: name), encoding: .utf8)
    }

    /// Its topology is the shipped one without comments, and plans as it stands.
    @Test func theTopologyIsTheShippedOne() throws {
        let readme = try text("README.md")
        let start = try #require(readme.range(of: "    SET checkpoint_interval"))
        let end = try #require(readme.range(of: "\n- ", range: start.lowerBound..<readme.endIndex))
        let shown = String(readme[start.lowerBound..<end.lowerBound])
        let shipped = try text("topologies/hot_auctions.sql").components(separatedBy: "\n")
            .map { $0.components(separatedBy: "--")[0] }.joined(separator: "\n")
        #expect(words(shown) == words(shipped))
        var options = PlanningOptions()
        options.environment = [:]
        let statements = try parseTopology(SourceText(file: "README.md", text: shown))
        let plan = try Planner.plan(statements, name: "readme", options: options)
        #expect(plan.outputs.map(\.name).sorted() == ["dead_bids", "hot_auctions", "late_bids"])
    }

    private func words(_ text: String) -> [Substring] {
        text.split(whereSeparator: \.isWhitespace)
    }

    @Test func theFilesItNamesAreThere() throws {
        let readme = try text("README.md")
        let links = readme.components(separatedBy: "](").dropFirst()
            .compactMap { $0.components(separatedBy: ")").first }
            .filter { !$0.contains("://") }
        #expect(links.count > 5)
        for link in links {
            #expect(
                FileManager.default.fileExists(atPath: Self.root.appending(path: link).path),
                "\(link)")
        }
    }

    /// docs/decisions has a line for each library that Package.swift links.
    @Test func everyLibraryHasADecision() throws {
        let package = try text("Package.swift")
        let decisions = try text("docs/decisions/0001-dependencies.md").lowercased()
        let modules = package.components(separatedBy: "system(").dropFirst()
            .compactMap { $0.components(separatedBy: "apt: \"").dropFirst().first }
            .compactMap { $0.components(separatedBy: "\"").first }
            .filter { $0.contains("-dev") }
        #expect(modules.count > 8)
        let named = [
            "librdkafka-dev": "librdkafka", "librocksdb-dev": "rocksdb",
            "libpg-query-dev": "libpg_query", "libzstd-dev": "zstd", "libsnappy-dev": "snappy",
            "liblz4-dev": "lz4", "zlib1g-dev": "zlib", "libbrotli-dev": "brotli",
            "libroaring-dev": "croaring", "libpcre2-dev": "pcre2",
            "libcurl4-openssl-dev": "libcurl", "libssl-dev": "libcrypto",
            "libxxhash-dev": "xxhash", "libmicrohttpd-dev": "libmicrohttpd",
            "libjemalloc-dev": "jemalloc",
        ]
        for debian in modules.joined(separator: " ").split(separator: " ") {
            let name = try #require(named[String(debian)], "\(debian)")
            #expect(decisions.contains(name), "\(debian)")
        }
        #expect(decisions.contains("simdjson"))
    }
}
