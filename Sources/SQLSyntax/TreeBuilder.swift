// Turns libpg_query's tree into ours: one builder for one text. What the dialect never has is
// refused here by name, with its place.

import Contracts

/// How deep queries and expressions may nest: what later recurses over the tree runs on stacks of
/// 8 MiB, also in debug builds.
private let depthLimit = 500

final class TreeBuilder {
    let tokens: TokenList
    /// Where the text stands in its file.
    let origin: Origin
    let bytes: [UInt8]
    private var depth = 0
    /// Single-part column names met so far: PostgreSQL names a CHECK after its only column.
    var columnsMet: [String] = []

    init(bytes: [UInt8], tokens: TokenList, origin: Origin) {
        self.bytes = bytes
        self.tokens = tokens
        self.origin = origin
    }

    func place(_ offset: Int) -> SourcePlace { origin.place(offset) }

    func name(_ text: String, at offset: Int) -> Name { Name(text, place: place(offset)) }

    /// A name whose own place the tree does not keep: looked for from `offset` on, as an item of a
    /// list.
    func name(_ text: String, from offset: Int) -> Name {
        let index = tokens.lastMatch(text, from: tokens.index(at: offset))
        return name(text, at: index.flatMap(tokens.offset) ?? offset)
    }

    /// The first token with this text from `offset` on.
    func firstName(_ text: String, from offset: Int) -> Name {
        var index = tokens.index(at: offset)
        while index < tokens.count, tokens.word(index) != text { index += 1 }
        return name(text, at: tokens.offset(index) ?? offset)
    }

    func unsupported(_ construct: String, at offset: Int, hint: String? = nil) -> Failure {
        Failure(
            .invalid, "sql.unsupported", "\(construct) is not part of Millrace's SQL", hint: hint,
            place: place(offset))
    }

    /// One level deeper; refuses what nests too deep.
    func nested<Result>(
        at offset: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= depthLimit else {
            throw Failure(
                .invalid, "sql.too_deep",
                "the expression or query nests more than \(depthLimit) deep here",
                hint: "split it into views, or write a long list with IN, AND, OR, concat",
                place: place(offset))
        }
        return try body()
    }

    /// The text of a list of String nodes, for names; `pg_catalog` in front is left out.
    func nameParts(_ nodes: [GrammarNode]) -> [String] {
        var parts = nodes.map { $0.unwrapped(NodeKind.string)?.string(Field.Value.value) ?? "" }
        if parts.count > 1, parts[0] == "pg_catalog" { parts.removeFirst() }
        return parts
    }
}

/// Maps offsets of a text to places of its file.
struct Origin {
    let file: String
    /// The offset in the file of the text's first byte; of the whole text where `isExact` is false.
    let base: Int
    /// False: the text was escaped in the file, so that all of it has one place.
    let isExact: Bool

    func place(_ offset: Int) -> SourcePlace {
        SourcePlace(file: file, offset: isExact ? base + offset : base)
    }
}
