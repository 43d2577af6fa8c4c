// What a topology must give, computed the naive way: all rows in memory, each rule of dialect.md §1
// read literally, nothing shared with the engine.

/// A record with its offset.
struct CountedRecord: Sendable {
    let offset: Int64
    let record: InputRecord
}

/// What was read of all sources, or is there to be read.
struct ReferenceInput: Sendable {
    struct Source: Sendable {
        let watermarkDelay: Int64
        var partitions: [[CountedRecord]]
    }

    let columns: RandomColumns
    /// s0, s1 and the keyed table.
    var sources: [Source]
    /// Whether the input has ended: all windows close.
    var hasEnded: Bool
}

/// An event with the watermark of its own partition just before it.
private struct Timed {
    let event: Event
    let bound: Int64
}

struct Reference {
    private let input: ReferenceInput
    private let rows: [[Timed]]
    /// The live rows of the keyed table, by key.
    private let keyed: [Int: Event]

    init(_ input: ReferenceInput) {
        self.input = input
        rows = input.sources.dropLast().map { source in
            source.partitions.flatMap { Self.timed($0, source.watermarkDelay) }
        }
        var keyed: [Int: Event] = [:]
        for record in input.sources.last?.partitions.flatMap({ $0 }) ?? [] {
            switch record.record {
            case .event(let event): keyed[event.k] = event
            case .tombstone(let key): keyed[key] = nil
            case .refused: break
            }
        }
        self.keyed = keyed
    }

    private static func timed(_ records: [CountedRecord], _ delay: Int64) -> [Timed] {
        var highest: Int64?
        return records.compactMap { record -> Timed? in
            guard case .event(let event) = record.record else { return nil }
            defer { highest = max(highest ?? event.ts, event.ts) }
            return Timed(event: event, bound: highest.map { $0 - delay } ?? .min)
        }
    }

    /// What the watermark of a query may be: the minimum over its partitions. In a bounded run those
    /// that have ended step out one by one.
    func minima(_ query: RandomQuery, isBounded: Bool) -> [Int64] {
        if input.hasEnded { return [.max] }
        let watermarks = query.sources.flatMap { number in
            let source = input.sources[number]
            return source.partitions.map { partition in
                let times = partition.compactMap { record -> Int64? in
                    if case .event(let event) = record.record { return event.ts }
                    return nil
                }
                return times.max().map { $0 - source.watermarkDelay } ?? .min
            }
        }
        let sorted = watermarks.sorted()
        return isBounded ? sorted + [.max] : [sorted.first ?? .max]
    }

    private func rows(_ relation: RandomRelation) -> [Timed] {
        switch relation {
        case .source(let source): return rows[source]
        case .filtered(let source, let bound):
            return rows[source].filter { $0.event.v.map { $0 > bound } ?? false }
        case .union: return rows[0] + rows[1]
        }
    }

    /// The result's rows, in any order. `minimum`: the watermark; windows behind it are open.
    func rows(of query: RandomQuery, minimum: Int64 = .max) -> [[Cell]] {
        let rows = rows(query.relation)
        let events = rows.map(\.event)
        switch query.shape {
        case .project(let bound):
            return events.filter { $0.v.map { $0 > bound } ?? false }.map {
                keys($0, ["k", "g"]) + [Cell($0.v), input.columns.x($0), Cell(time: $0.ts)]
            }
        case .divide(let less):
            return events.filter { $0.v != less }.map { event in
                keys(event, ["k", "g"]) + [Cell(event.v.map { 100 / ($0 - less) })]
            }
        case .window(let window, let names, let isEarly):
            let limit = isEarly ? .max : minimum
            return closed(windows(rows, window, names), window, limit).map { key, events in
                bounds(key) + key.cells + results(query, events)
            }
        case .distinctWindow(let window, let names):
            return closed(
                windows(rows, window, names), window, minimum
            ).keys.map { bounds($0) + $0.cells }
        case .windowOfWindow(let window, let names, let size):
            let inner = closed(windows(rows, window, names), window, minimum)
            let outer = Dictionary(grouping: inner) { floor($0.key.end, size) + size }
            return outer.filter { $0.key <= minimum }.map { end, windows in
                let total = windows.reduce(0) { $0 + $1.value.count }
                return [Cell(time: end), Cell(Int64(windows.count)), Cell(Int64(total))]
            }
        case .group(let names, let bound):
            var groups = Dictionary(grouping: events) { keys($0, names) }
            if names.isEmpty, groups.isEmpty { groups[[]] = [] }
            return groups.filter { group in bound.map { group.value.count > $0 } ?? true }
                .map { $0 + results(query, $1) }
        case .groupOfGroup(let name):
            let counts = Dictionary(grouping: events) { keys($0, [name]) }
            let sizes = Dictionary(grouping: counts.values.map(\.count)) { $0 }
            return sizes.map { [Cell(Int64($0)), Cell(Int64($1.count))] }
        case .unionOfGroups(let names):
            let groups = Dictionary(grouping: events) { keys($0, names) }
            return groups.map { [Cell(1)] + $0 + [Cell(Int64($1.count))] }
                + groups.map { [Cell(2)] + $0 + [Cell(Int64($1.compactMap(\.v).count))] }
        case .distinct(let names): return Array(Set(events.map { keys($0, names) }))
        case .keyedRows(let bound):
            return keyed.values.filter { $0.v.map { $0 > bound } ?? false }.map {
                keys($0, ["k", "g"]) + [Cell($0.v), input.columns.x($0)]
            }
        case .keyedGroup:
            return Dictionary(grouping: keyed.values) { keys($0, ["g"]) }
                .map { $0 + results(query, $1) }
        }
    }

    private func results(_ query: RandomQuery, _ events: [Event]) -> [Cell] {
        query.aggregates.map { $0.result(events, input.columns) }
    }

    /// Rows that missed all or some of a window's windows: k, time, kind.
    func late(for query: RandomQuery) -> [RowText] {
        guard let window = query.window else { return [] }
        return rows(query.relation).compactMap { row in
            let kind: String
            if case .session = window {
                guard row.event.ts < row.bound else { return nil }
                kind = "late"
            } else {
                let all = windows(of: row.event.ts, window)
                let open = all.filter { $0.end > row.bound }
                if open.count == all.count { return nil }
                kind = open.isEmpty ? "late" : "part_late"
            }
            return "\(input.columns.key(row.event, "k").stored)|\(row.event.ts)|\(kind)"
        }.sorted()
    }

    /// Rows of an append-only relation.
    func rowCount(of query: RandomQuery) -> Int { rows(query.relation).count }

    /// How many rows an output cannot compute.
    func failing(_ query: RandomQuery) -> Int {
        guard case .divide(let less) = query.shape else { return 0 }
        return rows(query.relation).count { $0.event.v == less }
    }

    /// Source, partition and offset of each record that breaks the contract.
    func refused(_ sources: Set<Int>) -> [RowText] {
        sources.flatMap { source in
            input.sources[source].partitions.enumerated().flatMap { partition, records in
                records.compactMap { record in
                    guard case .refused = record.record else { return nil }
                    return "\(RandomTopology.sourceName(source))|\(partition)|\(record.offset)"
                }
            }
        }.sorted()
    }

    // MARK: Windows

    private struct WindowKey: Hashable {
        let start: Int64
        let end: Int64
        let cells: [Cell]
    }

    private typealias Groups = [WindowKey: [Event]]

    private func bounds(_ key: WindowKey) -> [Cell] { [Cell(time: key.start), Cell(time: key.end)] }

    /// Those that a minimum closes.
    private func closed(_ groups: Groups, _ window: RandomWindow, _ minimum: Int64) -> Groups {
        guard minimum < .max else { return groups }
        var isSession = false
        if case .session = window { isSession = true }
        return groups.filter { isSession ? minimum > $0.key.end : minimum >= $0.key.end }
    }

    private func windows(_ rows: [Timed], _ window: RandomWindow, _ names: [String]) -> Groups {
        if case .session(let gap) = window { return sessions(rows, gap, names) }
        var groups: Groups = [:]
        for row in rows {
            for (start, end) in windows(of: row.event.ts, window) where end > row.bound {
                let key = WindowKey(start: start, end: end, cells: keys(row.event, names))
                groups[key, default: []].append(row.event)
            }
        }
        return groups
    }

    private func windows(of time: Int64, _ window: RandomWindow) -> [(start: Int64, end: Int64)] {
        switch window {
        case .tumble(let size):
            let start = floor(time, size)
            return [(start, start + size)]
        case .hop(let slide, let size):
            let last = floor(time, slide)
            return stride(from: last, to: time - size, by: -Int(slide)).map { ($0, $0 + size) }
        case .cumulate(let step, let size):
            let start = floor(time, size)
            return stride(from: start + step, through: start + size, by: Int(step))
                .filter { $0 > time }.map { (start, $0) }
        case .session: return []
        }
    }

    private func sessions(_ rows: [Timed], _ gap: Int64, _ names: [String]) -> Groups {
        let admitted = rows.filter { $0.event.ts >= $0.bound }.map(\.event)
        var sessions: Groups = [:]
        for (key, events) in Dictionary(grouping: admitted, by: { keys($0, names) }) {
            var run: [Event] = []
            func finish() {
                guard let first = run.first, let last = run.last else { return }
                sessions[WindowKey(start: first.ts, end: last.ts + gap, cells: key)] = run
                run = []
            }
            for event in events.sorted(by: { $0.ts < $1.ts }) {
                if let last = run.last, event.ts - last.ts > gap { finish() }
                run.append(event)
            }
            finish()
        }
        return sessions
    }

    private func floor(_ time: Int64, _ size: Int64) -> Int64 {
        time - (time % size + size) % size
    }

    private func keys(_ event: Event, _ names: [String]) -> [Cell] {
        names.map { input.columns.key(event, $0) }
    }
}
