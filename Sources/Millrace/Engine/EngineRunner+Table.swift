// `millrace table show` and `millrace table history`: what a table's own log says about it.

import Contracts
import DeltaTable
import Foundation
import Progress
import Types

extension EngineRunner {
    public func tableShow(_ command: TableShowCommand, _ terminal: Terminal) async throws -> Int32 {
        let snapshot = try openedTable(command.location).snapshot
        let description = TableDescription(location: command.location, snapshot: snapshot)
        terminal.write(
            try command.printsJSON ? description.json.text + "\n" : description.text())
        return 0
    }

    public func tableHistory(
        _ command: TableHistoryCommand, _ terminal: Terminal
    ) async throws -> Int32 {
        let log = try openedTable(command.location).log
        let versions = try log.history(limit: command.limit ?? .max)
        guard !command.printsJSON else {
            let document = JSONValue.object([
                .init("location", .string(command.location)),
                .init("commits", .array(versions.map(\.json))),
            ])
            terminal.write(document.text + "\n")
            return 0
        }
        for version in versions { terminal.write(version.line + "\n") }
        return 0
    }
}

/// The table of a folder or a `file:` URI. Throws where there is none.
func openedTable(_ location: String) throws(Failure) -> (log: DeltaLog, snapshot: DeltaSnapshot) {
    var path = location
    for scheme in ["file://", "file:"] where path.hasPrefix(scheme) {
        path = String(path.dropFirst(scheme.utf8.count))
    }
    guard !path.contains("://") else {
        throw Failure(
            .invalid, "table.location", "\"\(location)\" is no local folder",
            hint: "this version reads tables on local file systems")
    }
    let log = DeltaLog(LocalDeltaStore(path))
    guard let snapshot = try log.snapshot() else {
        throw Failure(
            .failed, "table.missing", "there is no Delta table at \(location)",
            hint: "a table is a folder with a _delta_log in it")
    }
    do {
        _ = try snapshot.schema()
    } catch {
        throw Failure(
            .failed, error.code, "\(location), version \(snapshot.version): \(error.message)",
            hint: error.hint ?? "the table's metaData is damaged: restore its log from a backup")
    }
    return (log, snapshot)
}

/// A table at its newest version, as `table show` prints it.
private struct TableDescription {
    let location: String
    let snapshot: DeltaSnapshot

    func text() throws(Failure) -> String {
        var lines = [
            "table       \(location)", "version     \(snapshot.version)",
            "files       \(snapshot.files.count), \(snapshot.byteCount) bytes",
            "rows        \(snapshot.rowCount.map(String.init) ?? "unknown")",
        ]
        let partitions = snapshot.metadata.partitionColumns
        if !partitions.isEmpty { lines.append("partitions  \(partitions.joined(separator: ", "))") }
        let schema = try snapshot.schema()
        let width = schema.fields.map(\.name.count).max() ?? 0
        lines.append("columns")
        for field in schema.fields {
            let name = field.name.padding(toLength: width, withPad: " ", startingAt: 0)
            lines.append("  \(name)  \(field.type)\(field.isNullable ? "" : " NOT NULL")")
        }
        if !snapshot.metadata.configuration.isEmpty {
            lines.append("properties")
            for (name, value) in snapshot.metadata.configuration.sorted(by: { $0.key < $1.key }) {
                lines.append("  \(name) = \(value)")
            }
        }
        if !snapshot.writers.isEmpty { lines.append("written by") }
        for writer in snapshot.writers {
            lines.append(
                "  \(writer.sink) of pipeline \(writer.pipelineID), "
                    + "generation \(writer.marker.generation), epoch \(writer.marker.epoch)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    var json: JSONValue {
        get throws(Failure) {
            let schema = try JSONValue(parsing: snapshot.metadata.schemaString)
            let properties = snapshot.metadata.configuration.sorted { $0.key < $1.key }
            return .object([
                .init("location", .string(location)),
                .init("version", .integer(snapshot.version)),
                .init("schema", schema),
                .init(
                    "partition_columns",
                    .array(snapshot.metadata.partitionColumns.map { .string($0) })),
                .init("files", .integer(snapshot.files.count)),
                .init("bytes", .integer(snapshot.byteCount)),
                .init("rows", snapshot.rowCount.map { .integer($0) } ?? .null),
                .init(
                    "properties", .object(properties.map { .init($0.key, .string($0.value)) })),
                .init("writers", .array(snapshot.writers.map(\.json))),
            ])
        }
    }
}

extension DeltaWriter {
    fileprivate var json: JSONValue {
        .object([
            .init("pipeline", .string(pipelineID)), .init("sink", .string(sink)),
            .init("generation", .integer(marker.generation)),
            .init("epoch", .integer(marker.epoch)),
        ])
    }
}

extension DeltaVersion {
    fileprivate var line: String {
        var parts = [
            "version \(version)", time, operation,
            "+\(addedFiles) −\(removedFiles) files",
            "+\(addedRows.map(String.init) ?? "?") rows, \(addedBytes) bytes",
        ]
        if let first = markers.first, let last = markers.last {
            let epochs = first == last ? "\(last.epoch)" : "\(first.epoch)–\(last.epoch)"
            parts.append("\(sink ?? "?") generation \(last.generation) epoch \(epochs)")
        } else if let engine {
            parts.append(engine)
        }
        if let offsets { parts.append("offsets \(offsets.text)") }
        return parts.joined(separator: "  ")
    }

    fileprivate var json: JSONValue {
        func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        return .object([
            .init("version", .integer(version)), .init("time", .string(time)),
            .init("operation", .string(operation)), .init("engine", optional(engine)),
            .init("added_files", .integer(addedFiles)),
            .init("removed_files", .integer(removedFiles)),
            .init("added_bytes", .integer(addedBytes)),
            .init("added_rows", addedRows.map { .integer($0) } ?? .null),
            .init("pipeline", optional(pipelineID)), .init("sink", optional(sink)),
            .init("generation", markers.last.map { .integer($0.generation) } ?? .null),
            .init("epochs", .array(markers.map { .integer($0.epoch) })),
            .init("offsets", offsets ?? .null),
        ])
    }

    private var time: String {
        Date(timeIntervalSince1970: Double(timestamp) / 1_000).formatted(.iso8601)
    }
}
