// Topologies drawn from a seed: two sources and a keyed table, one to three outputs of different
// making, where late rows and broken records go, and what the settings are.

/// A topology file's content.
struct RandomTopology: Sendable {
    let columns: RandomColumns
    let sources: [RandomSource]
    let queries: [RandomQuery]
    /// Broken records go to a topic instead of a table.
    let deadLettersAreRecords: Bool
    let checkpointMilliseconds: Int
    let commitMilliseconds: Int?
    /// Operator ids are made from the plan, so it stays as it is for a history.
    let isOptimizerOn: Bool
    /// Checkpoints that a directory on disk keeps.
    let checkpointHistory: Int
    /// Bytes that wait for a sink before sources are held.
    let pendingLimit: Int?
    /// State beyond which what is clean leaves memory.
    let stateMemory: Int?
    /// What becomes of a source whose log was cut, at first.
    var onOffsetLost: String

    init(seed: UInt64, _ limits: HistoryLimits, _ cuts: HistoryCuts) {
        let origin = SeededRandom(seed: seed)
        var random = origin.stream("topology")
        let columns = RandomColumns(&random)
        self.columns = columns
        let drawn = (0..<random.within(1...limits.queries)).map { number in
            var own = origin.stream("query", number)
            return RandomQuery(&own, columns)
        }
        let kept = drawn.indices.filter { !cuts.queries.contains($0) }
        queries = (kept.isEmpty ? [0] : kept).map { drawn[$0] }
        deadLettersAreRecords = random.isOneIn(3)
        checkpointMilliseconds = random.pick([5, 20, 60, 400])
        isOptimizerOn = !random.isOneIn(4)
        commitMilliseconds = random.isOneIn(3) ? random.pick([0, 100, 500]) : nil
        pendingLimit = random.isOneIn(4) ? random.pick([1, 2_000]) : nil
        let evicts = random.isOneIn(2)
        stateMemory = evicts && !cuts.hazards.contains(.evict) ? random.pick([1, 20_000]) : nil
        checkpointHistory = random.pick([1, 3])
        onOffsetLost = random.pick(["fail", "earliest", "latest"])
        sources = (0..<3).map { number in
            RandomSource(
                origin.stream("source", number), columns, number: number, isKeyed: number == 2,
                recordLimit: limits.records, cuts: cuts)
        }
    }

    static func name(_ output: Int) -> String { "o\(output)" }
    static func sourceName(_ number: Int) -> String { ["s0", "s1", "u"][number] }

    /// Numbers of the sources that outputs read.
    var readSources: [Int] { Set(queries.flatMap(\.sources)).sorted() }
    /// Whether the clock shows in an output: partitions may have stepped out.
    func isLoose(_ query: RandomQuery) -> Bool {
        query.window != nil && query.sources.contains { sources[$0].idleTimeout != nil }
    }

    /// Of late rows, broken records and outputs.
    var locations: [String] { queries.indices.map(Self.name) + ["lost", "refused"] }

    func sql(batchRows: Int) -> String {
        var text = "SET batch_rows = \(batchRows);\n"
        text += "SET checkpoint_interval = '\(checkpointMilliseconds) ms';\n"
        text += "SET checkpoint_history = \(checkpointHistory);\n"
        if let commitMilliseconds { text += "SET commit_interval = '\(commitMilliseconds) ms';\n" }
        if let pendingLimit { text += "SET pending_limit = '\(pendingLimit)B';\n" }
        if let stateMemory { text += "SET state_memory = '\(stateMemory)B';\n" }
        if columns.x == .row { text += "CREATE TYPE pair AS (a bigint, b text);\n" }
        text += """
            CREATE TABLE lost (k \(columns.k.sql), ts timestamptz, _late_kind text)
                USING delta WITH (location = 'lost');

            """
        if !deadLettersAreRecords {
            text += """
                CREATE TABLE refused (topic text, partition integer, "offset" bigint)
                    USING delta WITH (location = 'refused');

                """
        }
        for number in readSources { text += source(number) }
        for (index, query) in queries.enumerated() { text += output(index, query) }
        return text
    }

    private func source(_ number: Int) -> String {
        let name = Self.sourceName(number)
        let isKeyed = sources[number].isKeyed
        let letters = deadLettersAreRecords ? "dead_letter_topic = 'dead'" : "dead_letter = 'refused'"
        var options = "topic = '\(name)', bootstrap_servers = 'none', format = 'json', \(letters)"
        options += ", on_offset_lost = '\(onOffsetLost)'"
        if isKeyed {
            options += ", key_format = 'json'"
        } else {
            let delay = sources[number].watermarkDelay / 1_000
            options += ", event_time = 'ts', watermark_delay = '\(delay) ms'"
            if let idleTimeout = sources[number].idleTimeout {
                options += ", idle_timeout = '\(idleTimeout) ms'"
            }
            // Where no output has a window nothing is late.
            if queries.contains(where: { $0.window != nil && $0.sources.contains(number) }) {
                options += ", late = 'lost'"
            }
        }
        return """
            CREATE TABLE \(name) (k \(columns.k.sql) \(isKeyed ? "PRIMARY KEY" : "NOT NULL"),
                g \(columns.g.sql), v bigint CHECK (v <> 13), x \(columns.x.sql),
                ts timestamptz NOT NULL) USING kafka WITH (\(options));

            """
    }

    private func output(_ index: Int, _ query: RandomQuery) -> String {
        let name = Self.name(index)
        var options: String
        switch query.sink {
        case .delta: options = "delta WITH (location = '\(name)'"
        case .kafka:
            options = "kafka WITH (topic = '\(name)', bootstrap_servers = 'none', format = 'json'"
        case .changelog:
            options = "kafka WITH (topic = '\(name)', bootstrap_servers = 'none'"
            options += ", format = 'debezium_json'"
        }
        if query.isEarly { options += ", emit = 'on_change'" }
        return "CREATE MATERIALIZED VIEW \(name) USING \(options)) AS\n    \(query.sql);\n"
    }
}
