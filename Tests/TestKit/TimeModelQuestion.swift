// A history's windowed queries as questions to another executable specification of the time rules
// (time-model, which reads queries and partitions as JSON): what it answers must be what the naive
// reference gives.

/// One windowed query over the rows that a history reads.
public struct TimeModelQuestion: Sendable {
    /// `{"base": µs, "query": …, "partitions": {"s0/0": [[key, time, value], …]}}`, times since `base`.
    public let json: String
    /// Ascending: key, start, end, rows and the sum of their values; of windows over windows end
    /// and windows.
    public let expectedRows: [String]
    /// Ascending: kind and time.
    public let expectedLate: [String]
    /// Windows over windows: rows of all keys belong together.
    public let isOverWindows: Bool

    /// Of a seed's queries those that have a window without early results.
    public static func all(seed: UInt64) -> [TimeModelQuestion] {
        let topology = RandomTopology(seed: seed, HistoryLimits(), HistoryCuts())
        return topology.queries.compactMap { TimeModelQuestion($0, topology) }
    }

    private init?(_ query: RandomQuery, _ topology: RandomTopology) {
        guard let window = query.window else { return nil }
        let (names, outerSize) = Self.grouping(query)
        let asked = RandomQuery(
            relation: query.relation, shape: Self.shape(window, names, outerSize),
            aggregates: [.count, .sumOfValues])
        let sources = topology.sources.map { source in
            ReferenceInput.Source(
                watermarkDelay: source.watermarkDelay,
                partitions: source.partitions.map { records in
                    records.enumerated().map {
                        CountedRecord(offset: Int64($0.offset), record: $0.element)
                    }
                })
        }
        let input = ReferenceInput(columns: topology.columns, sources: sources, hasEnded: true)
        let reference = Reference(input)
        var keys = KeyNumbers()
        let partitions = query.sources.flatMap { number in
            sources[number].partitions.enumerated().map { partition, records in
                let rows = records.compactMap { record -> String? in
                    guard case .event(let event) = record.record else { return nil }
                    let key = keys.number(names.map { topology.columns.key(event, $0) })
                    return "[\(key),\(event.ts - Self.base),\(event.v ?? Self.noValue)]"
                }
                let name = "\(RandomTopology.sourceName(number))/\(partition)"
                return "\"\(name)\":[\(rows.joined(separator: ","))]"
            }
        }
        json =
            "{\"base\":\(Self.base),\"query\":\(Self.model(query, window, outerSize, sources)),"
            + "\"partitions\":{\(partitions.joined(separator: ","))}}"
        isOverWindows = outerSize != nil
        expectedRows = reference.rows(of: asked).map { row in
            let cells = row.map(\.stored)
            if outerSize != nil { return cells[..<2].joined(separator: " ") }
            let key = keys.number(Array(row[2..<(2 + names.count)]))
            return ([String(key)] + cells[..<2] + cells[(2 + names.count)...])
                .joined(separator: " ")
        }.sorted()
        expectedLate = reference.late(for: asked).map { row in
            let parts = row.split(separator: "|", omittingEmptySubsequences: false)
            return "\(parts[parts.count - 1]) \(parts[parts.count - 2])"
        }.sorted()
    }

    /// The model's infinity is 10⁹: times are counted from here.
    private static let base = Event.epoch + 3_600_000_000

    /// Where windows of a size are aligned, as 1970 is with times since `base`.
    private static func origin(_ size: Int64) -> Int64 { (-base % size + size) % size }

    /// Of a row without a value: below every bound.
    private static let noValue: Int64 = -1_000

    private static func grouping(_ query: RandomQuery) -> (names: [String], outerSize: Int64?) {
        switch query.shape {
        case .window(_, let names, _), .distinctWindow(_, let names): (names, nil)
        case .windowOfWindow(_, let names, let size): (names, size)
        default: ([], nil)
        }
    }

    private static func shape(
        _ window: RandomWindow, _ names: [String], _ outerSize: Int64?
    ) -> RandomQuery.Shape {
        outerSize.map { .windowOfWindow(window, keys: names, size: $0) }
            ?? .window(window, keys: names, isEarly: false)
    }

    /// As the model's constructors build it.
    private static func model(
        _ query: RandomQuery, _ window: RandomWindow, _ outerSize: Int64?,
        _ sources: [ReferenceInput.Source]
    ) -> String {
        func node(_ operation: String, _ inputs: [String], _ times: Int, _ rest: String) -> String {
            let names = Array(repeating: "\"time\"", count: times).joined(separator: ",")
            return "{\"op\":\"\(operation)\",\"inputs\":[\(inputs.joined(separator: ","))],"
                + "\"times\":[\(names)]\(rest)}"
        }
        func source(_ number: Int) -> String {
            let name = RandomTopology.sourceName(number)
            return node(
                "source", [], 0,
                ",\"name\":\"\(name)\",\"delay\":\(sources[number].watermarkDelay)")
        }
        let relation =
            switch query.relation {
            case .source(let number): source(number)
            case .filtered(let number, let bound):
                node("where", [source(number)], 0, ",\"at_least\":\(bound + 1)")
            case .union: node("union_all", [source(0), source(1)], 2, "")
            }
        let inner =
            switch window {
            case .tumble(let size):
                node(
                    "tumble", [relation], 1, ",\"size\":\(size),\"origin\":\(origin(size))"
                )
            case .hop(let slide, let size):
                node(
                    "hop", [relation], 1,
                    ",\"slide\":\(slide),\"size\":\(size),\"origin\":\(origin(slide))")
            case .cumulate(let step, let size):
                node(
                    "cumulate", [relation], 1,
                    ",\"step\":\(step),\"size\":\(size),\"origin\":\(origin(size))")
            case .session(let gap): node("session", [relation], 1, ",\"gap\":\(gap)")
            }
        guard let outerSize else { return inner }
        return "{\"op\":\"tumble\",\"inputs\":[\(inner)],\"times\":[\"window_end\"],"
            + "\"size\":\(outerSize),\"origin\":\(origin(outerSize))}"
    }
}

/// Keys by number, as they come.
private struct KeyNumbers {
    private var numbers: [[Cell]: Int] = [:]

    mutating func number(_ key: [Cell]) -> Int {
        if let known = numbers[key] { return known }
        numbers[key] = numbers.count
        return numbers.count - 1
    }
}
