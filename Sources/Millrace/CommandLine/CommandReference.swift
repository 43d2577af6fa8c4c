// docs/cli.md, from the table. A test compares it with the committed file.

package func commandReference() -> String {
    var text = """
        # Command line

        <!-- Made by `millrace docs cli > docs/cli.md`. Edit the table in
             Sources/Millrace/CommandLine/CommandTable.swift instead. -->

        `millrace COMMAND --help` shows the same in a terminal; `millrace completion SHELL` prints a
        completion script. Values may be written `--name value` or `--name=value`; `--` ends the
        options.

        | command | what it does |
        |---|---|

        """
    let visible = commandTable.filter { !$0.isHidden }
    for command in visible {
        let anchor = command.name.replacing(" ", with: "-")
        text += "| [`\(command.name)`](#millrace-\(anchor)) | \(command.summary) |\n"
    }
    text += exitStatuses
    for command in visible { text += "\n" + section(command) }
    return text
}

private let exitStatuses = """

    ## Exit status

    | status | meaning |
    |---|---|
    | 0 | done, also with late or dead-lettered rows, which the last line counts |
    | 1 | failed: disk, broker, a sink that refuses, a difference found by `test` or `demo` |
    | 2 | wrong usage, or an error in a topology |
    | 3 | `--strict`, and a row was late or dead-lettered |
    | 4 | the state directory is in use, is not ours, or another run has taken over |
    | 5 | the source has lost data that was not read, and `on_offset_lost` is `fail` |
    | 130, 143 | ended by a second SIGINT or SIGTERM |

    """

private func section(_ command: CommandSpecification) -> String {
    var parts = [
        "## millrace \(command.name)", sentence(command.summary),
        "    " + command.usage,
    ]
    parts += command.discussion
    let arguments = command.arguments.map { "| `\($0.usage)` | \(cell(describe($0))) |" }
    let options = (command.options + command.sharedOptions + [helpOption]).map {
        "| `\($0.usage)` | \(cell(describe($0))) |"
    }
    parts.append((["| argument or option | meaning |", "|---|---|"] + arguments + options).lines)
    if !command.examples.isEmpty {
        let examples = command.examples.flatMap { ["# " + $0.meaning, $0.line] }
        parts.append((["```sh"] + examples + ["```"]).lines)
    }
    return parts.joined(separator: "\n\n") + "\n"
}

private func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + "."
}

private func cell(_ text: String) -> String {
    text.replacing("|", with: "\\|").replacing("<", with: "&lt;")
}

extension [String] {
    fileprivate var lines: String { joined(separator: "\n") }
}
