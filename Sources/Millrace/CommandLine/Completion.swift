// Completion scripts for bash, zsh and fish, from the table.

package func completionScript(_ shell: Shell) -> String {
    switch shell {
    case .bash: bashScript()
    case .zsh: zshScript()
    case .fish: fishScript()
    }
}

private var visibleCommands: [CommandSpecification] { commandTable.filter { !$0.isHidden } }

/// First words, each once, in the order of the table.
private var firstWords: [String] {
    var words: [String] = []
    for command in visibleCommands where !words.contains(command.words[0]) {
        words.append(command.words[0])
    }
    return words + ["help"]
}

private func secondWords(_ first: String) -> [String] {
    visibleCommands.filter { $0.words.count > 1 && $0.words[0] == first }.map { $0.words[1] }
}

private var groups: [String] { firstWords.filter { !secondWords($0).isEmpty } }

private func choices(_ kind: ValueKind) -> [String]? {
    switch kind {
    case .choice(let choices), .choices(let choices): choices
    default: nil
    }
}

// MARK: bash

private func bashScript() -> String {
    let commands = visibleCommands.map { command in
        """
                "\(command.name)")
        \(bashValues(command))
                    words="\(command.allOptions.map(\.name).joined(separator: " "))"
                    arguments="\(bashArguments(command))"
                    ;;
        """
    }.joined(separator: "\n")
    let groupCases = groups.map { group in
        "        \(group)) next=\"\(secondWords(group).joined(separator: " "))\" ;;"
    }.joined(separator: "\n")
    return """
        # bash completion for millrace: source <(millrace completion bash)
        _millrace() {
            local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
            local command="${COMP_WORDS[1]}" next="" words="" arguments="" first=2
            COMPREPLY=()
            if [ "$COMP_CWORD" -eq 1 ]; then
                words="\(firstWords.joined(separator: " ")) --help --version"
                COMPREPLY=($(compgen -W "$words" -- "$current"))
                return
            fi
            case "$command" in
        \(groupCases)
                help) next="\(firstWords.dropLast().joined(separator: " "))" ;;
            esac
            if [ -n "$next" ]; then
                if [ "$COMP_CWORD" -eq 2 ]; then
                    COMPREPLY=($(compgen -W "$next" -- "$current"))
                    return
                fi
                command="$command ${COMP_WORDS[2]}"
            fi
            case "$command" in
        \(commands)
            esac
            case "$current" in
                -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
                *)
                    case "$arguments" in
                        sql)
                            COMPREPLY=($(compgen -f -X '!*.sql' -- "$current")
                                $(compgen -d -- "$current")) ;;
                        folder) COMPREPLY=($(compgen -d -- "$current")) ;;
                        *) COMPREPLY=($(compgen -W "$arguments" -- "$current")) ;;
                    esac ;;
            esac
        }
        complete -o filenames -F _millrace millrace

        """
}

private func bashValues(_ command: CommandSpecification) -> String {
    let cases = command.allOptions.compactMap { option -> String? in
        guard option.placeholder != nil else { return nil }
        if let choices = choices(option.kind) {
            let words = choices.joined(separator: " ")
            return "                \(option.name)) COMPREPLY=($(compgen -W \"\(words)\" -- "
                + "\"$current\")); return ;;"
        }
        if option.kind == .folder {
            return "                \(option.name)) COMPREPLY=($(compgen -d -- \"$current\")); "
                + "return ;;"
        }
        return "                \(option.name)) return ;;"
    }
    if cases.isEmpty { return "            : # no option takes a value" }
    return (["            case \"$previous\" in"] + cases + ["            esac"])
        .joined(separator: "\n")
}

private func bashArguments(_ command: CommandSpecification) -> String {
    switch command.arguments.first?.kind {
    case .file?: "sql"
    case .folder?: "folder"
    case .choice(let choices)?: choices.joined(separator: " ")
    default: ""
    }
}

// MARK: zsh

private func zshScript() -> String {
    let firsts = firstWords.map { word in
        let summary = visibleCommands.first { $0.name == word }?.summary
        return "        '\(word):\(zshQuoted(summary ?? "commands of \(word)"))'"
    }.joined(separator: "\n")
    let commands = visibleCommands.map { command in
        """
            '\(command.name)')
                _arguments -s -S \(zshArguments(command).joined(separator: " \\\n            "))
                ;;
        """
    }.joined(separator: "\n")
    let groupCases = groups.map { group in
        """
            \(group))
                if (( CURRENT == 3 )); then
                    _values 'command' \(secondWords(group).joined(separator: " "))
                    return
                fi
                name="$name $words[3]"
                shift=2
                ;;
        """
    }.joined(separator: "\n")
    return """
        #compdef millrace
        # zsh completion: millrace completion zsh > "${fpath[1]}/_millrace"
        _millrace() {
            local -a commands
            local name="$words[2]" shift=1
            commands=(
        \(firsts)
            )
            if (( CURRENT == 2 )); then
                _describe 'command' commands
                return
            fi
            case "$name" in
        \(groupCases)
            esac
            words=("millrace" "${(@)words[shift+2,-1]}")
            (( CURRENT -= shift ))
            case "$name" in
        \(commands)
            esac
        }
        if [ "$funcstack[1]" = "_millrace" ]; then
            _millrace "$@"
        else
            compdef _millrace millrace
        fi

        """
}

private func zshArguments(_ command: CommandSpecification) -> [String] {
    var parts: [String] = []
    for option in command.allOptions {
        let repeats = option.isRepeatable ? "*" : ""
        var text = "'\(repeats)\(option.name)[\(zshQuoted(option.help))]"
        if let placeholder = option.placeholder {
            text += ":\(zshQuoted(placeholder)):\(zshAction(option.kind))"
        }
        parts.append(text + "'")
    }
    for argument in command.arguments {
        let prefix = argument.isRepeatable ? "*" : argument.isOptional ? ":" : ""
        parts.append("'\(prefix):\(argument.name):\(zshAction(argument.kind))'")
    }
    return parts
}

private func zshAction(_ kind: ValueKind) -> String {
    switch kind {
    case .file(let suffix): "_files -g \"*\(suffix)\""
    case .folder: "_files -/"
    case .choice(let choices): "(\(choices.joined(separator: " ")))"
    case .choices(let choices): "_sequence compadd - \(choices.joined(separator: " "))"
    default: ""
    }
}

private func zshQuoted(_ text: String) -> String {
    text.replacing("'", with: "'\\''").replacing(":", with: "\\:")
        .replacing("[", with: "\\[").replacing("]", with: "\\]")
}

// MARK: fish

private func fishScript() -> String {
    var lines = [
        "# fish completion: millrace completion fish > ~/.config/fish/completions/millrace.fish",
        "complete -c millrace -f",
    ]
    let top = firstWords.joined(separator: " ")
    for word in firstWords {
        let summary = visibleCommands.first { $0.name == word }?.summary ?? "commands of \(word)"
        lines.append(
            "complete -c millrace -n 'not __fish_seen_subcommand_from \(top)' -a \(word) "
                + "-d '\(fishQuoted(summary))'")
    }
    for group in groups {
        let seconds = secondWords(group).joined(separator: " ")
        lines.append(
            "complete -c millrace -n '__fish_seen_subcommand_from \(group); and not "
                + "__fish_seen_subcommand_from \(seconds)' -a '\(seconds)'")
    }
    for command in visibleCommands {
        let condition = command.words.map { "__fish_seen_subcommand_from \($0)" }
            .joined(separator: "; and ")
        for option in command.allOptions {
            lines.append(
                "complete -c millrace -n '\(condition)' -l \(option.name.dropFirst(2))"
                    + fishValue(option) + " -d '\(fishQuoted(option.help))'")
        }
        if let argument = command.arguments.first {
            lines.append(
                "complete -c millrace -n '\(condition)'" + fishArguments(argument.kind))
        }
    }
    return lines.joined(separator: "\n") + "\n"
}

private func fishValue(_ option: OptionSpecification) -> String {
    guard option.placeholder != nil else { return "" }
    if let choices = choices(option.kind) { return " -x -a '\(choices.joined(separator: " "))'" }
    return option.kind == .folder ? " -x -a '(__fish_complete_directories)'" : " -x"
}

private func fishArguments(_ kind: ValueKind) -> String {
    switch kind {
    case .file(let suffix): " -a '(__fish_complete_suffix \(suffix))'"
    case .folder: " -a '(__fish_complete_directories)'"
    case .choice(let choices): " -a '\(choices.joined(separator: " "))'"
    default: " -f"
    }
}

private func fishQuoted(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
}
