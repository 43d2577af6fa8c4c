// A table on a local file system. A log entry appears whole and once: temporary file, fsync, link(2),
// which fails if the name exists, fsync of the folder (lakehouse.md §1.1).

import CSystem
public import Contracts
public import Environment
import Glibc

/// The files under a folder.
public struct LocalDeltaStore: DeltaStore {
    public let location: String
    private let entropy: Entropy

    public init(_ location: String, entropy: Entropy = .system) {
        self.location = location.hasSuffix("/") ? String(location.dropLast()) : location
        self.entropy = entropy
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : path.isEmpty ? location : "\(location)/\(path)"
    }

    private func folder(of path: String) -> String {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return String(path[..<slash])
    }

    public func list(_ folder: String, from start: String) throws(Failure) -> [DeltaStoreEntry] {
        var entries: [DeltaStoreEntry] = []
        for name in LocalFiles.list(absolute(folder)) where name >= start {
            guard let status = status("\(absolute(folder))/\(name)") else { continue }
            let time = status.st_mtim
            entries.append(
                DeltaStoreEntry(
                    name: name,
                    modificationTime: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000))
        }
        return entries
    }

    private func status(_ path: String) -> stat? {
        var status = stat()
        // SAFETY: the pointer is to a local that outlives the call.
        return unsafe stat(path, &status) == 0 ? status : nil
    }

    public func read(_ path: String) throws(Failure) -> [UInt8]? {
        try LocalFiles.read(absolute(path))
    }

    public func byteCount(_ path: String) throws(Failure) -> Int? {
        LocalFiles.size(absolute(path)).map(Int.init)
    }

    public func read(_ path: String, _ range: Range<Int>) throws(Failure) -> [UInt8] {
        let path = absolute(path)
        let descriptor = try open(path, O_RDONLY)
        defer { close(descriptor) }
        var done = 0
        var failure: Int32 = 0
        // SAFETY: pread writes at most what is left of the buffer, behind what is done.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            while done < range.count {
                let part = unsafe pread(
                    descriptor, buffer.baseAddress.map { unsafe $0 + done }, range.count - done,
                    off_t(range.lowerBound + done))
                if part < 0, millrace_errno() == EINTR { continue }
                if part < 0 { failure = millrace_errno() }
                if part <= 0 { break }
                done += part
            }
            count = done
        }
        guard failure == 0 else { throw fileFailure("read", path, errno: failure) }
        guard done == range.count else {
            throw Failure(.failed, "file.short", "\(path) ends before byte \(range.upperBound)")
        }
        return bytes
    }

    private func open(_ path: String, _ flags: Int32) throws(Failure) -> Int32 {
        // SAFETY: the string outlives the call.
        let descriptor = unsafe millrace_open(path, flags | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw fileFailure("open", path, errno: -descriptor) }
        return descriptor
    }

    public func putIfAbsent(_ path: String, _ bytes: [UInt8]) throws(Failure) -> PutResult {
        let target = absolute(path)
        try makeFolder(folder(of: target))
        let temporary = try writeTemporary(target, bytes)
        defer { unlinkQuietly(temporary) }
        Failpoint.pass("delta.before_link")
        // SAFETY: both strings outlive the call.
        guard unsafe link(temporary, target) == 0 else {
            let code = millrace_errno()
            if code == EEXIST { return .exists }
            throw fileFailure("create", target, errno: code)
        }
        Failpoint.pass("delta.after_link")
        try Failpoint.passOrFail("delta.sync_folder")
        try LocalFiles.syncFolder(folder(of: target))
        return .created
    }

    public func put(_ path: String, _ bytes: [UInt8]) throws(Failure) {
        let target = absolute(path)
        try makeFolder(folder(of: target))
        let temporary = try writeTemporary(target, bytes)
        try LocalFiles.rename(temporary, to: target)
        try LocalFiles.syncFolder(folder(of: target))
    }

    /// A name beside the target that no reader of Delta's log takes for its own.
    private func writeTemporary(_ target: String, _ bytes: [UInt8]) throws(Failure) -> String {
        let slash = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
        let name = target[slash...]
        let temporary = "\(folder(of: target))/.\(name).\(entropy.uuid()).tmp"
        let file = try OutputFile(creating: temporary)
        do {
            try file.write(bytes)
            try Failpoint.passOrFail("delta.sync_entry")
            try file.sync()
        } catch {
            unlinkQuietly(temporary)
            throw error
        }
        return temporary
    }

    private func unlinkQuietly(_ path: String) {
        // SAFETY: the string outlives the call.
        _ = unsafe unlink(path)
    }

    /// Makes a folder and those above it, each name durable in the folder above.
    private func makeFolder(_ path: String) throws(Failure) {
        if path.isEmpty || LocalFiles.exists(path) { return }
        let above = folder(of: path)
        try makeFolder(above)
        try LocalFiles.makeFolder(path)
        try LocalFiles.syncFolder(above.isEmpty ? "/" : above)
    }

    public func createDataFile(_ path: String) throws(Failure) -> any DeltaDataFile {
        let target = absolute(path)
        try makeFolder(folder(of: target))
        return LocalDataFile(try OutputFile(creating: target), folder: folder(of: target))
    }

    public func synchronize(_ path: String) throws(Failure) {
        let target = absolute(path)
        let descriptor = try open(target, O_RDONLY)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw fileFailure("sync", target, errno: millrace_errno())
        }
        try LocalFiles.syncFolder(folder(of: target))
    }

    public func remove(_ path: String) throws(Failure) {
        let target = absolute(path)
        // SAFETY: the string outlives the call.
        guard unsafe unlink(target) == 0 || millrace_errno() == ENOENT else {
            throw fileFailure("remove", target, errno: millrace_errno())
        }
    }
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
        try LocalFiles.syncFolder(folder)
        Failpoint.pass("delta.data_file_synced")
    }
}
