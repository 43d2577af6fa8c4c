// What lies outside of simulated processes: time, chance, and whose turn it is.
//
// Everything durable goes through `SimulatedProcess.perform`. Two processes can live at the same
// time: each has a thread, but only the one that holds the baton runs, and it is handed on between
// effects and turns only, by the seed. So a history is one sequence of effects.

import Contracts
import Environment
import Foundation

/// because: only the thread that holds the baton touches it.
final class SimulatedWorld: @unchecked Sendable {
    /// For what happens while processes run.
    var random: SeededRandom
    /// µs since 1970.
    private(set) var now: Int64 = 1_767_225_600_000_000
    /// Of every effect so far, in order: two runs of a seed have the same.
    private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var effectCount = 0
    /// Called before each turn: what else goes on in the world.
    var onTurn: () -> Void = {}
    let baton = Baton()

    /// The history does not come to its end: its processes are made to.
    var isStuck: Bool { turnCount > Self.turnLimit }
    /// Commits of tables and cluster so far.
    private(set) var landings = 0
    private var turnCount = 0
    /// Of a history: far beyond what the longest takes.
    private static let turnLimit = 200_000

    init(seed: UInt64) { random = SeededRandom(seed: seed).stream("world") }

    /// A part of the history begins: its chances do not depend on what went before.
    func begin(_ random: SeededRandom) { self.random = random }

    var clock: Clock {
        Clock(
            now: { [self] in now }, monotonicNanoseconds: { [self] in UInt64(now) * 1_000 },
            sleep: { [self] _ in now += 100_000 })
    }

    /// A turn passes: a millisecond, about.
    func pass() {
        now += Int64(random.below(2_000))
        turnCount += 1
        require(turnCount < Self.turnLimit * 2, "a simulated run does not come to its end")
        onTurn()
        perhapsHandOn()
    }

    /// Time passes, and whoever watches it acts.
    func stand(microseconds: Int64) {
        now += microseconds
        onTurn()
    }

    /// Another process may go on here.
    func perhapsHandOn() {
        guard baton.isShared, random.isOneIn(2) else { return }
        baton.handOn(to: random.below(baton.waitingCount))
    }

    func noteLanding() { landings += 1 }

    func note(_ text: String) {
        effectCount += 1
        for byte in text.utf8 { trace = (trace ^ UInt64(byte)) &* 0x100_0000_01b3 }
        if let log { log("\(effectCount) \(text)") }
    }

    /// Told of each effect; for people who look at one history.
    var log: ((String) -> Void)?
}

/// Which of several threads runs. All but the holder wait.
final class Baton: @unchecked Sendable {
    private var waiting: [DispatchSemaphore] = []

    /// Starts a thread that gets the baton now and then. `body` runs only while it holds it.
    func start(_ body: @escaping @Sendable () -> Void) {
        let turn = DispatchSemaphore(value: 0)
        waiting.append(turn)
        let thread = Thread { [self] in
            turn.wait()
            body()
            finish()
        }
        thread.stackSize = 16 << 20
        thread.start()
    }

    var waitingCount: Int { waiting.count }
    var isShared: Bool { !waiting.isEmpty }

    /// Lets one of those that wait go on; returns when it is this thread's turn again.
    func handOn(to next: Int) {
        let own = DispatchSemaphore(value: 0)
        let other = waiting.remove(at: next)
        waiting.append(own)
        other.signal()
        own.wait()
    }

    /// The holder's thread ends; somebody waits, for the history's own thread never ends first.
    private func finish() { waiting.removeFirst().signal() }
}
