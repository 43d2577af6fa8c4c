// Input drawn from a seed: events out of order, late ones, NULLs, records that break the contract.

/// A row that keeps the contract.
struct Event: Sendable, Hashable {
    let k: Int64
    let g: String?
    let v: Int64?
    /// µs since 1970.
    let ts: Int64
}

/// A record as the topic holds it, and what it means.
enum InputRecord: Sendable {
    case event(Event)
    case refused(String)
    case tombstone

    var bytes: [UInt8]? {
        switch self {
        case .event(let event): Array(event.json.utf8)
        case .refused(let text): Array(text.utf8)
        case .tombstone: nil
        }
    }
}

extension Event {
    static let epoch: Int64 = 1_767_225_600_000_000

    fileprivate var json: String {
        let fields = [
            "\"k\": \(k)", g.map { "\"g\": \"\($0)\"" }, v.map { "\"v\": \($0)" },
            "\"ts\": \"\(Event.text(ts))\"",
        ]
        return "{" + fields.compactMap { $0 }.joined(separator: ", ") + "}"
    }

    /// Within the day after 2026-01-01 00:00 UTC, which every input is.
    private static func text(_ time: Int64) -> String {
        func padded(_ value: Int64, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
        }
        let since = time - epoch
        let seconds = since / 1_000_000
        return "2026-01-01T\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):"
            + "\(padded(seconds % 60, 2)).\(padded(since % 1_000_000, 6))Z"
    }
}

/// All records of a history, by partition.
struct RandomInput: Sendable {
    let partitions: [[InputRecord]]

    init(_ random: inout SeededRandom, recordLimit: Int) {
        let count = random.within(1...3)
        let disorder = random.pick([0, 500_000, 3_000_000, 9_000_000])
        var partitions: [[InputRecord]] = []
        for _ in 0..<count {
            let length = random.below(recordLimit + 1)
            let step = random.within(20_000...800_000)
            partitions.append(
                (0..<length).map { position in
                    let ahead = random.isOneIn(40) ? 12_000_000 : 0
                    let time =
                        10_000_000 + position * step - random.below(disorder + 1) + ahead
                    return Self.record(&random, at: Event.epoch + Int64(max(0, time)))
                })
        }
        self.partitions = partitions
    }

    private static func record(_ random: inout SeededRandom, at time: Int64) -> InputRecord {
        switch random.below(24) {
        case 0: return .refused("{\"k\": 1, \"v\": 13, \"ts\": \"2026-01-01T23:00:00Z\"}")
        case 1: return .refused("{\"k\": \"one\", \"ts\": \"2026-01-01T23:00:00Z\"}")
        case 2: return .refused(random.pick(["", "{\"k\": 1, ", "{\"k\": 1}", "null", "[]"]))
        case 3: return .tombstone
        default: break
        }
        let v = Int64(random.within(-5...20))
        return .event(
            Event(
                k: Int64(random.below(4)), g: random.isOneIn(5) ? nil : random.pick(["a", "b"]),
                v: random.isOneIn(6) ? nil : (v == 13 ? 14 : v), ts: time))
    }

    var topic: SimulatedTopic { SimulatedTopic(partitions.map { $0.map { .init($0.bytes) } }) }

    /// (partition, offset) of each record that breaks the contract.
    var refused: [String] {
        partitions.enumerated().flatMap { partition, records in
            records.enumerated().compactMap { offset, record in
                if case .refused = record { return "\(partition)|\(offset)" }
                return nil
            }
        }
    }
}
