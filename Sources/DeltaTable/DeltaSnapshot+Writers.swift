// Who has written a table with Millrace, and how much a table holds: for people and tools.

public import Progress

/// One output of one pipeline with its newest marker in the table's log.
public struct DeltaWriter: Sendable, Hashable {
    public let pipelineID: String
    /// The output's stable name.
    public let sink: String
    /// Its incarnation has 63 bits (`Marker.inDelta`).
    public let marker: Marker
}

extension DeltaSnapshot {
    /// All that have written, by pipeline and sink.
    public var writers: [DeltaWriter] {
        var names: Set<DeltaWriterIdentity> = []
        for name in transactions.keys {
            if let identity = DeltaWriterIdentity(applicationID: name) { names.insert(identity) }
        }
        let ordered = names.sorted { ($0.pipelineID, $0.sink) < ($1.pipelineID, $1.sink) }
        return ordered.compactMap { identity in
            marker(identity).map {
                DeltaWriter(pipelineID: identity.pipelineID, sink: identity.sink, marker: $0)
            }
        }
    }

    /// Bytes of all live files.
    public var byteCount: Int64 { files.values.reduce(0) { $0 + $1.byteCount } }

    /// Rows of all live files; nil if one of them does not say, or has rows marked deleted.
    public var rowCount: Int64? {
        var total: Int64 = 0
        for file in files.values {
            guard !file.hasDeletionVector, let rows = file.rowCount else { return nil }
            total += rows
        }
        return total
    }
}

extension AddFile {
    /// Rows as the file's statistics tell them.
    public var rowCount: Int64? { FileStatistics.rowCount(statistics) }
}

extension DeltaWriterIdentity {
    /// Of `<pipeline>/<sink>/<generation>`; nil where the name is somebody else's. A pipeline's id
    /// is a UUID: 36 characters, none of them a slash.
    fileprivate init?(applicationID: String) {
        let pipeline = String(applicationID.prefix(36))
        let rest = applicationID.dropFirst(36)
        guard pipeline.utf8.count == 36, !pipeline.contains("/"), rest.hasPrefix("/"),
            let slash = rest.lastIndex(of: "/"), slash > rest.startIndex,
            UInt64(rest[rest.index(after: slash)...]) != nil
        else { return nil }
        self.init(
            pipelineID: pipeline, sink: String(rest[rest.index(after: rest.startIndex)..<slash]))
    }
}
