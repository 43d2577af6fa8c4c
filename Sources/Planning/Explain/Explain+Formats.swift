// The plan for scripts (JSON) and for pictures (Mermaid), and the words that all formats share.

import Columns
import Contracts
import Kernels
import SQLSyntax
import Types

extension Explain {
    /// An object with `name`, `sources`, `operators`, `outputs`, `notes`.
    var json: String {
        let operators = plan.nodes.map { node in
            let facts = facts(node).map { (quote($0.name), quote($0.value)) }
            let fields = [
                ("\"index\"", "\(node.index)"), ("\"operator\"", quote(what(node))),
                ("\"id\"", quote(String(node.operatorID, radix: 16))),
                ("\"inputs\"", "[\(node.inputs.map(String.init).joined(separator: ", "))]"),
            ]
            return object(fields + facts)
        }
        let sources = plan.sources.map { source in
            let reads = source.decoded.map { quote($0.origin.word) }.joined(separator: ", ")
            return object([
                ("\"name\"", quote(source.name)), ("\"connector\"", quote(source.connector.word)),
                ("\"reads\"", "[\(reads)]"),
            ])
        }
        let outputs = plan.outputs.map { output in
            let columns = output.schema.fields.map {
                object([
                    ("\"name\"", quote($0.name)), ("\"type\"", quote("\($0.type)")),
                    ("\"nullable\"", "\($0.isNullable)"),
                ])
            }
            return object([
                ("\"name\"", quote(output.name)), ("\"connector\"", quote(output.connector.word)),
                ("\"mode\"", quote(output.mode.word)), ("\"key\"", key(output)),
                ("\"columns\"", "[\(columns.joined(separator: ", "))]"),
            ])
        }
        func lines(_ items: [String]) -> String {
            items.isEmpty ? "[]" : "[\n    \(items.joined(separator: ",\n    "))\n  ]"
        }
        return """
            {
              "name": \(quote(plan.name)),
              "sources": \(lines(sources)),
              "operators": \(lines(operators)),
              "outputs": \(lines(outputs)),
              "notes": \(lines(plan.notes.map { quote($0.message) }))
            }

            """
    }

    private func key(_ output: OutputPlan) -> String {
        guard let key = output.mode.key else { return "null" }
        return "[\(key.map { quote(output.schema[$0].name) }.joined(separator: ", "))]"
    }

    private func object(_ fields: [(String, String)]) -> String {
        "{\(fields.map { "\($0): \($1)" }.joined(separator: ", "))}"
    }

    private func quote(_ text: String) -> String {
        JSONText.quoted(text)
    }

    /// A flow chart, sources on top.
    var mermaid: String {
        var lines = ["flowchart TD"]
        for node in plan.nodes {
            let label = what(node).map { character -> String in
                switch character {
                case "\"": "#quot;"
                case "<": "#lt;"
                case ">": "#gt;"
                default: String(character)
                }
            }.joined()
            lines.append("  n\(node.index)[\"\(label)\"]")
            for (input, exchange) in zip(node.inputs, node.exchange) {
                switch exchange {
                case .none: lines.append("  n\(input) --> n\(node.index)")
                case .hash(let columns):
                    let by = names(columns, plan.nodes[input].schema)
                    let label = columns.isEmpty ? "one worker" : "hash \(by)"
                    lines.append("  n\(input) -->|\"\(label)\"| n\(node.index)")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

// MARK: Words

/// A length of time as PostgreSQL would read it: `10 s`, `1 h 30 min`.
func span(_ microseconds: Int64) -> String {
    let units: [(String, Int64)] = [
        ("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000),
        ("ms", 1_000), ("µs", 1),
    ]
    var rest = microseconds.magnitude
    var parts: [String] = []
    for (name, length) in units where rest >= UInt64(length) {
        parts.append("\(rest / UInt64(length)) \(name)")
        rest %= UInt64(length)
    }
    return (microseconds < 0 ? "-" : "") + (parts.isEmpty ? "0 s" : parts.joined(separator: " "))
}

extension Window.Kind {
    var words: String {
        switch self {
        case .tumble(let size, let origin): "tumble \(span(size))\(Self.from(origin))"
        case .hop(let slide, let size, let origin):
            "hop every \(span(slide)) of \(span(size))\(Self.from(origin))"
        case .cumulate(let step, let size, let origin):
            "cumulate by \(span(step)) to \(span(size))\(Self.from(origin))"
        case .session(let gap): "session of gap \(span(gap))"
        case .existing: "closed window"
        }
    }

    private static func from(_ origin: Int64) -> String {
        origin == 0 ? "" : " from 1970 + \(span(origin))"
    }
}

extension SourceConnector {
    var word: String {
        switch self {
        case .kafka: "kafka"
        case .files: "files"
        case .nexmark: "nexmark"
        case .values: "values"
        }
    }
}

extension SinkConnector {
    var word: String {
        switch self {
        case .kafka: "kafka"
        case .delta: "delta"
        case .files: "files"
        case .blackhole: "blackhole"
        case .print: "print"
        case .collect: "collect"
        }
    }
}

extension OutputMode {
    var word: String {
        switch self {
        case .append: "append"
        case .upsert: "upsert"
        case .changelog: "changelog"
        }
    }
}

extension DecodedColumn.Origin {
    var word: String {
        switch self {
        case .field(let name, _): name
        case .metadata(let column): column.rawValue
        case .wholeValue: "the whole value"
        case .incomplete: IncompleteRow.columnName
        }
    }
}
