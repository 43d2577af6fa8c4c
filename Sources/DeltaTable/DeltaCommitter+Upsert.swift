// Upserts by copy-on-write: live files that hold one of the keys are written again without them,
// the new rows are written beside, and one log entry swaps files and sets the marker. Each live key
// so stands in exactly one live file (design.md §3.4). A lost race throws the work away and starts
// over from the rows: whatever the winner changed is then part of the snapshot.

public import Columns
public import Contracts
import Environment
import Parquet
public import Progress
import Types

/// Folded rows of a group of epochs: of each key the last one counts.
public struct DeltaUpsertRows: Sendable {
    /// Columns of the output's schema.
    public let rows: Batch
    /// The row's key is deleted; its other columns mean nothing.
    public let isDeleted: [Bool]
    /// Columns that make the key; none: the table has one row.
    public let key: [Int]

    public init(rows: Batch, isDeleted: [Bool], key: [Int]) {
        self.rows = rows
        self.isDeleted = isDeleted
        self.key = key
    }
}

extension DeltaCommitter {
    /// Merges the folded rows of `epochs` (whose `files` are empty) into the table. `rows` gives
    /// the fold of the epochs that are still to be written, which are all or, if the table has some
    /// of them already, the later ones. `incarnation`: of this process, whose count `numbers` is;
    /// files are named by it, also where the epochs are a dead process's (design.md §3.12).
    public mutating func upsert(
        _ epochs: [DeltaEpochIntent], known: [Marker], incarnation: UInt64, numbers: FileNumbers,
        options: DeltaWriteOptions,
        rows: ([DeltaEpochIntent]) throws(Failure) -> DeltaUpsertRows
    ) throws(Failure) -> DeltaCommitOutcome {
        var base: DeltaSnapshot?
        for _ in 0..<Self.attemptLimit {
            let (start, outcome) = try prepare(epochs, known: known)
            guard let snapshot = start.snapshot, let last = start.remaining.last, outcome == nil
            else { return outcome ?? .nothing }
            if let base, let reason = Self.change(from: base, to: snapshot) {
                return .conflict(reason)
            }
            base = base ?? snapshot
            try snapshot.checkWritable(removes: true)
            let merge = UpsertMerge(
                snapshot: snapshot, shape: try snapshot.shape(for: output), output: output,
                store: store)
            let clock = clock
            var naming = last.marker
            naming.incarnation = incarnation
            let writer = DeltaEpochWriter(
                store: store, shape: merge.shape, marker: naming, numbers: numbers,
                options: options, now: { clock.now() / 1_000 })
            let removed: [AddFile]
            let added: [AddFile]
            do {
                removed = try merge.run(try rows(start.remaining), into: writer)
                added = try writer.close()
            } catch {
                writer.abandon()
                throw error
            }
            Failpoint.pass("delta.merged", identity.sink)
            // Deletes of keys that are not there change no file, but the marker must move: the
            // caller takes these epochs for landed.
            let actions = swap(
                start.remaining, after: snapshot, added: added, removed: removed)
            // If this throws, an entry whose outcome is unknown may name the files: they stay.
            do {
                if let version = try put(actions, after: snapshot) {
                    return .committed(version: version)
                }
            } catch {
                if Mutant.eagerCleanup.isActive { writer.abandon() }
                throw error
            }
            writer.abandon()
        }
        return .conflict("\(Self.attemptLimit) races for the table's next version were lost")
    }

    private func swap(
        _ epochs: [DeltaEpochIntent], after snapshot: DeltaSnapshot, added: [AddFile],
        removed: [AddFile]
    ) -> [DeltaAction] {
        let marker = markerActions(
            epochs, after: snapshot, operation: "MERGE", mode: "Update", isBlindAppend: false,
            added: added, removedCount: removed.count)
        let removes = removed.map { file in
            DeltaAction.remove(
                RemoveFile(
                    path: file.path, deletionTimestamp: nowMilliseconds, dataChange: true,
                    partitionValues: file.partitionValues, byteCount: file.byteCount))
        }
        return marker + removes + added.map { .add($0) }
    }
}

/// One merge against one snapshot.
struct UpsertMerge {
    let snapshot: DeltaSnapshot
    let shape: TableShape
    let output: TableShape
    let store: any DeltaStore

    /// Writes kept and new rows; gives the files that they replace.
    func run(
        _ folded: DeltaUpsertRows, into writer: DeltaEpochWriter
    ) throws(Failure) -> [AddFile] {
        let fold = asStored(folded)
        require(fold.isDeleted.count == fold.rows.rowCount, "a flag a row")
        var keys = KeyTable()
        let encoder = KeyEncoder(fold.key.map { fold.rows.columns[$0] })
        var bytes: [UInt8] = []
        for row in 0..<fold.rows.rowCount {
            bytes.removeAll(keepingCapacity: true)
            try encoder.append(row, to: &bytes)
            keys.insert(bytes, row: row)
        }
        guard fold.rows.rowCount > 0 else { return [] }
        let pruning = KeyPruning(fold, output.schema)
        var tableKey: [Int] = []
        for column in fold.key {
            let name = output.schema[column].name
            tableKey.append(shape.schema.index(of: name).required("checked by shape(for:)"))
        }
        var removed: [AddFile] = []
        for path in snapshot.files.keys.sorted() {
            guard let file = snapshot.files[path], pruning.mayHold(file) else { continue }
            if try rewrite(file, keys, tableKey, into: writer) { removed.append(file) }
        }
        let live = keys.lastRow.filter { !fold.isDeleted[Int($0)] }.sorted()
        if !live.isEmpty { try writer.write(widened(fold.rows.gather(live))) }
        return removed
    }

    /// A partition's empty text comes back as NULL (PROTOCOL.md "Partition Value Serialization"):
    /// as a key it must be NULL from the start, or its row would never be found again.
    private func asStored(_ fold: DeltaUpsertRows) -> DeltaUpsertRows {
        var columns = fold.rows.columns
        for index in output.partitionColumns {
            guard case .bytes(let bytes) = columns[index].values,
                bytes.ranges.contains(where: { $0.length == 0 })
            else { continue }
            let column = columns[index]
            columns[index] = Column(
                column.type, column.values,
                validity: bytes.ranges.indices.map {
                    column.isValid($0) && bytes.ranges[$0].length > 0
                })
        }
        return DeltaUpsertRows(
            rows: fold.rows.replacing(columns: columns), isDeleted: fold.isDeleted, key: fold.key)
    }

    /// Whether the file held a key; if so, its other rows are written again.
    private func rewrite(
        _ file: AddFile, _ keys: KeyTable, _ tableKey: [Int], into writer: DeltaEpochWriter
    ) throws(Failure) -> Bool {
        let reader = try DataFileReader(file, shape, store: store)
        var kept: [[Int32]] = []
        var isHit = false
        var bytes: [UInt8] = []
        for group in 0..<reader.rowGroupCount {
            let batch = try reader.read(group, columns: tableKey)
            let encoder = KeyEncoder(batch.columns)
            var rows: [Int32] = []
            for row in 0..<batch.rowCount {
                bytes.removeAll(keepingCapacity: true)
                try encoder.append(row, to: &bytes)
                if keys.contains(bytes) { isHit = true } else { rows.append(Int32(row)) }
            }
            kept.append(rows)
        }
        guard isHit else { return false }
        for (group, rows) in kept.enumerated() where !rows.isEmpty {
            let batch = try reader.read(group)
            try writer.write(rows.count == batch.rowCount ? batch : batch.gather(rows))
        }
        return true
    }

    /// The output's rows in the table's shape: columns it does not write are NULL.
    private func widened(_ batch: Batch) -> Batch {
        batch.replacing(
            columns: shape.schema.fields.map { field in
                output.schema.index(of: field.name).map { batch.columns[$0] }
                    ?? .nulls(field.type, count: batch.rowCount)
            })
    }
}

/// Rules files out by the smallest and largest values of the key's columns.
private struct KeyPruning {
    private struct KeyColumn {
        let name: String
        let type: LogicalType
        /// Ascending; nil where bounds say nothing (a NULL or an unordered type among the keys).
        let values: [Scalar]?
    }

    private let columns: [KeyColumn]

    init(_ fold: DeltaUpsertRows, _ schema: Schema) {
        columns = fold.key.map { index in
            let column = fold.rows.columns[index]
            let field = schema[index]
            guard !column.hasNulls, Self.isOrdered(field.type) else {
                return KeyColumn(name: field.name, type: field.type, values: nil)
            }
            let values = (0..<column.count).map { column.scalar($0) }.sorted(by: Self.precedes)
            return KeyColumn(name: field.name, type: field.type, values: values)
        }
    }

    private static func isOrdered(_ type: LogicalType) -> Bool {
        switch type {
        case .smallint, .integer, .bigint, .date, .time, .timestamp, .timestamptz, .numeric, .text:
            true
        default: false
        }
    }

    private static func precedes(_ left: Scalar, _ right: Scalar) -> Bool {
        switch (left, right) {
        case (.int64(let a), .int64(let b)): a < b
        case (.int128(let a), .int128(let b)): a < b
        case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
        default: false
        }
    }

    /// False only if no row of the file can have one of the keys.
    func mayHold(_ file: AddFile) -> Bool {
        let statistics = file.statistics.flatMap { try? JSONValue(parsing: $0) }
        for column in columns {
            guard let values = column.values else { continue }
            if let entry = file.partitionValues[column.name] {
                guard let value = try? PartitionValue.parse(entry, column.type) else { continue }
                if !holdsAny(values, from: value, to: value) { return false }
            } else if let low = bound(statistics?["minValues"]?[column.name], column.type),
                let high = bound(statistics?["maxValues"]?[column.name], column.type)
            {
                if !holdsAny(values, from: low, to: raised(high, column.type)) { return false }
            }
        }
        return true
    }

    /// Writers may cut timestamps to ms, the upper bound too (PROTOCOL.md "Per-file Statistics").
    private func raised(_ value: Scalar, _ type: LogicalType) -> Scalar {
        guard type == .timestamp || type == .timestamptz, case .int64(let time) = value else {
            return value
        }
        return .int64(time &+ 999)
    }

    private func holdsAny(_ values: [Scalar], from low: Scalar, to high: Scalar) -> Bool {
        var first = 0
        var end = values.count
        while first < end {
            let middle = (first + end) / 2
            if Self.precedes(values[middle], low) { first = middle + 1 } else { end = middle }
        }
        return first < values.count && !Self.precedes(high, values[first])
    }

    private func bound(_ value: JSONValue?, _ type: LogicalType) -> Scalar? {
        switch (value, type) {
        case (.number(let text), .numeric(_, let scale)):
            return parseDecimal(text, scale: scale).map { .int128($0) }
        case (.number(let text), _): return Int64(text).map { .int64($0) }
        case (.string(let text), .date): return parseDate(text).map { .int64($0) }
        case (.string(let text), .timestamp), (.string(let text), .timestamptz):
            return parseTimestamp(text).map { .int64($0) }
        case (.string(let text), .text): return .text(text)
        default: return nil
        }
    }
}
