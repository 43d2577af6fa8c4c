// Arrays and rows from PostgreSQL's text: `{1,NULL,"a b"}`, `(1,,"a b")`.

import Types

/// Reads nested literals; nil for what is not one.
enum NestedText {
    static func array(_ text: [UInt8], _ element: LogicalType) -> Scalar? {
        var reader = NestedReader(text)
        guard let scalar = reader.array(element), reader.isAtEnd else { return nil }
        return scalar
    }

    static func row(_ text: [UInt8], _ type: RowType) -> Scalar? {
        var reader = NestedReader(text)
        guard let scalar = reader.row(type), reader.isAtEnd else { return nil }
        return scalar
    }
}

private struct NestedReader {
    private let text: [UInt8]
    private var index = 0

    init(_ text: [UInt8]) { self.text = text }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    var isAtEnd: Bool { text[index...].allSatisfy(ValueText.isSpace) }

    private mutating func skipSpace() {
        while let byte = next, ValueText.isSpace(byte) { index += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    mutating func array(_ element: LogicalType) -> Scalar? {
        skipSpace()
        guard take("{") else { return nil }
        skipSpace()
        if take("}") { return .list([]) }
        var elements: [Scalar] = []
        while true {
            skipSpace()
            guard let scalar = arrayElement(element) else { return nil }
            elements.append(scalar)
            skipSpace()
            if take("}") { return .list(elements) }
            guard take(",") else { return nil }
        }
    }

    private mutating func arrayElement(_ type: LogicalType) -> Scalar? {
        if case .array(let inner) = type { return array(inner) }
        if next == UInt8(ascii: "\"") {
            return quoted(doublesQuotes: false).flatMap { TextInput.scalar($0, type) }
        }
        var word: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") {
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "\"") { return nil }
            index += 1
            if byte == UInt8(ascii: "\\") {
                guard let escaped = next else { return nil }
                word.append(escaped)
                index += 1
            } else {
                word.append(byte)
            }
        }
        while let last = word.last, ValueText.isSpace(last) { word.removeLast() }
        if word.isEmpty { return nil }
        if String(decoding: word, as: UTF8.self).lowercased() == "null" { return .null }
        return TextInput.scalar(word, type)
    }

    mutating func row(_ type: RowType) -> Scalar? {
        skipSpace()
        guard take("(") else { return nil }
        var fields: [Scalar] = []
        for (position, field) in type.fields.enumerated() {
            if position > 0, !take(",") { return nil }
            guard let scalar = rowField(field.type) else { return nil }
            fields.append(scalar)
        }
        return take(")") ? .row(fields) : nil
    }

    /// Nothing at all is NULL; white space counts.
    private mutating func rowField(_ type: LogicalType) -> Scalar? {
        var word: [UInt8] = []
        var isEmpty = true
        while let byte = next, byte != UInt8(ascii: ","), byte != UInt8(ascii: ")") {
            isEmpty = false
            if byte == UInt8(ascii: "\"") {
                guard let part = quoted(doublesQuotes: true) else { return nil }
                word += part
                continue
            }
            if byte == UInt8(ascii: "(") { return nil }
            index += 1
            if byte == UInt8(ascii: "\\") {
                guard let escaped = next else { return nil }
                word.append(escaped)
                index += 1
            } else {
                word.append(byte)
            }
        }
        return isEmpty ? .null : TextInput.scalar(word, type)
    }

    /// What stands between quotes, which are the next bytes.
    private mutating func quoted(doublesQuotes: Bool) -> [UInt8]? {
        index += 1
        var word: [UInt8] = []
        while let byte = next {
            index += 1
            if byte == UInt8(ascii: "\\") {
                guard let escaped = next else { return nil }
                word.append(escaped)
                index += 1
            } else if byte != UInt8(ascii: "\"") {
                word.append(byte)
            } else if doublesQuotes, next == UInt8(ascii: "\"") {
                word.append(byte)
                index += 1
            } else {
                return word
            }
        }
        return nil
    }
}
