// The commands that examine a pipeline: its checkpoints, and what lies in its outputs.

import Contracts

let checkpointVerifySpecification = CommandSpecification(
    "checkpoint verify", "read all of a pipeline's state and checkpoints, checksums and all",
    discussion: [
        "Reads every entry of the current state and of each kept checkpoint; all blocks have "
            + "checksums. Reads only, also while the pipeline runs. Exit status 1 where something "
            + "is damaged, with the file's name.",
        "--json prints one object: checkpoints, each with path, generation, epoch, entries, bytes "
            + "and damage (null, or what is wrong); the current state is the last.",
    ],
    arguments: [
        ArgumentSpecification(
            "FILE", .file(suffix: ".sql"), "the topology whose default state directory is meant",
            isOptional: true)
    ],
    options: [stateOption, jsonOption],
    examples: [
        Example("millrace checkpoint verify topologies/revenue.sql", "of a topology"),
        Example("millrace checkpoint verify --state /var/lib/revenue", "of a directory"),
    ],
    make: { parsed in
        .checkpointVerify(
            CheckpointVerifyCommand(
                file: parsed.arguments.first, stateDirectory: parsed.text("--state"),
                printsJSON: parsed.has("--json")))
    })

let checkpointRewindSpecification = CommandSpecification(
    "checkpoint rewind", "go back to a kept checkpoint: state, offsets and tables",
    discussion: [
        "The pipeline must be stopped. State and offsets go back at once, under the next "
            + "generation; each table is brought back by the next run, in one entry of its log: "
            + "an appended table loses exactly this pipeline's files above the checkpoint, an "
            + "updated one gets the version that it had. What other programs appended stays.",
        "Refused, with the nearest checkpoints that would do, where a table can't be brought back "
            + "exactly. Outputs to Kafka and files are refused without --allow-duplicates: what "
            + "their readers have taken can't be taken back, and rows made again stand there "
            + "twice. Kept checkpoints above the one gone back to are removed.",
    ],
    arguments: [topology],
    options: [
        .value("--to", "EPOCH", .count(minimum: 0), "which (millrace checkpoint list shows them)"),
        .flag("--allow-duplicates", "also where outputs then repeat rows: Kafka, files"),
    ],
    sharedOptions: [stateOption, setOption] + logOptions,
    examples: [
        Example(
            "millrace checkpoint rewind topologies/revenue.sql --to 41",
            "back to the end of epoch 41"),
        Example(
            "millrace checkpoint rewind topologies/revenue.sql --to 41 --allow-duplicates",
            "although a Kafka output then repeats what came after"),
    ],
    make: { parsed in
        .checkpointRewind(
            CheckpointRewindCommand(
                file: parsed.arguments[0],
                epoch: UInt64(parsed.count("--to").required("an epoch that was checked")),
                allowsDuplicates: parsed.has("--allow-duplicates"), engine: parsed.engine))
    })

let verifySpecification = CommandSpecification(
    "verify", "recount: do offsets, epochs and rows of the outputs agree?",
    discussion: [
        "Walks the log of each table: epochs rise, the ranges that commits cover meet without gap "
            + "or overlap, no file is named twice, each file has the rows that the log says. Then "
            + "runs the topology again, in memory, over exactly the offsets that were read, and "
            + "compares the rows by an order-free digest; records of Kafka outputs are read with "
            + "read_committed. Touches nothing. The pipeline must be stopped.",
        "What could not be compared is named: log entries that were cleaned up, sources whose "
            + "beginning is gone, rows that are no function of the offsets (clock windows, "
            + "idle_timeout). Exit status 1 with the first difference.",
        "--json prints one object: agrees, first, outputs (each with name, agrees, first_version, "
            + "version, commits, files, rows, recomputed_rows, differences, not_compared) and "
            + "sources (source, partition, from, to).",
    ],
    arguments: [topology],
    options: [jsonOption],
    sharedOptions: [stateOption, setOption] + logOptions,
    examples: [
        Example("millrace verify topologies/revenue.sql", "a stopped pipeline's outputs"),
        Example(
            "millrace verify topologies/revenue.sql --state /var/lib/revenue --json",
            "for a script"),
    ],
    make: { parsed in
        .verify(
            VerifyCommand(
                file: parsed.arguments[0], printsJSON: parsed.has("--json"),
                engine: parsed.engine))
    })
