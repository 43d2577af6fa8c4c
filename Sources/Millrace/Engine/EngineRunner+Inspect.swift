// `millrace checkpoint list`: the epochs that a state directory remembers.

import Contracts
import Foundation
import Progress
import RocksState

extension EngineRunner {
    public func checkpointList(
        _ command: CheckpointListCommand, _ terminal: Terminal
    ) async throws -> Int32 {
        let path = stateDirectory(command.file, command.stateDirectory)
        let directory = try StateDirectory.inspect(path: path)
        let records = try directory.history()
        let offsets = try directory.offsets()
        let kept = Set(StateDirectory.retained(in: path).map(\.marker))
        if command.printsJSON {
            let next = offsets.map { offset in
                "{\"source\":\(JSONText.quoted(offset.source)),"
                    + "\"partition\":\(JSONText.quoted(offset.partition)),\"next\":\(offset.next)}"
            }
            terminal.write(
                "{\"pipeline\":\(JSONText.quoted(directory.identity.pipelineID)),"
                    + "\"generation\":\(directory.identity.generation),"
                    + "\"checkpoints\":[\(records.map { json($0, kept) }.joined(separator: ","))],"
                    + "\"offsets\":[\(next.joined(separator: ","))]}\n")
            return 0
        }
        terminal.write(
            "pipeline \(directory.identity.pipelineID), "
                + "generation \(directory.identity.generation)\n")
        for record in records {
            let ended = record.hasEnded ? ", ended" : ""
            let isKept = isKept(record, kept) ? ", kept" : ""
            terminal.write(
                "epoch \(record.marker.epoch)  generation \(record.marker.generation)  "
                    + "\(time(record.writtenAt))  \(record.byteCount) bytes, "
                    + "\(record.outputRows) rows out\(ended)\(isKept)\n")
        }
        for offset in offsets {
            terminal.write("  \(offset.source)/\(offset.partition) next \(offset.next)\n")
        }
        return 0
    }

    /// The default one of a topology, unless `--state` names another.
    func stateDirectory(_ file: String?, _ named: String?) -> String {
        named ?? ".millrace/\(LoadedTopology.name(of: file.required("a file or --state")))"
    }

    private func isKept(_ record: EpochRecord, _ kept: Set<Marker>) -> Bool {
        var name = record.marker
        name.incarnation = 0
        return kept.contains(name)
    }

    private func json(_ record: EpochRecord, _ kept: Set<Marker>) -> String {
        let counts = record.counts.sorted { $0.key < $1.key }.map { place, counts in
            let members = counts.sorted { $0.key < $1.key }
                .map { "\(JSONText.quoted($0.key)):\($0.value)" }
            return "\(JSONText.quoted(place)):{\(members.joined(separator: ","))}"
        }
        return "{\"generation\":\(record.marker.generation),\"epoch\":\(record.marker.epoch),"
            + "\"written_at\":\(JSONText.quoted(time(record.writtenAt))),"
            + "\"bytes\":\(record.byteCount),\"output_rows\":\(record.outputRows),"
            + "\"ended\":\(record.hasEnded),\"conserved\":\(record.isConserved),"
            + "\"kept\":\(isKept(record, kept)),"
            + "\"counts\":{\(counts.joined(separator: ","))}}"
    }

    private func time(_ microseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(microseconds) / 1_000_000).formatted(.iso8601)
    }
}
