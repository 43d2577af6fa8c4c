// A Delta table's files in memory, with what a file system may forget.

import Contracts
import DeltaTable

/// because: a simulation runs on one thread.
final class SimulatedTable: DeltaStore, @unchecked Sendable {
    private struct File {
        var bytes: [UInt8]
        /// Whether bytes and name survive a power loss.
        var isDurable: Bool
        /// ms since 1970.
        let time: Int64
    }

    let location: String
    private let world: SimulatedWorld
    private var files: [String: File] = [:]

    init(_ location: String, world: SimulatedWorld) {
        self.location = location
        self.world = world
    }

    /// What a crash leaves: after a power loss each file that was not synced is whole or gone.
    func crash(_ kind: CrashKind) {
        guard kind == .powerLoss else { return }
        for path in files.keys.sorted() where files[path]?.isDurable == false {
            if world.random.isOneIn(2) {
                files[path] = nil
            } else {
                files[path]?.isDurable = true
            }
        }
    }

    /// Another writer's commit, if the table is there: it takes the next version.
    func commitForeign() {
        let log = files.keys.filter { $0.hasPrefix("_delta_log/") && $0.hasSuffix(".json") }
        guard let newest = log.max(), let version = Int(newest.dropFirst(11).dropLast(5)) else {
            return
        }
        let digits = String(version + 1)
        let name = String(repeating: "0", count: 20 - digits.count) + digits
        let entry = """
            {"commitInfo":{"timestamp":\(world.now / 1_000),"operation":"OTHER"}}
            {"txn":{"appId":"somebody","version":\(version)}}

            """
        files["_delta_log/\(name).json"] = File(
            bytes: Array(entry.utf8), isDurable: true, time: world.now / 1_000)
        syncLog()
    }

    /// A log entry's bytes are synced before its name is linked; a sync of the folder, by whomever,
    /// makes all names in it durable.
    private func syncLog() {
        for path in files.keys where path.hasPrefix("_delta_log/") {
            files[path]?.isDurable = true
        }
    }

    func list(_ folder: String, from start: String) throws(Failure) -> [DeltaStoreEntry] {
        try world.requireUp()
        let prefix = folder.isEmpty ? "" : folder + "/"
        return files.keys.sorted().compactMap { path in
            guard path.hasPrefix(prefix), let file = files[path] else { return nil }
            let name = String(path.dropFirst(prefix.count))
            guard !name.contains("/"), name >= start else { return nil }
            return DeltaStoreEntry(name: name, modificationTime: file.time)
        }
    }

    func read(_ path: String) throws(Failure) -> [UInt8]? {
        try world.requireUp()
        return files[path]?.bytes
    }

    func read(_ path: String, _ range: Range<Int>) throws(Failure) -> [UInt8] {
        try world.requireUp()
        guard let bytes = files[path]?.bytes, range.upperBound <= bytes.count else {
            throw Failure(.failed, "simulation.read", "\(path) has no bytes \(range)")
        }
        return Array(bytes[range])
    }

    func byteCount(_ path: String) throws(Failure) -> Int? {
        try world.requireUp()
        return files[path]?.bytes.count
    }

    func putIfAbsent(_ path: String, _ bytes: [UInt8]) throws(Failure) -> PutResult {
        let isNew = try world.perform("link \(location)/\(path)") { () throws(Failure) in
            guard files[path] == nil else { return false }
            files[path] = File(bytes: bytes, isDurable: false, time: world.now / 1_000)
            return true
        }
        guard isNew else { return .exists }
        try synchronize(path)
        return .created
    }

    func put(_ path: String, _ bytes: [UInt8]) throws(Failure) {
        try world.perform("put \(location)/\(path)") { () throws(Failure) in
            files[path] = File(bytes: bytes, isDurable: true, time: world.now / 1_000)
        }
    }

    func createDataFile(_ path: String) throws(Failure) -> any DeltaDataFile {
        try world.perform("create \(location)/\(path)") { () throws(Failure) in
            guard files[path] == nil else {
                throw Failure(.failed, "simulation.exists", "\(path) is written twice")
            }
            files[path] = File(bytes: [], isDurable: false, time: world.now / 1_000)
        }
        return SimulatedDataFile(self, path)
    }

    func synchronize(_ path: String) throws(Failure) {
        try world.performSync("sync \(location)/\(path)") { () throws(Failure) in
            files[path]?.isDurable = true
            if path.hasPrefix("_delta_log/") { syncLog() }
        }
    }

    func remove(_ path: String) throws(Failure) {
        try world.perform("remove \(location)/\(path)") { () throws(Failure) in
            files[path] = nil
        }
    }

    fileprivate func append(_ bytes: [UInt8], to path: String) throws(Failure) {
        try world.requireUp()
        files[path]?.bytes += bytes
    }
}

private final class SimulatedDataFile: DeltaDataFile {
    private let table: SimulatedTable
    private let path: String

    init(_ table: SimulatedTable, _ path: String) {
        self.table = table
        self.path = path
    }

    func append(_ bytes: [UInt8]) throws(Failure) { try table.append(bytes, to: path) }
    func finish() throws(Failure) { try table.synchronize(path) }
}
