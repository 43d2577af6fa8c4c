// The owner of CSimdJSON's decoder: documents in, typed columns and errors out, one call a batch.

import CSimdJSON
import Columns
import Contracts
import Planning
import Types

/// A wanted field of a document.
struct JSONField {
    enum Kind {
        case value(LogicalType)
        /// An object whose fields are the document's own (Debezium's `payload`).
        case inline
    }

    var name: String
    var kind: Kind
    var settings = JSONSettings()
    /// Fields of a row other than its type's own settings; by name. Empty: `settings` for all.
    var fieldSettings: [String: JSONSettings] = [:]

    init(_ name: String, _ type: LogicalType, _ settings: JSONSettings = JSONSettings()) {
        self.name = name
        self.kind = .value(type)
        self.settings = settings
    }

    init(inline name: String) {
        self.name = name
        self.kind = .inline
    }
}

/// How values stand in JSON where it can be said in several ways.
struct JSONSettings: Hashable {
    var unit = MILLRACE_JSON_ISO8601
    /// Bits of millrace_json_flag.
    var flags: UInt32 = 0

    init(_ format: TimestampFormat = .iso8601) {
        unit =
            switch format {
            case .iso8601: MILLRACE_JSON_ISO8601
            case .unixSeconds: MILLRACE_JSON_SECONDS
            case .unixMilliseconds: MILLRACE_JSON_MILLISECONDS
            case .unixMicroseconds: MILLRACE_JSON_MICROSECONDS
            case .unixNanoseconds: MILLRACE_JSON_NANOSECONDS
            }
    }

    static func == (left: Self, right: Self) -> Bool {
        left.unit.rawValue == right.unit.rawValue && left.flags == right.flags
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(unit.rawValue)
        hasher.combine(flags)
    }
}

/// A document that broke its contract.
struct JSONError {
    var message: Int
    /// The field's path; nil: the document as a whole.
    var field: String?
    var type: LogicalType?
    var reason: millrace_json_reason
    /// The offending token in the arena.
    var place: ValueRange
}

/// What came out of a batch: one entry a document in each column.
struct JSONColumns {
    var columns: [Column]
    var errors: [JSONError]
    /// Values that a placeholder stood for, in the order of messages; those of a message that has
    /// an error mean nothing. `field`: its position in the row that it belongs to.
    var missing: [(message: Int, field: Int)] = []
}

/// Not Sendable: one decoder a thread.
@safe
final class JSONFields {
    private let handle: OpaquePointer
    private var nodes: [Node] = []
    /// The nodes of the fields that have a column.
    private var roots: [Int] = []

    private struct Node {
        let path: String
        let type: LogicalType
        var children: [Int] = []
        /// Among the fields of the row that it belongs to.
        var position = 0
    }

    init(_ fields: [JSONField]) {
        unsafe handle = millrace_json_create().required("out of memory")
        for field in fields { addRoot(field) }
    }

    deinit { unsafe millrace_json_destroy(handle) }

    /// What stands for a value that the producer does not have, where a field's flags allow it:
    /// JSON texts without white space.
    func setPlaceholders(_ texts: [String]) throws(Failure) {
        let bytes: [UInt8] = texts.flatMap { [UInt8]($0.utf8) + [0] }
        let status = unsafe bytes.withUnsafeBufferPointer {
            // SAFETY: the texts are copied before the call returns; `handle` lives as long as self.
            unsafe millrace_json_set_placeholders(handle, $0.baseAddress, $0.count)
        }
        guard status == 0 else {
            throw Failure(.failed, "json.out_of_memory", "out of memory while making a decoder")
        }
    }

    private func addRoot(_ field: JSONField) {
        switch field.kind {
        case .inline:
            nodes.append(Node(path: field.name, type: .unknown))
            register(-1, field.name, Int32(MILLRACE_JSON_INLINE.rawValue), 0, 0, JSONSettings())
        case .value(let type):
            roots.append(
                add(-1, field.name, field.name, type, field.settings, field.fieldSettings))
        }
    }

    private func register(
        _ parent: Int, _ name: String, _ kind: Int32, _ precision: Int, _ scale: Int,
        _ settings: JSONSettings
    ) {
        let bytes = Array(name.utf8)
        let id = unsafe bytes.withUnsafeBufferPointer {
            // SAFETY: the name is copied before the call returns; `handle` lives as long as self.
            unsafe millrace_json_add(
                handle, Int32(parent), kind, $0.baseAddress, $0.count, Int32(precision),
                Int32(scale), Int32(settings.unit.rawValue), Int32(settings.flags))
        }
        require(Int(id) == nodes.count - 1, "JSON node \(id) of \(nodes.count)")
    }

    private func add(
        _ parent: Int, _ name: String, _ path: String, _ type: LogicalType,
        _ settings: JSONSettings, _ fieldSettings: [String: JSONSettings] = [:]
    ) -> Int {
        let id = nodes.count
        nodes.append(Node(path: path, type: type))
        let shape = type.jsonShape
        register(
            parent, name, Int32(shape.kind.rawValue), shape.precision, shape.scale,
            settings.narrowed(to: type))
        switch type {
        case .array(let element):
            nodes[id].children = [add(id, "", path + "[]", element, settings.ofAPart)]
        case .row(let row):
            for field in row.fields {
                let own = fieldSettings[field.name] ?? settings.ofAPart
                let child = add(id, field.name, "\(path).\(field.name)", field.type, own)
                nodes[child].position = nodes[id].children.count
                nodes[id].children.append(child)
            }
        default: break
        }
        return id
    }

    /// Decodes documents of `arena`. Text columns share the arena's memory unless a text has
    /// escapes.
    func decode(
        _ arena: [UInt8], _ ranges: [ValueRange], isNull: [UInt8], checksAll: Bool
    ) throws(Failure) -> JSONColumns {
        require(ranges.count == isNull.count, "\(ranges.count) ranges, \(isNull.count) flags")
        return try unsafe decoding(arena) { bytes, handle in
            unsafe ranges.withUnsafeBytes { documents in
                unsafe isNull.withUnsafeBufferPointer { flags in
                    // SAFETY: ValueRange and millrace_json_range are both two 32-bit integers; the
                    // callee keeps no pointer; the ranges were made by MessageBatch.
                    unsafe millrace_json_decode(
                        handle, bytes.baseAddress, bytes.count,
                        documents.baseAddress?.assumingMemoryBound(to: millrace_json_range.self),
                        flags.baseAddress, flags.count, checksAll ? 1 : 0)
                }
            }
        }
    }

    var fieldCount: Int { roots.count }

    /// Runs a decode and copies what came out.
    func decoding(
        _ arena: [UInt8],
        _ call: (_ bytes: UnsafeBufferPointer<UInt8>, _ handle: OpaquePointer) -> Int32
    ) throws(Failure) -> JSONColumns {
        // SAFETY: the pointers are used only inside of the call.
        let status = unsafe arena.withUnsafeBufferPointer { unsafe call($0, handle) }
        guard status == 0 else {
            throw Failure(.failed, "json.out_of_memory", "out of memory while decoding a batch")
        }
        let data = texts(arena)
        return JSONColumns(
            columns: roots.map { column($0, data) }, errors: errors(), missing: missingValues())
    }

    private func missingValues() -> [(message: Int, field: Int)] {
        var count = 0
        let list = unsafe millrace_json_missing_values(handle, &count)
        // SAFETY: `list` has `count` entries until the next decode.
        return unsafe UnsafeBufferPointer(start: list, count: count).map {
            (Int($0.message), nodes[Int($0.node)].position)
        }
    }

    /// The arena, with the unescaped texts behind it if there are any.
    private func texts(_ arena: [UInt8]) -> [UInt8] {
        var count = 0
        let overflow = unsafe millrace_json_overflow(handle, &count)
        guard count > 0 else { return arena }
        // SAFETY: `overflow` has `count` bytes until the next decode.
        return unsafe arena + UnsafeBufferPointer(start: overflow, count: count)
    }

    private func errors() -> [JSONError] {
        var count = 0
        let list = unsafe millrace_json_errors(handle, &count)
        // SAFETY: `list` has `count` entries until the next decode.
        return unsafe UnsafeBufferPointer(start: list, count: count).map { error in
            let node = error.node < 0 ? nil : nodes[Int(error.node)]
            return JSONError(
                message: Int(error.message), field: node?.path, type: node?.type,
                reason: millrace_json_reason(UInt32(error.reason)),
                place: ValueRange(start: Int(error.place.start), length: Int(error.place.length)))
        }
    }

    private func column(_ id: Int, _ data: [UInt8]) -> Column {
        let node = nodes[id]
        let raw = unsafe millrace_json_get(handle, Int32(id))
        let count = unsafe raw.count
        let validity: Validity = unsafe raw.null_count == 0 ? nil : copy(raw.valid, count)
        let values: ColumnValues =
            switch node.type.physical {
            case .bool: unsafe .bool(copy(raw.values, count))
            case .int64: unsafe .int64(copy(raw.values, count))
            case .float64: unsafe .float64(copy(raw.values, count))
            case .int128: unsafe .int128(copy(raw.values, count))
            case .bytes:
                unsafe .bytes(
                    ByteColumn(
                        ranges: copy(raw.values, count),
                        data: node.type == .bytea ? copy(raw.data, raw.data_count) : data))
            case .interval: unsafe .bytes(ByteColumn(ranges: copy(raw.values, count), data: data))
            case .list:
                unsafe .list(
                    ListColumn(
                        ranges: copy(raw.values, count), element: column(node.children[0], data)))
            case .row:
                .row(RowColumn(fields: node.children.map { column($0, data) }, count: count))
            case .null: .null(count)
            }
        return Column(node.type == .interval ? .text : node.type, values, validity: validity)
    }

    /// `count` values at `source`, whose layout in C is `Value`'s.
    private func copy<Value: BitwiseCopyable>(
        _ source: UnsafeRawPointer?, _ count: Int
    ) -> [Value] {
        guard count > 0, let source = unsafe source else { return [] }
        return unsafe [Value](unsafeUninitializedCapacity: count) { buffer, written in
            // SAFETY: the callee's vector holds `count` values of `Value`'s size and alignment,
            // bools as 0 or 1, and changes only in the next decode.
            unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(
                from: UnsafeRawBufferPointer(
                    start: source, count: count * MemoryLayout<Value>.stride))
            written = count
        }
    }
}

extension JSONSettings {
    /// Only a whole value is ever missing, not a part of one.
    var ofAPart: JSONSettings {
        var settings = self
        settings.flags &= ~MILLRACE_JSON_MAY_BE_PLACEHOLDER.rawValue
        return settings
    }

    /// A timestamp_format is about timestamps; dates and times of day stay ISO 8601.
    func narrowed(to type: LogicalType) -> JSONSettings {
        guard type == .date || type == .time, flags & MILLRACE_JSON_LENIENT.rawValue == 0 else {
            return self
        }
        var settings = self
        settings.unit = MILLRACE_JSON_ISO8601
        return settings
    }
}

extension LogicalType {
    /// The shape in which the C++ side decodes this type.
    fileprivate var jsonShape: (kind: millrace_json_kind, precision: Int, scale: Int) {
        switch self {
        case .boolean: (MILLRACE_JSON_BOOL, 0, 0)
        case .smallint: (MILLRACE_JSON_INTEGER, 16, 0)
        case .integer: (MILLRACE_JSON_INTEGER, 32, 0)
        case .bigint: (MILLRACE_JSON_INTEGER, 64, 0)
        case .real: (MILLRACE_JSON_FLOAT, 0, 0)
        case .double: (MILLRACE_JSON_DOUBLE, 0, 0)
        case .numeric(let precision, let scale): (MILLRACE_JSON_NUMERIC, precision, scale)
        case .text, .interval: (MILLRACE_JSON_TEXT, 0, 0)
        case .bytea: (MILLRACE_JSON_BASE64, 0, 0)
        case .date: (MILLRACE_JSON_DATE, 0, 0)
        case .time: (MILLRACE_JSON_TIME, 0, 0)
        case .timestamp, .timestamptz: (MILLRACE_JSON_TIMESTAMP, 0, 0)
        case .uuid: (MILLRACE_JSON_UUID, 0, 0)
        case .json, .unknown: (MILLRACE_JSON_RAW, 0, 0)
        case .array: (MILLRACE_JSON_ARRAY, 0, 0)
        case .row: (MILLRACE_JSON_ROW, 0, 0)
        }
    }
}
