// The command line: parsing, help, completion, and the committed reference.

import Contracts
import Foundation
import Millrace
import Synchronization
import Testing

@Suite struct CommandParsingTests {
    @Test func runWithEverything() throws {
        let command = try parseCommand([
            "run", "a.sql", "--available-now", "--strict", "--fail-fast", "--adopt",
            "--json", "--state", "/s", "--workers=4", "--set", "a=1",
            "--set=b=x=y", "--log-format", "json", "--log-level=debug",
        ])
        guard case .run(let run) = command else { throw Wrong("\(command)") }
        #expect(run.file == "a.sql")
        #expect(run.end == .availableNow)
        #expect(run.takeover == .adopt)
        #expect(run.isStrict && run.failsFast && run.printsJSON)
        #expect(run.engine.stateDirectory == "/s")
        #expect(run.engine.workers == 4)
        #expect(run.engine.settings.map { $0.name + ":" + $0.value } == ["a:1", "b:x=y"])
        #expect(run.engine.logFormat == .json)
        #expect(run.engine.logLevel == .debug)
    }

    @Test func runWithNothing() throws {
        guard case .run(let run) = try parseCommand(["run", "a.sql"]) else { throw Wrong("run") }
        #expect(run.end == .never)
        #expect(run.takeover == .refuse)
        #expect(!run.isStrict && !run.failsFast && !run.printsJSON)
        #expect(run.engine == EngineOptions())
    }

    @Test func queryWithAndWithoutAFile() throws {
        guard case .query(let alone) = try parseCommand(["query", "SELECT 1 - 2"]),
            case .query(let filed) = try parseCommand([
                "query", "--limit", "1_000", "a.sql", "SELECT 1", "--format=csv",
            ]), case .query(let dashed) = try parseCommand(["query", "--", "--x"])
        else { throw Wrong("query") }
        #expect(alone.file == nil && alone.query == "SELECT 1 - 2" && alone.format == .table)
        #expect(filed.file == "a.sql" && filed.query == "SELECT 1")
        #expect(filed.limit == 1000 && filed.format == .csv)
        #expect(dashed.query == "--x")
    }

    @Test func theOthers() throws {
        guard case .validate(let validate) = try parseCommand(["validate", "a", "b"]),
            case .explain(let explain) = try parseCommand(["explain", "a", "--format", "mermaid"]),
            case .test(let test) = try parseCommand(["test", "dir", "x.test.sql"]),
            case .tableHistory(let history) = try parseCommand([
                "table", "history", "t", "--limit=2",
            ]), case .tableShow(let show) = try parseCommand(["table", "show", "t", "--json"]),
            case .checkpointList(let list) = try parseCommand([
                "checkpoint", "list", "--state", "s",
            ]),
            case .demo(let demo) = try parseCommand(["demo", "--kafka", "h:9092", "--events=5"]),
            case .bench(let bench) = try parseCommand(["bench", "--queries", "q0,tumble"])
        else { throw Wrong("a command") }
        #expect(validate.files == ["a", "b"])
        #expect(explain.format == .mermaid)
        #expect(test.paths == ["dir", "x.test.sql"])
        #expect(history.location == "t" && history.limit == 2)
        #expect(show.printsJSON)
        #expect(list.file == nil && list.stateDirectory == "s")
        #expect(demo.kafka == "h:9092" && demo.events == 5)
        #expect(bench.queries == ["q0", "tumble"] && bench.source == .nexmark)
    }

    @Test(arguments: [
        (["completion", "zsh"], Command.completion(.zsh)), (["version"], .version),
        (["--version"], .version), ([], .help("")), (["--help"], .help("")),
        (["help", "run"], .help("run")), (["run", "--help"], .help("run")),
        (["table", "show", "-h"], .help("table show")), (["help", "table"], .help("table")),
        (["docs", "cli"], .reference),
    ])
    func small(words: [String], expected: Command) throws {
        #expect(try parseCommand(words) == expected)
    }

    @Test(arguments: [
        (["rnu", "a.sql"], "no command \"rnu\"", "did you mean millrace run?"),
        (["nonsense"], "no command", "--help lists all commands"),
        (["run"], "needs FILE", "millrace run --help"),
        (["run", "a", "b"], "doesn't take \"b\"", "millrace run --help"),
        (["run", "a", "--bouned"], "no option --bouned", "did you mean --bounded?"),
        (["run", "a", "--bounded", "--available-now"], "can't stand together", "--help"),
        (["run", "a", "--adopt", "--beside"], "can't stand together", "--help"),
        (["run", "a", "--bounded=1"], "takes no value", "--help"),
        (["run", "a", "--state"], "needs a value", "write --state DIR"),
        (["run", "a", "--state="], "is empty", "--help"),
        (["run", "a", "--workers", "0"], "whole number from 1", "--help"),
        (["run", "a", "--workers", "x"], "not \"x\"", "--help"),
        (["run", "a", "--workers", "1", "--workers", "2"], "given twice", "--help"),
        (["run", "a", "--set", "x"], "takes name=value", "checkpoint_interval"),
        (["run", "a", "--set", "=x"], "takes name=value", "checkpoint_interval"),
        (["run", "a", "--log-level", "wraning"], "takes error", "did you mean warning?"),
        (["query", "SELECT", "1", "+"], "doesn't take \"+\"", "one pair of quotes"),
        (["query", "SELECT 1", "--limit", "-1"], "whole number from 0", "--help"),
        (["table"], "knows nothing behind it", "millrace table show"),
        (["table", "shwo", "x"], "knows no \"shwo\"", "did you mean millrace table show?"),
        (["checkpoint", "list"], "needs FILE or --state DIR", "--help"),
        (["demo", "--kafka", "localhost"], "takes host:port", "localhost:9092"),
        (["demo", "--kafka", "h:99999"], "takes host:port", "localhost:9092"),
        (["bench", "--queries", "q0,q7"], "takes q0", "did you mean"),
        (["bench", "--kafka", "h:1"], "needs --source kafka", "--help"),
        (["completion", "bahs"], "takes bash", "did you mean bash?"),
        (["help", "rnu"], "no command", "did you mean millrace run?"),
    ])
    func wrongUsage(words: [String], message: String, hint: String) throws {
        do {
            let command = try parseCommand(words)
            throw Wrong("accepted as \(command)")
        } catch let failure as Failure {
            #expect(failure.kind.exitStatus == 2)
            #expect(failure.code.hasPrefix("usage."))
            #expect(failure.message.contains(message), "\(failure.message)")
            #expect(failure.hint?.contains(hint) == true, "\(failure.hint ?? "-")")
        }
    }
}

@Suite struct CommandTableTests {
    /// Every example of the help is a command line that parses to its own command.
    @Test func everyExampleParses() throws {
        var count = 0
        for specification in commandTable {
            for example in specification.examples where example.line.hasPrefix("millrace ") {
                let words = shellWords(example.line).dropFirst()
                let command = try parseCommand(Array(words))
                #expect(words.starts(with: specification.words), "\(example.line)")
                if case .help = command { Issue.record("\(example.line) is help") }
                count += 1
            }
        }
        #expect(count > 15)
    }

    @Test func everyCommandHasHelp() {
        let style = TextStyle(isColored: false)
        for command in commandTable where !command.isHidden {
            let text = helpText(command.name, style: style)
            #expect(text.contains(command.usage))
            for option in command.allOptions { #expect(text.contains(option.usage)) }
            for example in command.examples { #expect(text.contains(example.line)) }
            #expect(!text.contains("\u{1b}"))
            #expect(helpText("", style: style).contains(command.summary.prefix(20)))
        }
        #expect(helpText("table", style: style).contains("table history"))
        #expect(!helpText("table", style: style).contains("explain "))
        #expect(helpText("run", style: TextStyle(isColored: true)).contains("\u{1b}[1m"))
    }

    @Test func theCommittedReferenceIsCurrent() throws {
        let committed = try String(
            contentsOf: repositoryRoot.appending(path: "docs/cli.md"), encoding: .utf8)
        #expect(committed == commandReference(), "run: millrace docs cli > docs/cli.md")
    }

    /// The shell itself, where it is installed, reads the script and completes with it.
    @Test(arguments: [
        ("millrace ru", "run"), ("millrace run --bou", "--bounded"),
        ("millrace table hi", "history"), ("millrace explain a.sql --format m", "mermaid"),
        ("millrace completion f", "fish"), ("millrace checkpoint list --js", "--json"),
    ])
    func bashCompletes(line: String, expected: String) throws {
        let words = line.split(separator: " ").map { "'\($0)'" }.joined(separator: " ")
        let script =
            completionScript(.bash)
            + "COMP_WORDS=(\(words)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _millrace; "
            + "echo \"${COMPREPLY[@]}\"\n"
        #expect(try output(of: "bash", input: script) == expected + "\n")
    }

    @Test(arguments: [Shell.zsh, .fish])
    func completionNamesEverything(shell: Shell) {
        let script = completionScript(shell)
        for command in commandTable where !command.isHidden {
            for word in command.words { #expect(script.contains(word)) }
            for option in command.allOptions {
                #expect(script.contains(option.name.dropFirst(2)))
            }
        }
    }
}

@Suite struct CommandLineRunTests {
    @Test func anErrorInAFileShowsItsLine() async throws {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "millrace-\(UUID().uuidString).sql")
        try "SELECT 1;\nSELECT end FROM t".write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let recorder = Recorder()
        let status = await runCommandLine(
            ["validate", file.path], runner: EngineRunner(), terminal: recorder.terminal)
        #expect(status == 2)
        #expect(recorder.text(.output).isEmpty)
        #expect(
            recorder.text(.error) == """
                \(file.path):2:8: syntax error at or near "end"
                    SELECT end FROM t
                           ^
                  hint: end is a reserved word: as a name it stands in double quotes, "end"

                """)
    }

    @Test func aMissingFile() async {
        let recorder = Recorder()
        let status = await runCommandLine(
            ["validate", "no-such-file.sql"], runner: EngineRunner(),
            terminal: recorder.terminal)
        #expect(status == 2)
        #expect(recorder.text(.error).hasPrefix("millrace: no-such-file.sql is not there\n"))
    }

    @Test func wrongUsageIsOneSentenceAndAHint() async {
        let recorder = Recorder()
        let status = await runCommandLine(
            ["run", "x", "--bouned"], runner: EngineRunner(), terminal: recorder.terminal)
        #expect(status == 2)
        #expect(
            recorder.text(.error)
                == "millrace: millrace run has no option --bouned\n  hint: did you mean "
                + "--bounded? millrace run --help shows what there is\n")
    }

    @Test func helpAndVersionGoToOutput() async {
        for words in [["--help"], ["--version"], ["completion", "bash"], ["docs", "cli"]] {
            let recorder = Recorder()
            let status = await runCommandLine(
                words, runner: EngineRunner(), terminal: recorder.terminal)
            #expect(status == 0)
            #expect(!recorder.text(.output).isEmpty)
            #expect(recorder.text(.error).isEmpty)
        }
    }
}

private struct Wrong: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Keeps what a command writes.
private final class Recorder: Sendable {
    enum Stream { case output, error }

    private let texts = Mutex<[Stream: String]>([:])

    var terminal: Terminal {
        Terminal(
            write: { text in self.texts.withLock { $0[.output, default: ""] += text } },
            writeError: { text in self.texts.withLock { $0[.error, default: ""] += text } })
    }

    func text(_ stream: Stream) -> String { texts.withLock { $0[stream] ?? "" } }
}

private let repositoryRoot = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Words of a line with simple quotes, up to a redirection.
private func shellWords(_ line: String) -> [String] {
    var words: [String] = []
    var word = ""
    var quote: Character?
    for character in line + " " {
        if character == quote {
            quote = nil
        } else if quote == nil, character == "'" || character == "\"" {
            quote = character
        } else if quote == nil, character == " " {
            if word == ">" { return words }
            if !word.isEmpty { words.append(word) }
            word = ""
        } else {
            word.append(character)
        }
    }
    return words
}

private func output(of shell: String, input: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [shell]
    let writing = Pipe(), reading = Pipe()
    process.standardInput = writing
    process.standardOutput = reading
    try process.run()
    writing.fileHandleForWriting.write(Data(input.utf8))
    writing.fileHandleForWriting.closeFile()
    let data = reading.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
}
