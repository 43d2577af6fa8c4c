// What a history is drawn from, and what came of it.

/// Smaller limits make a smaller history of the same seed.
public struct HistoryLimits: Sendable, Hashable {
    public var records = 60
    public var crashes = 6
    public var queries = 3
    public var workers = 4
    public var phases = 3

    public init() {}
}

/// What a history went through.
public enum HistoryFeature: String, Sendable, CaseIterable {
    case lateRow, partLateRow, refusedRow, retraction, secondWindow, earlyResult, keyedRemoval
    case union, kafkaOutput, changelog, deadRecord
    case openIntentAtCrash, crashInRecovery, powerLoss, syncFault, tableFault, rescale, stop
    case foreignCommit, foreignCompaction, transactionTimeout, fencedProducer, hiddenRecord
    case clusterAway, lostOffsets, logMadeAnew, copyFenced, copyWon, twoLiveCopies
    case rewind, rewindRefused, readBack
    case watched, copiedAlive, failingRow, idleLateRow, lostRace

    /// May be missing from 100 histories.
    var isRare: Bool { [.idleLateRow, .copyWon, .twoLiveCopies, .rewindRefused].contains(self) }
}

public struct HistoryResult: Sendable {
    public let seed: UInt64
    public var differences: [String] = []
    public var features: Set<HistoryFeature> = []
    /// Where each process was struck.
    public var strikes: [String] = []
    /// A hash over all effects, in order.
    public var trace: UInt64 = 0
    public var effects = 0
    public var processes = 0
    public var sql = ""

    init(seed: UInt64) { self.seed = seed }
}
