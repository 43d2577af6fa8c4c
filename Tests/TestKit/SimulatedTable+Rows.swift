// The live rows of a simulated table, for comparison. Other people's readers judge our files
// elsewhere; here the log and the protocol are what is tested.

import Columns
import DeltaTable
import Progress
import Types

/// A row's values as text, between bars; times in µs.
typealias RowText = String

extension SimulatedTable {
    /// Each live row as text. Throws where a live file is missing or damaged.
    func rows() throws -> [RowText] {
        let view = SimulatedTableView(self, by: nil)
        guard let snapshot = try DeltaLog(view).snapshot() else { return [] }
        let shape = TableShape(schema: try snapshot.schema(), partitionColumns: [])
        var rows: [RowText] = []
        for file in snapshot.files.values {
            let reader = try DataFileReader(file, shape, store: view)
            for group in 0..<reader.rowGroupCount {
                let batch = try reader.read(group)
                for row in 0..<batch.rowCount {
                    rows.append(
                        zip(batch.columns, shape.schema.fields).map {
                            text($0.scalar(row), isText: $1.type == .text)
                        }.joined(separator: "|"))
                }
            }
        }
        return rows
    }

    /// Where the sources stood as of the newest entry of a pipeline's output; nil: it has none.
    func offsets(pipelineID: String, sink: String) throws -> [PartitionOffset]? {
        let view = SimulatedTableView(self, by: nil)
        guard let snapshot = try DeltaLog(view).snapshot() else { return nil }
        let writer = DeltaWriterIdentity(pipelineID: pipelineID, sink: sink)
        return snapshot.marker(writer) == nil ? nil : snapshot.offsets(writer)
    }

    private func text(_ scalar: Scalar, isText: Bool) -> String {
        switch scalar {
        case .null: nullText
        case .bool(let value): "\(value)"
        case .int64(let value): String(value)
        case .int128(let value): String(value)
        case .float64(let value): "\(value)"
        case .bytes(let bytes):
            isText ? String(decoding: bytes, as: UTF8.self) : "\(bytes)"
        case .list(let values):
            "[" + values.map { text($0, isText: true) }.joined(separator: ", ") + "]"
        case .row(let values):
            "(" + values.map { text($0, isText: true) }.joined(separator: ", ") + ")"
        case .interval(let value): "\(value)"
        }
    }
}
