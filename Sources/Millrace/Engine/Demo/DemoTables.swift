// What lies in the demo's tables, read from their own logs and files.

import Columns
package import Contracts
import DeltaTable
import Types

/// The three tables of `topologies/hot_auctions.sql`.
package struct DemoTables: Sendable {
    package let groups: [DemoExpectation.Group: DemoExpectation.Result]
    /// Rows of `hot_auctions`; more than `groups` where a group stands there twice.
    package let rows: Int64
    package let files: Int
    package let version: Int64
    package let late: Int64
    package let dead: [DataErrorReason: Int64]

    package init(
        groups: [DemoExpectation.Group: DemoExpectation.Result], rows: Int64, files: Int,
        version: Int64, late: Int64, dead: [DataErrorReason: Int64]
    ) {
        self.groups = groups
        self.rows = rows
        self.files = files
        self.version = version
        self.late = late
        self.dead = dead
    }

    /// Reads the tables under a folder. One that was never written has no rows.
    init(lake: String) throws(Failure) {
        let auctions = try DemoTable(
            "\(lake)/hot_auctions", ["window_start", "auction", "bids", "total", "top"])
        var groups: [DemoExpectation.Group: DemoExpectation.Result] = [:]
        for batch in auctions.batches {
            guard case .int64(let starts) = batch.columns[0].values,
                case .int64(let ids) = batch.columns[1].values,
                case .int64(let bids) = batch.columns[2].values,
                case .int128(let totals) = batch.columns[3].values,
                case .int64(let tops) = batch.columns[4].values
            else { throw DemoTable.misshapen("hot_auctions") }
            for row in 0..<batch.rowCount {
                groups[.init(windowStart: starts[row], auction: ids[row])] =
                    .init(bids: bids[row], total: totals[row], top: tops[row])
            }
        }
        let refused = try DemoTable("\(lake)/dead_bids", ["reason"])
        var dead: [DataErrorReason: Int64] = [:]
        for batch in refused.batches {
            guard case .bytes(let reasons) = batch.columns[0].values else {
                throw DemoTable.misshapen("dead_bids")
            }
            for row in 0..<batch.rowCount {
                guard let reason = DataErrorReason(rawValue: reasons.string(row)) else {
                    throw DemoTable.misshapen("dead_bids")
                }
                dead[reason, default: 0] += 1
            }
        }
        self.init(
            groups: groups, rows: auctions.rows, files: auctions.files,
            version: auctions.version, late: try DemoTable("\(lake)/late_bids", []).rows,
            dead: dead)
    }
}

/// Some columns of a table's newest version.
private struct DemoTable {
    var batches: [Batch] = []
    var rows: Int64 = 0
    var files = 0
    var version: Int64 = -1

    init(_ location: String, _ names: [String]) throws(Failure) {
        let store = LocalDeltaStore(location)
        guard let snapshot = try DeltaLog(store).snapshot() else { return }
        let schema = try snapshot.schema()
        let columns = names.compactMap { schema.index(of: $0) }
        guard columns.count == names.count else { throw DemoTable.misshapen(location) }
        let partitions = snapshot.metadata.partitionColumns.compactMap { schema.index(of: $0) }
        let shape = TableShape(schema: schema, partitionColumns: partitions)
        for file in snapshot.files.values.sorted(by: { $0.path < $1.path }) {
            let reader = try DataFileReader(file, shape, store: store)
            for group in 0..<reader.rowGroupCount {
                let batch = try reader.read(group, columns: columns)
                rows += Int64(batch.rowCount)
                batches.append(batch)
            }
        }
        files = snapshot.files.count
        version = snapshot.version
    }

    static func misshapen(_ location: String) -> Failure {
        Failure(
            .failed, "demo.table", "the table \(location) has other columns than the demo's",
            hint: "was topologies/hot_auctions.sql changed?")
    }
}
