// The table of all commands.

/// The queries that `bench` knows: three of Nexmark and a tumbling count and maximum.
package let benchmarkQueries = ["q0", "q1", "q2", "tumble"]

package let commandTable: [CommandSpecification] = [
    validateSpecification, explainSpecification, runSpecification, querySpecification,
    testSpecification, tableShowSpecification, tableHistorySpecification,
    checkpointListSpecification, checkpointVerifySpecification, checkpointRewindSpecification,
    verifySpecification, demoSpecification, benchSpecification,
    completionSpecification, versionSpecification, referenceSpecification,
]

let topology = ArgumentSpecification(
    "FILE", .file(suffix: ".sql"), "the topology, a SQL file")

let setOption = OptionSpecification.value(
    "--set", "NAME=VALUE", .assignment,
    "a setting, stronger than the file's SET; may be given several times", isRepeatable: true)

private let workersOption = OptionSpecification.value(
    "--workers", "N", .count(minimum: 1), "worker threads (default: one a core)")

let stateOption = OptionSpecification.value(
    "--state", "DIR", .folder,
    "the state directory (default: ./.millrace/<topology name>)")

let logOptions: [OptionSpecification] = [
    .value(
        "--log-format", "FORMAT", .choice(LogFormat.allCases.map(\.rawValue)),
        "how the log looks (default: text)"),
    .value(
        "--log-level", "LEVEL", .choice(LogLevel.allCases.map(\.rawValue)),
        "the least important line to log (default: info)"),
]

private let engineOptions = [stateOption, workersOption, setOption] + logOptions

private let validateSpecification = CommandSpecification(
    "validate", "check topologies: syntax, names, types, keys, bounds of state",
    discussion: [
        "Nothing runs and no broker is asked. An error shows file, line and column, the line with "
            + "a caret, and what to write instead. Notes tell of defaults that matter. "
            + "Exit status 0, or 2 where a file has an error."
    ],
    arguments: [
        ArgumentSpecification(
            "FILE", .file(suffix: ".sql"), "the topologies", isRepeatable: true)
    ],
    sharedOptions: [setOption],
    examples: [
        Example("millrace validate topologies/revenue.sql", "one topology"),
        Example("millrace validate topologies/*.sql", "all of a folder"),
    ],
    make: { .validate(ValidateCommand(files: $0.arguments, settings: $0.settings)) })

private let explainSpecification = CommandSpecification(
    "explain", "show the plan: per operator its columns, key, change mode and state",
    discussion: [
        "The plan is the one that run would execute, after all rewrites. mermaid is a diagram "
            + "for Markdown; json is for scripts."
    ],
    arguments: [topology],
    options: [
        .value(
            "--format", "FORMAT", .choice(ExplainCommand.Format.allCases.map(\.rawValue)),
            "how the plan is printed (default: text)")
    ],
    sharedOptions: [setOption],
    examples: [
        Example("millrace explain topologies/revenue.sql", "the plan as an indented tree"),
        Example(
            "millrace explain topologies/revenue.sql --format mermaid > plan.mmd",
            "the plan as a diagram"),
    ],
    make: { parsed in
        .explain(
            ExplainCommand(
                file: parsed.arguments[0], format: parsed.choice("--format") ?? .text,
                settings: parsed.settings))
    })

private let runSpecification = CommandSpecification(
    "run", "run a topology: from its sources to its outputs, exactly once",
    discussion: [
        "Runs until SIGTERM or Ctrl-C, which take a final checkpoint, commit the outputs and exit "
            + "with 0 within 10 seconds; a second signal exits at once and loses nothing. "
            + "Started again, it goes on where the last checkpoint stood, also after kill -9.",
        "--bounded stops at the offsets that were the end at the start and closes all windows. "
            + "--available-now stops there too, but keeps windows open: the next run goes on.",
        "An edited topology keeps the state of the operators that it did not change; where it "
            + "changed one, or left it out, the run is refused with what was and what is, unless "
            + "--reset-state gives that state up.",
        "--json makes the last line one object: epoch; sources, each with records, rows, skipped, "
            + "refused, late, dead, filtered and offsets; outputs, each with rows, commits, "
            + "version and digest; operators with what each took in and gave out; late, dead, "
            + "and conserved.",
    ],
    arguments: [topology],
    options: [
        .flag(
            "--bounded", "stop at what was the end at start, close all windows",
            excludes: ["--available-now"]),
        .flag(
            "--available-now", "stop at the present end, keep windows open for the next run",
            excludes: ["--bounded"]),
        .flag("--strict", "exit with 3 if any row was late or dead-lettered"),
        .flag("--fail-fast", "exit with 1 where a broker is away, instead of trying again"),
        .flag(
            "--adopt", "a fresh state directory takes over outputs that this topology has filled",
            excludes: ["--beside"]),
        .flag(
            "--beside", "a fresh state directory appends to outputs beside what is there",
            excludes: ["--adopt"]),
        .value(
            "--reset-state", "OPERATOR", .text,
            "go on without an operator's state where the edited topology does not fit it: its id, "
                + "#number, or all that do not fit", isRepeatable: true),
        .flag("--json", "the last line, with all counts, as one JSON object"),
    ],
    sharedOptions: engineOptions,
    examples: [
        Example("millrace run topologies/revenue.sql", "until Ctrl-C or SIGTERM"),
        Example(
            "millrace run topologies/revenue.sql --bounded --json",
            "as a batch job, with a report for scripts"),
        Example(
            "millrace run topologies/revenue.sql --available-now",
            "from cron: what is new since the last time"),
        Example(
            "millrace run topologies/revenue.sql --set checkpoint_interval='1 second' --workers 4",
            "another setting and four threads"),
    ],
    make: { .run(RunCommand($0)) })

private let querySpecification = CommandSpecification(
    "query", "run one query over bounded input and print its rows",
    discussion: [
        "Sources and views come from FILE; each source is read to its present end. Planned and "
            + "executed as run does. Without FILE the query stands alone."
    ],
    arguments: [
        ArgumentSpecification(
            "FILE", .file(suffix: ".sql"), "the topology whose sources and views it reads",
            isOptional: true),
        ArgumentSpecification("QUERY", .text, "a SELECT or VALUES, in quotes"),
    ],
    options: [
        .value("--limit", "N", .count(minimum: 0), "stop after N rows"),
        .value(
            "--format", "FORMAT", .choice(QueryCommand.Format.allCases.map(\.rawValue)),
            "how rows are printed (default: table)"),
    ],
    sharedOptions: engineOptions,
    examples: [
        Example(#"millrace query "SELECT 1 + 1""#, "an expression"),
        Example(
            #"millrace query topologies/revenue.sql "SELECT * FROM bids" --limit 5"#,
            "a look at a source"),
        Example(
            #"millrace query topologies/revenue.sql "SELECT count(*) FROM bids" --format json"#,
            "a figure for a script"),
    ],
    make: { .query(QueryCommand($0)) })

private let testSpecification = CommandSpecification(
    "test", "run *.test.sql files: rows in, watermark steps, expected rows out",
    discussion: [
        "No broker is needed: rows come from the test file, and everything behind the sources is "
            + "what run uses. A difference is shown row by row. Exit status 0, 1 with a "
            + "difference, 2 where a file doesn't parse."
    ],
    arguments: [
        ArgumentSpecification(
            "PATH", .file(suffix: ".sql"), "test files, or folders that hold some",
            isRepeatable: true)
    ],
    sharedOptions: [workersOption, setOption] + logOptions,
    examples: [
        Example("millrace test topologies/", "all tests of a folder"),
        Example("millrace test topologies/revenue.test.sql --workers 4", "one file, four threads"),
    ],
    make: { .test(TestCommand(paths: $0.arguments, engine: $0.engine)) })

let jsonOption = OptionSpecification.flag("--json", "print JSON, for scripts")
private let location = ArgumentSpecification(
    "LOCATION", .folder, "the table's folder or URI")

private let tableShowSpecification = CommandSpecification(
    "table show", "show a table: version, columns, files, rows, properties",
    discussion: [
        "--json prints one object: location, version, schema (Delta's), partition_columns, files, "
            + "bytes, rows, properties, and writers: pipeline, sink, generation and epoch of each."
    ],
    arguments: [location], options: [jsonOption],
    examples: [Example("millrace table show lake/hot_auctions", "a Delta table")],
    make: { parsed in
        .tableShow(
            TableShowCommand(
                location: parsed.arguments[0], printsJSON: parsed.has("--json")))
    })

private let tableHistorySpecification = CommandSpecification(
    "table history", "show a table's commits: time, rows, epochs and offsets of each",
    discussion: [
        "--json prints one object: location, and commits, the newest first, each with version, "
            + "time, operation, engine, added_files, removed_files, added_bytes, added_rows, "
            + "pipeline, sink, generation, epochs and offsets (by source and partition)."
    ],
    arguments: [location],
    options: [
        .value("--limit", "N", .count(minimum: 1), "only the newest N commits"), jsonOption,
    ],
    examples: [
        Example("millrace table history lake/hot_auctions --limit 5", "the last five commits"),
        Example(
            "millrace table history lake/hot_auctions --limit 1 --json",
            "the newest commit, for a script"),
    ],
    make: { parsed in
        .tableHistory(
            TableHistoryCommand(
                location: parsed.arguments[0], limit: parsed.count("--limit"),
                printsJSON: parsed.has("--json")))
    })

private let checkpointListSpecification = CommandSpecification(
    "checkpoint list", "list a pipeline's checkpoints: epoch, time, rows; offsets to read next",
    discussion: [
        "Give the topology, or its state directory by --state. Reads only. A checkpoint that is "
            + "kept (SET checkpoint_history) can be gone back to: millrace checkpoint rewind.",
        "--json prints one object: pipeline, generation, checkpoints (each with generation, epoch, "
            + "written_at, bytes, output_rows, ended, conserved, kept, and counts by operator), "
            + "and offsets: source, partition and next of each.",
    ],
    arguments: [
        ArgumentSpecification(
            "FILE", .file(suffix: ".sql"), "the topology whose default state directory is meant",
            isOptional: true)
    ],
    options: [stateOption, jsonOption],
    examples: [
        Example("millrace checkpoint list topologies/revenue.sql", "of a topology"),
        Example("millrace checkpoint list --state /var/lib/revenue --json", "of a directory"),
    ],
    make: { parsed in
        .checkpointList(
            CheckpointListCommand(
                file: parsed.arguments.first, stateDirectory: parsed.text("--state"),
                printsJSON: parsed.has("--json")))
    })

private let demoSpecification = CommandSpecification(
    "demo", "the whole pipeline in a minute: generate, run, kill -9, go on, compare",
    discussion: [
        "Starts an embedded Kafka broker in this process (nothing to install), generates bids, "
            + "runs a topology as its own process, kills it half-way, starts it again, and "
            + "compares the table with a plain recomputation. Exit status 1 on a difference."
    ],
    options: [
        .value("--kafka", "HOST:PORT", .address, "a real broker instead of the embedded one"),
        .value("--events", "N", .count(minimum: 1), "how many bids to generate"),
    ],
    sharedOptions: [workersOption] + logOptions,
    examples: [
        Example("millrace demo", "with the embedded broker"),
        Example("millrace demo --kafka localhost:9092 --events 1_000_000", "on a real one"),
    ],
    make: { parsed in
        .demo(
            DemoCommand(
                kafka: parsed.text("--kafka"), events: parsed.count("--events"),
                engine: parsed.engine))
    })

private let benchSpecification = CommandSpecification(
    "bench", "measure: events a second, CPU time an event, peak memory",
    discussion: [
        "Runs Nexmark's q0, q1, q2 and a tumbling count and maximum, from the generator in this "
            + "process or from a topic; from a topic, the raw rate of the Kafka client over the "
            + "same topic is measured in the same run.",
        "--json prints one object: version, machine, source, workers, and queries, each with "
            + "events, seconds, events_per_second, cpu_ns_per_event, peak_memory_bytes, "
            + "output_rows, checkpoints and checkpoint_bytes.",
    ],
    options: [
        .value(
            "--queries", "LIST", .choices(benchmarkQueries),
            "which, separated by commas (default: all)"),
        .value("--events", "N", .count(minimum: 1), "how many events a query"),
        .value(
            "--source", "SOURCE", .choice(BenchCommand.Source.allCases.map(\.rawValue)),
            "where events come from (default: nexmark)"),
        .value(
            "--kafka", "HOST:PORT", .address,
            "the broker of --source kafka (default: localhost:9092)"),
        jsonOption,
    ],
    sharedOptions: [workersOption, setOption] + logOptions,
    examples: [
        Example("millrace bench", "all queries, in process"),
        Example("millrace bench --queries q0,tumble --source kafka --json", "two, from a topic"),
    ],
    make: { .bench(BenchCommand($0)) })

private let completionSpecification = CommandSpecification(
    "completion", "print a completion script for a shell",
    arguments: [
        ArgumentSpecification(
            "SHELL", .choice(Shell.allCases.map(\.rawValue)), "bash, zsh or fish")
    ],
    examples: [
        Example("source <(millrace completion bash)", "for this bash"),
        Example(
            "millrace completion zsh > \"${fpath[1]}/_millrace\"", "for every zsh"),
        Example(
            "millrace completion fish > ~/.config/fish/completions/millrace.fish",
            "for every fish"),
    ],
    make: { .completion(Shell(rawValue: $0.arguments[0]) ?? .bash) })

private let versionSpecification = CommandSpecification(
    "version", "print the version",
    examples: [Example("millrace version", "also: millrace --version")],
    make: { _ in .version })

private let referenceSpecification = CommandSpecification(
    "docs cli", "print docs/cli.md, made from this table", isHidden: true,
    make: { _ in .reference })
