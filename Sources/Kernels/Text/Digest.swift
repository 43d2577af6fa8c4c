// Digests by OpenSSL, one context a batch.

import CCrypto
import Columns
import Contracts
import Types

/// A message digest.
enum Digest: CaseIterable {
    case md5, sha224, sha256, sha384, sha512

    var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha224: 28
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The name by which OpenSSL's providers know the algorithm.
    private var providerName: String {
        switch self {
        case .md5: "MD5"
        case .sha224: "SHA2-224"
        case .sha256: "SHA2-256"
        case .sha384: "SHA2-384"
        case .sha512: "SHA2-512"
        }
    }

    /// The digests of each row, one behind the other.
    func digests(_ input: ByteColumn) -> [UInt8] {
        let size = byteCount
        let context = Context(providerName)
        // SAFETY: each row writes its own `size` bytes of the buffer's `size` × rows.
        return unsafe [UInt8](unsafeUninitializedCapacity: size * input.ranges.count) {
            buffer, count in
            unsafe input.data.withUnsafeBufferPointer { data in
                for row in input.ranges.indices {
                    let range = input.ranges[row]
                    let bytes = unsafe UnsafeBufferPointer(
                        rebasing: data[range.lowerBound..<range.upperBound])
                    let output = unsafe UnsafeMutableBufferPointer(
                        rebasing: buffer[row * size..<(row + 1) * size])
                    unsafe context.digest(bytes, into: output)
                }
            }
            count = size * input.ranges.count
        }
    }

    /// OpenSSL's context, and the algorithm fetched once: with the constants of `EVP_md5()` and its
    /// like, OpenSSL 3 looks the implementation up again at each message.
    @safe private struct Context: ~Copyable {
        private let handle: OpaquePointer
        private let algorithm: OpaquePointer

        init(_ name: String) {
            // SAFETY: both freed in deinit, used by this value alone.
            unsafe handle = EVP_MD_CTX_new().required("OpenSSL: no memory")
            unsafe algorithm = EVP_MD_fetch(nil, name, nil).required("OpenSSL lacks \(name)")
        }

        deinit {
            unsafe EVP_MD_CTX_free(handle)
            unsafe EVP_MD_free(algorithm)
        }

        borrowing func digest(
            _ bytes: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>
        ) {
            // SAFETY: `output` has the algorithm's size, `bytes` its count.
            let done =
                unsafe EVP_DigestInit_ex(handle, algorithm, nil) == 1
                && EVP_DigestUpdate(handle, bytes.baseAddress, bytes.count) == 1
                && EVP_DigestFinal_ex(handle, output.baseAddress, nil) == 1
            require(done, "OpenSSL refused a digest")
        }
    }

    // MARK: Kernels

    /// bytea of the digest.
    func kernel(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let size = byteCount
        let ranges = (0..<call.rowCount).map { ValueRange(start: $0 * size, length: size) }
        return Column(
            .bytea, .bytes(ByteColumn(ranges: ranges, data: digests(call.bytes(0)))))
    }

    /// Text of hexadecimal digits.
    func hexadecimalKernel(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let size = byteCount * 2
        let bytes = digests(call.bytes(0))
        let data = [UInt8](capacity: bytes.count * 2) { output in
            for byte in bytes {
                output.append(ValueText.hexadecimalDigit(byte >> 4))
                output.append(ValueText.hexadecimalDigit(byte & 15))
            }
        }
        let ranges = (0..<call.rowCount).map { ValueRange(start: $0 * size, length: size) }
        return Column(.text, .bytes(ByteColumn(ranges: ranges, data: data)))
    }
}
