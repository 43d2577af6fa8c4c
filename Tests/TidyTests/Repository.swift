// The repository's own files, as the house rules see them.

import Foundation

/// One Swift file.
struct SwiftFile: Sendable {
    /// From the repository's root.
    let path: String
    let text: String
    let lines: [Substring]
    /// The text with comments and strings blanked, in the same lines and columns.
    let code: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        code = blanked(text).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// `Columns` of `Sources/Columns/Batch.swift`; nil outside of Sources.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.first == "Sources" && parts.count > 2 ? String(parts[1]) : nil
    }

    var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }

    func violation(_ index: Int, _ message: String) -> String {
        "\(path):\(index + 1): \(message)"
    }
}

enum Repository {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let sources = swiftFiles(under: "Sources")
    static let tests = swiftFiles(under: "Tests")
    static let package = SwiftFile(path: "Package.swift", text: text("Package.swift"))

    static func text(_ path: String) -> String {
        (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? ""
    }

    /// Paths of files whose name ends with one of `suffixes`, sorted.
    static func paths(under folder: String, suffixes: [String]) -> [String] {
        let base = root.appending(path: folder)
        let all = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String }
        return (all ?? []).filter { path in suffixes.contains { path.hasSuffix($0) } }
            .map { folder + "/" + $0 }.sorted()
    }

    private static func swiftFiles(under folder: String) -> [SwiftFile] {
        paths(under: folder, suffixes: [".swift"]).map { SwiftFile(path: $0, text: text($0)) }
    }
}
