// The actions of Delta's log (PROTOCOL.md "Actions"), to and from JSON lines.

public import Contracts

/// What one line of a log entry says.
public enum DeltaAction: Sendable, Hashable {
    case tableProtocol(TableProtocol)
    case metadata(TableMetadata)
    case add(AddFile)
    case remove(RemoveFile)
    case transaction(TransactionIdentifier)
    case commitInfo(JSONValue)
    case domain(name: String, configuration: String, isRemoved: Bool)
    /// cdc files and others that change no state of the table.
    case other(String)
}

public struct TableProtocol: Sendable, Hashable {
    public var minimumReader: Int
    public var minimumWriter: Int
    /// From reader version 3 and writer version 7 on.
    public var readerFeatures: [String]?
    public var writerFeatures: [String]?

    public init(
        minimumReader: Int, minimumWriter: Int, readerFeatures: [String]? = nil,
        writerFeatures: [String]? = nil
    ) {
        self.minimumReader = minimumReader
        self.minimumWriter = minimumWriter
        self.readerFeatures = readerFeatures
        self.writerFeatures = writerFeatures
    }
}

public struct TableMetadata: Sendable, Hashable {
    public var id: String
    public var name: String?
    public var description: String?
    /// The schema as JSON (DeltaSchema.swift).
    public var schemaString: String
    public var partitionColumns: [String]
    public var configuration: [String: String]
    /// ms since 1970.
    public var createdTime: Int64?

    public init(
        id: String, name: String? = nil, description: String? = nil, schemaString: String,
        partitionColumns: [String], configuration: [String: String], createdTime: Int64?
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.schemaString = schemaString
        self.partitionColumns = partitionColumns
        self.configuration = configuration
        self.createdTime = createdTime
    }
}

/// A live data file.
public struct AddFile: Sendable, Hashable {
    /// As in the log: relative, URL-encoded (`FilePath`).
    public var path: String
    /// Serialized values; nil is NULL.
    public var partitionValues: [String: String?]
    public var byteCount: Int64
    /// ms since 1970.
    public var modificationTime: Int64
    public var dataChange: Bool
    /// Statistics as JSON text.
    public var statistics: String?
    public var tags: [String: String]
    /// Rows of the file are marked deleted elsewhere.
    public var hasDeletionVector = false

    public init(
        path: String, partitionValues: [String: String?], byteCount: Int64,
        modificationTime: Int64, dataChange: Bool = true, statistics: String?,
        tags: [String: String] = [:]
    ) {
        self.path = path
        self.partitionValues = partitionValues
        self.byteCount = byteCount
        self.modificationTime = modificationTime
        self.dataChange = dataChange
        self.statistics = statistics
        self.tags = tags
    }
}

/// A tombstone.
public struct RemoveFile: Sendable, Hashable {
    public var path: String
    /// ms since 1970.
    public var deletionTimestamp: Int64?
    public var dataChange: Bool
    public var partitionValues: [String: String?]?
    public var byteCount: Int64?

    public init(
        path: String, deletionTimestamp: Int64?, dataChange: Bool,
        partitionValues: [String: String?]?, byteCount: Int64?
    ) {
        self.path = path
        self.deletionTimestamp = deletionTimestamp
        self.dataChange = dataChange
        self.partitionValues = partitionValues
        self.byteCount = byteCount
    }
}

/// `txn`: how far an application has come (PROTOCOL.md "Transaction Identifiers").
public struct TransactionIdentifier: Sendable, Hashable {
    public var applicationID: String
    public var version: Int64
    /// ms since 1970.
    public var lastUpdated: Int64?

    public init(applicationID: String, version: Int64, lastUpdated: Int64?) {
        self.applicationID = applicationID
        self.version = version
        self.lastUpdated = lastUpdated
    }
}

// MARK: JSON

extension DeltaAction {
    /// The line of the log, without its line break.
    public var json: JSONValue {
        let (name, value): (String, JSONValue) =
            switch self {
            case .tableProtocol(let action): ("protocol", action.json)
            case .metadata(let action): ("metaData", action.json)
            case .add(let action): ("add", action.json)
            case .remove(let action): ("remove", action.json)
            case .transaction(let action): ("txn", action.json)
            case .commitInfo(let value): ("commitInfo", value)
            case .domain(let name, let configuration, let isRemoved):
                (
                    "domainMetadata",
                    .object([
                        .init("domain", .string(name)),
                        .init("configuration", .string(configuration)),
                        .init("removed", .bool(isRemoved)),
                    ])
                )
            case .other(let name): (name, .object([JSONValue.Member]()))
            }
        return .object([.init(name, value)])
    }

    /// The actions of a log entry.
    public static func parse(_ entry: [UInt8]) throws(Failure) -> [DeltaAction] {
        var actions: [DeltaAction] = []
        for line in entry.split(separator: 0x0a) where line.contains(where: { $0 > 0x20 }) {
            let document = try JSONValue(parsing: Array(line))
            for member in document.members ?? [] where member.value != .null {
                actions.append(try DeltaAction(member.name, member.value))
            }
        }
        return actions
    }

    /// A log entry's bytes.
    public static func entry(_ actions: [DeltaAction]) -> [UInt8] {
        var bytes: [UInt8] = []
        for action in actions {
            action.json.write(to: &bytes)
            bytes.append(0x0a)
        }
        return bytes
    }

    init(_ name: String, _ value: JSONValue) throws(Failure) {
        switch name {
        case "protocol": self = .tableProtocol(try TableProtocol(value))
        case "metaData": self = .metadata(try TableMetadata(value))
        case "add": self = .add(try AddFile(value))
        case "remove": self = .remove(try RemoveFile(value))
        case "txn":
            self = .transaction(
                TransactionIdentifier(
                    applicationID: try needed(value["appId"]?.string, "txn.appId"),
                    version: try needed(value["version"]?.int64, "txn.version"),
                    lastUpdated: value["lastUpdated"]?.int64))
        case "commitInfo": self = .commitInfo(value)
        case "domainMetadata":
            self = .domain(
                name: try needed(value["domain"]?.string, "domainMetadata.domain"),
                configuration: value["configuration"]?.string ?? "",
                isRemoved: value["removed"]?.bool ?? false)
        default: self = .other(name)
        }
    }
}

func needed<Value>(_ value: Value?, _ name: String) throws(Failure) -> Value {
    guard let value else {
        throw Failure(.failed, "delta.log", "a log entry lacks \(name)")
    }
    return value
}

extension TableProtocol {
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("minReaderVersion", .integer(minimumReader)),
            .init("minWriterVersion", .integer(minimumWriter)),
        ]
        if let readerFeatures {
            members.append(.init("readerFeatures", .array(readerFeatures.map { .string($0) })))
        }
        if let writerFeatures {
            members.append(.init("writerFeatures", .array(writerFeatures.map { .string($0) })))
        }
        return .object(members)
    }

    init(_ value: JSONValue) throws(Failure) {
        minimumReader = Int(
            try needed(value["minReaderVersion"]?.int64, "protocol.minReaderVersion"))
        minimumWriter = Int(
            try needed(value["minWriterVersion"]?.int64, "protocol.minWriterVersion"))
        readerFeatures = value["readerFeatures"]?.array?.compactMap(\.string)
        writerFeatures = value["writerFeatures"]?.array?.compactMap(\.string)
    }
}

extension TableMetadata {
    var json: JSONValue {
        .object([
            .init("id", .string(id)),
            .init("name", name.map { .string($0) } ?? .null),
            .init("description", description.map { .string($0) } ?? .null),
            .init(
                "format",
                .object([
                    .init("provider", .string("parquet")), .init("options", .object([:])),
                ])),
            .init("schemaString", .string(schemaString)),
            .init("partitionColumns", .array(partitionColumns.map { .string($0) })),
            .init("configuration", .object(configuration)),
            .init("createdTime", createdTime.map { .integer($0) } ?? .null),
        ])
    }

    init(_ value: JSONValue) throws(Failure) {
        id = try needed(value["id"]?.string, "metaData.id")
        name = value["name"]?.string
        description = value["description"]?.string
        // Delta Live Tables create tables that have no schema yet.
        schemaString =
            value["schemaString"]?.string ?? #"{"type":"struct","fields":[]}"#
        partitionColumns = value["partitionColumns"]?.array?.compactMap(\.string) ?? []
        configuration = value["configuration"]?.stringMap ?? [:]
        createdTime = value["createdTime"]?.int64
        if let provider = value["format"]?["provider"]?.string, provider != "parquet" {
            throw Failure(.failed, "delta.format", "the table's files are \(provider)")
        }
    }
}

/// Partition values: a member of null is NULL.
private func partitionMap(_ value: JSONValue?) -> [String: String?] {
    var map: [String: String?] = [:]
    for member in value?.members ?? [] {
        map.updateValue(member.value.string, forKey: member.name)
    }
    return map
}

private func partitionObject(_ map: [String: String?]) -> JSONValue {
    .object(
        map.sorted { $0.key < $1.key }.map { pair in
            .init(pair.key, pair.value.map { .string($0) } ?? .null)
        })
}

extension AddFile {
    public var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("path", .string(path)),
            .init("partitionValues", partitionObject(partitionValues)),
            .init("size", .integer(byteCount)),
            .init("modificationTime", .integer(modificationTime)),
            .init("dataChange", .bool(dataChange)),
        ]
        if let statistics { members.append(.init("stats", .string(statistics))) }
        if !tags.isEmpty { members.append(.init("tags", .object(tags))) }
        return .object(members)
    }

    public init(_ value: JSONValue) throws(Failure) {
        path = try needed(value["path"]?.string, "add.path")
        partitionValues = partitionMap(value["partitionValues"])
        byteCount = try needed(value["size"]?.int64, "add.size")
        modificationTime = value["modificationTime"]?.int64 ?? 0
        dataChange = value["dataChange"]?.bool ?? true
        statistics = value["stats"]?.string
        tags = value["tags"]?.stringMap ?? [:]
        hasDeletionVector = value["deletionVector"]?.members != nil
    }
}

extension RemoveFile {
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("path", .string(path)),
            .init("deletionTimestamp", deletionTimestamp.map { .integer($0) } ?? .null),
            .init("dataChange", .bool(dataChange)),
        ]
        if let partitionValues, let byteCount {
            members += [
                .init("extendedFileMetadata", .bool(true)),
                .init("partitionValues", partitionObject(partitionValues)),
                .init("size", .integer(byteCount)),
            ]
        }
        return .object(members)
    }

    init(_ value: JSONValue) throws(Failure) {
        path = try needed(value["path"]?.string, "remove.path")
        deletionTimestamp = value["deletionTimestamp"]?.int64
        dataChange = value["dataChange"]?.bool ?? true
        partitionValues = value["partitionValues"]?.members.map { _ in
            partitionMap(value["partitionValues"])
        }
        byteCount = value["size"]?.int64
    }
}

extension TransactionIdentifier {
    var json: JSONValue {
        .object([
            .init("appId", .string(applicationID)), .init("version", .integer(version)),
            .init("lastUpdated", lastUpdated.map { .integer($0) } ?? .null),
        ])
    }
}
