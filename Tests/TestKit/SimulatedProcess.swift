// One process of a simulated world: it acts on the outside until it dies.
//
// A crash strikes before or after an effect, and from then on nothing works: the process's memory
// is dropped by unwinding. So every order of effects that a kill could leave behind can be reached,
// from a seed.

import Contracts
import Runtime

/// How a simulated process ends.
enum CrashKind: Sendable {
    /// kill -9: what was written is there, synced or not.
    case kill
    /// The machine goes down: what was not synced may be gone.
    case powerLoss
}

/// What may happen to a process.
struct ProcessHazards {
    /// Effects to come before the crash; nil: none is planned.
    var effectsUntilCrash: Int?
    /// One in so many syncs fails with an unknown outcome; 0: none.
    var syncFailsOneIn = 0
    /// One in so many calls of a table's store is not answered, which ends the process; 0: none.
    var tableFailsOneIn = 0
    /// One in so many calls of a cluster; 0: none.
    var clusterFailsOneIn = 0
    /// Before one in so many of its log entries another writer takes the version; 0: none.
    var raceOneIn = 0
    /// One in so many steps of a transaction the process stands still for long; 0: none.
    var pauseOneIn = 0
}

/// because: only the thread that holds the world's baton touches it.
final class SimulatedProcess: TurnOrder, @unchecked Sendable {
    let world: SimulatedWorld
    let name: String
    private var hazards: ProcessHazards
    private(set) var isDown = false
    /// Where a crash or fault struck.
    private(set) var struckAt: String?
    /// Effects on sinks so far: a process that is fenced at its start has none.
    private(set) var sinkEffects = 0

    static let crashCode = "simulation.crash"
    static let faultCode = "simulation.fault"

    init(_ name: String, _ hazards: ProcessHazards, world: SimulatedWorld) {
        self.name = name
        self.hazards = hazards
        self.world = world
    }

    func next(of count: Int) -> Int {
        world.pass()
        return world.random.below(count)
    }

    /// Something that the process does to the outside, whole or not at all.
    func perform<Result>(
        _ name: String, _ effect: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        world.perhapsHandOn()
        try requireUp()
        world.note("\(self.name) \(name)")
        guard let left = hazards.effectsUntilCrash else { return try effect() }
        hazards.effectsUntilCrash = left - 1
        guard left <= 0 else { return try effect() }
        let isAfter = world.random.isOneIn(2)
        if isAfter { _ = try effect() }
        isDown = true
        struckAt = "\(isAfter ? "after" : "before") \(name)"
        throw crash
    }

    /// A sync: it may fail, done or not.
    func performSync(
        _ name: String, _ effect: () throws(Failure) -> Void
    ) throws(Failure) {
        if hazards.syncFailsOneIn > 0, !isDown, world.random.isOneIn(hazards.syncFailsOneIn) {
            if world.random.isOneIn(2) { try effect() }
            struckAt = "failed \(name)"
            world.note("\(self.name) failed \(name)")
            throw Failure(.failed, Self.faultCode, "\(name) failed, its outcome is unknown")
        }
        try perform(name, effect)
    }

    func noteSinkEffect() { sinkEffects += 1 }

    /// State that had left memory has been read again.
    private(set) var hasReadBack = false

    func noteReadBack() { hasReadBack = true }

    /// Whether this call of a table's store gets no answer.
    func losesTableAnswer() -> Bool { strikes(hazards.tableFailsOneIn) }

    /// Whether this call of a cluster gets no answer.
    func losesAnswer() -> Bool { strikes(hazards.clusterFailsOneIn) }

    /// Stands still for longer than a transaction may last, perhaps.
    func perhapsPause() {
        if strikes(hazards.pauseOneIn) { world.stand(microseconds: 3_000_000) }
    }

    /// Whether another writer is faster.
    func losesRace() -> Bool { strikes(hazards.raceOneIn) }

    /// Whether another pipeline's transaction begins here.
    func isJoined() -> Bool { strikes(hazards.pauseOneIn) }

    private func strikes(_ oneIn: Int) -> Bool {
        oneIn > 0 && !isDown && world.random.isOneIn(oneIn)
    }

    /// The sink did not answer: what came of the call is not known.
    func fault(_ name: String) -> Failure {
        struckAt = "no answer to \(name)"
        world.note("\(self.name) no answer to \(name)")
        return Failure(.failed, Self.faultCode, "\(name) was not answered")
    }

    /// Reading works only while the process lives.
    func requireUp() throws(Failure) {
        if world.isStuck {
            throw Failure(.failed, "simulation.stuck", "the run does not come to its end")
        }
        if isDown { throw crash }
    }

    private var crash: Failure { Failure(.failed, Self.crashCode, "the process was killed") }
}
