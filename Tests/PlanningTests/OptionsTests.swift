// Options: types, suggestions, substitution, settings.

import Contracts
import Planning
import SQLSyntax
import Testing
import Types

private let kafkaTable = "CREATE TABLE t (id bigint, at timestamptz) USING kafka WITH "

@Suite struct OptionsTests {
    @Test(arguments: [
        ("(topik = 'x')", "kafka has no option \"topik\"", "did you mean \"topic\"?"),
        (
            "(watermark_dely = '1 s')", "kafka has no option \"watermark_dely\"",
            "did you mean \"watermark_delay\"?"
        ),
        ("(zzz = '1')", "kafka has no option \"zzz\"", nil),
        ("(format = 'jsn')", "'jsn' is no value of format", "did you mean 'json'?"),
        ("(strict_json = 'maybe')", "'maybe' is no value of strict_json", "true or false"),
        (
            "(idle_timeout = '1 month')", "'1 month' is no value of idle_timeout",
            "an interval such as '10 seconds', without months"
        ),
        ("(partitions = '3-1')", "'3-1' is no value of partitions", "ranges such as 0-3,7"),
        (
            "(topic_partitions = '0')", "'0' is no value of topic_partitions",
            "an integer from 1 to 100000"
        ),
        ("(event_time = 'att')", "column \"att\" does not exist", "did you mean \"at\"?"),
        (
            "(event_time = 'id')", "event_time \"id\" is bigint, not timestamptz",
            "declare a generated column: ts timestamptz GENERATED ALWAYS AS (…) STORED"
        ),
        ("(topic = 'a', topic = 'b')", "option \"topic\" stands twice", nil),
        (
            "(topic = '${NOPE}')", "the environment variable NOPE is not set",
            "set it, or give a default: ${NOPE:-…}"
        ),
    ])
    func wrongOptions(_ options: String, _ message: String, _ hint: String?) throws {
        let refused = try catalogRefusal(kafkaTable + options)
        #expect(refused.message == message)
        #expect(refused.hint == hint)
    }

    @Test func placeOfAnUnknownOption() throws {
        let refused = try catalogRefusal(kafkaTable + "(topic = 'a', topik = 'x')")
        #expect(refused.at == "topik = 'x')")
    }

    @Test func unknownConnector() throws {
        let refused = try catalogRefusal("CREATE TABLE t (a bigint) USING kafak")
        #expect(refused.message == "there is no connector \"kafak\"")
        #expect(refused.hint == "did you mean kafka?")
    }

    @Test func tableWithoutUsing() throws {
        let refused = try catalogRefusal("CREATE TABLE t (a bigint)")
        #expect(refused.code == "sql.table_without_using")
    }

    @Test(arguments: [
        ("${HOST}", "h1"), ("${PORT:-9092}", "9092"), ("a-${HOST}-b", "a-h1-b"),
        ("$${HOST}", "${HOST}"), ("${EMPTY:-}", ""), ("$5", "$5"), ("${TRICK}", "${HOST}"),
    ])
    func substitution(_ text: String, _ result: String) throws {
        let value = try substitutingVariables(
            in: text, environment: ["HOST": "h1", "TRICK": "${HOST}"],
            place: SourcePlace(file: "test.sql", offset: 0))
        #expect(value == result)
    }

    @Test(arguments: ["${", "${}", "${1A}", "${A B}"])
    func malformedSubstitution(_ text: String) {
        let refused = #expect(throws: Failure.self) {
            try substitutingVariables(
                in: text, environment: [:], place: SourcePlace(file: "test.sql", offset: 0))
        }
        #expect(refused?.code == "sql.variable_malformed")
    }

    @Test func settings() throws {
        let catalog = try catalog(
            """
            SET checkpoint_interval = '2 seconds'; SET state_memory = '512MB';
            SET emit = 'on_change'; SET batch_rows = '100';
            """)
        #expect(catalog.settings.checkpointIntervalMicroseconds == 2_000_000)
        #expect(catalog.settings.stateMemory == 512 << 20)
        #expect(catalog.settings.batchRows == 100)
        #expect(catalog.statementSettings(at: 1000).emit == .onChange)
        #expect(catalog.statementSettings(at: 0).emit == .onClose)
    }

    @Test func settingTwice() throws {
        let refused = try catalogRefusal("SET batch_rows = '1'; SET batch_rows = '2'")
        #expect(refused.message == "batch_rows is set twice with different values")
        _ = try catalog("SET batch_rows = '1'; SET batch_rows = '1'")
    }

    @Test func commandLineBeatsTheFile() throws {
        var options = PlanningOptions()
        options.overrides = [.init(name: "batch_rows", value: "7")]
        let catalog = try catalog("SET batch_rows = '1'", options: options)
        #expect(catalog.settings.batchRows == 7)
        options.overrides = [.init(name: "batch_row", value: "7")]
        let refused = try catalogRefusal("SET batch_rows = '1'", options: options)
        #expect(refused.hint == "did you mean \"batch_rows\"?")
    }

    @Test func outputOptions() throws {
        let table = try table(
            """
            CREATE TABLE t (a bigint, b text) USING delta WITH (location = '/x',
              partition_by = 'b', target_file_size = '1MB', commit_interval = '1 min',
              on_error = 'skip')
            """)
        let output = table.options.outputOptions(table.settings)
        #expect(output.commitInterval == 60_000_000)
        #expect(output.onError == .skip)
        guard case .delta(let delta) = try table.options.makeSink(schema: table.schema, key: nil)
        else { Issue.record("no delta sink"); return }
        #expect(
            delta
                == DeltaSinkOptions(
                    location: "/x", partitionColumns: [1], targetFileSize: 1 << 20,
                    compression: .zstd))
    }

    @Test func sinkNeedsAndRefuses() throws {
        let kafka = try table(kafkaTable + "(topic = 'x')")
        let missing = try refusal("") {
            _ = try kafka.options.makeSink(schema: kafka.schema, key: nil)
        }
        #expect(missing.message == "kafka needs the option bootstrap_servers")
        let source = try table(kafkaTable + "(watermark_delay = '1 s', event_time = 'at')")
        let role = try refusal("") {
            _ = try source.options.makeSink(schema: source.schema, key: nil)
        }
        #expect(role.code == "option.role")
    }

    @Test func kafkaSinkKeysAndPassThrough() throws {
        let table = try table(
            kafkaTable
                + """
                (topic = 'x', bootstrap_servers = 'h:1', columns_as_key = 'at',
                 "kafka.acks" = 'all')
                """)
        guard case .kafka(let kafka) = try table.options.makeSink(schema: table.schema, key: [0])
        else { Issue.record("no kafka sink"); return }
        #expect(kafka.keyColumns == [1])
        #expect(kafka.properties == ["acks": "all"])
        #expect(kafka.createsTopic)
    }

    @Test func everyOptionIsDocumented() {
        let text = optionsMarkdown()
        for option in OptionTable.all { #expect(text.contains("| `\(option.name)` |")) }
        #expect(
            OptionTable.all.allSatisfy {
                $0.summary.hasSuffix(".") || $0.summary.hasSuffix("…")
                    || $0.summary.contains(":")
            })
    }
}
