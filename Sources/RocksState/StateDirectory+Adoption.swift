// A fresh directory made to go on for a pipeline whose own directory is gone (design.md §3.8).

public import Contracts
import Environment
public import Progress

extension StateDirectory {
    /// Takes over what `--adopt` found, in one write: identity, trim marks, offsets, and what each
    /// target has already. The directory must have no epoch yet. Returns it under its new identity.
    public func adopt(_ adoption: Adoption) throws(Failure) -> StateDirectory {
        guard try currentEpoch() == nil else {
            bug("a directory with epochs of its own was to adopt others")
        }
        let identity = Identity(
            pipelineID: adoption.pipelineID, generation: adoption.generation,
            incarnation: self.identity.incarnation)
        var batch = RocksBatch()
        batch.put(StateKeys.identity, StateDirectory.encode(identity))
        _ = try StateDirectory.noteStart(identity, in: store, &batch)
        for (target, filled) in adoption.taken.sorted(by: { $0.key < $1.key }) {
            var trim = RecordWriter()
            filled.marker.write(to: &trim)
            batch.put(StateKeys.target(StateKeys.trims, target), trim.bytes)
            var taken = trim
            taken.varint(UInt64(filled.offsets.count))
            for offset in filled.offsets { offset.write(to: &taken) }
            batch.put(StateKeys.target(StateKeys.adopted, target), taken.bytes)
        }
        for offset in adoption.start {
            var writer = RecordWriter()
            offset.write(to: &writer)
            let key = StateKeys.offset(source: offset.source, partition: offset.partition)
            batch.put(key, writer.bytes)
        }
        Failpoint.pass("state.before_adoption")
        try store.write(batch)
        Failpoint.pass("state.adopted")
        return StateDirectory(
            path: path, identity: identity, store: store, lock: lock, leftovers: leftovers)
    }

    /// By target, the offsets below which it had everything when it was adopted.
    public func adoptedOffsets() throws(Failure) -> [TargetID: [PartitionOffset]] {
        var floors: [TargetID: [PartitionOffset]] = [:]
        try store.forEach(prefix: StateKeys.adopted) { (key, value) throws(Failure) in
            let target = key.dropFirst().reduce(0) { TargetID($0) << 8 | TargetID($1) }
            floors[target] = try StateDirectory.decodeAdopted(value).offsets
            return true
        }
        return floors
    }

    /// What was taken over with a target; nil if it was not adopted.
    func adopted(
        _ target: TargetID
    ) throws(Failure) -> (marker: Marker, offsets: [PartitionOffset])? {
        try store.get(StateKeys.target(StateKeys.adopted, target))
            .map(StateDirectory.decodeAdopted)
    }

    static func decodeAdopted(
        _ bytes: [UInt8]
    ) throws(Failure) -> (marker: Marker, offsets: [PartitionOffset]) {
        var reader = RecordReader(bytes, subject: "adopted target")
        let marker = try Marker(from: &reader)
        var offsets: [PartitionOffset] = []
        for _ in 0..<(try reader.varint()) { offsets.append(try PartitionOffset(from: &reader)) }
        return (marker, offsets)
    }
}
