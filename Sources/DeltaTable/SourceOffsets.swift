// Offsets in a table's log: in `commitInfo` for people, and as `txn` actions, which checkpoints of
// the log keep, for a directory that adopts the table (design.md §3.5, §3.8).

public import Progress

/// How a commit says where the sources stood.
enum SourceOffsets {
    /// Of `txn.version`: the partition is a series, and no number says where it stands.
    static let unknown: Int64 = -1

    /// By source and partition.
    static func json(_ offsets: [PartitionOffset]) -> JSONValue {
        let sources = Dictionary(grouping: offsets, by: \.source)
        return .object(
            sources.sorted { $0.key < $1.key }.map { source, partitions in
                JSONValue.Member(
                    source,
                    .object(partitions.map { .init($0.partition, .integer($0.next)) }))
            })
    }

    static func name(_ key: PartitionKey, _ identity: DeltaWriterIdentity) -> String {
        identity.offsetPrefix + FilePath.escapedWord(key.source) + ":"
            + FilePath.escapedWord(key.partition)
    }

    /// One a partition that has moved since the snapshot; `<pipeline>/<sink>/next:<source>:
    /// <partition>`, both escaped, so that no name of ours is taken for a generation's.
    static func transactions(
        _ offsets: [PartitionOffset], _ identity: DeltaWriterIdentity,
        after snapshot: DeltaSnapshot, now: Int64
    ) -> [DeltaAction] {
        offsets.compactMap { offset in
            let name = name(PartitionKey(offset), identity)
            let next = offset.detail == nil ? offset.next : unknown
            guard snapshot.transactions[name]?.identifier.version != next else { return nil }
            return .transaction(
                TransactionIdentifier(applicationID: name, version: next, lastUpdated: now))
        }
    }
}

extension DeltaWriterIdentity {
    var offsetPrefix: String { "\(prefix)next:" }
}

extension DeltaSnapshot {
    /// Where an output's sources stood at its newest marker: next to read, −1 where no number says
    /// it. Sorted.
    public func offsets(_ identity: DeltaWriterIdentity) -> [PartitionOffset] {
        var offsets: [PartitionOffset] = []
        for (name, seen) in transactions where name.hasPrefix(identity.offsetPrefix) {
            let words = name.dropFirst(identity.offsetPrefix.count)
                .split(separator: ":", omittingEmptySubsequences: false)
            guard words.count == 2 else { continue }
            offsets.append(
                PartitionOffset(
                    source: FilePath.decode(String(words[0])),
                    partition: FilePath.decode(String(words[1])), next: seen.identifier.version,
                    fingerprint: nil, highestTime: EventTime.never, end: nil))
        }
        return offsets.sorted { ($0.source, $0.partition) < ($1.source, $1.partition) }
    }
}
