// `--help`, from the table: what a command is for, by examples first for who reads only the end.

/// The text for `millrace help NAME`; "" gives the overview, the first word of a group its
/// commands.
package func helpText(_ name: String, style: TextStyle) -> String {
    if let command = commandTable.first(where: { $0.name == name }) {
        return commandHelp(command, style)
    }
    return overview(commandTable.filter { name.isEmpty || $0.words[0] == name }, style)
}

private func overview(_ commands: [CommandSpecification], _ style: TextStyle) -> String {
    let visible = commands.filter { !$0.isHidden }
    let rows = visible.map { ($0.name, $0.summary) }
    let examples = visible.compactMap(\.examples.first).prefix(5)
    return """
        Millrace: SQL over Kafka, exact tables in the lakehouse.

        \(style.heading("Usage:")) millrace COMMAND [arguments] [options]

        \(style.heading("Commands:"))
        \(columns(rows))

        \(style.heading("For example:"))
        \(exampleLines(Array(examples)))

        millrace COMMAND --help shows a command's options and more examples.

        """
}

private func commandHelp(_ command: CommandSpecification, _ style: TextStyle) -> String {
    var parts = [
        "millrace \(command.name): \(command.summary)",
        style.heading("Usage:") + " " + command.usage,
    ]
    parts += command.discussion.map { wrapped($0, indent: 0) }
    if !command.arguments.isEmpty {
        parts.append(
            style.heading("Arguments:") + "\n"
                + columns(command.arguments.map { ($0.name, describe($0)) }))
    }
    let own = command.options + (command.sharedOptions.isEmpty ? [helpOption] : [])
    if !own.isEmpty {
        parts.append(
            style.heading("Options:") + "\n" + columns(own.map { ($0.usage, describe($0)) }))
    }
    if !command.sharedOptions.isEmpty {
        parts.append(
            style.heading("Shared options:") + "\n"
                + columns((command.sharedOptions + [helpOption]).map { ($0.usage, describe($0)) }))
    }
    if !command.examples.isEmpty {
        parts.append(style.heading("For example:") + "\n" + exampleLines(command.examples))
    }
    return parts.joined(separator: "\n\n") + "\n"
}

package func describe(_ option: OptionSpecification) -> String {
    option.help + describe(option.kind)
}

package func describe(_ argument: ArgumentSpecification) -> String {
    argument.help + (argument.isOptional ? " (may be left out)" : "")
}

private func describe(_ kind: ValueKind) -> String {
    switch kind {
    case .choice(let choices), .choices(let choices): ": " + choices.joined(separator: ", ")
    default: ""
    }
}

private func exampleLines(_ examples: [Example]) -> String {
    examples.map { "  # \($0.meaning)\n  \($0.line)" }.joined(separator: "\n")
}

/// Two columns, the second wrapped under itself.
private func columns(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { left, right in
        let gap = String(repeating: " ", count: width - left.count + 2)
        return "  " + left + gap + wrapped(right, indent: width + 4)
    }.joined(separator: "\n")
}

/// Lines of at most 80 characters; all but the first begin with `indent` spaces.
private func wrapped(_ text: String, indent: Int) -> String {
    let limit = 80 - indent
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
        if !line.isEmpty, line.count + 1 + word.count > limit {
            lines.append(line)
            line = ""
        }
        line += (line.isEmpty ? "" : " ") + word
    }
    lines.append(line)
    return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
}
