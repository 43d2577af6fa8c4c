// Topologies drawn from a seed: one source, one to three Delta tables of different making.

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

/// What an output selects.
enum RandomQuery: Sendable, Hashable {
    /// Rows with v above a bound.
    case filter(above: Int64)
    /// An aggregate a key and window; `isEarly`: with results on change.
    case window(RandomWindow, keys: [String], isEarly: Bool)
    /// Counts of a windowed aggregate, in windows of another over its window_end.
    case windowOfWindow(RandomWindow, keys: [String], size: Int64)
    /// An updating aggregate; `above`: only groups of so many rows.
    case group(keys: [String], above: Int64?)
    /// How many keys have how many rows.
    case groupOfGroup(key: String)
    case distinct(keys: [String])

    static func draw(_ random: inout SeededRandom) -> Self {
        let keys = random.pick([["k"], ["g"], ["k", "g"]])
        switch random.below(7) {
        case 0: return .filter(above: Int64(random.within(-5...15)))
        case 1, 2:
            return .window(.draw(&random), keys: keys, isEarly: random.isOneIn(3))
        case 3:
            let size = Int64(random.within(5...20)) * 1_000_000
            return .windowOfWindow(.draw(&random), keys: keys, size: size)
        case 4:
            let keys = random.isOneIn(5) ? [] : keys
            return .group(keys: keys, above: random.isOneIn(2) ? Int64(random.below(20)) : nil)
        case 5: return .groupOfGroup(key: random.pick(["k", "g"]))
        default: return .distinct(keys: keys)
        }
    }

    static let aggregates =
        "count(*) AS n, count(v) AS c, sum(v) AS s, min(v) AS lo, max(v) AS hi, "
        + "count(DISTINCT k) AS d"

    var sql: String {
        switch self {
        case .filter(let bound): return "SELECT k, g, v, ts FROM s WHERE v > \(bound)"
        case .window(let window, let keys, _):
            let list = keys.joined(separator: ", ")
            return "SELECT window_start, window_end, \(list), \(Self.aggregates) "
                + "FROM \(window.sql("s", "ts")) GROUP BY window_start, window_end, \(list)"
        case .windowOfWindow(let window, let keys, let size):
            let list = keys.joined(separator: ", ")
            let inner =
                "(SELECT window_end AS at, \(list), count(*) AS n FROM \(window.sql("s", "ts")) "
                + "GROUP BY window_start, window_end, \(list))"
            return "SELECT window_end, count(*) AS windows, sum(n)::bigint AS total "
                + "FROM \(RandomWindow.tumble(size: size).sql(inner, "at")) GROUP BY window_end"
        case .group(let keys, let bound):
            let list = keys.map { $0 + ", " }.joined()
            let group = keys.isEmpty ? "" : " GROUP BY \(keys.joined(separator: ", "))"
            let having = bound.map { " HAVING count(*) > \($0)" } ?? ""
            return "SELECT \(list)\(Self.aggregates) FROM s\(group)\(having)"
        case .groupOfGroup(let key):
            return "SELECT n, count(*) AS keys FROM "
                + "(SELECT \(key), count(*) AS n FROM s GROUP BY \(key)) AS counts GROUP BY n"
        case .distinct(let keys): return "SELECT DISTINCT \(keys.joined(separator: ", ")) FROM s"
        }
    }

    var isEarly: Bool {
        if case .window(_, _, true) = self { return true }
        return false
    }
}

/// A topology file's content.
struct RandomTopology: Sendable {
    var queries: [RandomQuery]
    var watermarkDelay: Int64
    var checkpointMilliseconds: Int
    var commitMilliseconds: Int?
    /// Operator ids are made from the plan, so it stays as it is for a history.
    let isOptimizerOn: Bool

    init(_ random: inout SeededRandom, queryLimit: Int) {
        let count = random.within(1...queryLimit)
        queries = (0..<count).map { _ in .draw(&random) }
        watermarkDelay = Int64(random.below(4)) * 700_000
        checkpointMilliseconds = random.pick([5, 20, 60, 400])
        isOptimizerOn = !random.isOneIn(4)
        commitMilliseconds = random.isOneIn(3) ? random.pick([0, 100, 500]) : nil
    }

    static func name(_ output: Int) -> String { "o\(output)" }
    var locations: [String] { queries.indices.map(Self.name) + ["lost", "refused"] }

    func sql(batchRows: Int) -> String {
        var text = """
            SET batch_rows = \(batchRows);
            SET checkpoint_interval = '\(checkpointMilliseconds) ms';
            CREATE TABLE lost (k bigint, ts timestamptz, _late_kind text)
                USING delta WITH (location = 'lost');
            CREATE TABLE refused (partition integer, "offset" bigint)
                USING delta WITH (location = 'refused');
            CREATE TABLE s (k bigint NOT NULL, g text, v bigint CHECK (v <> 13),
                ts timestamptz NOT NULL) USING kafka WITH (topic = 's',
                bootstrap_servers = 'none', format = 'json', event_time = 'ts',
                watermark_delay = '\(watermarkDelay / 1_000) ms', late = 'lost',
                dead_letter = 'refused');

            """
        for (index, query) in queries.enumerated() {
            let name = Self.name(index)
            var options = "location = '\(name)'"
            if query.isEarly { options += ", emit = 'on_change'" }
            if let commitMilliseconds {
                options += ", commit_interval = '\(commitMilliseconds) ms'"
            }
            text += "CREATE MATERIALIZED VIEW \(name) USING delta WITH (\(options)) AS\n"
            text += "    \(query.sql);\n"
        }
        return text
    }
}
