// Whose files may be swept: each start notes the name under which it writes, and finds those of the
// processes before it (design.md §3.12).

public import Contracts
import Environment
public import Progress

extension StateDirectory {
    /// Notes this process's name, in the same write as what the last one left behind. `epoch` 0 as
    /// the range says that the process may still run.
    static func noteStart(
        _ identity: Identity, in store: RocksStore, _ batch: inout RocksBatch
    ) throws(Failure) -> [Leftover] {
        var leftovers: [Leftover] = []
        let open = try openEpochs(in: store)
        for leftover in try notedNames(in: store) {
            var known = leftover
            if leftover.epochs == running {
                known = Leftover(
                    generation: leftover.generation, incarnation: leftover.incarnation,
                    epochs: open)
                batch.put(StateKeys.name(leftover.incarnation), known.encoded())
            }
            leftovers.append(known)
        }
        let own = Leftover(
            generation: identity.generation, incarnation: identity.incarnation, epochs: running)
        batch.put(StateKeys.name(identity.incarnation), own.encoded())
        return leftovers
    }

    static let running: ClosedRange<UInt64> = 0...0

    static func notedNames(in store: RocksStore) throws(Failure) -> [Leftover] {
        var noted: [Leftover] = []
        try store.forEach(prefix: StateKeys.names) { (_, value) throws(Failure) in
            noted.append(try Leftover(decoding: value))
            return true
        }
        return noted
    }

    /// From the first epoch with an open intent to the one that was in progress.
    static func openEpochs(in store: RocksStore) throws(Failure) -> ClosedRange<UInt64> {
        var next: UInt64 = 1
        if let bytes = try store.get(StateKeys.current) {
            next = try EpochRecord(decoding: bytes).marker.epoch + 1
        }
        var first = next
        try store.forEach(prefix: StateKeys.intents) { (key, value) throws(Failure) in
            if StateKeys.isIntentHeader(key) {
                var reader = RecordReader(value, subject: "intent")
                first = min(first, try Marker(from: &reader).epoch)
            }
            return true
        }
        return first...next
    }

    /// Forgets processes of whose files nothing is left.
    public func forget(_ leftovers: [Leftover]) throws(Failure) {
        var batch = RocksBatch()
        for leftover in leftovers { batch.delete(StateKeys.name(leftover.incarnation)) }
        Failpoint.pass("state.before_forget")
        try store.write(batch)
        Failpoint.pass("state.forgotten")
    }
}
