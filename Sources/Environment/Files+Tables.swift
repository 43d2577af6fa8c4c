// What a table on a local file system needs beyond Files.swift: create-if-absent by link(2),
// parts of files, times.

import CSystem
public import Contracts
import Glibc

extension LocalFiles {
    /// Gives the file at `path` a second name; false if that name exists already (link(2)).
    public static func link(_ path: String, to target: String) throws(Failure) -> Bool {
        try Failpoint.passOrFail("file.link")
        // SAFETY: both strings outlive the call.
        if unsafe Glibc.link(path, target) == 0 { return true }
        let code = millrace_errno()
        if code == EEXIST { return false }
        throw fileFailure("create", target, errno: code)
    }

    /// Removes a file; one that isn't there is fine.
    public static func remove(_ path: String) throws(Failure) {
        // SAFETY: the string outlives the call.
        guard unsafe unlink(path) == 0 || millrace_errno() == ENOENT else {
            throw fileFailure("remove", path, errno: millrace_errno())
        }
    }

    /// Removes a folder with all that is in it; one that isn't there is fine.
    public static func removeFolder(_ path: String) throws(Failure) {
        for name in list(path) {
            let inner = "\(path)/\(name)"
            if isOwnFolder(inner) { try removeFolder(inner) } else { try remove(inner) }
        }
        // SAFETY: the string outlives the call.
        guard unsafe rmdir(path) == 0 || millrace_errno() == ENOENT else {
            throw fileFailure("remove", path, errno: millrace_errno())
        }
    }

    /// Whether it is a folder itself; a symbolic link is none, and what it leads to is not removed.
    private static func isOwnFolder(_ path: String) -> Bool {
        var information = stat()
        // SAFETY: the pointer is to a local that outlives the call.
        guard unsafe lstat(path, &information) == 0 else { return false }
        return information.st_mode & S_IFMT == S_IFDIR
    }

    /// fsync of a file that someone else wrote.
    public static func syncFile(_ path: String) throws(Failure) {
        try Failpoint.passOrFail("file.sync_found")
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileFailure("open", path, errno: -descriptor) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw fileFailure("sync", path, errno: millrace_errno())
        }
    }

    /// When a file was last changed, ms since 1970; nil if there is none.
    public static func modificationTime(_ path: String) -> Int64? {
        var information = stat()
        // SAFETY: the pointer is to a local that outlives the call.
        guard unsafe stat(path, &information) == 0 else { return nil }
        let time = information.st_mtim
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Exactly these bytes of a file; a file that ends before them is a failure.
    public static func read(_ path: String, _ range: Range<Int>) throws(Failure) -> [UInt8] {
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileFailure("open", path, errno: -descriptor) }
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
}
