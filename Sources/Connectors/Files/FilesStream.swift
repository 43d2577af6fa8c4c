// The plain bytes of a file, in order: as they lie, or decompressed on the way.

import Contracts
import Environment
import Parquet

/// Reads one file forwards. Used on one thread.
final class FilesStream {
    let file: InputFile
    private let decompressor: FileDecompressor?
    private var compressed: [UInt8] = []
    private var compressedStart = 0
    /// Where the file itself is read next.
    private var filePosition: Int64 = 0
    /// The plain offset of the next byte.
    private(set) var position: Int64 = 0

    static let compressedBytes = 128 << 10

    init(_ path: String) throws(Failure) {
        file = try InputFile(path)
        decompressor =
            if let compression = FileCompression(ofFile: path) {
                try FileDecompressor(compression)
            } else {
                nil
            }
    }

    /// Whether the compressed bytes end in the middle of something.
    var isCutOff: Bool { decompressor.map { !$0.isAtBoundary } ?? false }

    /// Appends the next bytes, at most `count`; 0: there are no more now.
    func read(_ count: Int, appendingTo bytes: inout [UInt8]) throws(Failure) -> Int {
        let got: Int
        if let decompressor {
            got = try decompress(decompressor, count, appendingTo: &bytes)
        } else {
            got = try file.read(at: position, count: count, appendingTo: &bytes)
        }
        position += Int64(got)
        return got
    }

    private func decompress(
        _ decompressor: FileDecompressor, _ count: Int, appendingTo bytes: inout [UInt8]
    ) throws(Failure) -> Int {
        let before = bytes.count
        while bytes.count == before {
            if compressedStart == compressed.count {
                compressed = []
                compressedStart = 0
                let got = try file.read(
                    at: filePosition, count: FilesStream.compressedBytes,
                    appendingTo: &compressed)
                if got == 0 { return 0 }
                filePosition += Int64(got)
            }
            do {
                compressedStart += try decompressor.decompress(
                    compressed[compressedStart...], appendingTo: &bytes, limit: count)
            } catch {
                throw Failure(
                    .failed, error.code, "\(file.path): \(error.message)", hint: error.hint)
            }
        }
        return bytes.count - before
    }

    /// Goes on to a plain offset that lies ahead. False: the file ends before it.
    func skip(to offset: Int64) throws(Failure) -> Bool {
        guard decompressor != nil else {
            position = offset
            return try file.facts().byteCount >= offset
        }
        var dropped: [UInt8] = []
        while position < offset {
            dropped.removeAll(keepingCapacity: true)
            let count = Int(min(offset - position, Int64(FilesCursorLimit.chunkBytes)))
            if try read(count, appendingTo: &dropped) == 0 { return false }
        }
        return true
    }

    /// Plain bytes of a file.
    static func byteCount(_ path: String) throws(Failure) -> Int64 {
        let stream = try FilesStream(path)
        guard stream.decompressor != nil else { return try stream.file.facts().byteCount }
        _ = try stream.skip(to: Int64.max)
        guard !stream.isCutOff else {
            throw Failure(
                .failed, "files.cut_off", "\(path) ends in the middle of its compressed data",
                hint: "it may still be being written: wait until it is whole")
        }
        return stream.position
    }
}
