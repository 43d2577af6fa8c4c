// Input drawn from a seed: events out of order, late ones, NULLs, records that break the contract,
// rows of a keyed table that come, change and go.

/// A row that keeps the contract. `k`, `g` and `x` are places in the values of their types.
struct Event: Sendable, Hashable {
    let k: Int
    let g: Int?
    let v: Int64?
    let x: Int?
    /// µs since 1970.
    let ts: Int64

    /// 2026-01-01 00:00 UTC; every input is in the day after.
    static let epoch: Int64 = 1_767_225_600_000_000
}

/// The types of the columns that are drawn.
struct RandomColumns: Sendable {
    let k: RandomType
    let g: RandomType
    let x: RandomType

    init(_ random: inout SeededRandom) {
        k = random.pick(RandomType.keys)
        g = random.pick(RandomType.keys)
        x = random.pick(RandomType.allCases)
    }

    func key(_ event: Event, _ name: String) -> Cell {
        name == "k" ? k.values[event.k].cell : event.g.map { g.values[$0].cell } ?? .null
    }

    func x(_ event: Event) -> Cell { event.x.map { x.values[$0].cell } ?? .null }

    func message(_ event: Event) -> String {
        let fields = [
            "\"k\": \(k.values[event.k].input)", event.g.map { "\"g\": \(g.values[$0].input)" },
            event.v.map { "\"v\": \($0)" }, event.x.map { "\"x\": \(x.values[$0].input)" },
            "\"ts\": \"\(isoText(event.ts))\"",
        ]
        return "{" + fields.compactMap { $0 }.joined(separator: ", ") + "}"
    }

    func recordKey(_ k: Int) -> String { "{\"k\": \(self.k.values[k].input)}" }
}

/// A record as the topic holds it, and what it means.
enum InputRecord: Sendable {
    case event(Event)
    /// Breaks the contract; `key`: of a keyed table.
    case refused(String, key: Int)
    /// Skipped; of a keyed table: the row of this key goes.
    case tombstone(key: Int)
}

/// All records of one source.
struct RandomSource: Sendable {
    let isKeyed: Bool
    /// µs.
    let watermarkDelay: Int64
    /// ms; of a live run: what it gives depends on the clock.
    let idleTimeout: Int?
    var partitions: [[InputRecord]]

    /// What is drawn, without what is cut away.
    init(
        _ random: SeededRandom, _ columns: RandomColumns, number: Int, isKeyed: Bool,
        recordLimit: Int, cuts: HistoryCuts
    ) {
        var random = random
        self.isKeyed = isKeyed
        watermarkDelay = Int64(random.below(4)) * 700_000
        let isIdle = random.isOneIn(8) && !cuts.hazards.contains(.idle)
        idleTimeout = isIdle && !isKeyed ? random.pick([5, 30]) : nil
        let disorder = random.pick([0, 500_000, 3_000_000, 9_000_000])
        // A keyed table's key stands in one partition.
        let partitionCount = min(
            random.within(1...3), isKeyed ? columns.k.values.count : .max)
        partitions = (0..<partitionCount).map { partition in
            var shape = random.stream("partition", partition)
            // One that stays empty holds time back until the end.
            let length = shape.isOneIn(12) ? 0 : shape.below(recordLimit + 1)
            let step = shape.within(20_000...800_000)
            let drawing = Drawing(
                columns: columns, isKeyed: isKeyed, partition: partition,
                partitionCount: partitionCount)
            return (0..<length).compactMap { position in
                if cuts.removes(source: number, partition: partition, record: position) {
                    return nil
                }
                var own = shape.stream("record", position)
                let ahead = own.isOneIn(40) ? 12_000_000 : 0
                let time = 3_610_000_000 + position * step - own.below(disorder + 1) + ahead
                return drawing.record(&own, at: Event.epoch + Int64(time))
            }
        }
    }

    /// Other records for a partition, as many as `count` at most: of a topic that was made anew.
    func redrawn(
        _ partition: Int, _ random: inout SeededRandom, _ columns: RandomColumns, count: Int
    ) -> [InputRecord] {
        let drawing = Drawing(
            columns: columns, isKeyed: isKeyed, partition: partition,
            partitionCount: partitions.count)
        return (0..<random.below(count + 1)).map { position in
            drawing.record(&random, at: Event.epoch + 3_620_000_000 + Int64(position) * 300_000)
        }
    }
}

private struct Drawing {
    let columns: RandomColumns
    let isKeyed: Bool
    let partition: Int
    let partitionCount: Int

    func record(_ random: inout SeededRandom, at time: Int64) -> InputRecord {
        let k = key(&random)
        switch random.below(24) {
        case 0, 1: return .refused(broken(&random, k), key: k)
        case 2: return .tombstone(key: k)
        case 3...5 where isKeyed: return .tombstone(key: k)
        default: break
        }
        let v = Int64(random.within(-5...20))
        return .event(
            Event(
                k: k, g: random.isOneIn(5) ? nil : random.below(min(3, columns.g.values.count)),
                v: random.isOneIn(6) ? nil : (v == 13 ? 14 : v),
                x: random.isOneIn(5) ? nil : random.below(columns.x.values.count), ts: time))
    }

    private func key(_ random: inout SeededRandom) -> Int {
        let k = random.below(columns.k.values.count)
        guard isKeyed else { return k }
        let own = columns.k.values.indices.filter { $0 % partitionCount == partition }
        return own[k % own.count]
    }

    private func broken(_ random: inout SeededRandom, _ k: Int) -> String {
        let key = columns.k.values[k].input
        let time = "\"ts\": \"2026-01-01T23:00:00Z\""
        return random.pick([
            "{\"k\": \(key), \"v\": 13, \(time)}", "{\"k\": \(key), \"v\": \"one\", \(time)}",
            "{\"v\": 1, \(time)}", "{\"k\": \(key), \"v\": 99999999999999999999, \(time)}", "",
            "{\"k\": \(key), ", "null", "[]",
        ])
    }
}
