// Sinks without a commit: blackhole counts, collect hands rows to the caller, print shows them.

public import Columns
public import Contracts

import Environment
public import Progress
import Synchronization
import Types

/// Takes rows and forgets them.
final class BlackholeWriter: SinkWriter {
    func write(_ batch: Batch) throws(Failure) -> [RowError] { [] }
    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] { [] }
    var pendingBytes: Int { 0 }
}

/// Rows that reached an output, kept for the caller: `query`, `test`.
public final class CollectedRows: Sendable {
    private let batches = Mutex<[Batch]>([])

    public init() {}

    func append(_ batch: Batch) { batches.withLock { $0.append(batch) } }

    /// What has come since the last call, in the order of arrival.
    public func take() -> [Batch] {
        batches.withLock { batches in
            defer { batches = [] }
            return batches
        }
    }
}

/// Appends to `CollectedRows` as rows come.
public final class CollectWriter: SinkWriter {
    private let rows: CollectedRows

    public init(_ rows: CollectedRows) { self.rows = rows }

    public func write(_ batch: Batch) throws(Failure) -> [RowError] {
        rows.append(batch)
        return []
    }

    public func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] { [] }
    public var pendingBytes: Int { 0 }
}

/// Writes each row as a line of JSON to standard output as it comes; `+` and `-` in front where the
/// result is updating. For looking at, not for keeping: a crash can show a row twice.
final class PrintWriter: SinkWriter {
    private let schema: Schema
    private let isChangelog: Bool
    private let encode: @Sendable (Batch, Schema) -> [[UInt8]]

    init(
        schema: Schema, isChangelog: Bool,
        encode: @escaping @Sendable (Batch, Schema) -> [[UInt8]]
    ) {
        self.schema = schema
        self.isChangelog = isChangelog
        self.encode = encode
    }

    func write(_ batch: Batch) throws(Failure) -> [RowError] {
        var text: [UInt8] = []
        for (row, line) in encode(batch, schema).enumerated() {
            if isChangelog {
                let isRetraction = batch.changes.map { $0[row] < 0 } ?? false
                text += isRetraction ? [0x2d, 0x20] : [0x2b, 0x20]
            }
            text += line
            text.append(0x0a)
        }
        try StandardOutput.write(text)
        return []
    }

    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] { [] }
    var pendingBytes: Int { 0 }
}
