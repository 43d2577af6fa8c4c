// CREATE TABLE → SourcePlan.

import Contracts
import Kernels
import Planning
import SQLSyntax
import Testing
import Types

private let kafka = "USING kafka WITH (topic = 'x', bootstrap_servers = 'h:1', "

@Suite struct SourceBuilderTests {
    @Test func readsWhatIsUsedAndWhatIsChecked() throws {
        let plan = try sourcePlan(
            """
            CREATE TABLE t (a bigint, b text NOT NULL, c text, at timestamptz, d integer,
              PRIMARY KEY (c)) \(kafka) format = 'json', event_time = 'at',
              watermark_delay = '5 seconds', key_format = 'json')
            """, using: ["_offset"])
        #expect(plan.schema.fields.map(\.name) == ["b", "c", "at", "_offset"])
        #expect(
            plan.decoded == [
                DecodedColumn(.field(name: "b", position: 1), .text),
                DecodedColumn(.field(name: "c", position: 2), .text),
                DecodedColumn(.field(name: "at", position: 3), .timestamptz),
                DecodedColumn(.metadata(.offset), .bigint),
            ])
        #expect(plan.primaryKey == [1])
        #expect(plan.eventTime == 2)
        #expect(plan.watermarkDelay == 5_000_000)
        #expect(plan.constraints.map(\.name) == ["b", "c", "at"])
        #expect(plan.format.keyFormat == .json)
        #expect(plan.schema.fields.map(\.isNullable) == [false, false, false, true])
    }

    @Test func generatedColumnReadsItsBase() throws {
        let plan = try sourcePlan(
            """
            CREATE TABLE t (x text, a integer, c bigint GENERATED ALWAYS AS (a) STORED)
              \(kafka) format = 'json')
            """, using: ["c"])
        #expect(plan.decoded == [DecodedColumn(.field(name: "a", position: 1), .integer)])
        let place = SourcePlace(file: "", offset: 0)
        #expect(plan.computed == [.cast(.column(0, .integer), to: .bigint, place: place)])
        #expect(plan.schema.fields == [Field("c", .bigint)])
    }

    @Test(arguments: [
        ("(a bigint) \(kafka) start = 'latest')", "the source \"t\" needs a format"),
        (
            "(a bigint) \(kafka) format = 'debezium_json')",
            "debezium_json needs a PRIMARY KEY"
        ),
        (
            "(a bigint PRIMARY KEY) \(kafka) format = 'csv')",
            "a PRIMARY KEY needs format json or debezium_json"
        ),
        (
            "(a bigint) \(kafka) format = 'raw')",
            "format = 'raw' takes one column of type bytea, text or json"
        ),
        ("(a bigint) \(kafka) format = 'parquet')", "parquet is a format of files only"),
        (
            "(a bigint) \(kafka) format = 'json', watermark_delay = '1 s')",
            "watermark_delay needs event_time"
        ),
        (
            "(a bigint) \(kafka) format = 'json', emit = 'on_change')",
            "option \"emit\" is for outputs, and this table is a source"
        ),
        (
            "(a bigint) \(kafka) format = 'json', on_error = 'dead_letter')",
            "on_error = 'dead_letter' needs a place for dead letters"
        ),
        (
            "(a bigint) \(kafka) format = 'json', late = 'nowhere')",
            "late needs event_time"
        ),
        (
            "(a bigint) \(kafka) format = 'json', dead_letter = 'nowhere')",
            "dead_letter names no output table \"nowhere\""
        ),
        ("(_offset bigint) \(kafka) format = 'json')", "\"_offset\" is a metadata column"),
        ("(a bigint) USING delta WITH (location = '/x')", "delta is an output, not a source"),
        ("(a bigint) USING files WITH (path = '/x')", "the source \"t\" needs a format"),
    ])
    func refusedSources(_ definition: String, _ message: String) throws {
        let text = "CREATE TABLE t " + definition
        #expect(try refusal(text) { _ = try sourcePlan(text) }.message == message)
    }

    @Test func filesBySuffix() throws {
        let plan = try sourcePlan(
            "CREATE TABLE t (a bigint) USING files WITH (path = '/x/*.csv.gz', delimiter = ';')")
        #expect(plan.format.kind == .csv)
        #expect(plan.format.hasHeader)
        #expect(plan.format.delimiter == UInt8(ascii: ";"))
    }

    @Test func nexmarkKinds() throws {
        let bids = try sourcePlan(
            """
            CREATE TABLE bid (auction bigint, price bigint, date_time timestamptz) USING nexmark
              WITH (events = '1000', event_time = 'date_time')
            """)
        #expect(
            bids.decoded.map(\.origin) == [
                .field(name: "bid.auction", position: 0), .field(name: "bid.price", position: 1),
                .field(name: "bid.date_time", position: 2),
            ])
        guard case .nexmark(let options) = bids.connector else {
            Issue.record("no nexmark"); return
        }
        #expect(options.events == 1000)
        #expect(options.rate == 10_000)
        let wide = try sourcePlan(
            """
            CREATE TYPE bid_row AS (auction bigint, price bigint);
            CREATE TABLE n (event_type integer, bid bid_row, date_time timestamptz) USING nexmark
            """)
        #expect(wide.decoded[1].origin == .field(name: "bid", position: 1))
    }

    @Test(arguments: [
        ("(auction bigint, pric bigint)", "nexmark's bid has no field \"pric\""),
        ("(auction bigint, price integer)", "nexmark's \"price\" has bigint, not integer"),
        (
            "(date_time timestamptz, extra text)",
            "these columns fit person and auction and bid events"
        ),
        ("(event_type integer, bid bigint)", "\"bid\" is a row beside event_type"),
    ])
    func refusedNexmark(_ columns: String, _ message: String) throws {
        let text = "CREATE TABLE n \(columns) USING nexmark"
        #expect(try refusal(text) { _ = try sourcePlan(text) }.message == message)
    }

    @Test(arguments: [
        ("CREATE TABLE t (a bigint, a text) USING print", "column \"a\" stands twice"),
        ("CREATE TABLE t (a numeric) USING print", "numeric needs its digits here"),
        (
            "CREATE TABLE t (a numeric(39,0)) USING print",
            "numeric(39,0): 1 to 38 digits, 0 to all of them behind the point"
        ),
        ("CREATE TABLE t (a bigit) USING print", "there is no type \"bigit\""),
        ("CREATE TABLE t (a varchar(3)) USING print", "there is no type \"varchar\""),
        ("CREATE TABLE t (a bigint, PRIMARY KEY (b)) USING print", "column \"b\" does not exist"),
        (
            "CREATE TYPE t AS (a bigint); CREATE TABLE t (a bigint) USING print",
            "\"t\" exists already"
        ),
        (
            "CREATE TABLE t (a bigint, b bigint GENERATED ALWAYS AS (zz) STORED) USING print",
            "column \"zz\" does not exist"
        ),
    ])
    func refusedTables(_ text: String, _ message: String) throws {
        #expect(try catalogRefusal(text).message == message)
    }

    @Test func unknownRelation() throws {
        let catalog = try catalog("CREATE TABLE bids (a bigint) USING print")
        let place = SourcePlace(file: "test.sql", offset: 0)
        let refused = #expect(throws: Failure.self) {
            try catalog.relation(Name("bid", place: place))
        }
        #expect(refused?.hint == "did you mean \"bids\"?")
    }
}
