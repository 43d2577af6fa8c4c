// What a topology must give, computed the naive way: all rows in memory, each rule of dialect.md §1
// read literally, nothing shared with the engine.

/// A row's values as text, between bars; times in µs.
typealias RowText = String

/// An event with the watermark of its own partition just before it.
private struct Timed {
    let event: Event
    let bound: Int64
}

struct Reference {
    private let rows: [Timed]

    init(_ input: RandomInput, watermarkDelay: Int64) {
        rows = input.partitions.flatMap { records in
            var highest: Int64?
            return records.compactMap { record -> Timed? in
                guard case .event(let event) = record else { return nil }
                defer { highest = max(highest ?? event.ts, event.ts) }
                return Timed(event: event, bound: highest.map { $0 - watermarkDelay } ?? .min)
            }
        }
    }

    /// Ascending.
    func rows(of query: RandomQuery) -> [RowText] {
        unsorted(query).sorted()
    }

    private func unsorted(_ query: RandomQuery) -> [RowText] {
        switch query {
        case .filter(let bound):
            return rows.map(\.event).filter { $0.v.map { $0 > bound } ?? false }
                .map { text([$0.k], [$0.g], [$0.v, $0.ts]) }
        case .window(let window, let keys, _):
            return windows(window, keys).map { key, events in
                "\(key.start)|\(key.end)|\(key.key)|" + aggregates(events)
            }
        case .windowOfWindow(let window, let keys, let size):
            let inner = windows(window, keys)
            let outer = Dictionary(grouping: inner) { floor($0.key.end, size) + size }
            return outer.map { end, windows in
                "\(end)|\(windows.count)|\(windows.reduce(0) { $0 + $1.value.count })"
            }
        case .group(let keys, let bound):
            var groups = Dictionary(grouping: rows.map(\.event)) { key($0, keys) }
            if keys.isEmpty, groups.isEmpty { groups[""] = [] }
            return groups.filter { group in bound.map { group.value.count > $0 } ?? true }
                .map { (keys.isEmpty ? "" : $0 + "|") + aggregates($1) }
        case .groupOfGroup(let name):
            let counts = Dictionary(grouping: rows.map(\.event)) { key($0, [name]) }
            let sizes = Dictionary(grouping: counts.values.map(\.count)) { $0 }
            return sizes.map { "\($0)|\($1.count)" }
        case .distinct(let keys): return Array(Set(rows.map { key($0.event, keys) }))
        }
    }

    /// Rows that missed all or some of a window's windows: k, time, kind.
    func late(for query: RandomQuery) -> [RowText] {
        let window: RandomWindow
        switch query {
        case .window(let own, _, _), .windowOfWindow(let own, _, _): window = own
        default: return []
        }
        return rows.compactMap { row in
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
            return "\(row.event.k)|\(row.event.ts)|\(kind)"
        }.sorted()
    }

    // MARK: Windows

    private struct WindowKey: Hashable {
        let start: Int64
        let end: Int64
        let key: String
    }

    private func windows(_ window: RandomWindow, _ keys: [String]) -> [WindowKey: [Event]] {
        if case .session(let gap) = window { return sessions(gap, keys) }
        var groups: [WindowKey: [Event]] = [:]
        for row in rows {
            for (start, end) in windows(of: row.event.ts, window) where end > row.bound {
                let key = WindowKey(start: start, end: end, key: key(row.event, keys))
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

    private func sessions(_ gap: Int64, _ keys: [String]) -> [WindowKey: [Event]] {
        let admitted = rows.filter { $0.event.ts >= $0.bound }.map(\.event)
        var sessions: [WindowKey: [Event]] = [:]
        for (key, events) in Dictionary(grouping: admitted, by: { key($0, keys) }) {
            var run: [Event] = []
            func finish() {
                guard let first = run.first, let last = run.last else { return }
                sessions[WindowKey(start: first.ts, end: last.ts + gap, key: key)] = run
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

    // MARK: Rows

    private func key(_ event: Event, _ keys: [String]) -> String {
        keys.map { $0 == "k" ? String(event.k) : event.g ?? nullText }.joined(separator: "|")
    }

    private func aggregates(_ events: [Event]) -> String {
        let values = events.compactMap(\.v)
        let optional = [values.isEmpty ? nil : values.reduce(0, +), values.min(), values.max()]
        let distinct = Set(events.map(\.k)).count
        return "\(events.count)|\(values.count)|"
            + optional.map { $0.map(String.init) ?? nullText }.joined(separator: "|")
            + "|\(distinct)"
    }

    private func text(_ first: [Int64], _ texts: [String?], _ numbers: [Int64?]) -> String {
        (first.map(String.init) + texts.map { $0 ?? nullText }
            + numbers.map { $0.map(String.init) ?? nullText }).joined(separator: "|")
    }
}

/// How a NULL shows in a row's text.
let nullText = "∅"
