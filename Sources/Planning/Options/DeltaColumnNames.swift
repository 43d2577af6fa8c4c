// Names that a Delta table can give its columns without column mapping (PROTOCOL.md "Column
// Mapping"; Spark refuses others when it writes or reads).

import Contracts
import Types

extension Schema {
    /// Throws for a name, at any depth, that other engines could not read, and for two that differ
    /// in case only: Delta's names are equal then.
    func checkDeltaNames(place: SourcePlace?) throws(Failure) {
        try Schema.check(fields, above: "", place)
    }

    private static let unreadable = Set(" ,;{}()\n\t=")

    private static func check(
        _ fields: [Field], above: String, _ place: SourcePlace?
    ) throws(Failure) {
        var seen: [String: String] = [:]
        for field in fields {
            if field.name.isEmpty || field.name.contains(where: unreadable.contains) {
                throw Failure(
                    .invalid, "delta.column_name",
                    "Delta tables have no column \"\(above)\(field.name)\": a name there has none "
                        + "of the characters ,;{}()= nor spaces, tabs and line breaks",
                    hint: "name it otherwise: … AS \(suggestion(field.name))", place: place)
            }
            if let other = seen.updateValue(field.name, forKey: field.name.lowercased()) {
                throw Failure(
                    .invalid, "delta.column_name",
                    "columns \"\(above)\(other)\" and \"\(above)\(field.name)\" are one in a Delta "
                        + "table, where case does not count",
                    hint: "name one of them otherwise with AS", place: place)
            }
            try check(inside: field.type, above: "\(above)\(field.name).", place)
        }
    }

    private static func check(
        inside type: LogicalType, above: String, _ place: SourcePlace?
    ) throws(Failure) {
        switch type {
        case .row(let row): try check(row.fields, above: above, place)
        case .array(let element): try check(inside: element, above: above, place)
        default: return
        }
    }

    private static func suggestion(_ name: String) -> String {
        let plain = name.map { unreadable.contains($0) ? "_" : String($0) }.joined()
        return plain.isEmpty ? "name" : plain
    }
}
