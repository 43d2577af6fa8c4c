// The house rules hold for every file. Each test lists all its violations, as file:line.

import Foundation
import Testing

@Suite struct TidyTests {
    private func expectNone(_ violations: [String], _ location: SourceLocation = #_sourceLocation) {
        let list = violations.joined(separator: "\n")
        #expect(violations.isEmpty, "\n\(list)\n", sourceLocation: location)
    }

    @Test func theRepositoryIsThere() {
        #expect(Repository.sources.count > 50)
        #expect(Repository.tests.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
    }

    @Test func arrowsBetweenModulesPointDown() { expectNone(layerViolations(Repository.sources)) }

    @Test func importsAreDeclaredInThePackage() {
        let declared = declaredDependencies(Repository.package.text)
        #expect(declared["Contracts"] == [])
        #expect(declared["Columns"] == ["Contracts", "Types"])
        let violations = Repository.sources.flatMap { file -> [String] in
            guard let module = file.module, let allowed = declared[module] else { return [] }
            return imports(of: file).filter { item in
                item.module != module && !allowed.contains(item.module)
                    && (layer(of: item.module) != nil || declared[item.module] != nil
                        || Repository.package.text.contains("\"\(item.module)\""))
            }.map { file.violation($0.line, "\(module) doesn't declare \($0.module)") }
        }
        expectNone(violations)
    }

    @Test func eachCModuleHasOneImporter() { expectNone(cModuleViolations(Repository.sources)) }
    @Test func noFoundationBelowConnectors() {
        expectNone(foundationViolations(Repository.sources))
    }

    @Test func linesFilesAndFunctionsAreShort() {
        expectNone(lengthViolations(Repository.sources + Repository.tests + [Repository.package]))
    }

    @Test func namesSaySomething() {
        expectNone(nameViolations(Repository.sources + Repository.tests))
    }

    @Test func onlyContractsTraps() { expectNone(trapViolations(Repository.sources)) }

    @Test func unsafeCodeStaysInItsFiles() {
        let allowed = Repository.text("Tests/TidyTests/unsafe-files.txt")
            .split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
        #expect(allowed == allowed.sorted(), "unsafe-files.txt is sorted")
        expectNone(unsafeViolations(Repository.sources, allowed: allowed))
    }

    @Test func uncheckedSendableSaysWhy() { expectNone(uncheckedViolations(Repository.sources)) }

    @Test func noPathsOfAMachine() {
        let suffixes = [".swift", ".md", ".sql", ".yaml", ".txt", ".h", ".c", ".cpp", ".modulemap"]
        let folders = ["Sources", "Tests", "docs", "topologies"]
        var paths = folders.flatMap { Repository.paths(under: $0, suffixes: suffixes) }
        paths += Repository.paths(under: "scripts", suffixes: [""])
        paths += ["Package.swift", "README.md", ".ci/run"]
        expectNone(paths.flatMap { machinePathViolations($0, Repository.text($0)) })
    }
}

/// Modules and what they depend on, read from Package.swift's `module("Name", ["A", …])`.
func declaredDependencies(_ package: String) -> [String: Set<String>] {
    var declared: [String: Set<String>] = [:]
    for match in package.matches(of: /\bmodule\(\s*"(\w+)",\s*\[([^\]]*)\]/) {
        let names = match.2.matches(of: /"(\w+)"/).map { String($0.1) }
        declared[String(match.1)] = Set(names)
    }
    return declared
}
