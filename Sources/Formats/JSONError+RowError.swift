// A decoder's error as a sentence for people.

import CSimdJSON
import Columns
import Contracts
import Types

extension JSONError {
    /// At most so many bytes of a bad token are quoted.
    private static let quotedBytes = 60

    func rowError(_ arena: [UInt8]) -> RowError {
        RowError(
            row: message, reason: reason.dataErrorReason, constraint: field,
            detail: detail(quoted(arena)))
    }

    private func quoted(_ arena: [UInt8]) -> String {
        guard place.count > 0, place.upperBound <= arena.count else { return "" }
        let end = min(place.upperBound, place.lowerBound + Self.quotedBytes)
        let text = String(decoding: arena[place.lowerBound..<end], as: UTF8.self)
            .unicodeScalars.map(Self.visible).joined()
        return end < place.upperBound ? text + "…" : text
    }

    /// Control characters as JSON escapes them: a token ends up on terminals.
    private static func visible(_ scalar: Unicode.Scalar) -> String {
        guard scalar.properties.generalCategory == .control else { return String(scalar) }
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private func detail(_ token: String) -> String {
        let owner = field.map { "field \"\($0)\": " } ?? ""
        let wanted = type?.description ?? "an object"
        return switch reason {
        case MILLRACE_JSON_WRONG_TYPE: "\(owner)\(token) is not \(wanted)"
        case MILLRACE_JSON_OUT_OF_RANGE: "\(owner)\(token) does not fit in \(wanted)"
        case MILLRACE_JSON_INEXACT:
            "\(owner)\(token) has more digits behind the point than \(wanted)"
        case MILLRACE_JSON_EMPTY: "the value is empty"
        case MILLRACE_JSON_NESTED_TOO_DEEP: "\(owner)nested deeper than 1024 levels"
        case MILLRACE_JSON_INVALID_UTF8: "the value is not UTF-8"
        case MILLRACE_JSON_BYTE_ORDER_MARK: "the value begins with a byte order mark"
        case MILLRACE_JSON_NOT_AN_OBJECT: "\(token) is not an object"
        case MILLRACE_JSON_AMBIGUOUS:
            "\(owner)\(token) may be base64 or digits (send schemas to tell them apart)"
        default:
            token.isEmpty
                ? "\(owner)broken JSON: it ends too early" : "\(owner)broken JSON at \(token)"
        }
    }
}

extension millrace_json_reason {
    var dataErrorReason: DataErrorReason {
        switch self {
        case MILLRACE_JSON_WRONG_TYPE, MILLRACE_JSON_NOT_AN_OBJECT, MILLRACE_JSON_AMBIGUOUS:
            .wrongType
        case MILLRACE_JSON_OUT_OF_RANGE, MILLRACE_JSON_INEXACT: .outOfRange
        case MILLRACE_JSON_EMPTY: .emptyValue
        case MILLRACE_JSON_NESTED_TOO_DEEP: .limit
        default: .malformed
        }
    }
}
