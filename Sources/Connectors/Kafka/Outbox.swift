// Records that wait in the state directory for a Kafka transaction (design.md §3.6).

public import Contracts
public import Progress

/// One record to be produced.
public struct OutboxRecord: Sendable, Hashable {
    public var topic: String
    public var key: [UInt8]?
    /// nil: a tombstone.
    public var value: [UInt8]?
    public var headers: [Header]

    public struct Header: Sendable, Hashable {
        public var name: String
        public var value: [UInt8]

        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    public init(topic: String, key: [UInt8]?, value: [UInt8]?, headers: [Header] = []) {
        self.topic = topic
        self.key = key
        self.value = value
        self.headers = headers
    }
}

/// Gathers the records of one worker and one cluster, in order, as the bytes of an intent's part.
public struct OutboxPart: Sendable {
    public let target: TargetID
    private var writer = RecordWriter()
    public private(set) var recordCount = 0

    public init(target: TargetID) { self.target = target }

    public var byteCount: Int { writer.bytes.count }

    public mutating func append(_ record: OutboxRecord) {
        writer.string(record.topic)
        writer.optional(record.key)
        writer.optional(record.value)
        writer.varint(UInt64(record.headers.count))
        for header in record.headers {
            writer.string(header.name)
            writer.counted(header.value)
        }
        recordCount += 1
    }

    /// The part, if there is a record; starts anew.
    public mutating func take() -> IntentPart? {
        guard recordCount > 0 else { return nil }
        defer { self = OutboxPart(target: target) }
        return IntentPart(target: target, bytes: writer.bytes)
    }

    /// Calls `body` with each record of a part.
    public static func forEach(
        _ bytes: [UInt8], _ body: (OutboxRecord) throws(Failure) -> Void
    ) throws(Failure) {
        var reader = RecordReader(bytes, subject: "outbox")
        while !reader.isAtEnd {
            var record = OutboxRecord(
                topic: try reader.string(), key: try reader.optional(),
                value: try reader.optional())
            for _ in 0..<(try reader.varint()) {
                let name = try reader.string()
                record.headers.append(.init(name: name, value: try reader.counted()))
            }
            try body(record)
        }
    }
}
