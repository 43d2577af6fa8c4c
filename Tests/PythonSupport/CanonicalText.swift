// Values as text without loss, the same as the Python side makes of what it reads.

public import Columns
import Types

extension Column {
    /// One row's value: numbers in decimal, floating point as its bits, text and bytes as hex,
    /// times as µs (dates as days), `[…]` and `{…}` around nested ones.
    public func canonicalText(_ row: Int, uuidAsText: Bool = false) -> String {
        guard isValid(row) else { return "null" }
        switch values {
        case .bool(let values): return values[row] ? "true" : "false"
        case .int64(let values): return String(values[row])
        case .float64(let values):
            return values[row].isNaN ? "nan" : String(Int64(bitPattern: values[row].bitPattern))
        case .int128(let values):
            guard type == .uuid else { return String(values[row]) }
            let hex = String(
                UInt128(truncatingIfNeeded: values[row]) ^ UInt128(1) << 127, radix: 16)
            let digits = String(repeating: "0", count: 32 - hex.count) + hex
            return uuidAsText ? hexText(Array(dashed(digits).utf8)) : digits
        case .bytes(let bytes): return hexText(Array(bytes[row]))
        case .interval(let values):
            return "\(values[row].months)/\(values[row].days)/\(values[row].microseconds)"
        case .list(let list):
            let range = list.ranges[row]
            let elements = (range.lowerBound..<range.upperBound).map {
                list.element.canonicalText($0, uuidAsText: uuidAsText)
            }
            return "[\(elements.joined(separator: ","))]"
        case .row(let fields):
            let texts = fields.fields.map { $0.canonicalText(row, uuidAsText: uuidAsText) }
            return "{\(texts.joined(separator: ","))}"
        case .null: return "null"
        }
    }
}

extension Batch {
    /// One line a row, columns between bars.
    public func canonicalRows(uuidAsText: Bool = false) -> [String] {
        (0..<rowCount).map { row in
            columns.map { $0.canonicalText(row, uuidAsText: uuidAsText) }.joined(separator: "|")
        }
    }
}

private func hexText(_ bytes: [UInt8]) -> String {
    var text = ""
    for byte in bytes {
        text += byte < 16 ? "0" : ""
        text += String(byte, radix: 16)
    }
    return text
}

private func dashed(_ digits: String) -> String {
    var text = ""
    for (index, digit) in digits.enumerated() {
        if [8, 12, 16, 20].contains(index) { text.append("-") }
        text.append(digit)
    }
    return text
}
