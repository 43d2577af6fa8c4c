// Types, folding and refusals of expressions (dialect.md §3).

import Contracts
import Kernels
import Planning
import SQLSyntax
import Testing
import Types

@Suite struct ExpressionBinderTests {
    @Test(arguments: [
        ("s + i", "integer"), ("i + b", "bigint"), ("s + s", "smallint"), ("b / 2", "bigint"),
        ("n + m", "numeric(13,4)"), ("n - 1", "numeric(11,2)"), ("n * m", "numeric(22,6)"),
        ("n / m", "numeric(38,16)"), ("n % m", "numeric(12,4)"), ("n + i", "numeric(13,2)"),
        ("n + b", "numeric(22,2)"), ("n + 0.10", "numeric(11,2)"), ("n * 1e3", "numeric(14,2)"),
        ("n + r", "double precision"), ("r + i", "double precision"), ("r + r", "real"),
        ("n + d", "double precision"), ("0.10", "numeric(2,2)"), ("1e3", "numeric(4,0)"),
        ("0.001", "numeric(3,3)"), ("-1.5", "numeric(2,1)"), ("42", "integer"),
        ("5000000000", "bigint"), ("99999999999999999999", "numeric(20,0)"),
        ("CASE WHEN ok THEN n ELSE i END", "numeric(12,2)"),
        ("CASE WHEN ok THEN n ELSE m END", "numeric(12,4)"),
        ("CASE WHEN ok THEN 1 END", "integer"), ("coalesce(n, 0)", "numeric(10,2)"),
        ("coalesce(i, b)", "bigint"), ("CASE WHEN ok THEN r ELSE i END", "double precision"),
        ("nullif(i, 5)", "integer"), ("i::numeric", "numeric(10,0)"),
        ("n::numeric", "numeric(10,2)"), ("'1.50'::numeric", "numeric(3,2)"),
        ("b::numeric(12,3)", "numeric(12,3)"),
        ("ts::date", "date"), ("i = 5", "boolean"), ("i IN (1, 2)", "boolean"),
        ("ts > '2026-01-01'", "boolean"), ("(p).y", "double precision"),
        ("ARRAY[1, 2.5]", "numeric(2,1)[]"), ("ARRAY[]::text[]", "text[]"),
        ("NULL", "unknown"), ("'x'", "text"),
    ])
    func types(_ text: String, _ type: String) throws {
        #expect(try bind(text).type.description == type)
    }

    @Test(arguments: [
        ("zz", "column \"zz\" does not exist", "zz"),
        ("oj", "column \"oj\" does not exist", "oj"),
        ("i + t", "there is no operator integer + text", "+ t"),
        ("(p).z", "point has no field \"z\"", "z"),
        ("t COLLATE \"de_DE\"", "collation \"de_DE\" is not supported", nil),
        ("sum(i)", "aggregate functions are not allowed in SELECT", "sum(i)"),
        ("NOT i", "the argument of NOT must be boolean, this is integer", "i"),
        ("t::numeric", "numeric needs its digits here", "numeric"),
        ("d::numeric", "numeric needs its digits here", "numeric"),
        ("day::integer", "date cannot be cast to integer", nil),
        ("1 / 0", nil, nil), ("'abc'::integer", nil, nil),
        ("row_number() OVER ()", "OVER (a window function) is not supported yet", nil),
        ("(SELECT 1)", "a subquery in an expression is not supported yet", nil),
        ("(i, b) = (1, 2)", "comparing rows is not supported yet", nil),
        ("unnest(a)", "the set-returning function unnest is not supported yet", "unnest(a)"),
        ("frobnicate(i)", "there is no function frobnicate(integer)", "frobnicate(i)"),
        ("ARRAY[]", "an empty ARRAY[] has no type", nil),
        ("i > ANY (a)", "> ANY (…) is not supported yet", nil),
        ("tumble(i)", "tumble stands in FROM only", "tumble(i)"),
        (
            "CASE WHEN ok THEN i ELSE t END", "CASE types integer and text cannot be matched",
            "t END"
        ),
        ("abs(DISTINCT i)", "*, DISTINCT, ORDER BY and FILTER need an aggregate; abs is none", nil),
        ("123456789012345678901234567890123456789", nil, nil),
    ])
    func refusals(_ text: String, _ message: String?, _ at: String?) throws {
        let refused = try bindRefusal(text)
        if let message { #expect(refused.message == message) }
        if let at { #expect(refused.at == at) }
    }

    @Test func nearestColumn() throws {
        #expect(try bindRefusal("dayy").hint == "did you mean \"day\"?")
        #expect(try bindRefusal("p.x").hint == "a field of a row is written (p).x")
    }

    @Test(arguments: ["now()", "current_timestamp", "random()", "gen_random_uuid()"])
    func clockAndChance(_ text: String) throws {
        #expect(try bindRefusal(text).code == "sql.not_deterministic")
        var options = PlanningOptions()
        options.commandTime = 1_000_000
        options.randomSeed = 7
        let first = try bind(text, options: options)
        guard case .constant = first else { Issue.record("no constant"); return }
        #expect(try bind(text, options: options) == first)
    }

    @Test func now() throws {
        var options = PlanningOptions()
        options.commandTime = 86_400_000_000
        #expect(
            try bind("now()", options: options) == .constant(.int64(86_400_000_000), .timestamptz))
        #expect(try bind("current_date", options: options) == .constant(.int64(1), .date))
    }

    @Test func foldsConstants() throws {
        #expect(try bind("1 + 2 * 3") == .constant(.int64(7), .integer))
        #expect(
            try bind("INTERVAL '10' MINUTE")
                == .constant(.interval(IntervalValue(microseconds: 600_000_000)), .interval))
        var options = PlanningOptions()
        options.isOptimizerOn = false
        guard case .call = try bind("1 + 2", options: options) else {
            Issue.record("folded without the optimizer"); return
        }
        #expect(throws: Failure.self) { try bind("1 / 0", options: options) }
    }

    @Test(arguments: [
        "CASE WHEN i > 0 THEN 1 / 0 ELSE 1 END", "ok AND 1 / 0 = 1", "ok OR 1 / 0 = 1",
        "coalesce(i, 1 / 0)",
    ])
    func failingConstantThatMayNotBeReached(_ text: String) throws {
        _ = try bind(text)
    }

    @Test func failingConstantThatIsReached() throws {
        #expect(try bindRefusal("1 / 0 = 1 AND ok").code == "sql.constant_fails")
        #expect(try bindRefusal("i + 1 / 0").at == "/ 0")
    }

    @Test func literalsTakeTheOtherSidesType() throws {
        guard case .call(let call) = try bind("day = '2026-01-02'") else {
            Issue.record("no call"); return
        }
        #expect(call.arguments[1] == .constant(.int64(20_455), .date))
        guard case .call(let number) = try bind("n + 1") else { Issue.record("no call"); return }
        #expect(number.arguments[1] == .constant(.int128(1), .numeric(precision: 1, scale: 0)))
        #expect(try bind("NULL", expected: .date) == .constant(.null, .date))
        #expect(try bindRefusal("day = 'x'").at == "'x'")
    }

    @Test func variablesInConstants() throws {
        var options = PlanningOptions()
        options.environment = ["NAME": "it's"]
        #expect(try bind("'${NAME}'", options: options) == .constant(.text("it's"), .text))
    }

    @Test func groupKeysAndAggregates() throws {
        let key = try bind("i + 1")
        let hooks = ExpressionBinder.AggregateHooks(
            groupKey: { $0 == key ? .column(100, .integer) : nil },
            aggregate: { call, _ in
                #expect(ExpressionBinder.aggregate(named: call) == .sum)
                return .column(101, .bigint)
            })
        let bound = try bind("(i + 1) * 2 + sum(b)", hooks: hooks)
        #expect(bound.columnsRead == [100, 101])
        #expect(bound.type == .bigint)
        #expect(try bind("5", hooks: hooks) == .constant(.int64(5), .integer))
        let refused = try refusal("SELECT i + sum(b)") { _ = try bind("i + sum(b)", hooks: hooks) }
        #expect(
            refused.message
                == "column \"f.i\" must appear in GROUP BY or be used in an aggregate function")
        #expect(refused.at == "i + sum(b)")
    }

    @Test func inlinesFunctions() throws {
        let catalog = try catalog(
            """
            CREATE FUNCTION twice(x bigint) RETURNS bigint LANGUAGE SQL RETURN x * 2;
            CREATE TABLE t (a integer, b bigint GENERATED ALWAYS AS (twice(a)) STORED) USING print
            """)
        guard case .table(let table)? = catalog.relations.first,
            case .call(let call)? = table.columns[1].generated
        else { Issue.record("not inlined"); return }
        #expect(call.function.name == "*")
        #expect(call.arguments[0].type == .bigint)
        #expect(call.arguments[0].columnsRead == [0])
    }

    @Test func starLeavesMetadataOut() throws {
        let table = try table(
            """
            CREATE TABLE t (a bigint, b text) USING kafka
              WITH (topic = 'x', bootstrap_servers = 'h:1', format = 'json')
            """)
        let place = SourcePlace(file: "test.sql", offset: 0)
        let columns = try table.scope(qualifier: "t").expandStar(qualifier: nil, place: place)
        #expect(columns.map(\.name) == ["a", "b"])
        #expect(
            try table.scope(qualifier: "t").resolve([Name("_offset", place: place)]).type == .bigint
        )
    }
}
