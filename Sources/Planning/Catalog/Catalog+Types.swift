// Type names as written.

package import Contracts
package import SQLSyntax
package import Types

extension Catalog {
    /// A type as written. Throws `sql.type_unknown` with the nearest name or a hint for what other
    /// systems call it (`bigint unsigned`, `varchar(n)`).
    package func type(_ name: TypeName) throws(Failure) -> LogicalType {
        var type = try element(name)
        for _ in 0..<name.arrayDimensions { type = .array(type) }
        return type
    }

    private func element(_ name: TypeName) throws(Failure) -> LogicalType {
        if ["numeric", "decimal"].contains(name.name) { return try numeric(name) }
        if let type = Self.builtinType(name.name) {
            try checkModifiers(name, type)
            return type
        }
        if let declared = types[name.name] { return .row(declared.type) }
        if let relation = relations.first(where: { $0.name.text == name.name }) {
            throw Failure(
                .invalid, "sql.not_a_type", "\"\(relation.name.text)\" is a relation, not a type",
                place: name.place)
        }
        let nearest = nearestName(
            to: name.name, among: Self.builtinNames.keys + Array(types.keys))
        throw Failure(
            .invalid, "sql.type_unknown", "there is no type \"\(name.name)\"",
            hint: Self.typeHints[name.name] ?? nearest.map { "did you mean \($0)?" },
            place: name.place)
    }

    private func numeric(_ name: TypeName) throws(Failure) -> LogicalType {
        guard let precision = name.modifiers.first else {
            throw Failure(
                .invalid, "sql.bare_numeric", "numeric needs its digits here",
                hint: "write numeric(p,s)", place: name.place)
        }
        let scale = name.modifiers.count > 1 ? name.modifiers[1] : 0
        guard name.modifiers.count <= 2, (1...LogicalType.maximumPrecision).contains(precision),
            (0...precision).contains(scale)
        else {
            throw Failure(
                .invalid, "sql.numeric_range",
                "numeric(\(precision),\(scale)): 1 to 38 digits, 0 to all of them behind the point",
                place: name.place)
        }
        return .numeric(precision: precision, scale: scale)
    }

    private func checkModifiers(_ name: TypeName, _ type: LogicalType) throws(Failure) {
        let isWhole =
            name.modifiers.isEmpty
            || ([.time, .timestamp, .timestamptz].contains(type) && name.modifiers == [6])
            || (type == .interval && [[0x7fff], [0x7fff, 6]].contains(name.modifiers))
        guard isWhole else {
            throw Failure(
                .invalid, "sql.type_modifier", "\(type) takes no modifier",
                hint: type == .interval || type == .time
                    || type == .timestamp || type == .timestamptz
                    ? "times have microseconds; use date_trunc" : nil, place: name.place)
        }
    }

    /// A type that needs no declaration, by any of its names; not numeric.
    package static func builtinType(_ name: String) -> LogicalType? { builtinNames[name] }

    static let builtinNames: [String: LogicalType] = [
        "bool": .boolean, "boolean": .boolean, "int2": .smallint, "smallint": .smallint,
        "int4": .integer, "int": .integer, "integer": .integer, "int8": .bigint,
        "bigint": .bigint, "float4": .real, "real": .real, "float8": .double,
        "double precision": .double, "text": .text, "bytea": .bytea, "date": .date,
        "time": .time, "timestamp": .timestamp, "timestamptz": .timestamptz,
        "interval": .interval, "uuid": .uuid, "json": .json,
    ]

    private static let typeHints = [
        "varchar": "write text; a limit is CHECK (length(column) <= n)",
        "bpchar": "write text; a limit is CHECK (length(column) = n)",
        "char": "write text", "string": "write text", "jsonb": "write json",
        "unsigned": "write bigint with CHECK (column >= 0), or numeric(20,0)",
        "uint64": "write numeric(20,0)", "int64": "write bigint", "int32": "write integer",
        "float64": "write double precision", "double": "write double precision",
        "float": "write real or double precision", "blob": "write bytea",
        "bytes": "write bytea", "datetime": "write timestamp or timestamptz",
        "timetz": "write time", "money": "write numeric(p,s)", "serial": "write integer",
        "bigserial": "write bigint", "struct": "CREATE TYPE name AS (…) makes a row type",
        "map": "write json", "tinyint": "write smallint",
    ]

    /// Declares `CREATE TYPE name AS (…)`.
    mutating func declare(_ statement: CreateType) throws(Failure) {
        try checkFree(statement.name)
        var fields: [Field] = []
        for (name, typeName) in statement.fields {
            guard !fields.contains(where: { $0.name == name.text }) else {
                throw Failure(
                    .invalid, "sql.duplicate_column", "field \"\(name.text)\" stands twice",
                    place: name.place)
            }
            fields.append(Field(name.text, try type(typeName)))
        }
        types[statement.name.text] = (
            RowType(name: statement.name.text, fields: fields), statement.name.place
        )
    }
}
