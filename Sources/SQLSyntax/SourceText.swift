// A topology's text and how an error shows a place in it.

public import Contracts

/// The text of one file.
public struct SourceText: Sendable {
    /// As shown in messages.
    public let file: String
    public let utf8: [UInt8]

    public init(file: String, text: String) {
        self.file = file
        self.utf8 = Array(text.utf8)
    }

    public func place(_ offset: Int) -> SourcePlace { SourcePlace(file: file, offset: offset) }

    /// Line and column of a byte offset, both from 1; columns count characters.
    public func lineAndColumn(_ offset: Int) -> (line: Int, column: Int) {
        let before = utf8.prefix(max(0, min(offset, utf8.count)))
        let lineStart = (before.lastIndex(of: 0x0a) ?? -1) + 1
        let line = before.reduce(1) { $0 + ($1 == 0x0a ? 1 : 0) }
        return (line, String(decoding: before[lineStart...], as: UTF8.self).count + 1)
    }

    /// `file:line:column: message`, the line itself, a caret under the place, and the hint.
    public func render(_ failure: Failure) -> String {
        guard let place = failure.place else {
            return failure.message + (failure.hint.map { "\n  hint: \($0)" } ?? "")
        }
        let (line, column) = lineAndColumn(place.offset)
        var text = utf8.split(separator: 0x0a, omittingEmptySubsequences: false)[line - 1]
        if text.last == 0x0d { text.removeLast() }
        let shown = String(decoding: text, as: UTF8.self)
        let indent = String(shown.prefix(column - 1).map { $0 == "\t" ? "\t" : " " })
        var lines = ["\(place.file):\(line):\(column): \(failure.message)", "    \(shown)"]
        lines.append("    \(indent)^")
        if let hint = failure.hint { lines.append("  hint: \(hint)") }
        return lines.joined(separator: "\n")
    }
}
