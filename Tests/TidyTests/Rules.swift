// The house rules (docs of style, design.md §6) as functions from files to violations.

import Foundation

/// Modules from the bottom up. A module may import those of layers below its own.
let layers: [[String]] = [
    ["Contracts"], ["Types", "Environment"], ["Columns"], ["Kernels"], ["SQLSyntax"], ["Planning"],
    ["Progress"], ["State"], ["Operators"], ["RocksState", "KafkaIO", "Formats", "Parquet"],
    ["DeltaTable"], ["Connectors"], ["Runtime"], ["Millrace"],
    ["millrace", "millrace-mutant"],
]

/// C modules that several modules may import: plain calls of the system without a state of their
/// own, and the allocator, which executables only link.
let sharedCModules: Set<String> = ["CSystem", "CJemalloc"]

/// Modules from here up may import Foundation.
let firstFoundationModule = "Connectors"

func layer(of module: String) -> Int? { layers.firstIndex { $0.contains(module) } }

/// (line from 0, imported module).
func imports(of file: SwiftFile) -> [(line: Int, module: String)] {
    file.code.enumerated().compactMap { index, line in
        guard line.contains("import ") else { return nil }
        let pattern =
            /^\s*(?:@\S+\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|func|protocol|var)\s+)?(\w+)/
        return line.firstMatch(of: pattern).map { (index, String($0.1)) }
    }
}

func layerViolations(_ files: [SwiftFile]) -> [String] {
    var violations: [String] = []
    for file in files {
        guard let module = file.module, !isCModule(module) else { continue }
        guard let own = layer(of: module) else {
            violations.append(file.violation(0, "module \(module) has no place in the layers"))
            continue
        }
        for (line, name) in imports(of: file) where name != module {
            guard let other = layer(of: name), other >= own else { continue }
            violations.append(
                file.violation(line, "\(module) imports \(name), which is not below it"))
        }
    }
    return violations
}

func isCModule(_ name: String) -> Bool {
    name.wholeMatch(of: /C[A-Z]\w*/) != nil && layer(of: name) == nil
}

func cModuleViolations(_ files: [SwiftFile]) -> [String] {
    var importers: [String: [String: String]] = [:]
    for file in files {
        guard let module = file.module else { continue }
        for (line, name) in imports(of: file) where isCModule(name) {
            importers[name, default: [:]][module] = file.violation(line, "imports \(name)")
        }
    }
    return importers.filter { $0.value.count > 1 && !sharedCModules.contains($0.key) }
        .flatMap { name, places in
            places.sorted { $0.key < $1.key }.map { $0.value + ", which has several importers" }
        }.sorted()
}

func foundationViolations(_ files: [SwiftFile]) -> [String] {
    let first = layer(of: firstFoundationModule) ?? 0
    return files.flatMap { file -> [String] in
        guard let module = file.module, let own = layer(of: module), own < first else { return [] }
        return imports(of: file).filter { $0.module.hasPrefix("Foundation") }.map {
            file.violation($0.line, "Foundation below \(firstFoundationModule)")
        }
    }
}

func lengthViolations(_ files: [SwiftFile]) -> [String] {
    files.flatMap { file -> [String] in
        var violations: [String] = []
        // Tests hold SQL and Python in string literals, which nothing wraps.
        let limit = file.path.hasPrefix("Tests/") ? 110 : 100
        for (index, line) in file.lines.enumerated() where line.count > limit
        {
            violations.append(file.violation(index, "\(line.count) characters, the limit is \(limit)"))
        }
        let lineCount = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
        if lineCount > 600 {
            violations.append(file.violation(600, "\(lineCount) lines, the limit is 600"))
        }
        for function in functions(of: file) where function.lineCount > 70 {
            guard !isExempt(file, function.firstLine) else { continue }
            violations.append(
                file.violation(
                    function.firstLine,
                    "\(function.name) has \(function.lineCount) lines, the limit is 70"))
        }
        return violations
    }
}

/// `// tidy:long — reason` on the line of the declaration or in the comment right above it.
private func isExempt(_ file: SwiftFile, _ line: Int) -> Bool {
    var index = line
    repeat {
        if file.lines[index].firstMatch(of: /\/\/ tidy:long — \S/) != nil { return true }
        index -= 1
    } while index >= 0 && file.lines[index].drop { $0 == " " }.hasPrefix("//")
    return false
}

func nameViolations(_ files: [SwiftFile]) -> [String] {
    let declaration = /\b(?:class|struct|enum|protocol|actor|typealias)\s+(\w+)/
    return files.flatMap { file -> [String] in
        var violations: [String] = []
        let base = file.fileName.replacing(".swift", with: "")
        for part in base.split(separator: "+") where hasBannedName(String(part)) {
            violations.append(file.violation(0, "a file named \(base)"))
        }
        for (index, line) in file.code.enumerated() {
            let words = ["class", "struct", "enum", "protocol", "actor", "typealias"]
            guard words.contains(where: { line.contains($0) }) else { continue }
            for match in line.matches(of: declaration) where hasBannedName(String(match.1)) {
                violations.append(file.violation(index, "a type named \(match.1)"))
            }
        }
        return violations
    }
}

private func hasBannedName(_ name: String) -> Bool {
    name.firstMatch(of: /(?:Utils?|Utilities|Helpers?|Common|Manager|Base)$/) != nil
}

/// Traps that only Contracts may write.
func trapViolations(_ files: [SwiftFile]) -> [String] {
    let bans: [(pattern: Regex<Substring>, message: String)] = [
        (/\btry!/, "try!"), (/\bas!/, "as!"),
        (/\b(?:fatalError|preconditionFailure|assertionFailure)\s*\(/, "a trap: use bug(…)"),
        (/[A-Za-z0-9_\)\]]!(?![=A-Za-z])/, "a forced unwrap: use .required(…)"),
    ]
    return files.filter { $0.module != "Contracts" }.flatMap { file in
        file.code.enumerated().compactMap { index, line -> String? in
            guard mayTrap(line) else { return nil }
            return bans.first { line.firstMatch(of: $0.pattern) != nil }
                .map { file.violation(index, $0.message) }
        }
    }
}

/// Quick: regular expressions are slow in a debug build.
private func mayTrap(_ line: Substring) -> Bool {
    line.utf8.contains(0x21) || line.contains("Error(") || line.contains("Failure(")
}

func unsafeViolations(_ files: [SwiftFile], allowed: [String]) -> [String] {
    var violations: [String] = []
    var using: Set<String> = []
    for file in files {
        guard
            let line = file.code.firstIndex(where: {
                $0.contains("unsafe") && $0.contains(/\bunsafe\b/)
            })
        else {
            continue
        }
        using.insert(file.path)
        if !allowed.contains(file.path) {
            violations.append(
                file.violation(line, "unsafe in a file that Tests/TidyTests/unsafe-files.txt lacks")
            )
        }
        if !file.text.contains("// SAFETY:") {
            violations.append(file.violation(line, "unsafe without a SAFETY sentence in the file"))
        }
    }
    let stale = allowed.filter { !using.contains($0) }
    return violations
        + stale.map { "Tests/TidyTests/unsafe-files.txt: \($0) has no unsafe code any more" }
}

/// Each `@unchecked Sendable` says why, beside it or right above.
func uncheckedViolations(_ files: [SwiftFile]) -> [String] {
    files.flatMap { file in
        file.code.enumerated().filter { $0.element.contains("@unchecked Sendable") }
            .filter { index, _ in
                let near = file.lines[max(0, index - 4)...min(index + 1, file.lines.count - 1)]
                return !near.contains { $0.lowercased().contains("because") }
            }.map { file.violation($0.offset, "@unchecked Sendable without a “because”") }
    }
}

/// Paths of somebody's machine in what is committed.
func machinePathViolations(_ path: String, _ text: String) -> [String] {
    let starts = ["/work", "/home", "/root", "/Users"]
    let folders = ["work/", "home/[a-z]", "root/[a-z.]", "Users/[A-Za-z]"].joined(separator: "|")
    guard let pattern = try? Regex("(?:^|[\"'`\\s=(:])/(?:\(folders))") else {
        return ["no pattern"]
    }
    return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        .filter { line in starts.contains { line.element.contains($0) } }
        .filter { $0.element.firstMatch(of: pattern) != nil }
        .map { "\(path):\($0.offset + 1): a path of a machine" }
}
