// Checkpoints of any writer: classic, in parts, and V2 with sidecars (PROTOCOL.md "Checkpoints").

import Columns
import Contracts
import Parquet
import Types

struct CheckpointReader {
    let store: any DeltaStore

    func read(_ checkpoint: LogListing.Checkpoint) throws(Failure) -> [DeltaAction] {
        var actions: [DeltaAction] = []
        var sidecars: [String] = []
        for path in checkpoint.paths {
            guard let bytes = try store.read(path) else { throw missing(path) }
            if path.hasSuffix(".json") {
                try readJSON(bytes, &actions, &sidecars)
            } else {
                try readParquet(bytes, &actions, &sidecars)
            }
        }
        for name in sidecars {
            let path = name.contains("/") ? name : "\(DeltaLog.folder)/_sidecars/\(name)"
            guard let bytes = try store.read(path) else { throw missing(path) }
            var inner: [String] = []
            try readParquet(bytes, &actions, &inner)
        }
        return actions
    }

    private func missing(_ path: String) -> Failure {
        Failure(.failed, "delta.checkpoint", "a checkpoint lacks its part \(path)")
    }

    private func readJSON(
        _ bytes: [UInt8], _ actions: inout [DeltaAction], _ sidecars: inout [String]
    ) throws(Failure) {
        for line in bytes.split(separator: 0x0a) {
            let document = try JSONValue(parsing: Array(line))
            for member in document.members ?? [] {
                if member.name == "sidecar" {
                    if let path = member.value["path"]?.string {
                        sidecars.append(FilePath.decode(path))
                    }
                } else {
                    actions.append(try DeltaAction(member.name, member.value))
                }
            }
        }
    }

    private func readParquet(
        _ bytes: [UInt8], _ actions: inout [DeltaAction], _ sidecars: inout [String]
    ) throws(Failure) {
        let reader = try ParquetReader(bytes)
        let kinds = ["protocol", "metaData", "add", "remove", "txn", "domainMetadata", "sidecar"]
        let columns = kinds.compactMap { reader.schema.index(of: $0) }
        for group in 0..<reader.rowGroupCount {
            let batch = try reader.readRowGroup(group, columns: columns)
            for (position, column) in batch.columns.enumerated() {
                let kind = reader.schema[columns[position]].name
                for row in 0..<batch.rowCount where column.isValid(row) {
                    let value = json(column, row)
                    if kind == "sidecar" {
                        if let path = value["path"]?.string {
                            sidecars.append(FilePath.decode(path))
                        }
                    } else {
                        actions.append(try DeltaAction(kind, value))
                    }
                }
            }
        }
    }

    /// A checkpoint's structs have the members of the JSON actions: as JSON they are read by the
    /// same code. The parsed statistics, which repeat `stats`, are left out.
    private func json(_ column: Column, _ row: Int) -> JSONValue {
        guard column.isValid(row) else { return .null }
        switch column.values {
        case .bool(let values): return .bool(values[row])
        case .int64(let values): return .integer(values[row])
        case .float64(let values): return .number(String(values[row]))
        case .int128(let values): return .integer(values[row])
        case .bytes(let bytes): return .string(bytes.string(row))
        case .list(let list):
            let range = list.ranges[row]
            let rows = range.lowerBound..<range.upperBound
            guard case .row(let entry) = list.element.type, entry.fields.count == 2,
                entry.fields[0].name == "key"
            else { return .array(rows.map { json(list.element, $0) }) }
            return .object(
                rows.map { row in
                    let pair = members(list.element, row)
                    return .init(pair.first?.value.string ?? "", pair.last?.value ?? .null)
                })
        case .row: return .object(members(column, row))
        case .interval, .null: return .null
        }
    }

    private func members(_ column: Column, _ row: Int) -> [JSONValue.Member] {
        guard case .row(let fields) = column.values, case .row(let type) = column.type else {
            return []
        }
        var members: [JSONValue.Member] = []
        for (index, field) in type.fields.enumerated() where !field.name.hasSuffix("_parsed") {
            members.append(.init(field.name, json(fields.fields[index], row)))
        }
        return members
    }
}
