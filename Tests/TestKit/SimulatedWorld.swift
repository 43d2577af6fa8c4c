// What lies outside of a simulated process: time, whose turn it is, and when the process dies.
//
// Everything durable goes through `perform`. A crash strikes before or after one of these effects,
// and from then on nothing works: the process's memory is dropped by unwinding. So every order of
// effects that a kill could leave behind can be reached, from a seed.

import Contracts
import Environment
import Runtime

/// How a simulated process ends.
enum CrashKind: Sendable {
    /// kill -9: what was written is there, synced or not.
    case kill
    /// The machine goes down: what was not synced may be gone.
    case powerLoss
}

/// because: a simulation runs on one thread (`RunOptions.turnOrder`).
final class SimulatedWorld: TurnOrder, @unchecked Sendable {
    var random: SeededRandom
    /// µs since 1970.
    private(set) var now: Int64 = 1_767_225_600_000_000
    /// Effects to come before the crash; nil: none is planned.
    var effectsUntilCrash: Int?
    /// One in so many syncs fails with an unknown outcome; 0: none.
    var syncFailsOneIn = 0
    private(set) var isDown = false
    /// Where the crash or fault struck last.
    private(set) var struckAt: String?
    /// Of every effect so far, in order: two runs of a seed have the same.
    private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var effectCount = 0

    static let crashCode = "simulation.crash"
    static let faultCode = "simulation.fault"

    private var turnCount = 0
    /// Of a history: far beyond what the longest takes.
    private static let turnLimit = 400_000

    /// Called before each turn: what else goes on in the world.
    var onTurn: () -> Void = {}

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    var clock: Clock {
        Clock(now: { [self] in now }, monotonicNanoseconds: { [self] in UInt64(now) * 1_000 })
    }

    /// Whose turn it is; a millisecond passes, about.
    func next(of count: Int) -> Int {
        now += Int64(random.below(2_000))
        turnCount += 1
        require(turnCount < Self.turnLimit, "a simulated run does not come to its end")
        onTurn()
        return random.below(count)
    }

    /// A process begins: it dies after so many effects.
    func boot(effectsUntilCrash: Int?, syncFailsOneIn: Int) {
        isDown = false
        struckAt = nil
        self.effectsUntilCrash = effectsUntilCrash
        self.syncFailsOneIn = syncFailsOneIn
    }

    /// Something that the process does to the outside, whole or not at all.
    func perform<Result>(
        _ name: String, _ effect: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try requireUp()
        effectCount += 1
        note(name)
        guard let left = effectsUntilCrash else { return try effect() }
        effectsUntilCrash = left - 1
        guard left <= 0 else { return try effect() }
        let isAfter = random.isOneIn(2)
        if isAfter { _ = try effect() }
        isDown = true
        struckAt = "\(isAfter ? "after" : "before") \(name)"
        throw crash
    }

    /// A sync: it may fail, done or not.
    func performSync(
        _ name: String, _ effect: () throws(Failure) -> Void
    ) throws(Failure) {
        if syncFailsOneIn > 0, !isDown, random.isOneIn(syncFailsOneIn) {
            if random.isOneIn(2) { try effect() }
            struckAt = "failed \(name)"
            throw Failure(.failed, Self.faultCode, "\(name) failed, its outcome is unknown")
        }
        try perform(name, effect)
    }

    /// Reading works only while the process lives.
    func requireUp() throws(Failure) {
        if isDown { throw crash }
    }

    private var crash: Failure { Failure(.failed, Self.crashCode, "the process was killed") }

    private func note(_ text: String) {
        for byte in text.utf8 { trace = (trace ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
}
