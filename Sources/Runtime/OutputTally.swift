// What an output got: rows, and a digest by which two runs compare their results.

import Columns
import Contracts
import Kernels

/// Rows of one output on one worker, since the process began.
struct OutputTally: Sendable, Hashable {
    /// Handed to the writer and not refused by it, −1 rows included.
    private(set) var rows: Int64 = 0
    /// The sum, modulo 2⁶⁴, of a hash of each row; a −1 takes its row's hash away. So it is the
    /// digest of the rows that stand, and the same for any order, batch size, number of workers and
    /// restarts in between. Values that are equal in SQL hash alike.
    private(set) var digest: UInt64 = 0

    /// Rows that a writer took, but for those that it refused.
    mutating func add(_ batch: Batch, refused: [RowError], isHashed: Bool) {
        rows += Int64(batch.rowCount - refused.count)
        if isHashed { addHashes(batch, refused: refused) }
    }

    private mutating func addHashes(_ batch: Batch, refused: [RowError]) {
        let hashes = hashRows(batch.columns, rowCount: batch.rowCount)
        var sum: UInt64 = 0
        if let changes = batch.changes {
            for row in hashes.indices {
                sum = changes[row] < 0 ? sum &- hashes[row] : sum &+ hashes[row]
            }
        } else {
            for hash in hashes { sum = sum &+ hash }
        }
        for error in refused {
            let isTakenBack = batch.changes.map { $0[error.row] < 0 } ?? false
            sum = isTakenBack ? sum &+ hashes[error.row] : sum &- hashes[error.row]
        }
        digest = digest &+ sum
    }

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.rows += right.rows
        sum.digest = sum.digest &+ right.digest
        return sum
    }
}
