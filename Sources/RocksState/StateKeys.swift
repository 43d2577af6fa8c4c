// The layout of the state directory's one key space (docs/STORAGE.md).

import Contracts
import Progress

/// Keys begin with a letter that says what they are; numbers are big-endian, so that they sort.
enum StateKeys {
    static let identity: [UInt8] = Array("I".utf8)
    static let current: [UInt8] = Array("E".utf8)
    static let history: [UInt8] = Array("H".utf8)
    static let offsets: [UInt8] = Array("P".utf8)
    static let intents: [UInt8] = Array("N".utf8)
    static let trims: [UInt8] = Array("T".utf8)
    static let adopted: [UInt8] = Array("A".utf8)
    static let dropped: [UInt8] = Array("D".utf8)
    static let state: [UInt8] = Array("S".utf8)
    static let names: [UInt8] = Array("W".utf8)
    static let plan: [UInt8] = Array("L".utf8)
    static let beginnings: [UInt8] = Array("B".utf8)

    static func history(_ marker: Marker) -> [UInt8] {
        key(history) { writer in
            writer.fixed64(marker.generation)
            writer.fixed64(marker.epoch)
        }
    }

    /// A process that wrote, or writes, under names of its own.
    static func name(_ incarnation: UInt64) -> [UInt8] {
        key(names) { $0.fixed64(incarnation) }
    }

    static func offset(source: String, partition: String) -> [UInt8] {
        ofPartition(offsets, source, partition)
    }

    static func beginning(source: String, partition: String) -> [UInt8] {
        ofPartition(beginnings, source, partition)
    }

    private static func ofPartition(
        _ prefix: [UInt8], _ source: String, _ partition: String
    ) -> [UInt8] {
        key(prefix) { writer in
            writer.string(source)
            writer.string(partition)
        }
    }

    static func target(_ prefix: [UInt8], _ target: TargetID) -> [UInt8] {
        key(prefix) { $0.fixed64(target) }
    }

    /// An intent's header is part 0, what the workers handed over are parts 1 ….
    static func intent(_ target: TargetID, _ marker: Marker) -> [UInt8] {
        key(intents) { writer in
            writer.fixed64(target)
            writer.fixed64(marker.generation)
            writer.fixed64(marker.epoch)
        }
    }

    static func intentPart(_ target: TargetID, _ marker: Marker, _ part: Int) -> [UInt8] {
        var writer = RecordWriter()
        writer.raw(intent(target, marker))
        writer.fixed64(UInt64(part))
        return writer.bytes
    }

    /// Whether a key under `intents` is part 0.
    static func isIntentHeader(_ key: [UInt8]) -> Bool { key.suffix(8).allSatisfy { $0 == 0 } }

    static func state(_ operatorID: UInt64, group: Int) -> [UInt8] {
        key(state) { writer in
            writer.fixed64(operatorID)
            writer.fixed16(UInt16(group))
        }
    }

    private static func key(_ prefix: [UInt8], _ body: (inout RecordWriter) -> Void) -> [UInt8] {
        var writer = RecordWriter()
        writer.raw(prefix)
        body(&writer)
        return writer.bytes
    }
}
