// Footer and page headers from bytes that may be anything.

import Contracts

extension FileMetadata {
    init(_ bytes: [UInt8]) throws(Failure) {
        self.init()
        var reader = CompactReader(ByteCursor(bytes))
        try reader.beginStruct()
        while let field = try reader.nextField() {
            switch field.id {
            case 2:
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    guard schema.count < ParquetLimit.schemaElements else {
                        throw corrupt("its schema has too many elements")
                    }
                    schema.append(try SchemaElement(&reader))
                }
            case 3: rowCount = try count(try reader.int64(field), "row count")
            case 4:
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    rowGroups.append(try RowGroup(&reader))
                }
            case 5:
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    keyValues.append(try keyValue(&reader))
                }
            case 6: createdBy = try reader.string(field)
            case 8: throw unsupported("encryption")
            default: try reader.skip(field)
            }
        }
    }
}

private func count(_ value: Int64, _ what: String) throws(Failure) -> Int {
    guard value >= 0, let result = Int(exactly: value) else {
        throw corrupt("a \(what) of \(value)")
    }
    return result
}

private func keyValue(
    _ reader: inout CompactReader
) throws(Failure) -> (key: String, value: String) {
    var pair = (key: "", value: "")
    try reader.beginStruct()
    while let field = try reader.nextField() {
        switch field.id {
        case 1: pair.key = try reader.string(field)
        case 2: pair.value = try reader.string(field)
        default: try reader.skip(field)
        }
    }
    return pair
}

extension SchemaElement {
    init(_ reader: inout CompactReader) throws(Failure) {
        self.init()
        var converted: Int32?
        var scale: Int32 = 0
        var precision: Int32 = 0
        var logical: Annotation?
        try reader.beginStruct()
        while let field = try reader.nextField() {
            switch field.id {
            case 1:
                let raw = try reader.int32(field)
                type = StorageType(rawValue: raw)
                if type == nil { throw corrupt("unknown storage type \(raw)") }
            case 2: typeLength = try count(Int64(try reader.int32(field)), "type length")
            case 3:
                let raw = try reader.int32(field)
                guard let known = Repetition(rawValue: raw) else {
                    throw corrupt("unknown repetition \(raw)")
                }
                repetition = known
            case 4: name = try reader.string(field)
            case 5: childCount = try count(Int64(try reader.int32(field)), "child count")
            case 6: converted = try reader.int32(field)
            case 7: scale = try reader.int32(field)
            case 8: precision = try reader.int32(field)
            case 9: fieldID = try reader.int32(field)
            case 10: logical = try Annotation(&reader, field)
            default: try reader.skip(field)
            }
        }
        annotation =
            logical
            ?? Annotation(converted: converted, precision: Int(precision), scale: Int(scale))
    }
}

extension Annotation {
    fileprivate init(converted: Int32?, precision: Int, scale: Int) {
        switch converted {
        case 0, 4: self = .string
        case 1, 2: self = .map
        case 3: self = .list
        case 5: self = .decimal(precision: precision, scale: scale)
        case 6: self = .date
        case 7: self = .time(.milliseconds)
        case 8: self = .time(.microseconds)
        case 9: self = .timestamp(.milliseconds, isUTC: true)
        case 10: self = .timestamp(.microseconds, isUTC: true)
        case 11: self = .integer(bits: 8, isSigned: false)
        case 12: self = .integer(bits: 16, isSigned: false)
        case 13: self = .integer(bits: 32, isSigned: false)
        case 14: self = .integer(bits: 64, isSigned: false)
        case 15: self = .integer(bits: 8, isSigned: true)
        case 16: self = .integer(bits: 16, isSigned: true)
        case 17: self = .integer(bits: 32, isSigned: true)
        case 18: self = .integer(bits: 64, isSigned: true)
        case 19: self = .json
        case 21: self = .interval
        default: self = .none
        }
    }

    /// The `LogicalType` union; nil for members this reader does not know, which are then read as
    /// what they are stored as.
    fileprivate init?(
        _ reader: inout CompactReader, _ union: CompactReader.FieldHeader
    ) throws(Failure) {
        try reader.expect(union, .structure, .structure)
        var result: Annotation?
        try reader.beginStruct()
        while let member = try reader.nextField() {
            guard member.type == .structure else {
                try reader.skip(member)
                continue
            }
            switch member.id {
            case 1, 4: result = .string
            case 2: result = .map
            case 3: result = .list
            case 5:
                result = try parameters(&reader).decimal
                continue
            case 6: result = .date
            case 7:
                result = try parameters(&reader).unit.map { .time($0) }
                continue
            case 8:
                let found = try parameters(&reader)
                result = found.unit.map { .timestamp($0, isUTC: found.isUTC) }
                continue
            case 10:
                result = try parameters(&reader).integer
                continue
            case 11: result = .unknown
            case 12: result = .json
            case 14: result = .uuid
            case 15: result = .float16
            default: break
            }
            try reader.skip(member)
        }
        guard let result else { return nil }
        self = result
    }
}

/// What the members of the union hold: (scale, precision), (isAdjustedToUTC, unit) or
/// (bitWidth, isSigned), by the types of fields 1 and 2.
private struct AnnotationParameters {
    var numbers: [Int16: Int] = [:]
    var flags: [Int16: Bool] = [:]
    var unit: TimeUnit?

    var decimal: Annotation {
        .decimal(precision: numbers[2] ?? 0, scale: numbers[1] ?? 0)
    }
    var isUTC: Bool { flags[1] ?? false }
    var integer: Annotation? {
        guard let bits = numbers[1], [8, 16, 32, 64].contains(bits) else { return nil }
        return .integer(bits: bits, isSigned: flags[2] ?? true)
    }
}

private func parameters(
    _ reader: inout CompactReader
) throws(Failure) -> AnnotationParameters {
    var found = AnnotationParameters()
    try reader.beginStruct()
    while let field = try reader.nextField() {
        switch field.type {
        case .int32, .int16: found.numbers[field.id] = Int(try reader.int32(field))
        case .byte: found.numbers[field.id] = Int(try reader.byte(field))
        case .yes, .no: found.flags[field.id] = field.isTrue
        case .structure:
            try reader.beginStruct()
            while let member = try reader.nextField() {
                found.unit = TimeUnit(rawValue: member.id)
                try reader.skip(member)
            }
        default: try reader.skip(field)
        }
    }
    return found
}

extension RowGroup {
    fileprivate init(_ reader: inout CompactReader) throws(Failure) {
        self.init()
        try reader.beginStruct()
        while let field = try reader.nextField() {
            switch field.id {
            case 1:
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    columns.append(try ColumnChunk(&reader))
                }
            case 2: byteCount = Int(try reader.int64(field))
            case 3: rowCount = try count(try reader.int64(field), "row count")
            default: try reader.skip(field)
            }
        }
    }
}

extension ColumnChunk {
    fileprivate init(_ reader: inout CompactReader) throws(Failure) {
        self.init()
        var hasMetadata = false
        try reader.beginStruct()
        while let field = try reader.nextField() {
            switch field.id {
            case 1:
                refusal = "a column in another file"
                try reader.skip(field)
            case 3:
                try readMetadata(&reader, field)
                hasMetadata = true
            case 8:
                refusal = "encryption"
                try reader.skip(field)
            default: try reader.skip(field)
            }
        }
        if !hasMetadata { refusal = refusal ?? "a column without metadata" }
    }

    private mutating func readMetadata(
        _ reader: inout CompactReader, _ structure: CompactReader.FieldHeader
    ) throws(Failure) {
        try reader.expect(structure, .structure, .structure)
        try reader.beginStruct()
        while let field = try reader.nextField() {
            switch field.id {
            case 1:
                guard let known = StorageType(rawValue: try reader.int32(field)) else {
                    throw corrupt("unknown storage type in a column chunk")
                }
                type = known
            case 3:
                for _ in 0..<(try reader.list(field, of: .binary)) {
                    path.append(String(decoding: try reader.binary(), as: UTF8.self))
                }
            case 4: codec = try reader.int32(field)
            case 5: valueCount = try count(try reader.int64(field), "value count")
            case 6: uncompressedBytes = Int(try reader.int64(field))
            case 7: compressedBytes = try count(try reader.int64(field), "chunk size")
            case 9: dataPageOffset = try count(try reader.int64(field), "page offset")
            case 11: dictionaryPageOffset = try count(try reader.int64(field), "page offset")
            default: try reader.skip(field)
            }
        }
    }
}

extension PageHeader {
    init(_ reader: inout CompactReader) throws(Failure) {
        self.init()
        try reader.beginStruct()
        while let field = try reader.nextField() {
            switch field.id {
            case 1: kind = PageKind(rawValue: try reader.int32(field))
            case 2: uncompressedBytes = try count(Int64(try reader.int32(field)), "page size")
            case 3: compressedBytes = try count(Int64(try reader.int32(field)), "page size")
            case 4: checksum = try reader.int32(field)
            case 5, 7: try readV1(&reader, field)
            case 8: try readV2(&reader, field)
            default: try reader.skip(field)
            }
        }
    }

    private mutating func readV1(
        _ reader: inout CompactReader, _ structure: CompactReader.FieldHeader
    ) throws(Failure) {
        try reader.expect(structure, .structure, .structure)
        try reader.beginStruct()
        while let field = try reader.nextField() {
            switch (field.id, structure.id) {
            case (1, _): valueCount = try count(Int64(try reader.int32(field)), "value count")
            case (2, _): encoding = try Self.encoding(&reader, field)
            case (3, 5): definitionEncoding = try Self.encoding(&reader, field) ?? .plain
            case (4, 5): repetitionEncoding = try Self.encoding(&reader, field) ?? .plain
            default: try reader.skip(field)
            }
        }
    }

    private mutating func readV2(
        _ reader: inout CompactReader, _ structure: CompactReader.FieldHeader
    ) throws(Failure) {
        try reader.expect(structure, .structure, .structure)
        try reader.beginStruct()
        while let field = try reader.nextField() {
            switch field.id {
            case 1: valueCount = try count(Int64(try reader.int32(field)), "value count")
            case 4: encoding = try Self.encoding(&reader, field)
            case 5: definitionBytes = try count(Int64(try reader.int32(field)), "level size")
            case 6: repetitionBytes = try count(Int64(try reader.int32(field)), "level size")
            case 7: isCompressed = try reader.bool(field)
            default: try reader.skip(field)
            }
        }
    }

    /// nil for an encoding this reader does not know: an error only when the page is read.
    private static func encoding(
        _ reader: inout CompactReader, _ field: CompactReader.FieldHeader
    ) throws(Failure) -> ValueEncoding? {
        ValueEncoding(rawValue: try reader.int32(field))
    }
}
