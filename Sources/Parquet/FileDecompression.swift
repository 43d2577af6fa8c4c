// Whole files under gzip or zstd, piece by piece: compressed bytes in, plain bytes out.

import CCompression
public import Contracts

/// How a file is compressed, by its name.
public enum FileCompression: Sendable, Hashable {
    case gzip, zstd

    /// nil: the name says nothing of compression.
    public init?(ofFile name: String) {
        if name.hasSuffix(".gz") {
            self = .gzip
        } else if name.hasSuffix(".zst") {
            self = .zstd
        } else {
            return nil
        }
    }
}

/// Decompresses one file from front to end; several members or frames behind one another are one
/// file (RFC 1952 §2.2, RFC 8878 §3.1). Not for use from two threads at once.
@safe
public final class FileDecompressor {
    private let compression: FileCompression
    // SAFETY: made in init, reached by this object's methods alone, freed in deinit.
    private let inflater: UnsafeMutablePointer<z_stream>
    // SAFETY: as above; nil for gzip.
    private let zstd: OpaquePointer?
    /// Whether the bytes so far are whole: nothing, or up to the end of a member or frame.
    public private(set) var isAtBoundary = true

    public init(_ compression: FileCompression) throws(Failure) {
        self.compression = compression
        unsafe inflater = .allocate(capacity: 1)
        unsafe inflater.initialize(to: z_stream())
        switch compression {
        case .gzip:
            unsafe zstd = nil
            let size = unsafe Int32(MemoryLayout<z_stream>.size)
            // SAFETY: the stream was just made; 16 + 15 asks for gzip alone.
            guard unsafe inflateInit2_(inflater, 31, ZLIB_VERSION, size) == Z_OK else {
                throw FileDecompressor.outOfMemory
            }
        case .zstd:
            unsafe zstd = ZSTD_createDCtx()
            guard unsafe zstd != nil else { throw FileDecompressor.outOfMemory }
        }
    }

    deinit {
        // SAFETY: both were made in init and are freed once; inflateEnd takes a stream that was
        // never begun, freeing a nil context is fine.
        unsafe inflateEnd(inflater)
        unsafe inflater.deallocate()
        unsafe ZSTD_freeDCtx(zstd)
    }

    private static let outOfMemory = Failure(
        .failed, "file.decompress", "out of memory for a decompressor")

    /// Takes bytes from the front of `input` and appends what they stand for, at most `limit`
    /// bytes. Returns how many were taken: less than all when the limit was reached.
    public func decompress(
        _ input: ArraySlice<UInt8>, appendingTo output: inout [UInt8], limit: Int
    ) throws(Failure) -> Int {
        var taken = 0
        var isBroken = false
        // SAFETY: both buffers live through the closures and each library gets their true sizes.
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let target = unsafe UnsafeMutableBufferPointer(rebasing: buffer[..<limit])
            unsafe input.withUnsafeBufferPointer { source in
                switch compression {
                case .gzip: unsafe (taken, count, isBroken) = inflateSome(source, target)
                case .zstd: unsafe (taken, count, isBroken) = zstdSome(source, target)
                }
            }
        }
        guard !isBroken else {
            throw Failure(.failed, "file.decompress", "the compressed bytes are damaged")
        }
        output += piece
        return taken
    }

    private func inflateSome(
        _ source: UnsafeBufferPointer<UInt8>, _ target: UnsafeMutableBufferPointer<UInt8>
    ) -> (taken: Int, made: Int, isBroken: Bool) {
        // SAFETY: the stream's pointers describe the caller's buffers for this call only, and zlib
        // moves inside them.
        unsafe inflater.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        unsafe inflater.pointee.avail_in = UInt32(source.count)
        unsafe inflater.pointee.next_out = target.baseAddress
        unsafe inflater.pointee.avail_out = UInt32(target.count)
        var isBroken = false
        while unsafe inflater.pointee.avail_in > 0, unsafe inflater.pointee.avail_out > 0 {
            let status = unsafe inflate(inflater, Z_NO_FLUSH)
            isAtBoundary = status == Z_STREAM_END
            if status == Z_STREAM_END {
                isBroken = unsafe inflateReset(inflater) != Z_OK
            } else if status != Z_OK, status != Z_BUF_ERROR {
                isBroken = true
            }
            if isBroken || status == Z_BUF_ERROR { break }
        }
        return unsafe (
            source.count - Int(inflater.pointee.avail_in),
            target.count - Int(inflater.pointee.avail_out), isBroken
        )
    }

    private func zstdSome(
        _ source: UnsafeBufferPointer<UInt8>, _ target: UnsafeMutableBufferPointer<UInt8>
    ) -> (taken: Int, made: Int, isBroken: Bool) {
        var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
        while unsafe input.pos < input.size, unsafe output.pos < output.size {
            // SAFETY: zstd stays inside the sizes given and keeps no pointer.
            let status = unsafe ZSTD_decompressStream(zstd, &output, &input)
            if ZSTD_isError(status) != 0 { return unsafe (input.pos, output.pos, true) }
            isAtBoundary = status == 0
        }
        return unsafe (input.pos, output.pos, false)
    }
}
