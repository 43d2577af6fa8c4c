// Reading one file record by record: what lines and Parquet rows have in common.

import Columns
import Contracts
import Environment
import Formats
import Kernels
import Parquet
import Planning
import Progress

enum FilesCursorLimit {
    /// Read at once: large enough that a system call is noise beside decoding.
    static let chunkBytes = 512 << 10
    /// A line or csv record beyond this is refused: a quote that nobody closed would otherwise take
    /// the rest of the file into memory.
    static let recordBytes = 64 << 20
}

/// Decoded records of one file.
struct FilesRows {
    /// Columns of `SourcePlan.decoded`.
    let batch: Batch
    /// Of each row of `batch`.
    let offsets: [Int64]
    /// Records that could not be decoded, with their bytes.
    let errors: [BadRecord]
    let recordCount: Int
    let skippedCount: Int
    /// A record's own bytes, for the dead letter of a row of `batch`.
    let bytes: (Int) -> [UInt8]?

    struct BadRecord {
        let offset: Int64
        let value: [UInt8]?
        let error: RowError
    }
}

/// A file that is being read. Used on one thread.
protocol FilesCursor: AnyObject {
    /// The next records, at most so many; nil: there are none now, or no more before `end`.
    func next(maximumRows: Int) throws(Failure) -> FilesRows?
    /// Next to read: a byte, or a row of a Parquet file.
    var position: Int64 { get }
    /// Start of the record before `position` and its hash; nil before the first.
    var previous: (offset: Int64, hash: UInt64)? { get }
    /// The file has got all it will get: a last line without a newline counts.
    func finish()
}

/// What a cursor needs to know of its source.
struct FilesCursorPlan {
    let plan: SourcePlan
    let clock: Clock
    /// `_partition`.
    let number: Int32

    /// `end`: nil = as far as the file goes.
    func open(_ path: String, at offset: Int64, end: Int64?) throws(Failure) -> any FilesCursor {
        if plan.format.kind == .parquet {
            return try ParquetCursor(self, path, at: offset, end: end)
        }
        return try LinesCursor(self, path, at: offset, end: end)
    }

    /// Bytes or rows that a file has now.
    func measure(_ path: String) throws(Failure) -> Int64 {
        guard plan.format.kind == .parquet else { return try FilesStream.byteCount(path) }
        return Int64(try ParquetCursor.open(InputFile(path)).rowCount)
    }

    /// The hash of the record that begins at `start` and ends at `end`; nil: the file ends before
    /// it.
    func hash(_ path: String, _ start: Int64, _ end: Int64) throws(Failure) -> UInt64? {
        if plan.format.kind == .parquet {
            let file = try InputFile(path)
            guard Int64(try ParquetCursor.open(file).rowCount) >= end else { return nil }
            return try ParquetCursor.hash(file)
        }
        let stream = try FilesStream(path)
        guard try stream.skip(to: start) else { return nil }
        var bytes: [UInt8] = []
        let count = Int(min(end - start, Int64(FilesCursorLimit.recordBytes)))
        while bytes.count < count {
            if try stream.read(count - bytes.count, appendingTo: &bytes) == 0 { return nil }
        }
        return FilesHash.of(bytes[...])
    }
}

/// FNV-1a, 64 bits: stored, so it never changes.
enum FilesHash {
    static func of(_ bytes: ArraySlice<UInt8>, seed: UInt64 = 0xcbf2_9ce4_8422_2325) -> UInt64 {
        var hash = seed
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
