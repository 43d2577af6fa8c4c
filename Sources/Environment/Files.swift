// The local file system: small calls whose failures are sentences that name the path.

import CSystem
public import Contracts
import Glibc
import Synchronization

/// The value of an environment variable.
public func environmentValue(_ name: String) -> String? {
    // SAFETY: getenv gives nil or a C string that nobody changes: setenv is never called.
    unsafe getenv(name).map { unsafe String(cString: $0) }
}

/// open(2); the descriptor or −errno.
func openFile(_ path: String, _ flags: Int32, mode: UInt32 = 0o644) -> Int32 {
    // SAFETY: the string outlives the call.
    unsafe millrace_open(path, flags, mode)
}

/// A failure of a call on `path`.
public func fileFailure(_ action: String, _ path: String, errno code: Int32) -> Failure {
    // SAFETY: strerror gives a C string that is copied at once.
    let reason = unsafe String(cString: strerror(code))
    let isFull = code == ENOSPC || code == EDQUOT
    return Failure(
        .failed, isFull ? "file.disk_full" : "file.\(action)",
        "could not \(action) \(path): \(reason.lowercased())",
        hint: isFull ? "free some space and start again: nothing committed is lost" : nil)
}

/// A file that is written once, from front to end.
public struct OutputFile: ~Copyable {
    public let path: String
    private let descriptor: Int32

    /// Creates the file; one that exists already is a failure (no name is written twice).
    public init(creating path: String) throws(Failure) {
        try Failpoint.passOrFail("file.create")
        let descriptor = openFile(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileFailure("create", path, errno: -descriptor) }
        self.path = path
        self.descriptor = descriptor
    }

    /// Appends all the bytes.
    public func write(_ bytes: [UInt8]) throws(Failure) {
        try Failpoint.passOrFail("file.write")
        var written = 0
        while written < bytes.count {
            // SAFETY: the range from `written` to the end lies inside the array.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    descriptor, buffer.baseAddress.map { unsafe $0 + written },
                    buffer.count - written)
            }
            if count < 0 {
                let code = millrace_errno()
                if code == EINTR { continue }
                throw fileFailure("write", path, errno: code)
            }
            written += count
        }
    }

    /// fsync(2). A failure has an unknown outcome: the caller never retries (design.md §3.2).
    public func sync() throws(Failure) {
        try Failpoint.passOrFail("file.sync")
        guard fsync(descriptor) == 0 else {
            throw fileFailure("sync", path, errno: millrace_errno())
        }
    }

    deinit { close(descriptor) }
}

/// Folders and whole files.
public enum LocalFiles {
    /// Makes a folder and those above it.
    public static func makeFolder(_ path: String) throws(Failure) {
        var isFolder = stat()
        // SAFETY: the pointer is to a local that outlives the call.
        if unsafe stat(path, &isFolder) == 0 { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]))
        }
        // SAFETY: the string outlives the call.
        guard unsafe mkdir(path, 0o755) == 0 || millrace_errno() == EEXIST else {
            throw fileFailure("create", path, errno: millrace_errno())
        }
    }

    /// fsync of a folder: makes the names in it durable.
    public static func syncFolder(_ path: String) throws(Failure) {
        let descriptor = openFile(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileFailure("open", path, errno: -descriptor) }
        defer { close(descriptor) }
        try Failpoint.passOrFail("folder.sync")
        guard fsync(descriptor) == 0 else {
            throw fileFailure("sync", path, errno: millrace_errno())
        }
    }

    /// The whole file, or nil if there is none.
    public static func read(_ path: String) throws(Failure) -> [UInt8]? {
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC)
        if descriptor == -ENOENT { return nil }
        guard descriptor >= 0 else { throw fileFailure("open", path, errno: -descriptor) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            // SAFETY: at most the array's own size is read into it.
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 {
                let code = millrace_errno()
                if code == EINTR { continue }
                throw fileFailure("read", path, errno: code)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Renames; the target, if there is one, is replaced.
    public static func rename(_ path: String, to target: String) throws(Failure) {
        try Failpoint.passOrFail("file.rename")
        // SAFETY: both strings outlive the call.
        guard unsafe Glibc.rename(path, target) == 0 else {
            throw fileFailure("rename", path, errno: millrace_errno())
        }
    }

    public static func exists(_ path: String) -> Bool {
        // SAFETY: the string outlives the call.
        unsafe access(path, F_OK) == 0
    }

    /// The names in a folder, sorted; empty if there is no such folder.
    public static func list(_ path: String) -> [String] {
        // SAFETY: the handle is closed below; each entry's name is copied before the next call.
        guard let folder = unsafe opendir(path) else { return [] }
        defer { _ = unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Bytes of a file; nil if there is none.
    public static func size(_ path: String) -> Int64? {
        var information = stat()
        // SAFETY: the pointer is to a local that outlives the call.
        guard unsafe stat(path, &information) == 0 else { return nil }
        return Int64(information.st_size)
    }
}

/// An advisory lock on a file, held until the process ends or this is gone.
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock, or nil if another process holds it.
    public init?(_ path: String) throws(Failure) {
        let descriptor = openFile(path, O_RDWR | O_CREAT | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileFailure("open", path, errno: -descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}

/// The process's standard output, written whole.
public enum StandardOutput {
    private static let lock = Mutex(())

    /// Writes all the bytes; a reader that went away is a failure.
    public static func write(_ bytes: [UInt8]) throws(Failure) {
        let code = lock.withLock { _ -> Int32 in
            var written = 0
            while written < bytes.count {
                // SAFETY: the range from `written` to the end lies inside the array.
                let count = unsafe bytes.withUnsafeBytes { buffer in
                    unsafe Glibc.write(
                        STDOUT_FILENO, buffer.baseAddress.map { unsafe $0 + written },
                        buffer.count - written)
                }
                if count < 0 {
                    if millrace_errno() == EINTR { continue }
                    return millrace_errno()
                }
                written += count
            }
            return 0
        }
        if code != 0 { throw fileFailure("write", "standard output", errno: code) }
    }
}
