// What stood on the command line, checked against its specification, before it becomes a `Command`.

import Contracts

package struct ParsedArguments: Sendable {
    package var arguments: [String] = []
    /// By option name, in the order given; a flag has one empty value.
    package var values: [String: [String]] = [:]

    package func has(_ option: String) -> Bool { values[option] != nil }
    package func text(_ option: String) -> String? { values[option]?.last }

    package func count(_ option: String) -> Int? {
        text(option).map { wholeNumber($0).required("a number that was checked") }
    }

    package func choice<Choice: RawRepresentable<String>>(_ option: String) -> Choice? {
        text(option).map { Choice(rawValue: $0).required("a choice that was checked") }
    }

    package var settings: [SettingOverride] {
        (values["--set"] ?? []).map { assignment in
            let parts = assignment.split(separator: "=", maxSplits: 1)
            return SettingOverride(
                name: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : "")
        }
    }

    package var engine: EngineOptions {
        var options = EngineOptions()
        options.stateDirectory = text("--state")
        options.workers = count("--workers")
        options.settings = settings
        options.logFormat = choice("--log-format") ?? options.logFormat
        options.logLevel = choice("--log-level") ?? options.logLevel
        return options
    }
}

/// Digits, grouped by `_` if one likes.
func wholeNumber(_ text: String) -> Int? {
    guard text.first?.isNumber == true else { return nil }
    return Int(text.replacing("_", with: ""))
}

extension RunCommand {
    init(_ parsed: ParsedArguments) {
        file = parsed.arguments[0]
        end =
            parsed.has("--bounded")
            ? .bounded : parsed.has("--available-now") ? .availableNow : .never
        takeover = parsed.has("--adopt") ? .adopt : parsed.has("--beside") ? .beside : .refuse
        isStrict = parsed.has("--strict")
        failsFast = parsed.has("--fail-fast")
        resets = parsed.values["--reset-state"] ?? []
        printsJSON = parsed.has("--json")
        engine = parsed.engine
    }
}

extension QueryCommand {
    init(_ parsed: ParsedArguments) {
        file = parsed.arguments.count > 1 ? parsed.arguments[0] : nil
        query = parsed.arguments.last.required("a query")
        limit = parsed.count("--limit")
        format = parsed.choice("--format") ?? .table
        engine = parsed.engine
    }
}

extension BenchCommand {
    init(_ parsed: ParsedArguments) {
        queries = parsed.text("--queries")?.split(separator: ",").map(String.init)
        events = parsed.count("--events")
        source = parsed.choice("--source") ?? .nexmark
        kafka = parsed.text("--kafka")
        printsJSON = parsed.has("--json")
        engine = parsed.engine
    }
}
