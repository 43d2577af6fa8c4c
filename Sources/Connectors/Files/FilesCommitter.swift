// Makes an epoch's files visible, and keeps the marker that says which epochs are.
//
// Renames can't be undone by a crash half-way, only repeated: a file whose visible name stands, or
// whose hidden name is gone, has landed. The marker file makes the folder a sink like others: a
// process whose state directory is a stale copy finds a marker it does not know and stops.

import Contracts
import Environment
import Planning
import Progress

/// Commits one files output. Used on one thread.
final class FilesCommitter: SinkCommitter {
    let target: TargetID
    let name: String
    let commitInterval: Int64
    private let names: FilesNames
    private let foreign: ConnectorContext.ForeignTable
    private let log: @Sendable (LogLine) -> Void

    init(_ output: OutputPlan, _ options: FilesSinkOptions, _ context: ConnectorContext) {
        names = FilesNames(output, options, context.identity)
        target = names.target
        name = output.name
        commitInterval = output.commitIntervalMicroseconds
        foreign = context.foreignTable
        log = context.log
    }

    func readMarker() throws(Failure) -> Marker? {
        Failpoint.pass("files.read_marker")
        let path = FilesListing.joined(names.folder, names.markerName)
        guard let bytes = try LocalFiles.read(path) else {
            try refuseForeign()
            return nil
        }
        var reader = RecordReader(bytes, subject: "marker \(path)")
        return try Marker(from: &reader)
    }

    /// A folder that another pipeline has filled with this output (design.md §3.8).
    private func refuseForeign() throws(Failure) {
        guard foreign != .beside,
            let other = LocalFiles.list(names.folder).first(where: names.isForeignMarker)
        else { return }
        throw Failure(
            .fenced, "files.foreign",
            "\(names.folder) already holds files of \(name) that another pipeline wrote (\(other))",
            hint: "restore that pipeline's state directory, or append on purpose with --beside")
    }

    /// Files become visible one by one, before the marker that covers them: without the intent
    /// nobody can tell which of the last epoch's are there.
    func filled() throws(Failure) -> [FilledTarget] {
        guard let other = LocalFiles.list(names.folder).first(where: names.isForeignMarker) else {
            return []
        }
        throw Failure(
            .invalid, "files.not_adoptable",
            "\(name) writes files, which can't be taken over: \(names.folder)/\(other) is another "
                + "pipeline's, and it does not tell which files of its last epoch are there",
            hint: "restore that pipeline's state directory, or write into another folder")
    }

    func commit(_ intents: [Intent], history: TargetHistory) throws(Failure) -> CommitOutcome {
        let landed: Int
        switch history.judge(Mutant.skipMarkerLookup.isActive ? nil : try readMarker()) {
        case .known(let count): landed = count
        case .stale where Mutant.skipMarkerLookup.isActive: landed = 0
        case .stale:
            return .fenced(
                history.stale(
                    "\(name) (\(names.folder))", found: try readMarker(), code: "files.fenced"))
        }
        let known = history.open.prefix(landed)
        let open = intents.filter { !known.contains($0.marker) }
        for intent in open { try land(intent) }
        if let last = open.last {
            Failpoint.pass("files.before_folder_commit")
            try LocalFiles.syncFolder(names.folder)
            Failpoint.pass("files.landed")
            try write(last.marker)
            Failpoint.pass("files.marked")
        }
        if intents.count == history.open.count { try removeLeftBehind() }
        return .committed(version: nil)
    }

    private func land(_ intent: Intent) throws(Failure) {
        for part in intent.parts {
            let file = try FilesLanding(decoding: part)
            let hidden = FilesListing.joined(names.folder, file.hiddenName)
            let visible = FilesListing.joined(names.folder, file.name)
            Failpoint.pass("files.before_rename")
            if LocalFiles.exists(hidden) {
                guard LocalFiles.size(hidden) == file.byteCount else {
                    throw Failure(
                        .failed, "files.damaged",
                        "\(hidden) does not have the \(file.byteCount) bytes that were synced",
                        hint: "the file system has lost data: check it, then rewind")
                }
                try LocalFiles.rename(hidden, to: visible)
            } else if !LocalFiles.exists(visible) {
                // It landed and somebody has taken it away since, as readers of a folder do.
                log(
                    LogLine(
                        .warning, "\(visible) is gone: it is taken as landed", [("output", name)]))
            }
            Failpoint.pass("files.renamed")
        }
    }

    private func write(_ marker: Marker) throws(Failure) {
        var writer = RecordWriter()
        marker.write(to: &writer)
        let path = FilesListing.joined(names.folder, names.markerName)
        // Of a name that no other process uses, also not one that has a copy of this directory.
        let draft = FilesListing.joined(names.folder, names.markerDraftName)
        try LocalFiles.remove(draft)
        let file = try OutputFile(creating: draft)
        try file.write(writer.bytes)
        try file.sync()
        Failpoint.pass("files.marker_drafted")
        try LocalFiles.rename(draft, to: path)
        Failpoint.pass("files.marker_renamed")
        try LocalFiles.syncFolder(names.folder)
    }

    /// Hidden files of processes that are gone, when every intent they may have made is resolved.
    private func removeLeftBehind() throws(Failure) {
        for name in LocalFiles.list(names.folder) where names.isLeftBehind(name) {
            Failpoint.pass("files.before_sweep")
            try LocalFiles.remove(FilesListing.joined(names.folder, name))
            Failpoint.pass("files.swept")
        }
    }
}
