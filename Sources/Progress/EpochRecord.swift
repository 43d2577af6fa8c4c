// The summary that each epoch leaves in the state directory.

public import Contracts

/// What was true at an epoch's barrier; stored in the epoch's WriteBatch.
public struct EpochRecord: Sendable {
    public var marker: Marker
    /// Wall clock of the write, µs since 1970, for people.
    public var writtenAt: Int64
    /// The operators' M, by operator id.
    public var minima: [UInt64: Int64]
    /// Counts since the pipeline began: `<operator or source>.<counter>`.
    public var counters: [String: Int64]
    /// A bounded run closed all windows: going on from here is refused.
    public var hasEnded: Bool
    /// Bytes that this checkpoint wrote.
    public var byteCount: Int64
    /// Rows that the plan's outputs got in this epoch.
    public var outputRows: Int64

    public init(
        marker: Marker, writtenAt: Int64, minima: [UInt64: Int64], counters: [String: Int64],
        hasEnded: Bool, byteCount: Int64, outputRows: Int64
    ) {
        self.marker = marker
        self.writtenAt = writtenAt
        self.minima = minima
        self.counters = counters
        self.hasEnded = hasEnded
        self.byteCount = byteCount
        self.outputRows = outputRows
    }
}

extension EpochRecord {
    /// The counters by operator, output or source.
    public var counts: [String: [String: Int64]] {
        var counts: [String: [String: Int64]] = [:]
        for (name, count) in counters {
            guard let dot = name.lastIndex(of: ".") else { continue }
            counts[String(name[..<dot]), default: [:]][String(name[name.index(after: dot)...])] =
                count
        }
        return counts
    }

    /// Whether every operator's rows are accounted for (design.md §3.13): in + made = out +
    /// filtered + late + dead + merged + held. Scans and sources only give rows.
    public var isConserved: Bool {
        counts.allSatisfy { place, counts in
            guard let came = counts["in"] else { return true }
            let went = ["out", "filtered", "late", "idle_late", "dead", "merged", "held"]
                .reduce(0) { $0 + (counts[$1] ?? 0) }
            return came + (counts["made"] ?? 0) == went
        }
    }

    public func encoded() -> [UInt8] {
        var writer = RecordWriter()
        marker.write(to: &writer)
        writer.signed(writtenAt)
        writer.varint(UInt64(minima.count))
        for (operatorID, minimum) in minima.sorted(by: { $0.key < $1.key }) {
            writer.fixed64(operatorID)
            writer.signed(minimum)
        }
        writer.varint(UInt64(counters.count))
        for (name, count) in counters.sorted(by: { $0.key < $1.key }) {
            writer.string(name)
            writer.signed(count)
        }
        writer.byte(hasEnded ? 1 : 0)
        writer.signed(byteCount)
        writer.signed(outputRows)
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(Failure) {
        var reader = RecordReader(bytes, subject: "epoch record")
        let marker = try Marker(from: &reader)
        let writtenAt = try reader.signed()
        var minima: [UInt64: Int64] = [:]
        for _ in 0..<(try reader.varint()) {
            let operatorID = try reader.fixed64()
            minima[operatorID] = try reader.signed()
        }
        var counters: [String: Int64] = [:]
        for _ in 0..<(try reader.varint()) {
            let name = try reader.string()
            counters[name] = try reader.signed()
        }
        let hasEnded = try reader.byte() == 1
        self.init(
            marker: marker, writtenAt: writtenAt, minima: minima, counters: counters,
            hasEnded: hasEnded, byteCount: try reader.signed(), outputRows: try reader.signed())
    }
}

extension Marker {
    public func write(to writer: inout RecordWriter) {
        writer.fixed64(generation)
        writer.fixed64(epoch)
        writer.fixed64(incarnation)
    }

    public init(from reader: inout RecordReader) throws(Failure) {
        self.init(
            generation: try reader.fixed64(), epoch: try reader.fixed64(),
            incarnation: try reader.fixed64())
    }
}

extension PartitionOffset {
    public func write(to writer: inout RecordWriter) {
        writer.string(source)
        writer.string(partition)
        writer.signed(next)
        writer.byte(fingerprint == nil ? 0 : 1)
        if let fingerprint {
            writer.signed(fingerprint.offset)
            writer.signed(fingerprint.timestamp)
            writer.fixed64(fingerprint.hash)
        }
        writer.signed(highestTime)
        writer.byte(end == nil ? 0 : 1)
        if let end { writer.signed(end) }
        writer.optional(detail.map { Array($0.utf8) })
    }

    public init(from reader: inout RecordReader) throws(Failure) {
        let source = try reader.string()
        let partition = try reader.string()
        let next = try reader.signed()
        var fingerprint: Fingerprint?
        if try reader.byte() == 1 {
            fingerprint = Fingerprint(
                offset: try reader.signed(), timestamp: try reader.signed(),
                hash: try reader.fixed64())
        }
        let highestTime = try reader.signed()
        let end = try reader.byte() == 1 ? try reader.signed() : nil
        let detail = try reader.optional()
        self.init(
            source: source, partition: partition, next: next, fingerprint: fingerprint,
            highestTime: highestTime, end: end,
            detail: detail.map { String(decoding: $0, as: UTF8.self) })
    }
}
