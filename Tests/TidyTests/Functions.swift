// Functions of a file and their lengths.

struct MeasuredFunction: Sendable, Hashable {
    let name: String
    /// From 0.
    let firstLine: Int
    let lineCount: Int
}

/// Functions, initializers, subscripts and computed properties with a body, nested ones too.
func functions(of file: SwiftFile) -> [MeasuredFunction] {
    var found: [MeasuredFunction] = []
    for (index, line) in file.code.enumerated() {
        guard let name = declaredFunction(line) else { continue }
        guard let opening = bodyOpening(file.code, from: index) else { continue }
        let last = closingLine(file.code, opening)
        found.append(
            MeasuredFunction(name: name, firstLine: index, lineCount: last - index + 1))
    }
    return found
}

private func declaredFunction(_ line: Substring) -> String? {
    // Quick: regular expressions are slow in a debug build.
    let words = ["func ", "init", "deinit", "subscript", "var "]
    guard words.contains(where: { line.contains($0) }) else { return nil }
    if let match = line.firstMatch(of: /^\s*(?:@?\w+(?:\(\w+\))?\s+)*func\s+(\S+?)[<(\s]/) {
        return String(match.1)
    }
    if let match = line.firstMatch(of: /^\s*(?:@?\w+\s+)*(init[?]?|deinit|subscript)\s*[<({]/) {
        return String(match.1)
    }
    if let match = line.firstMatch(of: /^\s*(?:@?\w+(?:\(\w+\))?\s+)*var\s+(\w+)\s*:[^={]*\{\s*$/) {
        return String(match.1)
    }
    return nil
}

/// Line and column of the body's brace; nil for a requirement of a protocol.
private func bodyOpening(_ lines: [Substring], from first: Int) -> (line: Int, column: Int)? {
    var depth = 0
    for index in first..<min(lines.count, first + 40) {
        let trimmed = lines[index].drop { $0 == " " }
        if index > first, depth == 0 {
            let continues = ["{", "->", "where", "throws", "async", ")", "&"]
                .contains { trimmed.hasPrefix($0) }
            if !continues { return nil }
        }
        for (column, character) in lines[index].enumerated() {
            switch character {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return (index, column)
            case "}" where depth == 0: return nil
            default: break
            }
        }
    }
    return nil
}

private func closingLine(_ lines: [Substring], _ opening: (line: Int, column: Int)) -> Int {
    var depth = 0
    for index in opening.line..<lines.count {
        let text = index == opening.line ? lines[index].dropFirst(opening.column) : lines[index]
        for character in text {
            if character == "{" { depth += 1 }
            if character == "}" { depth -= 1 }
            if depth == 0 { return index }
        }
    }
    return lines.count - 1
}
