// Files that nobody names (design.md §3.4, §3.12): what killed processes leave behind goes, and
// nothing else does.

import Foundation
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized)
    struct SweepTests {
        /// In mid-epoch, with files closed that no intent names; between the merge of an upsert and
        /// its entry; between an entry's draft and its link.
        static let places = [
            "delta.data_file_synced@4", "delta.files_durable@5",
            "delta.before_commit:by_auction@2", "delta.before_link@5",
        ]

        @Test("F6: what killed processes left is swept, and nothing else")
        func whatKilledProcessesLeftIsGoneAndNothingElse() throws {
            let scenario = try Scenario(events: 80_000, rate: 4_000)
            var leftBehind = 0
            for place in SweepTests.places {
                let death = try scenario.start(failpoint: place).end()
                try #require(death.wasKilled, "\(place): \(death)")
                leftBehind = max(leftBehind, try unnamed(scenario).count)
            }
            try #require(leftBehind > 0, "no kill left anything behind")
            let before = try rows(scenario)
            // Others' files, in places that look like ours.
            let decoys = [
                "by_part/part=1/1/2/deadbeef-1.parquet", "by_window/1/3/deadbeef-2.parquet",
                "by_window/_delta_log/.00000000000000000003.json.deadbeef-x.tmp",
                "by_auction/mine.parquet",
            ]
            for decoy in decoys {
                let url = scenario.folder.url.appending(path: decoy)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data("theirs".utf8).write(to: url)
            }
            let ending = try scenario.start().end()
            try #require(ending.status == 0, "\(ending)")
            #expect(try scenario.differences() == [])
            let left = try unnamed(scenario)
            #expect(left == decoys.sorted(), "\(left)")
            // What was there before the last start is there still, as DuckDB reads it.
            let lost = try lostRows(scenario, of: before)
            #expect(lost == [])
        }

        /// Data files that no entry of a table's log has ever named, and files in the making.
        private func unnamed(_ scenario: Scenario) throws -> [String] {
            try Python.lines(
                """
                import glob, json, os, sys, urllib.parse
                os.chdir(sys.argv[1])
                found = []
                for table in ('by_window', 'by_auction', 'by_part'):
                    named = set()
                    for entry in glob.glob(table + '/_delta_log/*.json'):
                        for line in open(entry):
                            action = json.loads(line)
                            if 'add' in action:
                                named.add(table + '/' + urllib.parse.unquote(action['add']['path']))
                    for folder, _, files in os.walk(table):
                        for file in files:
                            path = os.path.join(folder, file)
                            if '_delta_log' in path:
                                if file.endswith('.tmp'): found.append(path)
                            elif path not in named: found.append(path)
                print('\\n'.join(sorted(found)))
                """, [scenario.folder.url.path])
        }

        /// The append tables as DuckDB reads them, in files of their own.
        private func rows(_ scenario: Scenario) throws -> String {
            let path = scenario.folder.path("before")
            _ = try Python.run(
                """
                import duckdb, sys, os
                c = duck(('avro', 'httpfs', 'delta'))
                os.makedirs(sys.argv[2])
                for table in ('by_window', 'by_part'):
                    c.sql(f"copy (select * from delta_scan('{sys.argv[1]}/{table}')) "
                          f"to '{sys.argv[2]}/{table}.parquet'")
                """, [scenario.folder.url.path, path])
            return path
        }

        private func lostRows(_ scenario: Scenario, of before: String) throws -> [String] {
            try Python.lines(
                """
                import duckdb, sys
                c = duck(('avro', 'httpfs', 'delta'))
                for table in ('by_window', 'by_part'):
                    old = c.sql(f"select count(*) from '{sys.argv[2]}/{table}.parquet'").fetchone()[0]
                    lost = c.sql(f"select count(*) from (select * from '{sys.argv[2]}/{table}.parquet' "
                        f"except all select * from delta_scan('{sys.argv[1]}/{table}'))").fetchone()[0]
                    if old == 0: print(table, 'was empty, which shows nothing')
                    if lost: print(table, 'lost', lost)
                """, [scenario.folder.url.path, before])
        }
    }
}
