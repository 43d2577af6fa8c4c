// A window function in FROM without a windowed aggregate over it: each row once per window, with
// the window's bounds behind its columns.
//
// A row is handed on for exactly those windows whose end > B (dialect.md §1.2), so that whatever
// groups by the bounds later meets no window that it has closed. Conservation: in + made = out +
// filtered + late + dead, where made are the copies for second and further windows.

import Columns
import Contracts
import Kernels
import Planning
import Progress
import State
import Types

final class AssignWindowsOperator: Operator {
    private let operatorID: UInt64
    private let window: Window
    private let schema: Schema
    private let shape: WindowShape
    private var minimum = EventTime.never

    init(_ window: Window, node: PlanNode) {
        operatorID = node.operatorID
        self.window = window
        schema = node.schema
        shape = WindowShape(window.kind)
            .required("windows without fixed bounds are assigned by their aggregate")
    }

    func push(_ batch: Batch, input: Int, into output: inout OperatorOutput) {
        output.counters.rowsIn += Int64(batch.rowCount)
        let admission = WindowAdmission(shape: shape, window: window, splitsWindows: true)
        let panes = admission.admit(batch, minimum: minimum, into: &output)
        var rows: [Int32] = []
        var ends: [Int64] = []
        for pane in panes {
            rows.append(contentsOf: pane.rows)
            ends.append(contentsOf: repeatElement(pane.lastEnd, count: pane.rows.count))
        }
        // Back to the rows' order: last wins by it (dialect.md §2.4).
        let order = rows.indices.sorted { (rows[$0], ends[$0]) < (rows[$1], ends[$1]) }
        let picked = batch.gather(order.map { rows[$0] })
        let orderedEnds = order.map { ends[$0] }
        let bounds = [orderedEnds.map(shape.start(ofEnd:)), orderedEnds]
        var columns = picked.columns
        for bound in bounds {
            columns.append(Column(schema.types[columns.count], .int64(bound)))
        }
        output.emit(picked.replacing(columns: columns))
    }

    func advance(to minimum: Int64, into output: inout OperatorOutput) {
        self.minimum = max(self.minimum, minimum)
    }

    func flush(into output: inout OperatorOutput) {}
    func snapshot() -> StateDelta { StateDelta(operatorID: operatorID) }

    func restore(
        from reader: any StateReader, groups: Range<Int>, minimum: Int64, memoryLimit: Int
    ) throws {
        self.minimum = minimum
    }

    var held: HeldState { HeldState() }
}
