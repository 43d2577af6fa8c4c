// What a process that died may have left behind (design.md §3.12).

public import Contracts

/// The names that a dead process of this directory used and that no commit may have taken: files of
/// the epoch that it was in, and of intents that were open.
public struct Leftover: Sendable, Hashable {
    public let generation: UInt64
    public let incarnation: UInt64
    public let epochs: ClosedRange<UInt64>

    public init(generation: UInt64, incarnation: UInt64, epochs: ClosedRange<UInt64>) {
        self.generation = generation
        self.incarnation = incarnation
        self.epochs = epochs
    }

    /// Whether a sink whose newest marker this is has resolved all of the epochs: what it does not
    /// name by then, it never will.
    public func isResolved(by newest: Marker) -> Bool {
        (generation, epochs.upperBound) <= (newest.generation, newest.epoch)
    }
}

extension Leftover {
    public func encoded() -> [UInt8] {
        var writer = RecordWriter()
        writer.varint(generation)
        writer.fixed64(incarnation)
        writer.varint(epochs.lowerBound)
        writer.varint(epochs.upperBound)
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(Failure) {
        var reader = RecordReader(bytes, subject: "names of a process")
        generation = try reader.varint()
        incarnation = try reader.fixed64()
        let lowest = try reader.varint()
        epochs = lowest...max(lowest, try reader.varint())
    }
}
