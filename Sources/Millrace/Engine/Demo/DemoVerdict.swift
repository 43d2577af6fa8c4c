// The table beside the recomputation: every group, and the sums that must come out.

import Contracts
import Foundation

/// The comparison that decides the demo's exit status.
package struct DemoVerdict {
    private let expected: DemoExpectation
    private let found: DemoTables
    /// Late rows as the engine counted them, and whether its own counters add up.
    private let engineLate: Int64
    private let isConserved: Bool

    /// Groups that differ, are missing, or should not be there.
    package let differences: [DemoExpectation.Group]

    package init(
        expected: DemoExpectation, found: DemoTables, engineLate: Int64, isConserved: Bool
    ) {
        self.expected = expected
        self.found = found
        self.engineLate = engineLate
        self.isConserved = isConserved
        let all = Set(expected.groups.keys).union(found.groups.keys)
        differences = all.filter { expected.groups[$0] != found.groups[$0] }.sorted()
    }

    package var isRight: Bool {
        differences.isEmpty && isConserved && lines.allSatisfy { $0.found == $0.expected }
            && conservation.isRight
    }

    private typealias Line = (name: String, found: Int128, expected: Int128)

    private var lines: [Line] {
        let bids = found.groups.values.reduce(Int128(0)) { $0 + Int128($1.bids) }
        let total = found.groups.values.reduce(Int128(0)) { $0 + $1.total }
        let top = found.groups.values.map(\.top).max() ?? 0
        let expectedTop = expected.groups.values.map(\.top).max() ?? 0
        var lines: [Line] = [
            ("rows", Int128(found.rows), Int128(expected.groups.count)),
            ("bids counted", bids, Int128(expected.bids)),
            ("sum of prices", total, expected.total),
            ("highest price", Int128(top), Int128(expectedTop)),
            ("late, in late_bids", Int128(found.late), Int128(expected.late)),
            ("late, by the engine", Int128(engineLate), Int128(expected.late)),
        ]
        let reasons = Set(expected.broken.keys).union(found.dead.keys)
        for reason in reasons.sorted(by: { $0.rawValue < $1.rawValue }) {
            lines.append(
                (
                    "dead letters, \(reason.rawValue)", Int128(found.dead[reason] ?? 0),
                    Int128(expected.broken[reason] ?? 0)
                ))
        }
        return lines
    }

    /// Each record sent stands in exactly one of the three tables.
    private var conservation: (text: String, isRight: Bool) {
        let counted = found.groups.values.reduce(Int64(0)) { $0 + $1.bids }
        let dead = found.dead.values.reduce(0, +)
        let isRight = expected.records == counted + found.late + dead
        let text =
            "\(DemoText.grouped(expected.records)) records sent \(isRight ? "=" : "≠") "
            + "\(DemoText.grouped(counted)) counted + \(DemoText.grouped(found.late)) late + "
            + "\(DemoText.grouped(dead)) dead letters"
        return (text, isRight)
    }

    /// The auctions of single windows that took in the most bids.
    package func topRows(_ count: Int) -> String {
        let rows = found.groups.sorted {
            ($1.value.bids, $0.key) < ($0.value.bids, $1.key)
        }
        let widths = [22, 9, 7, 15, 13]
        func line(_ cells: [String]) -> String {
            zip(cells, widths).map { DemoText.padded($0, $1) }.joined() + "\n"
        }
        var text = line(["window_start", "auction", "bids", "total", "top"])
        for (group, result) in rows.prefix(count) {
            text += line([
                DemoVerdict.time(group.windowStart), String(group.auction),
                DemoText.grouped(result.bids), DemoText.grouped(result.total),
                DemoText.grouped(result.top),
            ])
        }
        return text
    }

    private static func time(_ microseconds: Int64) -> String {
        let text = Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
            .formatted(.iso8601.dateTimeSeparator(.space))
        return String(text.dropLast())
    }

    private static let differenceLimit = 5

    /// Table and recomputation side by side.
    package var comparison: String {
        var text = "  \(DemoText.padded("", 26))\(DemoText.padded("table", 18))"
        text += "\(DemoText.padded("recomputed", 18))\n"
        for line in lines {
            let name = line.name.padding(toLength: 26, withPad: " ", startingAt: 0)
            text += "  \(name)\(DemoText.padded(DemoText.grouped(line.found), 18))"
            text += DemoText.padded(DemoText.grouped(line.expected), 18)
            text += line.found == line.expected ? "\n" : "  DIFFERENT\n"
        }
        text += "  groups that differ        \(DemoText.padded(String(differences.count), 18))\n"
        for group in differences.prefix(DemoVerdict.differenceLimit) {
            text += "    \(DemoVerdict.time(group.windowStart)) auction \(group.auction): "
            text += "table \(DemoVerdict.text(found.groups[group])), "
            text += "recomputed \(DemoVerdict.text(expected.groups[group]))\n"
        }
        text += "  conservation: \(conservation.text)\n"
        text += "  the engine's own counters \(isConserved ? "add up" : "DO NOT ADD UP")\n"
        return text
    }

    private static func text(_ result: DemoExpectation.Result?) -> String {
        result.map { "\($0.bids) bids, total \($0.total), top \($0.top)" } ?? "nothing"
    }
}
