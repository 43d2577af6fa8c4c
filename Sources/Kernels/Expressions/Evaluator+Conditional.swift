// AND, OR, CASE, COALESCE: left to right, and what stands right is evaluated only for the rows that
// need it, where it could fail (dialect.md §3.5). A part that cannot fail is evaluated for all
// rows: one plain loop is cheaper than a gather.

import Columns
import Contracts
import Types

/// AND, or OR: what one does with false, the other does with true.
enum Connective {
    case and, or

    /// The value that decides alone.
    private var decisive: Bool { self == .or }

    func evaluate(_ parts: [Expression], _ batch: Batch, errors: inout RowErrors) -> Column {
        guard let first = parts.first else {
            return Column(.boolean, repeating: .bool(!decisive), count: batch.rowCount)
        }
        var state = TruthColumn(first.evaluate(batch, errors: &errors))
        for part in parts.dropFirst() {
            guard part.canFail else {
                state = joined(state, TruthColumn(part.evaluate(batch, errors: &errors)))
                continue
            }
            let open = undecided(state)
            if open.isEmpty { break }
            let answer = TruthColumn(part.evaluate(batch, only: open, errors: &errors))
            state =
                open.count == batch.rowCount
                ? joined(state, answer) : joined(state, answer, at: open)
        }
        return state.column
    }

    private func undecided(_ state: TruthColumn) -> [Int32] {
        let decisive = decisive
        return selected(count: state.values.count) {
            !(state.values[$0] == decisive && state.isKnown($0))
        }
    }

    private func joined(_ left: TruthColumn, _ right: TruthColumn) -> TruthColumn {
        let count = left.values.count
        if left.known == nil, right.known == nil {
            return TruthColumn(
                values: self == .and
                    ? combined(left.values, right.values, count: count) { $0 && $1 }
                    : combined(left.values, right.values, count: count) { $0 || $1 })
        }
        var result = left
        for row in 0..<count {
            result.join(row, right.values[row], isKnown: right.isKnown(row), decisive: decisive)
        }
        return result
    }

    private func joined(
        _ left: TruthColumn, _ right: TruthColumn, at rows: [Int32]
    ) -> TruthColumn {
        var result = left
        for index in rows.indices {
            result.join(
                Int(rows[index]), right.values[index], isKnown: right.isKnown(index),
                decisive: decisive)
        }
        return result
    }
}

/// A boolean column whose parts can be changed.
private struct TruthColumn {
    var values: [Bool]
    var known: Validity

    init(values: [Bool]) {
        self.values = values
        known = nil
    }

    init(_ column: Column) {
        if case .bool(let values) = column.values {
            self.values = values
            known = column.validity
        } else {
            values = Array(repeating: false, count: column.count)
            known = Array(repeating: false, count: column.count)
        }
    }

    var column: Column { Column(.boolean, .bool(values), validity: known) }

    func isKnown(_ row: Int) -> Bool { known?[row] ?? true }

    /// Three-valued logic: the decisive value decides, else NULL wins, else the other value stays.
    mutating func join(_ row: Int, _ value: Bool, isKnown right: Bool, decisive: Bool) {
        let left = isKnown(row)
        if left, values[row] == decisive { return }
        if right, value == decisive {
            values[row] = decisive
            if !left { known?[row] = true }
            return
        }
        if left, !right {
            if known == nil { known = Array(repeating: true, count: values.count) }
            known?[row] = false
        }
    }
}

extension Expression {
    /// The value for some rows: `rows.count` values. Errors are noted at the rows of `batch`.
    func evaluate(_ batch: Batch, only rows: [Int32], errors: inout RowErrors) -> Column {
        if rows.count == batch.rowCount { return evaluate(batch, errors: &errors) }
        var failed = RowErrors()
        let result = evaluate(batch.picked(rows, reading: columnsRead), errors: &failed)
        for var error in failed.errors.values {
            error.row = Int(rows[error.row])
            errors.note(error)
        }
        return result
    }
}

extension Batch {
    /// The rows at `rows`; columns that are not read stay empty of values.
    fileprivate func picked(_ rows: [Int32], reading columnsRead: Set<Int>) -> Batch {
        Batch(
            rowCount: rows.count,
            columns: columns.indices.map { index in
                columnsRead.contains(index)
                    ? columns[index].gather(rows) : Column(.unknown, .null(rows.count))
            })
    }
}

extension Expression.Cases {
    func evaluate(_ batch: Batch, errors: inout RowErrors) -> Column {
        var open = allRows(batch.rowCount)
        var pieces: [ColumnPiece] = []
        for branch in branches where !open.isEmpty {
            let condition = branch.condition.evaluate(batch, only: open, errors: &errors)
            guard case .bool(let holds) = condition.values else { continue }
            let validity = condition.validity
            var taken: [Int32] = []
            var left: [Int32] = []
            for index in open.indices {
                if holds[index], validity?[index] ?? true {
                    taken.append(open[index])
                } else {
                    left.append(open[index])
                }
            }
            open = left
            pieces.append(branch.result.piece(batch, taken, errors: &errors))
        }
        pieces.append(otherwise.piece(batch, open, errors: &errors))
        return .assembled(type, count: batch.rowCount, from: pieces)
    }
}

extension Expression {
    /// The expression's part of a column that several make together.
    fileprivate func piece(
        _ batch: Batch, _ rows: [Int32], errors: inout RowErrors
    ) -> ColumnPiece {
        if rows.isEmpty {
            return ColumnPiece(Column(type, .null(0)), targets: [])
        }
        if rows.count < batch.rowCount, !canFail {
            return ColumnPiece(evaluate(batch, errors: &errors), rows: rows)
        }
        return ColumnPiece(evaluate(batch, only: rows, errors: &errors), targets: rows)
    }
}

/// The first value that is not NULL.
func coalesced(
    _ parts: [Expression], _ type: LogicalType, _ batch: Batch, errors: inout RowErrors
) -> Column {
    var open = allRows(batch.rowCount)
    var pieces: [ColumnPiece] = []
    for part in parts where !open.isEmpty {
        let piece = part.piece(batch, open, errors: &errors)
        pieces.append(piece)
        let column = piece.column
        let sources = piece.sources
        open = selected(count: open.count) { !column.isValid(sources?[$0] ?? $0) }
            .map { open[Int($0)] }
    }
    return .assembled(type, count: batch.rowCount, from: pieces)
}

/// Every row, in order.
func allRows(_ count: Int) -> [Int32] { (0..<Int32(count)).map(\.self) }

/// The rows for which `isWanted`, in order.
@inline(__always)
func selected(count: Int, _ isWanted: (Int) -> Bool) -> [Int32] {
    [Int32](capacity: count) { output in
        for row in 0..<count where isWanted(row) { output.append(Int32(row)) }
    }
}
