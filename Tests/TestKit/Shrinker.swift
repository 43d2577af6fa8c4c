// Makes a failing history small: leaves out piece after piece as long as it still fails.
//
// Pieces are those of `HistoryCuts`: what may happen, queries, phases, what strikes single
// processes, and runs of records, halved until single ones are tried. Each history is run anew, so
// the effort is limited.

/// Shrinks the history of one seed.
public struct Shrinker {
    private let seed: UInt64
    private let limits: HistoryLimits
    private var left: Int
    private var best: HistoryCuts
    private var bestResult: HistoryResult

    /// `result`: of the history that fails, with `cuts`.
    public init(
        _ result: HistoryResult, limits: HistoryLimits = HistoryLimits(),
        cuts: HistoryCuts = HistoryCuts(), attempts: Int = 400
    ) {
        seed = result.seed
        self.limits = limits
        left = attempts
        best = cuts
        bestResult = result
    }

    /// The smallest cut of the history that was found to fail, and how it fails.
    public mutating func shrink() -> (cuts: HistoryCuts, result: HistoryResult) {
        for hazard in HistoryHazard.allCases { attempt { $0.hazards.insert(hazard) } }
        for query in 0..<limits.queries { attempt { $0.queries.insert(query) } }
        for phase in 0...limits.phases { attempt { $0.phases.insert(phase) } }
        for process in 0..<limits.crashes { attempt { $0.quietProcesses.insert(process) } }
        for source in 0..<3 {
            for partition in 0..<3 {
                shrink(source, partition, 0..<limits.records)
            }
        }
        return (best, bestResult)
    }

    private mutating func shrink(_ source: Int, _ partition: Int, _ range: Range<Int>) {
        guard !range.isEmpty, left > 0 else { return }
        let records = HistoryCuts.Records(source: source, partition: partition, range: range)
        if attempt({ $0.add(records) }) || range.count == 1 { return }
        let middle = range.lowerBound + range.count / 2
        shrink(source, partition, middle..<range.upperBound)
        shrink(source, partition, range.lowerBound..<middle)
    }

    /// Whether the history still fails with the change, which then stays.
    @discardableResult
    private mutating func attempt(_ change: (inout HistoryCuts) -> Void) -> Bool {
        var cuts = best
        change(&cuts)
        guard cuts != best, left > 0 else { return false }
        left -= 1
        let result = History(seed: seed, limits: limits, cuts: cuts).run()
        guard !result.differences.isEmpty else { return false }
        best = cuts
        bestResult = result
        return true
    }
}

extension HistoryCuts {
    /// Joins what lies side by side.
    fileprivate mutating func add(_ new: Records) {
        var range = new.range
        records.removeAll { old in
            guard old.source == new.source, old.partition == new.partition,
                old.range.lowerBound <= range.upperBound, range.lowerBound <= old.range.upperBound
            else { return false }
            range =
                min(old.range.lowerBound, range.lowerBound)..<max(
                    old.range.upperBound, range.upperBound)
            return true
        }
        records.append(Records(source: new.source, partition: new.partition, range: range))
    }
}
