// A state directory in memory: an epoch is there whole or not at all.

import Contracts
import Progress
import RocksState
import Runtime
import State

/// One process's view of the state that outlives it.
final class SimulatedEpochStore: EpochStore {
    let identity: Identity
    let leftovers: [Leftover]
    private let world: SimulatedWorld
    private let inner: MemoryEpochStore

    /// `inner` is what outlives the process; the process draws its own incarnation.
    init(
        _ inner: MemoryEpochStore, incarnation: UInt64, world: SimulatedWorld
    ) throws(Failure) {
        leftovers = try world.perform("start") { () throws(Failure) in
            inner.noteStart(incarnation: incarnation)
        }
        identity = Identity(
            pipelineID: inner.identity.pipelineID, generation: inner.identity.generation,
            incarnation: incarnation)
        self.inner = inner
        self.world = world
    }

    func currentEpoch() throws(Failure) -> EpochRecord? {
        try world.requireUp()
        return try inner.currentEpoch()
    }

    func offsets() throws(Failure) -> [PartitionOffset] { try inner.offsets() }

    func history(of target: TargetID) throws(Failure) -> TargetHistory {
        try inner.history(of: target)
    }

    func openIntents(of target: TargetID) throws(Failure) -> [OpenIntent] {
        try inner.openIntents(of: target)
    }

    func intent(of target: TargetID, marker: Marker) throws(Failure) -> Intent {
        try inner.intent(of: target, marker: marker)
    }

    func write(_ epoch: EpochWrite) throws(Failure) -> Int64 {
        try world.perform("checkpoint") { () throws(Failure) in try inner.write(epoch) }
    }

    func write(trims: [TargetID: Marker]) throws(Failure) {
        try world.perform("trims") { () throws(Failure) in try inner.write(trims: trims) }
    }

    func forget(_ leftovers: [Leftover]) throws(Failure) {
        try world.perform("forget") { () throws(Failure) in try inner.forget(leftovers) }
    }

    func adoptedOffsets() throws(Failure) -> [TargetID: [PartitionOffset]] {
        try inner.adoptedOffsets()
    }

    func stateReader() -> any StateReader { inner.stateReader() }
}
