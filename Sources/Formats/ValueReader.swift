// What the formats have in common: which columns are wanted, and what a batch came to.

import Columns
import Contracts
import Planning
import Types

/// Reads the fields of messages; metadata columns are the decoder's.
protocol ValueReader: AnyObject {
    func read(_ messages: MessageBatch) throws(Failure) -> FieldRows
}

/// The field columns of the messages that hold rows.
struct FieldRows {
    var columns: [Column]
    /// Behind the fields, where it is wanted: which rows are incomplete.
    var incomplete: Column?
    /// Messages that the rows came from; nil: all of them.
    var kept: [Int32]?
    var changes: [Int8]?
    var errors: [RowError]
    var skipped: Int
    /// Rows beyond one a message: the −1 of a key that a message changes.
    var removals = 0
}

/// The columns that come from the messages' fields, in the decoder's order.
struct WantedColumns {
    struct Wanted {
        let name: String
        let type: LogicalType
        /// Of the declared table; −1: the whole value.
        let position: Int
    }

    let fields: [Wanted]
    /// Positions in `fields`.
    let key: [Int]
    let missingKey: [String]
    /// Whether an `IncompleteRow` is delivered behind the fields.
    let tellsIncomplete: Bool

    init(_ decoded: [DecodedColumn], primaryKey: [String]) {
        let fields = decoded.compactMap { column -> Wanted? in
            switch column.origin {
            case .field(let name, let position):
                Wanted(name: name, type: column.type, position: position)
            case .wholeValue: Wanted(name: "_value", type: column.type, position: -1)
            case .metadata, .incomplete: nil
            }
        }
        self.fields = fields
        tellsIncomplete = decoded.contains { $0.origin == .incomplete }
        key = primaryKey.compactMap { name in fields.firstIndex { $0.name == name } }
        missingKey = primaryKey.filter { name in !fields.contains { $0.name == name } }
    }

    var isKeyed: Bool { !key.isEmpty }

    /// Throws unless all key columns are fields that are read.
    func checkKey() throws(Failure) {
        guard let name = missingKey.first else { return }
        throw Failure(
            .invalid, "format.key_not_read",
            "key column \"\(name)\" is not a field of the message",
            hint: "a primary key is made of columns that the message holds")
    }
}

/// Sorts messages into rows, errors and skipped ones.
struct RowSorter {
    private var state: [State]
    private var errors: [RowError] = []

    private enum State: UInt8 { case row, failed, skipped }

    init(count: Int) { state = Array(repeating: .row, count: count) }

    func isRow(_ message: Int) -> Bool { state[message] == .row }
    mutating func skip(_ message: Int) { state[message] = .skipped }

    /// The first error of a message counts.
    mutating func fail(_ error: RowError) {
        guard state[error.row] != .failed else { return }
        state[error.row] = .failed
        errors.append(error)
    }

    mutating func fail(
        _ message: Int, _ reason: DataErrorReason, _ constraint: String?, _ detail: String
    ) {
        fail(RowError(row: message, reason: reason, constraint: constraint, detail: detail))
    }

    /// `columns` and `changes` have one entry a message.
    func rows(_ columns: [Column], changes: [Int8]? = nil) -> FieldRows {
        let ordered = errors.sorted { $0.row < $1.row }
        let skipped = state.reduce(0) { $0 + ($1 == .skipped ? 1 : 0) }
        guard skipped + errors.count > 0 else {
            return FieldRows(
                columns: columns, kept: nil, changes: changes, errors: [], skipped: 0)
        }
        let kept = state.indices.filter { state[$0] == .row }.map { Int32($0) }
        return FieldRows(
            columns: columns.map { $0.gather(kept) }, kept: kept,
            changes: changes.map { changes in kept.map { changes[Int($0)] } }, errors: ordered,
            skipped: skipped)
    }
}

extension Column {
    /// Takes row i from `other` where `picks[i]`.
    func replacing(with other: Column, where picks: [Bool]) -> Column {
        require(count == other.count && count == picks.count, "columns of different lengths")
        let rows = picks.indices.map { Int32(picks[$0] ? count + $0 : $0) }
        return Column.concatenated([self, other]).gather(rows)
    }

    /// Whether both columns hold the same value in a row; NULL equals NULL.
    func equals(_ other: Column, _ row: Int) -> Bool {
        guard isValid(row), other.isValid(row) else { return isValid(row) == other.isValid(row) }
        switch (values, other.values) {
        case (.int64(let left), .int64(let right)): return left[row] == right[row]
        case (.int128(let left), .int128(let right)): return left[row] == right[row]
        case (.bool(let left), .bool(let right)): return left[row] == right[row]
        case (.bytes(let left), .bytes(let right)): return left[row].elementsEqual(right[row])
        default: return scalar(row) == other.scalar(row)
        }
    }
}
