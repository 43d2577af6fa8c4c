// Functions on bytes: encodings and digests.

import Types

extension FunctionTable {
    static let binary: [Function] =
        [
            .plain(
                "encode", [.bytea, .text], .text, canFail: true,
                "Bytes as text: hex, base64 or escape. `encode('abc'::bytea, 'hex')` is 616263.",
                TextEncoding.encode),
            .plain(
                "decode", [.text, .text], .bytea, canFail: true,
                "Text as bytes: hex, base64 or escape. `decode('616263', 'hex')` is \\x616263.",
                TextEncoding.decode),
            .plain(
                "md5", [.text], .text, "MD5 of the UTF-8 bytes, in hexadecimal digits.",
                Digest.md5.hexadecimalKernel),
            .plain(
                "md5", [.bytea], .text, "MD5 of the bytes, in hexadecimal digits.",
                Digest.md5.hexadecimalKernel),
        ]
        + [Digest.sha224, .sha256, .sha384, .sha512].map { digest in
            .plain(
                "\(digest)", [.bytea], .bytea,
                "\("\(digest)".uppercased()) of the bytes. `encode(\(digest)('a'), 'hex')`.",
                digest.kernel)
        }
}
