// `millrace checkpoint verify`: every entry of a store is read, which checks the checksum of each
// block that holds one, and decoded as far as its layout is the directory's own.

public import Contracts
import Environment
public import Progress
import State

/// What a store holds, all of it read and decoded.
public struct StoreExamination: Sendable {
    /// nil: no epoch was ever finished.
    public private(set) var newest: EpochRecord?
    public private(set) var entryCount: Int64 = 0
    public private(set) var byteCount: Int64 = 0
    /// Bytes of keys and values by operator id.
    public private(set) var stateBytes: [UInt64: Int64] = [:]

    /// The current state of a directory, also while a run has it.
    public init(stateDirectory path: String) throws(Failure) {
        try self.init(StateDirectory.inspect(path: path))
    }

    public init(_ checkpoint: RetainedCheckpoint) throws(Failure) {
        try self.init(StateDirectory.inspect(checkpoint))
        guard let newest, newest.marker.epoch == checkpoint.epoch,
            newest.marker.generation == checkpoint.generation
        else {
            throw Failure(
                .failed, "state.damaged",
                "\(checkpoint.path) holds epoch \(newest?.marker.epoch ?? 0), not the one that "
                    + "its name says",
                hint: "its write-ahead log was cut or removed: remove this checkpoint")
        }
    }

    private init(_ directory: StateDirectory) throws(Failure) {
        let path = directory.store.path
        newest = try directory.currentEpoch()
        var parts: [TargetID: (marker: [UInt8], next: UInt64)] = [:]
        try directory.store.forEach(prefix: []) { (key, value) throws(Failure) in
            entryCount += 1
            byteCount += Int64(key.count + value.count)
            do throws(Failure) {
                try examine(key, value, &parts)
            } catch {
                throw Failure(.failed, error.code, "\(path): \(error.message)", hint: error.hint)
            }
            return true
        }
    }

    private mutating func examine(
        _ key: [UInt8], _ value: [UInt8], _ parts: inout [TargetID: (marker: [UInt8], next: UInt64)]
    ) throws(Failure) {
        var reader = RecordReader(value, subject: "entry \(StoreExamination.shown(key))")
        switch key.first.map({ [$0] }) {
        case StateKeys.identity: _ = try StateDirectory.decodeIdentity(value, path: "the store")
        case StateKeys.current, StateKeys.history: _ = try EpochRecord(decoding: value)
        case StateKeys.offsets, StateKeys.beginnings: _ = try PartitionOffset(from: &reader)
        case StateKeys.trims, StateKeys.dropped: _ = try Marker(from: &reader)
        case StateKeys.adopted: _ = try StateDirectory.decodeAdopted(value)
        case StateKeys.names: _ = try Leftover(decoding: value)
        case StateKeys.plan: _ = try reader.byte()
        case StateKeys.intents: try examineIntent(key, value, &parts)
        case StateKeys.state:
            guard key.count >= 11, value.first == RowCodec.version else {
                throw StoreExamination.damaged(key)
            }
            let operatorID = key[1..<9].reduce(0) { $0 << 8 | UInt64($1) }
            stateBytes[operatorID, default: 0] += Int64(key.count + value.count)
        default: throw StoreExamination.damaged(key)
        }
    }

    /// Parts count from 0, the header, without a gap.
    private func examineIntent(
        _ key: [UInt8], _ value: [UInt8], _ parts: inout [TargetID: (marker: [UInt8], next: UInt64)]
    ) throws(Failure) {
        guard key.count == 33 else { throw StoreExamination.damaged(key) }
        let target = key[1..<9].reduce(0) { $0 << 8 | TargetID($1) }
        let marker = Array(key[9..<25])
        let part = key[25..<33].reduce(0) { $0 << 8 | UInt64($1) }
        if part == 0 { _ = try StateDirectory.decodeHeader(value) }
        let expected = parts[target].map { $0.marker == marker ? $0.next : 0 } ?? 0
        guard part == expected else { throw StoreExamination.damaged(key) }
        parts[target] = (marker, part + 1)
    }

    private static func damaged(_ key: [UInt8]) -> Failure {
        Failure(
            .failed, "state.damaged", "the entry \(shown(key)) is damaged",
            hint: StateDirectory.damagedHint)
    }

    /// The letter and the rest in hexadecimal, cut.
    private static func shown(_ key: [UInt8]) -> String {
        let letter = key.first.map { String(UnicodeScalar($0)) } ?? ""
        let rest = key.dropFirst().prefix(24).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return letter + " " + rest.joined()
    }
}
