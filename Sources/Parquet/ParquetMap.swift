// Maps as arrays of rows: this engine has no map type, Delta's checkpoints need one.

public import Types

/// Maps, which this engine has no type for: arrays of (key, value) rows under a reserved row name,
/// written and read as Parquet's MAP.
public enum ParquetMap {
    private static let entryName = "parquet.map.entry"

    public static func type(key: LogicalType, value: LogicalType) -> LogicalType {
        .array(
            .row(
                RowType(
                    name: entryName,
                    fields: [Field("key", key, isNullable: false), Field("value", value)])))
    }

    /// The types of a map's keys and values; nil for anything else.
    public static func types(_ type: LogicalType) -> (key: LogicalType, value: LogicalType)? {
        guard case .array(.row(let row)) = type, row.name == entryName, row.fields.count == 2 else {
            return nil
        }
        return (row.fields[0].type, row.fields[1].type)
    }
}
