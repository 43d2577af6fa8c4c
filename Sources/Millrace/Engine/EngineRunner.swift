// Executes commands with the real engine.

import Contracts
import Environment
import Planning
import SQLSyntax

/// The runner of the shipped binary.
public struct EngineRunner: CommandRunner {
    public init() {}

    public func validate(_ command: ValidateCommand, _ terminal: Terminal) async throws -> Int32 {
        for file in command.files {
            if file.hasSuffix(".test.sql") {
                let tests = try TopologyTestFile(file, settings: command.settings)
                terminal.write("\(file): ok, \(tests.cases.count) tests\n")
                continue
            }
            let topology = try LoadedTopology(file, settings: command.settings)
            terminal.write("\(file): ok, \(counted(topology.plan))\n")
            for note in topology.plan.notes {
                let place = note.place.map { topology.describe($0) + ": " } ?? ""
                terminal.write("  note: \(place)\(note.message)\n")
            }
        }
        return 0
    }

    private func counted(_ plan: Plan) -> String {
        func count(_ number: Int, _ noun: String) -> String {
            "\(number) \(noun)\(number == 1 ? "" : "s")"
        }
        return [
            count(plan.sources.count, "source"), count(plan.nodes.count, "operator"),
            count(plan.outputs.count, "output"),
        ].joined(separator: ", ")
    }

    public func explain(_ command: ExplainCommand, _ terminal: Terminal) async throws -> Int32 {
        let topology = try LoadedTopology(command.file, settings: command.settings)
        let format = Explain.Format(rawValue: command.format.rawValue).required("a format")
        terminal.write(Explain(topology.plan).render(format))
        return 0
    }
}
