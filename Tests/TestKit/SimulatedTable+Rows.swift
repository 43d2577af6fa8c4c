// The live rows of a simulated table, for comparison. Other people's readers judge our files
// elsewhere; here the log and the protocol are what is tested.

import Columns
import DeltaTable
import Types

extension SimulatedTable {
    /// Each live row as text. Throws where a live file is missing or damaged.
    func rows() throws -> [RowText] {
        guard let snapshot = try DeltaLog(self).snapshot() else { return [] }
        let shape = TableShape(schema: try snapshot.schema(), partitionColumns: [])
        var rows: [RowText] = []
        for file in snapshot.files.values {
            let reader = try DataFileReader(file, shape, store: self)
            for group in 0..<reader.rowGroupCount {
                let batch = try reader.read(group)
                for row in 0..<batch.rowCount {
                    rows.append(batch.columns.map { text($0.scalar(row)) }.joined(separator: "|"))
                }
            }
        }
        return rows
    }

    private func text(_ scalar: Scalar) -> String {
        switch scalar {
        case .null: nullText
        case .int64(let value): String(value)
        case .int128(let value): String(value)
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        default: "\(scalar)"
        }
    }
}
