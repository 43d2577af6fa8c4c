// The option table in the code held against the page that settles it (dialect.md §4, "The options"):
// they are the same table, so neither grows alone.

import Foundation
import Planning
import PythonSupport
import Testing

@Suite struct OptionReferenceTests {
    /// What the code has beyond the page's table, and why.
    private static let beyond: [String: String] = [
        "files on_offset_lost": "§4.2: a read file that shrank follows it, as a topic's offset does",
        "files format": "§2.10: files take a changelog as debezium_json; else by suffix, as sources",
        "any source unavailable_value": "Debezium's placeholder for an unchanged large value can be set",
        "any output dead_letter": "§4.5: outputs take the same three options",
        "any output dead_letter_topic": "§4.5: outputs take the same three options",
        "any output on_error": "§4.5: outputs take the same three options",
    ]

    /// The page's words for places of the code.
    private static let places: [OptionPlace: String] = [
        .files: "files", .filesSource: "files", .filesSink: "files",
    ]

    /// Options of sources without messages stand under nexmark once more, as it takes no others.
    private static let ofAnySource = Set(
        OptionTable.all.filter { $0.place == .anySource }.map(\.name))

    private static func name(_ option: OptionDefinition) -> String {
        if option.place == .nexmark, ofAnySource.contains(option.name) {
            return "any source \(option.name)"
        }
        return "\(places[option.place] ?? option.place.rawValue) \(option.name)"
    }

    @Test("options, their places and their words are those of dialect.md, where it is at hand")
    func same() throws {
        guard let page = Shared.folder?.appending(path: "dialect.md"),
            let text = try? String(contentsOf: page, encoding: .utf8)
        else { return }
        let rows = try OptionRow.all(in: text)
        let written = Set(rows.flatMap { row in row.names.map { "\(row.place) \($0)" } })
        let coded = Set(OptionTable.all.map(Self.name))
        #expect(written.count > 50)
        #expect(written.subtracting(coded).sorted() == [], "on the page only")
        #expect(
            coded.subtracting(written).sorted() == Self.beyond.keys.sorted(), "in the code only")
        for option in OptionTable.all {
            guard case .choice(let words) = option.type,
                let row = rows.first(where: {
                    Self.name(option) == "\($0.place) \($0.names[0])" && $0.names.count == 1
                })
            else { continue }
            #expect(Set(words) == Set(row.words), "\(Self.name(option))")
        }
    }
}

/// A line of the page's table.
private struct OptionRow {
    let place: String
    let names: [String]
    /// Of the type's cell.
    let words: [String]

    static func all(in page: String) throws -> [OptionRow] {
        let start = try #require(page.range(of: "**The options.**"))
        let lines = page[start.upperBound...].split(separator: "\n")
            .drop { !$0.hasPrefix("| where") }.dropFirst(2).prefix { $0.hasPrefix("|") }
        var place = ""
        return try lines.map { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(cells.count == 6, "\(line)")
            if !cells[1].isEmpty { place = cells[1] }
            return OptionRow(place: place, names: list(cells[2]), words: list(cells[3]))
        }
    }

    /// `a, "b", c (remark)` as a, b, c.
    private static func list(_ cell: String) -> [String] {
        let plain = cell.replacing(/\([^)]*\)/, with: "")
        return plain.split(separator: ",").map {
            $0.trimmingCharacters(in: CharacterSet(charactersIn: " \"`"))
        }
    }
}
