// After an adoption outputs stand at different offsets: reading begins at the smallest, and an
// output drops what it has already (design.md §3.8). Only operators without state run then, and no
// rows are exchanged, so a chunk's rows reach their sinks within the call that pushes them, and the
// targets that drop can be named beside the rows instead of in them.

import Columns
import Connectors
import Contracts
import Progress

extension Worker {
    /// Sends a chunk in pieces that no output's floor cuts.
    func sendPieces(
        _ batch: Batch, _ chunk: SourceChunk, at start: PartitionOffset, from feed: Int,
        _ floors: AdoptionFloors
    ) throws(Failure) {
        let partition = PartitionKey(start)
        let offsets = chunk.rowOffsets.isEmpty
            ? (0..<batch.rowCount).map { start.next + Int64($0) } : chunk.rowOffsets
        require(offsets.count == batch.rowCount, "a chunk with offsets of other rows")
        defer { refusals.satisfied = [] }
        var row = 0
        while row < batch.rowCount {
            refusals.satisfied = floors.targets(having: offsets[row], of: partition)
            let above = floors.floors(of: partition).first { $0 > offsets[row] }
            let end = above.flatMap { floor in offsets[row...].firstIndex { $0 >= floor } }
                ?? batch.rowCount
            let piece = row == 0 && end == batch.rowCount
                ? batch : batch.gather((Int32(row)..<Int32(end)).map { $0 })
            try send(.batch(piece), from: feeds[feed].node)
            row = end
        }
    }

    /// Routes a refused record past the targets that have it already.
    func refuse(
        _ record: RefusedRecord, of feed: Int, _ partition: PartitionKey
    ) throws(Failure) {
        refusals.satisfied = floors?.targets(having: record.offset, of: partition) ?? []
        try refusals.recordRefused(record, source: feeds[feed].plan)
        refusals.satisfied = []
    }
}
