// What a command is, as data. Parsing, help, "did you mean", completion and docs/cli.md are all
// made from these values; nothing about a command stands anywhere else.

/// What an option or argument takes.
package enum ValueKind: Sendable, Hashable {
    case text
    /// A path; completed as one. `suffix` narrows files, "" takes all.
    case file(suffix: String)
    case folder
    /// A whole number, at least this; `_` may group digits.
    case count(minimum: Int)
    case choice([String])
    /// Several of these, separated by commas.
    case choices([String])
    /// `name=value`.
    case assignment
    /// `host:port`.
    case address
}

package struct OptionSpecification: Sendable, Hashable {
    /// With the two dashes.
    package let name: String
    /// The word for the value in help, `DIR`; nil: a flag.
    package let placeholder: String?
    package let kind: ValueKind
    package let help: String
    package let isRepeatable: Bool
    /// Names of options that can't stand beside this one.
    package let excludes: [String]

    static func flag(_ name: String, _ help: String, excludes: [String] = []) -> Self {
        Self(
            name: name, placeholder: nil, kind: .text, help: help, isRepeatable: false,
            excludes: excludes)
    }

    static func value(
        _ name: String, _ placeholder: String, _ kind: ValueKind, _ help: String,
        isRepeatable: Bool = false
    ) -> Self {
        Self(
            name: name, placeholder: placeholder, kind: kind, help: help,
            isRepeatable: isRepeatable, excludes: [])
    }

    /// `--state DIR`.
    package var usage: String { placeholder.map { name + " " + $0 } ?? name }
}

package struct ArgumentSpecification: Sendable, Hashable {
    package let name: String
    package let kind: ValueKind
    package let help: String
    package let isOptional: Bool
    package let isRepeatable: Bool

    init(
        _ name: String, _ kind: ValueKind, _ help: String, isOptional: Bool = false,
        isRepeatable: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.isOptional = isOptional
        self.isRepeatable = isRepeatable
    }

    /// `FILE…`, `[FILE]`.
    package var usage: String {
        let text = name + (isRepeatable ? "…" : "")
        return isOptional ? "[\(text)]" : text
    }
}

/// A line that a reader can type, and what it does.
package struct Example: Sendable, Hashable {
    package let line: String
    package let meaning: String

    init(_ line: String, _ meaning: String) {
        self.line = line
        self.meaning = meaning
    }
}

package struct CommandSpecification: Sendable {
    /// `run`, `table show`.
    package let name: String
    /// One line, lower case start, no full stop.
    package let summary: String
    /// Paragraphs of what the summary leaves open.
    package let discussion: [String]
    package let arguments: [ArgumentSpecification]
    package let options: [OptionSpecification]
    /// Options that several commands share, shown after the own ones.
    package let sharedOptions: [OptionSpecification]
    package let examples: [Example]
    package let isHidden: Bool
    /// Makes the typed value of what was parsed.
    package let make: @Sendable (ParsedArguments) -> Command

    init(
        _ name: String, _ summary: String, discussion: [String] = [],
        arguments: [ArgumentSpecification] = [], options: [OptionSpecification] = [],
        sharedOptions: [OptionSpecification] = [], examples: [Example] = [],
        isHidden: Bool = false, make: @escaping @Sendable (ParsedArguments) -> Command
    ) {
        self.name = name
        self.summary = summary
        self.discussion = discussion
        self.arguments = arguments
        self.options = options
        self.sharedOptions = sharedOptions
        self.examples = examples
        self.isHidden = isHidden
        self.make = make
    }

    package var words: [String] { name.split(separator: " ").map(String.init) }
    package var allOptions: [OptionSpecification] { options + sharedOptions + [helpOption] }

    /// `millrace run FILE [options]`.
    package var usage: String {
        (["millrace", name] + arguments.map(\.usage) + ["[options]"]).joined(separator: " ")
    }
}

package let helpOption = OptionSpecification.flag("--help", "show this help")
