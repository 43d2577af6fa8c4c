// The words of a text as PostgreSQL's scanner sees them: for places that the tree does not keep,
// for limits that are checked before parsing, and for hints after a syntax error.

import Contracts

/// One word, number, string or operator; comments are left out.
struct Token {
    /// Bytes from 0.
    let range: Range<Int>
    /// PostgreSQL's token number.
    let code: Int
    /// PostgreSQL's class of keyword; 0 for what is none.
    let keyword: Int
}

struct TokenList {
    let tokens: [Token]
    private let bytes: [UInt8]

    /// `scan` is libpg_query's ScanResult for `bytes`.
    init(scan: GrammarNode, bytes: [UInt8]) {
        self.bytes = bytes
        tokens = scan.children(Field.Scan.tokens).compactMap { node in
            let code = node.integer(Field.Token.code)
            guard code != GrammarValue.Token.lineComment, code != GrammarValue.Token.blockComment
            else { return nil }
            let start = node.integer(Field.Token.start), end = node.integer(Field.Token.end)
            return Token(range: start..<end, code: code, keyword: node.integer(Field.Token.keyword))
        }
    }

    var count: Int { tokens.count }

    /// The first token that starts at `offset` or behind it; `count` where there is none.
    func index(at offset: Int) -> Int {
        var low = 0, high = tokens.count
        while low < high {
            let middle = (low + high) / 2
            if tokens[middle].range.lowerBound < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func offset(_ index: Int) -> Int? {
        tokens.indices.contains(index) ? tokens[index].range.lowerBound : nil
    }

    /// As written.
    func text(_ index: Int) -> String {
        guard tokens.indices.contains(index) else { return "" }
        return String(decoding: bytes[tokens[index].range], as: UTF8.self)
    }

    /// An identifier without its quotes, anything unquoted in lower case.
    func word(_ index: Int) -> String {
        let text = text(index)
        guard text.first == "\"", text.count >= 2 else { return lowercased(text) }
        return replaced(text.dropFirst().dropLast(), doubled: "\"")
    }

    /// The last token before `index` that is one of these words, or nil.
    func lastIndex(of words: Set<String>, before index: Int) -> Int? {
        var current = min(index, count) - 1
        while current >= 0 {
            if words.contains(lowercased(text(current))) { return current }
            if text(current) == ";" { return nil }
            current -= 1
        }
        return nil
    }

    /// The index right behind the bracket that closes the one at `index`.
    func indexAfterClosing(_ index: Int) -> Int {
        var depth = 0
        var current = index
        while current < count {
            switch text(current) {
            case "(", "[": depth += 1
            case ")", "]":
                depth -= 1
                if depth == 0 { return current + 1 }
            default: break
            }
            current += 1
        }
        return count
    }

    /// The last token from `index` on that reads `word`, outside of brackets and before what ends
    /// an item of a list or a clause.
    func lastMatch(_ word: String, from index: Int) -> Int? {
        var found: Int?
        var current = index
        while current < count {
            let text = text(current)
            if text == "(" || text == "[" {
                current = indexAfterClosing(current)
                continue
            }
            if [")", "]", ",", ";"].contains(text) { break }
            if current > index, tokens[current].keyword == GrammarValue.Keyword.reserved,
                clauseWords.contains(lowercased(text)), self.word(current - 1) != "as"
            {
                break
            }
            if self.word(current) == word { found = current }
            current += 1
        }
        return found
    }
}

/// Reserved words that begin the next clause.
private let clauseWords: Set<String> = [
    "from", "where", "group", "having", "order", "union", "intersect", "except", "limit", "offset",
    "on", "using", "window", "for", "fetch",
]

/// ASCII letters only, as PostgreSQL folds identifiers in a UTF-8 database.
func lowercased(_ text: String) -> String {
    String(
        decoding: text.utf8.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self)
}

/// `text` with each doubled `mark` made single.
func replaced(_ text: Substring, doubled mark: Character) -> String {
    var result = ""
    var skips = false
    for character in text {
        if skips {
            skips = false
            continue
        }
        result.append(character)
        skips = character == mark
    }
    return result
}
