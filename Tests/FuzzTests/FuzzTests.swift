// Every input that was kept from fuzzing, as an ordinary test.

import Contracts
import Foundation
import FuzzTargets
import Testing

@Suite struct FuzzTests {
    static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzzing/Corpus")

    static func inputs(_ target: FuzzTarget) throws -> [[UInt8]] {
        let file = corpus.appending(path: target.rawValue + ".txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .map { try FuzzTarget.input($0) }
    }

    @Test(arguments: FuzzTarget.allCases) func keptInputsAreReadAsTheyShould(
        _ target: FuzzTarget
    ) throws {
        let inputs = try Self.inputs(target)
        #expect(inputs.count >= 10, "the corpus of \(target.rawValue) is gone")
        for input in inputs {
            let complaint = target.complaint(about: input)
            #expect(complaint == nil, "\(FuzzTarget.line(input)): \(complaint ?? "")")
        }
    }

    @Test func linesAndInputsAreInverse() throws {
        let every = (0...255).map { UInt8($0) } + Array("\\x41\\".utf8)
        let line = FuzzTarget.line(every)
        #expect(line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
        #expect(try FuzzTarget.input(line) == every)
        #expect(throws: Failure.self) { try FuzzTarget.input("\\q") }
    }
}
