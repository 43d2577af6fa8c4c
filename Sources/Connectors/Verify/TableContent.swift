// The rows of a table's files, as the output that wrote them has them.

import Columns
public import Contracts
public import DeltaTable
public import Planning
import Kernels
import Types

public enum TableContent {
    /// Count and digest of the rows in some live files of a table.
    public static func digest(
        of files: [AddFile], in snapshot: DeltaSnapshot, _ store: any DeltaStore,
        _ output: OutputPlan
    ) throws(Failure) -> RowsDigest {
        guard case .delta(let options) = output.connector else { bug("rows of no table") }
        let shape = try snapshot.shape(
            for: TableShape(schema: output.schema, partitionColumns: options.partitionColumns))
        var columns: [Int] = []
        for field in output.schema.fields {
            columns.append(
                shape.schema.index(of: field.name).required("checked by shape(for:)"))
        }
        // Live rows, each once: of an updating output, too.
        let rows = RecomputedRows()
        for file in files.sorted(by: { $0.path < $1.path }) {
            let reader = try DataFileReader(file, shape, store: store)
            for group in 0..<reader.rowGroupCount {
                let batch = try reader.read(group, columns: columns)
                rows.append(hashRows(batch.columns, rowCount: batch.rowCount))
            }
        }
        return rows.digest
    }

    /// The store and the name of a table output, as the pipeline's commits use them.
    public static func table(
        of output: OutputPlan, pipelineID: String
    ) throws(Failure) -> (store: any DeltaStore, identity: DeltaWriterIdentity)? {
        guard case .delta(let options) = output.connector else { return nil }
        let store = LocalDeltaStore(try DeltaOutput.path(options.location, output))
        return (store, DeltaWriterIdentity(pipelineID: pipelineID, sink: output.name))
    }
}
