// Plain text as typed columns: csv fields and raw keys, by the same readers as JSON's tokens.

import CSimdJSON
import Columns
import Contracts
import Types

extension JSONFields {
    /// `ranges` holds one text a field, row after row. `isNull` likewise.
    func decodeText(
        _ arena: [UInt8], _ ranges: [ValueRange], isNull: [UInt8]
    ) throws(Failure) -> JSONColumns {
        require(ranges.count == isNull.count, "\(ranges.count) ranges, \(isNull.count) flags")
        require(ranges.count % max(1, fieldCount) == 0, "rows of \(fieldCount) fields")
        let rows = fieldCount == 0 ? 0 : ranges.count / fieldCount
        return try unsafe decoding(arena) { bytes, handle in
            unsafe ranges.withUnsafeBytes { texts in
                unsafe isNull.withUnsafeBufferPointer { flags in
                    // SAFETY: as in `decode`.
                    unsafe millrace_text_decode(
                        handle, bytes.baseAddress, bytes.count,
                        texts.baseAddress?.assumingMemoryBound(to: millrace_json_range.self),
                        flags.baseAddress, rows)
                }
            }
        }
    }
}

/// Throws for a type that has no reader for plain text.
func checkText(_ type: LogicalType, _ column: String) throws(Failure) {
    switch type {
    case .array, .row, .unknown:
        throw Failure(
            .invalid, "format.no_text",
            "column \"\(column)\": \(type) has no plain text form",
            hint: "declare it as json or text")
    default: return
    }
}
