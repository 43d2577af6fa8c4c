// The keys of a session (dialect.md §1.8, §1.9).
//
// They are the other GROUP BY columns, unless partition_by names them. Where GROUP BY has just the
// session's keys, session and aggregate are one operator. Else each row gets its session's bounds
// once that is closed, and rows are grouped by `window_end` again: then nothing says that rows
// which share their end share their start, so the start is not to be had unless it is grouped by.

import Contracts
import Kernels
import SQLSyntax
import Types

extension QueryBuilder {
    /// The rows that are grouped by `keys`, with the keys of the session that they come from; and
    /// whether all of these are grouped by (of other windows: true).
    func keyingSession(
        _ input: LogicalNode, by keys: [Expression], construct: String, place: SourcePlace
    ) throws(Failure) -> (node: LogicalNode, hasAllKeys: Bool) {
        guard let window = input.openWindow, window.isSession else { return (input, true) }
        let bounds = keys.compactMap { $0.copiedColumn.flatMap { input.times[$0]?.bound } }
            .filter { $0.window == window.window && $0.isOpen }
        // Grouped by the bound of another window only.
        if bounds.isEmpty { return (input, false) }
        let others = keys.filter { key in
            !key.columnsRead.contains { input.times[$0]?.bound?.window == window.window }
        }
        guard window.partition != nil else {
            guard !others.isEmpty else { throw sessionKeysMissing(window, construct) }
            return (input.keyingSession(by: others) ?? input, true)
        }
        let copied = Set(others.compactMap(\.copiedColumn))
        let hasAllKeys = input.sessionKeys.allSatisfy { $0.map(copied.contains) ?? false }
        guard hasAllKeys || bounds.contains(where: \.isEnd) else {
            throw Failure(
                .invalid, "sql.session_end",
                "\(construct) over a session needs window_end, unless all its keys stand there too",
                hint: "add window_end", place: place)
        }
        return (input, hasAllKeys)
    }

    private func sessionKeysMissing(_ window: WindowFunction, _ construct: String) -> Failure {
        Failure(
            .invalid, "sql.session_keys", "a session needs keys",
            hint: "add a column to \(construct == "DISTINCT" ? "SELECT" : construct), "
                + "or partition_by => (a, b)", place: window.place)
    }
}

extension LogicalNode {
    /// The window function whose rows these are, through filters and projections.
    var openWindow: WindowFunction? {
        switch kind {
        case .window(_, let window): window
        case .filter(let input, _), .project(let input, _): input.openWindow
        default: nil
        }
    }

    /// Where the columns of partition_by stand; nil for one that is not there any more.
    fileprivate var sessionKeys: [Int?] {
        switch kind {
        case .window(_, let window): window.partition ?? []
        case .filter(let input, _): input.sessionKeys
        case .project(let input, let expressions):
            input.sessionKeys.map { key in
                key.flatMap { key in expressions.firstIndex { $0.copiedColumn == key } }
            }
        default: []
        }
    }

    /// The node with the session under it keyed by these columns of the node, as partition_by would
    /// say it; nil where one is no plain column of the session's input.
    fileprivate func keyingSession(by keys: [Expression]) -> LogicalNode? {
        let columns = keys.compactMap(\.copiedColumn)
        guard columns.count == keys.count else { return nil }
        switch kind {
        case .window(let input, let window):
            guard columns.allSatisfy({ $0 < input.count }) else { return nil }
            return .window(input, window.keyed(by: columns))
        case .filter(let input, let conditions):
            return input.keyingSession(by: keys).map {
                .filter($0, conditions, place: place)
            }
        case .project(let input, let expressions):
            return input.keyingSession(by: columns.map { expressions[$0] }).map {
                .project($0, expressions, names: fields.map(\.name), place: place)
            }
        default: return nil
        }
    }
}
