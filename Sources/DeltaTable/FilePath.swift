// Names of data files and values of partitions (PROTOCOL.md "Partition Value Serialization", "Add
// File": paths are URL-encoded), and the folders that show them.

import Columns
import Contracts
public import Progress
import Types

/// Paths inside a table.
public enum FilePath {
    /// RFC 2396's unreserved characters and `/` and `=`, which Hive's folders need.
    private static let plain = Set(
        "-_.~!*'()/=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// Letters, digits, `-`, `_` and `.`; everything else escaped.
    static func escapedWord(_ text: String) -> String {
        escaped(
            text,
            Set("-_.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8))
    }

    /// A path on the store as the log has it.
    public static func encode(_ path: String) -> String { escaped(path, plain) }

    private static func escaped(_ text: String, _ plain: Set<UInt8>) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            if plain.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A path of the log as the store has it.
    public static func decode(_ path: String) -> String {
        let source = Array(path.utf8)
        var bytes: [UInt8] = []
        var position = 0
        while position < source.count {
            if source[position] == UInt8(ascii: "%"), position + 2 < source.count,
                let value = UInt8(
                    String(decoding: source[(position + 1)...(position + 2)], as: UTF8.self),
                    radix: 16)
            {
                bytes.append(value)
                position += 3
            } else {
                bytes.append(source[position])
                position += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// design.md §3.12: partition folders, generation, epoch, incarnation and count.
    public static func dataFile(
        partitionFolder: String, marker: Marker, number: Int
    ) -> String {
        let incarnation = String(marker.incarnation, radix: 16)
        let name = "\(marker.generation)/\(marker.epoch)/\(incarnation)-\(number).parquet"
        return partitionFolder.isEmpty ? name : "\(partitionFolder)/\(name)"
    }

    /// `day=2026-11-23/city=K%C3%B6ln`. A value too long for a folder is cut and told apart by its
    /// hash: readers take values from the log, never from folders.
    static func partitionFolder(_ names: [String], _ values: [String?]) -> String {
        let safe = Set("-_.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        var folders: [String] = []
        for (name, value) in zip(names, values) {
            var shown = value.map { escaped($0, safe) } ?? "__HIVE_DEFAULT_PARTITION__"
            if shown.utf8.count > 120 {
                var hash: UInt64 = 0xcbf2_9ce4_8422_2325
                for byte in shown.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
                shown = "\(shown.prefix(100))~\(String(hash, radix: 16))"
            }
            folders.append("\(escaped(name, safe))=\(shown)")
        }
        return folders.joined(separator: "/")
    }
}

/// Partition values as text.
enum PartitionValue {
    /// nil is NULL. An empty text is NULL too: Delta cannot tell them apart.
    static func serialize(_ value: Scalar, _ type: LogicalType) throws(Failure) -> String? {
        switch (value, type) {
        case (.null, _): return nil
        case (.bool(let flag), _): return flag ? "true" : "false"
        case (.int64(let days), .date): return dateText(days: days)
        case (.int64(let time), .timestamptz):
            guard writableTimes.contains(time) else { throw outOfRange(type) }
            return timestampText(microseconds: time, separator: "T", digits: 6) + "Z"
        case (.int64(let time), .timestamp):
            guard writableTimes.contains(time) else { throw outOfRange(type) }
            return timestampText(microseconds: time, separator: " ", digits: 6)
        case (.int64(let number), _): return String(number)
        case (.float64(let number), .real): return floatText(number, String(Float(number)))
        case (.float64(let number), _): return floatText(number, String(number))
        case (.int128(let bits), .uuid): return uuidText(bits)
        case (.int128(let number), .numeric(_, let scale)): return decimalText(number, scale)
        case (.bytes(let bytes), .bytea):
            // Escaped characters, one a byte (PROTOCOL.md: "\u0001\u0002").
            let text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
            return text.isEmpty ? nil : text
        case (.bytes(let bytes), _):
            return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
        default:
            throw Failure(.invalid, "delta.partition", "a column of type \(type) cannot partition")
        }
    }

    private static func outOfRange(_ type: LogicalType) -> Failure {
        Failure(
            .failed, "delta.partition",
            "a partition value of type \(type) is outside the years 1 to 9999")
    }

    private static func floatText(_ number: Double, _ text: String) -> String {
        number.isNaN ? "NaN" : number.isInfinite ? (number > 0 ? "Infinity" : "-Infinity") : text
    }

    /// The inverse, for reading files back.
    static func parse(_ text: String?, _ type: LogicalType) throws(Failure) -> Scalar {
        guard let text, !text.isEmpty else { return .null }
        let value: Scalar? =
            switch type {
            case .boolean: text == "true" ? .bool(true) : text == "false" ? .bool(false) : nil
            case .smallint, .integer, .bigint, .time: Int64(text).map { .int64($0) }
            case .date: parseDate(text).map { .int64($0) }
            case .timestamp, .timestamptz: parseTimestamp(text).map { .int64($0) }
            case .real, .double: Double(text).map { .float64($0) }
            case .numeric(_, let scale): parseDecimal(text, scale: scale).map { .int128($0) }
            case .uuid: parseUUID(Array(text.utf8)).map { .int128($0) }
            case .text, .json: .text(text)
            case .bytea: .bytes(text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
            case .interval, .array, .row, .unknown: nil
            }
        guard let value else {
            throw Failure(
                .failed, "delta.partition", "\"\(text)\" is no partition value of type \(type)")
        }
        return value
    }
}

/// `-12.30` of the unscaled −1230 and scale 2.
func decimalText(_ value: Int128, _ scale: Int) -> String {
    let digits = String(value.magnitude)
    let sign = value < 0 ? "-" : ""
    guard scale > 0 else { return sign + digits }
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    return "\(sign)\(padded.dropLast(scale)).\(padded.suffix(scale))"
}

/// nil for what is no plain decimal or does not fit the scale.
func parseDecimal(_ text: String, scale: Int) -> Int128? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    var fraction = parts.count == 2 ? String(parts[1]) : ""
    while fraction.count > scale, fraction.hasSuffix("0") { fraction.removeLast() }
    guard fraction.count <= scale else { return nil }
    fraction += String(repeating: "0", count: scale - fraction.count)
    return Int128(String(parts[0]) + fraction)
}

func uuidText(_ value: Int128) -> String {
    let bits = UInt128(truncatingIfNeeded: value) ^ UInt128(1) << 127
    let digits = String(bits, radix: 16)
    let padded = Array(String(repeating: "0", count: 32 - digits.count) + digits)
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(padded[$0]) }
        .joined(separator: "-")
}

/// nil for what is not 8-4-4-4-12 hexadecimal digits.
func parseUUID(_ bytes: some Collection<UInt8>) -> Int128? {
    var bits: UInt128 = 0
    var count = 0
    for byte in bytes where byte != UInt8(ascii: "-") {
        let digit: UInt8
        switch byte {
        case 0x30...0x39: digit = byte - 0x30
        case 0x61...0x66: digit = byte - 0x57
        case 0x41...0x46: digit = byte - 0x37
        default: return nil
        }
        bits = bits << 4 | UInt128(digit)
        count += 1
    }
    guard count == 32, bytes.count == 36 || bytes.count == 32 else { return nil }
    return Int128(truncatingIfNeeded: bits ^ UInt128(1) << 127)
}
