// An output's schema beside its table's: which columns go where.

public import Contracts
public import Types

/// What an output writes into a table: its columns and which of them partition it.
public struct TableShape: Sendable, Hashable {
    public let schema: Schema
    /// Positions in `schema`, in the table's order of partition columns.
    public let partitionColumns: [Int]

    public init(schema: Schema, partitionColumns: [Int]) {
        self.schema = schema
        self.partitionColumns = partitionColumns
    }

    public var partitionNames: [String] { partitionColumns.map { schema[$0].name } }

    /// Columns that stand in the data files.
    var dataColumns: [Int] {
        schema.fields.indices.filter { !partitionColumns.contains($0) }
    }

    var dataSchema: Schema { Schema(dataColumns.map { schema[$0] }) }
}

extension DeltaSnapshot {
    /// The table's columns with our types where the output has them (Delta has no uuid, json or
    /// time): the shape in which whole rows are read and rewritten. Throws if the output's rows do
    /// not fit the table.
    public func shape(for output: TableShape) throws(Failure) -> TableShape {
        let table = try schema()
        guard metadata.partitionColumns == output.partitionNames else {
            throw misfit(
                "is partitioned by (\(metadata.partitionColumns.joined(separator: ", "))), "
                    + "the output by (\(output.partitionNames.joined(separator: ", ")))")
        }
        for field in output.schema.fields where table.index(of: field.name) == nil {
            throw misfit("has no column \"\(field.name)\"")
        }
        let encoded = try DeltaSchema.decode(try DeltaSchema.encode(output.schema))
        var fields: [Field] = []
        for field in table.fields {
            guard let index = output.schema.index(of: field.name) else {
                guard field.isNullable else {
                    throw misfit("has the NOT NULL column \"\(field.name)\", the output has not")
                }
                fields.append(field)
                continue
            }
            guard encoded[index].type == field.type else {
                throw misfit(
                    "has column \"\(field.name)\" as \(field.type), the output as "
                        + "\(output.schema[index].type)")
            }
            guard field.isNullable || !output.schema[index].isNullable else {
                throw misfit("has column \"\(field.name)\" NOT NULL, the output's may be NULL")
            }
            fields.append(
                Field(field.name, output.schema[index].type, isNullable: field.isNullable))
        }
        let whole = Schema(fields)
        var partitions: [Int] = []
        for name in metadata.partitionColumns {
            guard let index = whole.index(of: name) else { throw misfit("lacks column \(name)") }
            partitions.append(index)
        }
        return TableShape(schema: whole, partitionColumns: partitions)
    }

    private func misfit(_ message: String) -> Failure {
        Failure(
            .invalid, "delta.schema_mismatch", "the table \(message)",
            hint: "write to another table, or change the query to fit")
    }
}
