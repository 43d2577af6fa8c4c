// What users of other systems write out of habit, and what they are told instead (dialect.md §3.6).

import Contracts
import Testing

@Suite struct RivalHintTests {
    @Test(arguments: [
        ("ifnull(t, 'x')", "coalesce"), ("nvl(t, 'x')", "coalesce"), ("if(ok, 1, 0)", "CASE WHEN"),
        ("collect_list(t)", "array_agg"), ("listagg(t)", "string_agg"),
        ("latest_by_offset(t)", "last(value)"), ("to_timestamp_ltz(b, 3)", "/ 1000.0"),
        ("unix_timestamp(ts)", "extract(epoch"), ("date_format(ts, 'yyyy')", "to_char"),
        ("json_value(js, '$.a')", "->>"), ("proctime()", "_extracted_at"), ("len(t)", "length"),
        ("rlike(t, 'a')", "~"), ("tumble_start(ts)", "window_start"),
        ("t + 'x'", "joined by ||"), ("uper(t)", "did you mean upper?"),
        ("t = \"web\"", "a text stands in single quotes: 'web'"),
        ("t = \"web\"", "there is s, i, b, r, d, n, m, t, …"),
    ])
    func hints(text: String, hint: String) throws {
        let refused = try bindRefusal(text)
        #expect(refused.hint?.contains(hint) == true, "\(refused.message): \(refused.hint ?? "-")")
    }

    @Test func startIsAWordOrATime() throws {
        let refused = try catalogRefusal(
            "CREATE TABLE t (a bigint) USING kafka WITH (topic = 't', start = 'earlest')")
        #expect(refused.message == "'earlest' is no value of start")
        #expect(refused.hint == "earliest, latest or a time: '2026-01-31T12:00:00Z'")
        #expect(refused.at.hasPrefix("'earlest'"))
    }
}
