// Footer and page headers to bytes.

extension FileMetadata {
    /// The footer's thrift message.
    func encoded() -> [UInt8] {
        var writer = CompactWriter()
        writer.beginStruct()
        writer.int32(1, 2)  // Format version: 2, since pages may be RLE_DICTIONARY.
        writer.list(2, of: .structure, count: schema.count)
        for element in schema { element.write(to: &writer) }
        writer.int64(3, rowCount)
        writer.list(4, of: .structure, count: rowGroups.count)
        for (ordinal, group) in rowGroups.enumerated() { group.write(to: &writer, ordinal) }
        if !keyValues.isEmpty {
            writer.list(5, of: .structure, count: keyValues.count)
            for pair in keyValues {
                writer.beginStruct()
                writer.string(1, pair.key)
                writer.string(2, pair.value)
                writer.endStruct()
            }
        }
        writer.string(6, createdBy)
        // ColumnOrder: TYPE_ORDER for each leaf; without it readers ignore min_value and max_value.
        let leafCount = schema.count { $0.type != nil }
        writer.list(7, of: .structure, count: leafCount)
        for _ in 0..<leafCount {
            writer.beginStruct()
            writer.beginStruct(1)
            writer.endStruct()
            writer.endStruct()
        }
        writer.endStruct()
        return writer.bytes
    }
}

extension SchemaElement {
    fileprivate func write(to writer: inout CompactWriter) {
        writer.beginStruct()
        if let type { writer.int32(1, Int(type.rawValue)) }
        if type == .fixed { writer.int32(2, typeLength) }
        writer.int32(3, Int(repetition.rawValue))
        writer.string(4, name)
        if type == nil { writer.int32(5, childCount) }
        if let converted = annotation.convertedType { writer.int32(6, converted) }
        if case .decimal(let precision, let scale) = annotation {
            writer.int32(7, scale)
            writer.int32(8, precision)
        }
        if let fieldID { writer.int32(9, Int(fieldID)) }
        annotation.write(to: &writer)
        writer.endStruct()
    }
}

extension Annotation {
    /// The old annotation, for readers that know no other.
    fileprivate var convertedType: Int? {
        switch self {
        case .none, .uuid, .float16, .unknown: nil
        case .string: 0
        case .map: 1
        case .list: 3
        case .decimal: 5
        case .date: 6
        case .time(let unit): unit == .milliseconds ? 7 : unit == .microseconds ? 8 : nil
        // ConvertedType TIMESTAMP_* means "adjusted to UTC": a local timestamp has none (F16).
        case .timestamp(let unit, let isUTC):
            !isUTC ? nil : unit == .milliseconds ? 9 : unit == .microseconds ? 10 : nil
        case .integer(let bits, let isSigned):
            (isSigned ? 15 : 11) + (bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3)
        case .json: 19
        case .interval: 21
        }
    }

    /// The `LogicalType` union: field 10 of a schema element.
    fileprivate func write(to writer: inout CompactWriter) {
        func empty(_ id: Int16) {
            writer.beginStruct(10)
            writer.beginStruct(id)
            writer.endStruct()
            writer.endStruct()
        }
        func timed(_ id: Int16, _ unit: TimeUnit, _ isUTC: Bool) {
            writer.beginStruct(10)
            writer.beginStruct(id)
            writer.bool(1, isUTC)
            writer.beginStruct(2)
            writer.beginStruct(unit.rawValue)
            writer.endStruct()
            writer.endStruct()
            writer.endStruct()
            writer.endStruct()
        }
        switch self {
        case .none, .interval: break
        case .string: empty(1)
        case .map: empty(2)
        case .list: empty(3)
        case .decimal(let precision, let scale):
            writer.beginStruct(10)
            writer.beginStruct(5)
            writer.int32(1, scale)
            writer.int32(2, precision)
            writer.endStruct()
            writer.endStruct()
        case .date: empty(6)
        case .time(let unit): timed(7, unit, false)
        case .timestamp(let unit, let isUTC): timed(8, unit, isUTC)
        case .integer(let bits, let isSigned):
            writer.beginStruct(10)
            writer.beginStruct(10)
            writer.byte(1, UInt8(bits))
            writer.bool(2, isSigned)
            writer.endStruct()
            writer.endStruct()
        case .unknown: empty(11)
        case .json: empty(12)
        case .uuid: empty(14)
        case .float16: empty(15)
        }
    }
}

extension RowGroup {
    fileprivate func write(to writer: inout CompactWriter, _ ordinal: Int) {
        writer.beginStruct()
        writer.list(1, of: .structure, count: columns.count)
        for column in columns { column.write(to: &writer) }
        writer.int64(2, byteCount)
        writer.int64(3, rowCount)
        writer.int64(5, fileOffset)
        writer.int64(6, compressedBytes)
        if ordinal <= Int(Int16.max) { writer.int16(7, ordinal) }
        writer.endStruct()
    }
}

extension ColumnChunk {
    fileprivate func write(to writer: inout CompactWriter) {
        writer.beginStruct()
        writer.int64(2, 0)  // Deprecated file_offset; parquet.thrift asks for 0.
        writer.beginStruct(3)
        writer.int32(1, Int(type.rawValue))
        writer.list(2, of: .int32, count: encodings.count)
        for encoding in encodings { writer.element(Int(encoding.rawValue)) }
        writer.list(3, of: .binary, count: path.count)
        for name in path { writer.element(Array(name.utf8)) }
        writer.int32(4, Int(codec))
        writer.int64(5, valueCount)
        writer.int64(6, uncompressedBytes)
        writer.int64(7, compressedBytes)
        writer.int64(9, dataPageOffset)
        if let dictionaryPageOffset { writer.int64(11, dictionaryPageOffset) }
        writer.beginStruct(12)
        if let nullCount = statistics.nullCount { writer.int64(3, Int(nullCount)) }
        if let maximum = statistics.maximum { writer.binary(5, maximum) }
        if let minimum = statistics.minimum { writer.binary(6, minimum) }
        if statistics.maximum != nil { writer.bool(7, statistics.isMaximumExact) }
        if statistics.minimum != nil { writer.bool(8, statistics.isMinimumExact) }
        writer.endStruct()
        writer.endStruct()
        writer.endStruct()
    }
}

extension PageHeader {
    /// A V1 data page's or a dictionary page's header.
    func encoded() -> [UInt8] {
        var writer = CompactWriter()
        writer.beginStruct()
        writer.int32(1, Int((kind ?? .data).rawValue))
        writer.int32(2, uncompressedBytes)
        writer.int32(3, compressedBytes)
        if let checksum { writer.int32(4, Int(checksum)) }
        let encodingID = Int((encoding ?? .plain).rawValue)
        if kind == .dictionary {
            writer.beginStruct(7)
            writer.int32(1, valueCount)
            writer.int32(2, encodingID)
        } else {
            writer.beginStruct(5)
            writer.int32(1, valueCount)
            writer.int32(2, encodingID)
            writer.int32(3, Int(definitionEncoding.rawValue))
            writer.int32(4, Int(repetitionEncoding.rawValue))
        }
        writer.endStruct()
        writer.endStruct()
        return writer.bytes
    }
}
