// What an operator's state changed since the last barrier, as bytes; and how it is read back.
//
// A store holds, per operator and key group, entries under keys of the operator's own making. Keys
// sort as bytes. The delta of an epoch goes into the epoch's one WriteBatch.

/// Changes of one operator instance's state since the last barrier.
public struct StateDelta: Sendable {
    public struct Entry: Sendable {
        public let group: UInt16
        public let key: [UInt8]
        /// nil deletes.
        public let value: [UInt8]?
    }

    public let operatorID: UInt64
    public private(set) var entries: [Entry] = []
    /// Every entry of the group whose key begins so goes, before `entries` are written.
    public private(set) var removedPrefixes: [(group: UInt16, prefix: [UInt8])] = []
    /// Bytes of keys and values: what a checkpoint of this operator costs.
    public private(set) var byteCount = 0

    public init(operatorID: UInt64) { self.operatorID = operatorID }

    public mutating func put(group: Int, key: [UInt8], value: [UInt8]) {
        entries.append(Entry(group: UInt16(group), key: key, value: value))
        byteCount += key.count + value.count
    }

    public mutating func delete(group: Int, key: [UInt8]) {
        entries.append(Entry(group: UInt16(group), key: key, value: nil))
        byteCount += key.count
    }

    public mutating func remove(group: Int, prefix: [UInt8]) {
        removedPrefixes.append((UInt16(group), prefix))
        byteCount += prefix.count
    }
}

/// Where an entry stands.
public struct StateKey: Sendable, Hashable {
    public let group: Int
    public let key: [UInt8]

    public init(group: Int, key: [UInt8]) {
        self.group = group
        self.key = key
    }
}

/// Reads stored entries: at start, and when an evicted key is asked for. What it reads is what is
/// durable now, not what was when it was made.
public protocol StateReader: AnyObject {
    /// The value under a key, or nil.
    func value(operatorID: UInt64, group: Int, key: [UInt8]) throws -> [UInt8]?

    /// Every entry of an operator's group in key order.
    func forEach(
        operatorID: UInt64, group: Int, _ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Void
    ) throws

    /// The values under keys, which ascend, in their order; nil: there is none.
    func values(operatorID: UInt64, keys: [StateKey]) throws -> [[UInt8]?]

    /// Every entry of an operator's group whose key begins so, in key order.
    func forEach(
        operatorID: UInt64, group: Int, prefix: [UInt8],
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Void
    ) throws
}

extension StateReader {
    public func values(operatorID: UInt64, keys: [StateKey]) throws -> [[UInt8]?] {
        try keys.map { try value(operatorID: operatorID, group: $0.group, key: $0.key) }
    }

    public func forEach(
        operatorID: UInt64, group: Int, prefix: [UInt8],
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Void
    ) throws {
        try forEach(operatorID: operatorID, group: group) { key, value in
            if key.starts(with: prefix) { try body(key, value) }
        }
    }
}
