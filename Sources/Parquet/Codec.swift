// The compression libraries of parquet-format Compression.md: bytes in, bytes out. The only file of
// this module that hands memory to C. Buffers are Swift arrays, pinned for the length of one call.

import CCompression
import Contracts

/// What a writer compresses pages with.
public enum ParquetCompression: Sendable, Hashable {
    case none
    case snappy
    /// Level 1 … 22; 1 to 3 are sensible.
    case zstd(level: Int)

    /// parquet.thrift `CompressionCodec`.
    var codecID: Int32 {
        switch self {
        case .none: 0
        case .snappy: 1
        case .zstd: 6
        }
    }
}

/// Compresses pages; keeps zstd's context between them.
@safe final class PageCompressor {
    let compression: ParquetCompression
    // SAFETY: owned by this object, reached by its methods alone, freed in deinit.
    private let context: OpaquePointer?

    init(_ compression: ParquetCompression) {
        self.compression = compression
        if case .zstd = compression {
            unsafe context = ZSTD_createCCtx()
        } else {
            unsafe context = nil
        }
    }

    deinit {
        // SAFETY: the context is made in init, used by this object alone, and freed once; nil is
        // fine.
        unsafe ZSTD_freeCCtx(context)
    }

    func compress(_ page: [UInt8]) throws(Failure) -> [UInt8] {
        switch compression {
        case .none: return page
        case .snappy: return try snappy(page)
        case .zstd(let level): return try zstd(page, level: Int32(level))
        }
    }

    private func snappy(_ page: [UInt8]) throws(Failure) -> [UInt8] {
        let bound = snappy_max_compressed_length(page.count)
        var failed = false
        // SAFETY: both buffers live through the call; `length` starts as the output's capacity and
        // snappy writes at most that.
        let output = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            var length = bound
            let status = unsafe page.withUnsafeBytes { input in
                unsafe snappy_compress(
                    input.baseAddress?.assumingMemoryBound(to: CChar.self), input.count,
                    UnsafeMutableRawPointer(buffer.baseAddress)?
                        .assumingMemoryBound(to: CChar.self), &length)
            }
            failed = status != SNAPPY_OK
            count = failed ? 0 : length
        }
        guard !failed else { throw unsupported("a page that snappy cannot compress") }
        return output
    }

    private func zstd(_ page: [UInt8], level: Int32) throws(Failure) -> [UInt8] {
        let bound = ZSTD_compressBound(page.count)
        var failed = false
        // SAFETY: both buffers live through the call and zstd gets their true sizes.
        let output = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let length = unsafe page.withUnsafeBytes { input in
                unsafe ZSTD_compressCCtx(
                    context, buffer.baseAddress, bound, input.baseAddress, input.count, level)
            }
            failed = ZSTD_isError(length) != 0
            count = failed ? 0 : length
        }
        guard !failed else { throw unsupported("a page that zstd cannot compress") }
        return output
    }
}

/// The bytes of `bytes[range]` under a codec of parquet.thrift; exactly `size` of them, or an
/// error.
func decompress(
    _ bytes: [UInt8], _ range: Range<Int>, codec: Int32, size: Int
) throws(Failure) -> [UInt8] {
    guard size >= 0, size <= ParquetLimit.pageBytes else {
        throw corrupt("a page of \(size) bytes passes the limit")
    }
    guard range.lowerBound >= 0, range.upperBound <= bytes.count else {
        throw corrupt("a page lies outside its bytes")
    }
    // An empty page of any codec may be no bytes at all.
    if size == 0 { return [] }
    switch codec {
    case 0:
        guard range.count == size else { throw corrupt("an uncompressed page has another size") }
        return Array(bytes[range])
    case 1, 4, 6, 7: break
    case 2: return try inflated(bytes, range, size: size)
    case 5: return try lz4(bytes, range, size: size)
    default: throw unsupported("compression codec \(codec)")
    }
    var written = -1
    // SAFETY: input and output live through the call; each library gets the true sizes and promises
    // to stay inside them for any input (snappy_uncompress by checking the length first).
    let output = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        unsafe bytes.withUnsafeBytes { all in
            let input = unsafe UnsafeRawBufferPointer(rebasing: all[range])
            unsafe written = block(input, buffer, codec: codec)
        }
        count = max(0, min(written, size))
    }
    guard written == size else { throw corrupt("a page does not decompress") }
    return output
}

/// One block of a codec whose C function takes whole buffers; −1 if it does not decompress.
private func block(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableBufferPointer<UInt8>, codec: Int32
) -> Int {
    var size = output.count
    let target = UnsafeMutableRawPointer(output.baseAddress)
    switch codec {
    case 1:
        let source = unsafe input.baseAddress?.assumingMemoryBound(to: CChar.self)
        var length = 0
        // SAFETY: the length in the header is compared before anything is written.
        guard unsafe snappy_uncompressed_length(source, input.count, &length) == SNAPPY_OK,
            length == size,
            unsafe snappy_uncompress(
                source, input.count, target?.assumingMemoryBound(to: CChar.self), &size)
                == SNAPPY_OK
        else { return -1 }
        return size
    case 4:
        // SAFETY: brotli writes at most `size` bytes and stores how many.
        let result = unsafe BrotliDecoderDecompress(
            input.count, input.baseAddress?.assumingMemoryBound(to: UInt8.self), &size,
            output.baseAddress)
        return result == BROTLI_DECODER_RESULT_SUCCESS ? size : -1
    case 6:
        // SAFETY: zstd writes at most `size` bytes.
        let length = unsafe ZSTD_decompress(target, size, input.baseAddress, input.count)
        return ZSTD_isError(length) != 0 ? -1 : length
    default:
        guard input.count <= Int(Int32.max) else { return -1 }
        // SAFETY: the "safe" variant never reads or writes beyond the sizes given.
        return unsafe Int(
            LZ4_decompress_safe(
                input.baseAddress?.assumingMemoryBound(to: CChar.self),
                target?.assumingMemoryBound(to: CChar.self), Int32(input.count), Int32(size)))
    }
}

/// GZIP: RFC 1952, possibly several members (Compression.md).
private func inflated(
    _ bytes: [UInt8], _ range: Range<Int>, size: Int
) throws(Failure) -> [UInt8] {
    var written = 0
    var isComplete = false
    // SAFETY: next_in/avail_in and next_out/avail_out describe the pinned buffers exactly; zlib
    // moves them forward inside these bounds. inflateEnd pairs inflateInit2_.
    let output = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        unsafe bytes.withUnsafeBytes { all in
            let input = unsafe UnsafeRawBufferPointer(rebasing: all[range])
            var stream = unsafe z_stream()
            unsafe stream.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.avail_in = UInt32(input.count)
            unsafe stream.next_out = buffer.baseAddress
            unsafe stream.avail_out = UInt32(size)
            let streamSize = unsafe Int32(MemoryLayout<z_stream>.size)
            // 32 + 15: a gzip or zlib header is recognised by itself.
            guard unsafe inflateInit2_(&stream, 47, ZLIB_VERSION, streamSize) == Z_OK else {
                return
            }
            var status = Z_OK
            while status == Z_OK {
                status = unsafe inflate(&stream, Z_NO_FLUSH)
                if status == Z_STREAM_END {
                    isComplete = true
                    if unsafe stream.avail_in > 0, unsafe stream.avail_out > 0 {
                        status = unsafe inflateReset(&stream)
                        isComplete = false
                    }
                }
            }
            written = unsafe size - Int(stream.avail_out)
            unsafe inflateEnd(&stream)
        }
        count = written
    }
    guard isComplete, written == size else { throw corrupt("a gzip page does not decompress") }
    return output
}

/// The deprecated LZ4 codec: Hadoop's framing (big-endian sizes before each block) if it fits, else
/// one raw block (Compression.md; parquet-cpp wrote both).
private func lz4(_ bytes: [UInt8], _ range: Range<Int>, size: Int) throws(Failure) -> [UInt8] {
    var output: [UInt8] = []
    var position = range.lowerBound
    func bigEndian(_ at: Int) -> Int {
        Int(bytes[at]) << 24 | Int(bytes[at + 1]) << 16 | Int(bytes[at + 2]) << 8
            | Int(bytes[at + 3])
    }
    while range.upperBound - position >= 8 {
        let uncompressed = bigEndian(position)
        let compressed = bigEndian(position + 4)
        position += 8
        guard uncompressed <= size - output.count, compressed <= range.upperBound - position,
            let block = try? decompress(
                bytes, position..<(position + compressed), codec: 7, size: uncompressed)
        else { break }
        output += block
        position += compressed
    }
    if position == range.upperBound, output.count == size { return output }
    return try decompress(bytes, range, codec: 7, size: size)
}

/// CRC-32 of a page as parquet.thrift `PageHeader.crc` wants it.
func checksum(_ bytes: [UInt8], _ range: Range<Int>) -> Int32 {
    // SAFETY: the slice's own pointer and count, for the length of the call.
    let value = unsafe bytes[range].withUnsafeBytes { buffer in
        unsafe crc32(
            0, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(buffer.count))
    }
    return Int32(bitPattern: UInt32(truncatingIfNeeded: value))
}

extension [UInt8] {
    /// The values' bytes as they lie in memory: this engine runs on little-endian machines only,
    /// and PLAIN is little-endian.
    mutating func append(memoryOf values: ArraySlice<UInt64>) {
        // SAFETY: UInt64 has no padding and any byte may be read of it.
        unsafe values.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
