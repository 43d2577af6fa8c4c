// tumble, hop, session, cumulate in FROM (dialect.md §1.7–1.11).

import Contracts
import Kernels
import SQLSyntax
import Types

extension QueryBuilder {
    /// The windows' names and their arguments behind the relation and its time.
    private static let functions = [
        "tumble": ["size"], "hop": ["slide", "size"], "session": ["gap"],
        "cumulate": ["step", "size"],
    ]

    func windowFunction(
        _ call: FunctionCall, alias: Alias?, _ environment: Environment
    ) throws(Failure) -> Relation {
        let name = call.name.text
        guard let lengths = Self.functions[name] else {
            let nearest = nearestName(to: name, among: Self.functions.keys.sorted())
            throw refuse(
                "the set-returning function \(name)",
                nearest.map { "did you mean \($0)?" }
                    ?? "FROM knows tumble, hop, session and cumulate",
                at: call.name.place)
        }
        let positional = call.arguments.filter { $0.label == nil }
        let usage = "\(name)(relation, time column, \(lengths.joined(separator: ", ")))"
        guard positional.count == lengths.count + 2 else {
            throw Failure(
                .invalid, "sql.window_arguments",
                "\(name) takes \(lengths.count + 2) arguments, not \(positional.count)",
                hint: usage, place: call.name.place)
        }
        let input = try windowInput(positional[0].value, environment)
        try requireNoWindowColumns(input, at: positional[0].value.place)
        let time = try timeColumn(positional[1].value, input, function: name)
        var values: [Int64] = []
        for (argument, what) in zip(positional.dropFirst(2), lengths) {
            values.append(try length(argument.value, what, of: name, environment))
        }
        let labels = try labelled(call, input, environment)
        let kind = try windowKind(name, values, labels.origin, call)
        let window = WindowFunction(
            name: name, kind: kind, timeColumn: time.column, lag: time.lag,
            isByClock: input.node.times[time.column]?.isByClock ?? false,
            partition: labels.partition, window: nextWindow(), place: call.name.place)
        let node = LogicalNode.window(input.node, window)
        let qualifier = alias?.name.text ?? input.scope.columns.first?.qualifier
        let bounds = [node.count - 2, node.count - 1].map { column in
            ScopeColumn(
                qualifier: qualifier, name: node.fields[column].name,
                type: node.fields[column].type, isNullable: false, position: column)
        }
        let relation = Relation(node, scope: Scope(input.scope.columns + bounds))
        return try aliased(relation, alias, place: call.name.place)
    }

    /// A table, view, common table, or `(SELECT …)`.
    private func windowInput(
        _ argument: ExpressionSyntax, _ environment: Environment
    ) throws(Failure) -> Relation {
        switch argument.kind {
        case .column(let path) where path.count == 1:
            return try table(path[0], alias: nil, environment)
        case .subquery(let query):
            return Relation(try self.query(query, environment), qualifier: nil)
        default:
            throw Failure(
                .invalid, "sql.window_relation",
                "the first argument of a window function is a table, a view or (SELECT …)",
                place: argument.place)
        }
    }

    private func requireNoWindowColumns(_ input: Relation, at place: SourcePlace) throws(Failure) {
        for name in ["window_start", "window_end"]
        where input.scope.columns.contains(where: { $0.name == name }) {
            throw Failure(
                .invalid, "sql.window_column_taken",
                "the input of the window function already has a column \(name)",
                hint: "rename it: (SELECT \(name) AS inner_\(name.dropFirst(7)), … FROM …)",
                place: place)
        }
    }

    /// The column by which rows fall into windows, and its lag (dialect.md §1.6).
    private func timeColumn(
        _ argument: ExpressionSyntax, _ input: Relation, function: String
    ) throws(Failure) -> (column: Int, lag: Int64) {
        guard case .column(let path) = argument.kind else {
            throw Failure(
                .invalid, "sql.window_time", "the second argument of \(function) is a time column",
                hint: "a computed time is a generated column and the table's event_time",
                place: argument.place)
        }
        let column = try input.scope.resolve(path)
        if input.node.change.isUpdating {
            throw Failure(
                .invalid, "sql.window_over_updates",
                "\(function) over an updating stream: a row could change after its window closed",
                hint: "take the window over the append-only source, then aggregate",
                place: argument.place)
        }
        let time = input.node.times[column.position]
        if let time, let lag = time.lag { return (column.position, lag) }
        throw notATime(column, time, input, at: argument.place)
    }

    private func notATime(
        _ column: ScopeColumn, _ time: TimeProperty?, _ input: Relation, at place: SourcePlace
    ) -> Failure {
        let known = input.scope.columns.filter {
            let time = input.node.times[$0.position]
            return time?.lag != nil && time?.isByClock == false
        }
        var hint = "declare event_time = '\(column.name)' on the table that it comes from"
        if time?.bound != nil {
            hint = "a session's start comes too late to be a time; use its window_end"
        } else if let other = known.first {
            hint = "the time column here is \(other.name)"
        }
        return Failure(
            .invalid, "sql.window_time", "\"\(column.name)\" is not a time column", hint: hint,
            place: place)
    }

    /// A positive constant interval without months, in µs.
    private func length(
        _ argument: ExpressionSyntax, _ what: String, of function: String,
        _ environment: Environment
    ) throws(Failure) -> Int64 {
        let binder = ExpressionBinder(
            catalog: catalog, scope: Scope(), context: context("a window's \(what)", environment))
        let value = try binder.bind(argument, expected: .interval)
        guard case .interval(let interval)? = value.knownValue else {
            throw Failure(
                .invalid, "sql.window_length",
                "the \(what) of \(function) is a constant interval",
                hint: "INTERVAL '10 seconds'", place: argument.place)
        }
        guard interval.months == 0 else {
            throw Failure(
                .invalid, "sql.window_months",
                "a window of months or years has no fixed length",
                hint: "GROUP BY date_trunc('month', ts) without a window", place: argument.place)
        }
        guard interval.span > 0, let length = Int64(exactly: interval.span) else {
            throw Failure(
                .invalid, "sql.window_length", "the \(what) of \(function) must be positive",
                place: argument.place)
        }
        return length
    }

    private func windowKind(
        _ name: String, _ values: [Int64], _ origin: Int64, _ call: FunctionCall
    ) throws(Failure) -> Window.Kind {
        switch name {
        case "tumble": return .tumble(size: values[0], origin: origin)
        case "hop": return .hop(slide: values[0], size: values[1], origin: origin)
        case "session": return .session(gap: values[0])
        default:
            guard values[1] % values[0] == 0 else {
                throw Failure(
                    .invalid, "sql.cumulate_step",
                    "the size of cumulate must be a multiple of its step",
                    place: call.name.place)
            }
            return .cumulate(step: values[0], size: values[1], origin: origin)
        }
    }

    /// `origin => …`, `partition_by => (a, b)`.
    private func labelled(
        _ call: FunctionCall, _ input: Relation, _ environment: Environment
    ) throws(Failure) -> (origin: Int64, partition: [Int]?) {
        var origin: Int64 = 0
        var partition: [Int]?
        let isSession = call.name.text == "session"
        for argument in call.arguments {
            guard let label = argument.label else { continue }
            switch label.text {
            case "origin" where !isSession:
                origin = try self.origin(argument.value, environment)
            case "partition_by" where isSession:
                partition = try self.partition(argument.value, input)
            default:
                let known = isSession ? "partition_by" : "origin"
                throw Failure(
                    .invalid, "sql.window_arguments",
                    "\(call.name.text) has no argument \(label.text)", hint: "it has \(known)",
                    place: label.place)
            }
        }
        return (origin, partition)
    }

    private func origin(
        _ value: ExpressionSyntax, _ environment: Environment
    ) throws(Failure) -> Int64 {
        let binder = ExpressionBinder(
            catalog: catalog, scope: Scope(), context: context("a window's origin", environment))
        let bound = try binder.bind(value, expected: .timestamptz)
        guard case .int64(let time)? = bound.knownValue,
            bound.type == .timestamptz || bound.type == .timestamp, time != .max, time != .min
        else {
            throw Failure(
                .invalid, "sql.window_origin", "origin is a constant timestamptz",
                hint: "origin => timestamptz '2026-01-01 00:00+00'", place: value.place)
        }
        return time
    }

    private func partition(
        _ value: ExpressionSyntax, _ input: Relation
    ) throws(Failure) -> [Int] {
        var parts = [value]
        if case .row(let inside) = value.kind { parts = inside }
        var columns: [Int] = []
        for part in parts {
            guard case .column(let path) = part.kind else {
                throw Failure(
                    .invalid, "sql.window_arguments", "partition_by takes columns",
                    hint: "partition_by => (a, b)", place: part.place)
            }
            columns.append(try input.scope.resolve(path).position)
        }
        return columns
    }
}
