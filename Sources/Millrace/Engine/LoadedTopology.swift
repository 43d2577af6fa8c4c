// A topology's file, parsed and planned, with its text at hand for messages.

import Contracts
import Environment
import Foundation
import Planning
import SQLSyntax

/// One planned file.
struct LoadedTopology {
    let source: SourceText
    let statements: [Statement]
    let plan: Plan

    /// Reads, parses and plans; `settings` are `--set`s.
    init(_ path: String, settings: [SettingOverride]) throws(Failure) {
        source = try readTopology(path)
        statements = try parseTopology(source)
        plan = try Planner.plan(
            statements, name: LoadedTopology.name(of: path),
            options: LoadedTopology.options(settings))
    }

    /// `topologies/revenue.sql` is `revenue`.
    static func name(of path: String) -> String {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }

    static func options(_ settings: [SettingOverride]) -> PlanningOptions {
        var options = PlanningOptions()
        options.environment = ProcessInfo.processInfo.environment
        options.overrides = settings.map { .init(name: $0.name, value: $0.value) }
        return options
    }

    /// `file:line:column` of a place.
    var describe: @Sendable (SourcePlace) -> String {
        let source = source
        return { place in
            let (line, column) = source.lineAndColumn(place.offset)
            return "\(place.file):\(line):\(column)"
        }
    }
}
