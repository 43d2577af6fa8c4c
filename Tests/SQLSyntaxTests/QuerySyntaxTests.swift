// SELECT and all that stands in FROM.

import Contracts
import SQLSyntax
import Testing

@Suite struct QuerySyntaxTests {
    private func query(_ text: String) throws -> Query {
        guard case .select(let query) = try parseOne(text) else { throw Unexpected(text) }
        return query
    }

    /// Sketches that are the text itself.
    @Test(arguments: [
        "SELECT a AS x, b FROM t AS u WHERE (a > 0) GROUP BY a, 2 HAVING (count(*) > 1)",
        "SELECT DISTINCT a FROM t", "SELECT DISTINCT ON (a, b) a FROM t ORDER BY a DESC",
        "SELECT a FROM t ORDER BY a NULLS FIRST, b DESC NULLS LAST LIMIT 5 OFFSET 0",
        "VALUES (1, 'a'), (-2, NULL)", "SELECT * FROM t, u AS v(a, b)",
        "WITH c(x) AS (SELECT 1) SELECT x FROM c", "SELECT", "SELECT a FROM (SELECT 1 AS a) AS s",
        "WITH RECURSIVE c AS (SELECT 1) SELECT * FROM c",
        "SELECT x FROM (VALUES (1), (2)) AS v(x)",
        "SELECT window_start FROM tumble(bids, ts, '10 s'::interval) AS w GROUP BY window_start",
        "SELECT * FROM hop((SELECT * FROM t), ts, '1 s'::interval, origin => 'x'::timestamptz)",
        "SELECT * FROM session(b, ts, '1 m'::interval, partition_by => ROW(a, b))",
    ])
    func selects(text: String) throws {
        let sketched = sketch(try query(text))
        #expect(sketched.trimmingSpaces == text)
    }

    @Test(arguments: [
        (
            "SELECT 1 UNION ALL SELECT 2 UNION SELECT 3",
            "{{SELECT 1 union ALL SELECT 2} union SELECT 3}"
        ),
        ("SELECT 1 EXCEPT SELECT 2", "{SELECT 1 except SELECT 2}"),
        (
            "(SELECT 1 LIMIT 1) INTERSECT SELECT 2 ORDER BY 1",
            "{SELECT 1 LIMIT 1 intersect SELECT 2} ORDER BY 1"
        ),
        (
            "SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x, y)",
            "SELECT * FROM <<a INNER JOIN b ON (a.x = b.x)> LEFT JOIN c USING (x, y)>"
        ),
        (
            "SELECT * FROM a CROSS JOIN b NATURAL JOIN c",
            "SELECT * FROM <<a CROSS JOIN b> NATURAL INNER JOIN c>"
        ),
        (
            "SELECT * FROM a FULL JOIN b ON true RIGHT JOIN c ON false",
            "SELECT * FROM <<a FULL JOIN b ON true> RIGHT JOIN c ON false>"
        ),
        (
            "SELECT * FROM a JOIN LATERAL (SELECT 1) r ON true",
            "SELECT * FROM <a INNER JOIN LATERAL (SELECT 1) AS r ON true>"
        ),
        ("SELECT a FROM t LIMIT ALL", "SELECT a FROM t"),
        ("SELECT 1 FETCH FIRST 3 ROWS ONLY", "SELECT 1 LIMIT 3"),
        ("TABLE t", "SELECT * FROM t"),
        (
            "SELECT sum(a) OVER w FROM t WINDOW w AS (ORDER BY a)",
            "SELECT sum(a) OVER FROM t !a WINDOW clause"
        ),
        ("SELECT a FROM t GROUP BY ROLLUP (a)", "SELECT a FROM t !GROUPING SETS, ROLLUP or CUBE"),
        ("SELECT a FROM t FOR UPDATE", "SELECT a FROM t !FOR UPDATE or FOR SHARE"),
    ])
    func shapes(text: String, expected: String) throws {
        #expect(sketch(try query(text)) == expected)
    }

    @Test func placesOfQueriesJoinsAndAliases() throws {
        let text =
            "WITH c AS (SELECT 1) SELECT a AS x FROM (SELECT 2) s JOIN u AS v USING (k) "
            + "UNION ALL VALUES (3)"
        let query = try query(text)
        guard case .setOperation(_, _, let left, let right, let place) = query.body,
            case .select(let select) = left.body, case .join(let join) = select.from[0],
            case .subquery(_, let alias, _, let inner) = join.left,
            case .table(_, let second) = join.right
        else { throw Unexpected(sketch(query)) }
        func word(_ place: SourcePlace?) -> String {
            let rest = text.utf8.dropFirst(place?.offset ?? text.utf8.count)
            return String(decoding: rest.prefix { $0 != 0x20 && $0 != 0x29 }, as: UTF8.self)
        }
        #expect(word(query.place) == "WITH")
        #expect(word(left.place) == "SELECT")
        #expect(word(right.place) == "VALUES")
        #expect(word(place) == "UNION")
        #expect(word(select.items[0].alias?.place) == "x")
        #expect(word(join.place) == "JOIN")
        #expect(word(inner) == "SELECT")
        #expect(word(alias?.name.place) == "s")
        #expect(word(second?.name.place) == "v")
        #expect(word(join.usingColumns[0].place) == "k")
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
