// The SQL front end: any text gives a plan or one error with a place in that text.

import Contracts
import Planning
import SQLSyntax

enum SQLProbe {
    /// Tables that a text can name, so that a lone query gets past name resolution.
    static let prelude = """
        CREATE TYPE pair AS (x integer, y text);
        CREATE TABLE s (
            i bigint NOT NULL, t text, d double precision, n numeric(10, 2), b boolean,
            ts timestamptz NOT NULL, j json, a integer[], p pair, y bytea, da date
        ) USING values WITH (event_time = 'ts', watermark_delay = '1 second');

        """

    static func complaint(_ input: [UInt8]) -> String? {
        let text = String(decoding: input, as: UTF8.self)
        if let wrong = complaint(topology: text) { return wrong }
        return complaint(topology: prelude + "CREATE MATERIALIZED VIEW o USING print AS " + text)
    }

    private static func complaint(topology text: String) -> String? {
        let source = SourceText(file: "f.sql", text: text)
        do {
            let statements = try parseTopology(source)
            let plan = try Planner.plan(statements, name: "f")
            let explain = Explain(plan)
            for format in Explain.Format.allCases where explain.render(format).isEmpty {
                return "explain as \(format.rawValue) is empty"
            }
            let again = try Planner.plan(statements, name: "f")
            guard again.nodes.map(\.operatorID) == plan.nodes.map(\.operatorID) else {
                return "a second planning gives other operator ids"
            }
            return nil
        } catch {
            return complaint(error, source)
        }
    }

    private static func complaint(_ failure: Failure, _ source: SourceText) -> String? {
        if source.render(failure).isEmpty { return "an error without a text" }
        guard failure.kind == .invalid else { return "\(failure.code) is not of kind invalid" }
        guard let place = failure.place else { return nil }
        guard (0...source.utf8.count).contains(place.offset) else {
            return "\(failure.code) at \(place.offset) of \(source.utf8.count) bytes"
        }
        return nil
    }
}
