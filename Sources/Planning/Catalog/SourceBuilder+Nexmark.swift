// The nexmark generator's fields, and which of them a table declares.
//
// A flat table holds one kind of event and declares that kind's fields (decoded as `bid.price`); a
// wide one holds all, with `event_type` (0 person, 1 auction, 2 bid), `date_time`, and a row column
// a kind.

import Contracts
import SQLSyntax
import Types

extension DeclaredTable {
    private static let kinds: [(name: String, fields: [Field])] = [
        (
            "person",
            [
                Field("id", .bigint), Field("name", .text), Field("email_address", .text),
                Field("credit_card", .text), Field("city", .text), Field("state", .text),
                Field("date_time", .timestamptz), Field("extra", .text),
            ]
        ),
        (
            "auction",
            [
                Field("id", .bigint), Field("item_name", .text), Field("description", .text),
                Field("initial_bid", .bigint), Field("reserve", .bigint),
                Field("date_time", .timestamptz), Field("expires", .timestamptz),
                Field("seller", .bigint), Field("category", .bigint), Field("extra", .text),
            ]
        ),
        (
            "bid",
            [
                Field("auction", .bigint), Field("bidder", .bigint), Field("price", .bigint),
                Field("channel", .text), Field("url", .text), Field("date_time", .timestamptz),
                Field("extra", .text),
            ]
        ),
    ]

    private var decodedFields: [DeclaredColumn] {
        columns.prefix(declaredCount).filter { $0.generated == nil }
    }

    private var isWide: Bool {
        decodedFields.contains { column in
            if case .row = column.type { return true }
            return column.name.text == "event_type"
        }
    }

    /// The one kind whose fields include all declared ones.
    private func flatKind() throws(Failure) -> (name: String, fields: [Field]) {
        let names = decodedFields.map(\.name)
        func known(_ name: Name, _ fields: [Field]) -> Bool {
            fields.contains { $0.name == name.text }
        }
        let fitting = Self.kinds.filter { kind in
            names.allSatisfy { known($0, kind.fields) }
        }
        if let kind = fitting.first, fitting.count == 1 { return kind }
        guard fitting.isEmpty else {
            throw Failure(
                .invalid, "nexmark.ambiguous",
                "these columns fit \(fitting.map(\.name).joined(separator: " and ")) events",
                hint: "declare a column that only one of them has, or event_type",
                place: name.place)
        }
        let likeliest = Self.kinds.max { left, right in
            names.count { known($0, left.fields) } < names.count { known($0, right.fields) }
        }
        guard let likeliest, let stranger = names.first(where: { !known($0, likeliest.fields) })
        else { bug("a name fits no kind, or one fits") }
        let nearest = nearestName(to: stranger.text, among: likeliest.fields.map(\.name))
        throw Failure(
            .invalid, "nexmark.field_unknown",
            "nexmark's \(likeliest.name) has no field \"\(stranger.text)\"",
            hint: nearest.map { "did you mean \"\($0)\"?" }
                ?? "it has \(likeliest.fields.map(\.name).joined(separator: ", "))",
            place: stranger.place)
    }

    /// The generator's name of a declared column.
    func nexmarkField(_ column: String) throws(Failure) -> String {
        isWide ? column : "\(try flatKind().name).\(column)"
    }

    /// Throws unless every declared column is a field of the generator with its type.
    func checkNexmark() throws(Failure) {
        guard !isWide else { return try checkWide() }
        let kind = try flatKind()
        for column in decodedFields {
            let field = kind.fields.first { $0.name == column.name.text }
            try checkType(column, column.type, field.required("the kind has it").type)
        }
    }

    private func checkWide() throws(Failure) {
        for column in decodedFields {
            switch column.name.text {
            case "event_type": try checkType(column, column.type, .integer)
            case "date_time": try checkType(column, column.type, .timestamptz)
            default: try checkRow(column)
            }
        }
    }

    private func checkRow(_ column: DeclaredColumn) throws(Failure) {
        guard let kind = Self.kinds.first(where: { $0.name == column.name.text }) else {
            throw Failure(
                .invalid, "nexmark.field_unknown",
                "nexmark's events have no field \"\(column.name.text)\"",
                hint: "a table of all events has event_type, date_time, person, auction and bid",
                place: column.name.place)
        }
        guard case .row(let row) = column.type else {
            throw Failure(
                .invalid, "nexmark.type", "\"\(kind.name)\" is a row beside event_type",
                hint: "CREATE TYPE and declare it with that type", place: column.name.place)
        }
        for field in row.fields {
            guard let own = kind.fields.first(where: { $0.name == field.name }) else {
                throw Failure(
                    .invalid, "nexmark.field_unknown",
                    "nexmark's \(kind.name) has no field \"\(field.name)\"",
                    place: column.name.place)
            }
            try checkType(column, field.type, own.type)
        }
    }

    private func checkType(
        _ column: DeclaredColumn, _ declared: LogicalType, _ own: LogicalType
    ) throws(Failure) {
        guard declared != own else { return }
        throw Failure(
            .invalid, "nexmark.type",
            "nexmark's \"\(column.name.text)\" has \(own), not \(declared)",
            place: column.name.place)
    }

    var nexmarkOptions: NexmarkOptions {
        // 2026-01-01 00:00 UTC.
        let defaultStart: Int64 = 1_767_225_600_000_000
        return NexmarkOptions(
            events: options.number("events"), rate: options.number("rate") ?? 10_000,
            seed: options.number("seed") ?? 1,
            startTime: options.number("start_time") ?? defaultStart,
            partitions: Int(options.number("partitions") ?? 1),
            outOfOrder: Int(options.number("out_of_order") ?? 1),
            isPaced: options.boolean("pace") ?? false)
    }
}
