// What is left out of a seed's history: how a failing one is made small, and told in one line.

/// Something that may happen to a history, and can be ruled out.
public enum HistoryHazard: String, Sendable, Hashable, CaseIterable {
    /// Crashes; failed syncs; power losses instead of kills.
    case crash, fault, power
    /// Other writers' commits to the tables.
    case foreign
    /// Sinks that do not answer, or whose answer is lost.
    case sink
    /// Transactions that the broker ends, and markers that come late.
    case transaction
    /// Copies of the state directory that run.
    case copy
    /// Source logs that are cut or made anew.
    case loss
    /// Starts with another number of workers, another batch size; live runs.
    case workers, batch, live
    /// State that does not fit into memory.
    case evict
    /// Partitions that step out while they are silent.
    case idle
    /// State in a real RocksDB instead of memory; going back to a checkpoint that it keeps.
    case disk, rewind
}

/// Pieces that are left out. `description` and `init(parsing:)` are each other's reverse.
public struct HistoryCuts: Sendable, Hashable, CustomStringConvertible {
    public var hazards: Set<HistoryHazard> = []
    /// By number, of the queries as they are drawn; the last one that is left stays.
    public var queries: Set<Int> = []
    /// Phases before the last.
    public var phases: Set<Int> = []
    /// By number of the start: processes to which nothing happens.
    public var quietProcesses: Set<Int> = []
    public var records: [Records] = []

    /// Records of one partition, as they are drawn.
    public struct Records: Sendable, Hashable {
        public let source: Int
        public let partition: Int
        public let range: Range<Int>
    }

    public init() {}

    public func removes(source: Int, partition: Int, record: Int) -> Bool {
        records.contains {
            $0.source == source && $0.partition == partition && $0.range.contains(record)
        }
    }

    /// Pieces, by commas: `no-crash,q1,f0,p3,r0.1.5-17`.
    public var description: String {
        let parts =
            hazards.map { "no-\($0.rawValue)" }.sorted() + queries.sorted().map { "q\($0)" }
            + phases.sorted().map { "f\($0)" } + quietProcesses.sorted().map { "p\($0)" }
            + records.map {
                "r\($0.source).\($0.partition).\($0.range.lowerBound)-\($0.range.upperBound)"
            }
        return parts.joined(separator: ",")
    }

    /// nil: not the description of cuts.
    public init?(parsing text: String) {
        for part in text.split(separator: ",") {
            if part.hasPrefix("no-") {
                guard let hazard = HistoryHazard(rawValue: String(part.dropFirst(3))) else {
                    return nil
                }
                hazards.insert(hazard)
            } else if part.hasPrefix("r") {
                let numbers = part.dropFirst().split { $0 == "." || $0 == "-" }.compactMap {
                    Int($0)
                }
                guard numbers.count == 4, numbers[2] <= numbers[3] else { return nil }
                records.append(
                    Records(
                        source: numbers[0], partition: numbers[1], range: numbers[2]..<numbers[3]))
            } else {
                guard let number = Int(part.dropFirst()) else { return nil }
                switch part.first {
                case "q": queries.insert(number)
                case "f": phases.insert(number)
                case "p": quietProcesses.insert(number)
                default: return nil
                }
            }
        }
    }
}
