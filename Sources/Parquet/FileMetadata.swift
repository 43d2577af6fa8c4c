// The footer's structures (parquet.thrift), as far as they are read or written.

import Contracts
import Types

/// parquet.thrift `Type`.
enum StorageType: Int32 {
    case boolean, int32, int64, int96, float, double, byteArray, fixed
}

/// parquet.thrift `Encoding`.
enum ValueEncoding: Int32 {
    case plain = 0
    case plainDictionary = 2
    case runLength, bitPacked, deltaBinaryPacked, deltaLengthByteArray, deltaByteArray
    case runLengthDictionary, byteStreamSplit
}

enum Repetition: Int32 { case required, optional, repeated }

enum TimeUnit: Int16 { case milliseconds = 1, microseconds, nanoseconds }

/// `LogicalType` and the older `ConvertedType` as one (LogicalTypes.md).
enum Annotation: Hashable {
    case none, string, map, list, json, date, uuid, float16, interval, unknown
    case decimal(precision: Int, scale: Int)
    case time(TimeUnit)
    case timestamp(TimeUnit, isUTC: Bool)
    case integer(bits: Int, isSigned: Bool)
}

struct SchemaElement {
    var type: StorageType?
    var typeLength = 0
    var repetition = Repetition.required
    var name = ""
    var childCount = 0
    var fieldID: Int32?
    var annotation = Annotation.none
}

struct ChunkStatistics {
    var minimum: [UInt8]?
    var maximum: [UInt8]?
    var isMinimumExact = true
    var isMaximumExact = true
    var nullCount: Int64?
}

struct ColumnChunk {
    var type = StorageType.int32
    var encodings: [ValueEncoding] = []
    var path: [String] = []
    var codec: Int32 = 0
    var valueCount = 0
    var uncompressedBytes = 0
    var compressedBytes = 0
    var dataPageOffset = 0
    var dictionaryPageOffset: Int?
    var statistics = ChunkStatistics()
    /// The chunk stands in another file, or is encrypted: both are refused when it is read.
    var refusal: String?
}

struct RowGroup {
    var columns: [ColumnChunk] = []
    var byteCount = 0
    var compressedBytes = 0
    var rowCount = 0
    var fileOffset = 0
}

struct FileMetadata {
    var schema: [SchemaElement] = []
    var rowCount = 0
    var rowGroups: [RowGroup] = []
    var keyValues: [(key: String, value: String)] = []
    var createdBy = ""
}

enum PageKind: Int32 { case data, index, dictionary, dataV2 }

struct PageHeader {
    var kind: PageKind?
    var uncompressedBytes = 0
    var compressedBytes = 0
    var checksum: Int32?
    var valueCount = 0
    var encoding: ValueEncoding?
    var definitionEncoding = ValueEncoding.runLength
    var repetitionEncoding = ValueEncoding.runLength
    /// V2 only.
    var definitionBytes = 0
    var repetitionBytes = 0
    var isCompressed = true
}
