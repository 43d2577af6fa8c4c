// What Debezium's PostgreSQL connector writes for a value that it does not have, type by type
// (PostgresValueConverter; `unavailable.value.placeholder`).

import Columns
import Types

enum DebeziumPlaceholder {
    /// The forms of `text` as JSON without white space: a string (text, json, uuid …), its base64
    /// (bytea; `binary.handling.mode` bytes, base64 and, where it differs, base64-url-safe), its
    /// hexadecimal form (hex), an array of the string or its base64 (text[], bytea[]), the codes of
    /// its characters (int[], bigint[]), an object of the string (hstore as a map).
    static func forms(of text: String) -> [String] {
        let bytes = Array(text.utf8)
        let string = json(.text, bytes)
        let base64 = json(.bytea, bytes)
        let urlSafe = String(base64.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
        let digits = Array("0123456789abcdef")
        let hex = String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        let codes = text.utf16.map(String.init).joined(separator: ",")
        var forms = [string, base64, "\"\(hex)\"", "[\(string)]", "[\(base64)]"]
        if urlSafe != base64 { forms.append(urlSafe) }
        return forms + ["[\(codes)]", "{\(string):\(string)}"]
    }

    private static func json(_ type: LogicalType, _ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        JSONValueText.append(
            Column(type, scalars: [.bytes(bytes)]), row: 0, type: type, to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
