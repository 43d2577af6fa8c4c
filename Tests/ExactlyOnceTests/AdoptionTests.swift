// `run --adopt` (design.md §3.8): the state directory is lost, the outputs tell where they stand.

import Foundation
import PythonSupport
import Testing

/// Bids without an event time into outputs without state: three tables, or two and a topic. Two
/// seconds of them by the clock, so that commits come on any machine.
private final class AdoptionScenario {
    let folder: TemporaryFolder
    static let outputs = ["cheap", "dear", "even"]

    init(events: Int = 30_000, kafka: (servers: String, topic: String)? = nil) throws {
        folder = try TemporaryFolder()
        let last = kafka.map {
            "kafka WITH (topic = '\($0.topic)', bootstrap_servers = '\($0.servers)')"
        }
        let topology = """
            SET checkpoint_interval = '30 milliseconds';
            SET batch_rows = 50;
            CREATE TABLE bids (auction bigint NOT NULL, bidder bigint NOT NULL, price bigint NOT NULL)
            USING nexmark WITH (events = \(events), seed = 7, partitions = 3, rate = 16000, pace = 'true');
            CREATE MATERIALIZED VIEW cheap USING delta WITH (location = '\(folder.path("cheap"))') AS
            SELECT auction, bidder, price FROM bids WHERE price <= 20000;
            CREATE MATERIALIZED VIEW dear
            USING delta WITH (location = '\(folder.path("dear"))', partition_by = 'part',
                              commit_interval = '300 milliseconds') AS
            SELECT auction, bidder, price, auction % 3 AS part FROM bids WHERE price > 20000;
            CREATE MATERIALIZED VIEW even
            USING \(last ?? "delta WITH (location = '\(folder.path("even"))')") AS
            SELECT auction, bidder, price FROM bids WHERE price % 2 = 0;
            """
        let events = """
            CREATE TABLE bids (auction bigint NOT NULL, bidder bigint NOT NULL, price bigint NOT NULL)
            USING nexmark WITH (events = \(events), seed = 7, partitions = 1, rate = 16000);
            """
        for (file, text) in [("t.sql", topology), ("events.sql", events)] {
            try text.write(to: folder.url.appending(path: file), atomically: true, encoding: .utf8)
        }
    }

    func run(
        _ state: String, _ more: [String] = [], failpoint: String? = nil
    ) throws -> Ending {
        try RunningCommand(
            ["run", "t.sql", "--bounded", "--state", state, "--workers", "2", "--json"] + more,
            in: folder.url, failpoint: failpoint
        ).end()
    }

    /// What is wrong with the outputs, beside the events themselves. `read`: Python that makes a
    /// list of (auction, bidder, price) of the last output.
    func differences(reading read: String? = nil) throws -> [String] {
        let dump = try RunningCommand(
            ["query", "events.sql", "--format", "csv", "SELECT auction, bidder, price FROM bids"],
            in: folder.url
        ).end()
        guard dump.status == 0 else { return ["\(dump)"] }
        try dump.output.write(
            toFile: folder.path("events.csv"), atomically: true, encoding: .utf8)
        return try Python.lines(
            """
            import collections, csv, deltalake, json, os, sys
            os.chdir(sys.argv[1])
            rows = [tuple(map(int, r)) for r in list(csv.reader(open('events.csv')))[1:]]
            def table(name):
                t = deltalake.DeltaTable(name).to_pyarrow_table()
                return list(zip(*(t[c].to_pylist() for c in ('auction', 'bidder', 'price'))))
            last = \(read ?? "table('even')")
            for name, found, wanted in [
                ('cheap', table('cheap'), [r for r in rows if r[2] <= 20000]),
                ('dear', table('dear'), [r for r in rows if r[2] > 20000]),
                ('even', last, [r for r in rows if r[2] % 2 == 0])]:
                found, wanted = collections.Counter(found), collections.Counter(wanted)
                if not wanted: print(name, 'expects nothing, which shows nothing')
                if found != wanted:
                    print(name, 'missing', (wanted - found).total(), 'extra', (found - wanted).total())
            """, [folder.url.path])
    }

    /// The newest epoch that each table's log names.
    func newestEpochs() throws -> [String] {
        try Python.lines(
            """
            import glob, json, sys
            for name in ('cheap', 'dear', 'even'):
                newest = 0
                for entry in glob.glob(sys.argv[1] + '/' + name + '/_delta_log/*.json'):
                    for line in open(entry):
                        for e in json.loads(line).get('commitInfo', {}).get('millrace', {}) \\
                                .get('epochs', []):
                            newest = max(newest, e['epoch'])
                print(newest)
            """, [folder.url.path])
    }
}

extension ExactlyOnceTests {
    @Suite(.serialized)
    struct AdoptionTests {
        private func expectRight(_ scenario: AdoptionScenario, reading read: String? = nil) throws {
            let faults = try scenario.differences(reading: read)
            #expect(faults == [], "\(faults)")
        }

        @Test("F3: outputs at different epochs are adopted, each at its own")
        func outputsAtDifferentEpochs() throws {
            let scenario = try AdoptionScenario()
            let death = try scenario.run("lost", failpoint: "delta.after_commit:cheap@6")
            try #require(death.wasKilled, "\(death)")
            let epochs = try scenario.newestEpochs()
            try #require(Set(epochs).count > 1, "at one epoch: \(epochs)")
            let ending = try scenario.run("new", ["--adopt"])
            try #require(ending.status == 0, "\(ending)")
            #expect(try ending.report()["conserved"] as? Bool == true, "\(ending)")
            try expectRight(scenario)
            // The lost directory turns up again: it finds itself left behind and touches nothing.
            let zombie = try scenario.run("lost")
            #expect(zombie.status == 4, "\(zombie)")
            try expectRight(scenario)
        }

        @Test(
            "F3: an adoption is repeated and killed, and the outputs are right",
            arguments: [
                "state.before_adoption", "state.adopted", "start.offsets_written",
                "checkpoint.written@2", "delta.after_commit:cheap", "delta.before_commit:dear@3",
                "delta.after_commit:even@2",
            ])
        func killedWhileAdopting(_ place: String) throws {
            let scenario = try AdoptionScenario()
            let death = try scenario.run("lost", failpoint: "delta.after_commit:cheap@5")
            try #require(death.wasKilled, "\(death)")
            let second = try scenario.run("new", ["--adopt"], failpoint: place)
            try #require(second.wasKilled, "\(second)")
            let ending = try scenario.run("new", ["--adopt"])
            try #require(ending.status == 0, "\(ending)")
            try expectRight(scenario)
        }

        @Test("F3: a marker that has moved since the adoption: exit 4, adopt again")
        func theMarkerHasMoved() throws {
            let scenario = try AdoptionScenario()
            let death = try scenario.run("first", failpoint: "delta.after_commit:cheap@4")
            try #require(death.wasKilled, "\(death)")
            let adopter = try scenario.run("new", ["--adopt"], failpoint: "state.adopted")
            try #require(adopter.wasKilled, "\(adopter)")
            let further = try scenario.run("first", failpoint: "delta.after_commit:cheap@4")
            try #require(further.wasKilled, "\(further)")
            let refused = try scenario.run("new", ["--adopt"])
            #expect(refused.status == 4, "\(refused)")
            #expect(refused.errors.contains("adopt again"), "\(refused)")
            let ending = try scenario.run("newer", ["--adopt"])
            try #require(ending.status == 0, "\(ending)")
            try expectRight(scenario)
        }

        @Test("F3: adopted again while the first adopter was catching up")
        func adoptedAgainWhileCatchingUp() throws {
            let scenario = try AdoptionScenario()
            let death = try scenario.run("lost", failpoint: "delta.after_commit:cheap@6")
            try #require(death.wasKilled, "\(death)")
            // `even` takes an entry while the sources are below what `cheap` and it had.
            let adopter = try scenario.run(
                "new", ["--adopt"], failpoint: "delta.after_commit:even")
            try #require(adopter.wasKilled, "\(adopter)")
            let ending = try scenario.run("newer", ["--adopt"])
            try #require(ending.status == 0, "\(ending)")
            try expectRight(scenario)
        }

        @Test("F3: offsets outlive the log entries that told them")
        func offsetsOutliveTheLog() throws {
            let scenario = try AdoptionScenario()
            let death = try scenario.run("lost", failpoint: "delta.after_commit:cheap@5")
            try #require(death.wasKilled, "\(death)")
            _ = try Python.run(
                """
                import deltalake, glob, os, sys
                for name in ('cheap', 'dear'):
                    path = sys.argv[1] + '/' + name
                    t = deltalake.DeltaTable(path)
                    t.create_checkpoint()
                    for entry in glob.glob(path + '/_delta_log/*.json'):
                        if os.path.basename(entry)[:-5].isdigit(): os.remove(entry)
                """, [scenario.folder.url.path])
            let ending = try scenario.run("new", ["--adopt"])
            try #require(ending.status == 0, "\(ending)")
            try expectRight(scenario)
        }

        @Test("F3: operators with state are refused by name, and nothing is touched")
        func stateIsRefused() throws {
            let scenario = try Scenario(events: 8_000, rate: 8_000)
            let first = try scenario.start().end()
            try #require(first.status == 0, "\(first)")
            let ending = try RunningCommand(
                ["run", "t.sql", "--bounded", "--state", "new", "--adopt"], in: scenario.folder.url
            ).end()
            #expect(ending.status == 2, "\(ending)")
            #expect(ending.errors.contains("aggregate"), "\(ending)")
            #expect(ending.errors.contains("holds state"), "\(ending)")
            #expect(try scenario.differences() == [])
        }

        @Test("outputs that nobody has filled: an ordinary beginning")
        func nothingToAdopt() throws {
            let scenario = try AdoptionScenario(events: 4_000)
            let ending = try scenario.run("new", ["--adopt"])
            try #require(ending.status == 0, "\(ending)")
            try expectRight(scenario)
        }

        @Test(
            "F3: a topic's outputs are adopted at the progress record",
            .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
        func aTopicIsAdopted() throws {
            let servers = try #require(KafkaScenario.servers, "MILLRACE_KAFKA names no broker")
            let topic = "adopt-\(UUID().uuidString)"
            let scenario = try AdoptionScenario(kafka: (servers: servers, topic: topic))
            let death = try scenario.run("lost", failpoint: "kafka.committed@3")
            try #require(death.wasKilled, "\(death)")
            let ending = try scenario.run("new", ["--adopt"])
            try #require(ending.status == 0, "\(ending)")
            let read = """
                [(r['auction'], r['bidder'], r['price']) for r in map(json.loads, __import__('subprocess')
                    .run(['kcat', '-b', '\(servers)', '-t', '\(topic)', '-C', '-e', '-q',
                    '-X', 'isolation.level=read_committed'], capture_output=True, check=True)
                    .stdout.splitlines())]
                """
            try expectRight(scenario, reading: read)
            let zombie = try scenario.run("lost")
            #expect(zombie.status == 4, "\(zombie)")
        }
    }
}
