// Makes rows that lack values whole from the last row of their key: computes and checks then what
// the scan could not.
//
// A row is completed alone, because the row before it in the same batch may be the one that has
// its values. Such rows are few: updates that leave a large column alone.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

/// The incomplete rows of a batch.
struct CompletedRows {
    private let plan: RowCompletion
    private let codec: RowCodec
    private let names: [String]
    private let incomplete: [Int: IncompleteRow]
    private let batch: Batch

    /// `names`: of the columns that `codec` encodes.
    init(_ plan: RowCompletion, _ codec: RowCodec, names: [String], _ batch: Batch) {
        self.plan = plan
        self.codec = codec
        self.names = names
        self.batch = batch
        incomplete = IncompleteRow.rows(of: batch.columns[plan.column])
    }

    var isEmpty: Bool { incomplete.isEmpty }

    enum Outcome {
        case isWhole
        /// The row's encoding.
        case completed([UInt8])
        case refused(IncompleteRow, RowError)
    }

    /// `last`: the row that stands under the key, encoded; nil: none does.
    func complete(_ row: Int, last: ArraySlice<UInt8>?) -> Outcome {
        guard let record = incomplete[row] else { return .isWhole }
        let lacks = Set(record.missing.map { plan.fields[$0] })
        guard let last else {
            let name = record.missing.first.map { names[plan.fields[$0]] } ?? ""
            return .refused(
                record,
                RowError(
                    row: row, reason: .valueMissing, constraint: name,
                    detail: IncompleteRow.unknown(name)))
        }
        var errors = RowErrors()
        let whole = merged(row, lacks, last, &errors)
        for constraint in plan.constraints { check(constraint, whole, &errors) }
        if let error = errors.errors[0] { return .refused(record, error) }
        return .completed(Array(codec.encode(whole.columns, rowCount: 1)[0]))
    }

    /// The row with what it lacks taken from the last one, its generated columns computed.
    private func merged(
        _ row: Int, _ lacks: Set<Int>, _ last: ArraySlice<UInt8>, _ errors: inout RowErrors
    ) -> Batch {
        let own = batch.gather([Int32(row)])
        do {
            let old = try codec.decode([last])
            var columns = own.columns[..<plan.column].indices.map {
                lacks.contains($0) ? old[$0] : own.columns[$0]
            }
            let fields = Batch(rowCount: 1, columns: columns)
            for computed in plan.computed {
                columns[computed.column] = computed.value.evaluate(fields, errors: &errors)
            }
            return Batch(rowCount: 1, columns: columns)
        } catch {
            bug("a kept row does not decode: \(error)")
        }
    }

    private func check(
        _ constraint: SourceConstraint, _ row: Batch, _ errors: inout RowErrors
    ) {
        let column = constraint.condition.evaluate(row, errors: &errors)
        guard case .bool(let holds) = column.values, !holds[0], column.isValid(0) else { return }
        errors.note(constraint.error(row: 0))
    }
}
