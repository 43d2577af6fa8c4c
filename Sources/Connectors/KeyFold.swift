// The last change of each key within an epoch: what upsert sinks hand over (design.md §3.4).

import Columns
import State
import Types

/// Remembers where the last row of each key stands, in the order in which keys first came.
struct KeyFold {
    private let keyTypes: [LogicalType]
    private var table: GroupTable
    private(set) var batches: [Batch] = []
    /// Per key: batch and row of its last change.
    private(set) var last: [(batch: Int, row: Int)] = []

    init(_ keyTypes: [LogicalType]) {
        self.keyTypes = keyTypes
        table = GroupTable(keyTypes)
    }

    var isEmpty: Bool { last.isEmpty }

    mutating func add(_ batch: Batch, key: [Int]) {
        let columns = key.map { batch.columns[$0] }
        let hashes = KeyHash.hashes(columns, rowCount: batch.rowCount)
        let rows = (0..<Int32(batch.rowCount)).map { $0 }
        let groups = table.groups(
            columns, rowCount: batch.rowCount, hashes: hashes, rows: rows)
        for row in 0..<batch.rowCount {
            let place = (batch: batches.count, row: row)
            let group = Int(groups[row])
            if group < last.count { last[group] = place } else { last.append(place) }
        }
        batches.append(batch)
    }

    /// Whether the change at a place takes its key away.
    func isDeletion(_ place: (batch: Int, row: Int)) -> Bool {
        batches[place.batch].changes.map { $0[place.row] < 0 } ?? false
    }

    mutating func removeAll() { self = KeyFold(keyTypes) }
}
