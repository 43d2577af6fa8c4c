// Files as an output: one hidden file a worker and epoch, made visible by the committer.
//
// A file is written under a name that begins with a dot, closed and synced at the barrier, named in
// the intent, and renamed once the checkpoint is durable. What a crash leaves behind is a hidden
// file that no intent names; the committer removes it.

import Columns
import Contracts
import Environment
import Formats
import Parquet
import Planning
import Progress
import Types

/// One worker's writing side. Used on the worker's thread.
final class FilesWriter: SinkWriter {
    private let names: FilesNames
    private let schema: Schema
    private let format: FilesSinkOptions.Format
    private let key: [Int]
    private let worker: Int
    private let workers: Int
    private var current: OpenFile?
    private var fileCount = 0

    /// A file that rows go to, and how they become its bytes.
    private final class OpenFile {
        let hiddenName: String
        let number: Int
        let output: OutputFile
        var encoder: FilesEncoder
        var byteCount = 0

        init(
            _ hiddenName: String, number: Int, in folder: String,
            _ encoder: consuming FilesEncoder
        ) throws(Failure) {
            self.hiddenName = hiddenName
            self.number = number
            output = try OutputFile(creating: FilesListing.joined(folder, hiddenName))
            self.encoder = encoder
        }

        /// Writes out what has gathered, once it is worth a call.
        func write(atLeast minimum: Int) throws(Failure) {
            guard encoder.readyBytes >= max(1, minimum) else { return }
            let bytes = encoder.takeBytes()
            try output.write(bytes)
            byteCount += bytes.count
        }
    }

    static let writeBytes = 256 << 10

    init(
        _ output: OutputPlan, _ options: FilesSinkOptions, identity: Identity, worker: Int,
        workers: Int
    ) throws(Failure) {
        names = FilesNames(output, options, identity)
        schema = output.schema
        format = options.format
        self.worker = worker
        self.workers = workers
        if case .changelog(let key) = output.mode { self.key = key } else { key = [] }
        try LocalFiles.makeFolder(options.path)
    }

    /// The bytes go to disk as they come: the intent holds a name.
    var pendingBytes: Int { 0 }

    func write(_ batch: Batch) throws(Failure) -> [RowError] {
        guard batch.rowCount > 0 else { return [] }
        let file = try openFile()
        try file.encoder.append(batch)
        try file.write(atLeast: FilesWriter.writeBytes)
        return []
    }

    private func openFile() throws(Failure) -> OpenFile {
        if let current { return current }
        let number = fileCount * workers + worker
        fileCount += 1
        let file = try OpenFile(
            names.hidden(number), number: number, in: names.folder,
            FilesEncoder(format, schema, key: key))
        Failpoint.pass("files.created")
        current = file
        return file
    }

    func prepare(_ marker: Marker) throws(Failure) -> [IntentPart] {
        guard let file = current else { return [] }
        current = nil
        try file.encoder.finish()
        try file.write(atLeast: 0)
        Failpoint.pass("files.before_sync")
        try file.output.sync()
        Failpoint.pass("files.before_folder_sync")
        try LocalFiles.syncFolder(names.folder)
        Failpoint.pass("files.prepared")
        let landing = FilesLanding(
            hiddenName: file.hiddenName, name: names.visible(file.number, marker),
            byteCount: Int64(file.byteCount))
        return [IntentPart(target: names.target, bytes: landing.encoded())]
    }
}

/// How an output's files are called: `<output>-g<generation>-e<epoch>-<incarnation>-<n>.<format>`.
struct FilesNames: Sendable {
    let folder: String
    let target: TargetID
    private let identity: Identity
    private let output: String
    private let suffix: String

    init(_ output: OutputPlan, _ options: FilesSinkOptions, _ identity: Identity) {
        folder = options.path
        target = TargetIdentity.output(output.outputID)
        self.identity = identity
        self.output = FilesNames.plain(output.name)
        suffix =
            switch options.format {
            case .json, .debeziumJSON: "json"
            case .csv: "csv"
            case .parquet: "parquet"
            }
    }

    private static func plain(_ text: String) -> String {
        String(text.map { $0.isLetter || $0.isNumber || $0 == "_" ? $0 : "_" })
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// What the hidden files of this output and pipeline begin with.
    var hiddenPrefix: String { ".\(output)-\(identity.pipelineID)-" }

    /// `number` counts the files of this process.
    func hidden(_ number: Int) -> String {
        "\(hiddenPrefix)\(FilesNames.hexadecimal(identity.incarnation))-\(number).tmp"
    }

    /// Whether a hidden file was left by a process before this one.
    func isLeftBehind(_ name: String) -> Bool {
        let own = hiddenPrefix + FilesNames.hexadecimal(identity.incarnation)
        return name.hasPrefix(hiddenPrefix) && name.hasSuffix(".tmp") && !name.hasPrefix(own)
    }

    func visible(_ number: Int, _ marker: Marker) -> String {
        "\(output)-g\(marker.generation)-e\(marker.epoch)-"
            + "\(FilesNames.hexadecimal(marker.incarnation))-\(number).\(suffix)"
    }

    /// Where the newest marker of a pipeline stands.
    var markerName: String { ".\(output)-\(identity.pipelineID).marker" }

    /// A marker in the making; swept as other hidden files are, if its process dies.
    var markerDraftName: String {
        "\(hiddenPrefix)\(FilesNames.hexadecimal(identity.incarnation))-marker.tmp"
    }

    /// Whether another pipeline has written this output.
    func isForeignMarker(_ name: String) -> Bool {
        name != markerName && name.hasPrefix(".\(output)-") && name.hasSuffix(".marker")
            && name.utf8.count == markerName.utf8.count
    }
}

/// What an intent says of one file.
struct FilesLanding: Hashable {
    let hiddenName: String
    let name: String
    let byteCount: Int64

    init(hiddenName: String, name: String, byteCount: Int64) {
        self.hiddenName = hiddenName
        self.name = name
        self.byteCount = byteCount
    }

    func encoded() -> [UInt8] {
        var writer = RecordWriter()
        writer.string(hiddenName)
        writer.string(name)
        writer.signed(byteCount)
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(Failure) {
        var reader = RecordReader(bytes, subject: "intent of a files output")
        hiddenName = try reader.string()
        name = try reader.string()
        byteCount = try reader.signed()
    }
}
