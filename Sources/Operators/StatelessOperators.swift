// Operators that keep nothing: projection, filter, UNION ALL, window assignment's base.

import Columns
import Contracts
import Kernels
import Planning
import State

/// An operator without state: time and barriers pass it by.
protocol StatelessOperator: Operator {
    var operatorID: UInt64 { get }
}

extension StatelessOperator {
    func advance(to minimum: Int64, into output: inout OperatorOutput) {}
    func flush(into output: inout OperatorOutput) {}
    func snapshot() -> StateDelta { StateDelta(operatorID: operatorID) }
    func restore(
        from reader: any StateReader, groups: Range<Int>, minimum: Int64, memoryLimit: Int
    ) throws {}
    var held: HeldState { HeldState() }
}

/// Computes columns. Conservation: in = out + dead (+ filtered, for rows of an updating input that
/// fail: they are left out while they fail).
final class ProjectOperator: StatelessOperator {
    let operatorID: UInt64
    private let expressions: [Expression]

    init(operatorID: UInt64, expressions: [Expression]) {
        self.operatorID = operatorID
        self.expressions = expressions
    }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        output.counters.rowsIn += Int64(batch.rowCount)
        var errors = RowErrors()
        let columns = expressions.map { $0.evaluate(batch, errors: &errors) }
        let result = batch.replacing(columns: columns)
        guard !errors.isEmpty else { return output.emit(result) }
        output.refuse(errors, of: batch)
        let kept = (0..<Int32(batch.rowCount)).filter { errors.errors[Int($0)] == nil }
        output.emit(result.gather(kept))
    }
}

/// Keeps the rows where a condition is true. Conservation: in = out + filtered + dead; a failing
/// row of an updating input is among `filtered`.
final class FilterOperator: StatelessOperator {
    let operatorID: UInt64
    private let condition: Expression

    init(operatorID: UInt64, condition: Expression) {
        self.operatorID = operatorID
        self.condition = condition
    }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        output.counters.rowsIn += Int64(batch.rowCount)
        var errors = RowErrors()
        let column = condition.evaluate(batch, errors: &errors)
        var kept = trueRows(column)
        if !errors.isEmpty {
            output.refuse(errors, of: batch)
            kept.removeAll { errors.errors[Int($0)] != nil }
        }
        output.counters.filtered += Int64(batch.rowCount - kept.count - errors.errors.count)
        output.emit(kept.count == batch.rowCount ? batch : batch.gather(kept))
    }
}

/// UNION ALL: hands on what comes, with its change and watermarks. Conservation: in = out.
final class UnionAllOperator: StatelessOperator {
    let operatorID: UInt64

    init(operatorID: UInt64) { self.operatorID = operatorID }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        output.counters.rowsIn += Int64(batch.rowCount)
        output.emit(batch)
    }
}

/// Lets one of the two streams of a windowed aggregate pass: batches of early results carry
/// changes, those of closed windows don't.
final class ResultsOperator: StatelessOperator {
    let operatorID: UInt64
    private let stream: WindowAggregate.Stream

    init(_ stream: WindowAggregate.Stream, operatorID: UInt64) {
        self.stream = stream
        self.operatorID = operatorID
    }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        output.counters.rowsIn += Int64(batch.rowCount)
        guard (batch.changes == nil) == (stream == .closed) else {
            output.counters.filtered += Int64(batch.rowCount)
            return
        }
        output.emit(batch)
    }
}

/// The rows where a boolean column is true: neither false nor NULL.
func trueRows(_ column: Column) -> [Int32] {
    guard case .bool(let values) = column.values else { return [] }
    if let validity = column.validity {
        return [Int32](capacity: values.count) { output in
            for row in values.indices where values[row] && validity[row] {
                output.append(Int32(row))
            }
        }
    }
    return [Int32](capacity: values.count) { output in
        for row in values.indices where values[row] { output.append(Int32(row)) }
    }
}

extension OperatorOutput {
    /// Takes the failed rows of an input batch: dead if the stream only grows, else left out.
    mutating func refuse(_ errors: RowErrors, of batch: Batch) {
        let failed = errors.errors.values.sorted { $0.row < $1.row }
        if let changes = batch.changes {
            counters.filtered += Int64(failed.count)
            for error in failed { counters.failing += Int64(changes[error.row]) }
            return
        }
        dead(failed, of: batch)
    }

    /// Dead-letters rows of a batch; one error a row, ascending.
    mutating func dead(_ errors: [RowError], of batch: Batch, areResults: Bool = false) {
        let renumbered = errors.enumerated().map { index, error in
            var error = error
            error.row = index
            return error
        }
        counters.dead += Int64(errors.count)
        failed.append(
            FailedRows(
                rows: batch.gather(errors.map { Int32($0.row) }), errors: renumbered,
                areResults: areResults))
    }
}
