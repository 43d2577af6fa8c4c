// Messages as a source hands them to a decoder: bytes in two arenas, everything else in arrays.

import Contracts

/// Messages of one source in the order in which they were read, each partition's in offset order.
/// Never an object a message. A newline follows each value in `values`, so that a decoder can index
/// neighbours together.
public struct MessageBatch: Sendable {
    /// The values, one behind the other.
    public private(set) var values: [UInt8] = []
    public private(set) var valueRanges: [ValueRange] = []
    /// 1: no value (a tombstone), which is not the same as an empty one.
    public private(set) var valueIsNull: [UInt8] = []
    /// Keys and headers, one behind the other.
    public private(set) var keys: [UInt8] = []
    public private(set) var keyRanges: [ValueRange] = []
    public private(set) var keyIsNull: [UInt8] = []
    public private(set) var partitions: [Int32] = []
    public private(set) var offsets: [Int64] = []
    /// The record's own time, ms since 1970; −1: it has none.
    public private(set) var timestamps: [Int64] = []
    /// Where each message's headers begin in `headerNames`; nil: no message has any.
    private var headerStarts: [Int] = []
    private var headerNames: [ValueRange] = []
    private var headerValues: [ValueRange?] = []

    public init(capacity: Int = 0) {
        valueRanges.reserveCapacity(capacity)
        valueIsNull.reserveCapacity(capacity)
        keyRanges.reserveCapacity(capacity)
        keyIsNull.reserveCapacity(capacity)
        partitions.reserveCapacity(capacity)
        offsets.reserveCapacity(capacity)
        timestamps.reserveCapacity(capacity)
    }

    public var count: Int { offsets.count }
    public var isEmpty: Bool { offsets.isEmpty }
    /// Bytes of values, keys and headers.
    public var byteCount: Int { values.count + keys.count }

    /// Adds a message, copying its bytes. Trap: more than 4 GiB in a batch.
    public mutating func append(
        partition: Int32, offset: Int64, timestamp: Int64 = -1,
        key: (some Collection<UInt8>)?, value: (some Collection<UInt8>)?
    ) {
        appendPlace(partition, offset, timestamp, keyIsNull: key == nil, valueIsNull: value == nil)
        let start = values.count
        if let value { Self.copy(value, to: &values) }
        endValue(from: start)
        let keyStart = keys.count
        if let key { Self.copy(key, to: &keys) }
        keyRanges.append(ValueRange(start: keyStart, length: keys.count - keyStart))
    }

    /// The same from memory that is not Swift's; the bytes are copied before it returns.
    public mutating func append(
        partition: Int32, offset: Int64, timestamp: Int64,
        unsafeKey key: UnsafeBufferPointer<UInt8>?, unsafeValue value: UnsafeBufferPointer<UInt8>?
    ) {
        let keyIsNull = unsafe key == nil
        let valueIsNull = unsafe value == nil
        appendPlace(partition, offset, timestamp, keyIsNull: keyIsNull, valueIsNull: valueIsNull)
        let start = values.count
        // SAFETY: the caller vouches for the buffers for the time of this call.
        if let value = unsafe value { unsafe values.append(contentsOf: value) }
        endValue(from: start)
        let keyStart = keys.count
        if let key = unsafe key { unsafe keys.append(contentsOf: key) }
        keyRanges.append(ValueRange(start: keyStart, length: keys.count - keyStart))
    }

    /// At once where the bytes lie together: a generic loop over them costs 2 ns a byte.
    private static func copy(_ bytes: some Collection<UInt8>, to arena: inout [UInt8]) {
        // SAFETY: the buffer is copied while the closure runs.
        let isCopied: Void? = bytes.withContiguousStorageIfAvailable {
            unsafe arena.append(contentsOf: $0)
        }
        if isCopied == nil { arena.append(contentsOf: bytes) }
    }

    private mutating func appendPlace(
        _ partition: Int32, _ offset: Int64, _ timestamp: Int64, keyIsNull: Bool, valueIsNull: Bool
    ) {
        partitions.append(partition)
        offsets.append(offset)
        timestamps.append(timestamp)
        self.keyIsNull.append(keyIsNull ? 1 : 0)
        self.valueIsNull.append(valueIsNull ? 1 : 0)
        headerStarts.append(headerNames.count)
    }

    private mutating func endValue(from start: Int) {
        valueRanges.append(ValueRange(start: start, length: values.count - start))
        values.append(0x0a)
    }

    /// Adds a header to the message that was appended last.
    public mutating func appendHeader(
        name: some Collection<UInt8>, value: (some Collection<UInt8>)?
    ) {
        headerNames.append(appendToKeys(name))
        headerValues.append(value.map { appendToKeys($0) })
    }

    private mutating func appendToKeys(_ bytes: some Collection<UInt8>) -> ValueRange {
        let start = keys.count
        keys.append(contentsOf: bytes)
        return ValueRange(start: start, length: keys.count - start)
    }

    /// Adds all messages of another batch.
    public mutating func append(_ other: MessageBatch) {
        for message in 0..<other.count {
            append(
                partition: other.partitions[message], offset: other.offsets[message],
                timestamp: other.timestamps[message], key: other.key(message),
                value: other.value(message))
            for header in other.headers(message) {
                let name = other.keys[header.name.lowerBound..<header.name.upperBound]
                let value = header.value.map { other.keys[$0.lowerBound..<$0.upperBound] }
                appendHeader(name: name, value: value)
            }
        }
    }

    /// The value of one message; nil: a tombstone.
    public func value(_ message: Int) -> ArraySlice<UInt8>? {
        guard valueIsNull[message] == 0 else { return nil }
        let range = valueRanges[message]
        return values[range.lowerBound..<range.upperBound]
    }

    /// The key of one message.
    public func key(_ message: Int) -> ArraySlice<UInt8>? {
        guard keyIsNull[message] == 0 else { return nil }
        let range = keyRanges[message]
        return keys[range.lowerBound..<range.upperBound]
    }

    /// The headers of one message, in order: ranges into `keys`.
    public func headers(_ message: Int) -> [(name: ValueRange, value: ValueRange?)] {
        let end = message + 1 < count ? headerStarts[message + 1] : headerNames.count
        return (headerStarts[message]..<end).map { (headerNames[$0], headerValues[$0]) }
    }
}

extension MessageBatch {
    /// Messages that lie in one buffer already, each followed by a newline: lines of a file. None
    /// has a key, a header or a time of its own. The buffer is taken over, not copied.
    public init(lines: [UInt8], ranges: [ValueRange], offsets: [Int64], partition: Int32) {
        let count = ranges.count
        require(offsets.count == count, "\(offsets.count) offsets for \(count) lines")
        values = lines
        valueRanges = ranges
        valueIsNull = Array(repeating: 0, count: count)
        keyRanges = Array(repeating: ValueRange(start: 0, length: 0), count: count)
        keyIsNull = Array(repeating: 1, count: count)
        partitions = Array(repeating: partition, count: count)
        self.offsets = offsets
        timestamps = Array(repeating: -1, count: count)
        headerStarts = Array(repeating: 0, count: count)
    }
}
