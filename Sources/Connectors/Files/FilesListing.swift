// Which files a path stands for: one, those of a folder, or those that fit a pattern.

import Environment

/// The files behind a `path` (dialect.md §4.2).
struct FilesListing: Sendable {
    let path: String

    /// The files that there are now, in the order of their names' bytes.
    func files() -> [String] {
        if LocalFiles.facts(path) != nil { return [path] }
        if LocalFiles.isFolder(path) { return sorted(FilesListing.below(path)) }
        return isPattern ? sorted(matching()) : []
    }

    var isPattern: Bool { path.contains { "*?[".contains($0) } }

    private func sorted(_ files: [String]) -> [String] {
        files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Folders within the folder count; names that begin with a dot or an underline do not: they
    /// are files in the making, and logs of tables.
    private static func below(_ folder: String) -> [String] {
        var files: [String] = []
        for name in LocalFiles.list(folder) where !name.hasPrefix(".") && !name.hasPrefix("_") {
            let path = joined(folder, name)
            if LocalFiles.isFolder(path) {
                files += below(path)
            } else if LocalFiles.facts(path) != nil {
                files.append(path)
            }
        }
        return files
    }

    private func matching() -> [String] {
        var paths = [path.hasPrefix("/") ? "/" : ""]
        for component in path.split(separator: "/").map(String.init) {
            if component.contains(where: { "*?[".contains($0) }) {
                paths = paths.flatMap { folder in
                    LocalFiles.list(folder.isEmpty ? "." : folder)
                        .filter { LocalFiles.matches($0, pattern: component) }
                        .map { FilesListing.joined(folder, $0) }
                }
            } else {
                paths = paths.map { FilesListing.joined($0, component) }
            }
        }
        return paths.filter { LocalFiles.facts($0) != nil }
    }

    static func joined(_ folder: String, _ name: String) -> String {
        folder.isEmpty || folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }
}
