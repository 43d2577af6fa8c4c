// The rules themselves: each finds what it is for, and nothing beside it.

import Testing

@Suite struct RuleTests {
    private func file(_ text: String, _ path: String = "Sources/Planning/A.swift") -> SwiftFile {
        SwiftFile(path: path, text: text)
    }

    @Test(arguments: [
        ("a // b\nc", "a     \nc"), ("a /* b /* c */\n */ d", "a             \n    d"),
        (#"x = "a // b" + y"#, "x =          + y"), (#"x = "a\"b" + y"#, "x =        + y"),
        (#"f("\(g("x" + "}"))") }"#, "f(                 ) }"),
        ("let s = #\"a\"b\"#; y", "let s =        ; y"),
        ("let s = \"\"\"\n  { \"x\"\n  \"\"\"\ny", "let s =    \n       \n     \ny"),
        ("\"ä\" x", "    x"),
    ])
    func commentsAndStringsAreBlanked(text: String, expected: String) {
        #expect(blanked(text) == expected)
    }

    @Test func functionsAreMeasured() {
        let text = """
            protocol P {
                func required(a: Int) -> Int
                var value: Int { get }
            }
            struct S {
                func one() { print("}") }
                public static func two(
                    a: Int, b: () -> Void = {}
                ) throws(Failure) -> Int {
                    if a > 0 { return 1 }
                    return 2
                }
                init?(x: Int) {
                    return nil
                }
                var three: Int {
                    3
                }
            }
            """
        let measured = functions(of: file(text)).map { "\($0.name) \($0.lineCount)" }
        #expect(measured == ["one 1", "two 6", "init? 3", "three 3"])
    }

    @Test func aLongFunctionIsFoundUnlessItSaysWhy() {
        let body = String(repeating: "    x += 1\n", count: 70)
        let long = "func long() {\n\(body)}\n"
        #expect(
            lengthViolations([file(long)])
                == ["Sources/Planning/A.swift:1: long has 72 lines, the limit is 70"])
        #expect(lengthViolations([file("/// D.\n// tidy:long — one table\n" + long)]).isEmpty)
        #expect(!lengthViolations([file("// tidy:long —\n" + long)]).isEmpty)
        let short = String(repeating: "    x += 1\n", count: 68)
        #expect(lengthViolations([file("func short() {\n\(short)}\n")]).isEmpty)
    }

    @Test func longLinesAndFilesAreFound() {
        let line = "// " + String(repeating: "ä", count: 98)
        #expect(
            lengthViolations([file("a\n" + line)]).first?.hasPrefix("Sources/Planning/A.swift:2")
                == true)
        #expect(lengthViolations([file(String(repeating: "a\n", count: 600))]).isEmpty)
        #expect(lengthViolations([file(String(repeating: "a\n", count: 601))]).count == 1)
    }

    @Test func anArrowUpIsFound() {
        #expect(layerViolations([file("import Contracts\npublic import Kernels\n")]).isEmpty)
        #expect(
            layerViolations([file("import Contracts\n@_exported public import Runtime\n")])
                == ["Sources/Planning/A.swift:2: Planning imports Runtime, which is not below it"])
        #expect(layerViolations([file("import struct Operators.X")]).count == 1)
        #expect(layerViolations([file("// import Runtime")]).isEmpty)
        #expect(layerViolations([file("", "Sources/Extra/A.swift")]).count == 1)
        // The runtime stands on the connectors here.
        #expect(layerViolations([file("import Connectors", "Sources/Runtime/A.swift")]).isEmpty)
        #expect(layerViolations([file("import Runtime", "Sources/Connectors/A.swift")]).count == 1)
    }

    @Test func aSharedCModuleIsFound() {
        let two = [
            file("import CCurl", "Sources/KafkaIO/A.swift"),
            file("import CCurl", "Sources/DeltaTable/B.swift"),
        ]
        #expect(cModuleViolations(two).count == 2)
        #expect(cModuleViolations([two[0], two[0]]).isEmpty)
        let system = two.map { file("import CSystem", $0.path) }
        #expect(cModuleViolations(system).isEmpty)
    }

    @Test func foundationIsFoundBelowConnectors() {
        #expect(foundationViolations([file("import Foundation")]).count == 1)
        #expect(foundationViolations([file("import FoundationEssentials")]).count == 1)
        #expect(
            foundationViolations([file("import Foundation", "Sources/Millrace/A.swift")]).isEmpty)
    }

    @Test func emptyNamesAreFound() {
        let bad = ["struct StringUtils {}", "final class TaskManager {}", "enum Common {}"]
        for text in bad { #expect(nameViolations([file(text)]).count == 1, "\(text)") }
        #expect(
            nameViolations([file("struct CommonTable {}\nlet x = FileManager.default")]).isEmpty)
        #expect(nameViolations([file("", "Sources/Types/Helpers.swift")]).count == 1)
    }

    @Test(arguments: [
        "try! f()", "x as! Int", "fatalError(\"x\")", "a!.b", "f()!", "a[0]!", "let x = y!",
    ])
    func trapsAreFound(text: String) {
        #expect(trapViolations([file(text)]).count == 1)
        #expect(trapViolations([file(text, "Sources/Contracts/A.swift")]).isEmpty)
    }

    @Test(arguments: ["a != b", "!a", "f(!a)", "// x!", "\"x!\"", "a ?? !b", "try? f()", "a!=b"])
    func whatIsNoTrap(text: String) { #expect(trapViolations([file(text)]).isEmpty) }

    @Test func unsafeFilesAreListed() {
        let code = file("// SAFETY: fine\nunsafe f()")
        #expect(unsafeViolations([code], allowed: [code.path]).isEmpty)
        #expect(unsafeViolations([code], allowed: []).count == 1)
        #expect(unsafeViolations([file("unsafe f()")], allowed: [code.path]).count == 1)
        #expect(unsafeViolations([file("// unsafe\nlet unsafely = 1")], allowed: []).isEmpty)
        #expect(unsafeViolations([], allowed: ["Sources/Gone.swift"]).count == 1)
    }

    @Test func uncheckedSendableNeedsAReason() {
        #expect(uncheckedViolations([file("final class A: @unchecked Sendable {}")]).count == 1)
        #expect(
            uncheckedViolations([file("// because it is locked\nclass A: @unchecked Sendable {}")])
                .isEmpty)
    }

    @Test func machinePathsAreFound() {
        let slash = "/"
        for path in ["work/main", "home/anna/x", "Users/anna/x"] {
            #expect(machinePathViolations("a", "let x = \"\(slash + path)\"").count == 1, "\(path)")
        }
        #expect(machinePathViolations("a", "see https://x.org/work/a, out/work/b, ./home").isEmpty)
    }

    @Test func dependenciesAreReadFromThePackage() {
        let text = "module(\"A\", []),\nmodule(\n    \"B\",\n    [\n \"A\", \"CX\",\n ]),"
        #expect(declaredDependencies(text) == ["A": [], "B": ["A", "CX"]])
    }
}
