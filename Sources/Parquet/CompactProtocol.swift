// Thrift's compact protocol, both ways, as far as Parquet's footer and page headers need it
// (thrift-compact-protocol.md). The reader trusts nothing: sizes are checked against what remains.

import Contracts

/// The types of the wire.
enum CompactType: UInt8 {
    case stop = 0
    case yes, no, byte, int16, int32, int64, double, binary, list, set, map, structure
}

/// Reads one message.
struct CompactReader {
    var cursor: ByteCursor
    private var lastIDs: [Int16] = []
    private var lastID: Int16 = 0

    init(_ cursor: ByteCursor) { self.cursor = cursor }

    struct FieldHeader {
        let id: Int16
        let type: CompactType
        var isTrue: Bool { type == .yes }
    }

    /// Enters a struct: field ids start over. Pair with a loop of `nextField` up to nil.
    mutating func beginStruct() throws(Failure) {
        guard lastIDs.count < ParquetLimit.schemaDepth else {
            throw corrupt("its metadata nests too deep")
        }
        lastIDs.append(lastID)
        lastID = 0
    }

    /// The next field of the struct entered last; nil at its end, which leaves it.
    mutating func nextField() throws(Failure) -> FieldHeader? {
        let head = try cursor.byte()
        if head == 0 {
            lastID = lastIDs.popLast() ?? 0
            return nil
        }
        guard let type = CompactType(rawValue: head & 0x0f), type != .stop else {
            throw corrupt("unknown thrift type \(head & 0x0f)")
        }
        let delta = Int16(head >> 4)
        if delta == 0 {
            lastID = try int16()
        } else {
            let (sum, overflow) = lastID.addingReportingOverflow(delta)
            guard !overflow else { throw corrupt("a thrift field id overflows") }
            lastID = sum
        }
        return FieldHeader(id: lastID, type: type)
    }

    private mutating func int16() throws(Failure) -> Int16 {
        guard let value = Int16(exactly: try cursor.zigzag()) else {
            throw corrupt("a 16-bit number is too large")
        }
        return value
    }

    mutating func int32(_ field: FieldHeader) throws(Failure) -> Int32 {
        try expect(field, .int32, .int16)
        guard let value = Int32(exactly: try cursor.zigzag()) else {
            throw corrupt("a 32-bit number is too large")
        }
        return value
    }

    mutating func int64(_ field: FieldHeader) throws(Failure) -> Int64 {
        try expect(field, .int64, .int32)
        return try cursor.zigzag()
    }

    mutating func byte(_ field: FieldHeader) throws(Failure) -> UInt8 {
        try expect(field, .byte, .byte)
        return try cursor.byte()
    }

    func bool(_ field: FieldHeader) throws(Failure) -> Bool {
        try expect(field, .yes, .no)
        return field.isTrue
    }

    mutating func binary(_ field: FieldHeader) throws(Failure) -> [UInt8] {
        try expect(field, .binary, .binary)
        return try binary()
    }

    mutating func binary() throws(Failure) -> [UInt8] {
        let count = try cursor.count(atMost: cursor.remaining)
        return Array(cursor.bytes[try cursor.take(count)])
    }

    mutating func string(_ field: FieldHeader) throws(Failure) -> String {
        String(decoding: try binary(field), as: UTF8.self)
    }

    /// The element count of a list; each element takes at least a byte, so what remains bounds it.
    mutating func list(_ field: FieldHeader, of type: CompactType) throws(Failure) -> Int {
        try expect(field, .list, .set)
        let (count, element) = try listHeader()
        guard count == 0 || element == type.rawValue else {
            throw corrupt("a thrift list holds type \(element), not \(type.rawValue)")
        }
        return count
    }

    mutating func element32() throws(Failure) -> Int32 {
        guard let value = Int32(exactly: try cursor.zigzag()) else {
            throw corrupt("a 32-bit number is too large")
        }
        return value
    }

    private mutating func listHeader() throws(Failure) -> (count: Int, type: UInt8) {
        let head = try cursor.byte()
        let short = Int(head >> 4)
        let count = short == 15 ? try cursor.count(atMost: cursor.remaining) : short
        guard count <= cursor.remaining else { throw corrupt("a thrift list is too long") }
        return (count, head & 0x0f)
    }

    func expect(
        _ field: FieldHeader, _ type: CompactType, _ other: CompactType
    ) throws(Failure) {
        guard field.type == type || field.type == other else {
            throw corrupt("thrift field \(field.id) has type \(field.type), not \(type)")
        }
    }

    /// Passes over a field of no interest.
    mutating func skip(_ field: FieldHeader) throws(Failure) {
        try skip(field.type, depth: 0, inList: false)
    }

    private mutating func skip(
        _ type: CompactType, depth: Int, inList: Bool
    ) throws(Failure) {
        guard depth < ParquetLimit.schemaDepth else {
            throw corrupt("its metadata nests too deep")
        }
        switch type {
        case .stop: throw corrupt("a thrift value has no type")
        case .yes, .no: if inList { _ = try cursor.byte() }
        case .byte: _ = try cursor.byte()
        case .int16, .int32, .int64: _ = try cursor.varint()
        case .double: _ = try cursor.take(8)
        case .binary: _ = try cursor.take(try cursor.count(atMost: cursor.remaining))
        case .list, .set:
            let (count, raw) = try listHeader()
            guard let element = CompactType(rawValue: raw) else {
                throw corrupt("unknown thrift type \(raw)")
            }
            for _ in 0..<count { try skip(element, depth: depth + 1, inList: true) }
        case .map:
            let count = try cursor.count(atMost: cursor.remaining)
            guard count > 0 else { return }
            let types = try cursor.byte()
            guard let key = CompactType(rawValue: types >> 4),
                let value = CompactType(rawValue: types & 0x0f)
            else { throw corrupt("unknown thrift type in a map") }
            for _ in 0..<count {
                try skip(key, depth: depth + 1, inList: true)
                try skip(value, depth: depth + 1, inList: true)
            }
        case .structure:
            try beginStruct()
            while let field = try nextField() {
                try skip(field.type, depth: depth + 1, inList: false)
            }
        }
    }
}

/// Writes one message.
struct CompactWriter {
    private(set) var bytes: [UInt8] = []
    private var lastIDs: [Int16] = []
    private var lastID: Int16 = 0

    private mutating func header(_ id: Int16, _ type: CompactType) {
        let delta = id - lastID
        if delta > 0, delta < 16 {
            bytes.append(UInt8(delta) << 4 | type.rawValue)
        } else {
            bytes.append(type.rawValue)
            zigzag(Int64(id))
        }
        lastID = id
    }

    private mutating func zigzag(_ value: Int64) {
        bytes.append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    mutating func int32(_ id: Int16, _ value: Int) {
        header(id, .int32)
        zigzag(Int64(value))
    }

    mutating func int16(_ id: Int16, _ value: Int) {
        header(id, .int16)
        zigzag(Int64(value))
    }

    mutating func int64(_ id: Int16, _ value: Int) {
        header(id, .int64)
        zigzag(Int64(value))
    }

    mutating func byte(_ id: Int16, _ value: UInt8) {
        header(id, .byte)
        bytes.append(value)
    }

    mutating func bool(_ id: Int16, _ value: Bool) { header(id, value ? .yes : .no) }

    mutating func binary(_ id: Int16, _ value: [UInt8]) {
        header(id, .binary)
        element(value)
    }

    mutating func string(_ id: Int16, _ value: String) { binary(id, Array(value.utf8)) }

    mutating func element(_ value: [UInt8]) {
        bytes.append(varint: UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func element(_ value: Int) { zigzag(Int64(value)) }

    mutating func list(_ id: Int16, of type: CompactType, count: Int) {
        header(id, .list)
        if count < 15 {
            bytes.append(UInt8(count) << 4 | type.rawValue)
        } else {
            bytes.append(0xf0 | type.rawValue)
            bytes.append(varint: UInt64(count))
        }
    }

    /// Enters a struct field.
    mutating func beginStruct(_ id: Int16) {
        header(id, .structure)
        beginStruct()
    }

    /// Enters a struct that is a list's element or the message itself.
    mutating func beginStruct() {
        lastIDs.append(lastID)
        lastID = 0
    }

    mutating func endStruct() {
        bytes.append(0)
        lastID = lastIDs.popLast() ?? 0
    }
}
