// The time model's queries as plan nodes, with the lags that rule 6 gives (dialect.md §1.6).

import Columns
import Contracts
import Kernels
import Planning
import Progress
import State
import Types

/// Rows between nodes are columns key, time, value; a windowed result is key, window_start,
/// window_end, count, value.
enum ModelPlans {
    typealias Query = TimeModelCase.Query

    /// The lag of a time column of a query's result.
    static func lag(_ query: Query, _ column: String) -> Int64 {
        switch query.op {
        case "source": return 0
        case "where", "group_by_window": return lag(query.inputs[0], column)
        case "union_all": return query.times.indices.map { inputLag(query, $0) }.max() ?? 0
        case "session": return inputLag(query, 0)
        default: return inputLag(query, 0) + (column == "window_start" ? query.size ?? 0 : 0)
        }
    }

    static func inputLag(_ query: Query, _ number: Int) -> Int64 {
        lag(query.inputs[number], query.times[number])
    }

    static let rowSchema = Schema([
        Field("key", .bigint), Field("time", .timestamptz), Field("value", .bigint),
    ])
    static let windowSchema = Schema([
        Field("key", .bigint), Field("window_start", .timestamptz),
        Field("window_end", .timestamptz), Field("count", .bigint), Field("value", .bigint),
    ])

    static func node(_ query: Query, index: Int, operatorID: UInt64) -> PlanNode {
        let (kind, schema) = kind(query)
        return PlanNode(
            index: index, kind: kind, inputs: [], schema: schema, operatorID: operatorID,
            exchange: query.inputs.map { _ in .hash([0]) }, change: .appendOnly, place: nil)
    }

    private static func kind(_ query: Query) -> (PlanNodeKind, Schema) {
        switch query.op {
        case "where": return (.filter(.column(3, .boolean)), rowSchema)
        case "union_all": return (.unionAll, rowSchema)
        case "group_by_window":
            let window = Window(kind: .existing, timeColumn: 2, lag: inputLag(query, 0))
            return (
                .windowAggregate(aggregate(window, keys: [0, 1, 2], value: 4)), windowSchema
            )
        default:
            let window = Window(
                kind: windowKind(query), timeColumn: 1, lag: inputLag(query, 0))
            return (.windowAggregate(aggregate(window, keys: [0], value: 2)), windowSchema)
        }
    }

    private static func windowKind(_ query: Query) -> Window.Kind {
        let (size, origin) = (query.size ?? 0, query.origin ?? 0)
        return switch query.op {
        case "hop": .hop(slide: query.slide ?? 0, size: size, origin: origin)
        case "cumulate": .cumulate(step: query.step ?? 0, size: size, origin: origin)
        case "session": .session(gap: query.gap ?? 0)
        default: .tumble(size: size, origin: origin)
        }
    }

    private static func aggregate(_ window: Window, keys: [Int], value: Int) -> WindowAggregate {
        WindowAggregate(
            window: window, keys: keys,
            aggregates: [
                AggregateCall(
                    function: .countStar, arguments: [], argumentTypes: [], isDistinct: false,
                    filter: nil, ordering: [], type: .bigint, place: nil),
                AggregateCall(
                    function: .sum, arguments: [value], argumentTypes: [.integer],
                    isDistinct: false, filter: nil, ordering: [], type: .bigint, place: nil),
            ], emitsChanges: false, lateOutput: nil)
    }

    /// A batch as the columns that a query reads: the projection that the planner would put there.
    static func read(_ batch: Batch, by query: Query, input: Int) -> Batch {
        let isWindowed = batch.columns.count == 5
        switch query.op {
        case "group_by_window":
            let zeros = Column(.bigint, .int64(Array(repeating: 0, count: batch.rowCount)))
            return batch.replacing(columns: [zeros] + batch.columns.dropFirst())
        case "where":
            guard case .int64(let values) = batch.columns[2].values else { return batch }
            let passes = values.map { $0 >= query.at_least ?? 0 }
            return batch.replacing(columns: batch.columns + [Column(.boolean, .bool(passes))])
        default:
            guard isWindowed else {
                return batch.replacing(columns: Array(batch.columns.prefix(3)))
            }
            let time = query.times[input] == "window_start" ? 1 : 2
            return batch.replacing(
                columns: [batch.columns[0], batch.columns[time], batch.columns[4]])
        }
    }

    /// key, time, value of a late row.
    static func lateText(_ batch: Batch, _ row: Int, _ query: Query) -> String {
        let columns = query.op == "group_by_window" ? [0, 2, 4] : [0, 1, 2]
        return columns.map { column in
            if case .int64(let value) = batch.columns[column].scalar(row) { return "\(value)" }
            return "-"
        }.joined(separator: " ")
    }
}
