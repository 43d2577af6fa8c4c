// A table's schema as Delta's JSON (PROTOCOL.md "Schema Serialization Format") and as ours.

public import Contracts
import Parquet
public import Types

/// Conversions of whole schemas.
public enum DeltaSchema {
    /// The `schemaString`. Throws for types that no Delta table has.
    public static func encode(_ schema: Schema) throws(Failure) -> String {
        try structure(schema.fields).text
    }

    private static func structure(_ fields: [Field]) throws(Failure) -> JSONValue {
        var encoded: [JSONValue] = []
        for field in fields {
            encoded.append(
                .object([
                    .init("name", .string(field.name)),
                    .init("type", try encode(field.type, field.name)),
                    .init("nullable", .bool(field.isNullable)),
                    .init("metadata", .object([:])),
                ]))
        }
        return .object([.init("type", .string("struct")), .init("fields", .array(encoded))])
    }

    private static func encode(
        _ type: LogicalType, _ name: String
    ) throws(Failure) -> JSONValue {
        switch type {
        case .boolean: return .string("boolean")
        case .smallint: return .string("short")
        case .integer: return .string("integer")
        case .bigint, .time: return .string("long")
        case .real: return .string("float")
        case .double: return .string("double")
        case .numeric(let precision, let scale): return .string("decimal(\(precision),\(scale))")
        case .text, .json, .uuid: return .string("string")
        case .bytea: return .string("binary")
        case .date: return .string("date")
        case .timestamp: return .string("timestamp_ntz")
        case .timestamptz: return .string("timestamp")
        case .array(let element):
            if let map = ParquetMap.types(type) {
                return .object([
                    .init("type", .string("map")),
                    .init("keyType", try encode(map.key, name)),
                    .init("valueType", try encode(map.value, name)),
                    .init("valueContainsNull", .bool(true)),
                ])
            }
            return .object([
                .init("type", .string("array")), .init("elementType", try encode(element, name)),
                .init("containsNull", .bool(true)),
            ])
        case .row(let row): return try structure(row.fields)
        case .interval, .unknown:
            throw Failure(
                .invalid, "delta.type", "column \"\(name)\" of type \(type) fits no Delta table",
                hint: "cast it to text")
        }
    }

    /// A `schemaString` as our types: uuid, json and time come back as what Delta has for them;
    /// maps are `ParquetMap` arrays.
    public static func decode(_ text: String) throws(Failure) -> Schema {
        let document = try JSONValue(parsing: text)
        return Schema(try fields(document, depth: 0))
    }

    private static func fields(_ value: JSONValue, depth: Int) throws(Failure) -> [Field] {
        guard depth < 64, value["type"]?.string == "struct", let list = value["fields"]?.array
        else { throw broken("not a struct") }
        var fields: [Field] = []
        for field in list {
            guard let name = field["name"]?.string, let type = field["type"] else {
                throw broken("a field without name or type")
            }
            fields.append(
                Field(
                    name, try decode(type, depth: depth + 1),
                    isNullable: field["nullable"]?.bool ?? true))
        }
        return fields
    }

    private static func broken(_ what: String) -> Failure {
        Failure(.failed, "delta.schema", "the table's schema is broken: \(what)")
    }

    private static func decode(_ value: JSONValue, depth: Int) throws(Failure) -> LogicalType {
        guard depth < 64 else { throw broken("it nests too deep") }
        if let name = value.string { return try primitive(name) }
        switch value["type"]?.string {
        case "struct":
            return .row(RowType(name: nil, fields: try fields(value, depth: depth)))
        case "array":
            guard let element = value["elementType"] else { throw broken("an array of nothing") }
            return .array(try decode(element, depth: depth + 1))
        case "map":
            guard let key = value["keyType"], let item = value["valueType"] else {
                throw broken("a map of nothing")
            }
            return ParquetMap.type(
                key: try decode(key, depth: depth + 1), value: try decode(item, depth: depth + 1))
        default: throw broken("an unknown type")
        }
    }

    private static func primitive(_ name: String) throws(Failure) -> LogicalType {
        switch name {
        case "boolean": return .boolean
        case "byte", "short": return .smallint
        case "integer": return .integer
        case "long": return .bigint
        case "float": return .real
        case "double": return .double
        case "string": return .text
        case "binary": return .bytea
        case "date": return .date
        case "timestamp": return .timestamptz
        case "timestamp_ntz": return .timestamp
        case "void", "null": return .unknown
        default:
            if name == "decimal" { return .numeric(precision: 10, scale: 0) }
            guard name.hasPrefix("decimal("), name.hasSuffix(")") else {
                throw Failure(
                    .failed, "delta.type", "the table has a column of type \(name)",
                    hint: "this version does not read it")
            }
            let parts = name.dropFirst(8).dropLast().split(separator: ",").map {
                Int(String($0.filter { $0 != " " }))
            }
            guard parts.count == 2, let precision = parts[0], let scale = parts[1],
                (1...LogicalType.maximumPrecision).contains(precision),
                (0...precision).contains(scale)
            else { throw broken("decimal without digits") }
            return .numeric(precision: precision, scale: scale)
        }
    }

    /// Whether a type, or one inside it, needs the feature `timestampNtz`.
    static func usesLocalTimestamps(_ schema: Schema) -> Bool {
        func uses(_ type: LogicalType) -> Bool {
            switch type {
            case .timestamp: true
            case .array(let element): uses(element)
            case .row(let row): row.fields.contains { uses($0.type) }
            default: false
            }
        }
        return schema.types.contains(where: uses)
    }

    /// The protocol a new table of this schema needs: (1,2), or (3,7) for local timestamps.
    public static func requiredProtocol(_ schema: Schema) -> TableProtocol {
        guard usesLocalTimestamps(schema) else {
            return TableProtocol(minimumReader: 1, minimumWriter: 2)
        }
        return TableProtocol(
            minimumReader: 3, minimumWriter: 7, readerFeatures: ["timestampNtz"],
            writerFeatures: ["timestampNtz", "appendOnly", "invariants"])
    }
}
