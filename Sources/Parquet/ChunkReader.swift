// One column chunk: its pages, decompressed and decoded.

import Columns
import Contracts

/// A leaf's part of a row group: levels of all entries, values of those that have one.
struct LeafChunk {
    let leaf: Leaf
    /// Empty where the highest level is 0; else one an entry.
    var definition: [UInt8] = []
    var repetition: [UInt8] = []
    var entryCount = 0
    var values: RawValues

    init(_ leaf: Leaf) {
        self.leaf = leaf
        values = RawValues(leaf.storage)
    }
}

struct ChunkReader {
    private let chunk: ColumnChunk
    private var cursor: ByteCursor
    private var dictionary: RawValues?
    private var result: LeafChunk

    /// `bytes` are the chunk's own.
    static func read(
        _ leaf: Leaf, _ chunk: ColumnChunk, _ bytes: [UInt8]
    ) throws(Failure) -> LeafChunk {
        guard chunk.type == leaf.storage else { throw corrupt("a chunk has another type") }
        guard chunk.valueCount <= ParquetLimit.chunkValues else {
            throw unsupported("a column chunk of \(chunk.valueCount) values")
        }
        var reader = ChunkReader(chunk: chunk, cursor: ByteCursor(bytes), result: LeafChunk(leaf))
        while reader.result.entryCount < chunk.valueCount { try reader.readPage() }
        return reader.result
    }

    private init(chunk: ColumnChunk, cursor: ByteCursor, result: LeafChunk) {
        self.chunk = chunk
        self.cursor = cursor
        self.result = result
    }

    private mutating func readPage() throws(Failure) {
        var thrift = CompactReader(cursor)
        let header = try PageHeader(&thrift)
        cursor = thrift.cursor
        let body = try cursor.take(header.compressedBytes)
        if let expected = header.checksum, expected != checksum(cursor.bytes, body) {
            throw corrupt("a page of \(result.leaf.path.joined(separator: ".")) fails its checksum")
        }
        switch header.kind {
        case .dictionary: try readDictionary(header, body)
        case .data: try readV1(header, body)
        case .dataV2: try readV2(header, body)
        case .index, nil: break
        }
    }

    private mutating func readDictionary(
        _ header: PageHeader, _ body: Range<Int>
    ) throws(Failure) {
        guard dictionary == nil else { throw corrupt("a chunk has two dictionaries") }
        guard result.values.count == 0 else { throw corrupt("a dictionary behind its data") }
        guard header.encoding == .plain || header.encoding == .plainDictionary else {
            throw unsupported("a dictionary that is not PLAIN")
        }
        let page = try decompress(
            cursor.bytes, body, codec: chunk.codec, size: header.uncompressedBytes)
        guard header.valueCount <= ParquetLimit.chunkValues else {
            throw corrupt("a dictionary of \(header.valueCount) values")
        }
        var entries = RawValues(result.leaf.storage)
        var values = ByteCursor(page)
        try entries.appendPlain(&values, result.leaf, count: header.valueCount)
        // Text stays in the dictionary's buffer: the chunk's ranges point into it.
        result.values.data = entries.data
        entries.data = []
        dictionary = entries
    }

    private mutating func checkCount(_ count: Int) throws(Failure) {
        guard count <= chunk.valueCount - result.entryCount else {
            throw corrupt("a page has more values than its chunk")
        }
    }

    private mutating func readV1(_ header: PageHeader, _ body: Range<Int>) throws(Failure) {
        try checkCount(header.valueCount)
        let page = try decompress(
            cursor.bytes, body, codec: chunk.codec, size: header.uncompressedBytes)
        var values = ByteCursor(page)
        let leaf = result.leaf
        let repetition = try levels(
            &values, header.repetitionEncoding, leaf.repetition, header.valueCount)
        let definition = try levels(
            &values, header.definitionEncoding, leaf.definition, header.valueCount)
        try append(&values, header, definition, repetition)
    }

    private mutating func readV2(_ header: PageHeader, _ body: Range<Int>) throws(Failure) {
        try checkCount(header.valueCount)
        let leaf = result.leaf
        let levelBytes = header.repetitionBytes + header.definitionBytes
        guard levelBytes <= body.count, levelBytes <= header.uncompressedBytes else {
            throw corrupt("levels longer than their page")
        }
        let start = body.lowerBound
        let middle = start + header.repetitionBytes
        var repetitionRuns = try ByteCursor(cursor.bytes, start..<middle)
        var definitionRuns = try ByteCursor(cursor.bytes, middle..<(start + levelBytes))
        let repetition = try runs(&repetitionRuns, leaf.repetition, header.valueCount)
        let definition = try runs(&definitionRuns, leaf.definition, header.valueCount)
        let rest = (start + levelBytes)..<body.upperBound
        let size = header.uncompressedBytes - levelBytes
        // A page of NULLs may hold no compressed bytes at all (parquet-testing's
        // datapage_v2_empty_datapage).
        let page =
            rest.isEmpty
            ? []
            : try decompress(
                cursor.bytes, rest, codec: header.isCompressed ? chunk.codec : 0, size: size)
        var values = ByteCursor(page)
        try append(&values, header, definition, repetition)
    }

    /// V1 levels: a length, then runs; or the old BIT_PACKED without a length.
    private func levels(
        _ values: inout ByteCursor, _ encoding: ValueEncoding, _ highest: Int, _ count: Int
    ) throws(Failure) -> [UInt8] {
        guard highest > 0 else { return [] }
        if encoding == .bitPacked { return try bitPacked(&values, highest, count) }
        guard encoding == .runLength else { throw unsupported("levels in \(encoding)") }
        let length = Int(try values.littleEndian32())
        var part = try ByteCursor(values.bytes, try values.take(length))
        return try runs(&part, highest, count)
    }

    private func runs(
        _ part: inout ByteCursor, _ highest: Int, _ count: Int
    ) throws(Failure) -> [UInt8] {
        guard highest > 0 else { return [] }
        let wide = try readHybridRuns(&part, bitWidth: bitWidth(of: highest), count: count)
        for level in wide where level > highest { throw corrupt("a level of \(level)") }
        return wide.map { UInt8(truncatingIfNeeded: $0) }
    }

    /// The deprecated BIT_PACKED encoding: most significant bit first.
    private func bitPacked(
        _ values: inout ByteCursor, _ highest: Int, _ count: Int
    ) throws(Failure) -> [UInt8] {
        let width = bitWidth(of: highest)
        let range = try values.take((count * width + 7) / 8)
        var levels: [UInt8] = []
        levels.reserveCapacity(count)
        for index in 0..<count {
            var level: UInt8 = 0
            for bit in (index * width)..<((index + 1) * width) {
                let byte = values.bytes[range.lowerBound + bit / 8]
                level = level << 1 | (byte >> UInt8(7 - bit & 7)) & 1
            }
            guard level <= highest else { throw corrupt("a level of \(level)") }
            levels.append(level)
        }
        return levels
    }

    private mutating func append(
        _ values: inout ByteCursor, _ header: PageHeader, _ definition: [UInt8],
        _ repetition: [UInt8]
    ) throws(Failure) {
        let leaf = result.leaf
        var count = header.valueCount
        if leaf.definition > 0 {
            let highest = UInt8(leaf.definition)
            count = 0
            for level in definition where level == highest { count += 1 }
        }
        let before = result.values.count
        if count > 0 { try decode(&values, header.encoding, count: count) }
        guard result.values.count - before == count else {
            throw corrupt("a page has too few values")
        }
        result.definition += definition
        result.repetition += repetition
        result.entryCount += header.valueCount
    }

    private mutating func decode(
        _ values: inout ByteCursor, _ encoding: ValueEncoding?, count: Int
    ) throws(Failure) {
        let leaf = result.leaf
        switch encoding {
        case .plain: try result.values.appendPlain(&values, leaf, count: count)
        case .plainDictionary, .runLengthDictionary:
            guard let dictionary else { throw corrupt("a page without its dictionary") }
            let width = Int(try values.byte())
            let indices = try readHybridRuns(&values, bitWidth: width, count: count)
            try result.values.append(dictionary, indices)
        case .runLength:
            guard leaf.storage == .boolean else { throw corrupt("runs of \(leaf.storage)") }
            let length = Int(try values.littleEndian32())
            var part = try ByteCursor(values.bytes, try values.take(length))
            let bits = try readHybridRuns(&part, bitWidth: 1, count: count)
            result.values.bools.append(contentsOf: bits.map { $0 != 0 })
        case .deltaBinaryPacked:
            guard leaf.storage == .int32 || leaf.storage == .int64 else {
                throw corrupt("packed numbers of \(leaf.storage)")
            }
            result.values.integers += try readDeltaBinaryPacked(
                &values, count: count, is32Bit: leaf.storage == .int32)
        case .deltaLengthByteArray:
            guard leaf.storage == .byteArray else { throw corrupt("lengths of \(leaf.storage)") }
            try result.values.appendDeltaLengths(&values, count: count)
        case .deltaByteArray:
            guard result.values.kind == .bytes else { throw corrupt("prefixes of \(leaf.storage)") }
            let first = result.values.count
            try result.values.appendDeltaBytes(&values, count: count)
            if leaf.storage == .fixed {
                for range in result.values.ranges[first...] where range.count != leaf.typeLength {
                    throw corrupt("a fixed value of another length")
                }
            }
        case .byteStreamSplit:
            try result.values.appendByteStreamSplit(&values, leaf, count: count)
        case .bitPacked, nil: throw unsupported("an encoding of its values")
        }
    }
}
