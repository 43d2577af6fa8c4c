// Each kind of expression, by its sketch.

import Contracts
import SQLSyntax
import Testing

@Suite struct ExpressionSyntaxTests {
    @Test(arguments: [
        ("1", "1"), ("0", "0"), ("-5", "-5"), ("- 5", "-5"), ("-0", "0"), ("+5", "(+ 5)"),
        ("2147483647", "2147483647"), ("2147483648", "2147483648"),
        ("-2147483648", "-2147483648"), ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808n"), ("0.10", "0.10n"), ("-1.5", "-1.5n"),
        ("1e3", "1e3n"), (".5", ".5n"), ("true", "true"), ("FALSE", "false"), ("NULL", "NULL"),
        ("'a''b'", "'a'b'"), ("E'a\\nb'", "'a\nb'"), ("$$x'y$$", "'x'y'"),
        ("1 - -1", "(1 - -1)"), ("x BETWEEN -1 AND 1", "x BETWEEN -1 AND 1"),
        ("-x", "(- x)"), ("- (5)", "-5"),
    ])
    func literals(text: String, expected: String) throws {
        #expect(try expression(text) == expected)
    }

    @Test(arguments: [
        ("a", "a"), ("t.a", "t.a"), ("\"Mixed Case\"", "Mixed Case"), ("AbC", "abc"),
        ("*", "*"), ("t.*", "t.*"), ("(r).f", "(r).f"), ("(r).*", "(r).*"),
        ("(t.r).f.g", "((t.r).f).g"),
        ("a[1]", "a[1]"), ("a[-1]", "a[-1]"), ("a[1:2]", "a[1:2]"), ("a[:2]", "a[:2]"),
        ("(r).f[0]", "(r).f[0]"), ("$1", "$1"), ("ROW(1, 2)", "ROW(1, 2)"),
        ("(a, b)", "ROW(a, b)"), ("ARRAY[1, NULL]", "ARRAY(1, NULL)"),
        ("a + b * c", "(a + (b * c))"), ("j -> 'x' ->> 'y'", "((j -> 'x') ->> 'y')"),
        ("j #>> '{a,b}'", "(j #>> '{a,b}')"), ("a || 'x'", "(a || 'x')"), ("2 ^ 3", "(2 ^ 3)"),
        ("t ~* 'x'", "(t ~* 'x')"), ("t LIKE 'a%'", "(t ~~ 'a%')"),
        ("t NOT LIKE 'a%'", "(t !~~ 'a%')"), ("t ILIKE 'a%'", "(t ~~* 'a%')"),
        ("t LIKE 'a' ESCAPE '!'", "(t ~~ like_escape('a', '!'))"), ("a <> b", "(a <> b)"),
        ("a != b", "(a <> b)"), ("a % 2", "(a % 2)"),
    ])
    func namesAndOperators(text: String, expected: String) throws {
        #expect(try expression(text) == expected)
    }

    @Test(arguments: [
        ("a AND b AND c", "(a AND b AND c)"), ("a OR b OR c", "(a OR b OR c)"),
        ("NOT a", "NOT a"), ("a IS NULL", "a IS NULL"), ("a IS NOT NULL", "a IS NOT NULL"),
        ("a ISNULL", "a IS NULL"), ("a IS TRUE", "a IS true"),
        ("a IS NOT FALSE", "a IS NOT false"), ("a IS UNKNOWN", "a IS unknown"),
        ("a IS NOT UNKNOWN", "a IS NOT unknown"), ("a IS FALSE", "a IS false"),
        ("a IS NOT TRUE", "a IS NOT true"),
        ("a IS DISTINCT FROM b", "a IS DISTINCT FROM b"),
        ("a IS NOT DISTINCT FROM 0", "a IS NOT DISTINCT FROM 0"),
        ("a NOT BETWEEN 0 AND 9", "a NOT BETWEEN 0 AND 9"),
        ("a BETWEEN SYMMETRIC 9 AND 0", "a BETWEEN SYMMETRIC 9 AND 0"),
        ("a NOT BETWEEN SYMMETRIC 9 AND 0", "a NOT BETWEEN SYMMETRIC 9 AND 0"),
        ("a IN (1, -2)", "a IN (1, -2)"), ("a NOT IN ('x')", "a NOT IN ('x')"),
        ("a = ANY (b)", "a = ANY b"), ("a > ALL (ARRAY[1])", "a > ALL ARRAY(1)"),
        (
            "CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 0 END",
            "CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 0 END"
        ),
        ("CASE x WHEN 1 THEN 'a' END", "CASE x WHEN 1 THEN 'a' END"),
        ("COALESCE(a, b)", "coalesce(a, b)"), ("NULLIF(a, 0)", "nullif(a, 0)"),
        ("GREATEST(a, 1)", "greatest(a, 1)"), ("LEAST(a, 1)", "least(a, 1)"),
    ])
    func predicates(text: String, expected: String) throws {
        #expect(try expression(text) == expected)
    }

    @Test(arguments: [
        ("a::bigint", "a::int8"), ("CAST(a AS numeric(10,2))", "a::numeric(10,2)"),
        ("a::numeric(5,-2)", "a::numeric(5,-2)"), ("a::numeric(5,0)", "a::numeric(5,0)"),
        ("a::text[]", "a::text[]"), ("a::my_row", "a::my_row"), ("a::varchar(3)", "a::varchar(3)"),
        ("date '2026-01-01'", "'2026-01-01'::date"), ("a::double precision", "a::float8"),
        ("a::timestamp with time zone", "a::timestamptz"), ("true::text", "true::text"),
        ("timestamptz '2026-01-01 00:00+00'", "'2026-01-01 00:00+00'::timestamptz"),
        ("INTERVAL '10 s'", "'10 s'::interval"), ("INTERVAL '1' MINUTE", "'1'::interval(2048)"),
        ("INTERVAL '1-2' YEAR TO MONTH", "'1-2'::interval(6)"),
        ("INTERVAL(3) '1 s'", "'1 s'::interval(32767,3)"), ("INTERVAL '-1 s'", "'-1 s'::interval"),
        ("t AT TIME ZONE 'UTC'", "t AT TIME ZONE 'UTC'"),
        ("timezone('UTC', t)", "timezone('UTC', t)"),
        ("x COLLATE \"C\"", "x COLLATE C"), ("current_timestamp", "current_timestamp"),
        ("current_timestamp(3)", "current_timestamp::timestamptz(3)"),
        ("current_date", "current_date"), ("localtimestamp", "localtimestamp"),
        ("now()", "now()"), ("current_user", "refused: CURRENT_USER"),
    ])
    func castsAndTimes(text: String, expected: String) throws {
        #expect(try expression(text) == expected)
    }

    @Test(arguments: [
        ("lower(a)", "lower(a)"), ("pg_catalog.lower(a)", "lower(a)"), ("count(*)", "count(*)"),
        ("count(DISTINCT a)", "count(DISTINCT a)"),
        ("count(*) FILTER (WHERE a > 0)", "count(*) FILTER ((a > 0))"),
        (
            "string_agg(a, ',' ORDER BY b DESC, c NULLS FIRST)",
            "string_agg(a, ',' ORDER BY b DESC, c NULLS FIRST)"
        ),
        ("row_number() OVER (PARTITION BY a ORDER BY b)", "row_number() OVER"),
        ("f(1, origin => timestamptz '2026-01-01')", "f(1, origin => '2026-01-01'::timestamptz)"),
        ("extract(hour FROM t)", "extract('hour', t)"), ("trim(a)", "btrim(a)"),
        ("trim(LEADING 'x' FROM a)", "ltrim(a, 'x')"), ("position('b' IN s)", "position(s, 'b')"),
        ("substring(s FROM 2 FOR 3)", "substring(s, 2, 3)"),
        ("(SELECT max(a) FROM t)", "(SELECT max(a) FROM t)"),
        ("EXISTS (SELECT 1)", "refused: EXISTS (SELECT …)"),
        ("a IN (SELECT 1)", "refused: IN (SELECT …)"),
        ("a = ANY (SELECT 1)", "refused: ANY or ALL (SELECT …)"),
        ("ARRAY(SELECT 1)", "refused: ARRAY (SELECT …)"),
        ("GROUPING(a)", "refused: GROUPING"), ("a SIMILAR TO 'x'", "refused: SIMILAR TO"),
        ("B'101'", "refused: a bit string"),
    ])
    func calls(text: String, expected: String) throws {
        #expect(try expression(text) == expected)
    }

    @Test func placesAreByteOffsetsOfOperatorsAndNames() throws {
        let text = "SELECT 'ä' || (t . b)"
        let root = try tree(text)
        guard case .infix(_, let left, let right) = root.kind, case .column(let names) = right.kind
        else { throw Unexpected(sketch(root)) }
        #expect(left?.place.offset == 7)
        #expect(root.place.offset == 12)
        #expect(names.map(\.place.offset) == [16, 20])
    }

    @Test func anIntervalHasThePlaceOfItsType() throws {
        #expect(try tree("SELECT INTERVAL '1 s'").place.offset == 7)
    }
}
