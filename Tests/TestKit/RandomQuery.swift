// What an output selects, drawn from a seed, as SQL.

/// A window function.
enum RandomWindow: Sendable, Hashable {
    case tumble(size: Int64)
    case hop(slide: Int64, size: Int64)
    case cumulate(step: Int64, size: Int64)
    case session(gap: Int64)

    static func draw(_ random: inout SeededRandom) -> Self {
        let second: Int64 = 1_000_000
        switch random.below(4) {
        case 0: return .tumble(size: Int64(random.within(1...6)) * second)
        case 1:
            let slide = Int64(random.within(1...4)) * second
            return .hop(slide: slide, size: slide + Int64(random.within(0...5)) * second)
        case 2:
            let step = Int64(random.within(1...3)) * second
            return .cumulate(step: step, size: step * Int64(random.within(1...4)))
        default: return .session(gap: Int64(random.within(1...4)) * second)
        }
    }

    func sql(_ relation: String, _ column: String) -> String {
        func interval(_ time: Int64) -> String { "INTERVAL '\(time / 1_000) milliseconds'" }
        switch self {
        case .tumble(let size): return "tumble(\(relation), \(column), \(interval(size)))"
        case .hop(let slide, let size):
            return "hop(\(relation), \(column), \(interval(slide)), \(interval(size)))"
        case .cumulate(let step, let size):
            return "cumulate(\(relation), \(column), \(interval(step)), \(interval(size)))"
        case .session(let gap): return "session(\(relation), \(column), \(interval(gap)))"
        }
    }
}

/// What a query reads.
enum RandomRelation: Sendable, Hashable {
    case source(Int)
    /// Rows of a source with v above a bound.
    case filtered(Int, above: Int64)
    /// Both sources.
    case union

    static func draw(_ random: inout SeededRandom) -> Self {
        switch random.below(6) {
        case 0: .union
        case 1: .filtered(random.below(2), above: Int64(random.within(-5...10)))
        case 2: .source(1)
        default: .source(0)
        }
    }

    var sources: [Int] {
        switch self {
        case .source(let source), .filtered(let source, _): [source]
        case .union: [0, 1]
        }
    }

    /// For FROM; `isArgument`: of a window function, which gives no alias.
    func sql(isArgument: Bool) -> String {
        let alias = isArgument ? "" : " AS r"
        switch self {
        case .source(let source): return "s\(source)"
        case .filtered(let source, let bound):
            return "(SELECT * FROM s\(source) WHERE v > \(bound))" + alias
        case .union: return "(SELECT * FROM s0 UNION ALL SELECT * FROM s1)" + alias
        }
    }
}

/// An output's query.
struct RandomQuery: Sendable, Hashable {
    enum Shape: Sendable, Hashable {
        /// Rows with v above a bound.
        case project(above: Int64)
        /// 100 / (v − a number): a row that fails is a dead letter of the output's.
        case divide(less: Int64)
        /// An aggregate a key and window; `isEarly`: with results on change.
        case window(RandomWindow, keys: [String], isEarly: Bool)
        /// Each key once a window.
        case distinctWindow(RandomWindow, keys: [String])
        /// Counts of a windowed aggregate, in windows of another over its window_end.
        case windowOfWindow(RandomWindow, keys: [String], size: Int64)
        /// An updating aggregate; `above`: only groups of so many rows.
        case group(keys: [String], above: Int64?)
        /// How many keys have how many rows.
        case groupOfGroup(key: String)
        /// Two aggregates with a constant that tells them apart.
        case unionOfGroups(keys: [String])
        case distinct(keys: [String])
        /// The rows of the keyed table with v above a bound, or aggregates of all.
        case keyedRows(above: Int64)
        case keyedGroup
    }

    enum Sink: Sendable, Hashable { case delta, kafka, changelog }

    let relation: RandomRelation
    let shape: Shape
    let aggregates: [RandomAggregate]
    let sink: Sink

    init(relation: RandomRelation, shape: Shape, aggregates: [RandomAggregate]) {
        self.relation = relation
        self.shape = shape
        self.aggregates = aggregates
        sink = .delta
    }

    init(_ random: inout SeededRandom, _ columns: RandomColumns) {
        let relation = RandomRelation.draw(&random)
        self.relation = relation
        let keys = random.pick([["k"], ["g"], ["k", "g"]])
        switch random.below(15) {
        case 0, 1: shape = .project(above: Int64(random.within(-5...15)))
        case 2...5: shape = .window(.draw(&random), keys: keys, isEarly: random.isOneIn(3))
        case 6: shape = .distinctWindow(.draw(&random), keys: keys)
        case 7:
            let size = Int64(random.within(5...20)) * 1_000_000
            shape = .windowOfWindow(.draw(&random), keys: keys, size: size)
        case 8, 9:
            let above = random.isOneIn(2) ? Int64(random.below(20)) : nil
            shape = .group(keys: random.isOneIn(5) ? [] : keys, above: above)
        case 10: shape = .groupOfGroup(key: random.pick(["k", "g"]))
        case 11: shape = .distinct(keys: keys)
        case 12: shape = .unionOfGroups(keys: keys)
        // Of two sources neither takes the dead letters.
        case 13:
            let bound = Int64(random.within(-5...20))
            shape = relation == .union ? .project(above: bound) : .divide(less: bound)
        default:
            shape = random.isOneIn(2) ? .keyedGroup : .keyedRows(above: Int64(random.below(10)))
        }
        let count = random.within(1...4)
        aggregates =
            [.count] + (0..<count).map { _ in RandomAggregate.draw(&random, columns) }
        let choice = random.below(5)
        sink = choice < 3 ? .delta : choice == 3 || !Self.isUpdating(shape) ? .kafka : .changelog
    }

    static func isUpdating(_ shape: Shape) -> Bool {
        switch shape {
        case .window(_, _, let isEarly): isEarly
        case .project, .divide, .distinctWindow, .windowOfWindow, .distinct: false
        default: true
        }
    }

    var isKeyed: Bool {
        switch shape {
        case .keyedRows, .keyedGroup: true
        default: false
        }
    }

    /// Of append-only sources; the keyed table is number 2.
    var sources: [Int] { isKeyed ? [2] : relation.sources }

    var isEarly: Bool {
        if case .window(_, _, true) = shape { return true }
        return false
    }

    /// The window that judges lateness.
    var window: RandomWindow? {
        switch shape {
        case .window(let window, _, _), .windowOfWindow(let window, _, _),
            .distinctWindow(let window, _):
            window
        default: nil
        }
    }

    private var aggregateNames: [String] { aggregates.indices.map { "a\($0)" } }

    private var aggregateSQL: String {
        zip(aggregates, aggregateNames).map { "\($0.sql) AS \($1)" }.joined(separator: ", ")
    }

    /// The result's columns.
    var columns: [String] {
        switch shape {
        case .project: ["k", "g", "v", "x", "ts"]
        case .divide: ["k", "g", "q"]
        case .window(_, let keys, _): ["window_start", "window_end"] + keys + aggregateNames
        case .distinctWindow(_, let keys): ["window_start", "window_end"] + keys
        case .windowOfWindow: ["window_end", "windows", "total"]
        case .group(let keys, _): keys + aggregateNames
        case .groupOfGroup: ["n", "keys"]
        case .unionOfGroups(let keys): ["what"] + keys + ["n"]
        case .distinct(let keys): keys
        case .keyedRows: ["k", "g", "v", "x"]
        case .keyedGroup: ["g"] + aggregateNames
        }
    }

    var sql: String {
        let from = relation.sql(isArgument: false)
        let argument = relation.sql(isArgument: true)
        switch shape {
        case .project(let bound): return "SELECT k, g, v, x, ts FROM \(from) WHERE v > \(bound)"
        case .divide(let less): return "SELECT k, g, 100 / (v - (\(less))) AS q FROM \(from)"
        case .window(let window, let keys, _):
            let list = keys.joined(separator: ", ")
            return "SELECT window_start, window_end, \(list), \(aggregateSQL) "
                + "FROM \(window.sql(argument, "ts")) GROUP BY window_start, window_end, \(list)"
        case .distinctWindow(let window, let keys):
            let list = keys.joined(separator: ", ")
            return "SELECT DISTINCT window_start, window_end, \(list) "
                + "FROM \(windowed(window, argument, keys))"
        case .windowOfWindow(let window, let keys, let size):
            let list = keys.joined(separator: ", ")
            let inner =
                "(SELECT window_end AS at, \(list), count(*) AS n "
                + "FROM \(window.sql(argument, "ts")) GROUP BY window_start, window_end, \(list))"
            return "SELECT window_end, count(*) AS windows, sum(n)::bigint AS total "
                + "FROM \(RandomWindow.tumble(size: size).sql(inner, "at")) GROUP BY window_end"
        case .group(let keys, let bound):
            let list = keys.map { $0 + ", " }.joined()
            let group = keys.isEmpty ? "" : " GROUP BY \(keys.joined(separator: ", "))"
            let having = bound.map { " HAVING count(*) > \($0)" } ?? ""
            return "SELECT \(list)\(aggregateSQL) FROM \(from)\(group)\(having)"
        case .groupOfGroup(let key):
            return "SELECT n, count(*) AS keys FROM "
                + "(SELECT \(key), count(*) AS n FROM \(from) GROUP BY \(key)) AS counts GROUP BY n"
        case .unionOfGroups(let keys):
            let list = keys.joined(separator: ", ")
            return "SELECT 1 AS what, \(list), count(*) AS n FROM \(from) GROUP BY \(list) "
                + "UNION ALL SELECT 2, \(list), count(v) FROM \(from) GROUP BY \(list)"
        case .distinct(let keys):
            return "SELECT DISTINCT \(keys.joined(separator: ", ")) FROM \(from)"
        case .keyedRows(let bound): return "SELECT k, g, v, x FROM u WHERE v > \(bound)"
        case .keyedGroup: return "SELECT g, \(aggregateSQL) FROM u GROUP BY g"
        }
    }

    /// Rows of a session stand for its keys, which must be named where nothing groups by them.
    private func windowed(
        _ window: RandomWindow, _ argument: String, _ keys: [String]
    ) -> String {
        guard case .session = window else { return window.sql(argument, "ts") }
        let text = window.sql(argument, "ts")
        return text.dropLast() + ", partition_by => (\(keys.joined(separator: ", "))))"
    }
}
