// The seam between the command line and the engine: a command goes in, an exit status comes out.

import Contracts
import SQLSyntax

/// Executes commands. Each method returns the exit status of dialect.md §6, or throws: a `Failure`
/// ends with its kind's status. Output goes through the terminal.
public protocol CommandRunner: Sendable {
    func validate(_ command: ValidateCommand, _ terminal: Terminal) async throws -> Int32
    func explain(_ command: ExplainCommand, _ terminal: Terminal) async throws -> Int32
    func run(_ command: RunCommand, _ terminal: Terminal) async throws -> Int32
    func query(_ command: QueryCommand, _ terminal: Terminal) async throws -> Int32
    func test(_ command: TestCommand, _ terminal: Terminal) async throws -> Int32
    func tableShow(_ command: TableShowCommand, _ terminal: Terminal) async throws -> Int32
    func tableHistory(_ command: TableHistoryCommand, _ terminal: Terminal) async throws -> Int32
    func checkpointList(
        _ command: CheckpointListCommand, _ terminal: Terminal
    ) async throws -> Int32
    func checkpointVerify(
        _ command: CheckpointVerifyCommand, _ terminal: Terminal
    ) async throws -> Int32
    func checkpointRewind(
        _ command: CheckpointRewindCommand, _ terminal: Terminal
    ) async throws -> Int32
    func verify(_ command: VerifyCommand, _ terminal: Terminal) async throws -> Int32
    func demo(_ command: DemoCommand, _ terminal: Terminal) async throws -> Int32
    func bench(_ command: BenchCommand, _ terminal: Terminal) async throws -> Int32
}

/// The whole program behind `main`: parses the words, executes, shows what went wrong.
/// Returns the process's exit status.
public func runCommandLine(
    _ words: [String], runner: some CommandRunner, terminal: Terminal
) async -> Int32 {
    ParentWatch.startIfAsked()
    do {
        return try await execute(try parseCommand(words), runner, terminal)
    } catch let failure as Failure {
        show(failure, words, terminal)
        return failure.kind.exitStatus
    } catch {
        terminal.writeError("millrace: \(error)\n")
        return FailureKind.failed.exitStatus
    }
}

private func execute(
    _ command: Command, _ runner: some CommandRunner, _ terminal: Terminal
) async throws -> Int32 {
    switch command {
    case .validate(let command): return try await runner.validate(command, terminal)
    case .explain(let command): return try await runner.explain(command, terminal)
    case .run(let command): return try await runner.run(command, terminal)
    case .query(let command): return try await runner.query(command, terminal)
    case .test(let command): return try await runner.test(command, terminal)
    case .tableShow(let command): return try await runner.tableShow(command, terminal)
    case .tableHistory(let command): return try await runner.tableHistory(command, terminal)
    case .checkpointList(let command): return try await runner.checkpointList(command, terminal)
    case .checkpointVerify(let command):
        return try await runner.checkpointVerify(command, terminal)
    case .checkpointRewind(let command):
        return try await runner.checkpointRewind(command, terminal)
    case .verify(let command): return try await runner.verify(command, terminal)
    case .demo(let command): return try await runner.demo(command, terminal)
    case .bench(let command): return try await runner.bench(command, terminal)
    case .completion(let shell): terminal.write(completionScript(shell))
    case .version: terminal.write("millrace \(millraceVersion)\n")
    case .help(let name): terminal.write(helpText(name, style: terminal.outputStyle))
    case .reference: terminal.write(commandReference())
    }
    return 0
}

/// The version that `millrace version` prints and that outputs carry.
public let millraceVersion = "0.1.0"

/// Shows a failure: with its line and a caret where the text is at hand.
private func show(_ failure: Failure, _ words: [String], _ terminal: Terminal) {
    let style = terminal.errorStyle
    if let place = failure.place, let source = source(place.file, words) {
        var lines = source.render(failure).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
        lines[0] = style.error(lines[0])
        terminal.writeError(lines.joined(separator: "\n") + "\n")
        return
    }
    let place = failure.place.map { "\($0.file): " } ?? "millrace: "
    terminal.writeError(style.error(place + failure.message) + "\n")
    if let hint = failure.hint { terminal.writeError(style.hint("  hint: \(hint)") + "\n") }
}

/// The text that a place points into: a file, or the query of the command line.
private func source(_ file: String, _ words: [String]) -> SourceText? {
    if file == queryFileName, case .query(let command)? = try? parseCommand(words) {
        return SourceText(file: file, text: command.query)
    }
    return try? readTopology(file)
}

/// What stands for a file's name in places of `millrace query "…"`.
public let queryFileName = "query"
