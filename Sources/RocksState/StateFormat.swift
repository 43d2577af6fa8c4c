// `FORMAT`: the file by which a folder is known to be a state directory, with the version of its
// layout. Written once, when the identity stands in the store: from then on a store without one is
// damaged, never new.

import Contracts
import Environment

enum StateFormat {
    static func file(_ path: String) -> String { path + "/FORMAT" }

    /// Names that a state directory has before it has its `FORMAT`: a crash at the very first start
    /// leaves some of them, and builds before this one made no others.
    private static let early: Set<String> = ["LOCK", "PROBE", "db", "checkpoints", "FORMAT.new"]

    /// Whether the directory has its format noted. Throws for one that is somebody else's, damaged,
    /// or of another format; touches nothing.
    static func check(_ path: String) throws(Failure) -> Bool {
        if let bytes = try LocalFiles.read(file(path)) {
            try check(bytes, path)
            return true
        }
        let names = LocalFiles.list(path)
        let isOurs = names.allSatisfy { early.contains($0) || $0.hasPrefix("rewind.") }
            && (!names.contains("db") || isStore(path + "/db"))
        guard isOurs else {
            let stranger = names.first { !early.contains($0) } ?? "db"
            throw Failure(
                .fenced, "state.foreign",
                "\(path) is no state directory: it holds \(stranger), which is not Millrace's",
                hint: "name an empty or a new folder with --state")
        }
        return false
    }

    /// A RocksDB, or one that was being made.
    private static func isStore(_ path: String) -> Bool {
        let own = ["CURRENT", "MANIFEST-", "LOCK", "LOG", "IDENTITY", "OPTIONS-", "archive"]
        return LocalFiles.list(path).allSatisfy { name in
            own.contains { name.hasPrefix($0) }
                || [".sst", ".log", ".dbtmp"].contains { name.hasSuffix($0) }
        }
    }

    private static func check(_ bytes: [UInt8], _ path: String) throws(Failure) {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, lines[0] == title, lines[3].isEmpty,
            lines[1].hasPrefix("format "), let version = UInt64(lines[1].dropFirst(7)),
            lines[2] == "checksum \(checksum(version))"
        else {
            throw Failure(
                .failed, "state.damaged", "\(file(path)) is damaged",
                hint: "restore it from a backup, or from another state directory of this build: "
                    + "all have the same")
        }
        guard version == StateDirectory.formatVersion else {
            throw Failure(
                .failed, "state.version",
                "\(path) has state of format \(version), this build reads "
                    + "\(StateDirectory.formatVersion)",
                hint: "run it with the version that wrote it, or start with a new --state")
        }
    }

    private static let title = "millrace state directory"

    /// FNV-1a of what it protects, in hexadecimal.
    private static func checksum(_ version: UInt64) -> String {
        let text = "\(title)\nformat \(version)\n"
        let sum = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        return String(sum, radix: 16)
    }

    /// Writes the file, whole or not at all.
    static func write(_ path: String) throws(Failure) {
        let version = StateDirectory.formatVersion
        let text = "\(title)\nformat \(version)\nchecksum \(checksum(version))\n"
        let draft = file(path) + ".new"
        try LocalFiles.remove(draft)
        let output = try OutputFile(creating: draft)
        try output.write(Array(text.utf8))
        try output.sync()
        try LocalFiles.rename(draft, to: file(path))
        try LocalFiles.syncFolder(path)
        Failpoint.pass("state.format_written")
    }
}
