// The runner of a build without the engine: it checks syntax, and says of the rest that it is not
// there.

import Contracts
import SQLSyntax

public struct SyntaxRunner: CommandRunner {
    public init() {}

    public func validate(_ command: ValidateCommand, _ terminal: Terminal) async throws -> Int32 {
        for file in command.files { _ = try parseTopology(readTopology(file)) }
        return try refuse("validate (beyond syntax)")
    }

    public func explain(_ command: ExplainCommand, _ terminal: Terminal) async throws -> Int32 {
        try refuse("explain")
    }

    public func run(_ command: RunCommand, _ terminal: Terminal) async throws -> Int32 {
        try refuse("run")
    }

    public func query(_ command: QueryCommand, _ terminal: Terminal) async throws -> Int32 {
        try refuse("query")
    }

    public func test(_ command: TestCommand, _ terminal: Terminal) async throws -> Int32 {
        try refuse("test")
    }

    public func tableShow(_ command: TableShowCommand, _ terminal: Terminal) async throws -> Int32 {
        try refuse("table show")
    }

    public func tableHistory(
        _ command: TableHistoryCommand, _ terminal: Terminal
    ) async throws -> Int32 {
        try refuse("table history")
    }

    public func checkpointList(
        _ command: CheckpointListCommand, _ terminal: Terminal
    ) async throws -> Int32 {
        try refuse("checkpoint list")
    }

    public func demo(_ command: DemoCommand, _ terminal: Terminal) async throws -> Int32 {
        try refuse("demo")
    }

    public func bench(_ command: BenchCommand, _ terminal: Terminal) async throws -> Int32 {
        try refuse("bench")
    }

    private func refuse(_ name: String) throws -> Int32 {
        throw Failure(
            .invalid, "usage.unavailable", "this build has no millrace \(name)",
            hint: "millrace --help lists the commands")
    }
}
