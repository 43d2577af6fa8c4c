// A file that is read: at any place, in pieces, with what identifies it.

import CSystem
public import Contracts
import Glibc

/// An open file. Reading keeps no position.
public final class InputFile: Sendable {
    public let path: String
    private let descriptor: Int32

    /// What a file is known by.
    public struct Facts: Sendable, Hashable {
        public let byteCount: Int64
        /// ms since 1970: the last change of its content.
        public let modified: Int64
        /// ms since 1970: the last change of its content, name or rights; a file that was moved
        /// here has the time of the move.
        public let changed: Int64
    }

    public init(_ path: String) throws(Failure) {
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileFailure("open", path, errno: -descriptor) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    public func facts() throws(Failure) -> Facts {
        var information = stat()
        // SAFETY: the pointer is to a local that outlives the call.
        guard unsafe fstat(descriptor, &information) == 0 else {
            throw fileFailure("read", path, errno: millrace_errno())
        }
        return Facts(information)
    }

    /// Appends the bytes from `offset` on, at most `count`; how many: less only where the file
    /// ends.
    public func read(
        at offset: Int64, count: Int, appendingTo bytes: inout [UInt8]
    ) throws(Failure) -> Int {
        var got = 0
        var code: Int32 = 0
        // SAFETY: at most `count` bytes are read into a buffer of that capacity, and `made` says
        // how many there are.
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, made in
            while got < count {
                let more = unsafe pread(
                    descriptor, buffer.baseAddress.map { unsafe $0 + got }, count - got,
                    off_t(offset) + off_t(got))
                if more < 0 {
                    code = millrace_errno()
                    if code == EINTR { continue }
                    break
                }
                code = 0
                if more == 0 { break }
                got += more
            }
            made = got
        }
        guard code == 0 else { throw fileFailure("read", path, errno: code) }
        if bytes.isEmpty { bytes = piece } else { bytes += piece }
        return got
    }
}

extension InputFile.Facts {
    fileprivate init(_ information: stat) {
        byteCount = Int64(information.st_size)
        modified = InputFile.Facts.milliseconds(information.st_mtim)
        changed = InputFile.Facts.milliseconds(information.st_ctim)
    }

    private static func milliseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension LocalFiles {
    /// Of a regular file; nil where there is none.
    public static func facts(_ path: String) -> InputFile.Facts? {
        var information = stat()
        // SAFETY: the pointer is to a local that outlives the call.
        guard unsafe stat(path, &information) == 0,
            information.st_mode & S_IFMT == S_IFREG
        else { return nil }
        return InputFile.Facts(information)
    }

    public static func isFolder(_ path: String) -> Bool {
        var information = stat()
        // SAFETY: the pointer is to a local that outlives the call.
        return unsafe stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether a name fits a pattern of the shell: `*`, `?`, `[…]`, none of which takes a slash or
    /// a leading dot.
    public static func matches(_ name: String, pattern: String) -> Bool {
        // SAFETY: both strings outlive the call.
        unsafe fnmatch(pattern, name, FNM_PATHNAME | FNM_PERIOD) == 0
    }
}

/// Finding bytes, many a call.
public enum ByteSearch {
    /// The positions of `byte` in `bytes[range]`, ascending, at most `limit` of them.
    public static func positions(
        of byte: UInt8, in bytes: [UInt8], _ range: Range<Int>, limit: Int
    ) -> [Int] {
        var found: [Int] = []
        found.reserveCapacity(min(limit, 4_096))
        require(range.upperBound <= bytes.count, "a search behind the end")
        unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            var start = range.lowerBound
            while start < range.upperBound, found.count < limit {
                // SAFETY: the range was checked against the buffer, and start lies inside it.
                guard
                    let hit = unsafe memchr(base + start, Int32(byte), range.upperBound - start)
                else { break }
                let position = unsafe UnsafeRawPointer(hit) - base
                found.append(position)
                start = position + 1
            }
        }
        return found
    }
}
