// `millrace verify`: silent where all agrees, also after kills, and never silent where a row, a file
// or an offset was changed.

import Foundation
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized)
    struct VerifyTests {
        /// A pipeline in its middle: killed twice, then stopped.
        private final class Verified {
            let scenario: Scenario

            init(_ mode: [String] = ["--bounded"]) throws {
                scenario = try Scenario(events: 7_000, rate: 6_000)
                for failpoint in ["delta.after_commit:by_auction@3", "checkpoint.written@4"] {
                    let death = try scenario.start(failpoint: failpoint).end()
                    try #require(death.wasKilled, "\(death)")
                }
                let ending = try RunningCommand(
                    ["run", "t.sql", "--state", "state"] + mode, in: scenario.folder.url
                ).end()
                try #require(ending.status == 0, "\(ending)")
            }

            func verify() throws -> Ending {
                try RunningCommand(
                    ["verify", "t.sql", "--state", "state", "--json"], in: scenario.folder.url
                ).end()
            }

            /// Changes a table by Python: `path` is its folder, `entries()` its log's files.
            func change(_ table: String, _ python: String) throws {
                _ = try Python.run(
                    """
                    import glob, json, os, urllib.parse
                    import pyarrow.parquet as pq
                    path = sys.argv[1]
                    def entries():
                        return sorted(glob.glob(path + '/_delta_log/*.json'))
                    def actions(entry):
                        return [json.loads(l) for l in open(entry) if l.strip()]
                    def write(entry, found):
                        with open(entry, 'w') as f:
                            for a in found: f.write(json.dumps(a) + '\\n')
                    def forget():
                        for f in glob.glob(path + '/_delta_log/*checkpoint*'): os.remove(f)
                    def first_add():
                        for e in entries():
                            for a in actions(e):
                                if 'add' in a: return e, a['add']
                    """ + "\n" + python, [scenario.table(table)])
            }
        }

        private func expectClean(_ ending: Ending, rows: Int? = nil) throws {
            #expect(ending.status == 0, "\(ending)")
            let report = try ending.report()
            #expect(report["agrees"] as? Bool == true)
            let outputs = try #require(report["outputs"] as? [[String: Any]])
            #expect(outputs.count == 3)
            for output in outputs {
                let rows = try #require(output["rows"] as? Int)
                #expect(rows > 0 && output["recomputed_rows"] as? Int == rows, "\(output)")
                #expect((output["not_compared"] as? [String])?.isEmpty == true, "\(output)")
            }
        }

        private func expect(
            _ ending: Ending, says words: String..., sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            #expect(ending.status == 1, "\(ending)", sourceLocation: sourceLocation)
            let first = try ending.report()["first"] as? String ?? ""
            for word in words {
                #expect(first.contains(word), "\(first)", sourceLocation: sourceLocation)
            }
        }

        @Test func aBoundedRunAfterKillsAgrees() throws {
            try expectClean(try Verified().verify())
        }

        /// Windows are open: the same input leaves the same ones open.
        @Test func aPipelineThatGoesOnAgreesAndIsLeftAlone() throws {
            let pipeline = try Verified(["--available-now"])
            let folder = pipeline.scenario.folder
            func files() throws -> [String] {
                try FileManager.default.subpathsOfDirectory(atPath: folder.url.path)
                    .filter { !$0.hasPrefix("std") && !$0.contains("/LOG") }.sorted()
            }
            let before = try files()
            try expectClean(try pipeline.verify())
            #expect(try files() == before)
            let ending = try pipeline.scenario.start().end()
            #expect(ending.status == 0, "\(ending)")
            try expectClean(try pipeline.verify())
        }

        /// The statistics tell, and where they were made to fit, the log, and where that was, too,
        /// the rows.
        @Test(arguments: ["by_part", "by_auction"])
        func aDroppedRowIsFound(_ table: String) throws {
            let pipeline = try Verified()
            try pipeline.change(
                table,
                """
                live = {}
                for e in entries():
                    for a in actions(e):
                        if 'add' in a: live[a['add']['path']] = e
                        if 'remove' in a: live.pop(a['remove']['path'], None)
                chosen = sorted(live)[0]
                file = path + '/' + urllib.parse.unquote(chosen)
                rows = pq.ParquetFile(file).read()
                pq.write_table(rows.slice(1), file)
                """)
            try expect(try pipeline.verify(), says: table, "bytes, the log says")
            let fixed = """
                for e in entries():
                    found = actions(e)
                    for a in found:
                        if 'add' in a:
                            f = path + '/' + urllib.parse.unquote(a['add']['path'])
                            if not os.path.exists(f): continue
                            a['add']['size'] = os.path.getsize(f)
                            FIX
                    write(e, found)
                forget()
                """
            try pipeline.change(table, fixed.replacingOccurrences(of: "FIX", with: "pass"))
            try expect(try pipeline.verify(), says: table, "rows, the log says")
            let counted = """
                s = json.loads(a['add']['stats'])
                            n = pq.ParquetFile(f).metadata.num_rows
                            for b in found:
                                if 'commitInfo' in b and 'operationMetrics' in b['commitInfo']:
                                    m = b['commitInfo']['operationMetrics']
                                    m['numOutputRows'] = str(int(m['numOutputRows']) - s['numRecords'] + n)
                            s['numRecords'] = n
                            a['add']['stats'] = json.dumps(s)
                """
            try pipeline.change(table, fixed.replacingOccurrences(of: "FIX", with: counted))
            try expect(try pipeline.verify(), says: table, "the same input makes")
        }

        @Test func aChangedRowIsFound() throws {
            let pipeline = try Verified()
            try pipeline.change(
                "by_window",
                """
                import pyarrow as pa
                e, add = first_add()
                file = path + '/' + urllib.parse.unquote(add['path'])
                rows = pq.ParquetFile(file).read()
                top = rows['top'].to_pylist()
                top[0] += 1
                rows = rows.set_column(rows.schema.get_field_index('top'), 'top', pa.array(top, pa.int64()))
                pq.write_table(rows, file)
                found = actions(e)
                for a in found:
                    if 'add' in a and a['add']['path'] == add['path']:
                        a['add']['size'] = os.path.getsize(file)
                write(e, found)
                forget()
                """)
            try expect(try pipeline.verify(), says: "by_window", "not the same ones")
        }

        /// Named twice: in one more entry, or within its own.
        @Test(arguments: [false, true])
        func aDoubledFileIsFound(_ isInItsEntry: Bool) throws {
            let pipeline = try Verified()
            try pipeline.change(
                "by_part",
                """
                e, add = first_add()
                if \(isInItsEntry ? "True" : "False"):
                    write(e, actions(e) + [{'add': add}])
                else:
                    n = int(os.path.basename(entries()[-1])[:-5]) + 1
                    write(path + f'/_delta_log/{n:020}.json',
                          [{'commitInfo': {'timestamp': 1, 'operation': 'WRITE'}}, {'add': add}])
                """)
            try expect(try pipeline.verify(), says: "by_part", "named twice", "parquet")
        }

        /// In commitInfo alone, or in the txn that says the same.
        @Test(arguments: ["commitInfo", "txn", "both"])
        func aCommitsChangedOffsetsAreFound(_ place: String) throws {
            let pipeline = try Verified()
            try pipeline.change(
                "by_part",
                """
                place = '\(place)'
                e = entries()[3]
                found = actions(e)
                for a in found:
                    if 'commitInfo' in a and place != 'txn':
                        o = a['commitInfo']['millrace']['offsets']['bids']
                        o['1'] = 0 if place == 'both' else o['1'] + 5
                    if 'txn' in a and a['txn']['appId'].endswith(':1') and place != 'commitInfo':
                        a['txn']['version'] = 0 if place == 'both' else a['txn']['version'] + 5
                write(e, found)
                forget()
                """)
            try expect(try pipeline.verify(), says: "by_part", "bids/1")
        }

        @Test func anEpochThatCameTwiceIsFound() throws {
            let pipeline = try Verified()
            try pipeline.change(
                "by_part",
                """
                a, b = entries()[2], entries()[3]
                first = [x for x in actions(a) if 'commitInfo' in x][0]['commitInfo']['millrace']['epochs']
                found = actions(b)
                for x in found:
                    if 'commitInfo' in x: x['commitInfo']['millrace']['epochs'] = first
                write(b, found)
                """)
            try expect(try pipeline.verify(), says: "by_part", "version 3", "comes after")
        }

        /// All entries gone, or those before the last checkpoint of the log.
        @Test(arguments: [false, true])
        func aLogThatWasCleanedUpIsCheckedFromThere(_ keepsNewest: Bool) throws {
            let pipeline = try Verified()
            try pipeline.change(
                "by_part",
                """
                import deltalake
                deltalake.DeltaTable(path).create_checkpoint()
                found = entries()
                for e in found[:-1] if \(keepsNewest ? "True" : "False") else found: os.remove(e)
                """)
            let ending = try pipeline.verify()
            #expect(ending.status == 0, "\(ending)")
            let outputs = try ending.report()["outputs"] as? [[String: Any]] ?? []
            let output = try #require(outputs.first { $0["name"] as? String == "by_part" })
            #expect(output["rows"] as? Int == output["recomputed_rows"] as? Int, "\(output)")
            let notes = output["not_compared"] as? [String] ?? []
            #expect(notes.contains { $0.contains("cleaned up: commits before version") }, "\(notes)")
        }

        @Test func othersRowsAreNotOurs() throws {
            let pipeline = try Verified()
            _ = try Python.run(
                """
                import deltalake
                t = deltalake.DeltaTable(sys.argv[1])
                deltalake.write_deltalake(t, t.to_pyarrow_table().slice(0, 2), mode='append')
                """, [pipeline.scenario.table("by_part")])
            try expectClean(try pipeline.verify())
            _ = try Python.run(
                "import deltalake; deltalake.DeltaTable(sys.argv[1]).delete('price > 9000000')",
                [pipeline.scenario.table("by_part")])
            try expect(try pipeline.verify(), says: "by_part", "another program changed rows")
        }

        @Test func aRunningPipelineIsNotVerified() throws {
            let scenario = try Scenario(events: 200_000, rate: 4_000)
            let run = try scenario.start()
            #expect(try run.says("started"))
            let ending = try RunningCommand(
                ["verify", "t.sql", "--state", "state"], in: scenario.folder.url
            ).end()
            run.signal(SIGKILL)
            _ = try run.end()
            #expect(ending.status == 4 && ending.errors.contains("is running"), "\(ending)")
        }

        /// Source, dead letters and an output in Kafka.
        @Test(
            "rows of a topic are recounted; a rewind repeats them only when it may",
            .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
        func aTopicIsRecounted() throws {
            let scenario = try KafkaScenario(events: 40_000)
            func command(_ words: [String]) throws -> Ending {
                try RunningCommand(words + ["--state", "state"], in: scenario.folder.url).end()
            }
            func verify() throws -> Ending { try command(["verify", "t.sql", "--json"]) }
            let death = try scenario.start(failpoint: "kafka.committed@2").end()
            try #require(death.wasKilled, "\(death)")
            let again = try scenario.start(failpoint: "checkpoint.written@2").end()
            try #require(again.wasKilled, "\(again)")
            let waiting = try verify()
            #expect(waiting.status == 0 && waiting.output.contains("to be committed"), "\(waiting)")
            // What readers have taken can't be taken back.
            let list = try command(["checkpoint", "list", "--json"])
            let kept = try #require(try list.report()["checkpoints"] as? [[String: Any]])
                .filter { $0["kept"] as? Bool == true }.compactMap { $0["epoch"] as? Int }
            let target = String(try #require(kept.first))
            let refused = try command(["checkpoint", "rewind", "t.sql", "--to", target])
            #expect(refused.status == 2, "\(refused)")
            #expect(refused.errors.contains("--allow-duplicates"), "\(refused)")
            let ending = try scenario.start().end()
            try #require(ending.status == 0, "\(ending)")
            try expectClean(try verify())
            // Somebody else produces into the topic.
            _ = try Python.run(
                """
                import subprocess
                subprocess.run(['kcat', '-b', sys.argv[1], '-t', sys.argv[2], '-P'], input=b'{}',
                               check=True)
                """, [scenario.servers, scenario.name + "-out"])
            try expect(try verify(), says: "high", "the same input makes")
        }

        @Test(
            "a rewind that may repeat rows of a topic: tables exact, the topic repeats",
            .enabled(if: KafkaScenario.isWanted, "needs a broker: MILLRACE_KAFKA"))
        func aTopicRepeatsAfterARewind() throws {
            let scenario = try KafkaScenario(events: 40_000)
            func command(_ words: [String]) throws -> Ending {
                try RunningCommand(words + ["--state", "state"], in: scenario.folder.url).end()
            }
            let death = try scenario.start(failpoint: "kafka.committed@3").end()
            try #require(death.wasKilled, "\(death)")
            let list = try command(["checkpoint", "list", "--json"])
            let kept = try #require(try list.report()["checkpoints"] as? [[String: Any]])
                .filter { $0["kept"] as? Bool == true }.compactMap { $0["epoch"] as? Int }
            let target = String(try #require(kept.first))
            let rewound = try command([
                "checkpoint", "rewind", "t.sql", "--to", target, "--allow-duplicates",
            ])
            try #require(rewound.status == 0, "\(rewound)")
            let second = try scenario.start(failpoint: "kafka.committed@1").end()
            try #require(second.wasKilled, "\(second)")
            let ending = try scenario.start().end()
            try #require(ending.status == 0, "\(ending)")
            let report = try RunningCommand(
                ["verify", "t.sql", "--json", "--state", "state"], in: scenario.folder.url
            ).end().report()
            for output in try #require(report["outputs"] as? [[String: Any]]) {
                let rows = output["rows"] as? Int ?? 0
                let again = output["recomputed_rows"] as? Int ?? 0
                if output["name"] as? String == "high" {
                    #expect(rows >= again && again > 0, "\(output)")
                } else {
                    #expect(output["agrees"] as? Bool == true && rows == again && rows > 0, "\(output)")
                }
            }
        }
    }
}
