// A small scanner of Swift: what is code, what is comment or string.

/// `text` with the content of comments and strings replaced by spaces; line ends stay. Code inside
///   of an interpolation is blanked with its string.
func blanked(_ text: String) -> String {
    var scanner = BlankingScanner(Array(text.utf8))
    return scanner.run()
}

private struct BlankingScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var output: [UInt8] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        output.reserveCapacity(bytes.count)
    }

    mutating func run() -> String {
        while position < bytes.count {
            if starts("//") {
                while position < bytes.count, bytes[position] != 0x0a { blank() }
            } else if starts("/*") {
                blockComment()
            } else if let pounds = stringStart() {
                string(pounds)
            } else {
                output.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private func starts(_ text: String, at offset: Int = 0) -> Bool {
        bytes[min(position + offset, bytes.count)...].starts(with: text.utf8)
    }

    /// Bytes of one character above ASCII give one space, so that columns stay.
    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            let byte = bytes[position]
            if byte == 0x0a {
                output.append(byte)
            } else if byte & 0xc0 != 0x80 {
                output.append(0x20)
            }
            position += 1
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                blank(2)
            } else if starts("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < bytes.count
    }

    /// The number of `#` in front of a string that begins here; nil: no string.
    private func stringStart() -> Int? {
        var pounds = 0
        while starts("#", at: pounds) { pounds += 1 }
        return starts("\"", at: pounds) ? pounds : nil
    }

    private mutating func string(_ pounds: Int) {
        let marks = String(repeating: "#", count: pounds)
        let isLong = starts("\"\"\"", at: pounds) && !(pounds > 0 && starts("\"\"#", at: pounds))
        let quote = isLong ? "\"\"\"" : "\""
        blank(pounds + quote.utf8.count)
        while position < bytes.count {
            if starts(quote + marks) {
                blank(quote.utf8.count + pounds)
                return
            }
            if starts("\\" + marks + "(") {
                blank(2 + pounds)
                interpolation()
            } else if starts("\\" + marks) {
                blank(2 + pounds)
            } else if !isLong, bytes[position] == 0x0a {
                return
            } else {
                blank()
            }
        }
    }

    /// Up to the bracket that closes it; strings inside of it nest.
    private mutating func interpolation() {
        var depth = 1
        while depth > 0, position < bytes.count {
            if let pounds = stringStart() {
                string(pounds)
                continue
            }
            if bytes[position] == 0x28 { depth += 1 }
            if bytes[position] == 0x29 { depth -= 1 }
            blank()
        }
    }
}
