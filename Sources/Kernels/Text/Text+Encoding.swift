// encode and decode: hex, base64 (RFC 2045, lines of 76 characters), escape.

import Columns
import Contracts
import Types

enum TextEncoding: String {
    case hex, base64, escape

    init?(name: some Collection<UInt8>) {
        self.init(rawValue: String(decoding: name, as: UTF8.self).lowercased())
    }

    static func encode(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        run(call, .text, &errors) { encoding, data, range, output in
            encoding.encode(data, range, to: &output)
            return nil
        }
    }

    static func decode(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        run(call, .bytea, &errors) { encoding, data, range, output in
            encoding.decode(data, range, to: &output)
        }
    }

    /// `work` gives the sentence of an error, or nil.
    private static func run(
        _ call: KernelCall, _ type: LogicalType, _ errors: inout RowErrors,
        _ work: (TextEncoding, [UInt8], ValueRange, inout [UInt8]) -> String?
    ) -> Column {
        let (input, names) = (call.bytes(0), call.bytes(1))
        let constant = call.constantBytes(1).map { TextEncoding(name: $0) }
        var output = TextOutput(rowCount: call.rowCount, capacity: input.data.count)
        for row in 0..<call.rowCount {
            guard call.isWanted(row) else {
                output.endEmpty()
                continue
            }
            guard let encoding = constant ?? TextEncoding(name: names[row]) else {
                let name = String(decoding: names[row], as: UTF8.self)
                errors.note(
                    row, .invalidArgument, "unrecognized encoding: \"\(name)\"", in: call)
                output.endEmpty()
                continue
            }
            if let problem = work(encoding, input.data, input.ranges[row], &output.data) {
                errors.note(row, .invalidArgument, problem, in: call)
                output.endEmpty()
            } else {
                output.endRow(row, &errors, in: call)
            }
        }
        return output.column(type)
    }

    private func encode(_ data: [UInt8], _ range: ValueRange, to output: inout [UInt8]) {
        switch self {
        case .hex:
            for index in range.lowerBound..<range.upperBound {
                output.append(ValueText.hexadecimalDigit(data[index] >> 4))
                output.append(ValueText.hexadecimalDigit(data[index] & 15))
            }
        case .base64: encodeBase64(data, range, to: &output)
        case .escape:
            for index in range.lowerBound..<range.upperBound {
                let byte = data[index]
                if byte == 0 || byte >= 0x80 {
                    output.append(UInt8(ascii: "\\"))
                    output.append(48 + (byte >> 6))
                    output.append(48 + (byte >> 3 & 7))
                    output.append(48 + (byte & 7))
                } else {
                    if byte == UInt8(ascii: "\\") { output.append(byte) }
                    output.append(byte)
                }
            }
        }
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private func encodeBase64(_ data: [UInt8], _ range: ValueRange, to output: inout [UInt8]) {
        var index = range.lowerBound
        var lineLength = 0
        while index < range.upperBound {
            if lineLength == 76 {
                output.append(10)
                lineLength = 0
            }
            let count = min(3, range.upperBound - index)
            var group = UInt32(data[index]) << 16
            if count > 1 { group |= UInt32(data[index + 1]) << 8 }
            if count > 2 { group |= UInt32(data[index + 2]) }
            output.append(Self.alphabet[Int(group >> 18)])
            output.append(Self.alphabet[Int(group >> 12 & 63)])
            output.append(count > 1 ? Self.alphabet[Int(group >> 6 & 63)] : 61)
            output.append(count > 2 ? Self.alphabet[Int(group & 63)] : 61)
            index += count
            lineLength += 4
        }
    }

    /// The sentence of what is wrong, or nil.
    private func decode(
        _ data: [UInt8], _ range: ValueRange, to output: inout [UInt8]
    ) -> String? {
        switch self {
        case .hex: decodeHexadecimal(data, range, to: &output)
        case .base64: decodeBase64(data, range, to: &output)
        case .escape: decodeEscape(data, range, to: &output)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 32 || byte == 9 || byte == 10 || byte == 13
    }

    private func decodeHexadecimal(
        _ data: [UInt8], _ range: ValueRange, to output: inout [UInt8]
    ) -> String? {
        var high: UInt8?
        for index in range.lowerBound..<range.upperBound {
            let byte = data[index]
            if Self.isSpace(byte), high == nil { continue }
            guard let digit = UUIDText.hexadecimalValue(byte) else {
                return "invalid hexadecimal digit"
            }
            if let first = high {
                output.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? nil : "invalid hexadecimal data: odd number of digits"
    }

    private func decodeBase64(
        _ data: [UInt8], _ range: ValueRange, to output: inout [UInt8]
    ) -> String? {
        var group: UInt32 = 0
        var count = 0
        var padding = 0
        for index in range.lowerBound..<range.upperBound {
            let byte = data[index]
            if Self.isSpace(byte) { continue }
            var value: UInt32 = 0
            if byte == UInt8(ascii: "=") {
                guard count >= 2, padding > 0 || count == 2 || count == 3 else {
                    return "unexpected \"=\" while decoding base64 sequence"
                }
                padding += 1
            } else {
                guard padding == 0, let digit = Self.digit(byte) else {
                    return "invalid symbol while decoding base64 sequence"
                }
                value = digit
            }
            group = group << 6 | value
            count += 1
            if count == 4 {
                output.append(UInt8(truncatingIfNeeded: group >> 16))
                if padding < 2 { output.append(UInt8(truncatingIfNeeded: group >> 8)) }
                if padding < 1 { output.append(UInt8(truncatingIfNeeded: group)) }
                group = 0
                count = 0
            }
        }
        return count == 0 ? nil : "invalid base64 end sequence"
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - 65)
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - 97 + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - 48 + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    private func decodeEscape(
        _ data: [UInt8], _ range: ValueRange, to output: inout [UInt8]
    ) -> String? {
        let backslash = UInt8(ascii: "\\")
        var index = range.lowerBound
        while index < range.upperBound {
            guard data[index] == backslash else {
                output.append(data[index])
                index += 1
                continue
            }
            let rest = range.upperBound - index
            if rest >= 4, (48...51).contains(data[index + 1]), (48...55).contains(data[index + 2]),
                (48...55).contains(data[index + 3])
            {
                output.append(
                    (data[index + 1] - 48) << 6 | (data[index + 2] - 48) << 3
                        | (data[index + 3] - 48))
                index += 4
            } else if rest >= 2, data[index + 1] == backslash {
                output.append(backslash)
                index += 2
            } else {
                return "invalid input syntax for type bytea"
            }
        }
        return nil
    }
}
