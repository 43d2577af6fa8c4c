// Disks that are full, broken, or not ours.

import Foundation
import Glibc
import PythonSupport
import Testing

extension MatrixCase {
    static let faults = fileFaults + processFaults + sinkFaults + clockFaults

    private struct Disk: Sendable {
        let name: String
        let fault: FileFault
        /// How the run ends; nil: killed.
        var status: Int32? = 1
        /// What it says.
        var says = ""
    }

    static let fileFaults: [MatrixCase] =
        disks.map { disk in MatrixCase(.fault, disk.name, isQuick: true) { try broken(disk, $0) } }
        + [
            MatrixCase(.fault, "the table's folder is another user's", isQuick: true) {
                try unwritable($0, folder: "lake")
            },
            MatrixCase(.fault, "the state directory is another user's", isQuick: true) {
                try unwritable($0, folder: "state")
            },
        ]

    private static let full = "No space left"

    private static let disks = [
        Disk(
            name: "the state's disk is full",
            fault: FileFault(
                call: "write", effect: "ENOSPC", path: "/state/db/", ending: ".log", nth: 4,
                lasts: true), says: full),
        Disk(
            name: "the state's disk is full at the start",
            fault: FileFault(call: "write", effect: "ENOSPC", path: "/state/", lasts: true),
            says: full.lowercased()),
        Disk(
            name: "the table's disk is full at a data file",
            fault: FileFault(
                call: "write", effect: "ENOSPC", path: "/lake/", ending: ".parquet", nth: 5,
                lasts: true), says: full.lowercased()),
        Disk(
            name: "the table's disk is full at a log entry",
            fault: FileFault(
                call: "write", effect: "ENOSPC", path: "/_delta_log/", ending: ".tmp", nth: 5,
                lasts: true), says: full.lowercased()),
        Disk(
            name: "the disk of the files output is full",
            fault: FileFault(
                call: "write", effect: "ENOSPC", path: "/lake/low/", nth: 5, lasts: true),
            says: full.lowercased()),
        Disk(
            name: "the state's sync fails (EIO at RocksDB's fdatasync)",
            fault: FileFault(
                call: "fdatasync", effect: "EIO", path: "/state/db/", ending: ".log", nth: 5)),
        Disk(
            name: "killed before the state's sync",
            fault: FileFault(
                call: "fdatasync", effect: "kill", path: "/state/db/", ending: ".log", nth: 5),
            status: nil),
        Disk(
            name: "killed after the state's sync",
            fault: FileFault(
                call: "fdatasync", effect: "after:kill", path: "/state/db/", ending: ".log", nth: 5),
            status: nil),
        Disk(
            name: "killed in the middle of the state's write",
            fault: FileFault(
                call: "write", effect: "torn", path: "/state/db/", ending: ".log", nth: 6),
            status: nil),
        Disk(
            name: "a data file's sync fails",
            fault: FileFault(
                call: "fsync", effect: "EIO", path: "/lake/", ending: ".parquet", nth: 5)),
        Disk(
            name: "a log entry's sync fails",
            fault: FileFault(
                call: "fsync", effect: "EIO", path: "/_delta_log/", ending: ".tmp", nth: 5)),
        Disk(
            name: "the sync of a table's log folder fails",
            fault: FileFault(call: "fsync", effect: "EIO", ending: "/_delta_log", nth: 5)),
        Disk(
            name: "F2, F7: the link of a log entry is done and its answer lost",
            fault: FileFault(
                call: "link", effect: "after:EIO", path: "/_delta_log/", ending: ".json", nth: 5)),
        Disk(
            name: "a data file is torn by a kill",
            fault: FileFault(
                call: "write", effect: "torn", path: "/lake/", ending: ".parquet", nth: 5),
            status: nil),
        Disk(
            name: "a log entry's draft is torn by a kill",
            fault: FileFault(
                call: "write", effect: "torn", path: "/_delta_log/", ending: ".tmp", nth: 5),
            status: nil),
        Disk(
            name: "the sync of a file of the files output fails",
            fault: FileFault(call: "fsync", effect: "EIO", path: "/lake/low/", ending: ".tmp", nth: 4)),
        Disk(
            name: "a rename of the files output is done and its answer lost",
            fault: FileFault(
                call: "rename", effect: "after:EIO", path: "/lake/low/", ending: ".json", nth: 4)),
        Disk(
            name: "the marker of the files output is torn by a kill",
            fault: FileFault(
                call: "write", effect: "torn", path: "/lake/low/", ending: "-marker.tmp", nth: 3),
            status: nil),
    ]

    private static func broken(_ disk: Disk, _ bench: MatrixBench) throws -> MatrixOutcome {
        let rig = try MatrixRig(.everything, bench)
        var outcome = MatrixOutcome()
        if disk.fault.call == "write", disk.status != nil {
            let plain = try disk.fault.plainWrite(to: rig.folder.url.appending(path: "plain"))
            try #require(plain != nil, "a plain write does not fail")
            let reason = plain?.split(separator: ":").last ?? ""
            outcome.strikes.append("a plain write:\(reason)")
        }
        let log = rig.folder.url.appending(path: "strikes")
        let hurt = try rig.start(variables: try disk.fault.variables(log)).end()
        let strikes = FileFault.strikes(log)
        outcome.strikes += strikes.prefix(1).map { $0.replacing(rig.folder.url.path, with: "…") }
        if strikes.isEmpty { outcome.faults.append("no call was struck: \(hurt)") }
        if hurt.status != disk.status { outcome.faults.append("\(hurt)") }
        if !disk.says.isEmpty, !hurt.errors.contains(disk.says) {
            outcome.faults.append("it does not say why: \(hurt)")
        }
        // A failed write or sync is not tried again (design.md §3.2).
        if !disk.fault.lasts, strikes.count > 1 { outcome.faults.append("struck \(strikes)") }
        outcome.faults += try rig.faults(rig.start().end())
        return outcome
    }

    /// A folder in which this user may not write, in mid-life.
    private static func unwritable(_ bench: MatrixBench, folder: String) throws -> MatrixOutcome {
        let rig = try MatrixRig(.everything, bench)
        var outcome = MatrixOutcome()
        let first = try rig.die(at: "commit.done@4")
        try #require(first.hasDied, "\(first.ending)")
        let user = OtherUser()
        try user.own(rig.folder.url, except: folder)
        let refusal = try #require(
            try user.writes(into: rig.folder.url.appending(path: folder)), "a plain write works")
        outcome.strikes.append("touch: \(refusal)")
        let hurt = try rig.start(wrapper: user.wrapper).end()
        outcome.strikes.append("exit \(hurt.status ?? -1)")
        if hurt.status != 1 { outcome.faults.append("\(hurt)") }
        if !hurt.errors.lowercased().contains("permission denied") {
            outcome.faults.append("it does not say why: \(hurt)")
        }
        try user.giveBack(rig.folder.url)
        outcome.faults += try rig.faults(rig.start().end())
        return outcome
    }
}

/// Somebody who may not write what is not theirs: for root a user without rights, else ourselves.
struct OtherUser {
    private static let nobody = "65534"
    private let isRoot = getuid() == 0

    var wrapper: [String] {
        isRoot
            ? ["/usr/bin/setpriv", "--reuid", OtherUser.nobody, "--regid", OtherUser.nobody,
                "--clear-groups"] : []
    }

    /// Everything theirs but one folder, which nobody but its owner may write.
    func own(_ root: URL, except folder: String) throws {
        if isRoot { try run(["chown", "-R", OtherUser.nobody, root.path]) }
        let kept = root.appending(path: folder).path
        if isRoot { try run(["chown", "-R", "0", kept]) }
        try run(["chmod", "-R", isRoot ? "go-w,a+rX" : "a-w", kept])
    }

    func giveBack(_ root: URL) throws {
        if isRoot { try run(["chown", "-R", "0", root.path]) }
        try run(["chmod", "-R", "u+w", root.path])
    }

    /// Why they can't write there; nil: they can.
    func writes(into folder: URL) throws -> String? {
        let process = Process()
        let words = wrapper + ["/usr/bin/touch", folder.appending(path: "plain").path]
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let reason = String(decoding: text, as: UTF8.self).split(separator: ":").last
        return process.terminationStatus == 0
            ? nil : reason?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func run(_ words: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(words)")
    }
}
