// Parquet files: rows as many as the file says, in columns that can be walked to their ends.

import Columns
import Contracts
import Parquet
import State
import Types

enum ParquetProbe {
    static func complaint(_ input: [UInt8]) -> String? {
        do throws(Failure) {
            let reader = try ParquetReader(input)
            for group in 0..<reader.rowGroupCount {
                let batch = try reader.readRowGroup(group)
                guard batch.rowCount == reader.rowCount(ofRowGroup: group) else {
                    return "row group \(group) has \(batch.rowCount) rows"
                }
                for (column, field) in zip(batch.columns, reader.schema.fields) {
                    guard column.count == batch.rowCount else {
                        return "column \(field.name) has \(column.count) of \(batch.rowCount) rows"
                    }
                    _ = RowCodec([field.type], form: .exact).encode([column], rowCount: column.count)
                }
            }
            return nil
        } catch {
            return error.kind == .failed ? nil : "\(error.code) is of kind \(error.kind.rawValue)"
        }
    }
}
