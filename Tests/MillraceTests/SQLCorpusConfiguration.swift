// The settings on which no result may depend, and which of their combinations are run.

/// How a file is run.
struct CorpusConfiguration: Sendable, Hashable, CustomStringConvertible {
    enum State: String, CaseIterable { case memory, evicting }

    /// The input is cut into up to eight parts; a process reads one, checkpoints and ends.
    enum Restarts: String, CaseIterable {
        case never
        case afterEachCheckpoint = "after each checkpoint"
        case withOtherWorkers = "with other workers"
    }

    var batchRows = 2048
    var workers = 1
    var isOptimizerOn = true
    var state = State.memory
    var restarts = Restarts.never
    /// Barriers while rows are on their way.
    var hasManyBarriers = false

    var description: String {
        "batches of \(batchRows), \(workers) workers, optimizer \(isOptimizerOn ? "on" : "off"), "
            + "state \(state.rawValue), restarts \(restarts.rawValue), "
            + "\(hasManyBarriers ? "many barriers" : "few barriers")"
    }

    /// Each setting's value as a number, for pairs.
    fileprivate var levels: [Int] {
        [
            batchRows, workers, isOptimizerOn ? 1 : 0, state == .memory ? 0 : 1,
            Restarts.allCases.firstIndex(of: restarts) ?? -1, hasManyBarriers ? 1 : 0,
        ]
    }

    /// MILLRACE_CORPUS_ALL=1 runs these: `scripts/corpus --all`.
    static let all: [CorpusConfiguration] = [1, 3, 2048].flatMap { batchRows in
        [1, 4].flatMap { workers in
            [true, false].flatMap { isOptimizerOn in
                State.allCases.flatMap { state in
                    Restarts.allCases.flatMap { restarts in
                        [true, false].map { hasManyBarriers in
                            CorpusConfiguration(
                                batchRows: batchRows, workers: workers,
                                isOptimizerOn: isOptimizerOn, state: state, restarts: restarts,
                                hasManyBarriers: hasManyBarriers)
                        }
                    }
                }
            }
        }
    }

    /// Every pair of values of two settings stands in one of these: always the combination that
    /// has the most pairs which no earlier one has.
    static let pairwise: [CorpusConfiguration] = {
        var chosen: [CorpusConfiguration] = []
        var seen: Set<Pair> = []
        let wanted = Set(all.flatMap(pairs))
        while seen != wanted {
            let gains = all.map { pairs(of: $0).subtracting(seen).count }
            guard let best = gains.indices.max(by: { gains[$0] < gains[$1] }) else { break }
            chosen.append(all[best])
            seen.formUnion(pairs(of: all[best]))
        }
        return chosen
    }()

    struct Pair: Hashable {
        let settings: [Int]
        let values: [Int]
    }

    /// What a configuration says of each two of its settings.
    static func pairs(of configuration: CorpusConfiguration) -> Set<Pair> {
        let levels = configuration.levels
        var pairs: Set<Pair> = []
        for first in levels.indices {
            for second in levels.indices where second > first {
                pairs.insert(Pair(settings: [first, second], values: [levels[first], levels[second]]))
            }
        }
        return pairs
    }
}
