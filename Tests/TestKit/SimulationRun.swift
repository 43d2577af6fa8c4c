// Many seeds one after the other: what is asked for, what is told.

public import Environment
import Foundation

/// What `scripts/simulate` was asked for.
public struct SimulationRequest: Sendable {
    public var seeds: ClosedRange<UInt64> = 1...100
    public var cuts = HistoryCuts()
    /// A rule that is broken on purpose, in this process.
    public var mutant: Mutant?
    /// Each effect is shown.
    public var isVerbose = false
    public var shrinks = true
    /// Ends at the first history that fails.
    public var stopsAtFailure = false
    /// Hazards that no history must lack per 100 seeds are counted.
    public var requiresFeatures = true

    public static let usage = """
        usage: scripts/simulate [--seeds N | --seed S | --from A --to B] [--cut PIECES]
               [--mutant NAME] [--first] [--no-shrink] [--log]
        mutants: \(Mutant.allCases.map(\.rawValue).joined(separator: ", "))

        """

    /// nil: an argument is not known.
    public init?(_ arguments: [String]) {
        var arguments = arguments[...]
        var (from, to): (UInt64, UInt64) = (1, 100)
        while let name = arguments.popFirst() {
            switch name {
            case "--log": isVerbose = true
            case "--no-shrink": shrinks = false
            case "--first": stopsAtFailure = true
            default:
                guard let value = arguments.popFirst(), read(name, value, &from, &to) else {
                    return nil
                }
            }
        }
        guard from <= to else { return nil }
        seeds = from...to
        requiresFeatures = mutant == nil && cuts == HistoryCuts()
    }

    private mutating func read(
        _ name: String, _ value: String, _ from: inout UInt64, _ to: inout UInt64
    ) -> Bool {
        switch name {
        case "--mutant":
            mutant = Mutant(rawValue: value)
            return mutant != nil
        case "--cut":
            guard let cuts = HistoryCuts(parsing: value) else { return false }
            self.cuts = cuts
            return true
        default: break
        }
        guard let number = UInt64(value) else { return false }
        switch name {
        case "--seeds", "--to": to = number
        case "--from": from = number
        case "--seed": (from, to) = (number, number)
        default: return false
        }
        return true
    }
}

/// Runs and tells.
public struct SimulationRun {
    private let request: SimulationRequest

    public init(_ request: SimulationRequest) { self.request = request }

    /// Whether no history failed and, per 100 seeds, each feature occurred.
    public func run() -> Bool {
        var counts: [HistoryFeature: Int] = [:]
        var (done, failed) = (0, 0)
        var isComplete = true
        for seed in request.seeds {
            let history = History(seed: seed, cuts: request.cuts)
            if request.isVerbose { history.log = say }
            let result = history.run()
            done += 1
            if request.seeds.count > 100, done % 10 == 0 {
                FileHandle.standardError.write(Data("\(seed) ".utf8))
            }
            for feature in result.features { counts[feature, default: 0] += 1 }
            if !result.differences.isEmpty {
                failed += 1
                tell(result)
                if request.stopsAtFailure { break }
            }
            if done % 100 == 0 || seed == request.seeds.upperBound {
                let isWhole = done % 100 == 0 && request.requiresFeatures
                isComplete = tell(counts, upTo: seed, failed, isWhole: isWhole) && isComplete
                if done % 100 == 0 { counts = [:] }
            }
        }
        return failed == 0 && isComplete
    }

    private func tell(_ result: HistoryResult) {
        var (cuts, result) = (request.cuts, result)
        if request.shrinks {
            var shrinker = Shrinker(result, cuts: cuts)
            (cuts, result) = shrinker.shrink()
        }
        say(result.report(cuts: cuts, mutant: request.mutant))
    }

    /// Whether nothing is missing that must occur.
    private func tell(
        _ counts: [HistoryFeature: Int], upTo seed: UInt64, _ failed: Int, isWhole: Bool
    ) -> Bool {
        let told = HistoryFeature.allCases.map { "\($0.rawValue) \(counts[$0] ?? 0)" }
        say("up to seed \(seed), \(failed) failed: \(told.joined(separator: ", "))")
        let missing = HistoryFeature.allCases.filter { counts[$0] == nil && !$0.isRare }
        guard isWhole, !missing.isEmpty else { return true }
        say("no history had: \(missing.map(\.rawValue).joined(separator: ", "))")
        return false
    }
}

extension HistoryResult {
    /// What failed, and the one line that replays it.
    public func report(cuts: HistoryCuts, mutant: Mutant?) -> String {
        let pieces = cuts == HistoryCuts() ? "" : " --cut \(cuts)"
        let broken = mutant.map { " --mutant \($0.rawValue)" } ?? ""
        return """
            seed \(seed) fails: scripts/simulate --seed \(seed)\(pieces)\(broken)
            \(differences.joined(separator: "\n"))
            struck: \(strikes.joined(separator: "; ")); effects \(effects), processes \(processes)
            \(sql)
            """
    }
}

/// A line that is seen at once.
private func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
