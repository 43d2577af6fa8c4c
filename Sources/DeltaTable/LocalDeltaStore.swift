// A table on a local file system. A log entry appears whole and once: temporary file, fsync,
// link(2), which fails if the name exists, fsync of the folder (lakehouse.md §1.1).

public import Contracts
public import Environment
import Synchronization

/// The files under a folder.
public struct LocalDeltaStore: DeltaStore {
    public let location: String
    private let entropy: Entropy
    /// Stands in the names of files in the making.
    private let owner: String
    private let durableFolders = DurableFolders()

    /// `incarnation`: of the process that writes.
    public init(_ location: String, entropy: Entropy = .system, incarnation: UInt64 = 0) {
        owner = DeltaDraft.owner(incarnation)
        self.location = location.hasSuffix("/") ? String(location.dropLast()) : location
        self.entropy = entropy
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : path.isEmpty ? location : "\(location)/\(path)"
    }

    /// Of a single name the current folder.
    private func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    public func list(_ folder: String, from start: String) throws(Failure) -> [DeltaStoreEntry] {
        var entries: [DeltaStoreEntry] = []
        for name in LocalFiles.list(absolute(folder)) where name >= start {
            let path = "\(absolute(folder))/\(name)"
            guard let time = LocalFiles.modificationTime(path) else { continue }
            entries.append(DeltaStoreEntry(name: name, modificationTime: time))
        }
        return entries
    }

    public func read(_ path: String) throws(Failure) -> [UInt8]? {
        try LocalFiles.read(absolute(path))
    }

    public func byteCount(_ path: String) throws(Failure) -> Int? {
        LocalFiles.size(absolute(path)).map(Int.init)
    }

    public func read(_ path: String, _ range: Range<Int>) throws(Failure) -> [UInt8] {
        try LocalFiles.read(absolute(path), range)
    }

    public func putIfAbsent(_ path: String, _ bytes: [UInt8]) throws(Failure) -> PutResult {
        let target = absolute(path)
        try makeFolder(folder(of: target))
        let temporary = try writeTemporary(target, bytes)
        defer { try? LocalFiles.remove(temporary) }
        Failpoint.pass("delta.before_link")
        guard try LocalFiles.link(temporary, to: target) else { return .exists }
        Failpoint.pass("delta.after_link")
        try Failpoint.passOrFail("delta.sync_folder")
        try LocalFiles.syncFolder(folder(of: target))
        return .created
    }

    public func put(_ path: String, _ bytes: [UInt8]) throws(Failure) {
        let target = absolute(path)
        try makeFolder(folder(of: target))
        let temporary = try writeTemporary(target, bytes)
        Failpoint.pass("delta.before_rename")
        try LocalFiles.rename(temporary, to: target)
        Failpoint.pass("delta.renamed")
        try LocalFiles.syncFolder(folder(of: target))
    }

    /// A name beside the target that no reader of Delta's log takes for its own.
    private func writeTemporary(_ target: String, _ bytes: [UInt8]) throws(Failure) -> String {
        let slash = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
        let name = target[slash...]
        let temporary = "\(folder(of: target))/.\(name).\(owner)-\(entropy.uuid()).tmp"
        let file = try OutputFile(creating: temporary)
        do {
            try file.write(bytes)
            try Failpoint.passOrFail("delta.sync_entry")
            try file.sync()
        } catch {
            try? LocalFiles.remove(temporary)
            throw error
        }
        Failpoint.pass("delta.entry_drafted")
        return temporary
    }

    /// Makes a folder of the table and those above it. Each name is made durable in the folder
    /// above, once a process also where the folder is there already: a kill may have come between.
    private func makeFolder(_ path: String) throws(Failure) {
        if durableFolders.contains(path) { return }
        let above = folder(of: path)
        if path.utf8.count <= location.utf8.count {
            // What stands above the table is the user's, and may not be ours to open.
            if LocalFiles.exists(path) {
                try? LocalFiles.syncFolder(above)
            } else {
                try makeFolder(above)
                try LocalFiles.makeFolder(path)
                try LocalFiles.syncFolder(above)
            }
        } else {
            try makeFolder(above)
            try LocalFiles.makeFolder(path)
            try LocalFiles.syncFolder(above)
        }
        durableFolders.insert(path)
    }

    public func createDataFile(_ path: String) throws(Failure) -> any DeltaDataFile {
        let target = absolute(path)
        try makeFolder(folder(of: target))
        Failpoint.pass("delta.before_data_file")
        let file = LocalDataFile(try OutputFile(creating: target), folder: folder(of: target))
        Failpoint.pass("delta.data_file_created")
        return file
    }

    public func synchronize(_ path: String) throws(Failure) {
        let target = absolute(path)
        try LocalFiles.syncFile(target)
        try LocalFiles.syncFolder(folder(of: target))
    }

    public func remove(_ path: String) throws(Failure) { try LocalFiles.remove(absolute(path)) }
}

private final class LocalDataFile: DeltaDataFile {
    private let file: OutputFile
    private let folder: String

    init(_ file: consuming OutputFile, folder: String) {
        self.file = file
        self.folder = folder
    }

    func append(_ bytes: [UInt8]) throws(Failure) { try file.write(bytes) }

    func finish() throws(Failure) {
        try Failpoint.passOrFail("delta.sync_data_file")
        try file.sync()
        Failpoint.pass("delta.data_file_unnamed")
        try LocalFiles.syncFolder(folder)
        Failpoint.pass("delta.data_file_synced")
    }
}

/// Folders whose names this process has made durable.
private final class DurableFolders: Sendable {
    /// Each epoch makes folders: beyond this they are forgotten, and synced again when met.
    private static let limit = 10_000
    private let paths = Mutex<Set<String>>([])

    func contains(_ path: String) -> Bool { paths.withLock { $0.contains(path) } }

    func insert(_ path: String) {
        paths.withLock { paths in
            if paths.count >= Self.limit { paths.removeAll() }
            paths.insert(path)
        }
    }
}
