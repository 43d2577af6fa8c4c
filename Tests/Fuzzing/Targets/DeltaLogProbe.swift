// A Delta table's log: entries, a hint, checkpoints in any number, each damaged at will.

import Contracts
import DeltaTable
import Types

enum DeltaLogProbe {
    /// Parts the files of an input; the first byte of each says which it is.
    static let separator = Array("\n--\n".utf8)

    static func complaint(_ input: [UInt8]) -> String? {
        if let wrong = roundTrip(input) { return wrong }
        let log = DeltaLog(MemoryStore(files: files(input)))
        do throws(Failure) {
            guard let snapshot = try log.snapshot() else { return nil }
            _ = snapshot.markers(sink: "o")
            _ = snapshot.marker(DeltaWriterIdentity(pipelineID: "p", sink: "o"))
            let schema = try snapshot.schema()
            let partitions = snapshot.metadata.partitionColumns.compactMap(schema.index(of:))
            let shape = TableShape(schema: schema, partitionColumns: partitions)
            for file in snapshot.files.values { try read(file, shape, log.store) }
            guard try log.refresh(snapshot).version == snapshot.version else {
                return "a snapshot is not the newest"
            }
            return nil
        } catch {
            return nil
        }
    }

    private static func read(
        _ file: AddFile, _ shape: TableShape, _ store: any DeltaStore
    ) throws(Failure) {
        do throws(Failure) {
            let reader = try DataFileReader(file, shape, store: store)
            for group in 0..<reader.rowGroupCount { _ = try reader.read(group) }
        } catch where error.code == "delta.file_missing" {
            return
        }
    }

    /// What was understood is written and understood alike; but for deletion vectors, whose tables
    /// are not written.
    private static func roundTrip(_ input: [UInt8]) -> String? {
        guard let actions = try? DeltaAction.parse(input).filter({ action in
            if case .add(let file) = action { return !file.hasDeletionVector }
            return true
        }) else { return nil }
        guard let again = try? DeltaAction.parse(DeltaAction.entry(actions)) else {
            return "actions do not read after they were written"
        }
        return again == actions ? nil : "\(actions) became \(again)"
    }

    private static func files(_ input: [UInt8]) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        var version = 0
        for part in parts(input) {
            guard let kind = part.first else { continue }
            let name = String(repeating: "0", count: 20 - "\(version)".count) + "\(version)"
            let content = Array(part.dropFirst())
            switch kind {
            case UInt8(ascii: "H"): files["_delta_log/_last_checkpoint"] = content
            case UInt8(ascii: "C"):
                files["_delta_log/\(name).checkpoint.parquet"] = content
                version += 1
            case UInt8(ascii: "D"): files["d.parquet"] = content
            case UInt8(ascii: "-"): version += 1
            default:
                files["_delta_log/\(name).json"] = kind == UInt8(ascii: "{") ? part : content
                version += 1
            }
        }
        return files
    }

    private static func parts(_ input: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        var index = 0
        while index < input.count {
            if input[index...].starts(with: separator) {
                parts.append([])
                index += separator.count
            } else {
                parts[parts.count - 1].append(input[index])
                index += 1
            }
        }
        return parts
    }
}

/// A table's files in memory, to be read.
private struct MemoryStore: DeltaStore {
    let files: [String: [UInt8]]
    var location: String { "memory" }

    func list(_ folder: String, from start: String) throws(Failure) -> [DeltaStoreEntry] {
        files.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }
            .filter { $0 >= start }.sorted()
            .map { DeltaStoreEntry(name: $0, modificationTime: 0) }
    }

    func read(_ path: String) throws(Failure) -> [UInt8]? { files[path] }

    func read(_ path: String, _ range: Range<Int>) throws(Failure) -> [UInt8] {
        guard let file = files[path], range.upperBound <= file.count else { throw readOnly }
        return Array(file[range])
    }

    func byteCount(_ path: String) throws(Failure) -> Int? { files[path]?.count }
    func putIfAbsent(_ path: String, _ bytes: [UInt8]) throws(Failure) -> PutResult { throw readOnly }
    func put(_ path: String, _ bytes: [UInt8]) throws(Failure) { throw readOnly }
    func createDataFile(_ path: String) throws(Failure) -> any DeltaDataFile { throw readOnly }
    func synchronize(_ path: String) throws(Failure) { throw readOnly }
    func remove(_ path: String) throws(Failure) { throw readOnly }

    private var readOnly: Failure { Failure(.failed, "fuzz.read_only", "it is only read") }
}
