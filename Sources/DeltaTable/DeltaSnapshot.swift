// A table at one version: what is left of all actions up to it (PROTOCOL.md "Action
// Reconciliation").

public import Contracts
public import Progress
public import Types

/// The state of a table at `version`.
public struct DeltaSnapshot: Sendable {
    public internal(set) var version: Int64
    public internal(set) var tableProtocol: TableProtocol
    public internal(set) var metadata: TableMetadata
    /// Live files by path (as in the log).
    public internal(set) var files: [String: AddFile] = [:]
    public internal(set) var tombstones: [String: RemoveFile] = [:]
    /// `txn` by application id, with the version of the log entry it was read from (nil: from a
    /// checkpoint).
    public internal(set) var transactions: [String: SeenTransaction] = [:]
    public internal(set) var domains: [String: String] = [:]
    /// The newest checkpoint that was read or written.
    public internal(set) var checkpointVersion: Int64?

    public struct SeenTransaction: Sendable, Hashable {
        public let identifier: TransactionIdentifier
        public let entryVersion: Int64?
    }

    public func schema() throws(Failure) -> Schema { try DeltaSchema.decode(metadata.schemaString) }

    /// One log entry.
    mutating func apply(_ actions: [DeltaAction], version: Int64) {
        for action in actions { apply(action, entryVersion: version) }
        self.version = version
    }

    mutating func apply(_ action: DeltaAction, entryVersion: Int64?) {
        switch action {
        case .tableProtocol(let value): tableProtocol = value
        case .metadata(let value): metadata = value
        case .add(let file):
            files[file.path] = file
            tombstones[file.path] = nil
        case .remove(let file):
            files[file.path] = nil
            tombstones[file.path] = file
        case .transaction(let identifier):
            transactions[identifier.applicationID] = SeenTransaction(
                identifier: identifier, entryVersion: entryVersion)
        case .domain(let name, let configuration, let isRemoved):
            domains[name] = isRemoved ? nil : configuration
        case .commitInfo, .other: break
        }
    }
}

/// One output of one pipeline, as its marker in a table's log names it
/// (docs/decisions/0010-delta-markers.md).
public struct DeltaWriterIdentity: Sendable, Hashable {
    public let pipelineID: String
    /// The output's stable name.
    public let sink: String

    public init(pipelineID: String, sink: String) {
        self.pipelineID = pipelineID
        self.sink = sink
    }

    var prefix: String { "\(pipelineID)/\(sink)/" }

    /// Its `txn.version` is the last epoch.
    func epochID(generation: UInt64) -> String { "\(prefix)\(generation)" }

    /// Its `txn.version` is the incarnation of the newest marker.
    var incarnationID: String { "\(prefix)incarnation" }
}

extension Marker {
    /// As a `txn.version` can hold it: markers compare equal by these 63 bits.
    public var inDelta: Marker {
        Marker(
            generation: generation, epoch: epoch, incarnation: incarnation & UInt64(Int64.max))
    }
}

extension DeltaSnapshot {
    /// The newest marker of one output; its incarnation has 63 bits (`Marker.inDelta`).
    public func marker(_ identity: DeltaWriterIdentity) -> Marker? {
        newestTransaction(identity)?.marker
    }

    func newestTransaction(
        _ identity: DeltaWriterIdentity
    ) -> (marker: Marker, seen: SeenTransaction)? {
        var newest: (marker: Marker, seen: SeenTransaction)?
        let incarnation = transactions[identity.incarnationID]?.identifier.version ?? 0
        for (name, seen) in transactions where name.hasPrefix(identity.prefix) {
            guard let generation = UInt64(name.dropFirst(identity.prefix.count)),
                let epoch = UInt64(exactly: seen.identifier.version)
            else { continue }
            let marker = Marker(
                generation: generation, epoch: epoch,
                incarnation: UInt64(bitPattern: incarnation))
            if newest.map({ $0.marker < marker }) ?? true { newest = (marker, seen) }
        }
        return newest
    }

    /// The newest marker of an output under each pipeline that has written it (design.md §3.8).
    public func markers(sink: String) -> [String: Marker] {
        var found: [String: Marker] = [:]
        let middle = "/\(sink)/"
        for name in transactions.keys {
            // A pipeline's id is a UUID: 36 characters, none of them a slash.
            guard name.utf8.count > 36 else { continue }
            let pipeline = String(name.prefix(36))
            guard !pipeline.contains("/"), name.dropFirst(36).hasPrefix(middle) else { continue }
            found[pipeline] = marker(DeltaWriterIdentity(pipelineID: pipeline, sink: sink))
        }
        return found
    }
}
