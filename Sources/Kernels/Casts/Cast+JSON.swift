// Whether a text is JSON (RFC 8259), as PostgreSQL's type json asks; its text is kept as it is.

enum JSONSyntax {
    /// Deeper documents are refused, as are they by the decoders.
    private static let depthLimit = 1024

    static func isValid(_ text: ArraySlice<UInt8>) -> Bool {
        var reader = Reader(text: text, index: text.startIndex)
        guard reader.document() else { return false }
        return true
    }

    private struct Reader {
        let text: ArraySlice<UInt8>
        var index: Int
        /// The closing brackets that are due.
        var open: [UInt8] = []

        private var next: UInt8? { index < text.endIndex ? text[index] : nil }

        private mutating func skipSpace() {
            while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
                index += 1
            }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard next == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        mutating func document() -> Bool {
            skipSpace()
            guard value() else { return false }
            while let closing = open.last {
                skipSpace()
                guard let byte = next else { return false }
                index += 1
                if byte == closing {
                    open.removeLast()
                } else if byte == UInt8(ascii: ",") {
                    skipSpace()
                    if closing == UInt8(ascii: "}"), !name() { return false }
                    guard value() else { return false }
                } else {
                    return false
                }
            }
            skipSpace()
            return index == text.endIndex
        }

        /// A scalar, or all openings up to the first scalar inside.
        private mutating func value() -> Bool {
            while true {
                skipSpace()
                guard let byte = next else { return false }
                switch byte {
                case UInt8(ascii: "{"):
                    index += 1
                    skipSpace()
                    if take("}") { return true }
                    guard push(UInt8(ascii: "}")), name() else { return false }
                case UInt8(ascii: "["):
                    index += 1
                    skipSpace()
                    if take("]") { return true }
                    guard push(UInt8(ascii: "]")) else { return false }
                default: return scalar(byte)
                }
            }
        }

        private mutating func push(_ closing: UInt8) -> Bool {
            open.append(closing)
            return open.count <= depthLimit
        }

        private mutating func name() -> Bool {
            guard next == UInt8(ascii: "\""), string() else { return false }
            skipSpace()
            return take(":")
        }

        private mutating func scalar(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "\""): string()
            case UInt8(ascii: "t"): word("true")
            case UInt8(ascii: "f"): word("false")
            case UInt8(ascii: "n"): word("null")
            default: number()
            }
        }

        private mutating func word(_ word: String) -> Bool {
            guard text[index...].starts(with: word.utf8) else { return false }
            index += word.utf8.count
            return true
        }

        private mutating func string() -> Bool {
            index += 1
            while let byte = next {
                index += 1
                if byte == UInt8(ascii: "\"") { return true }
                if byte < 0x20 { return false }
                if byte == UInt8(ascii: "\\"), !escape() { return false }
            }
            return false
        }

        private mutating func escape() -> Bool {
            guard let byte = next else { return false }
            index += 1
            guard byte == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(byte) }
            for _ in 0..<4 {
                guard let digit = next, UUIDText.hexadecimalValue(digit) != nil else {
                    return false
                }
                index += 1
            }
            return true
        }

        private mutating func number() -> Bool {
            _ = take("-")
            if !take("0"), !digits() { return false }
            if take("."), !digits() { return false }
            if take("e") || take("E") {
                if !take("+") { _ = take("-") }
                return digits()
            }
            return true
        }

        private mutating func digits() -> Bool {
            let start = index
            while let byte = next, byte &- NumberText.zero <= 9 { index += 1 }
            return index > start
        }
    }
}
