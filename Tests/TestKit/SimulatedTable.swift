// A Delta table's files in memory, with what a file system may forget, and one process's way to
// them.

import Contracts
import DeltaTable
import Environment

/// because: only the thread that holds the world's baton touches it.
final class SimulatedTable: @unchecked Sendable {
    fileprivate struct File {
        var bytes: [UInt8]
        /// Whether bytes and name survive a power loss.
        var isDurable: Bool
        /// ms since 1970.
        let time: Int64
    }

    let location: String
    fileprivate let world: SimulatedWorld
    fileprivate var files: [String: File] = [:]
    private var compactions = 0
    /// Log entries whose version another writer had taken.
    fileprivate(set) var lostRaces = 0

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

    /// Another writer's commit, if the table is there: it takes the next version. One that says
    /// nothing of the rows, or a compaction: a live file is written again under another name.
    /// Whether it was a compaction; nil: nothing happened.
    func commitForeign() throws(Failure) -> Bool? {
        let reader = SimulatedTableView(self, by: nil)
        guard let snapshot = try DeltaLog(reader).snapshot() else { return nil }
        let digits = String(snapshot.version + 1)
        let name = String(repeating: "0", count: 20 - digits.count) + digits
        var lines = [
            "{\"commitInfo\":{\"timestamp\":\(world.now / 1_000),\"operation\":\"OTHER\"}}"
        ]
        let paths = snapshot.files.keys.sorted()
        let compacts = !paths.isEmpty && world.random.isOneIn(2)
        if compacts { lines += try compact(world.random.pick(paths), snapshot) }
        lines.append("{\"txn\":{\"appId\":\"somebody\",\"version\":\(snapshot.version)}}")
        files["_delta_log/\(name).json"] = File(
            bytes: Array((lines.joined(separator: "\n") + "\n").utf8), isDurable: true,
            time: world.now / 1_000)
        syncLog()
        return compacts
    }

    private func compact(
        _ path: String, _ snapshot: DeltaSnapshot
    ) throws(Failure) -> [String] {
        guard var file = snapshot.files[path], let old = files[FilePath.decode(path)] else {
            throw Failure(.failed, "simulation.lost", "\(location)/\(path) is live and not there")
        }
        compactions += 1
        file.path = "compacted-\(compactions).parquet"
        file.dataChange = false
        files[file.path] = File(bytes: old.bytes, isDurable: true, time: world.now / 1_000)
        let removed = RemoveFile(
            path: path, deletionTimestamp: world.now / 1_000, dataChange: false,
            partitionValues: file.partitionValues, byteCount: file.byteCount)
        let text = String(decoding: DeltaAction.entry([.remove(removed), .add(file)]), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }

    /// A log entry's bytes are synced before its name is linked; a sync of the folder, by whomever,
    /// makes all names in it durable.
    fileprivate func syncLog() {
        for path in files.keys where path.hasPrefix("_delta_log/") {
            files[path]?.isDurable = true
        }
    }
}

/// What one process sees and does of a table.
final class SimulatedTableView: DeltaStore, @unchecked Sendable {
    private let table: SimulatedTable
    /// nil: somebody who only looks.
    private let process: SimulatedProcess?

    init(_ table: SimulatedTable, by process: SimulatedProcess?) {
        self.table = table
        self.process = process
    }

    var location: String { table.location }

    private func perform<Result>(
        _ name: String, _ effect: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let process = process.required("somebody who only looks writes")
        process.noteSinkEffect()
        if process.losesTableAnswer() {
            if table.world.random.isOneIn(2) { _ = try effect() }
            throw process.fault("\(name)")
        }
        return try process.perform(name, effect)
    }

    func list(_ folder: String, from start: String) throws(Failure) -> [DeltaStoreEntry] {
        try process?.requireUp()
        let prefix = folder.isEmpty ? "" : folder + "/"
        return table.files.keys.sorted().compactMap { path in
            guard path.hasPrefix(prefix), let file = table.files[path] else { return nil }
            let name = String(path.dropFirst(prefix.count))
            guard !name.contains("/"), name >= start else { return nil }
            return DeltaStoreEntry(name: name, modificationTime: file.time)
        }
    }

    func read(_ path: String) throws(Failure) -> [UInt8]? {
        try process?.requireUp()
        return table.files[path]?.bytes
    }

    func read(_ path: String, _ range: Range<Int>) throws(Failure) -> [UInt8] {
        try process?.requireUp()
        guard let bytes = table.files[path]?.bytes, range.upperBound <= bytes.count else {
            throw Failure(.failed, "simulation.read", "\(path) has no bytes \(range)")
        }
        return Array(bytes[range])
    }

    func byteCount(_ path: String) throws(Failure) -> Int? {
        try process?.requireUp()
        return table.files[path]?.bytes.count
    }

    func putIfAbsent(_ path: String, _ bytes: [UInt8]) throws(Failure) -> PutResult {
        if process?.losesRace() == true { _ = try table.commitForeign() }
        let isNew = try perform("link \(location)/\(path)") { () throws(Failure) in
            guard table.files[path] == nil else { return false }
            table.files[path] = .init(bytes: bytes, isDurable: false, time: now)
            table.world.noteLanding()
            return true
        }
        guard isNew else {
            table.lostRaces += 1
            return .exists
        }
        // An object store's client that asks again after a lost answer finds its own.
        if process?.losesTableAnswer() == true { return .exists }
        try synchronize(path)
        return .created
    }

    private var now: Int64 { table.world.now / 1_000 }

    func put(_ path: String, _ bytes: [UInt8]) throws(Failure) {
        try perform("put \(location)/\(path)") { () throws(Failure) in
            table.files[path] = .init(bytes: bytes, isDurable: true, time: now)
        }
    }

    func createDataFile(_ path: String) throws(Failure) -> any DeltaDataFile {
        try perform("create \(location)/\(path)") { () throws(Failure) in
            guard table.files[path] == nil else {
                throw Failure(.failed, "simulation.exists", "\(path) is written twice")
            }
            table.files[path] = .init(bytes: [], isDurable: false, time: now)
        }
        return SimulatedDataFile(self, path)
    }

    func synchronize(_ path: String) throws(Failure) {
        let process = process.required("somebody who only looks syncs")
        try process.performSync("sync \(location)/\(path)") { () throws(Failure) in
            table.files[path]?.isDurable = true
            if path.hasPrefix("_delta_log/") { table.syncLog() }
        }
    }

    func remove(_ path: String) throws(Failure) {
        try perform("remove \(location)/\(path)") { () throws(Failure) in
            table.files[path] = nil
        }
    }

    fileprivate func append(_ bytes: [UInt8], to path: String) throws(Failure) {
        try process?.requireUp()
        table.files[path]?.bytes += bytes
    }
}

private final class SimulatedDataFile: DeltaDataFile {
    private let table: SimulatedTableView
    private let path: String

    init(_ table: SimulatedTableView, _ path: String) {
        self.table = table
        self.path = path
    }

    func append(_ bytes: [UInt8]) throws(Failure) { try table.append(bytes, to: path) }

    func finish() throws(Failure) {
        if !Mutant.unsyncedFile.isActive { try table.synchronize(path) }
    }
}
