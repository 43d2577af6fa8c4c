// Reads the `schema` part of Kafka Connect's envelope, which says how decimals and times stand in
// the payload (Debezium: "Data type mappings"; Connect: org.apache.kafka.connect.data).

import CSimdJSON
import Columns
import Contracts
import Types

final class DebeziumSchemaProbe {
    private let envelope = JSONFields([JSONField("schema", .json)])
    private let schema: JSONFields

    /// The schema part of each message; empty: there is none.
    struct Schemas {
        fileprivate let column: Column
        fileprivate let texts: ByteColumn

        func bytes(_ message: Int) -> ArraySlice<UInt8> {
            column.isValid(message) ? texts[message] : []
        }

        func same(_ left: Int, _ right: Int) -> Bool {
            bytes(left).elementsEqual(bytes(right))
        }
    }

    init() {
        let parameters = RowType(name: nil, fields: [Field("scale", .text)])
        let items = RowType(
            name: nil, fields: [Field("name", .text), Field("parameters", .row(parameters))])
        let inner = RowType(
            name: nil,
            fields: [
                Field("field", .text), Field("name", .text), Field("type", .text),
                Field("parameters", .row(parameters)), Field("items", .row(items)),
            ])
        let outer = RowType(
            name: nil,
            fields: [Field("field", .text), Field("fields", .array(.row(inner)))])
        schema = JSONFields([JSONField("fields", .array(.row(outer)))])
    }

    /// A broken message has none here; the decode proper will say what is wrong with it.
    func schemas(_ messages: MessageBatch) throws(Failure) -> Schemas {
        let decoded = try envelope.decode(
            messages.values, messages.valueRanges, isNull: messages.valueIsNull, checksAll: false)
        guard case .bytes(let texts) = decoded.columns[0].values else { bug("json is not bytes") }
        return Schemas(column: decoded.columns[0], texts: texts)
    }

    /// How the fields of `row` stand, as the schema of the envelope's `after` says.
    func settings(
        _ text: [UInt8], _ flags: UInt32, _ row: RowType
    ) throws(Failure) -> [(String, JSONSettings)] {
        let range = ValueRange(start: 0, length: text.count)
        let decoded = try schema.decode(text, [range], isNull: [0], checksAll: true)
        guard decoded.errors.isEmpty, case .list(let sides) = decoded.columns[0].scalar(0) else {
            return []
        }
        for case .row(let side) in sides where side[0] == .text("after") {
            guard case .list(let fields) = side[1] else { continue }
            return fields.compactMap { described($0, flags, row) }
        }
        return []
    }

    private func described(
        _ field: Scalar, _ flags: UInt32, _ row: RowType
    ) -> (String, JSONSettings)? {
        guard case .row(let parts) = field, let name = text(parts[0]),
            let index = row.index(of: name)
        else { return nil }
        var settings = JSONSettings()
        settings.flags = flags
        var semantic = text(parts[1]) ?? ""
        var parameters = parts[3]
        var column = row.fields[index].type
        if case .array(let element) = column, case .row(let items) = parts[4] {
            semantic = text(items[0]) ?? ""
            parameters = items[1]
            column = element
        }
        let type = semantic.split(separator: ".").last.map(String.init) ?? ""
        settings.unit =
            switch type {
            case "Date": MILLRACE_JSON_DAYS
            case "MicroTime", "MicroTimestamp": MILLRACE_JSON_MICROSECONDS
            case "NanoTime", "NanoTimestamp": MILLRACE_JSON_NANOSECONDS
            case "Time", "Timestamp": MILLRACE_JSON_MILLISECONDS
            default: MILLRACE_JSON_ISO8601
            }
        if case .numeric(_, let scale) = column {
            settings.flags |= decimalFlag(type, parameters, scale)
        }
        return (name, settings)
    }

    /// A Connect Decimal of another scale than the column's would be off by a power of ten: such a
    /// string is refused (no flag), never read.
    private func decimalFlag(_ type: String, _ parameters: Scalar, _ scale: Int) -> UInt32 {
        guard type == "Decimal" else { return MILLRACE_JSON_DECIMAL_TEXT.rawValue }
        guard case .row(let values) = parameters, text(values[0]) == String(scale) else {
            return MILLRACE_JSON_OTHER_SCALE.rawValue
        }
        return MILLRACE_JSON_CONNECT_DECIMAL.rawValue
    }

    private func text(_ scalar: Scalar) -> String? {
        guard case .bytes(let bytes) = scalar else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
