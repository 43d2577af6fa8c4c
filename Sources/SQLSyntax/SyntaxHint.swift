// What a user of a rival's SQL types and PostgreSQL's grammar refuses: what to write instead
// (dialect.md §3.6).

/// A hint for a syntax error at `offset`, if the words around it are known.
func syntaxHint(message: String, tokens: TokenList, offset: Int) -> String? {
    if message.contains("must have an alias") {
        return "name it: FROM (SELECT …) AS recent"
    }
    let index = tokens.index(at: offset)
    let context = ErrorContext(
        before: tokens.word(index - 2), previous: tokens.word(index - 1),
        word: tokens.word(index), next: tokens.word(index + 1),
        isString: tokens.tokens.indices.contains(index)
            && tokens.tokens[index].code == GrammarValue.Token.string,
        isReserved: tokens.tokens.indices.contains(index)
            && tokens.tokens[index].keyword == GrammarValue.Keyword.reserved,
        hasBacktick: (max(0, index - 4)...index).contains { tokens.text($0).hasPrefix("`") },
        statement: statementWords(tokens, before: index))
    return rivalHint(context) ?? statementHint(context) ?? windowSyntaxHint(context)
        ?? plainHint(context)
}

private struct ErrorContext {
    let before: String
    let previous: String
    /// At which the parser stopped.
    let word: String
    let next: String
    let isString: Bool
    let isReserved: Bool
    let hasBacktick: Bool
    /// The first two words of the statement.
    let statement: [String]
}

private func statementWords(_ tokens: TokenList, before index: Int) -> [String] {
    var start = min(index, tokens.count)
    while start > 0, tokens.text(start - 1) != ";" { start -= 1 }
    return [tokens.word(start), tokens.word(start + 1)]
}

private func rivalHint(_ context: ErrorContext) -> String? {
    if context.word == "unsigned" {
        return "there are no unsigned types: bigint holds up to 9223372036854775807, "
            + "numeric(20,0) all of 64 bits"
    }
    if context.previous == "watermark" || context.word == "watermark" {
        return "event time is an option: WITH (event_time = 'ts', watermark_delay = '5 seconds')"
    }
    if context.word == "emit" || context.previous == "emit" {
        return "when results appear is an option: WITH (emit = 'on_change') of the output, "
            + "or SET emit = 'on_change'"
    }
    if context.word == "system_time" || context.next == "system_time" {
        return "declare the table with lookup = 'true' and join it plainly; as of event time: "
            + "JOIN LATERAL (SELECT … WHERE r.ts <= o.ts ORDER BY r.ts DESC LIMIT 1) r ON true"
    }
    if context.word == "enforced" || (context.word == "not" && context.next == "enforced") {
        return "leave NOT ENFORCED out: PRIMARY KEY makes an upsert stream of the table"
    }
    if context.isString, ["(", ","].contains(context.previous) {
        return "names of options stand without quotes: "
            + "CREATE TABLE … USING kafka WITH (topic = 'bids', format = 'json')"
    }
    if context.statement[0] == "create", ["stream", "source", "sink"].contains(context.word) {
        return "write CREATE TABLE … USING kafka WITH (…) for a source and "
            + "CREATE MATERIALIZED VIEW … USING … AS SELECT … for an output"
    }
    return nil
}

/// What Flink's, ksqlDB's and RisingWave's statements have and PostgreSQL's have not.
private func statementHint(_ context: ErrorContext) -> String? {
    let isTypeName = ["array", "map", "row", "struct", "multiset"].contains
    if (context.word == "<" && isTypeName(context.previous))
        || (context.next == "<" && isTypeName(context.word))
    {
        return "an array's type is integer[]; a row's is made by CREATE TYPE item AS (…); "
            + "a map is read as json"
    }
    if context.statement == ["create", "table"], context.word == "as" {
        return "a computed column is written: dollars numeric(12,2) "
            + "GENERATED ALWAYS AS (…) STORED; when a record was read is its column _extracted_at"
    }
    if context.word == "metadata" {
        return "what a record carries is there without a declaration: "
            + "_timestamp, _partition, _offset, _key, _headers"
    }
    if context.statement[0] == "set", context.previous == "set", context.isString {
        return "names of settings stand without quotes: SET checkpoint_interval = '10 seconds'"
    }
    if context.word == "statement", context.next == "set" {
        return "leave it out: all outputs of a file run together, with one checkpoint"
    }
    if context.word == "overwrite" {
        return "write INSERT INTO: rows are appended, or merged by the output's key"
    }
    if context.previous == "qualify" {
        return "filter a subquery: SELECT … FROM (SELECT …) AS ranked WHERE …"
    }
    return nil
}

private let units: Set<String> = [
    "millisecond", "milliseconds", "second", "seconds", "minute", "minutes", "hour", "hours", "day",
    "days",
]

private func windowSyntaxHint(_ context: ErrorContext) -> String? {
    if context.word == "partition", context.next == "by" {
        return "a session's keys are an argument: "
            + "session(bids, ts, INTERVAL '1 minute', partition_by => (bidder))"
    }
    let isArgument = ["(", ",", "=>"].contains(context.previous)
    if context.word == "table", isArgument, context.statement != ["create", "table"] {
        return "write the table's name alone: tumble(bids, ts, INTERVAL '10 seconds')"
    }
    if ["tumbling", "hopping", "session"].contains(context.previous), context.word == "(" {
        return windowHint
    }
    if context.word == "table", ["from", "join"].contains(context.previous) {
        return windowHint
    }
    let followsNumber = context.previous.first?.isNumber ?? false
    if context.previous == "interval" || context.before == "interval"
        || (followsNumber && units.contains(context.word))
    {
        return "put number and unit into one string: INTERVAL '10 seconds'"
    }
    return nil
}

private func plainHint(_ context: ErrorContext) -> String? {
    if context.word.hasPrefix("#") { return "a comment begins with --" }
    if context.word == ":", context.before == "=" {
        return "values stand in single quotes: bootstrap_servers = 'localhost:9092'"
    }
    if ["create", "insert", "set"].contains(context.word), !["", ";"].contains(context.previous) {
        return "the statement before it does not end: is a ; missing?"
    }
    if context.hasBacktick { return "names are quoted by double quotes: \"end\"" }
    let ends = ["from", "where", "having", "union", "limit", ")", ";", ""].contains(context.word)
    if context.previous == ",", ends || (context.isReserved && context.next == "by") {
        return "there is a comma too many before it"
    }
    if context.previous == "window", context.before != ")" {
        return "window is a reserved word: as a name it stands in double quotes, \"window\""
    }
    let opens = [
        "(", ",", ".", "select", "by", "where", "and", "or", "=", "<", ">", "+", "-", "*", "/",
        "on",
    ]
    let isName = ["end", "window"].contains(context.word) || opens.contains(context.previous)
    if context.isReserved, isName, !["from", "where", "select"].contains(context.word) {
        return "\(context.word) is a reserved word: as a name it stands in double quotes, "
            + "\"\(context.word)\""
    }
    return nil
}
