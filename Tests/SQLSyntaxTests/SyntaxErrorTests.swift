// Errors: place, hint, limits, and how they show.

import Contracts
import SQLSyntax
import Testing

@Suite struct SyntaxErrorTests {
    @Test func theMessageIsPostgreSQLsOwn() throws {
        let failure = try refusal("SELECT 'ä' FROM FROM t")
        #expect(failure.message == "syntax error at or near \"FROM\"")
        #expect(failure.code == "sql.syntax")
        #expect(failure.kind == .invalid)
        // Bytes, though libpg_query counts characters.
        #expect(failure.place?.offset == 17)
    }

    @Test func anUnendedStringHasAPlace() throws {
        let failure = try refusal("SELECT 'ä', 'abc")
        #expect(failure.message == "unterminated quoted string")
        #expect(failure.place?.offset == 13)
    }

    @Test func endOfInput() throws {
        let failure = try refusal("SELECT (1 +")
        #expect(failure.message == "syntax error at end of input")
        #expect(failure.place?.offset == 11)
    }

    @Test(arguments: [
        ("CREATE TABLE t (a bigint unsigned)", "unsigned types"),
        ("CREATE TABLE t (ts timestamptz, WATERMARK FOR ts AS ts) USING kafka", "watermark_delay"),
        ("SELECT a FROM t EMIT CHANGES", "emit = 'on_change'"),
        ("SELECT a FROM t GROUP BY a EMIT CHANGES", "emit = 'on_change'"),
        ("SELECT * FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts ON true", "lookup = 'true'"),
        ("SELECT * FROM session(bids PARTITION BY a, ts)", "partition_by => "),
        ("SELECT * FROM SESSION(TABLE bids PARTITION BY a, DESCRIPTOR(ts))", "name alone"),
        ("CREATE TABLE t (a int, PRIMARY KEY (a) NOT ENFORCED)", "leave NOT ENFORCED out"),
        ("SELECT start, end FROM t", "\"end\""), ("SELECT window FROM t", "\"window\""),
        ("CREATE TABLE t (end timestamptz)", "\"end\""),
        ("CREATE TABLE t (window text)", "\"window\""),
        ("SELECT a, order FROM t", "double quotes"),
        ("SELECT * FROM tumble(TABLE bids, ts, INTERVAL '1 s')", "name alone"),
        ("SELECT * FROM t WHERE a == 1", "equality is ="),
        ("SELECT count(*) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)", "function in FROM"),
        ("SELECT count(*) FROM t GROUP BY tumble(INTERVAL '1 minute')", "function in FROM"),
        ("SELECT count(*) FROM t WINDOW TUMBLING (SIZE 1 MINUTE)", "function in FROM"),
        ("SELECT * FROM (SELECT 1)", "AS recent"), ("SELECT * FROM (VALUES (1))", "AS recent"),
        ("SELECT a, FROM t", "comma too many"), ("SELECT `a` FROM t", "double quotes"),
        ("SELECT * FROM tumble(t, ts, INTERVAL '10' SECONDS)", "INTERVAL '10 seconds'"),
        ("SELECT * FROM tumble(t, ts, INTERVAL 10 SECOND)", "INTERVAL '10 seconds'"),
        ("CREATE TABLE t (a int) WITH ('connector' = 'kafka')", "without quotes"),
        ("CREATE STREAM s (a int)", "CREATE TABLE … USING kafka"),
        ("SELECT * FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts)))", "function in FROM"),
        ("CREATE TABLE t (a MAP<STRING, INT>)", "integer[]"),
        ("CREATE TABLE t (a ARRAY<INT>)", "integer[]"),
        ("CREATE TABLE t (a ROW<x INT>)", "CREATE TYPE"),
        ("CREATE TABLE t (a int, b AS a + 1)", "GENERATED ALWAYS AS"),
        ("CREATE TABLE t (p AS PROCTIME())", "_extracted_at"),
        ("CREATE TABLE t (a timestamp METADATA FROM 'timestamp')", "_timestamp"),
        ("SET 'execution.checkpointing.interval' = '10s'", "without quotes"),
        ("BEGIN STATEMENT SET", "leave it out"), ("INSERT OVERWRITE t SELECT 1", "INSERT INTO"),
        ("SELECT a FROM t QUALIFY row_number() OVER () = 1", "filter a subquery"),
        ("SELECT * FROM tumble(t, ts, 10 SECONDS)", "INTERVAL '10 seconds'"),
        ("# comment\nSELECT 1", "--"), ("SELECT 1\nCREATE VIEW v AS SELECT 1", "; missing"),
        ("CREATE TABLE t (a int) USING kafka WITH (b = x:9092)", "single quotes"),
        ("SELECT 'abc", "its end is missing"), ("SELECT \"abc", "its end is missing"),
    ])
    func hints(text: String, hint: String) throws {
        let failure = try refusal(text)
        #expect(failure.hint?.contains(hint) == true, "\(failure.message): \(failure.hint ?? "-")")
        #expect(failure.place != nil)
    }

    @Test(arguments: ["SELECT 1 1", "SELECT * FROM t WHERE", "SELECT a FROM t t t", "SELEC 1"])
    func noHintWhereNothingIsKnown(text: String) throws {
        #expect(try refusal(text).hint == nil)
    }

    @Test func longIdentifiersAreRefused() throws {
        let longest = String(repeating: "a", count: 63)
        #expect(try expression(longest) == longest)
        #expect(try expression("\"\(longest)\"") == longest)
        for text in [longest + "b", "\"\(longest)b\"", String(repeating: "ä", count: 32)] {
            let failure = try refusal("SELECT 1, " + text)
            #expect(failure.code == "sql.identifier_too_long")
            #expect(failure.place?.offset == 10)
        }
        // Quotes don't count.
        #expect(try expression("\"\(longest.dropLast())\"\"\"") == longest.dropLast() + "\"")
        // A long string is no identifier.
        #expect(try expression("'\(longest)\(longest)'") == "'\(longest)\(longest)'")
    }

    @Test func aStatementHasALimit() throws {
        let filling = String(repeating: "x", count: (64 << 10) - 9)
        #expect(try parse("SELECT 1;\nSELECT '\(filling)';SELECT 2").count == 3)
        let failure = try refusal("SELECT 1;\nSELECT '\(filling)x'; SELECT 2")
        #expect(failure.code == "sql.statement_too_long")
        #expect(failure.place?.offset == 10)
    }

    @Test(arguments: [
        String(repeating: "(", count: 30_000) + "1" + String(repeating: ")", count: 30_000),
        String(repeating: "- ", count: 30_000) + "x",
        "1" + String(repeating: "+1", count: 30_000),
        String(repeating: "NOT ", count: 15_000) + "x",
        String(repeating: "f(", count: 15_000) + "1" + String(repeating: ")", count: 15_000),
        "x" + String(repeating: "[1]", count: 20_000),
        String(repeating: "CASE WHEN a THEN ", count: 3_000) + "1"
            + String(repeating: " END", count: 3_000),
    ])
    func deepNestingIsRefusedOrAccepted(text: String) throws {
        do {
            _ = try parseTopology(SourceText(file: "t.sql", text: "SELECT " + text))
        } catch {
            #expect(["sql.too_deep", "sql.syntax"].contains(error.code))
        }
    }

    @Test func reasonableNestingIsAccepted() throws {
        #expect(try expression("1" + String(repeating: "+1", count: 400)).count > 1_200)
        let terms = (0..<5_000).map { "a=\($0)" }.joined(separator: " OR ")
        #expect(try expression(terms).hasPrefix("((a = 0) OR (a = 1)"))
        let failure = try refusal("SELECT 1" + String(repeating: "+1", count: 600))
        #expect(failure.code == "sql.too_deep")
        let queries =
            String(repeating: "SELECT * FROM (", count: 600) + "SELECT 1"
            + String(repeating: ") s", count: 600)
        #expect(try refusal(queries).code == "sql.too_deep")
    }

    @Test func aZeroByteIsRefused() throws {
        #expect(try refusal("SELECT 1\0; DROP TABLE t").place?.offset == 8)
    }

    @Test func parsesOnManyThreads() async throws {
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<16 { group.addTask { try expression("\(number) - 1") } }
            var all: Set<String> = []
            for try await text in group { all.insert(text) }
            #expect(all.count == 16)
        }
    }
}

@Suite struct RenderTests {
    private func rendered(_ text: String) throws -> String {
        SourceText(file: "topologies/a.sql", text: text).render(try refusal(text))
    }

    @Test func lineColumnCaretAndHint() throws {
        let text = "SELECT a,\n       end\nFROM t"
        let place = SourcePlace(file: "topologies/a.sql", offset: 17)
        let failure = Failure(.invalid, "x", "no", hint: "write \"end\"", place: place)
        #expect(
            SourceText(file: "topologies/a.sql", text: text).render(failure)
                == """
                topologies/a.sql:2:8: no
                           end
                           ^
                  hint: write "end"
                """)
    }

    @Test func tabsStayTabsAndUTF8CountsCharacters() {
        let text = "SELECT 1;\n\t\tSELECT 'äö€👍', bad"
        let source = SourceText(file: "a.sql", text: text)
        let offset = text.utf8.count - 3
        let failure = Failure(
            .invalid, "x", "no", place: SourcePlace(file: "a.sql", offset: offset))
        let lines = source.render(failure).split(separator: "\n").map(String.init)
        #expect(lines[0] == "a.sql:2:18: no")
        #expect(lines[1] == "    \t\tSELECT 'äö€👍', bad")
        #expect(lines[2] == "    \t\t" + String(repeating: " ", count: 15) + "^")
    }

    @Test func theEndOfAFileWithoutANewline() throws {
        let lines = SourceText(file: "a.sql", text: "SELECT (1\n").render(
            try refusal("SELECT (1\n"))
        #expect(lines.hasPrefix("t.sql:2:1: syntax error at end of input"))
    }

    @Test func carriageReturnsDontShow() {
        let failure = Failure(.invalid, "x", "no", place: SourcePlace(file: "a.sql", offset: 7))
        let shown = SourceText(file: "a.sql", text: "SELECT x\r\nFROM t").render(failure)
        #expect(shown == "a.sql:1:8: no\n    SELECT x\n           ^")
    }
}
