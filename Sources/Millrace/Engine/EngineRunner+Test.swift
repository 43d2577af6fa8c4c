// `millrace test`: rows in, watermark steps, expected rows out (docs/testing.md).

import Contracts

extension EngineRunner {
    public func test(_ command: TestCommand, _ terminal: Terminal) async throws -> Int32 {
        var files: [TopologyTestFile] = []
        for path in command.paths {
            for file in try TopologyTestFile.files(path) {
                files.append(try TopologyTestFile(file, settings: command.engine.settings))
            }
        }
        let workers = command.engine.workers ?? defaultWorkers
        var failed = 0
        var count = 0
        for file in files {
            let outcomes = try await onThread { () throws(Failure) in
                file.cases.map { test in
                    var run = TopologyTestRun(file, test, workers: workers)
                    return run.run()
                }
            }
            let broken = outcomes.count { !$0.isEmpty }
            failed += broken
            count += outcomes.count
            let tests = "\(outcomes.count) test\(outcomes.count == 1 ? "" : "s")"
            let verdict = broken == 0 ? "ok, \(tests)" : "FAILED, \(broken) of \(tests)"
            terminal.write("\(file.path): \(verdict)\n")
            for (test, differences) in zip(file.cases, outcomes) where !differences.isEmpty {
                terminal.write("\n  \(test.name) (\(file.line(test.place)))\n")
                for difference in differences { terminal.write("  " + difference) }
                terminal.write("\n")
            }
        }
        let what = "\(count) test\(count == 1 ? "" : "s") in \(files.count) "
            + "file\(files.count == 1 ? "" : "s")"
        terminal.write(failed == 0 ? "\(what): all passed\n" : "\(what): \(failed) failed\n")
        return failed == 0 ? 0 : 1
    }
}
