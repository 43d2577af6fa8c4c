// Each statement of a topology.

import Contracts
import SQLSyntax
import Testing

@Suite struct StatementTests {
    @Test(arguments: [
        ("SET checkpoint_interval = '5 s'", "checkpoint_interval", "5 s", 26),
        ("SET batch_rows = 3", "batch_rows", "3", 17),
        ("SET batch_rows TO -3", "batch_rows", "-3", 18),
        ("SET emit = on_change", "emit", "on_change", 11), ("SET emit = on", "emit", "on", 11),
        ("SET TIME ZONE 'Europe/Berlin'", "time_zone", "Europe/Berlin", 14),
        ("SET TimeZone = 'UTC'", "time_zone", "UTC", 15), ("SET a.b = 1.5", "a.b", "1.5", 10),
    ])
    func set(text: String, name: String, value: String, place: Int) throws {
        guard case .set(let statement) = try parseOne(text) else { throw Unexpected(text) }
        #expect(statement.option.name.text == name)
        #expect(statement.option.value == value)
        #expect(statement.option.valuePlace.offset == place)
        #expect(statement.option.name.place.offset >= 4)
    }

    private func table(_ text: String) throws -> CreateTable {
        guard case .createTable(let table) = try parseOne(text) else { throw Unexpected(text) }
        return table
    }

    @Test func createTable() throws {
        let text = """
            CREATE TABLE bids (
                price bigint NOT NULL CHECK (price > 0) CHECK (price < 9)
                    CONSTRAINT c CHECK (a > b),
                "Ts" timestamptz(3) GENERATED ALWAYS AS (to_timestamp(ms / 1000.0)) STORED,
                id numeric(5,-2) PRIMARY KEY, tags text[] DEFAULT ARRAY['x'] NULL,
                PRIMARY KEY (id, price), CHECK (id <> 0), CHECK (id > price)
            ) USING kafka WITH (topic = 'bids', "kafka.acks" = all, kafka.linger = 5, d = -1, e = 0,
                f = 1.5, g = true, h, start = earliest, i = on)
            """
        let table = try table(text)
        #expect(table.name.text == "bids")
        #expect(table.columns.map(\.name.text) == ["price", "Ts", "id", "tags"])
        #expect(
            table.columns.map { sketch($0.type) }
                == ["int8", "timestamptz(3)", "numeric(5,-2)", "text[]"])
        #expect(table.columns.map(\.isNotNull) == [true, false, false, false])
        #expect(table.columns.map(\.isPrimaryKey) == [false, false, true, false])
        #expect(
            table.columns[0].checks.map { $0.name + ": " + sketch($0.condition) } == [
                "bids_price_check: (price > 0)", "bids_price_check1: (price < 9)", "c: (a > b)",
            ])
        #expect(table.columns[1].generated.map(sketch) == "to_timestamp((ms / 1000.0n))")
        #expect(table.columns[3].defaultValue.map(sketch) == "ARRAY('x')")
        let constraints = table.constraints.map { constraint in
            switch constraint {
            case .primaryKey(let names): "key " + names.map(\.text).joined(separator: ",")
            case .check(let check): check.name
            }
        }
        #expect(constraints == ["key id,price", "bids_id_check", "bids_check"])
        #expect(table.connector?.text == "kafka")
        #expect(
            table.options.map { $0.name.text + "=" + $0.value } == [
                "topic=bids", "kafka.acks=all", "kafka.linger=5", "d=-1", "e=0", "f=1.5", "g=true",
                "h=true", "start=earliest", "i=on",
            ])
        for (place, word) in [
            (table.connector?.place.offset ?? 0, "kafka WITH"),
            (table.options[0].valuePlace.offset, "'bids'"),
            (table.options[3].valuePlace.offset, "-1"),
            (table.options[8].valuePlace.offset, "earliest"),
            (table.columns[2].type.place.offset, "numeric(5,-2)"),
        ] {
            #expect(String(decoding: text.utf8.dropFirst(place), as: UTF8.self).hasPrefix(word))
        }
    }

    @Test func aTableWithoutUsingHasNoConnector() throws {
        #expect(try table("CREATE TABLE t (a int)").connector == nil)
    }

    @Test func createViews() throws {
        guard case .createView(let view) = try parseOne("CREATE VIEW v (a, b) AS SELECT 1, 2"),
            case .createMaterializedView(let output) = try parseOne(
                "CREATE MATERIALIZED VIEW o (x) USING delta "
                    + "WITH (location = '/x', emit = on_change) "
                    + "AS SELECT a FROM v")
        else { throw Unexpected("views") }
        #expect(view.name.text == "v")
        #expect(view.columnNames.map(\.text) == ["a", "b"])
        #expect(view.columnNames.map(\.place.offset) == [15, 18])
        #expect(sketch(view.query) == "SELECT 1, 2")
        #expect(output.name.text == "o")
        #expect(output.connector?.text == "delta")
        #expect(output.columnNames.map(\.text) == ["x"])
        #expect(output.options.map(\.value) == ["/x", "on_change"])
        #expect(sketch(output.query) == "SELECT a FROM v")
    }

    @Test func createType() throws {
        guard
            case .createType(let type) = try parseOne(
                "CREATE TYPE bid AS (price numeric(9,2), tags text[])")
        else { throw Unexpected("type") }
        #expect(type.name.text == "bid")
        #expect(type.fields.map(\.name.text) == ["price", "tags"])
        #expect(type.fields.map { sketch($0.type) } == ["numeric(9,2)", "text[]"])
    }

    @Test(arguments: [
        "CREATE FUNCTION f(a bigint, b text) RETURNS bigint LANGUAGE SQL AS 'SELECT a + $2'",
        "CREATE FUNCTION f(a bigint, b text) RETURNS bigint AS $$SELECT a + $2$$ LANGUAGE sql STRICT",
        "CREATE FUNCTION f(a bigint, b text) RETURNS bigint LANGUAGE SQL RETURN a + $2",
        "CREATE OR REPLACE FUNCTION f(a bigint, b text) RETURNS bigint RETURN a + $2",
    ])
    func createFunction(text: String) throws {
        guard case .createFunction(let function) = try parseOne(text) else {
            throw Unexpected(text)
        }
        #expect(function.name.text == "f")
        #expect(function.parameters.map { $0.name?.text } == ["a", "b"])
        #expect(function.parameters.map { sketch($0.type) } == ["int8", "text"])
        #expect(sketch(function.result) == "int8")
        #expect(sketch(function.body) == "(a + $2)")
        let plus = String(decoding: text.utf8.dropFirst(function.body.place.offset), as: UTF8.self)
        #expect(plus.hasPrefix("+ $2"))
    }

    @Test func anEscapedBodyHasThePlaceOfItsString() throws {
        let text = "CREATE FUNCTION f() RETURNS text LANGUAGE SQL AS 'SELECT ''x'''"
        guard case .createFunction(let function) = try parseOne(text) else {
            throw Unexpected(text)
        }
        #expect(sketch(function.body) == "'x'")
        #expect(function.body.place.offset == 49)
    }

    @Test func anErrorInABodyStandsInTheFile() throws {
        let failure = try refusal(
            "CREATE FUNCTION f() RETURNS int LANGUAGE SQL AS $$ SELECT 1 + $$")
        #expect(failure.code == "sql.syntax")
        #expect(failure.place?.offset == 62)
    }

    @Test(arguments: [
        ("INSERT INTO o SELECT a FROM t", "", "SELECT a FROM t"),
        ("INSERT INTO o (x, y) VALUES (1, -2), ('a', NULL)", "x,y", "VALUES (1, -2), ('a', NULL)"),
        (
            "WITH c AS (SELECT 1) INSERT INTO o SELECT * FROM c", "",
            "WITH c AS (SELECT 1) SELECT * FROM c"
        ),
    ])
    func insert(text: String, columns: String, query: String) throws {
        guard case .insert(let insert) = try parseOne(text) else { throw Unexpected(text) }
        #expect(insert.table.text == "o")
        #expect(insert.columns.map(\.text).joined(separator: ",") == columns)
        #expect(sketch(insert.query) == query)
    }

    @Test func severalStatementsWithRanges() throws {
        let text = "-- first\nSET a = 1;\n\nCHECKPOINT;\n/* x */ SELECT 1 ; "
        let statements = try parse(text)
        #expect(statements.map(\.place.offset) == [9, 21, 41])
        #expect(
            statements.map { String(decoding: Array(text.utf8)[$0.range], as: UTF8.self) }
                == ["SET a = 1", "CHECKPOINT", "SELECT 1"])
        guard case .checkpoint = statements[1].kind else { throw Unexpected("no checkpoint") }
    }

    @Test func nothingIsNoStatement() throws {
        #expect(try parse("").isEmpty)
        #expect(try parse(" -- only a comment\n;;").isEmpty)
    }

    @Test(arguments: [
        ("UPDATE t SET a = 1", "UPDATE"), ("DELETE FROM t", "DELETE"), ("BEGIN", "BEGIN"),
        ("DROP TABLE t", "DROP TABLE"), ("GRANT ALL ON t TO u", "GRANT"), ("COMMIT", "COMMIT"),
        ("CREATE INDEX i ON t (a)", "CREATE INDEX"), ("TRUNCATE t", "TRUNCATE"),
        ("ALTER TABLE t ADD a int", "ALTER TABLE"), ("SHOW x", "SHOW"), ("COPY t TO 'x'", "COPY"),
        ("SET a TO DEFAULT", "this form of SET"), ("SET LOCAL a = 1", "this form of SET"),
        ("CREATE TABLE t AS SELECT 1", "CREATE TABLE … AS"), ("SELECT 1 INTO t", "SELECT INTO"),
        ("CREATE TEMP TABLE t (a int)", "TEMPORARY or UNLOGGED"),
        ("CREATE TABLE s.t (a int)", "the schema \"s\""),
        ("CREATE TABLE t (a int UNIQUE)", "UNIQUE"),
        ("CREATE TABLE t (a int REFERENCES u)", "REFERENCES (a foreign key)"),
        ("CREATE TABLE t (LIKE u)", "LIKE in CREATE TABLE"),
        ("CREATE TABLE t (a int) PARTITION BY RANGE (a)", "PARTITION BY on a table"),
        ("CREATE TABLE t (a int) INHERITS (u)", "INHERITS and PARTITION OF"),
        ("INSERT INTO o SELECT 1 ON CONFLICT DO NOTHING", "ON CONFLICT"),
        ("INSERT INTO o SELECT 1 RETURNING a", "RETURNING"),
        ("INSERT INTO o DEFAULT VALUES", "DEFAULT VALUES"),
        ("CREATE PROCEDURE p() LANGUAGE SQL AS 'SELECT 1'", "CREATE PROCEDURE"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'x'", "LANGUAGE plpgsql"),
        ("CREATE FUNCTION f() RETURNS SETOF int LANGUAGE SQL RETURN 1", "SETOF"),
        ("CREATE FUNCTION f(a int DEFAULT 1) RETURNS int RETURN 1", "a default of a parameter"),
        ("CREATE VIEW v WITH (security_barrier) AS SELECT 1", "WITH on a plain view"),
        ("SELECT * FROM t TABLESAMPLE system (1)", "TABLESAMPLE"),
        ("SELECT * FROM f() WITH ORDINALITY", "WITH ORDINALITY"),
        ("SELECT * FROM ROWS FROM (f(), g())", "ROWS FROM"),
        ("SELECT a FROM t ORDER BY a FETCH FIRST 1 ROW WITH TIES", "WITH TIES"),
        ("SELECT f(VARIADIC a)", "VARIADIC"),
        ("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a)", "WITHIN GROUP"),
    ])
    func refusedByName(text: String, construct: String) throws {
        let failure = try refusal(text)
        #expect(failure.message == "\(construct) is not part of Millrace's SQL")
        #expect(failure.kind == .invalid)
        #expect(failure.code == "sql.unsupported")
        #expect(failure.place != nil)
    }

    @Test func aBodyOfSeveralStatementsIsRefused() throws {
        let failure = try refusal(
            "CREATE FUNCTION f() RETURNS int LANGUAGE SQL AS 'SELECT 1; SELECT 2'")
        #expect(failure.code == "sql.function_body")
    }
}
