// Functions of Flink, ksqlDB, RisingWave, Spark and MySQL that PostgreSQL doesn't have, and how it
// says the same (dialect.md §3.6).

enum RivalFunctions {
    /// What to write instead, by the function's name.
    static let hints: [String: String] = {
        var hints: [String: String] = [:]
        for (names, hint) in all {
            for name in names { hints[name] = hint }
        }
        return hints
    }()

    private static let all: [([String], String)] = [
        (["ifnull", "nvl", "isnull"], "write coalesce(a, b)"),
        (["if", "iif", "nvl2"], "write CASE WHEN price > 0 THEN a ELSE b END"),
        (["collect_list", "collect", "collect_set", "array_collect"], "write array_agg(value)"),
        (["listagg", "group_concat"], "write string_agg(value, ',')"),
        (["latest_by_offset", "last_value", "any_value"], "write last(value)"),
        (["earliest_by_offset", "first_value"], "write first(value)"),
        (["approx_distinct", "count_distinct"], "write approx_count_distinct(value)"),
        (
            ["explode", "unnest", "flatten"],
            "a function that makes rows has no place yet; one element is words[1]"
        ),
        (
            ["to_timestamp_ltz", "from_unixtime", "stringtotimestamp"],
            "write to_timestamp(ms / 1000.0), or a cast: text::timestamptz"
        ),
        (["unix_timestamp", "to_unix_timestamp"], "write extract(epoch FROM ts)"),
        (
            ["date_format", "formattimestamp", "timestamptostring"],
            "write to_char(ts, 'YYYY-MM-DD')"
        ),
        (["timestampdiff", "datediff"], "write extract(epoch FROM b - a): seconds"),
        (
            ["date_add", "dateadd", "timestampadd", "date_sub"],
            "write ts + INTERVAL '1 day', or ts - INTERVAL '1 day'"
        ),
        (
            ["json_value", "json_query", "get_json_object", "json_extract", "extractjsonfield"],
            "write doc ->> 'field', or doc #>> '{outer,inner}'"
        ),
        (
            ["proctime", "processing_time", "rowtime"],
            "when a record was read is its column _extracted_at; its own time is _timestamp"
        ),
        (["len"], "write length(text)"),
        (["instr", "locate", "charindex"], "write position('b' IN text)"),
        (["regexp", "rlike"], "write text ~ 'pattern'"),
        (["regexp_extract"], "write (regexp_match(text, 'pattern'))[1]"),
        (["ucase"], "write upper(text)"),
        (["lcase"], "write lower(text)"),
        (
            [
                "tumble_start", "tumble_end", "hop_start", "hop_end", "session_start",
                "session_end",
            ],
            "the window's bounds are columns: SELECT window_start, window_end FROM tumble(…)"
        ),
    ]
}
