// Words of a command line → a `Command`, or a `Failure` that says what to type instead.

public import Contracts

/// Parses the words behind the program's name. Throws a `Failure` of kind `invalid` (exit 2) whose
/// hint names the nearest word and where help is.
public func parseCommand(_ words: [String]) throws(Failure) -> Command {
    guard let first = words.first else { return .help("") }
    if first == "--help" || first == "-h" { return .help("") }
    if first == "--version" { return .version }
    if first == "help" { return try helpCommand(Array(words.dropFirst())) }
    guard let specification = specification(of: words) else { throw unknownCommand(words) }
    let rest = Array(words.dropFirst(specification.words.count))
    var parser = CommandParser(specification: specification)
    return try parser.parse(rest)
}

/// The longest command whose words begin the line.
private func specification(of words: [String]) -> CommandSpecification? {
    commandTable.first { words.starts(with: $0.words) }
}

private func helpCommand(_ words: [String]) throws(Failure) -> Command {
    let name = words.joined(separator: " ")
    let isKnown = commandTable.contains { $0.name == name || $0.words.first == name }
    guard isKnown || name.isEmpty else { throw unknownCommand(words) }
    return .help(name)
}

private func unknownCommand(_ words: [String]) -> Failure {
    let group = commandTable.filter { $0.words.count > 1 && $0.words.first == words[0] }
    guard group.isEmpty else {
        if words.count > 1, ["--help", "-h"].contains(words[1]) {
            return usageFailure("millrace \(words[0]) has subcommands", group.map(\.name))
        }
        let given = words.count > 1 ? "no \"\(words[1])\"" : "nothing"
        let nearest = nearestName(
            to: words.dropFirst().first ?? "", among: group.map { $0.words[1] })
        let names = group.map { "millrace " + $0.name }.joined(separator: ", ")
        return Failure(
            .invalid, "usage.unknown_command", "millrace \(words[0]) knows \(given) behind it",
            hint: nearest.map { "did you mean millrace \(words[0]) \($0)?" } ?? "type \(names)")
    }
    let visible = commandTable.filter { !$0.isHidden }
    let names = Set(visible.map { $0.words[0] }).sorted()
    let nearest = nearestName(to: words[0], among: names)
    return Failure(
        .invalid, "usage.unknown_command", "there is no command \"\(words[0])\"",
        hint: (nearest.map { "did you mean millrace \($0)? " } ?? "")
            + "millrace --help lists all commands")
}

private func usageFailure(_ message: String, _ commands: [String]) -> Failure {
    Failure(
        .invalid, "usage.unknown_command", message,
        hint: "type " + commands.map { "millrace " + $0 }.joined(separator: ", "))
}

private struct CommandParser {
    let specification: CommandSpecification
    private var parsed = ParsedArguments()

    init(specification: CommandSpecification) { self.specification = specification }

    mutating func parse(_ words: [String]) throws(Failure) -> Command {
        var index = 0
        var takesOptions = true
        while index < words.count {
            let word = words[index]
            index += 1
            if takesOptions, word == "--" {
                takesOptions = false
            } else if takesOptions, word == "-h" || word == "--help" {
                return .help(specification.name)
            } else if takesOptions, word.hasPrefix("-"), word.count > 1 {
                try option(word, words, &index)
            } else {
                parsed.arguments.append(word)
            }
        }
        try checkArguments()
        try checkTogether()
        return specification.make(parsed)
    }

    private mutating func option(
        _ word: String, _ words: [String], _ index: inout Int
    ) throws(Failure) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = specification.allOptions.first(where: { $0.name == name }) else {
            let nearest = nearestName(to: name, among: specification.allOptions.map(\.name))
            throw failure(
                "unknown_option", "millrace \(specification.name) has no option \(name)",
                nearest.map { "did you mean \($0)?" })
        }
        guard option.isRepeatable || parsed.values[name] == nil else {
            throw failure("repeated_option", "\(name) is given twice")
        }
        guard option.placeholder != nil else {
            guard parts.count == 1 else {
                throw failure("value", "\(name) takes no value")
            }
            parsed.values[name] = [""]
            return
        }
        var value: String
        if parts.count == 2 {
            value = String(parts[1])
        } else {
            guard index < words.count else {
                throw failure(
                    "value", "\(name) needs a value", "write \(option.usage)")
            }
            value = words[index]
            index += 1
        }
        try check(value, option.kind, "\(name)")
        parsed.values[name, default: []].append(value)
    }

    private func check(_ value: String, _ kind: ValueKind, _ what: String) throws(Failure) {
        switch kind {
        case .text, .file, .folder:
            if value.isEmpty { throw failure("value", "\(what) is empty") }
        case .count(let minimum):
            guard let number = wholeNumber(value), number >= minimum else {
                throw failure(
                    "value", "\(what) takes a whole number from \(minimum), not \"\(value)\"")
            }
        case .choice(let choices):
            try check(value, choices, what)
        case .choices(let choices):
            let items = value.split(separator: ",", omittingEmptySubsequences: false)
            for item in items { try check(String(item), choices, what) }
        case .assignment:
            guard let equals = value.firstIndex(of: "="), equals != value.startIndex else {
                throw failure(
                    "value", "\(what) takes name=value, not \"\(value)\"",
                    "for example --set checkpoint_interval='5 seconds'")
            }
        case .address:
            let parts = value.split(separator: ":", omittingEmptySubsequences: false)
            let port = parts.last.flatMap { UInt16($0) } ?? 0
            guard parts.count >= 2, port > 0, !parts[0].isEmpty else {
                throw failure(
                    "value", "\(what) takes host:port, not \"\(value)\"",
                    "for example localhost:9092")
            }
        }
    }

    private func check(
        _ value: String, _ choices: [String], _ what: String
    ) throws(Failure) {
        guard !choices.contains(value) else { return }
        let nearest = nearestName(to: value, among: choices)
        throw failure(
            "value", "\(what) takes \(choices.joined(separator: ", ")), not \"\(value)\"",
            nearest.map { "did you mean \($0)?" })
    }

    private mutating func checkArguments() throws(Failure) {
        let wanted = specification.arguments
        let least = wanted.filter { !$0.isOptional }.count
        let most = wanted.contains(where: \.isRepeatable) ? Int.max : wanted.count
        if parsed.arguments.count < least {
            let missing = wanted.filter { !$0.isOptional }[parsed.arguments.count]
            throw failure(
                "missing_argument",
                "millrace \(specification.name) needs \(missing.name): \(missing.help)")
        }
        if parsed.arguments.count > most {
            throw failure(
                "extra_argument",
                "millrace \(specification.name) doesn't take \"\(parsed.arguments[most])\"",
                most > 0 && specification.name == "query"
                    ? "put the whole query into one pair of quotes" : nil)
        }
        let offered = parsed.arguments.count == least ? wanted.filter { !$0.isOptional } : wanted
        for (index, value) in parsed.arguments.enumerated() {
            let argument = offered[min(index, offered.count - 1)]
            try check(value, argument.kind, argument.name)
        }
    }

    private func checkTogether() throws(Failure) {
        for option in specification.options where parsed.has(option.name) {
            for other in option.excludes where parsed.has(other) {
                throw failure(
                    "excluded_option", "\(option.name) and \(other) can't stand together")
            }
        }
        if ["checkpoint list", "checkpoint verify"].contains(specification.name),
            parsed.arguments.isEmpty, !parsed.has("--state")
        {
            throw failure(
                "missing_argument", "millrace \(specification.name) needs FILE or --state DIR")
        }
        if specification.name == "checkpoint rewind", !parsed.has("--to") {
            throw failure("missing_option", "millrace checkpoint rewind needs --to EPOCH")
        }
        if specification.name == "bench", parsed.has("--kafka"),
            parsed.text("--source") != "kafka"
        {
            throw failure("excluded_option", "--kafka needs --source kafka")
        }
    }

    private func failure(_ code: String, _ message: String, _ hint: String? = nil) -> Failure {
        let help = "millrace \(specification.name) --help shows what there is"
        return Failure(
            .invalid, "usage." + code, message,
            hint: hint.map { $0 + " " + help } ?? help)
    }
}
