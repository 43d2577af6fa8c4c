// What a Delta table can be made of, and what its partition columns can hold (PROTOCOL.md,
// "Partition Value Serialization").

import Contracts
import Kernels
import Types

extension OptionValues {
    /// The sink for rows of `schema`, upserted by `key` if there is one. Throws for types that
    /// Delta lacks, or that can be no key or partition.
    func deltaSink(_ schema: Schema, _ key: [Int]?) throws(Failure) -> DeltaSinkOptions {
        for field in schema.fields where Self.containsInterval(field.type) {
            throw Failure(
                .invalid, "sql.type_refused", "Delta has no interval: column \"\(field.name)\"",
                hint: "cast it: extract(epoch from …), or to text", place: place)
        }
        try schema.checkDeltaNames(place: place)
        for column in key ?? [] where schema[column].type.isNested {
            let field = schema[column]
            throw Failure(
                .invalid, "sql.key_type",
                "a \(field.type) can be no key of a Delta table: column \"\(field.name)\"",
                hint: "key by its parts, or cast it to text", place: place)
        }
        let partition = try columns("partition_by", schema) ?? []
        let partitionPlace = given["partition_by"]?.place ?? place
        for column in partition where schema[column].type.isNested {
            let field = schema[column]
            throw Failure(
                .invalid, "option.partition_type",
                "a \(field.type) can't partition: column \"\(field.name)\"",
                hint: "partition by a part of it", place: partitionPlace)
        }
        guard partition.count < schema.count else {
            throw Failure(
                .invalid, "option.partition_all",
                "a Delta table needs a column beside its partition columns",
                place: partitionPlace)
        }
        return DeltaSinkOptions(
            location: try required("location"), partitionColumns: partition,
            targetFileSize: number("target_file_size") ?? 128 << 20,
            compression: text("compression").flatMap(DeltaSinkOptions.Compression.init) ?? .zstd)
    }
}

extension LogicalType {
    fileprivate var isNested: Bool {
        switch self {
        case .array, .row: true
        default: false
        }
    }
}

extension SinkConnector {
    /// What the connector's own format asks of rows, beside the table's contract: a row that breaks
    /// it is refused alone (dialect.md §4.5).
    func constraints(_ schema: Schema, place: SourcePlace?) -> [SourceConstraint] {
        guard case .delta(let delta) = self else { return [] }
        return delta.partitionColumns.compactMap { column in
            schema[column].partitionConstraint(column, place: place)
        }
    }
}

extension Field {
    private static let day: Int64 = 86_400_000_000

    /// nil: every value of the type can stand in a partition's path.
    fileprivate func partitionConstraint(_ column: Int, place: SourcePlace?) -> SourceConstraint? {
        let own = Expression.column(column, type)
        switch type {
        case .text, .json, .bytea:
            // Delta reads an empty text back as NULL.
            if isNullable { return nil }
            return SourceConstraint(
                name: name, reason: .notNull,
                condition: .comparing(own, "<>", .constant(.bytes([]), type)),
                detail: "partition column \(name) is empty, which in Delta is NULL", place: place)
        case .date, .timestamp, .timestamptz:
            let first = CivilTime.daysFromCivil(year: 1, month: 1, day: 1)
            let next = CivilTime.daysFromCivil(year: 10_000, month: 1, day: 1)
            let unit = type == .date ? 1 : Self.day
            return SourceConstraint(
                name: name, reason: .outOfRange,
                condition: .and([
                    .comparing(own, ">=", .constant(.int64(first * unit), type)),
                    .comparing(own, "<", .constant(.int64(next * unit), type)),
                ]),
                detail: "partition column \(name) is outside the years 1 to 9999", place: place)
        default: return nil
        }
    }
}
