// The rows that an output should hold, as a count and an order-free digest.

import Columns
import Contracts
import Kernels
import Planning
import State
import Synchronization
import Types

/// How many rows, and the sum, modulo 2⁶⁴, of a hash of each.
public struct RowsDigest: Sendable, Hashable {
    public var count: Int64 = 0
    public var digest: UInt64 = 0

    public init() {}

    mutating func add(_ hash: UInt64) {
        count += 1
        digest = digest &+ hash
    }
}

/// Gathers what the writers of one output got. An updating output keeps a hash for each key: the
/// last row counts.
public final class RecomputedRows: Sendable {
    private let state = Mutex(State())

    private struct State {
        var rows = RowsDigest()
        var byKey: [[UInt8]: UInt64] = [:]
    }

    public init() {}

    /// What stands.
    public var digest: RowsDigest {
        state.withLock { state in
            var digest = state.rows
            for hash in state.byKey.values { digest.add(hash) }
            return digest
        }
    }

    func append(_ hashes: [UInt64]) {
        state.withLock { state in
            for hash in hashes { state.rows.add(hash) }
        }
    }

    /// nil: the key is deleted.
    func put(_ changes: [(key: [UInt8], hash: UInt64?)]) {
        state.withLock { state in
            for change in changes { state.byKey[change.key] = change.hash }
        }
    }
}

/// Hashes rows as a sink would hold them.
struct RowHashing: Sendable {
    private let plan: OutputPlan
    private let key: [Int]?
    private let keyCodec: RowCodec
    /// Partition columns of a table: an empty text there is NULL when it is read back.
    private let partitionColumns: [Int]

    init(_ plan: OutputPlan) {
        self.plan = plan
        if case .upsert(let key) = plan.mode { self.key = key } else { key = nil }
        keyCodec = RowCodec((key ?? []).map { plan.schema[$0].type }, form: .canonical)
        if case .delta(let options) = plan.connector {
            partitionColumns = options.partitionColumns
        } else {
            partitionColumns = []
        }
    }

    func add(_ batch: Batch, to rows: RecomputedRows) {
        guard batch.rowCount > 0 else { return }
        let columns = batch.columns.enumerated().map { index, column in
            partitionColumns.contains(index) ? RowHashing.withoutEmpty(column) : column
        }
        let hashes = hashRows(columns, rowCount: batch.rowCount)
        guard let key else { return rows.append(hashes) }
        let keys = keyCodec.encode(key.map { columns[$0] }, rowCount: batch.rowCount)
        rows.put(
            (0..<batch.rowCount).map { row in
                let isDeleted = batch.changes.map { $0[row] < 0 } ?? false
                return (Array(keys[row]), isDeleted ? nil : hashes[row])
            })
    }

    private static func withoutEmpty(_ column: Column) -> Column {
        guard case .bytes(let bytes) = column.values,
            bytes.ranges.contains(where: { $0.length == 0 })
        else { return column }
        return Column(
            column.type, column.values,
            validity: bytes.ranges.indices.map {
                column.isValid($0) && bytes.ranges[$0].length > 0
            })
    }
}
