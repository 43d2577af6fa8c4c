// `millrace explain`: what runs, by which keys, what it remembers and until when.

import Contracts
import Kernels
import SQLSyntax
import Types

/// A plan as text, JSON or a Mermaid graph. Options of connectors are never shown: they may hold
/// secrets.
public struct Explain: Sendable {
    public enum Format: String, Sendable, CaseIterable { case text, json, mermaid }

    let plan: Plan

    public init(_ plan: Plan) { self.plan = plan }

    public func render(_ format: Format) -> String {
        switch format {
        case .text: text
        case .json: json
        case .mermaid: mermaid
        }
    }

    // MARK: Text

    /// One tree an output, sink first; an operator that another output has shown is only named.
    public var text: String {
        var lines: [String] = []
        var shown: Set<Int> = []
        for (index, output) in plan.outputs.enumerated() {
            if !lines.isEmpty { lines.append("") }
            lines.append("output \(output.name): \(output.connector.word), \(mode(output))")
            if let sink = plan.nodes.first(where: { $0.isSink(of: index) }) {
                lines += tree(sink.inputs[0], indent: "", shown: &shown)
                if sink.exchange[0] != .none {
                    lines.append("   rows to writers \(exchange(sink, 0))")
                }
            } else {
                lines.append("   takes late rows or dead letters")
            }
        }
        if !plan.notes.isEmpty {
            lines.append("")
            lines += plan.notes.map { "note: \($0.message)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func tree(_ index: Int, indent: String, shown: inout Set<Int>) -> [String] {
        let node = plan.nodes[index]
        let head = "\(indent)└─ \(title(node))"
        guard shown.insert(index).inserted else { return ["\(head) (shared, above)"] }
        let deeper = indent + "   "
        let facts = facts(node).map { "\(deeper)\($0.name): \($0.value)" }
        return [head] + facts
            + node.inputs.flatMap { tree($0, indent: deeper, shown: &shown) }
    }

    /// The operator's number and what it does.
    func title(_ node: PlanNode) -> String { "#\(node.index) \(what(node))" }

    // MARK: Facts

    /// What is worth a line of its own.
    func facts(_ node: PlanNode) -> [(name: String, value: String)] {
        var facts = [("columns", columns(node.schema)), ("stream", change(node))]
        for input in node.inputs.indices where node.exchange[input] != .none {
            facts.append(("exchange", exchange(node, input)))
        }
        if let state = state(node) {
            facts.append(("state", state))
            facts.append(("id", String(node.operatorID, radix: 16)))
        }
        if let late = late(node) { facts.append(("late", late)) }
        if node.window?.isByClock == true {
            facts.append(("not deterministic", "closed by the clock"))
        }
        if case .source(let index) = node.kind {
            let source = plan.sources[index]
            facts.append(("reads", source.decoded.map(\.origin.word).joined(separator: ", ")))
            facts += time(source).map { [("time", $0)] } ?? []
        }
        return facts
    }

    private func columns(_ schema: Schema) -> String {
        if schema.count == 0 { return "none" }
        return schema.fields.map {
            "\($0.name) \($0.type)\($0.isNullable ? "" : " not null")"
        }.joined(separator: ", ")
    }

    private func change(_ node: PlanNode) -> String {
        switch node.change {
        case .appendOnly: "append-only"
        case .changes: "updating, without a key"
        case .updating(let key):
            key.isEmpty ? "updating, one row" : "updating by (\(names(key, node.schema)))"
        }
    }

    private func exchange(_ node: PlanNode, _ input: Int) -> String {
        switch node.exchange[input] {
        case .none: "none"
        case .hash(let columns):
            columns.isEmpty
                ? "to one worker"
                : "by hash of (\(names(columns, plan.nodes[node.inputs[input]].schema)))"
        }
    }

    private func mode(_ output: OutputPlan) -> String {
        switch output.mode {
        case .append: "append"
        case .upsert(let key):
            key.isEmpty ? "upsert, one row" : "upsert by (\(names(key, output.schema)))"
        case .changelog(let key):
            key.isEmpty ? "changelog" : "changelog by (\(names(key, output.schema)))"
        }
    }

    private func time(_ source: SourcePlan) -> String? {
        source.eventTime.map { column in
            var text =
                "\(source.schema[column].name), watermark \(span(source.watermarkDelay)) behind"
            if let idle = source.idleTimeout { text += ", idle after \(span(idle))" }
            return text
        }
    }

    func names(_ columns: [Int], _ schema: Schema) -> String {
        columns.map { schema[$0].name }.joined(separator: ", ")
    }
}

// MARK: Operators

extension Explain {
    /// One line: the operator with its arguments.
    func what(_ node: PlanNode) -> String {
        let input = node.inputs.first.map { plan.nodes[$0].schema }
        switch node.kind {
        case .source(let index):
            return "source \(plan.sources[index].name) (\(plan.sources[index].connector.word))"
        case .upsertSource(let upsert):
            return "last row by (\(names(upsert.keys, node.schema)))"
        case .project(let expressions):
            return "project \(expressions.map { show($0, input) }.joined(separator: ", "))"
        case .filter(let condition): return "filter \(show(condition, input))"
        case .unionAll: return "union all"
        case .assignWindows(let window): return "assign windows \(show(window, input))"
        case .sessionRows(let rows):
            return "rows of \(show(rows.window, input)) "
                + "by (\(rows.keys.map { name($0, input) }.joined(separator: ", ")))"
        case .windowAggregate(let aggregate):
            let emit =
                switch aggregate.emission {
                case .onClose: ""
                case .onChange: ", early results"
                case .both: ", early results and those of closed windows"
                }
            return "window aggregate \(show(aggregate.window, input)) "
                + "by (\(aggregate.keys.map { name($0, input) }.joined(separator: ", ")))"
                + calls(aggregate.aggregates, input) + emit
        case .results(.early): return "early results"
        case .results(.closed): return "results of closed windows"
        case .aggregate(let aggregate):
            return
                "aggregate by (\(aggregate.keys.map { name($0, input) }.joined(separator: ", ")))"
                + calls(aggregate.aggregates, input)
        case .distinct: return "distinct"
        case .sink(let index): return "sink \(plan.outputs[index].name)"
        }
    }

    private func calls(_ calls: [AggregateCall], _ input: Schema?) -> String {
        calls.isEmpty ? "" : ": " + calls.map { show($0, input) }.joined(separator: ", ")
    }

    private func name(_ column: Int, _ schema: Schema?) -> String {
        schema.map { $0[column].name } ?? "#\(column)"
    }

    private func show(_ call: AggregateCall, _ input: Schema?) -> String {
        if call.function == .countStar, call.filter == nil { return "count(*)" }
        let arguments = call.arguments.map { name($0, input) }.joined(separator: ", ")
        let function = call.function == .countStar ? "count" : call.function.rawValue
        var text = "\(function)(\(call.isDistinct ? "distinct " : "")"
        text += call.function == .countStar ? "*)" : "\(arguments))"
        let order = call.ordering.map {
            name($0.column, input) + ($0.isDescending ? " desc" : "")
        }
        if !order.isEmpty { text += " order by \(order.joined(separator: ", "))" }
        if let filter = call.filter { text += " filter (\(name(filter, input)))" }
        return text
    }

    private func show(_ window: Window, _ input: Schema?) -> String {
        let lag = window.lag == 0 ? "" : ", lag \(span(window.lag))"
        return "\(window.kind.words) of \(name(window.timeColumn, input))\(lag)"
    }

    /// An expression with its columns' names.
    func show(_ expression: Expression, _ input: Schema?) -> String {
        guard let input else { return expression.description }
        func inside(_ part: Expression) -> String { show(part, input) }
        func list(_ parts: [Expression], _ separator: String = ", ") -> String {
            parts.map(inside).joined(separator: separator)
        }
        switch expression {
        case .column(let index, _): return input[index].name
        case .constant(let scalar, let type): return show(scalar, type)
        case .call(let call):
            let name = call.function.name
            let isSymbol = !(name.utf8.first.map(isLetter) ?? true)
            guard isSymbol, call.arguments.count == 2 else {
                return "\(name)(\(list(call.arguments)))"
            }
            return "(\(inside(call.arguments[0])) \(name) \(inside(call.arguments[1])))"
        case .and(let parts): return "(\(list(parts, " AND ")))"
        case .or(let parts): return "(\(list(parts, " OR ")))"
        case .not(let part): return "NOT \(inside(part))"
        case .isNull(let part): return "\(inside(part)) IS NULL"
        case .cases(let cases):
            let branches = cases.branches.map {
                "WHEN \(inside($0.condition)) THEN \(inside($0.result)) "
            }
            return "CASE \(branches.joined())ELSE \(inside(cases.otherwise)) END"
        case .coalesce(let parts, _): return "coalesce(\(list(parts)))"
        case .cast(let part, let type, _): return "\(inside(part))::\(type)"
        case .makeRow(let parts, _): return "row(\(list(parts)))"
        case .makeArray(let parts, _): return "array[\(list(parts))]"
        case .field(let part, let index, _):
            guard case .row(let row) = part.type else { return "(\(inside(part))).\(index)" }
            return "(\(inside(part))).\(row.fields[index].name)"
        }
    }

    private func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    private func show(_ scalar: Scalar, _ type: LogicalType) -> String {
        switch (scalar, type) {
        case (.null, _): return "NULL"
        case (.bool(let value), _): return value ? "true" : "false"
        case (.int64(let value), .smallint), (.int64(let value), .integer),
            (.int64(let value), .bigint):
            return "\(value)"
        case (.bytes(let bytes), .text): return "'\(String(decoding: bytes, as: UTF8.self))'"
        case (.interval(let interval), _) where interval.months == 0:
            return Int64(exactly: interval.span).map { "interval '\(span($0))'" } ?? "\(scalar)"
        default: return "\(scalar)::\(type)"
        }
    }
}

// MARK: State

extension Explain {
    /// What the operator keeps and what bounds it; nil: nothing.
    func state(_ node: PlanNode) -> String? {
        switch node.kind {
        case .upsertSource: return "the last row of each key: grows with the keys"
        case .sessionRows: return "the rows of each open session: forgotten when it closes"
        case .windowAggregate(let aggregate): return state(aggregate)
        case .aggregate(let aggregate):
            let kept = aggregate.aggregates.contains { $0.keepsRows(aggregate.inputIsUpdating) }
            let per = kept ? "accumulators and values" : "accumulators"
            return aggregate.keys.isEmpty
                ? "\(per) of one row\(kept ? ": grows with the values" : "")"
                : "\(per) of each key: grows with the keys"
        case .distinct: return "each value once: grows with the values"
        case .source, .project, .filter, .unionAll, .assignWindows, .results, .sink: return nil
        }
    }

    private func state(_ aggregate: WindowAggregate) -> String {
        let kept = aggregate.aggregates.contains { $0.keepsRows(false) }
        let per = kept ? "accumulators and values" : "accumulators"
        switch aggregate.window.kind {
        case .tumble: return "\(per) of each key and open window: forgotten when the window closes"
        case .hop, .cumulate:
            return "\(per) of each key and open slice: forgotten when its last window closes"
        case .session: return "\(per) of each open session: forgotten when it closes"
        case .existing: return "\(per) of each key: forgotten when its window closes"
        }
    }

    /// How rows are judged late (dialect.md §1.2).
    func late(_ node: PlanNode) -> String? {
        let window: Window
        let route: LateRoute?
        switch node.kind {
        case .windowAggregate(let aggregate):
            (window, route) = (aggregate.window, aggregate.lateRoute)
        case .assignWindows(let assigned): (window, route) = (assigned, assigned.lateRoute)
        case .sessionRows(let rows): (window, route) = (rows.window, rows.window.lateRoute)
        default: return nil
        }
        let lag = window.lag == 0 ? "" : " − \(span(window.lag))"
        let table = route.map { ", into \(plan.outputs[$0.output].name)" } ?? ""
        switch window.kind {
        case .session: return "a row before its bound B\(lag)\(table)"
        case .existing: return "a row whose window's bound is before B\(lag)\(table)"
        case .tumble, .hop, .cumulate:
            return "a row all of whose windows end at or before B\(lag)\(table)"
        }
    }
}

extension AggregateCall {
    /// Whether it keeps values, not just an accumulator.
    fileprivate func keepsRows(_ inputIsUpdating: Bool) -> Bool {
        if isDistinct { return true }
        switch function {
        case .arrayAggregate, .stringAggregate: return true
        case .min, .max, .first, .last, .approximateCountDistinct: return inputIsUpdating
        default: return false
        }
    }
}

extension PlanNode {
    func isSink(of output: Int) -> Bool {
        if case .sink(output) = kind { return true }
        return false
    }
}
