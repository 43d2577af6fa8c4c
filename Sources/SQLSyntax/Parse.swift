// The front door: text in, statements out.

import CPgQuery
public import Contracts

/// A longer statement is refused before libpg_query recurses over it.
private let statementByteLimit = 64 << 10
/// A longer file is refused: libpg_query counts bytes in 32 bits, and a topology is read whole.
private let fileByteLimit = 16 << 20
/// NAMEDATALEN − 1: PostgreSQL cuts longer identifiers without an error.
private let identifierByteLimit = 63

/// Parses a topology (or a test file, or one query) with PostgreSQL 15's grammar.
/// Throws a `Failure` of kind `invalid` with the place of the first error.
/// Statements of up to 64 KiB, files of up to 16 MiB. Blocks for the parse; callable from any
/// thread.
public func parseTopology(_ source: SourceText) throws(Failure) -> [Statement] {
    guard source.utf8.count <= fileByteLimit else {
        throw Failure(
            .invalid, "sql.file_too_long",
            "\(source.file) has \(source.utf8.count) bytes, the limit is \(fileByteLimit)")
    }
    let origin = Origin(file: source.file, base: 0, isExact: true)
    let bytes = source.utf8
    let result = try onParserThread { () -> Result<[Statement], Failure> in
        do throws(Failure) {
            return .success(try parse(bytes, origin: origin))
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

/// Runs on the parser's thread.
func parse(_ bytes: [UInt8], origin: Origin) throws(Failure) -> [Statement] {
    if let zero = bytes.firstIndex(of: 0) {
        throw Failure(
            .invalid, "sql.syntax", "a zero byte can't stand in SQL", place: origin.place(zero))
    }
    let scanned: GrammarNode
    switch scanTree(bytes) {
    case .tree(let tree): scanned = tree
    case .error(let error): throw failure(error, nil, bytes, origin)
    }
    let tokens = TokenList(scan: scanned, bytes: bytes)
    try checkLimits(tokens, bytes, origin)
    switch parseTree(bytes) {
    case .tree(let tree):
        return try TreeBuilder(bytes: bytes, tokens: tokens, origin: origin).statements(tree)
    case .error(let error): throw failure(error, tokens, bytes, origin)
    }
}

/// What libpg_query answers, copied out of its memory.
private enum GrammarAnswer {
    case tree(GrammarNode)
    case error(GrammarError)
}

private struct GrammarError {
    let message: String
    /// Characters from 1; 0: unknown.
    let cursor: Int
}

private func scanTree(_ bytes: [UInt8]) -> GrammarAnswer {
    // SAFETY: the text has a zero at its end and outlives the call; the result is freed once,
    // after its bytes were copied.
    let result = unsafe (bytes + [0]).withUnsafeBytes {
        unsafe pg_query_scan($0.bindMemory(to: CChar.self).baseAddress)
    }
    defer { unsafe pg_query_free_scan_result(result) }
    return unsafe answer(result.pbuf, result.error)
}

private func parseTree(_ bytes: [UInt8]) -> GrammarAnswer {
    // SAFETY: as in scanTree.
    let result = unsafe (bytes + [0]).withUnsafeBytes {
        unsafe pg_query_parse_protobuf($0.bindMemory(to: CChar.self).baseAddress)
    }
    defer { unsafe pg_query_free_protobuf_parse_result(result) }
    return unsafe answer(result.parse_tree, result.error)
}

private func answer(
    _ buffer: PgQueryProtobuf, _ error: UnsafeMutablePointer<PgQueryError>?
) -> GrammarAnswer {
    // SAFETY: both belong to a result that the caller still holds; `data` has `len` bytes.
    if let error = unsafe error {
        let message = unsafe error.pointee.message
        return unsafe .error(
            GrammarError(
                message: message.map { unsafe String(cString: $0) } ?? "syntax error",
                cursor: Int(error.pointee.cursorpos)))
    }
    let raw = unsafe UnsafeRawBufferPointer(start: buffer.data, count: Int(buffer.len))
    return .tree(GrammarNode(unsafe Array(raw)))
}

private func failure(
    _ error: GrammarError, _ tokens: TokenList?, _ bytes: [UInt8], _ origin: Origin
) -> Failure {
    let text = String(decoding: bytes, as: UTF8.self)
    var offset = 0
    if error.cursor > 0 {
        let scalars = text.unicodeScalars.prefix(error.cursor - 1)
        offset = scalars.reduce(0) { $0 + $1.utf8.count }
    } else {
        offset = bytes.count
    }
    // The scanner quotes all that is left of the file, which the caret shows better.
    let cut = error.message.firstRange(of: " at or near ").map { error.message[..<$0.lowerBound] }
    if let cut, cut.hasPrefix("unterminated") {
        return Failure(
            .invalid, "sql.syntax", String(cut), hint: "it begins here, and its end is missing",
            place: origin.place(offset))
    }
    let hint = tokens.flatMap { syntaxHint(message: error.message, tokens: $0, offset: offset) }
    return Failure(
        .invalid, "sql.syntax", error.message, hint: hint, place: origin.place(offset))
}

private func checkLimits(
    _ tokens: TokenList, _ bytes: [UInt8], _ origin: Origin
) throws(Failure) {
    var start: Int?
    for (index, token) in tokens.tokens.enumerated() {
        if bytes[token.range.lowerBound] == 0x3b {
            start = nil
            continue
        }
        let first = start ?? token.range.lowerBound
        start = first
        guard token.range.upperBound - first <= statementByteLimit else {
            throw Failure(
                .invalid, "sql.statement_too_long",
                "the statement is longer than \(statementByteLimit) bytes",
                hint: "split it: views for a query, several INSERTs for rows",
                place: origin.place(first))
        }
        guard
            [GrammarValue.Token.identifier, GrammarValue.Token.unicodeIdentifier]
                .contains(token.code), token.range.count > identifierByteLimit
        else { continue }
        let byteCount = tokens.word(index).utf8.count
        if byteCount > identifierByteLimit {
            throw Failure(
                .invalid, "sql.identifier_too_long",
                "the name has \(byteCount) bytes, the limit is \(identifierByteLimit)",
                hint: "PostgreSQL would cut it silently",
                place: origin.place(token.range.lowerBound))
        }
    }
}
